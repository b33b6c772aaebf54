//! `assay show`: an overview of everything stored, or one object.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::address::{Address, Vintage};
use schemas::cid::{Cid, ContentId, ReleaseId, SnapshotId};
use schemas::content;
use schemas::digest::format_hex;
use schemas::object::{Object, Provenance};
use schemas::table::Table;
use schemas::verdict::Verdict;
use serde_json::json;
use service::query::{DatasetInfo, LogInfo, ReleaseInfo};

use crate::args::{GlobalArgs, ShowArgs};
use crate::backend::{Backend, open_home};
use crate::commands::recipe::format_csv;
use crate::error::{CommandError, ErrorCategory};
use crate::format;
use crate::output::{self, Printer, TextStyle};

pub(super) fn run(global: &GlobalArgs, args: &ShowArgs, printer: &Printer) -> Result<u8, CommandError> {
    let backend = Backend::open(&open_home(global)?)?;
    let Some(target) = &args.target else { return show_overview(&backend, printer) };
    // A publisher id has the form of a content id, so publishers come first.
    if let Some(log) = backend.list_logs()?.into_iter().find(|log| log.publisher.to_string() == *target) {
        return show_log(&backend, &log, printer);
    }
    let id = backend.resolve_reference(target)?;
    let address = target.parse::<Address>().ok();
    if let Some(release) = backend
        .list_releases()?
        .into_iter()
        .find(|info| info.id.cid() == id || info.position.entry.cid() == id)
    {
        return show_release(&backend, &release, address.as_ref(), args, printer);
    }
    if let Some(dataset) = backend
        .list_datasets()?
        .into_iter()
        .find(|info| info.id.cid() == id || info.position.entry.cid() == id)
    {
        return show_dataset(&backend, &dataset, args, printer);
    }
    if let Some(recipe) = backend.list_recipes()?.into_iter().find(|info| info.id.cid() == id) {
        printer.print_json(&recipe);
        printer.print_field("recipe", recipe.id);
        printer.print_field("title", &recipe.recipe.title);
        printer.print_field("signed", format!("by {}, entry {}", recipe.position.name, recipe.position.seq));
        printer.print_quoted("script", recipe.recipe.script.as_str());
        return Ok(0);
    }
    if let Some(snapshot) = find_snapshot(&backend, id)? {
        return show_document(&backend, snapshot, args, printer);
    }
    show_block(&backend, id, printer)
}

/// The id of a snapshot, if the block is one.
fn find_snapshot(backend: &Backend, id: Cid) -> Result<Option<SnapshotId>, CommandError> {
    let object = backend.load_block(id)?.map(|bytes| Object::decode(&bytes));
    Ok(matches!(object, Some(Ok(Object::Snapshot(_)))).then(|| SnapshotId::try_from(id).ok()).flatten())
}

/// Shows a source document, or writes it to a file.
fn show_document(
    backend: &Backend,
    id: SnapshotId,
    args: &ShowArgs,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let (snapshot, bytes) = backend.load_document(id)?;
    match args.output.as_deref() {
        Some(path) if path == Path::new("-") => {
            printer.write_stream(|out| out.write_all(&bytes));
            return Ok(0);
        }
        Some(path) => output::write_file(path, &bytes)?,
        None => {}
    }
    let (sha256, blake3) = (format_hex(&snapshot.sha256), format_hex(&snapshot.blake3));
    printer.print_json(&json!({
        "snapshot": id, "name": snapshot.name, "agency": snapshot.agency, "url": snapshot.url,
        "fetched": snapshot.fetched, "licence": snapshot.licence, "media_type": snapshot.media_type,
        "size": snapshot.size, "sha256": sha256, "blake3": blake3, "output": args.output,
    }));
    printer.print_field("document", &snapshot.name);
    printer.print_field("agency", snapshot.agency.map_or("not stated".into(), |agency| agency.to_string()));
    printer.print_field("address", snapshot.url.map_or("not stated".into(), |url| url.to_string()));
    if let Some(time) = snapshot.fetched {
        printer.print_field("fetched", format!("{} as its publisher says", format::format_time(time)));
    }
    if let Some(licence) = &snapshot.licence {
        printer.print_field("licence", licence);
    }
    printer.print_field(
        "size",
        format!("{} bytes, {}", format::group_digits(snapshot.size), snapshot.media_type),
    );
    printer.print_field("SHA-256", sha256);
    printer.print_field("BLAKE3", blake3);
    match &args.output {
        Some(path) => printer.print_field("written", path.display()),
        None => printer.suggest_commands(&[format!("assay show {id} -o FILE")]),
    }
    Ok(0)
}

fn show_overview(backend: &Backend, printer: &Printer) -> Result<u8, CommandError> {
    let (logs, releases, datasets) =
        (backend.list_logs()?, backend.list_releases()?, backend.list_datasets()?);
    printer.print_json(&json!({ "logs": logs, "releases": releases, "datasets": datasets }));
    if logs.is_empty() {
        printer.print_line("nothing is stored here yet");
        printer.suggest_commands(&[
            "assay init --name \"Your institute\"".into(),
            "assay follow <publisher>".into(),
            "assay demo".into(),
        ]);
        return Ok(0);
    }
    printer.print_line(printer.style_text(TextStyle::Bold, "Publishers"));
    let rows: Vec<Vec<String>> = logs.iter().map(log_row).collect();
    print_rows(&rows, printer);
    if !datasets.is_empty() {
        printer.print_line("");
        printer.print_line(printer.style_text(TextStyle::Bold, "Data sets"));
        let row = |info: &DatasetInfo| {
            let points = format::format_count(info.rows, "data point", "data points");
            vec![info.dataset.dataflow.to_string(), points, info.position.name.clone(), info.id.to_string()]
        };
        print_rows(&datasets.iter().map(row).collect::<Vec<_>>(), printer);
    }
    if !releases.is_empty() {
        printer.print_line("");
        printer.print_line(printer.style_text(TextStyle::Bold, "Releases"));
        for info in &releases {
            printer.print_line(format_args!(
                "  {}  {}",
                release_address(info),
                format_standing(info, printer)
            ));
        }
    }
    Ok(0)
}

fn log_row(log: &LogInfo) -> Vec<String> {
    let mut marks = Vec::new();
    if log.own {
        marks.push("own");
    }
    if log.followed {
        marks.push("followed");
    }
    if log.forked {
        marks.push("FORKED");
    }
    let entries = format::format_count(log.length, "entry", "entries");
    // Only followed logs are kept complete (specs/network.md); in others nothing is missing.
    let rest = log.length - log.complete;
    let entries =
        if rest > 0 && (log.followed || log.own) { format!("{entries}, {rest} incomplete") } else { entries };
    vec![log.name.clone(), entries, marks.join(", "), log.publisher.to_string()]
}

fn print_rows(rows: &[Vec<String>], printer: &Printer) {
    for line in format::align_columns(rows, |_| false) {
        printer.print_line(format_args!("  {line}"));
    }
}

/// Address of a release, with its position as the vintage.
fn release_address(info: &ReleaseInfo) -> Address {
    Address::new(info.position.publisher, info.release.dataflow.clone())
        .with_vintage(Vintage::Seq(info.position.seq))
}

/// Formats the verdicts on a release: retraction, own verdict, attestations.
fn format_standing(info: &ReleaseInfo, printer: &Printer) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for said in &info.attestations {
        *counts.entry(said.attestation.verdict.as_str()).or_default() += 1;
    }
    let mut parts = Vec::new();
    if info.retracted.is_some() {
        parts.push(printer.style_text(TextStyle::Bad, "RETRACTED"));
    }
    if let Some(verdict) = &info.verdict {
        parts.push(format!("{} here", styled_verdict(verdict, printer)));
    }
    parts.extend(counts.iter().map(|(word, count)| format!("attested {word} by {count}")));
    if parts.is_empty() { printer.style_text(TextStyle::Dim, "not verified yet") } else { parts.join(", ") }
}

fn styled_verdict(verdict: &Verdict, printer: &Printer) -> String {
    let tone = if matches!(verdict, Verdict::Reproduced { .. }) { TextStyle::Good } else { TextStyle::Bad };
    printer.style_text(tone, verdict.as_str())
}

fn show_log(backend: &Backend, log: &LogInfo, printer: &Printer) -> Result<u8, CommandError> {
    let releases: Vec<ReleaseInfo> = backend
        .list_releases()?
        .into_iter()
        .filter(|info| info.position.publisher == log.publisher)
        .collect();
    printer.print_json(&json!({ "log": log, "releases": releases }));
    printer.print_field("publisher", log.publisher);
    printer.print_field("name", &log.name);
    for root in &log.roots {
        printer.print_field("root key", root);
    }
    printer.print_field(
        "log",
        format!("{}, {} complete", format::format_count(log.length, "entry", "entries"), log.complete),
    );
    if log.forked {
        printer.print_field(
            "fork",
            printer.style_text(TextStyle::Bad, "this publisher signed two different histories"),
        );
    }
    for info in &releases {
        printer
            .print_field("release", format!("{}  {}", release_address(info), format_standing(info, printer)));
    }
    Ok(0)
}

fn show_release(
    backend: &Backend,
    info: &ReleaseInfo,
    address: Option<&Address>,
    args: &ShowArgs,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let fetch = backend.block_reader();
    let mut tables = BTreeMap::new();
    // An address without a key names the whole release.
    let address = address.filter(|address| address.key().is_some());
    for (output, id) in &info.release.results {
        let table = load_content(*id, &fetch)?;
        let table = match address.map(|address| address.select_rows(&table)) {
            Some(rows) => format::select_rows(table, &rows),
            None => table,
        };
        tables.insert(output.to_string(), table);
    }
    // A key may fit one output only, so it is wrong only when no output has it.
    if let Some(address) = address.filter(|_| tables.values().all(|table| table.rows() == 0)) {
        return Err(CommandError::not_found(format!("the release has no figure at {address}")));
    }
    if args.csv {
        for table in tables.values() {
            printer.print_raw(&format_csv(table)?);
        }
        return Ok(0);
    }
    printer.print_json(info);
    printer.print_field("release", info.id);
    printer.print_field("dataflow", format!("{}, vintage {}", info.release.dataflow, info.release.vintage));
    printer.print_field("recipe", format!("{} ({})", info.title, info.release.recipe));
    for (name, id) in &info.release.inputs {
        printer.print_field("input", format!("{name}: {id}"));
    }
    printer.print_field(
        "signed",
        format!(
            "by {} ({}), entry {}, {}",
            info.position.name,
            info.position.publisher,
            info.position.seq,
            format::format_time(info.position.time)
        ),
    );
    if let Some(supersedes) = &info.release.supersedes {
        printer.print_field("supersedes", format!("{} ({:?})", supersedes.release, supersedes.reason));
    }
    if let Some(withdrawn) = &info.retracted {
        let time = format::format_time(withdrawn.time);
        printer.print_field("retracted", printer.style_text(TextStyle::Bad, time));
        printer.print_quoted("reason", withdrawn.reason.as_str());
        if let Some(replacement) = withdrawn.replacement {
            printer.print_field("use instead", replacement);
        }
    }
    match &info.verdict {
        Some(verdict) => print_verdict("verified", "", verdict, printer),
        None => printer.print_field("verified", "not yet"),
    }
    for said in &info.attestations {
        print_verdict("attested", &format!("{} — ", said.position.name), &said.attestation.verdict, printer);
    }
    for (output, table) in &tables {
        printer.print_line("");
        printer.print_line(printer.style_text(TextStyle::Bold, output));
        for line in format::format_table(table) {
            printer.print_line(format_args!("  {line}"));
        }
    }
    printer.suggest_commands(&[
        format!("assay verify {}", info.id),
        format!("assay export {} -o {}.car", info.id, info.release.dataflow),
    ]);
    Ok(0)
}

/// Prints a verdict after the name of its signer, and the message of a failure below it.
fn print_verdict(label: &str, signer: &str, verdict: &Verdict, printer: &Printer) {
    printer.print_field(label, format!("{signer}{}", format::summarize_verdict(verdict)));
    if let Verdict::Failed { message, .. } = verdict {
        printer.print_quoted("", message.as_str());
    }
}

fn show_dataset(
    backend: &Backend,
    info: &DatasetInfo,
    args: &ShowArgs,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let table = load_content(info.dataset.content, &backend.block_reader())?;
    if args.csv {
        printer.print_raw(&format_csv(&table)?);
        return Ok(0);
    }
    // Equal data have one content id, independent of their publisher (specs/objects.md, section 4).
    let twins: Vec<DatasetInfo> = backend
        .list_datasets()?
        .into_iter()
        .filter(|other| {
            other.dataset.content == info.dataset.content
                && other.position.publisher != info.position.publisher
        })
        .collect();
    printer.print_json(&json!({ "dataset": info, "same_content": twins }));
    printer.print_field("data set", info.id);
    printer.print_field("dataflow", &info.dataset.dataflow);
    printer.print_field("title", &info.dataset.title);
    printer.print_field("content", info.dataset.content);
    for doubt in &info.dataset.plausibility_warnings {
        printer.print_field("warning", printer.style_text(TextStyle::Bad, doubt));
    }
    for twin in &twins {
        printer.print_field(
            "same as",
            format!("{} published the same content: {}", twin.position.name, twin.id),
        );
    }
    match &info.dataset.provenance {
        Provenance::Import(import) => {
            for snapshot in import.snapshots() {
                let companion = if import.companions.contains(&snapshot) { "companion " } else { "" };
                let reader = &import.reader;
                printer.print_field("source", format!("{companion}snapshot {snapshot}, read by {reader}"));
            }
        }
        Provenance::Stated => {
            printer.print_field("source", "none: the publisher states the data itself, without a document")
        }
        Provenance::Release { release, output } => {
            printer.print_field("source", format!("output {output} of release {release}"))
        }
    }
    printer.print_field(
        "signed",
        format!(
            "by {}, entry {}, {}",
            info.position.name,
            info.position.seq,
            format::format_time(info.position.time)
        ),
    );
    printer.print_line("");
    for line in format::format_table(&table) {
        printer.print_line(format_args!("  {line}"));
    }
    Ok(0)
}

fn load_content(id: ContentId, fetch: &impl Fn(Cid) -> Option<Vec<u8>>) -> Result<Table, CommandError> {
    match content::unpack_table(id, fetch) {
        Ok((_, table)) => Ok(table),
        Err(content::Error::Missing(ids)) => {
            Err(CommandError::not_found(format!("{} blocks are missing", ids.len())))
        }
        // The blocks have the right hashes, so the defect is in the data that were signed.
        Err(error) => Err(CommandError::new(ErrorCategory::Trust, "content", error.to_string())),
    }
}

fn show_block(backend: &Backend, id: Cid, printer: &Printer) -> Result<u8, CommandError> {
    let bytes =
        backend.load_block(id)?.ok_or_else(|| CommandError::not_found(format!("{id} is not stored here")))?;
    let kind = Object::decode(&bytes).map_or("raw bytes", |object| object.object_type());
    printer.print_json(
        &json!({ "id": id, "kind": kind, "bytes": bytes.len(), "release": ReleaseId::try_from(id).is_ok() }),
    );
    printer.print_field(kind, id);
    printer.print_field("bytes", format::group_digits(bytes.len() as u64));
    Ok(0)
}

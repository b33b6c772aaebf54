//! `assay show`: what is held here.

use std::collections::BTreeMap;

use ledger::address::Address;
use node::service::query::{DatasetInfo, LogInfo, ReleaseInfo};
use schemas::cid::{Cid, ContentId, ReleaseId};
use schemas::content;
use schemas::object::{Object, Provenance};
use schemas::table::Table;
use schemas::verdict::Verdict;
use serde_json::json;

use crate::args::{Global, Show};
use crate::backend::{Backend, home};
use crate::commands::recipe::csv;
use crate::fault::{Fault, Kind};
use crate::screen::{Screen, Tone};
use crate::view;

pub(super) fn run(global: &Global, args: &Show, screen: &Screen) -> Result<u8, Fault> {
    let backend = Backend::open(&home(global)?)?;
    let Some(target) = &args.target else { return everything(&backend, screen) };
    if let Some(log) = backend.logs()?.into_iter().find(|log| log.publisher.to_string() == *target) {
        return one_log(&backend, &log, screen);
    }
    let id = backend.resolve(target)?;
    let address = target.parse::<Address>().ok();
    if let Some(release) =
        backend.releases()?.into_iter().find(|info| info.id.cid() == id || info.position.entry.cid() == id)
    {
        return one_release(&backend, &release, address.as_ref(), args, screen);
    }
    if let Some(dataset) =
        backend.datasets()?.into_iter().find(|info| info.id.cid() == id || info.position.entry.cid() == id)
    {
        return one_dataset(&backend, &dataset, args, screen);
    }
    if let Some(recipe) = backend.recipes()?.into_iter().find(|info| info.id.cid() == id) {
        screen.document(&recipe);
        screen.field("recipe", recipe.id);
        screen.field("title", &recipe.recipe.title);
        screen.field("signed", format!("by {}, entry {}", recipe.position.name, recipe.position.seq));
        screen.say("");
        screen.say(recipe.recipe.script.as_str().trim_end());
        return Ok(0);
    }
    block(&backend, id, screen)
}

fn everything(backend: &Backend, screen: &Screen) -> Result<u8, Fault> {
    let (logs, releases, datasets) = (backend.logs()?, backend.releases()?, backend.datasets()?);
    screen.document(&json!({ "logs": logs, "releases": releases, "datasets": datasets }));
    if logs.is_empty() {
        screen.say("nothing is held here yet");
        screen.next(&[
            "assay init --name \"Your office\"".into(),
            "assay follow <publisher>".into(),
            "assay demo".into(),
        ]);
        return Ok(0);
    }
    screen.say(screen.paint(Tone::Bold, "Publishers"));
    let rows: Vec<Vec<String>> = logs.iter().map(log_row).collect();
    lines(&rows, screen);
    if !datasets.is_empty() {
        screen.say("");
        screen.say(screen.paint(Tone::Bold, "Data sets"));
        let row = |info: &DatasetInfo| {
            let points = view::count(info.rows, "data point", "data points");
            vec![info.dataset.dataflow.to_string(), points, info.position.name.clone(), info.id.to_string()]
        };
        lines(&datasets.iter().map(row).collect::<Vec<_>>(), screen);
    }
    if !releases.is_empty() {
        screen.say("");
        screen.say(screen.paint(Tone::Bold, "Releases"));
        for info in &releases {
            screen.say(format_args!("  {}  {}", address(info), standing(info, screen)));
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
    let entries = view::count(log.length, "entry", "entries");
    let rest = log.length - log.complete;
    let entries = if rest > 0 && (log.followed || log.own) {
        format!("{entries}, {rest} not whole yet")
    } else {
        entries
    };
    vec![log.name.clone(), entries, marks.join(", "), log.publisher.to_string()]
}

fn lines(rows: &[Vec<String>], screen: &Screen) {
    for line in view::columns(rows, |_| false) {
        screen.say(format_args!("  {line}"));
    }
}

fn address(info: &ReleaseInfo) -> String {
    format!("assay://{}/{}@seq={}", info.position.publisher, info.release.dataflow, info.position.seq)
}

/// Who reproduced it, who did not.
fn standing(info: &ReleaseInfo, screen: &Screen) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for said in &info.attestations {
        *counts.entry(said.attestation.verdict.as_str()).or_default() += 1;
    }
    let mut parts = Vec::new();
    if info.retracted.is_some() {
        parts.push(screen.paint(Tone::Bad, "RETRACTED"));
    }
    if let Some(verdict) = &info.verdict {
        parts.push(format!("here: {}", word(verdict, screen)));
    }
    parts.extend(counts.iter().map(|(word, count)| format!("attested {word} by {count}")));
    if parts.is_empty() { screen.paint(Tone::Dim, "not run again yet") } else { parts.join(", ") }
}

fn word(verdict: &Verdict, screen: &Screen) -> String {
    let tone = if matches!(verdict, Verdict::Reproduced { .. }) { Tone::Good } else { Tone::Bad };
    screen.paint(tone, verdict.as_str())
}

fn one_log(backend: &Backend, log: &LogInfo, screen: &Screen) -> Result<u8, Fault> {
    let releases: Vec<ReleaseInfo> =
        backend.releases()?.into_iter().filter(|info| info.position.publisher == log.publisher).collect();
    screen.document(&json!({ "log": log, "releases": releases }));
    screen.field("publisher", log.publisher);
    screen.field("name", &log.name);
    for root in &log.roots {
        screen.field("root key", root);
    }
    screen.field(
        "log",
        format!("{}, {} whole here", view::count(log.length, "entry", "entries"), log.complete),
    );
    if log.forked {
        screen.field("fork", screen.paint(Tone::Bad, "this publisher signed two histories"));
    }
    for info in &releases {
        screen.field("release", format!("{}  {}", address(info), standing(info, screen)));
    }
    Ok(0)
}

fn one_release(
    backend: &Backend,
    info: &ReleaseInfo,
    address: Option<&Address>,
    args: &Show,
    screen: &Screen,
) -> Result<u8, Fault> {
    let fetch = backend.fetch();
    let mut tables = BTreeMap::new();
    let address = address.filter(|address| address.key.is_some());
    for (output, id) in &info.release.results {
        let table = unpack(*id, &fetch)?;
        let table = match address.map(|address| address.rows(&table)) {
            Some(rows) => view::rows(table, &rows),
            None => table,
        };
        tables.insert(output.to_string(), table);
    }
    if let Some(address) = address.filter(|_| tables.values().all(|table| table.rows() == 0)) {
        return Err(Fault::absent(format!("the release has no figure at {address}")));
    }
    if args.csv {
        for table in tables.values() {
            screen.raw(&csv(table)?);
        }
        return Ok(0);
    }
    screen.document(info);
    screen.field("release", info.id);
    screen.field("dataflow", format!("{}, vintage {}", info.release.dataflow, info.release.vintage));
    screen.field("recipe", format!("{} ({})", info.title, info.release.recipe));
    for (name, id) in &info.release.inputs {
        screen.field("input", format!("{name}: {id}"));
    }
    screen.field(
        "signed",
        format!(
            "by {} ({}), entry {}, {}",
            info.position.name,
            info.position.publisher,
            info.position.seq,
            view::time(info.position.time)
        ),
    );
    if let Some(supersedes) = &info.release.supersedes {
        screen.field("supersedes", format!("{} ({:?})", supersedes.release, supersedes.reason));
    }
    if let Some(withdrawn) = &info.retracted {
        let said = format!("{}: {}", view::time(withdrawn.time), withdrawn.reason);
        screen.field("retracted", screen.paint(Tone::Bad, said));
        if let Some(replacement) = withdrawn.replacement {
            screen.field("use instead", replacement);
        }
    }
    match &info.verdict {
        Some(verdict) => screen.field("run here", verdict),
        None => screen.field("run here", "not yet"),
    }
    for said in &info.attestations {
        screen.field("attested", format!("{} — {}", said.position.name, said.attestation.verdict));
    }
    for (output, table) in &tables {
        screen.say("");
        screen.say(screen.paint(Tone::Bold, output));
        for line in view::table(table) {
            screen.say(format_args!("  {line}"));
        }
    }
    screen.next(&[
        format!("assay verify {}", info.id),
        format!("assay export {} -o {}.car", info.id, info.release.dataflow),
    ]);
    Ok(0)
}

fn one_dataset(backend: &Backend, info: &DatasetInfo, args: &Show, screen: &Screen) -> Result<u8, Fault> {
    let table = unpack(info.dataset.content, &backend.fetch())?;
    if args.csv {
        screen.raw(&csv(&table)?);
        return Ok(0);
    }
    let twins: Vec<DatasetInfo> = backend
        .datasets()?
        .into_iter()
        .filter(|other| {
            other.dataset.content == info.dataset.content
                && other.position.publisher != info.position.publisher
        })
        .collect();
    screen.document(&json!({ "dataset": info, "same_content": twins }));
    screen.field("data set", info.id);
    screen.field("dataflow", &info.dataset.dataflow);
    screen.field("title", &info.dataset.title);
    screen.field("content", info.dataset.content);
    for doubt in &info.dataset.plausibility_warnings {
        screen.field("doubt", screen.paint(Tone::Bad, doubt));
    }
    for twin in &twins {
        screen.field("same as", format!("{} published the same content: {}", twin.position.name, twin.id));
    }
    match &info.dataset.provenance {
        Provenance::Import { snapshot, importer } => {
            screen.field("source", format!("snapshot {snapshot}, read by {importer}"))
        }
        Provenance::Release { release, output } => {
            screen.field("source", format!("output {output} of release {release}"))
        }
    }
    screen.field(
        "signed",
        format!("by {}, entry {}, {}", info.position.name, info.position.seq, view::time(info.position.time)),
    );
    screen.say("");
    for line in view::table(&table) {
        screen.say(format_args!("  {line}"));
    }
    Ok(0)
}

fn unpack(id: ContentId, fetch: &impl Fn(Cid) -> Option<Vec<u8>>) -> Result<Table, Fault> {
    match content::unpack_table(id, fetch) {
        Ok((_, table)) => Ok(table),
        Err(content::Error::Missing(ids)) => {
            Err(Fault::absent(format!("{} blocks are not at hand", ids.len())))
        }
        Err(fault) => Err(Fault::new(Kind::Trust, "content", fault.to_string())),
    }
}

fn block(backend: &Backend, id: Cid, screen: &Screen) -> Result<u8, Fault> {
    let bytes = backend.block(id)?.ok_or_else(|| Fault::absent(format!("{id} is not held here")))?;
    let kind = Object::decode_object(&bytes).map_or("raw bytes", |object| object.object_type());
    screen.document(
        &json!({ "id": id, "kind": kind, "bytes": bytes.len(), "release": ReleaseId::try_from(id).is_ok() }),
    );
    screen.field(kind, id);
    screen.field("bytes", view::grouped(bytes.len() as u64));
    Ok(0)
}

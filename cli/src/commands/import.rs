//! `assay import`: from a source document to a signed data set.
//!
//! ```text
//! load_import_input ─▶ ImportInput::draft ─▶ load_previous_version ─▶ review ─▶ require_plausible ─▶ sign_dataset
//! ```

use std::path::Path;

use ingest::ImportSummary;
use ledger::compute;
use schemas::cid::DatasetId;
use schemas::table::Table;
use schemas::text::Name;
use serde_json::{Value, json};
use service::PublishReceipt;
use service::query::DatasetInfo;
use submit::DatasetDraft;
use submit::dataset::format_warning;

use crate::args::{GlobalArgs, ImportArgs};
use crate::backend::{Backend, open_home};
use crate::commands::{check_source, dataset};
use crate::error::CommandError;
use crate::format;
use crate::output::{Printer, TextStyle};
use crate::remote_source::DownloadRecord;
use crate::source_document::{ImportInput, load_import_input};

/// Changes against the previous version that are shown.
const CHANGES_SHOWN: usize = 5;

pub(super) fn run(global: &GlobalArgs, args: &ImportArgs, printer: &Printer) -> Result<u8, CommandError> {
    if let Some(dataset) = &args.check_source {
        return check_source::run(global, args, dataset, printer);
    }
    let input = load_import_input(global, args, printer)?;
    let mut draft = input.draft(args, printer)?;
    let published = if args.dry_run {
        // A dry run works without a data directory, so there is no previous version to compare with.
        draft.review(None)?;
        None
    } else {
        let mut backend = Backend::open(&open_home(global)?)?;
        let previous = load_previous_version(&backend, &draft.dataset.dataflow)?;
        draft.review(previous.map(|(_, table)| table).as_ref())?;
        if !args.force {
            require_plausible(&draft)?;
        }
        Some(sign_dataset(&mut backend, &draft, printer)?)
    };
    // Only after signing: validators of an unpublished document would hide it from the next check.
    if let (Some(download), Some(_)) = (&input.download, &published) {
        let texts: Vec<&[u8]> = input.documents.iter().map(|document| document.bytes.as_slice()).collect();
        download.save_validators(&ingest::join_documents(&texts))?;
    }
    printer.print_json(&import_json(&input, &draft, published.as_ref()));
    print_import(args, &input, &draft, printer);
    match published {
        None => {
            printer
                .print_line(printer.style_text(TextStyle::Dim, "nothing was signed or stored (--dry-run)"));
        }
        Some(published) => {
            printer.print_field("data set", published.object);
            printer.print_field("signed", format!("entry {} of {}", published.seq, published.publisher));
            printer.suggest_commands(&[
                format!("assay publish <indicator> --from {}", draft.dataset.dataflow),
                "assay recipe list".into(),
            ]);
        }
    }
    Ok(0)
}

/// Imports and signs a file that is to be an input at once. Returns the stored data set when the file
/// has the same content.
pub(super) fn import_file(
    global: &GlobalArgs,
    backend: &mut Backend,
    path: &Path,
    printer: &Printer,
) -> Result<DatasetId, CommandError> {
    let args = ImportArgs { source: vec![path.display().to_string()], ..ImportArgs::default() };
    let mut draft = load_import_input(global, &args, printer)?.draft(&args, printer)?;
    let previous = load_previous_version(backend, &draft.dataset.dataflow)?;
    // The figures are published already, and a second version would say nothing new.
    if let Some((info, _)) = &previous
        && info.dataset.content == draft.dataset.content
    {
        return Ok(info.id);
    }
    draft.review(previous.map(|(_, table)| table).as_ref())?;
    require_plausible(&draft)?;
    let published = sign_dataset(backend, &draft, printer)?;
    let (dataflow, seq) = (&draft.dataset.dataflow, published.seq);
    printer.print_field("imported", format!("{} as data set {dataflow}, entry {seq}", path.display()));
    DatasetId::try_from(published.object)
        .map_err(|_| CommandError::usage("data-set", "the import returned no data set"))
}

/// Refuses a draft with plausibility warnings.
fn require_plausible(draft: &DatasetDraft) -> Result<(), CommandError> {
    let Some(first) = draft.warnings.first() else { return Ok(()) };
    let more = match draft.warnings.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let message = format!("the data set is implausible: {}{more}", format_warning(first));
    Err(CommandError::usage("doubt", message).hint(
        "compare it with the source; `--force` signs it all the same and records the warning in the data set",
    ))
}

fn sign_dataset(
    backend: &mut Backend,
    draft: &DatasetDraft,
    printer: &Printer,
) -> Result<PublishReceipt, CommandError> {
    let object = draft.encode()?;
    let bytes: u64 = draft.blocks.iter().map(|(_, block)| block.len() as u64).sum();
    let bar = printer.progress_bar(bytes, "signing and storing");
    let published = backend.publish_object(&object, draft.blocks.clone())?;
    bar.finish_and_clear();
    Ok(published)
}

/// The import as JSON.
fn import_json(input: &ImportInput, draft: &DatasetDraft, published: Option<&PublishReceipt>) -> Value {
    let DatasetDraft { imported, dataset, .. } = draft;
    let origin = input.documents.first().and_then(|document| document.origin.as_ref());
    let summary = &imported.summary;
    json!({
        "format": imported.format.code(),
        "dataflow": dataset.dataflow, "title": dataset.title, "content": dataset.content,
        "rows": summary.rows, "observations": summary.observations, "missing": summary.missing,
        "gaps": summary.missing_spellings, "notes": summary.notes,
        "series": summary.series, "aggregates": summary.aggregates,
        "first": summary.first, "last": summary.last,
        "frequency": summary.frequency.map(|frequency| frequency.code()),
        "url": origin.map(|origin| &origin.url),
        "fetched": origin.map(|origin| origin.fetched),
        "asked": input.download.as_ref().map(DownloadRecord::requests_json),
        "plausibility_warnings": dataset.plausibility_warnings,
        "revision": draft.revision.as_ref().map(|revision| dataset::revision_json(revision, None, CHANGES_SHOWN)),
        "published": published,
    })
}

/// Prints a summary of the import.
fn print_import(args: &ImportArgs, input: &ImportInput, draft: &DatasetDraft, printer: &Printer) {
    let DatasetDraft { imported, dataset, .. } = draft;
    let summary = &imported.summary;
    printer.print_field(
        "read",
        format!("{} as {}: {}", input.display_name(args), imported.format, imported.format.title()),
    );
    for companion in &input.companions {
        printer.print_field("companion", format!("{}, published with the data set", companion.name));
    }
    if let Some(origin) = input.documents.first().and_then(|document| document.origin.as_ref()) {
        printer.print_field("fetched", &origin.url);
    }
    printer.print_field("title", &dataset.title);
    let span = match (summary.first, summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    printer.print_field(
        "data",
        format!(
            "{} in {} series{span}; {} missing in the source{}",
            format::format_count(summary.observations, "observation", "observations"),
            format::group_digits(summary.series),
            format::format_count(summary.missing, "value", "values"),
            describe_missing(summary),
        ),
    );
    if summary.aggregates > 0 {
        printer.print_field(
            "areas",
            format!("{}, including {} aggregates", imported.areas.len(), summary.aggregates),
        );
    }
    for note in &summary.notes {
        printer.print_field("note", note);
    }
    for warning in &draft.warnings {
        printer.print_field("warning", printer.style_text(TextStyle::Bad, format_warning(warning)));
    }
    if let Some(revision) = &draft.revision {
        dataset::print_revision(revision, CHANGES_SHOWN, printer);
    }
    printer.print_field("content", dataset.content);
}

/// Loads the latest version of a dataflow in the own log.
fn load_previous_version(
    backend: &Backend,
    dataflow: &Name,
) -> Result<Option<(DatasetInfo, Table)>, CommandError> {
    // Only own versions count: another publisher may use the same name for a dataflow.
    let Some(own) = backend.own_publisher()? else { return Ok(None) };
    let datasets = backend.list_datasets()?.into_iter();
    let versions =
        datasets.filter(|info| info.position.publisher == own && info.dataset.dataflow == *dataflow);
    let Some(latest) = versions.max_by_key(|info| info.position.seq) else { return Ok(None) };
    let (_, source) = compute::load_dataset(latest.id, &backend.block_reader())?;
    Ok(Some((latest, source.table)))
}

/// Lists the spellings of missing values in the source, unless all are empty cells.
fn describe_missing(summary: &ImportSummary) -> String {
    // Blank fields need no explanation; marks in the place of a number do.
    if summary.missing_spellings.keys().all(String::is_empty) {
        return String::new();
    }
    let spelling = |(word, count): (&String, &u64)| match word.as_str() {
        "" => format!("{} blank", format::group_digits(*count)),
        word => format!("{} as `{word}`", format::group_digits(*count)),
    };
    format!(" ({})", summary.missing_spellings.iter().map(spelling).collect::<Vec<_>>().join(", "))
}

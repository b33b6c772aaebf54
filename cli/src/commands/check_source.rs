//! `assay import --check-source`: compares the source of a data set with the signed version.

use fetch::{FetchSource, SourceCheck};
use ingest::{CompanionFile, Format, ImportOptions};
use ledger::compute;
use ledger::revision::{Revision, compare_versions};
use schemas::cid::{DatasetId, PieceId};
use schemas::object::{Dataset, Import, Provenance, Snapshot, decode_object};
use serde_json::json;
use submit::SourceDocument;
use submit::dataset::content_id;

use crate::args::{GlobalArgs, ImportArgs};
use crate::backend::{Backend, open_home};
use crate::commands::dataset;
use crate::error::{CommandError, EXIT_DIFFERS};
use crate::output::{Printer, TextStyle};
use crate::remote_source;
use crate::source_document::{import_documents, importer_options};
use crate::{dataset_versions, format};

/// Changes that are shown.
const CHANGES_SHOWN: usize = 5;
/// Reason for a source whose document changed while its figures did not.
const SAME_FIGURES: &str = "the document changed, its figures are the same";
/// Exit code when the source is gone.
const EXIT_GONE: u8 = 5;

/// Status of a source, compared with the signed version.
enum SourceStatus {
    /// The same document, or another one with the same figures; with the reason.
    Same(&'static str),
    /// Other figures; with the revision, unless the identifiers differ, and the reason.
    Changed(Box<Option<Revision>>, String),
    /// The source no longer serves the document; with the reason.
    Gone(String),
}

pub(super) fn run(
    global: &GlobalArgs,
    args: &ImportArgs,
    name: &str,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let backend = Backend::open(&open_home(global)?)?;
    let id = dataset_versions::find_dataset(&backend, name)?;
    let (dataset, before) = compute::load_dataset(id, &backend.block_reader())?;
    let (snapshot, import) = load_snapshot(&backend, &dataset)?;
    let Some(url) = snapshot.url.as_ref().map(ToString::to_string) else {
        return Err(CommandError::usage(
            "source-unknown",
            format!("data set `{name}` does not record a source address"),
        )
        .hint("import it from an agency (`assay import <agency> <code>`) or a URL, or state its URL with `--url`"));
    };
    let fetcher = remote_source::build_fetcher(args)?;
    let source = FetchSource::from_url(fetcher.url_policy(), &url)?;
    let history = remote_source::open_fetch_history(global)?;
    let validators = history.validators(&url, &snapshot.blake3);
    let status =
        match remote_source::fetch_document(&fetcher, &source, validators.as_ref(), &history, printer) {
            Ok(None) => SourceStatus::Same("the source reports no change"),
            Ok(Some(fetched)) => {
                let document = fetched.document;
                let options = load_options(&backend, args, &import)?;
                compare_document(&options, &dataset, &snapshot, &before.table, document, printer)?
            }
            // A source that is gone is a finding, not a failure of the command.
            Err(error) if error.code == "source-gone" => SourceStatus::Gone(error.message),
            Err(error) => return Err(error),
        };
    let at = node::unix_seconds();
    history
        .record_check(&id.to_string(), &SourceCheck { url: url.clone(), at, found: status.code().into() })?;
    print_status(&id, &url, at, &status, printer);
    Ok(status.exit_code())
}

/// Loads the first document of a data set; returns it with the record of the import.
fn load_snapshot(backend: &Backend, dataset: &Dataset) -> Result<(Snapshot, Import), CommandError> {
    let Provenance::Import(import) = &dataset.provenance else {
        return Err(CommandError::usage("source-unknown", "the data set was not imported from a source"));
    };
    let [snapshot, ..] = import.documents.as_slice() else {
        return Err(CommandError::usage("source-unknown", "the data set has no document"));
    };
    let bytes = backend.load_block(snapshot.cid())?.ok_or_else(|| {
        CommandError::not_found(format!("the source document {snapshot} of the data set is not stored here"))
    })?;
    Ok((decode_object(&bytes)?, import.clone()))
}

/// The options of the signed import, with its companions; flags of the command line have precedence.
fn load_options(
    backend: &Backend,
    args: &ImportArgs,
    import: &Import,
) -> Result<ImportOptions, CommandError> {
    let mut companions = Vec::new();
    for id in &import.companions {
        let (snapshot, bytes) = backend.load_document(*id)?;
        companions.push(CompanionFile { name: snapshot.name.to_string(), bytes });
    }
    let format = Format::from_code(import.reader.format.as_str());
    let given = importer_options(args, format, companions.clone())?;
    let signed =
        format.and_then(|format| ImportOptions::from_reader_options(format, &import.options, companions));
    let Some(signed) = signed else { return Ok(given) };
    Ok(ImportOptions {
        frequency: given.frequency.or(signed.frequency),
        area: given.area.or(signed.area),
        mapping: given.mapping.or(signed.mapping),
        ..signed
    })
}

/// Compares a fetched document with the signed one, first by its hash, then by its figures.
fn compare_document(
    options: &ImportOptions,
    dataset: &Dataset,
    snapshot: &Snapshot,
    before: &schemas::table::Table,
    mut document: SourceDocument,
    printer: &Printer,
) -> Result<SourceStatus, CommandError> {
    // The digest of a raw id is the BLAKE3 hash of all bytes, which a snapshot records.
    if PieceId::of(&document.bytes).cid().digest() == &snapshot.blake3 {
        return Ok(SourceStatus::Same("the document is identical"));
    }
    // Some importers take the id of the series from the file name.
    document.name = snapshot.name.to_string();
    let imported = import_documents(&[document], options, printer)?;
    // A document may differ in a header or a date only, so the figures decide.
    if content_id(&imported)? == dataset.content {
        return Ok(SourceStatus::Same(SAME_FIGURES));
    }
    Ok(match compare_versions(before, &imported.table) {
        Ok(found)
            if found.added + found.vanished + found.revised == 0
                && found.components == Default::default() =>
        {
            SourceStatus::Same(SAME_FIGURES)
        }
        Ok(found) => SourceStatus::Changed(Box::new(Some(found)), "the figures changed".into()),
        Err(unlike) => SourceStatus::Changed(Box::new(None), unlike.to_string()),
    })
}

impl SourceStatus {
    fn code(&self) -> &'static str {
        match self {
            SourceStatus::Same(_) => "same",
            SourceStatus::Changed(..) => "changed",
            SourceStatus::Gone(_) => "gone",
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            SourceStatus::Same(_) => 0,
            SourceStatus::Changed(..) => EXIT_DIFFERS,
            SourceStatus::Gone(_) => EXIT_GONE,
        }
    }

    fn reason(&self) -> &str {
        match self {
            SourceStatus::Same(why) => why,
            SourceStatus::Changed(_, why) | SourceStatus::Gone(why) => why,
        }
    }
}

fn print_status(id: &DatasetId, url: &str, at: i64, found: &SourceStatus, printer: &Printer) {
    let revised = match found {
        SourceStatus::Changed(revision, _) => revision.as_ref().as_ref(),
        _ => None,
    };
    printer.print_json(&json!({
        "dataset": id, "url": url, "at": at, "source": found.code(), "why": found.reason(),
        "revision": revised.map(|revised| dataset::revision_json(revised, None, CHANGES_SHOWN)),
    }));
    let tone = if found.exit_code() == 0 { TextStyle::Good } else { TextStyle::Bad };
    printer.print_field("data set", id);
    printer.print_field("fetched", url);
    printer.print_field("source", format!("{}: {}", printer.style_text(tone, found.code()), found.reason()));
    if let Some(revised) = revised {
        dataset::print_revision(revised, CHANGES_SHOWN, printer);
        printer.print_field(
            "points",
            format::format_count(revised.same, "data point is the same", "data points are the same"),
        );
    }
}

#[cfg(test)]
mod tests {
    use submit::{DatasetRequest, DocumentOrigin};

    use super::*;

    const SIGNED: &str = "REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2009,98.5\nFRA,2010,100\nDEU,2010,100\n";

    fn document(text: &str) -> SourceDocument {
        let origin = DocumentOrigin {
            url: "https://www.ons.gov.uk/x.csv".into(),
            fetched: 0,
            media_type: "text/csv".into(),
            agency: None,
        };
        SourceDocument { name: "x.csv".into(), bytes: text.into(), origin: Some(origin) }
    }

    /// Compares `current` with a data set made of `SIGNED`.
    fn compare(current: &str) -> Result<SourceStatus, CommandError> {
        let (options, printer) = (ImportOptions::default(), Printer::json_only());
        let draft = submit::draft_dataset(&[document(SIGNED)], &DatasetRequest::default(), &mut |_| ())?;
        let (dataset, snapshot, table) = (&draft.dataset, &draft.snapshots[0], &draft.imported.table);
        compare_document(&options, dataset, snapshot, table, document(current), &printer)
    }

    #[test]
    fn same_figures_count_as_unchanged() {
        let check = |current: &str, reason: &str| {
            let status = compare(current).expect("the document is compared");
            assert_eq!((status.code(), status.exit_code()), ("same", 0), "{current}");
            assert!(status.reason().contains(reason), "{}", status.reason());
        };
        check(SIGNED, "identical");
        check(&SIGNED.replace('\n', "\r\n"), "figures are the same");
        let reordered = "REF_AREA,TIME_PERIOD,OBS_VALUE\nDEU,2010,100\nFRA,2010,100\nFRA,2009,98.5\n";
        check(reordered, "figures are the same");
    }

    #[test]
    fn other_figures_count_as_changed() {
        let check = |current: &str, counts: [u64; 3]| {
            let status = compare(current).expect("the document is compared");
            assert_eq!((status.code(), status.exit_code()), ("changed", EXIT_DIFFERS), "{current}");
            let SourceStatus::Changed(revision, _) = status else { panic!("changed") };
            let revision = revision.expect("the same identifiers");
            assert_eq!([revision.added, revision.vanished, revision.revised], counts, "{current}");
        };
        check(&SIGNED.replace("98.5", "98.6"), [0, 0, 1]);
        check(&format!("{SIGNED}DEU,2011,102\n"), [1, 0, 0]);
        check(&SIGNED.replace("DEU,2010,100\n", ""), [0, 1, 0]);
    }

    #[test]
    fn an_unreadable_document_is_an_error() {
        assert!(compare("<html>we moved</html>").is_err());
    }

    #[test]
    fn a_source_that_is_gone_has_the_exit_code_of_not_found() {
        assert_eq!(SourceStatus::Gone(String::new()).exit_code(), CommandError::not_found("x").exit_code());
    }
}

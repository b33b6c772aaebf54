//! The answer of `assay verify` on one screen: what stands, by whom, from which documents, and what is not
//! proven.

use ledger::standing::{CellStanding, Contest, RootStanding, Standing};
use schemas::cid::{Cid, DatasetId};
use schemas::content::encode_block;
use schemas::digest::format_hex;
use schemas::object::{Dataset, Object, Provenance, Recipe, Snapshot, SourceCounts};
use schemas::verdict::{ComparedTable, Verdict};
use serde::Serialize;

use super::RootReport;
use super::figure::FigureReport;
use crate::format;
use crate::output::{Printer, TextStyle};

/// A document from which a root was computed.
#[derive(Debug, Serialize)]
pub(super) struct DocumentReport {
    dataset: DatasetId,
    snapshot: Cid,
    name: String,
    agency: Option<String>,
    url: Option<String>,
    /// Time of the fetch as claimed by the publisher, in seconds since 1970.
    fetched: Option<i64>,
    size: u64,
    media_type: String,
    sha256: String,
    blake3: String,
    /// The reader that the data set names, such as `worldbank/1`.
    reader: String,
    /// Whether it explains the other documents and has no figures itself.
    companion: bool,
}

pub(super) fn print_report(report: &RootReport<'_>, printer: &Printer) {
    let entry = report.entry.value();
    for figure in &report.figures {
        let sources = report.verification.as_ref().map(|verification| verification.sources);
        print_figure(figure, sources.unwrap_or_default(), printer);
    }
    printer.print_field(&entry.object_type, entry.object());
    let publisher = report.entry.publisher();
    let name = printer.style_text(TextStyle::Bold, report.publisher_name(&publisher));
    printer.print_field("signed", format!("by {name} ({publisher})"));
    printer.print_field(
        "",
        format!("entry {}, {} by its own clock", entry.seq(), format::format_time(entry.time)),
    );
    printer.print_field(
        "signature",
        format!("{}, key {}", printer.style_text(TextStyle::Good, "valid"), entry.key),
    );
    print_recipe(report, printer);
    print_documents(report, printer);
    print_verdict(report, printer);
    for (release, verdict) in &report.runs_above {
        let style =
            if matches!(verdict, Verdict::Reproduced { .. }) { TextStyle::Good } else { TextStyle::Bad };
        let word = printer.style_text(style, format::summarize_verdict(verdict));
        printer.print_field("run above", format!("release {}: {word}", format::shorten_id(release)));
    }
    print_attestations(report, printer);
    print_standing(report, printer);
    let mut label = "not proven";
    for gap in not_proven(report) {
        printer.print_field(label, gap);
        label = "";
    }
}

fn print_figure(figure: &FigureReport, sources: SourceCounts, printer: &Printer) {
    let values: Vec<String> = figure
        .measures
        .iter()
        .map(|measure| format!("{} {}", measure.component, measure.value.as_deref().unwrap_or("null")))
        .collect();
    let values = printer.style_text(TextStyle::Bold, values.join(", "));
    let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
    printer.print_field("figure", format!("{} [{}]: {values}{unit}", figure.title, figure.key.join(", ")));
    let style = match figure.standing {
        Standing::Holds => TextStyle::Good,
        Standing::DoesNotHold => TextStyle::Bad,
        Standing::Contested | Standing::Unchecked => TextStyle::Bold,
    };
    let word = printer.style_text(style, figure.standing.title());
    printer.print_field("standing", format!("{word}{}", describe_standing(figure, sources)));
}

/// The reason for a standing, after its word.
fn describe_standing(figure: &FigureReport, sources: SourceCounts) -> String {
    let differing = figure.measures.iter().find_map(|measure| match &measure.cell {
        CellStanding::DoesNotHold { published, computed } => Some((measure, published, computed)),
        _ => None,
    });
    let mut reasons: Vec<String> = Vec::new();
    if let Some((measure, published, computed)) = differing {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "no value".into());
        let (published, computed) = (text(published), text(computed));
        reasons.push(format!(
            "{} is published as {published}, its documents give {computed}",
            measure.component
        ));
    }
    reasons.extend(figure.contests.iter().map(|contest| {
        match contest {
            Contest::Forked => "its publisher signed two histories",
            Contest::Retracted => "its publisher retracted the release",
            Contest::PointRetracted => "its publisher retracted this data point",
            Contest::Superseded => "a later release supersedes it",
        }
        .to_owned()
    }));
    match figure.standing {
        Standing::Holds => match (sources.read, sources.stated) {
            (_, 0) => ": its documents were read again and give this value".into(),
            (0, _) => ": it follows from data that its publisher states without a document".into(),
            _ => ": its documents were read again; a part of its data is stated without one".into(),
        },
        Standing::Unchecked if reasons.is_empty() => ": it was not computed here".into(),
        _ => format!(": {}", reasons.join("; ")),
    }
}

fn print_recipe(report: &RootReport<'_>, printer: &Printer) {
    let Some(recipe) = find_recipe(report) else { return };
    let method = match standard_recipe(&recipe) {
        Some(name) => format!("{name}, a recipe of the library of this program"),
        None => format!("a method of {}", report.publisher_name(&report.entry.publisher())),
    };
    printer.print_field("recipe", format!("{}: {method}", recipe.title));
}

/// The recipe of a release.
fn find_recipe(report: &RootReport<'_>) -> Option<Recipe> {
    let Some(Object::Release(release)) = report.bundle.object(report.entry) else { return None };
    match Object::decode(&report.bundle.block(release.recipe.cid())?) {
        Ok(Object::Recipe(recipe)) => Some(recipe),
        _ => None,
    }
}

/// The name of a recipe in the shipped library, found by its id.
fn standard_recipe(recipe: &Recipe) -> Option<&'static str> {
    let (id, _) = encode_block(recipe).ok()?;
    let same = |entry: &&recipes::LibraryRecipe| {
        entry
            .recipe()
            .ok()
            .and_then(|recipe| encode_block(&recipe).ok())
            .is_some_and(|(other, _)| other == id)
    };
    recipes::LIBRARY.iter().find(same).map(|entry| entry.name)
}

/// The documents of all data sets above a root, each once for a data set.
pub(super) fn list_documents(report: &RootReport<'_>) -> Vec<DocumentReport> {
    let mut documents = Vec::new();
    for (id, dataset) in list_datasets(report) {
        let Provenance::Import(import) = &dataset.provenance else { continue };
        for snapshot in import.snapshots() {
            let decoded = report.bundle.block(snapshot.cid()).map(|bytes| Object::decode(&bytes));
            let Some(Ok(Object::Snapshot(found))) = decoded else { continue };
            let companion = import.companions.contains(&snapshot);
            documents.push(describe_document(
                id,
                snapshot.cid(),
                found,
                import.reader.to_string(),
                companion,
            ));
        }
    }
    documents
}

fn describe_document(
    dataset: DatasetId,
    id: Cid,
    snapshot: Snapshot,
    reader: String,
    companion: bool,
) -> DocumentReport {
    DocumentReport {
        dataset,
        snapshot: id,
        name: snapshot.name.to_string(),
        agency: snapshot.agency.map(|agency| agency.to_string()),
        url: snapshot.url.map(|url| url.to_string()),
        fetched: snapshot.fetched,
        size: snapshot.size,
        media_type: snapshot.media_type.to_string(),
        sha256: format_hex(&snapshot.sha256),
        blake3: format_hex(&snapshot.blake3),
        reader,
        companion,
    }
}

/// The data sets that a root depends on, and the root itself if it is one.
fn list_datasets(report: &RootReport<'_>) -> Vec<(DatasetId, Dataset)> {
    let fetch = |id: Cid| report.bundle.block(id);
    let walk = ledger::dependencies::walk_dependencies([report.entry.value().object()], &fetch, usize::MAX);
    let decode = |id: &Cid| match Object::decode(&fetch(*id)?) {
        Ok(Object::Dataset(dataset)) => Some((DatasetId::try_from(*id).ok()?, dataset)),
        _ => None,
    };
    walk.present.iter().filter_map(decode).collect()
}

fn print_documents(report: &RootReport<'_>, printer: &Printer) {
    for document in list_documents(report) {
        let agency = document.agency.as_deref().map(|agency| format!(" of {agency}")).unwrap_or_default();
        let label = if document.companion { "companion" } else { "document" };
        let size = format::group_digits(document.size);
        printer.print_field(
            label,
            format!("{}{agency}, {size} bytes, read by {}", document.name, document.reader),
        );
        if let Some(url) = &document.url {
            let fetched = document.fetched.map(|time| format!(", fetched {}", format::format_time(time)));
            printer.print_field("", format!("{url}{}", fetched.unwrap_or_default()));
        }
        printer.print_field("", format!("SHA-256 {}", document.sha256));
        printer.print_field("", format!("BLAKE3  {}", document.blake3));
        printer.print_field("", format!("assay show {} -o FILE", document.snapshot));
    }
    for (_, dataset) in list_datasets(report) {
        if dataset.provenance == Provenance::Stated {
            let message = format!("none: the publisher states the data of {} itself", dataset.dataflow);
            printer.print_field("document", printer.style_text(TextStyle::Bold, message));
        }
    }
}

fn print_verdict(report: &RootReport<'_>, printer: &Printer) {
    let Some(verdict) = &report.verdict else {
        printer.print_field("checked", "its blocks and references; nothing of it can be recomputed");
        return;
    };
    let steps = report.verification.as_ref().map_or(0, |verification| verification.steps);
    let effort = format!("({} steps, {:.3} s)", format::group_digits(steps), report.seconds);
    let label = if report.verification.is_some() { "recomputed" } else { "read again" };
    let count = |cells: u64| format::group_digits(cells);
    match verdict {
        Verdict::Reproduced { cells, read } => {
            let word = printer.style_text(TextStyle::Good, "reproduced");
            if *read > 0 {
                printer
                    .print_field("read again", format!("{word}: {} of {} cells", count(*read), count(*read)));
            }
            if report.verification.is_some() {
                let all = format!("{word}: {} of {} cells {effort}", count(*cells), count(*cells));
                printer.print_field("recomputed", all);
            }
        }
        Verdict::Differs { first, count: different, cells, read, .. } => {
            let word = printer.style_text(TextStyle::Bad, "differs");
            // Differences of sources come first: if the first is of a result, all are.
            let all_cells =
                if matches!(first.table, ComparedTable::Output(_)) { *cells } else { cells + read };
            let all = format!("{word}: {} of {} cells {effort}", count(*different), count(all_cells));
            printer.print_field(label, all);
            printer.print_field("first", first);
        }
        Verdict::Missing { ids, count } => {
            let first = ids.first().map(ToString::to_string).unwrap_or_default();
            printer.print_field(
                label,
                format!("not possible: {count} blocks are missing, the first is {first}"),
            );
        }
        Verdict::Invalid { object, code, message } => {
            let word = printer.style_text(TextStyle::Bad, "invalid");
            printer.print_field("verdict", format!("{word} ({code}): {message}"));
            printer.print_field("", format!("object {object}"));
        }
        Verdict::Failed { code, message } => {
            let word = printer.style_text(TextStyle::Bad, "failed");
            printer.print_field(label, format!("{word} ({code})"));
            printer.print_quoted("", message.as_str());
        }
        Verdict::NotRun { code, message } => {
            let word = printer.style_text(TextStyle::Bold, "not run here");
            printer.print_field(label, format!("{word} ({code})"));
            printer.print_quoted("", message.as_str());
        }
    }
}

fn print_attestations(report: &RootReport<'_>, printer: &Printer) {
    let Some(verification) = &report.verification else { return };
    for (attestor, said) in &report.bundle.attestations(verification.release.cid()) {
        let name = report.publisher_name(attestor);
        let who = if Some(*attestor) == report.own {
            "yourself".to_owned()
        } else if *attestor == report.entry.publisher() {
            "its own publisher".to_owned()
        } else {
            format!("{name} ({})", format::shorten_id(attestor))
        };
        printer.print_field("attested", format!("{} by {who}", said.verdict.as_str()));
    }
}

fn print_standing(report: &RootReport<'_>, printer: &Printer) {
    let notices = describe_root_standing(&report.standing);
    if notices.is_empty() {
        printer.print_field("log", "not retracted, superseded or forked as far as this bundle shows");
    }
    for notice in notices {
        printer.print_field("log", printer.style_text(TextStyle::Bad, notice));
    }
    for (id, standing) in &report.above {
        for notice in describe_root_standing(standing) {
            printer.print_field("above", printer.style_text(TextStyle::Bad, format!("{id}: {notice}")));
        }
    }
}

fn describe_root_standing(standing: &RootStanding) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some(seq) = standing.forked_at {
        notices.push(format!(
            "contested: the publisher signed two entries with number {seq}, that is two histories"
        ));
    }
    if let Some(retraction) = &standing.retracted {
        let instead = retraction.replacement.map(|id| format!("; use {id} instead")).unwrap_or_default();
        let day = format::format_day(retraction.time);
        notices.push(format!("retracted on {day}: {}{instead}", retraction.reason));
    }
    for point in &standing.retracted_points {
        notices.push(format!("data point [{}] retracted", point.join(", ")));
    }
    if let Some(later) = &standing.superseded {
        notices.push(format!("superseded by {}, entry {}", later.release, later.seq));
    }
    notices
}

/// The claims that the verification of this root does not prove.
pub(super) fn not_proven(report: &RootReport<'_>) -> Vec<String> {
    let mut gaps = Vec::new();
    let name = report.publisher_name(&report.entry.publisher());
    gaps.push(format!("that the publisher is who it says: it chose the name {name} itself"));
    for (_, dataset) in list_datasets(report) {
        let dataflow = &dataset.dataflow;
        gaps.extend(
            (dataset.provenance == Provenance::Stated)
                .then(|| format!("where the data of {dataflow} come from")),
        );
    }
    let agencies: Vec<String> =
        list_documents(report).into_iter().filter_map(|document| document.agency).collect();
    if let Some(agency) = agencies.first() {
        gaps.push(format!(
            "that the document is what {agency} published: compare its SHA-256 with the agency's"
        ));
    } else if !list_documents(report).is_empty() {
        gaps.push("where the document comes from: no agency is named".into());
    }
    if find_recipe(report).is_some_and(|recipe| standard_recipe(&recipe).is_none()) {
        gaps.push("that the recipe is an accepted method: it is none of the library".into());
    }
    gaps.push("that nothing newer was signed, or retracted, by entries that are not here".into());
    gaps.push("when it was signed: the time is the publisher's own".into());
    gaps
}

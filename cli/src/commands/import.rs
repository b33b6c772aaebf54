//! `assay import`: from a file to a signed data set.

use std::path::Path;

use ingest::{ImportSummary, PlausibilityWarning};
use ledger::compute;
use ledger::revision::{Revision, compare_versions};
use node::service::PublishReceipt;
use node::service::query::DatasetInfo;
use schemas::cid::DatasetId;
use schemas::object::encode_object;
use schemas::table::Table;
use schemas::text::{Name, Text};
use serde_json::{Value, json};

use crate::args::{Global, Import};
use crate::backend::{Backend, home};
use crate::commands::{dataset, recheck};
use crate::fault::Fault;
use crate::net;
use crate::screen::{Screen, Tone};
use crate::source::{self, Prepared};
use crate::view;

/// Characters of a doubt: at four bytes each, and with the count, what the field holds.
const SAID_CHARS: usize = 110;
/// Changes against the version before that are shown.
const CHANGES: usize = 5;

pub(super) fn run(global: &Global, args: &Import, screen: &Screen) -> Result<u8, Fault> {
    if let Some(dataset) = &args.check_source {
        return recheck::run(global, args, dataset, screen);
    }
    let mut prepared = source::prepare(args, source::given(global, args, screen)?, screen)?;
    let mut backend = if args.dry_run { None } else { Some(Backend::open(&home(global)?)?) };
    let before = backend.as_ref().map_or(Ok(None), |backend| before(backend, &prepared.dataset.dataflow))?;
    let look = look(&mut prepared, before.map(|(_, table)| table).as_ref())?;
    if !args.dry_run && !args.force {
        look.plausible()?;
    }
    let published = backend.as_mut().map(|backend| sign(backend, &prepared, screen)).transpose()?;
    if let (Some(origin), Some(_)) = (&prepared.given.origin, &published) {
        origin.remember(&prepared.given.bytes)?;
    }
    screen.document(&document(&prepared, &look, published.as_ref()));
    tell(args, &prepared, &look, screen);
    match published {
        None => screen.say(screen.paint(Tone::Dim, "nothing was signed or kept (--dry-run)")),
        Some(published) => {
            screen.field("data set", published.object);
            screen.field("signed", format!("entry {} of {}", published.seq, published.publisher));
            screen.next(&[
                format!("assay publish <measure> --from {}", prepared.dataset.dataflow),
                "assay recipe list".into(),
            ]);
        }
    }
    Ok(0)
}

/// The data set of a file, for those who want to compute with it at once: the one that is held
/// already when the file has nothing new.
pub(super) fn file(
    global: &Global,
    backend: &mut Backend,
    path: &Path,
    screen: &Screen,
) -> Result<DatasetId, Fault> {
    let args = Import { what: vec![path.display().to_string()], ..Import::default() };
    let mut prepared = source::prepare(&args, source::given(global, &args, screen)?, screen)?;
    let before = before(backend, &prepared.dataset.dataflow)?;
    if let Some((info, _)) = &before
        && info.dataset.content == prepared.dataset.content
    {
        return Ok(info.id);
    }
    look(&mut prepared, before.map(|(_, table)| table).as_ref())?.plausible()?;
    let published = sign(backend, &prepared, screen)?;
    let (dataflow, seq) = (&prepared.dataset.dataflow, published.seq);
    screen.field("imported", format!("{} as data set {dataflow}, entry {seq}", path.display()));
    DatasetId::try_from(published.object).map_err(|_| Fault::usage("data-set", "the import gave no data set"))
}

/// What a look at a data set before it is signed shows.
struct Look {
    doubts: Vec<PlausibilityWarning>,
    revision: Option<Revision>,
}

impl Look {
    /// Refuses what is not plausible.
    fn plausible(&self) -> Result<(), Fault> {
        let Some(first) = self.doubts.first() else { return Ok(()) };
        let more = match self.doubts.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        Err(Fault::usage("doubt", format!("this is not plausible: {}{more}", said(first))).hint(
            "look at the source; to sign it all the same import it with `--force`, which keeps the doubt in the data set",
        ))
    }
}

/// Looks at a data set beside the version before, and writes the doubts into it.
fn look(prepared: &mut Prepared, before: Option<&Table>) -> Result<Look, Fault> {
    let doubts = doubts(prepared, before);
    prepared.dataset.plausibility_warnings =
        doubts.iter().map(|doubt| Text::new(said(doubt))).collect::<Result<_, _>>()?;
    let revision = before.and_then(|before| compare_versions(before, &prepared.imported.table).ok());
    Ok(Look { doubts, revision })
}

fn sign(backend: &mut Backend, prepared: &Prepared, screen: &Screen) -> Result<PublishReceipt, Fault> {
    let object = encode_object(&prepared.dataset)?;
    let bytes: u64 = prepared.blocks.iter().map(|(_, block)| block.len() as u64).sum();
    let bar = screen.bar(bytes, "signing and keeping");
    let published = backend.publish(&object, prepared.blocks.clone())?;
    bar.finish_and_clear();
    Ok(published)
}

/// What was imported, for programs.
fn document(prepared: &Prepared, look: &Look, published: Option<&PublishReceipt>) -> Value {
    let Prepared { given, imported, dataset, .. } = prepared;
    let summary = &imported.summary;
    json!({
        "format": imported.format.code(),
        "dataflow": dataset.dataflow, "title": dataset.title, "content": dataset.content,
        "rows": summary.rows, "observations": summary.observations, "missing": summary.missing,
        "gaps": summary.missing_spellings, "notes": summary.notes,
        "series": summary.series, "aggregates": summary.aggregates,
        "first": summary.first, "last": summary.last,
        "frequency": summary.frequency.map(|frequency| frequency.code()),
        "url": given.origin.as_ref().map(|origin| &origin.url),
        "fetched": given.origin.as_ref().map(|origin| origin.fetched),
        "asked": given.origin.as_ref().map(net::Origin::document),
        "plausibility_warnings": dataset.plausibility_warnings,
        "revision": look.revision.as_ref().map(|revision| dataset::document(revision, None, CHANGES)),
        "published": published,
    })
}

/// What was imported, for people.
fn tell(args: &Import, prepared: &Prepared, look: &Look, screen: &Screen) {
    let Prepared { given, imported, dataset, .. } = prepared;
    let summary = &imported.summary;
    screen
        .field("read", format!("{} as {}: {}", given.shown(args), imported.format, imported.format.title()));
    if let Some(origin) = &given.origin {
        screen.field("fetched", &origin.url);
    }
    screen.field("title", &dataset.title);
    let span = match (summary.first, summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    screen.field(
        "data",
        format!(
            "{} in {} series{span}; {} cells are empty in the source{}",
            view::count(summary.observations, "observation", "observations"),
            view::grouped(summary.series),
            view::grouped(summary.missing),
            spelled(summary),
        ),
    );
    if summary.aggregates > 0 {
        screen.field(
            "areas",
            format!("{}, of which {} are aggregates", imported.areas.len(), summary.aggregates),
        );
    }
    for note in &summary.notes {
        screen.field("note", note);
    }
    for doubt in &look.doubts {
        screen.field("doubt", screen.paint(Tone::Bad, said(doubt)));
    }
    if let Some(revision) = &look.revision {
        dataset::tell(revision, CHANGES, screen);
    }
    screen.field("content", dataset.content);
}

/// The own version before, if there is one.
fn before(backend: &Backend, dataflow: &Name) -> Result<Option<(DatasetInfo, Table)>, Fault> {
    let Some(own) = backend.own()? else { return Ok(None) };
    let held = backend.datasets()?.into_iter();
    let versions = held.filter(|info| info.position.publisher == own && info.dataset.dataflow == *dataflow);
    let Some(latest) = versions.max_by_key(|info| info.position.seq) else { return Ok(None) };
    let (_, source) = compute::load_dataset(latest.id, &backend.fetch())?;
    Ok(Some((latest, source.table)))
}

fn doubts(prepared: &Prepared, before: Option<&Table>) -> Vec<PlausibilityWarning> {
    let (dataset, imported) = (&prepared.dataset, &prepared.imported);
    let unit = dataset.unit.as_ref().map(ToString::to_string).unwrap_or_default();
    let words = format!("{} {} {unit}", dataset.dataflow, dataset.title);
    let aggregate = |code: &str| imported.areas.iter().any(|area| area.code == code && area.aggregate);
    ingest::check_plausibility(&imported.table, &words, before, aggregate)
}

/// A doubt in one line, as it stands in the data set.
fn said(doubt: &PlausibilityWarning) -> String {
    let more =
        if doubt.series > 1 { format!(" (and {} more series)", doubt.series - 1) } else { String::new() };
    // Within the bound of the field, whatever keys a file has.
    let text: String = format!("{}: {}", doubt.code, doubt.message).chars().take(SAID_CHARS).collect();
    text + &more
}

/// How the source writes that there is no figure, where it is not an empty cell only.
fn spelled(summary: &ImportSummary) -> String {
    if summary.missing_spellings.keys().all(String::is_empty) {
        return String::new();
    }
    let spelling = |(word, count): (&String, &u64)| match word.as_str() {
        "" => format!("{} blank", view::grouped(*count)),
        word => format!("{} as `{word}`", view::grouped(*count)),
    };
    format!(" ({})", summary.missing_spellings.iter().map(spelling).collect::<Vec<_>>().join(", "))
}

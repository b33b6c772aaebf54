//! `assay import`: from a file to a signed data set.

use ingest::{Doubt, Summary};
use ledger::compute;
use ledger::revision::revision;
use schemas::object::encode;
use schemas::table::Table;
use schemas::text::{Name, Text};
use serde_json::json;

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
    let doubts = doubts(&prepared, before.as_ref());
    let revision = before.as_ref().and_then(|before| revision(before, &prepared.imported.table).ok());
    if let Some(first) = doubts.first()
        && !args.dry_run
        && !args.force
    {
        let more = if doubts.len() > 1 { format!(" (and {} more)", doubts.len() - 1) } else { String::new() };
        return Err(Fault::usage("doubt", format!("this is not plausible: {}{more}", said(first)))
            .hint("look at the source; to sign it all the same add `--force`, which keeps the doubt in the data set"));
    }
    prepared.dataset.doubts = doubts.iter().map(|doubt| Text::new(said(doubt))).collect::<Result<_, _>>()?;
    let published = if let Some(backend) = &mut backend {
        let object = encode(&prepared.dataset)?;
        let bytes: u64 = prepared.blocks.iter().map(|(_, block)| block.len() as u64).sum();
        let bar = screen.bar(bytes, "signing and keeping");
        let published = backend.publish(&object, prepared.blocks.clone())?;
        bar.finish_and_clear();
        Some(published)
    } else {
        None
    };
    if let (Some(origin), Some(_)) = (&prepared.given.origin, &published) {
        origin.remember(&prepared.given.bytes)?;
    }
    let Prepared { given, imported, dataset, .. } = &prepared;
    let summary = &imported.summary;
    screen.document(&json!({
        "format": imported.format.code(),
        "dataflow": dataset.dataflow, "title": dataset.title, "content": dataset.content,
        "rows": summary.rows, "observations": summary.observations, "missing": summary.missing,
        "gaps": summary.gaps, "notes": summary.notes,
        "series": summary.series, "aggregates": summary.aggregates,
        "first": summary.first, "last": summary.last,
        "frequency": summary.frequency.map(|frequency| frequency.code()),
        "url": given.origin.as_ref().map(|origin| &origin.url),
        "fetched": given.origin.as_ref().map(|origin| origin.fetched),
        "asked": given.origin.as_ref().map(net::Origin::document),
        "doubts": dataset.doubts,
        "revision": revision.as_ref().map(|revision| dataset::document(revision, None, CHANGES)),
        "published": published,
    }));
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
    for doubt in &doubts {
        screen.field("doubt", screen.paint(Tone::Bad, said(doubt)));
    }
    if let Some(revision) = &revision {
        dataset::tell(revision, CHANGES, screen);
    }
    screen.field("content", dataset.content);
    match published {
        None => screen.say(screen.paint(Tone::Dim, "nothing was signed or kept (--dry-run)")),
        Some(published) => {
            screen.field("data set", published.object);
            screen.field("signed", format!("entry {} of {}", published.seq, published.publisher));
            screen.next(&[
                format!("assay publish <recipe> --input {} --dataflow <name>", dataset.dataflow),
                "assay recipe list".into(),
            ]);
        }
    }
    Ok(0)
}

/// The own version before, if there is one.
fn before(backend: &Backend, dataflow: &Name) -> Result<Option<Table>, Fault> {
    let Some(own) = backend.own()? else { return Ok(None) };
    let held = backend.datasets()?.into_iter();
    let versions = held.filter(|info| info.placed.publisher == own && info.dataset.dataflow == *dataflow);
    let Some(latest) = versions.max_by_key(|info| info.placed.seq) else { return Ok(None) };
    Ok(Some(compute::load(latest.id, &backend.fetch())?.1.table))
}

fn doubts(prepared: &Prepared, before: Option<&Table>) -> Vec<Doubt> {
    let (dataset, imported) = (&prepared.dataset, &prepared.imported);
    let unit = dataset.unit.as_ref().map(ToString::to_string).unwrap_or_default();
    let words = format!("{} {} {unit}", dataset.dataflow, dataset.title);
    let aggregate = |code: &str| imported.areas.iter().any(|area| area.code == code && area.aggregate);
    ingest::doubts(&imported.table, &words, before, aggregate)
}

/// A doubt in one line, as it stands in the data set.
fn said(doubt: &Doubt) -> String {
    let more =
        if doubt.series > 1 { format!(" (and {} more series)", doubt.series - 1) } else { String::new() };
    // Within the bound of the field, whatever keys a file has.
    let text: String = format!("{}: {}", doubt.code, doubt.message).chars().take(SAID_CHARS).collect();
    text + &more
}

/// How the source writes that there is no figure, where it is not an empty cell only.
fn spelled(summary: &Summary) -> String {
    if summary.gaps.keys().all(String::is_empty) {
        return String::new();
    }
    let spelling = |(word, count): (&String, &u64)| match word.as_str() {
        "" => format!("{} blank", view::grouped(*count)),
        word => format!("{} as `{word}`", view::grouped(*count)),
    };
    format!(" ({})", summary.gaps.iter().map(spelling).collect::<Vec<_>>().join(", "))
}

//! `assay import`: from a file to a signed data set.

use ingest::Summary;
use schemas::object::encode;
use serde_json::json;

use crate::args::{Global, Import};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::screen::{Screen, Tone};
use crate::source::{self, Prepared};
use crate::view;

pub(super) fn run(global: &Global, args: &Import, screen: &Screen) -> Result<u8, Fault> {
    let prepared = source::prepare(args, screen)?;
    let published = if args.dry_run {
        None
    } else {
        let home = home(global)?;
        let mut backend = Backend::open(&home)?;
        let object = encode(&prepared.dataset)?;
        let bytes: u64 = prepared.blocks.iter().map(|(_, block)| block.len() as u64).sum();
        let bar = screen.bar(bytes, "signing and keeping");
        let published = backend.publish(&object, prepared.blocks.clone())?;
        bar.finish_and_clear();
        Some(published)
    };
    let Prepared { imported, dataset, .. } = &prepared;
    let summary = &imported.summary;
    screen.document(&json!({
        "format": imported.format.code(),
        "dataflow": dataset.dataflow, "title": dataset.title, "content": dataset.content,
        "rows": summary.rows, "observations": summary.observations, "missing": summary.missing,
        "gaps": summary.gaps, "notes": summary.notes,
        "series": summary.series, "aggregates": summary.aggregates,
        "first": summary.first, "last": summary.last,
        "frequency": summary.frequency.map(|frequency| frequency.code()),
        "published": published,
    }));
    screen.field("read", format!("{} as {}: {}", prepared.name, imported.format, imported.format.title()));
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

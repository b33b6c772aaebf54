//! `assay dataset`: what one version of a data set has otherwise than another.

use std::path::Path;

use ledger::compute;
use ledger::revision::{Revision, ValueChange, compare_versions};
use schemas::table::{Cell, Table};
use serde_json::{Value, json};

use crate::args::{Dataset, DatasetDiff, Global};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::screen::{Screen, Tone};
use crate::{source, versions, view};

pub(super) fn run(global: &Global, verb: &Dataset, screen: &Screen) -> Result<u8, Fault> {
    match verb {
        Dataset::Diff(args) => diff(global, args, screen),
    }
}

fn diff(global: &Global, args: &DatasetDiff, screen: &Screen) -> Result<u8, Fault> {
    let backend = Backend::open(&home(global)?)?;
    let (before, after) = match &args.after {
        Some(after) => (args.before.clone(), after.clone()),
        None => last_two(&backend, &args.before)?,
    };
    let old = table(&backend, &before, screen)?;
    let new = table(&backend, &after, screen)?;
    let found = compare_versions(&old, &new).map_err(|unlike| Fault::usage("unlike", unlike.to_string()))?;
    screen.document(&document(&found, Some((&before, &after)), args.limit));
    let (minus, plus) = (screen.paint(Tone::Bad, "-"), screen.paint(Tone::Good, "+"));
    screen.say(format_args!("{minus} {before}\n{plus} {after}"));
    tell(&found, args.limit, screen);
    Ok(0)
}

/// The last version of a dataflow and the one before.
fn last_two(backend: &Backend, name: &str) -> Result<(String, String), Fault> {
    let held = versions::versions(backend, name)?;
    match held.as_slice() {
        [.., before, after] => Ok((before.id.to_string(), after.id.to_string())),
        _ => Err(Fault::absent(format!("`{name}` has one version only"))
            .hint("name two data sets or files: assay dataset diff BEFORE AFTER")),
    }
}

/// The rows of a file or of a data set that is held.
fn table(backend: &Backend, wanted: &str, screen: &Screen) -> Result<Table, Fault> {
    if Path::new(wanted).is_file() {
        return Ok(source::local(Path::new(wanted), None, screen)?.table);
    }
    let id = versions::find(backend, wanted)?;
    Ok(compute::load_dataset(id, &backend.fetch())?.1.table)
}

/// Says what changed, the largest changes first.
pub(super) fn tell(found: &Revision, limit: usize, screen: &Screen) {
    screen.field("revision", counts(found));
    for (components, word) in [(&found.components.0, "without"), (&found.components.1, "new")] {
        if !components.is_empty() {
            let names: Vec<&str> = components.iter().map(schemas::text::Name::as_str).collect();
            screen.field("columns", format!("{word} {}", names.join(", ")));
        }
    }
    if let Some(key) = &found.first_vanished {
        screen.field("vanished", format!("first [{}]", cells(key)));
    }
    if found.changes.is_empty() {
        return;
    }
    let mut rows = vec![["figure", "before", "after", "difference", "%"].map(str::to_owned).to_vec()];
    rows.extend(found.changes.iter().take(limit).map(row));
    for line in view::columns(&rows, |column| column > 0) {
        screen.say(format_args!("  {line}"));
    }
}

/// `12 added, 1 vanished, 3 revised, 400 as they were`.
fn counts(found: &Revision) -> String {
    if found.added + found.vanished + found.revised == 0 {
        return format!("none: {} as before", view::count(found.same, "data point", "data points"));
    }
    let parts = [
        (found.added, "added"),
        (found.vanished, "vanished"),
        (found.revised, "revised"),
        (found.same, "as before"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", view::grouped(*count)))
        .collect();
    said.join(", ")
}

fn row(change: &ValueChange) -> Vec<String> {
    let shown = |cell: &Option<Cell>| cell.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let number =
        |value: Option<schemas::decimal::Decimal>| value.map_or_else(String::new, |value| value.to_string());
    vec![
        format!("[{}].{}", cells(&change.key), change.component),
        shown(&change.before),
        shown(&change.after),
        number(change.difference()),
        number(change.percent()),
    ]
}

fn cells(key: &[Cell]) -> String {
    key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The same as JSON.
pub(super) fn document(found: &Revision, versions: Option<(&str, &str)>, limit: usize) -> Value {
    let text = |cell: &Option<Cell>| cell.as_ref().map(ToString::to_string);
    let changes: Vec<Value> = found
        .changes
        .iter()
        .take(limit)
        .map(|change| {
            json!({
                "key": change.key.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "component": change.component,
                "before": text(&change.before), "after": text(&change.after),
                "difference": change.difference().map(|value| value.to_string()),
                "percent": change.percent().map(|value| value.to_string()),
            })
        })
        .collect();
    json!({
        "before": versions.map(|(before, _)| before), "after": versions.map(|(_, after)| after),
        "added": found.added, "vanished": found.vanished, "revised": found.revised, "same": found.same,
        "components_before": found.components.0, "components_after": found.components.1,
        "changes": changes,
    })
}

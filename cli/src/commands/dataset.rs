//! `assay dataset`: compares versions of a data set.

use std::path::Path;

use ledger::compute;
use ledger::revision::{Revision, ValueChange, compare_versions};
use schemas::table::{Cell, Table};
use serde_json::{Value, json};

use crate::args::{DatasetCommand, DatasetDiffArgs, GlobalArgs};
use crate::backend::{Backend, open_home};
use crate::error::CommandError;
use crate::output::{Printer, TextStyle};
use crate::{dataset_versions, format, source_document};

pub(super) fn run(global: &GlobalArgs, verb: &DatasetCommand, printer: &Printer) -> Result<u8, CommandError> {
    match verb {
        DatasetCommand::Diff(args) => diff_versions(global, args, printer),
    }
}

fn diff_versions(global: &GlobalArgs, args: &DatasetDiffArgs, printer: &Printer) -> Result<u8, CommandError> {
    let backend = Backend::open(&open_home(global)?)?;
    let (before, after) = match &args.after {
        Some(after) => (args.before.clone(), after.clone()),
        None => last_two_versions(&backend, &args.before)?,
    };
    let old = load_table(&backend, &before, printer)?;
    let new = load_table(&backend, &after, printer)?;
    let found =
        compare_versions(&old, &new).map_err(|unlike| CommandError::usage("unlike", unlike.to_string()))?;
    printer.print_json(&revision_json(&found, Some((&before, &after)), args.limit));
    let (minus, plus) = (printer.style_text(TextStyle::Bad, "-"), printer.style_text(TextStyle::Good, "+"));
    printer.print_line(format_args!("{minus} {before}"));
    printer.print_line(format_args!("{plus} {after}"));
    print_revision(&found, args.limit, printer);
    Ok(0)
}

/// Ids of the last two versions of a dataflow.
fn last_two_versions(backend: &Backend, name: &str) -> Result<(String, String), CommandError> {
    let versions = dataset_versions::list_versions(backend, name)?;
    match versions.as_slice() {
        [.., before, after] => Ok((before.id.to_string(), after.id.to_string())),
        _ => Err(CommandError::not_found(format!("`{name}` has only one version"))
            .hint("compare it with another data set or a file: `assay dataset diff BEFORE AFTER`")),
    }
}

/// Loads the rows of a file or of a stored data set.
fn load_table(backend: &Backend, reference: &str, printer: &Printer) -> Result<Table, CommandError> {
    // A file goes before a data set of the same name, as in `publish --from`.
    if Path::new(reference).is_file() {
        return Ok(source_document::load_input_table(Path::new(reference), None, printer)?.table);
    }
    let id = dataset_versions::find_dataset(backend, reference)?;
    Ok(compute::load_dataset(id, &backend.block_reader())?.1.table)
}

/// Prints the changes, the largest first.
pub(super) fn print_revision(found: &Revision, limit: usize, printer: &Printer) {
    printer.print_field("revision", format_counts(found));
    for (components, word) in [(&found.components.0, "without"), (&found.components.1, "new")] {
        if !components.is_empty() {
            let names: Vec<&str> = components.iter().map(schemas::text::Name::as_str).collect();
            printer.print_field("columns", format!("{word} {}", names.join(", ")));
        }
    }
    if let Some(key) = &found.first_vanished {
        printer.print_field("removed", format!("first [{}]", format_key(key)));
    }
    if found.changes.is_empty() {
        return;
    }
    let mut rows = vec![["figure", "before", "after", "difference", "%"].map(str::to_owned).to_vec()];
    rows.extend(found.changes.iter().take(limit).map(change_row));
    for line in format::align_columns(&rows, |column| column > 0) {
        printer.print_line(format_args!("  {line}"));
    }
}

/// Formats the counts, such as `12 added, 1 removed, 3 revised, 400 unchanged`.
fn format_counts(found: &Revision) -> String {
    if found.added + found.vanished + found.revised == 0 {
        return format!("none: {} unchanged", format::format_count(found.same, "data point", "data points"));
    }
    let parts = [
        (found.added, "added"),
        (found.vanished, "removed"),
        (found.revised, "revised"),
        (found.same, "unchanged"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", format::group_digits(*count)))
        .collect();
    said.join(", ")
}

fn change_row(change: &ValueChange) -> Vec<String> {
    let shown = |cell: &Option<Cell>| cell.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let number =
        |value: Option<schemas::decimal::Decimal>| value.map_or_else(String::new, |value| value.to_string());
    vec![
        format!("[{}].{}", format_key(&change.key), change.component),
        shown(&change.before),
        shown(&change.after),
        number(change.difference()),
        number(change.percent()),
    ]
}

fn format_key(key: &[Cell]) -> String {
    key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The revision as JSON.
pub(super) fn revision_json(found: &Revision, versions: Option<(&str, &str)>, limit: usize) -> Value {
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

//! `assay verify`: recomputes a release; trusts only signatures and arithmetic.

use std::path::Path;
use std::time::Instant;

use ledger::bundle::{BUNDLE_BYTES_MAX, Bundle};
use ledger::verify::{self, Verification};
use schemas::address::{Address, SCHEME};
use schemas::cid::{EntryId, ReleaseId};
use schemas::content;
use schemas::object::{Object, Release};
use schemas::table::{Cell, Table};
use schemas::verdict::Verdict;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, VerifyArgs};
use crate::backend::{Backend, open_home};
use crate::error::{CommandError, EXIT_DIFFERS, ErrorCategory};
use crate::format;
use crate::output::{Printer, TextStyle};

pub(super) fn run(global: &GlobalArgs, args: &VerifyArgs, printer: &Printer) -> Result<u8, CommandError> {
    let bytes = load_bundle(global, &args.target)?;
    let bundle = Bundle::read(&bytes)?;
    let address = args.target.parse::<Address>().ok();
    let mut worst = 0;
    let mut documents = Vec::new();
    for root in &bundle.roots {
        let (code, document) = verify_entry(&bundle, *root, address.as_ref(), printer)?;
        // A bundle may have several roots: the highest exit code counts.
        worst = worst.max(code);
        documents.push(document);
    }
    if documents.is_empty() {
        return Err(CommandError::usage("bundle", "the bundle has no root, so there is nothing to verify"));
    }
    printer.print_json(&json!({ "verified": documents }));
    Ok(worst)
}

/// Loads a bundle: a file, or the bundle of a stored object.
fn load_bundle(global: &GlobalArgs, target: &str) -> Result<Vec<u8>, CommandError> {
    let path = Path::new(target);
    if path.is_file() {
        let bytes = node::data_directory::read_bounded(path, BUNDLE_BYTES_MAX as u64)?;
        return bytes.ok_or_else(|| {
            CommandError::usage(
                "bundle",
                format!("`{target}` is larger than the largest bundle, {BUNDLE_BYTES_MAX} bytes"),
            )
        });
    }
    let named = target.starts_with(SCHEME) || target.parse::<schemas::cid::Cid>().is_ok();
    if !named {
        let message = format!("`{target}` is neither a file, an address nor an id");
        return Err(CommandError::not_found(message)
            .hint("addresses look like assay://<publisher>/<dataflow>/<key>/<period>"));
    }
    let backend = Backend::open(&open_home(global)?)?;
    backend.load_bundle(backend.resolve_reference(target)?)
}

fn verify_entry(
    bundle: &Bundle,
    root: EntryId,
    address: Option<&Address>,
    printer: &Printer,
) -> Result<(u8, Value), CommandError> {
    let sealed = bundle.entries.get(&root).ok_or_else(|| CommandError::not_found(format!("entry {root}")))?;
    let publisher = sealed.publisher();
    let name =
        bundle.identities.get(&publisher).map(|identity| identity.name.to_string()).unwrap_or_default();
    let object = sealed.value().object();
    let head = json!({
        "entry": root, "kind": sealed.value().object_type, "object": object, "publisher": publisher, "name": name,
        "seq": sealed.value().seq(), "time": sealed.value().time, "signature": "holds",
    });
    printer.print_field(&sealed.value().object_type, object);
    printer.print_field(
        "signed",
        format!(
            "by {} ({publisher}), entry {}, {}",
            printer.style_text(TextStyle::Bold, &name),
            sealed.value().seq(),
            format::format_time(sealed.value().time)
        ),
    );
    printer.print_field(
        "signature",
        format!("{}, key {}", printer.style_text(TextStyle::Good, "valid"), sealed.value().key),
    );
    // Only a release can be recomputed; of other objects the blocks are checked.
    let Ok(release) = ReleaseId::try_from(object) else { return Ok((0, head)) };
    if sealed.value().object_type != "release" {
        return check_object(bundle, object, head, printer);
    }
    let start = Instant::now();
    let found = verify::verify_release(release, &|id| bundle.block(id));
    let seconds = start.elapsed().as_secs_f64();
    let code = print_verification(bundle, &found, seconds, printer)?;
    let figure = match address {
        Some(address) if address.key().is_some() => print_figures_at(bundle, release, address, printer)?,
        _ => Value::Null,
    };
    Ok((
        code,
        merge_json(
            head,
            json!({
                "verdict": found.verdict, "word": found.verdict.as_str(), "results": found.results,
                "steps": found.steps, "seconds": seconds, "figure": figure,
                "attestations": bundle.attestations(release.cid()).iter().map(|(attestor, said)| json!({
                    "attestor": attestor, "verdict": said.verdict,
                })).collect::<Vec<_>>(),
            }),
        ),
    ))
}

/// Checks an object other than a release: its blocks, after its signature.
fn check_object(
    bundle: &Bundle,
    object: schemas::cid::Cid,
    head: Value,
    printer: &Printer,
) -> Result<(u8, Value), CommandError> {
    let reach = ledger::dependencies::walk_dependencies(
        [object],
        &|id| bundle.block(id),
        schemas::verdict::MISSING_MAX,
    );
    if !reach.is_complete() {
        let message =
            format!("{} blocks are missing and {} invalid", reach.missing.len(), reach.broken.len());
        return Err(CommandError::new(ErrorCategory::Trust, "bundle", message));
    }
    printer.print_field("blocks", format!("{}, all with the hash in their id", reach.present.len()));
    Ok((0, merge_json(head, json!({ "blocks": reach.present.len() }))))
}

fn merge_json(mut head: Value, more: Value) -> Value {
    if let (Value::Object(head), Value::Object(more)) = (&mut head, more) {
        head.extend(more);
    }
    head
}

fn print_verification(
    bundle: &Bundle,
    found: &Verification,
    seconds: f64,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let effort = format!("({} steps, {seconds:.3} s)", format::group_digits(found.steps));
    let code = match &found.verdict {
        Verdict::Reproduced { cells } => {
            let word = printer.style_text(TextStyle::Good, "reproduced");
            printer.print_field(
                "recomputed",
                format!(
                    "{word}: {} of {} cells {effort}",
                    format::group_digits(*cells),
                    format::group_digits(*cells)
                ),
            );
            0
        }
        Verdict::Differs { first, count, cells } => {
            let word = printer.style_text(TextStyle::Bad, "differs");
            printer.print_field(
                "recomputed",
                format!(
                    "{word}: {} of {} cells {effort}",
                    format::group_digits(*count),
                    format::group_digits(*cells)
                ),
            );
            printer.print_field("first", first);
            EXIT_DIFFERS
        }
        Verdict::Missing { ids, count } => {
            let first = ids.first().map(ToString::to_string).unwrap_or_default();
            return Err(CommandError::not_found(format!(
                "cannot verify: {count} blocks are missing, the first is {first}"
            )));
        }
        Verdict::Failed { code, message } => {
            return Err(CommandError::new(
                ErrorCategory::Failure,
                code.as_str(),
                format!("cannot verify: {message}"),
            ));
        }
    };
    let attestations = bundle.attestations(found.release.cid());
    for (attestor, said) in &attestations {
        let name =
            bundle.identities.get(attestor).map(|identity| identity.name.to_string()).unwrap_or_default();
        printer.print_field(
            "attested",
            format!("{} by {name} ({})", said.verdict.as_str(), format::shorten_id(attestor)),
        );
    }
    Ok(code)
}

/// Prints the figures at an address, in each output that has them, and returns them as JSON.
fn print_figures_at(
    bundle: &Bundle,
    release: ReleaseId,
    address: &Address,
    printer: &Printer,
) -> Result<Value, CommandError> {
    let bytes = bundle.block(release.cid()).unwrap_or_default();
    let Ok(Object::Release(Release { results, .. })) = Object::decode(&bytes) else {
        return Ok(Value::Null);
    };
    let mut found = Vec::new();
    for (output, id) in &results {
        let (_, table) = content::unpack_table(*id, |id| bundle.block(id))
            .map_err(|error| CommandError::new(ErrorCategory::Trust, "content", error.to_string()))?;
        for row in address.select_rows(&table) {
            found.push(print_figure(output.as_str(), &table, row, printer));
        }
    }
    if found.is_empty() {
        return Err(CommandError::not_found(format!("the release has no figure at {address}")));
    }
    Ok(Value::Array(found))
}

fn print_figure(output: &str, table: &Table, row: usize, printer: &Printer) -> Value {
    let components = table.shape().components().iter().zip(table.columns());
    let text = |cell: Option<Cell>| cell.map(|cell| cell.to_string());
    let cells: Vec<(String, Option<String>)> =
        components.map(|(component, column)| (component.id.to_string(), text(column.cell(row)))).collect();
    let keys = table.shape().identifier_count();
    let key: Vec<String> = cells.iter().take(keys).filter_map(|(_, cell)| cell.clone()).collect();
    let values: Vec<String> = cells
        .iter()
        .skip(keys)
        .map(|(name, cell)| format!("{name} {}", cell.as_deref().unwrap_or("null")))
        .collect();
    let values = printer.style_text(TextStyle::Bold, values.join(", "));
    printer.print_field("figure", format!("{output} [{}]: {values}", key.join(", ")));
    json!({ "output": output, "cells": cells.into_iter().collect::<std::collections::BTreeMap<_, _>>() })
}

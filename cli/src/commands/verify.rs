//! `assay verify`: run a release again, trusting nothing but signatures and arithmetic.

use std::path::Path;
use std::time::Instant;

use ledger::address::Address;
use ledger::bundle::{BUNDLE_BYTES_MAX, Bundle};
use ledger::verify::{self, Verification};
use schemas::cid::{EntryId, ReleaseId};
use schemas::content;
use schemas::object::{Object, Release};
use schemas::table::{Cell, Table};
use schemas::verdict::Verdict;
use serde_json::{Value, json};

use crate::args::{Global, Verify};
use crate::backend::{Backend, home};
use crate::fault::{DIFFERS, Fault, Kind};
use crate::screen::{Screen, Tone};
use crate::view;

pub(super) fn run(global: &Global, args: &Verify, screen: &Screen) -> Result<u8, Fault> {
    let bytes = fetch(global, &args.target)?;
    let bundle = Bundle::read(&bytes)?;
    let address = args.target.parse::<Address>().ok();
    let mut worst = 0;
    let mut documents = Vec::new();
    for root in &bundle.roots {
        let (code, document) = entry(&bundle, *root, address.as_ref(), screen)?;
        worst = worst.max(code);
        documents.push(document);
    }
    if documents.is_empty() {
        return Err(Fault::usage("bundle", "the bundle has no root: nothing to verify"));
    }
    screen.document(&json!({ "verified": documents }));
    Ok(worst)
}

/// The bundle: a file as it is, anything else from the state.
fn fetch(global: &Global, target: &str) -> Result<Vec<u8>, Fault> {
    let path = Path::new(target);
    if path.is_file() {
        let bytes = node::data_directory::read_bounded(path, BUNDLE_BYTES_MAX as u64)?;
        return bytes.ok_or_else(|| Fault::usage("bundle", format!("`{target}` is larger than any bundle")));
    }
    let named = target.starts_with("assay://") || target.parse::<schemas::cid::Cid>().is_ok();
    if !named {
        let message = format!("`{target}` is neither a file, an address nor an id");
        return Err(
            Fault::absent(message).hint("addresses look like assay://<publisher>/<dataflow>/<key>/<period>")
        );
    }
    let backend = Backend::open(&home(global)?)?;
    backend.bundle(backend.resolve(target)?)
}

fn entry(
    bundle: &Bundle,
    root: EntryId,
    address: Option<&Address>,
    screen: &Screen,
) -> Result<(u8, Value), Fault> {
    let sealed = bundle.entries.get(&root).ok_or_else(|| Fault::absent(format!("entry {root}")))?;
    let publisher = sealed.publisher();
    let name =
        bundle.identities.get(&publisher).map(|identity| identity.name.to_string()).unwrap_or_default();
    let object = sealed.value().object();
    let head = json!({
        "entry": root, "kind": sealed.value().object_type, "object": object, "publisher": publisher, "name": name,
        "seq": sealed.value().seq(), "time": sealed.value().time, "signature": "holds",
    });
    screen.field(&sealed.value().object_type, object);
    screen.field(
        "signed",
        format!(
            "by {} ({publisher}), entry {}, {}",
            screen.paint(Tone::Bold, &name),
            sealed.value().seq(),
            view::time(sealed.value().time)
        ),
    );
    screen.field("signature", format!("{}, key {}", screen.paint(Tone::Good, "holds"), sealed.value().key));
    let Ok(release) = ReleaseId::try_from(object) else { return Ok((0, head)) };
    if sealed.value().object_type != "release" {
        return other(bundle, object, head, screen);
    }
    let start = Instant::now();
    let found = verify::verify_release(release, &|id| bundle.block(id));
    let seconds = start.elapsed().as_secs_f64();
    let code = show(bundle, &found, seconds, screen)?;
    let figure = match address {
        Some(address) if address.key.is_some() => figure(bundle, release, address, screen)?,
        _ => Value::Null,
    };
    Ok((
        code,
        merge(
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

/// Anything but a release: its signature and its blocks are all there is to check.
fn other(
    bundle: &Bundle,
    object: schemas::cid::Cid,
    head: Value,
    screen: &Screen,
) -> Result<(u8, Value), Fault> {
    let reach = ledger::dependencies::walk_dependencies(
        [object],
        &|id| bundle.block(id),
        schemas::verdict::MISSING_MAX,
    );
    if !reach.is_complete() {
        let message = format!("{} blocks are missing and {} broken", reach.missing.len(), reach.broken.len());
        return Err(Fault::new(Kind::Trust, "bundle", message));
    }
    screen.field("blocks", format!("{} at hand, each what its id says", reach.present.len()));
    Ok((0, merge(head, json!({ "blocks": reach.present.len() }))))
}

fn merge(mut head: Value, more: Value) -> Value {
    if let (Value::Object(head), Value::Object(more)) = (&mut head, more) {
        head.extend(more);
    }
    head
}

fn show(bundle: &Bundle, found: &Verification, seconds: f64, screen: &Screen) -> Result<u8, Fault> {
    let effort = format!("({} steps, {seconds:.3} s)", view::grouped(found.steps));
    let code = match &found.verdict {
        Verdict::Reproduced { cells } => {
            let word = screen.paint(Tone::Good, "reproduced");
            screen.field(
                "run here",
                format!("{word}: {} of {} cells {effort}", view::grouped(*cells), view::grouped(*cells)),
            );
            0
        }
        Verdict::Differs { first, count, cells } => {
            let word = screen.paint(Tone::Bad, "differs");
            screen.field(
                "run here",
                format!("{word}: {} of {} cells {effort}", view::grouped(*count), view::grouped(*cells)),
            );
            screen.field("first", first);
            DIFFERS
        }
        Verdict::Missing { ids, count } => {
            let first = ids.first().map(ToString::to_string).unwrap_or_default();
            return Err(Fault::absent(format!(
                "could not check: {count} blocks are missing, the first is {first}"
            )));
        }
        Verdict::Failed { code, message } => {
            return Err(Fault::new(Kind::Failure, code.as_str(), format!("could not check: {message}")));
        }
    };
    let attestations = bundle.attestations(found.release.cid());
    for (attestor, said) in &attestations {
        let name =
            bundle.identities.get(attestor).map(|identity| identity.name.to_string()).unwrap_or_default();
        screen.field("attested", format!("{} by {name} ({})", said.verdict.as_str(), view::short(attestor)));
    }
    Ok(code)
}

/// The cell that an address names, in each output that has it.
fn figure(bundle: &Bundle, release: ReleaseId, address: &Address, screen: &Screen) -> Result<Value, Fault> {
    let bytes = bundle.block(release.cid()).unwrap_or_default();
    let Ok(Object::Release(Release { results, .. })) = Object::decode_object(&bytes) else {
        return Ok(Value::Null);
    };
    let mut found = Vec::new();
    for (output, id) in &results {
        let (_, table) = content::unpack_table(*id, |id| bundle.block(id))
            .map_err(|fault| Fault::new(Kind::Trust, "content", fault.to_string()))?;
        for row in address.rows(&table) {
            found.push(point(output.as_str(), &table, row, screen));
        }
    }
    if found.is_empty() {
        return Err(Fault::absent(format!("the release has no figure at {address}")));
    }
    Ok(Value::Array(found))
}

fn point(output: &str, table: &Table, row: usize, screen: &Screen) -> Value {
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
    let values = screen.paint(Tone::Bold, values.join(", "));
    screen.field("figure", format!("{output} [{}]: {values}", key.join(", ")));
    json!({ "output": output, "cells": cells.into_iter().collect::<std::collections::BTreeMap<_, _>>() })
}

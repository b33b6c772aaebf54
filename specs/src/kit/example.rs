//! Runs one example: script, inputs, expectation, comparison.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::structure::Shape;
use schemas::table::Table;
use vtl::{Diagnostic, DiagnosticCode, ExecutionPlan, Outcome, RunLimits, Script};

use super::folder::Place;
use super::structure::{self, Structure};
use super::{Class, Finding, cell, compare, csv, page};

/// Plenty: the largest example has some dozen lines.
const LIMITS: RunLimits = RunLimits { steps: 10_000_000, cells: 10_000_000 };

/// The name of a result that is a data set.
const RESULT: &str = "DS_r";

/// Runs an example and compares.
///
/// # Errors
/// The script cannot be read.
pub fn run(place: &Place) -> Result<Finding, String> {
    let page = place.text("intro.rst").unwrap_or_default();
    let script = page::complete(&place.text(&format!("{}.vtl", place.stem))?, &page);
    Ok(found(place, &script).unwrap_or_else(|(class, difference)| Finding::Differs(class, difference)))
}

/// What ends an example before anything can be compared.
type Stop = (Class, String);

fn found(place: &Place, text: &str) -> Result<Finding, Stop> {
    let script = Script::parse(text).map_err(|faults| stop(Class::Parse, text, &faults))?;
    let inputs = inputs(place, &script)?;
    let shapes: BTreeMap<String, Shape> =
        inputs.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    let plan = vtl::check(&script, &shapes).map_err(|faults| stop(Class::Check, text, &faults))?;
    let plan = plan.with_every_result();
    let outcome = vtl::run(&plan, &inputs, LIMITS);
    let outcome = outcome.map_err(|fault| stop(Class::Fault, text, std::slice::from_ref(&fault)))?;
    compared(place, &plan, &outcome)
}

/// The first fault, in one line; a part of VTL that the engine lacks is no fault of the example.
fn stop(class: Class, text: &str, faults: &[Diagnostic]) -> Stop {
    let Some(fault) = faults.first() else { return (class, "no fault is named".to_owned()) };
    let class = match fault.code {
        DiagnosticCode::Unsupported => Class::Unsupported,
        DiagnosticCode::Refused => Class::Refused,
        _ => class,
    };
    let (line, column) = fault.span.line_and_column(text);
    (class, format!("{fault} (line {line}, column {column})"))
}

/// The data sets that the script names and the folder holds.
fn inputs(place: &Place, script: &Script) -> Result<BTreeMap<String, Arc<Table>>, Stop> {
    let mut tables = BTreeMap::new();
    for name in script.inputs() {
        if place.file(&format!("{name}.json")).is_some() {
            let table =
                input(place, name).map_err(|fault| (Class::Material, format!("`{name}`: {fault}")))?;
            tables.insert(name.to_owned(), Arc::new(table));
        }
    }
    Ok(tables)
}

fn input(place: &Place, name: &str) -> Result<Table, String> {
    match structure::read(&place.text(&format!("{name}.json"))?)? {
        Structure::Data(shape) => cell::table(&shape, &csv::read(&place.text(&format!("{name}.csv"))?)),
        Structure::Scalar(..) => Err("an input that is a scalar".to_owned()),
    }
}

fn compared(place: &Place, plan: &ExecutionPlan, outcome: &Outcome) -> Result<Finding, Stop> {
    let material = |fault: String| (Class::Material, format!("the expectation: {fault}"));
    let expected = place.text(&format!("{}.json", place.stem)).and_then(|text| structure::read(&text));
    let lines = place.text(&format!("{}.csv", place.stem)).map_err(material)?;
    let lines = csv::read(&lines);
    match expected.map_err(material)? {
        Structure::Data(shape) => {
            let missing = || (Class::Structure, format!("there is no data set `{RESULT}`"));
            Ok(compare::table(&shape, &lines, outcome.tables.get(RESULT).ok_or_else(missing)?))
        }
        Structure::Scalar(name, kind) => {
            let missing = || (Class::Structure, format!("`{name}` is no scalar"));
            let found = outcome.scalars.get(&name).ok_or_else(missing)?;
            let found_kind =
                plan.scalars().into_iter().find(|(own, _)| *own == name).and_then(|(_, kind)| kind);
            Ok(compare::scalar(kind, &lines, found_kind, found.as_ref()))
        }
    }
}

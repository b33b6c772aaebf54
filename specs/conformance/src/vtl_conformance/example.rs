//! Runs one example: script, inputs, expectation, comparison.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::structure::ComponentList;
use schemas::table::Table;
use vtl::{Diagnostic, DiagnosticCode, ExecutionPlan, RunCeilings, RunLimits, RunOutput, Script};

use super::folder::ExampleFiles;
use super::structure::{self, ResultStructure};
use super::{ExampleFinding, FailureClass, cell, compare, csv, page};

/// Limits beyond the need of any example; the largest has some dozen lines.
const LIMITS: RunLimits = RunLimits { steps: 10_000_000, cells: 10_000_000 };

/// Name of the result in examples with a data set as result.
const RESULT_NAME: &str = "DS_r";

/// Runs an example and compares its result with the printed one.
///
/// # Errors
/// The script file cannot be read.
pub fn run_example(place: &ExampleFiles) -> Result<ExampleFinding, String> {
    let page = place.text("intro.rst").unwrap_or_default();
    let script = page::complete_script(&place.text(&format!("{}.vtl", place.stem))?, &page);
    Ok(evaluate_example(place, &script)
        .unwrap_or_else(|(class, difference)| ExampleFinding::Differs(class, difference)))
}

/// A failure before the comparison: class and message.
type ExampleFailure = (FailureClass, String);

fn evaluate_example(place: &ExampleFiles, text: &str) -> Result<ExampleFinding, ExampleFailure> {
    let script = Script::parse(text).map_err(|errors| failure_from(FailureClass::Parse, text, &errors))?;
    let inputs = load_inputs(place, &script)?;
    let shapes: BTreeMap<String, ComponentList> =
        inputs.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    let plan =
        vtl::check(&script, &shapes).map_err(|errors| failure_from(FailureClass::Check, text, &errors))?;
    // Examples end in temporary results (`:=`), which a normal run does not return.
    let plan = plan.with_every_result();
    let outcome = vtl::run_plan(&plan, &inputs, LIMITS, &RunCeilings::READER);
    let outcome =
        outcome.map_err(|error| failure_from(FailureClass::Fault, text, std::slice::from_ref(&error)))?;
    compare_outcome(place, &plan, &outcome)
}

/// First diagnostic in one line. An unsupported part of VTL gets its own class, because the example is
/// not wrong.
fn failure_from(class: FailureClass, text: &str, errors: &[Diagnostic]) -> ExampleFailure {
    let Some(error) = errors.first() else { return (class, "the engine gives no diagnostic".to_owned()) };
    let class = match error.code {
        DiagnosticCode::Unsupported => FailureClass::Unsupported,
        DiagnosticCode::Refused => FailureClass::Refused,
        _ => class,
    };
    let (line, column) = error.span.line_and_column(text);
    (class, format!("{error} (line {line}, column {column})"))
}

/// Loads the data sets that the script reads and that have a structure file in the folder.
fn load_inputs(
    place: &ExampleFiles,
    script: &Script,
) -> Result<BTreeMap<String, Arc<Table>>, ExampleFailure> {
    let mut tables = BTreeMap::new();
    for name in script.inputs() {
        // A name without a file is left to the check, which reports it with its place.
        if place.file(&format!("{name}.json")).is_some() {
            let table = load_input(place, name)
                .map_err(|error| (FailureClass::Material, format!("`{name}`: {error}")))?;
            tables.insert(name.to_owned(), Arc::new(table));
        }
    }
    Ok(tables)
}

fn load_input(place: &ExampleFiles, name: &str) -> Result<Table, String> {
    match structure::parse_structure(&place.text(&format!("{name}.json"))?)? {
        ResultStructure::Data(shape) => {
            cell::build_table(&shape, &csv::parse_csv(&place.text(&format!("{name}.csv"))?))
        }
        ResultStructure::Scalar(..) => Err("the input is a scalar".to_owned()),
    }
}

fn compare_outcome(
    place: &ExampleFiles,
    plan: &ExecutionPlan,
    outcome: &RunOutput,
) -> Result<ExampleFinding, ExampleFailure> {
    let material = |error: String| (FailureClass::Material, format!("the expected result: {error}"));
    let expected =
        place.text(&format!("{}.json", place.stem)).and_then(|text| structure::parse_structure(&text));
    let lines = place.text(&format!("{}.csv", place.stem)).map_err(material)?;
    let lines = csv::parse_csv(&lines);
    match expected.map_err(material)? {
        ResultStructure::Data(shape) => {
            let missing = || (FailureClass::Structure, format!("there is no data set `{RESULT_NAME}`"));
            Ok(compare::compare_table(&shape, &lines, outcome.tables.get(RESULT_NAME).ok_or_else(missing)?))
        }
        ResultStructure::Scalar(name, kind) => {
            let missing = || (FailureClass::Structure, format!("`{name}` is not a scalar result"));
            let found = outcome.scalars.get(&name).ok_or_else(missing)?;
            let found_kind =
                plan.scalars().into_iter().find(|(own, _)| *own == name).and_then(|(_, kind)| kind);
            Ok(compare::compare_scalar(kind, &lines, found_kind, found.as_ref()))
        }
    }
}

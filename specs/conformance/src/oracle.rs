//! Numeric scripts, run on the engine and compared with the results of `oracle/generate.py`.
//!
//! A case is a line of JSON: a script over the data set `D`, its data, and the result or the code of
//! the error. Numbers are compared digit for digit: the engine must give the same coefficient and the
//! same exponent.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::decimal::Decimal;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::text::Name;
use serde::Deserialize;
use vtl::{RunCeilings, RunLimits, Script};

/// Cells of a row as text; `None` is null.
type TextRow = Vec<Option<String>>;

/// One script with its data and expected result.
#[derive(Debug, Deserialize)]
struct OracleCase {
    script: String,
    /// Components of `D`, each as `name:role:type`.
    components: Vec<String>,
    rows: Vec<TextRow>,
    #[serde(default)]
    names: Vec<String>,
    result: Option<Vec<TextRow>>,
    fault: Option<String>,
}

/// Limits beyond the need of any generated script.
const LIMITS: RunLimits = RunLimits { steps: 100_000_000, cells: 1_000_000 };

/// Runs the case on a line.
///
/// # Errors
/// The line is not a case, or the result differs; the message has the expected and the found result.
pub fn run_case(line: &str) -> Result<(), String> {
    let case: OracleCase = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let found = evaluate_case(&case)?;
    let wanted = match (&case.fault, &case.result) {
        (Some(code), None) => Err(code.clone()),
        (None, Some(rows)) => Ok((case.names.clone(), rows.clone())),
        _ => return Err("a case has either a result or an error code".to_owned()),
    };
    if found == wanted {
        return Ok(());
    }
    Err(format!("{}\n  data     {:?}\n  expected {wanted:?}\n  found    {found:?}", case.script, case.rows))
}

/// Names and rows of the result, or the code of the error.
type ScriptOutcome = Result<(Vec<String>, Vec<TextRow>), String>;

fn evaluate_case(case: &OracleCase) -> Result<ScriptOutcome, String> {
    let table = Arc::new(case_table(case)?);
    let shapes = BTreeMap::from([("D".to_owned(), table.shape().clone())]);
    let refused = |faults: Vec<vtl::Diagnostic>| {
        faults.iter().map(|fault| vtl::render_diagnostic(&case.script, fault)).collect::<String>()
    };
    // A script that the engine refuses is an error of the case; errors of the run are results.
    let script = Script::parse(&case.script).map_err(refused)?;
    let plan = vtl::check(&script, &shapes).map_err(refused)?;
    let inputs = BTreeMap::from([("D".to_owned(), table)]);
    Ok(match vtl::run_plan(&plan, &inputs, LIMITS, &RunCeilings::READER) {
        Err(fault) => Err(fault.code.as_str().to_owned()),
        Ok(outcome) => Ok(result_rows(outcome.tables.get("R").ok_or("no result `R`")?)),
    })
}

fn result_rows(table: &Table) -> (Vec<String>, Vec<TextRow>) {
    let names = table.shape().components().iter().map(|component| component.id.as_str().to_owned());
    let row = |at| table.columns().iter().map(|column| column.cell(at).map(cell_text)).collect();
    (names.collect(), (0..table.rows()).map(row).collect())
}

fn cell_text(cell: Cell) -> String {
    match cell {
        // Coefficient and exponent, so that `1.0` and `1.00` differ.
        Cell::Number(number) => format!("{}E{}", number.coefficient(), number.exponent()),
        other => other.to_string(),
    }
}

fn case_table(case: &OracleCase) -> Result<Table, String> {
    let components: Result<Vec<Component>, String> =
        case.components.iter().map(|text| parse_component(text)).collect();
    let components = components?;
    let columns: Result<Vec<Column>, String> = components
        .iter()
        .enumerate()
        .map(|(at, component)| {
            let cells = case.rows.iter().map(|row| row.get(at).and_then(Option::as_deref));
            parse_column(component.value_type, cells.collect())
        })
        .collect();
    let shape = ComponentList::new(components).map_err(|error| error.to_string())?;
    Table::new(shape, columns?).map_err(|error| error.to_string())
}

fn parse_component(text: &str) -> Result<Component, String> {
    let mut parts = text.split(':');
    let mut part = || parts.next().ok_or_else(|| format!("`{text}` has no name, role and type"));
    let name = Name::new(part()?).map_err(|error| error.to_string())?;
    let role = match part()? {
        "identifier" => Role::Identifier,
        "measure" => Role::Measure,
        other => return Err(format!("unknown role `{other}`")),
    };
    let kind = part()?;
    let kind = ValueType::from_name(kind).ok_or_else(|| format!("unknown type `{kind}`"))?;
    Ok(Component::new(name, role, kind))
}

fn parse_column(kind: ValueType, cells: Vec<Option<&str>>) -> Result<Column, String> {
    Ok(match kind {
        ValueType::Integer => Column::Integer(parse_cells(&cells, |cell| cell.parse().ok())?),
        ValueType::Number => Column::Number(parse_cells(&cells, parse_number)?),
        ValueType::String => Column::Text(TextColumn::from_rows(cells)),
        other => return Err(format!("cases have no columns of type `{}`", other.as_str())),
    })
}

fn parse_cells<T>(
    cells: &[Option<&str>],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Option<T>>, String> {
    let one = |cell: &str| parse(cell).ok_or_else(|| format!("`{cell}` is not a number"));
    cells.iter().map(|cell| cell.map(one).transpose()).collect()
}

fn parse_number(text: &str) -> Option<Decimal> {
    let (coefficient, exponent) = text.split_once('E')?;
    Decimal::new(coefficient.parse().ok()?, exponent.parse().ok()?).ok()
}

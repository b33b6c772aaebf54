//! Tables as text, and helpers to run a script.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table, TextColumn};
use schemas::text::Name;
use vtl::{Diagnostic, RunCeilings, RunLimits, RunOutput, Script};

/// Limits that are sufficient for small tests.
pub const LIMITS: RunLimits = RunLimits { steps: 10_000_000, cells: 10_000_000 };

/// Spelling of an empty text in a table; an empty cell is null.
const EMPTY: &str = "\"\"";

/// Reads a table: the first line has name, role and type of each component (`REF_AREA:i:string`), each
/// further line is a data point; an empty cell is null.
pub fn table(text: &str) -> Table {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let components: Vec<Component> =
        lines.next().unwrap().split(',').map(|part| component(part.trim())).collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').map(str::trim).collect()).collect();
    let columns = components
        .iter()
        .enumerate()
        .map(|(at, component)| column(component.value_type, rows.iter().map(|row| row[at]).collect()));
    let columns = columns.collect();
    Table::new(ComponentList::new(components).unwrap(), columns).unwrap()
}

fn component(text: &str) -> Component {
    let parts: Vec<&str> = text.split(':').collect();
    let role = match parts[1] {
        "i" => Role::Identifier,
        "m" => Role::Measure,
        "v" => Role::ViralAttribute,
        _ => Role::Attribute,
    };
    Component::new(Name::new(parts[0]).unwrap(), role, ValueType::from_name(parts[2]).unwrap())
}

fn column(kind: ValueType, cells: Vec<&str>) -> Column {
    fn read<T: std::str::FromStr>(cells: Vec<&str>) -> Vec<Option<T>> {
        cells
            .into_iter()
            .map(|cell| {
                if cell.is_empty() {
                    None
                } else {
                    Some(cell.parse().ok().unwrap_or_else(|| panic!("`{cell}` is no value")))
                }
            })
            .collect()
    }
    match kind {
        ValueType::String | ValueType::Time | ValueType::Duration => {
            let text = |cell| if cell == EMPTY { "" } else { cell };
            Column::Text(TextColumn::from_rows(cells.into_iter().map(|c| (!c.is_empty()).then(|| text(c)))))
        }
        ValueType::Integer => Column::Integer(read(cells)),
        ValueType::Number => Column::Number(read(cells)),
        ValueType::Boolean => Column::Boolean(read(cells)),
        ValueType::TimePeriod | ValueType::Date => Column::Period(read(cells)),
    }
}

/// Writes a table: names, then one line per data point in the order of the table.
pub fn table_text(table: &Table) -> String {
    let names: Vec<&str> = table.shape().components().iter().map(|c| c.id.as_str()).collect();
    let mut out = names.join(",");
    for row in 0..table.rows() {
        let cells: Vec<String> =
            table.columns().iter().map(|c| c.cell(row).map_or(String::new(), written)).collect();
        out.push('\n');
        out.push_str(&cells.join(","));
    }
    out
}

fn written(cell: Cell) -> String {
    let text = cell.to_string();
    if text.is_empty() { EMPTY.to_owned() } else { text }
}

/// Parses, checks and runs a script.
pub fn run_script(
    script: &str,
    inputs: &[(&str, &str)],
    limits: RunLimits,
) -> Result<RunOutput, Vec<Diagnostic>> {
    let tables: BTreeMap<String, Arc<Table>> =
        inputs.iter().map(|(name, text)| ((*name).to_owned(), Arc::new(table(text)))).collect();
    let shapes = tables.iter().map(|(name, table)| (name.clone(), table.shape().clone())).collect();
    let plan = vtl::check(&Script::parse(script)?, &shapes)?;
    let outcome = vtl::run_plan(&plan, &tables, limits, &RunCeilings::READER).map_err(|fault| vec![fault])?;
    for (name, shape) in plan.outputs() {
        assert_eq!(outcome.tables[name].shape(), shape, "the plan knows the shape of `{name}`");
    }
    Ok(outcome)
}

/// Returns the persistent result `R` of a script over one input `D`.
pub fn run_on_input(script: &str, data: &str) -> String {
    run_on_inputs(script, &[("D", data)])
}

/// Returns the persistent result `R` of a script.
pub fn run_on_inputs(script: &str, inputs: &[(&str, &str)]) -> String {
    match run_script(script, inputs, LIMITS) {
        Ok(outcome) => table_text(&outcome.tables["R"]),
        Err(faults) => {
            panic!("{}", faults.iter().map(|f| vtl::render_diagnostic(script, f)).collect::<String>())
        }
    }
}

/// Returns code and marked text of each diagnostic of a script.
pub fn diagnostics_of(script: &str, inputs: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let faults = run_script(script, inputs, LIMITS).expect_err("the script has a fault");
    faults.iter().map(|f| (f.code.as_str(), script[f.span.start..f.span.end].to_owned())).collect()
}

/// Compares a result with `expect`, line by line without indentation.
pub fn assert_table(found: &str, expect: &str) {
    let expect: Vec<&str> = expect.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expect.join("\n"));
}

/// Returns the value of a scalar expression as text, `null`, or the code of its diagnostic.
pub fn scalar_value(expr: &str) -> String {
    match run_script(&format!("R <- {expr};"), &[], LIMITS) {
        Ok(outcome) => outcome.scalars["R"].as_ref().map_or("null".to_owned(), ToString::to_string),
        Err(faults) => faults[0].code.to_string(),
    }
}

/// Checks scalar expressions against their values.
pub fn assert_scalars(cases: &[(&str, &str)]) {
    for (expr, want) in cases {
        assert_eq!(scalar_value(expr), *want, "{expr}");
    }
}

//! Any number of threads gives the same tables, costs and diagnostics.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::support::LIMITS;
use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::Name;
use vtl::{Diagnostic, RunCeilings, RunLimits, RunOutput, Script, Threads};

/// Enough areas that more than three threads have rows of their own.
const AREAS: usize = 120;
const MONTHS: usize = 600;

/// Returns a panel of AREAS × MONTHS numbers, integers and texts with some nulls.
fn panel() -> Table {
    let parts = [
        ("AREA", Role::Identifier, ValueType::String),
        ("MONTH", Role::Identifier, ValueType::TimePeriod),
        ("X", Role::Measure, ValueType::Number),
        ("N", Role::Measure, ValueType::Integer),
    ];
    let component =
        |(id, role, kind): (&str, Role, ValueType)| Component::new(Name::new(id).unwrap(), role, kind);
    let shape = ComponentList::new(parts.into_iter().map(component).collect()).unwrap();
    let rows = AREAS * MONTHS;
    let names: Vec<String> = (0..AREAS).map(|area| format!("A{area:03}")).collect();
    let month = |row: usize| Period::from_ordinal(Frequency::M, 23_400 + (row % MONTHS) as i32);
    let mixed = |row: usize| (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let number =
        |row: usize| Decimal::new((mixed(row) % 1_000_003) as i128 + 1, -((row % 5) as i32)).unwrap();
    let columns = vec![
        Column::Text(TextColumn::from_rows((0..rows).map(|row| Some(names[row / MONTHS].as_str())))),
        Column::Period((0..rows).map(month).collect()),
        Column::Number((0..rows).map(|row| (row % 97 != 5).then(|| number(row))).collect()),
        Column::Integer((0..rows).map(|row| (row % 89 != 7).then_some((mixed(row) % 1000) as i64)).collect()),
    ];
    Table::new(shape, columns).unwrap()
}

fn run(script: &str, table: &Arc<Table>, threads: usize, limits: RunLimits) -> Result<RunOutput, Diagnostic> {
    let shapes = BTreeMap::from([("D".to_owned(), table.shape().clone())]);
    let plan = vtl::check(&Script::parse(script).unwrap(), &shapes).unwrap();
    let inputs = BTreeMap::from([("D".to_owned(), Arc::clone(table))]);
    vtl::run_plan_with(
        &plan,
        &inputs,
        limits,
        &RunCeilings::READER,
        Threads::new(NonZeroUsize::new(threads).unwrap()),
    )
}

#[track_caller]
fn check(script: &str, table: &Arc<Table>) -> Result<RunOutput, Diagnostic> {
    let one = run(script, table, 1, LIMITS_LARGE);
    for threads in [1, 2, 3, 4, 64] {
        assert!(run(script, table, threads, LIMITS_LARGE) == one, "{threads} threads: {script}");
    }
    one
}

const LIMITS_LARGE: RunLimits = RunLimits { steps: 1 << 40, cells: 1 << 40 };

#[test]
fn tables_and_costs_are_the_same() {
    let table = Arc::new(panel());
    for script in [
        "R <- round((D[keep X] / timeshift(D[keep X], 12) - 1) * 100, 1);",
        "S := D[calc Z := X * N][aggr Z := sum(Z), N := sum(N) group by MONTH]; R <- S[calc Q := Z / N][keep Q];",
        "R <- avg(D[keep X] group by AREA, MONTH time_agg(\"A\") having count() = 12);",
        "R <- D[filter X > N and not isnull(N)][calc Y := if N > 500 then X else -X, M := mod(N, 7)];",
        "T := D[calc L := X * 2]; R <- T[calc W := sum(L over (partition by AREA order by MONTH desc data points between 3 preceding and current data point))];",
        "R <- min(D group by AREA); Q <- max(D group by MONTH); P <- count(D group by AREA);",
        "A := D[keep X][rename X to Y][filter Y > 500]; R <- left_join(D, A using AREA, MONTH);",
        "R <- D[filter AREA < \"A010\"][calc V := var_samp(X over (partition by AREA order by MONTH)), M := median(N over (partition by MONTH))];",
        "F := D[filter AREA < \"A010\"]; R <- stddev_pop(F group by MONTH); Q <- ewma(F, 0.3); P <- union(D[filter N > 500], D[filter X > 10]);",
        "B := D[keep X] * 2; R <- B; Q <- B + D[keep X];",
    ] {
        let outcome = check(script, &table).unwrap();
        assert!(outcome.tables["R"].rows() > 100, "{script}");
    }
}

#[test]
fn the_first_error_is_reported_whatever_thread_finds_it() {
    let table = Arc::new(panel());
    let (areas, months, whole) = (table.column("AREA"), table.column("MONTH"), table.column("N"));
    let text = |column: Option<&Column>, row: usize| column.unwrap().cell(row).map(|cell| cell.to_string());
    for (number, area) in [(3, "A000"), (4, "A070")] {
        let bad = |row: &usize| {
            text(whole, *row) == Some(number.to_string()) && text(areas, *row).as_deref() > Some(area)
        };
        let first = (0..table.rows()).find(bad).unwrap();
        let cell =
            format!("AREA = {}, MONTH = {}", text(areas, first).unwrap(), text(months, first).unwrap());
        let script = format!("R <- D[calc Y := 1 / (if N = {number} and AREA > \"{area}\" then 0 else 1)];");
        let fault = check(&script, &table).unwrap_err();
        assert_eq!((fault.code, fault.data_point), (vtl::DiagnosticCode::DivisionByZero, Some(cell)));
    }
    let late = "R <- timeshift(D, 96500);";
    assert_eq!(check(late, &table).unwrap_err().code, vtl::DiagnosticCode::Overflow);
    let dear = run("R <- D * 2;", &table, 3, LIMITS).unwrap();
    let short = RunLimits { steps: dear.steps - 1, ..LIMITS };
    assert_eq!(run("R <- D * 2;", &table, 3, short), run("R <- D * 2;", &table, 1, short));
}

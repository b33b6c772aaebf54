//! `fill_time_series`: adds a data point for each missing period of a series.
//!
//! Missing periods are counted, and the budget charged, before any data point is built.

use std::collections::BTreeMap;

use schemas::period::{Frequency, Period};
use schemas::structure::Role;
use schemas::table::Column;

use super::super::column::{SharedColumn, text_column};
use super::super::relation::Relation;
use super::{SeriesRows, TimeAxis, irregular_interval, sort_canonical};
use crate::ast::SeriesOp;
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::ceilings::{CeilingExceeded, RunGuard, row_bytes};
use crate::diagnostic::Diagnostic;
use crate::plan::PlanStep;

/// Run of consecutive missing periods of a series.
struct PeriodGap {
    /// Row of the series from which the other identifiers are copied.
    row: usize,
    first: Period,
    count: u32,
}

/// First and last day covered by a data set.
type CoveredDays = Option<(Period, Period)>;

pub(super) fn fill_periods(
    relation: &Relation,
    lines: &SeriesRows,
    (time, clock): (usize, TimeAxis),
    op: SeriesOp,
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    let Some(times) = relation.columns.get(time).cloned() else { return Ok(relation.clone()) };
    let guard = meter.guard();
    let _periods = guard.reserve_each(relation.rows, size_of::<Period>() as u64)?;
    let mut periods = Vec::with_capacity(relation.rows);
    for row in (0..relation.rows).take_while(|row| !guard.is_stopped_at(*row)) {
        let period = clock.period(&times, row);
        periods.push(period.ok_or_else(|| irregular_interval(op.name(), relation, row, step))?);
    }
    let limits = if op == SeriesOp::FillAll { covered_days(&periods) } else { None };
    let gaps: Vec<PeriodGap> = lines.iter().flat_map(|line| find_gaps(line, &periods, limits)).collect();
    let added: u64 = gaps.iter().map(|gap| u64::from(gap.count)).sum();
    let rows = relation.rows.saturating_add(usize::try_from(added).unwrap_or(usize::MAX));
    meter.charge(rows, SORT_STEPS + COPY_STEPS * relation.columns.len() as u64, step.span)?;
    meter.reserve(rows, relation.columns.len(), step.span)?;
    if added == 0 {
        return Ok(relation.clone());
    }
    // Where the identifiers come from, where nothing comes from, and the added periods.
    let _sources = guard.reserve_each(rows, SOURCE_BYTES)?;
    let sources: Vec<usize> =
        gaps.iter().flat_map(|gap| std::iter::repeat_n(gap.row, gap.count as usize)).collect();
    let made = gaps.iter().flat_map(|gap| (0..i64::from(gap.count)).map(|at| gap.first.shift(at)));
    let made = clock.column(made.collect::<Vec<Option<Period>>>().into_iter(), &guard)?;
    let known = 0..relation.rows;
    let same: Vec<usize> = known.clone().chain(sources).collect();
    // Added data points copy the identifiers; their measures and attributes are null.
    let null: Vec<usize> = known.chain((relation.rows..rows).map(|_| usize::MAX)).collect();
    let columns = step.columns.iter().zip(&relation.columns).enumerate().map(|(at, (field, column))| {
        if at == time {
            return append_times(&times, &made, &guard);
        }
        column.pick(if field.role == Role::Identifier { &same } else { &null }, &guard)
    });
    let columns = columns.collect::<Result<Vec<SharedColumn>, CeilingExceeded>>()?;
    sort_canonical(Relation { columns, rows }, step, &guard)
}

/// Working memory for each row of the result.
const SOURCE_BYTES: u64 = (3 * size_of::<usize>() + size_of::<Option<Period>>()) as u64;

/// Returns the first and the last day covered by periods.
fn covered_days(periods: &[Period]) -> CoveredDays {
    let first = periods.iter().map(|period| period.first_day()).min()?;
    Some((first, periods.iter().map(|period| period.last_day()).max()?))
}

/// Finds the missing periods of each frequency of one series, between its own ends or those of the
/// data set.
fn find_gaps(line: &[u32], periods: &[Period], limits: CoveredDays) -> Vec<PeriodGap> {
    let mut series: BTreeMap<Frequency, Vec<Period>> = BTreeMap::new();
    for period in line.iter().filter_map(|row| periods.get(*row as usize)) {
        series.entry(period.frequency()).or_default().push(*period);
    }
    let row = line.first().map_or(0, |row| *row as usize);
    let mut found = Vec::new();
    for (frequency, known) in series {
        let ends = (known.first().copied(), known.last().copied());
        let (Some(mut first), Some(mut last)) = ends else { continue };
        if let Some((from, to)) = limits {
            first = nearest_within(from, frequency, true).unwrap_or(first).min(first);
            last = nearest_within(to, frequency, false).unwrap_or(last).max(last);
        }
        let past = last.ordinal() + 1;
        let mut next = first.ordinal();
        // The end of the range closes the last gap.
        for at in known.iter().map(|period| period.ordinal()).chain([past]) {
            if at > next
                && let Some(first) = Period::from_ordinal(frequency, next)
            {
                found.push(PeriodGap { row, first, count: at.abs_diff(next) });
            }
            next = at + 1;
        }
    }
    found
}

/// Returns the first period that starts on or after a day (`first`), or the last that ends on or
/// before it.
fn nearest_within(day: Period, frequency: Frequency, first: bool) -> Option<Period> {
    let period = day.to_frequency(frequency)?;
    match first {
        true if period.first_day() < day => period.shift(1),
        false if period.last_day() > day => period.shift(-1),
        _ => Some(period),
    }
}

/// Concatenates two time columns.
fn append_times(a: &Column, b: &Column, guard: &RunGuard) -> Result<SharedColumn, CeilingExceeded> {
    let reserved = guard.reserve(row_bytes(a, a.len() + b.len()))?;
    let column = match (a, b) {
        (Column::Period(a), Column::Period(b)) => Column::Period(a.iter().chain(b).copied().collect()),
        (Column::Text(a), Column::Text(b)) => {
            let (x, y) = (a.codes().len(), b.codes().len());
            text_column((0..x).map(|row| a.get(row)).chain((0..y).map(|row| b.get(row))), guard)
        }
        (a, _) => a.clone(),
    };
    drop(reserved);
    Ok(SharedColumn::new(column, guard))
}

//! Time series operators: `timeshift`, `fill_time_series`, `flow_to_stock`, `stock_to_flow`, and
//! recomputed identifiers (reference manual, "Time operators").
//!
//! A series is the set of data points with equal other identifiers and one frequency. A `date` has no
//! frequency of its own; [`date_frequency`] infers it from all dates of the data set, independent of
//! row order.

mod fill;
mod flow;

use schemas::interval::Interval;
use schemas::period::{Frequency, Period};
use schemas::structure::{Role, ValueType};
use schemas::table::{Cell, Column};

use super::column::{SharedColumn, column_from_cells};
use super::key_ranks::{equal_runs, rank_rows, sort_order};
use super::relation::{Relation, data_point_key};
use super::threads::{Threads, fill_slots};
use crate::ast::SeriesOp;
use crate::budget::{BudgetMeter, COPY_STEPS, ROW_STEPS, SORT_STEPS, TEXT_STEPS};
use crate::ceilings::{CeilingExceeded, RunGuard, SORT_BYTES, value_bytes};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::op::PeriodEnd;
use crate::plan::PlanStep;

/// Interpretation of the values of a time identifier.
#[derive(Debug, Clone, Copy)]
enum TimeAxis {
    Periods,
    /// First or last days of the periods of a frequency.
    Dates(Frequency, PeriodEnd),
    Intervals,
}

impl TimeAxis {
    /// Infers the interpretation of a column; `None` when dates fit no frequency.
    fn of(column: &Column, value_type: ValueType) -> Option<Self> {
        match (column, value_type) {
            (Column::Period(days), ValueType::Date) => {
                date_frequency(days).map(|(to, end)| Self::Dates(to, end))
            }
            (Column::Period(_), _) => Some(Self::Periods),
            _ => Some(Self::Intervals),
        }
    }

    /// Returns the period of a row.
    fn period(self, column: &Column, row: usize) -> Option<Period> {
        match (self, column) {
            (Self::Periods, Column::Period(rows)) => rows.get(row).copied().flatten(),
            (Self::Dates(to, _), Column::Period(rows)) => rows.get(row).copied().flatten()?.to_frequency(to),
            (_, Column::Text(texts)) => texts.get(row)?.parse::<Interval>().ok()?.period(),
            _ => None,
        }
    }

    /// Converts periods to a column of the original type.
    fn column(
        self,
        periods: impl ExactSizeIterator<Item = Option<Period>>,
        guard: &RunGuard,
    ) -> Result<SharedColumn, CeilingExceeded> {
        match self {
            Self::Periods => column_from_cells(
                periods.map(|period| period.map(Cell::Period)),
                ValueType::TimePeriod,
                guard,
            ),
            Self::Dates(_, end) => {
                let days = periods.map(|period| period.map(|period| Cell::Period(end_day(period, end))));
                column_from_cells(days, ValueType::Date, guard)
            }
            Self::Intervals => {
                let texts = periods.map(|period| period.map(|p| Cell::Text(Interval::from(p).to_string())));
                column_from_cells(texts, ValueType::Time, guard)
            }
        }
    }
}

fn end_day(period: Period, end: PeriodEnd) -> Period {
    match end {
        PeriodEnd::First => period.first_day(),
        PeriodEnd::Last => period.last_day(),
    }
}

/// Returns the coarsest frequency for which all dates are last days, or all are first days, of its
/// periods.
fn date_frequency(days: &[Option<Period>]) -> Option<(Frequency, PeriodEnd)> {
    // Coarsest frequency first, and last days before first days: one fixed choice.
    let choices = Frequency::ALL.into_iter().flat_map(|to| [(to, PeriodEnd::Last), (to, PeriodEnd::First)]);
    let fits = |(to, end): &(Frequency, PeriodEnd)| {
        days.iter()
            .flatten()
            .all(|date| date.to_frequency(*to).is_some_and(|period| end_day(period, *end) == *date))
    };
    if days.is_empty() { None } else { choices.into_iter().find(fits) }
}

/// Evaluates `timeshift`: moves the time identifier by `count` periods of its own frequency.
pub(super) fn eval_timeshift(
    relation: Relation,
    column: usize,
    count: i64,
    meter: &mut BudgetMeter,
    step: &PlanStep,
    threads: Threads,
) -> Result<Relation, Diagnostic> {
    let value_type = step.columns.get(column).map_or(ValueType::TimePeriod, |field| field.value_type);
    let each = if value_type == ValueType::TimePeriod { ROW_STEPS } else { TEXT_STEPS };
    meter.charge(relation.rows, each, step.span)?;
    let mut relation = relation;
    let Some(times) = relation.columns.get(column).cloned() else { return Ok(relation) };
    let Some(clock) = TimeAxis::of(&times, value_type) else { return Ok(relation) };
    let guard = meter.guard();
    let reserved = guard.reserve_each(relation.rows, value_bytes(Some(ValueType::TimePeriod)))?;
    let mut moved: Vec<Option<Period>> = vec![None; relation.rows];
    let renewed = fill_slots(threads, &guard, &mut moved, |row, slot| {
        let period = clock.period(&times, row).ok_or((row, false))?;
        *slot = Some(period.shift(count).ok_or((row, true))?);
        Ok(())
    });
    renewed.map_err(|(row, beyond)| {
        if !beyond {
            return irregular_interval("timeshift", &relation, row, step);
        }
        let message = format!("`timeshift` by {count} leaves the calendar (years 1 to 9999)");
        Diagnostic::new(DiagnosticCode::Overflow, step.span, message).at_data_point(data_point_key(
            &step.columns,
            &relation,
            row,
        ))
    })?;
    let moved = clock.column(moved.into_iter(), &guard)?;
    drop(reserved);
    if value_type == ValueType::Time {
        return replace_identifier(relation, column, moved, meter, step);
    }
    // All values move by the same distance, so the canonical order is preserved.
    meter.reserve(relation.rows, relation.columns.len(), step.span)?;
    if let Some(slot) = relation.columns.get_mut(column) {
        *slot = moved;
    }
    Ok(relation)
}

/// Error of an interval that is not a regular period.
fn irregular_interval(name: &str, relation: &Relation, row: usize, step: &PlanStep) -> Diagnostic {
    let message =
        format!("`{name}` requires intervals that are regular periods, such as years, quarters or months");
    Diagnostic::new(DiagnosticCode::Frequency, step.span, message).at_data_point(data_point_key(
        &step.columns,
        relation,
        row,
    ))
}

/// Replaces the values of an identifier and restores canonical order.
pub(super) fn replace_identifier(
    relation: Relation,
    column: usize,
    made: SharedColumn,
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    let mut relation = relation;
    meter.charge(relation.rows, SORT_STEPS + COPY_STEPS * relation.columns.len() as u64, step.span)?;
    meter.reserve(relation.rows, relation.columns.len(), step.span)?;
    if let Some(row) = made.first_null() {
        let name = step.columns.get(column).map_or("", |field| &field.name);
        let message = format!("the identifier `{name}` is null");
        let cell = data_point_key(&step.columns, &relation, row);
        return Err(Diagnostic::new(DiagnosticCode::NullIdentifier, step.span, message).at_data_point(cell));
    }
    if let Some(slot) = relation.columns.get_mut(column) {
        *slot = made;
    }
    sort_canonical(relation, step, &meter.guard())
}

/// Sorts data points into canonical order; a duplicate key is an error.
fn sort_canonical(relation: Relation, step: &PlanStep, guard: &RunGuard) -> Result<Relation, Diagnostic> {
    let _ranks = guard.reserve_each(relation.rows, SORT_BYTES)?;
    let ranks = rank_rows(identifier_columns(&relation, step, None), relation.rows);
    let order = sort_order(&ranks);
    let runs = equal_runs(&ranks, order.as_deref());
    if let Some((start, _)) = runs.iter().find(|(start, end)| end - start > 1) {
        let row =
            order.as_ref().map_or(*start, |order| order.get(*start).map_or(*start, |row| *row as usize));
        let cell = data_point_key(&step.columns, &relation, row);
        return Err(Diagnostic::new(
            DiagnosticCode::Duplicate,
            step.span,
            "two data points would have one key",
        )
        .at_data_point(cell));
    }
    let Some(order) = order else { return Ok(relation) };
    Ok(relation.pick(&order, Threads::ONE, guard)?)
}

/// Returns the identifier columns except one.
fn identifier_columns<'r>(relation: &'r Relation, step: &PlanStep, but: Option<usize>) -> Vec<&'r Column> {
    let identifiers = step.columns.iter().take_while(|field| field.role == Role::Identifier).count();
    let columns = relation.columns.iter().take(identifiers).enumerate();
    columns.filter(|(at, _)| Some(*at) != but).map(|(_, column)| &**column).collect()
}

/// Rows grouped by all identifiers except time, each group in order of time.
struct SeriesRows {
    order: Vec<u32>,
    runs: Vec<(usize, usize)>,
    guard: RunGuard,
}

impl SeriesRows {
    fn new(relation: &Relation, time: usize, step: &PlanStep, guard: RunGuard) -> Self {
        let others = identifier_columns(relation, step, Some(time));
        let lines = rank_rows(others.iter().copied(), relation.rows);
        let clock = relation.columns.get(time).map(|column| &**column);
        // Sort by the other identifiers, then by time.
        let order = sort_order(&rank_rows(others.iter().copied().chain(clock), relation.rows));
        let order = order.unwrap_or_else(|| (0..relation.rows as u32).collect());
        let runs = if relation.rows == 0 { Vec::new() } else { equal_runs(&lines, Some(&order)) };
        Self { order, runs, guard }
    }

    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.runs
            .iter()
            .take_while(|_| !self.guard.is_stopped())
            .map(|(start, end)| self.order.get(*start..*end).unwrap_or_default())
    }
}

/// Evaluates an operator along the time of each series.
pub(super) fn eval_time_series(
    relation: &Relation,
    (time, value_type): (usize, ValueType),
    op: SeriesOp,
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    meter.charge(relation.rows, 2 * SORT_STEPS + TEXT_STEPS, step.span)?;
    let Some(times) = relation.columns.get(time).cloned() else { return Ok(relation.clone()) };
    let guard = meter.guard();
    let _ranks = guard.reserve_each(relation.rows, 2 * SORT_BYTES)?;
    let lines = SeriesRows::new(relation, time, step, guard);
    if !op.fills() {
        return flow::eval_flow(relation, &lines, (&times, value_type), op, meter, step);
    }
    match TimeAxis::of(&times, value_type) {
        None => {
            meter.reserve(relation.rows, relation.columns.len(), step.span)?;
            Ok(relation.clone())
        }
        Some(clock) => fill::fill_periods(relation, &lines, (time, clock), op, meter, step),
    }
}

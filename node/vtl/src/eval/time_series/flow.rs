//! `flow_to_stock` and `stock_to_flow`: cumulative sums along each series, and their differences.

use schemas::decimal::Decimal;
use schemas::interval::Interval;
use schemas::period::Frequency;
use schemas::structure::{Role, ValueType};
use schemas::table::Column;

use super::super::column::SharedColumn;
use super::super::column::set_row;
use super::super::relation::{Relation, data_point_key};
use super::SeriesRows;
use crate::ast::SeriesOp;
use crate::budget::{BudgetMeter, DIVIDE_STEPS};
use crate::ceilings::row_bytes;
use crate::decimal128::{self, Error, ExactSum};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::plan::PlanStep;

/// Number of series within a group: one for each frequency, and one for values without frequency.
const SERIES: usize = Frequency::ALL.len() + 1;

/// Replaces each measure by cumulative sums or differences; identifiers and attributes are kept.
pub(super) fn eval_flow(
    relation: &Relation,
    lines: &SeriesRows,
    (times, value_type): (&Column, ValueType),
    op: SeriesOp,
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    let measures = step.columns.iter().filter(|field| field.role == Role::Measure).count();
    meter.charge(relation.rows * measures, 2 * DIVIDE_STEPS, step.span)?;
    meter.reserve(relation.rows, relation.columns.len(), step.span)?;
    let guard = meter.guard();
    let _series = guard.reserve_each(relation.rows, size_of::<usize>() as u64)?;
    let series: Vec<usize> = (0..relation.rows).map(|row| frequency_index(times, value_type, row)).collect();
    let mut columns = Vec::with_capacity(relation.columns.len());
    for (field, column) in step.columns.iter().zip(&relation.columns) {
        if field.role != Role::Measure {
            columns.push(column.clone());
            continue;
        }
        let reserved = guard.reserve(row_bytes(column, relation.rows))?;
        let made =
            flow_column(column, lines, &series, op == SeriesOp::FlowToStock).map_err(|(error, row)| {
                let message = format!("`{}`: {error}", op.name());
                Diagnostic::new(DiagnosticCode::Overflow, step.span, message).at_data_point(data_point_key(
                    &step.columns,
                    relation,
                    row,
                ))
            })?;
        drop(reserved);
        columns.push(SharedColumn::new(made, &guard));
    }
    Ok(Relation { columns, rows: relation.rows })
}

/// Returns the index of the frequency of a row; dates and irregular intervals share the last index.
fn frequency_index(times: &Column, value_type: ValueType, row: usize) -> usize {
    let frequency = match times {
        Column::Period(rows) if value_type != ValueType::Date => rows.get(row).copied().flatten(),
        Column::Text(texts) => texts.get(row).and_then(|text| text.parse().ok()).and_then(Interval::period),
        _ => None,
    };
    frequency.map_or(SERIES - 1, |period| period.frequency() as usize)
}

fn flow_column(
    column: &Column,
    lines: &SeriesRows,
    series: &[usize],
    sums: bool,
) -> Result<Column, (Error, usize)> {
    Ok(match (column, sums) {
        (Column::Integer(rows), true) => {
            let add = |sum: &mut i128, value: i64| {
                // INVARIANT: the sum of at most 2^24 64-bit values fits 128 bits.
                *sum += i128::from(value);
                i64::try_from(*sum).map_err(|_| Error::Overflow)
            };
            Column::Integer(running_sums(rows, lines, series, add)?)
        }
        (Column::Number(rows), true) => {
            let add = |total: &mut ExactSum, value: Decimal| {
                total.add(value);
                total.sum()
            };
            Column::Number(running_sums(rows, lines, series, add)?)
        }
        (Column::Integer(rows), false) => {
            let less = |value: i64, before: i64| value.checked_sub(before).ok_or(Error::Overflow);
            Column::Integer(period_differences(rows, lines, series, less)?)
        }
        (Column::Number(rows), false) => {
            Column::Number(period_differences(rows, lines, series, decimal128::sub)?)
        }
        (other, _) => other.clone(),
    })
}

/// Returns cumulative sums; a null stays null and is skipped.
fn running_sums<T: Copy, S: Default>(
    rows: &[Option<T>],
    lines: &SeriesRows,
    series: &[usize],
    add: impl Fn(&mut S, T) -> Result<T, Error>,
) -> Result<Vec<Option<T>>, (Error, usize)> {
    let mut made = vec![None; rows.len()];
    for line in lines.iter() {
        // Each frequency within a group is a series of its own.
        let mut states: [S; SERIES] = Default::default();
        for row in line.iter().map(|row| *row as usize) {
            let state = series.get(row).and_then(|at| states.get_mut(*at));
            if let (Some(value), Some(state)) = (rows.get(row).copied().flatten(), state) {
                set_row(&mut made, row, Some(add(state, value).map_err(|error| (error, row))?));
            }
        }
    }
    Ok(made)
}

/// Returns the first value, then the difference from the previous one; null when either is null.
fn period_differences<T: Copy>(
    rows: &[Option<T>],
    lines: &SeriesRows,
    series: &[usize],
    less: impl Fn(T, T) -> Result<T, Error>,
) -> Result<Vec<Option<T>>, (Error, usize)> {
    let mut made = vec![None; rows.len()];
    for line in lines.iter() {
        let mut states: [Option<Option<T>>; SERIES] = [None; SERIES];
        for row in line.iter().map(|row| *row as usize) {
            let Some(state) = series.get(row).and_then(|at| states.get_mut(*at)) else { continue };
            let value = rows.get(row).copied().flatten();
            let flow = match (value, *state) {
                (Some(value), Some(Some(before))) => Some(less(value, before).map_err(|error| (error, row))?),
                (value, None) => value,
                _ => None,
            };
            set_row(&mut made, row, flow);
            *state = Some(value);
        }
    }
    Ok(made)
}

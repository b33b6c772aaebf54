//! The extensions `ewma` and `chain_product` (`specs/vtl.md`, "Extensions"): recurrences along the
//! time of each series. Every operation rounds once, in the specified order.
//!
//! A series is one frequency within one partition. Nulls stay null and are skipped.

use schemas::decimal::Decimal;
use schemas::period::Frequency;
use schemas::table::Column;

use super::column::{NumberView, set_row};
use super::error::{DecimalRowError, keep_earlier};
use super::window_bounds::PartitionedRows;
use crate::decimal128::{Error, add, mul, sub};

/// Exponentially weighted moving average `E(t) = weight × x(t) + (1 − weight) × E(t−1)`, started by
/// the first non-null value.
///
/// Order of rounding: `1 − weight` once, then both products, then their sum.
pub(super) fn exponential_average(
    operand: &NumberView<'_>,
    weight: &Decimal,
    windows: &PartitionedRows,
    times: Option<&Column>,
) -> Result<Vec<Option<Decimal>>, DecimalRowError> {
    let rest = sub(Decimal::from(1), *weight).map_err(|error| (error, 0))?;
    let step = |before: Decimal, value: Decimal| add(mul(*weight, value)?, mul(rest, before)?);
    run_recurrence(operand, windows, times, step)
}

/// Cumulative product, rounded after each multiplication.
pub(super) fn chain_product(
    operand: &NumberView<'_>,
    windows: &PartitionedRows,
    times: Option<&Column>,
) -> Result<Vec<Option<Decimal>>, DecimalRowError> {
    run_recurrence(operand, windows, times, mul)
}

fn run_recurrence(
    operand: &NumberView<'_>,
    windows: &PartitionedRows,
    times: Option<&Column>,
    step: impl Fn(Decimal, Decimal) -> Result<Decimal, Error>,
) -> Result<Vec<Option<Decimal>>, DecimalRowError> {
    let frequency = |row: usize| -> Option<Frequency> {
        match times {
            Some(Column::Period(periods)) => periods.get(row).copied().flatten().map(|p| p.frequency()),
            _ => None,
        }
    };
    let (mut results, mut first_error) = (vec![None; windows.rows], None);
    for points in windows.partitions() {
        let (mut state, mut series): (Option<Decimal>, Option<Frequency>) = (None, None);
        for row in points.iter().take_while(|row| !windows.guard.is_stopped_at(**row)) {
            // Another frequency starts another series.
            if frequency(*row) != series {
                (state, series) = (None, frequency(*row));
            }
            let Some(value) = operand.at(*row) else { continue };
            let next = match state {
                None => Ok(value.normalized()),
                Some(before) => step(before, value),
            };
            match next {
                Ok(next) => state = Some(next),
                Err(error) => {
                    keep_earlier(&mut first_error, (error, *row));
                    // The rest of the partition depends on the first_error value.
                    break;
                }
            }
            set_row(&mut results, *row, state);
        }
    }
    first_error.map_or(Ok(results), Err)
}

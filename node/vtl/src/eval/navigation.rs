//! Analytic operators that rank or look up data points: `rank`, `first_value`, `last_value`, `lag`,
//! `lead`, `ratio_to_report` (SQL's ranking and navigation functions).

use schemas::decimal::Decimal;
use schemas::table::Column;

use super::column::{NumberView, set_row};
use super::error::{DecimalRowError, keep_earlier};
use super::window_bounds::PartitionedRows;
use crate::decimal128::{self, ExactSum};

/// Ranks the data points of each partition from 1; ties share a rank and leave a gap after them
/// (reference manual, "Rank").
pub(super) fn rank_points(windows: &PartitionedRows) -> Vec<Option<i64>> {
    let mut ranks = vec![None; windows.rows];
    for points in windows.partitions() {
        let (mut rank, mut last) = (1, None);
        for (place, row) in points.iter().enumerate() {
            let peer = windows.peers.get(*row);
            // A peer group takes the position of its first row as its rank.
            if last != peer {
                rank = place as i64 + 1;
            }
            last = peer;
            set_row(&mut ranks, *row, Some(rank));
        }
    }
    ranks
}

/// Returns the row of the first or last non-null value of each window; `usize::MAX` for none.
pub(super) fn first_or_last(operand: &Column, windows: &PartitionedRows, last: bool) -> Vec<usize> {
    let mut sources = vec![usize::MAX; windows.rows];
    for points in windows.partitions() {
        let known = nearest_values(operand, points, last);
        let mut bounds = windows.window_bounds(points);
        for (at, row) in points.iter().enumerate() {
            let (start, end) = bounds.window(at);
            // Start at the end of the window and look for the nearest value towards its inside.
            let from = if last { end.checked_sub(1) } else { Some(start) };
            let place = from.and_then(|from| known.get(from).copied().flatten());
            let inside = place.filter(|place| (start..end).contains(place));
            if let Some(source) = inside.and_then(|place| points.get(place)) {
                set_row(&mut sources, *row, *source);
            }
        }
    }
    sources
}

/// Returns, for each position, the nearest position with a value, forwards or `back`, itself
/// included.
fn nearest_values(operand: &Column, points: &[usize], back: bool) -> Vec<Option<usize>> {
    let mut nearest = None;
    let mut look = |(place, row): (usize, &usize)| {
        if !operand.is_null(*row) {
            nearest = Some(place);
        }
        nearest
    };
    if back {
        return points.iter().enumerate().map(look).collect();
    }
    let mut found: Vec<Option<usize>> = points.iter().enumerate().rev().map(&mut look).collect();
    found.reverse();
    found
}

/// Returns the row `count` data points before or after each row; `usize::MAX` beyond the partition.
pub(super) fn offset_sources(windows: &PartitionedRows, count: usize, ahead: bool) -> Vec<usize> {
    let mut sources = vec![usize::MAX; windows.rows];
    for points in windows.partitions() {
        for (at, row) in points.iter().enumerate() {
            let place = if ahead { at.checked_add(count) } else { at.checked_sub(count) };
            if let Some(source) = place.and_then(|place| points.get(place)) {
                set_row(&mut sources, *row, *source);
            }
        }
    }
    sources
}

/// Divides each value by the sum of its partition: the sum is rounded once, then the quotient.
pub(super) fn ratios_to_report(
    operand: &NumberView<'_>,
    windows: &PartitionedRows,
) -> Result<Vec<Option<Decimal>>, DecimalRowError> {
    let (mut results, mut first_error) = (vec![None; windows.rows], None);
    for points in windows.partitions() {
        let mut total = ExactSum::default();
        let within = |row: &&usize| !windows.guard.is_stopped_at(**row);
        points
            .iter()
            .take_while(within)
            .filter_map(|row| operand.at(*row))
            .for_each(|value| total.add(value));
        // Its error is reported at the first row that has a value.
        let sum = total.sum();
        for row in points.iter().take_while(within) {
            let Some(value) = operand.at(*row) else { continue };
            match sum.and_then(|sum| decimal128::div(value, sum)) {
                Ok(share) => set_row(&mut results, *row, Some(share)),
                Err(error) => keep_earlier(&mut first_error, (error, *row)),
            }
        }
    }
    first_error.map_or(Ok(results), Err)
}

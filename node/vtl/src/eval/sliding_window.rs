//! Sliding-window aggregates. Both window ends only move forward, so each data point enters and
//! leaves once: linear time for any window size. Sums are exact, so removed values leave no error
//! behind; minimum and maximum keep a monotonic queue.

use std::collections::VecDeque;

use schemas::decimal::Decimal;
use schemas::structure::ValueType;
use schemas::table::Column;

use super::column::number_at;
use super::error::{DecimalRowError, keep_earlier};
use super::key_ranks::duration_ranks;
use super::window_bounds::PartitionedRows;
use crate::decimal128::{Error, ExactSum};

/// State of an aggregate over a sliding window.
pub(super) trait WindowAggregate {
    type Value: Clone;

    /// Starts a partition with an empty window.
    fn start_partition(&mut self, points: &[usize]);
    fn enter(&mut self, row: usize);
    fn leave(&mut self, row: usize);
    /// Returns the aggregate of the window; `None` is null.
    fn value(&self) -> Result<Option<Self::Value>, Error>;
}

/// Aggregates the window of each row. Adjacent rows with the same window share one evaluation.
pub(super) fn slide_windows<S: WindowAggregate>(
    windows: &PartitionedRows,
    mut state: S,
) -> Result<Vec<Option<S::Value>>, DecimalRowError> {
    let mut results: Vec<Option<S::Value>> = vec![None; windows.rows];
    let mut first_error = None;
    for points in windows.partitions() {
        state.start_partition(points);
        let mut bounds = windows.window_bounds(points);
        let (mut from, mut to) = (0, 0);
        let mut value: Option<Option<S::Value>> = None;
        for (at, row) in points.iter().enumerate() {
            let (start, end) = bounds.window(at);
            if (start, end) != (from, to) {
                value = None;
            }
            // Enter before leave: a row that does both is never removed before it was added.
            let within = |row: &&usize| !windows.guard.is_stopped_at(**row);
            let entering = points.get(to..end).unwrap_or_default().iter();
            entering.take_while(within).for_each(|row| state.enter(*row));
            to = to.max(end);
            // INVARIANT: only a data point that has entered leaves.
            if windows.guard.is_stopped() {
                return Ok(results);
            }
            points.get(from..start).unwrap_or_default().iter().for_each(|row| state.leave(*row));
            from = from.max(start);
            let current = match value.take() {
                Some(current) => current,
                None => state.value().unwrap_or_else(|error| {
                    keep_earlier(&mut first_error, (error, *row));
                    None
                }),
            };
            if let Some(slot) = results.get_mut(*row) {
                slot.clone_from(&current);
            }
            value = Some(current);
        }
    }
    first_error.map_or(Ok(results), Err)
}

/// Count of non-null values.
pub(super) struct WindowCount<'a> {
    operand: &'a Column,
    count: i64,
}

impl<'a> WindowCount<'a> {
    pub(super) fn new(operand: &'a Column) -> Self {
        Self { operand, count: 0 }
    }
}

impl WindowAggregate for WindowCount<'_> {
    type Value = i64;

    fn start_partition(&mut self, _: &[usize]) {
        self.count = 0;
    }

    fn enter(&mut self, row: usize) {
        self.count += i64::from(!self.operand.is_null(row));
    }

    fn leave(&mut self, row: usize) {
        self.count -= i64::from(!self.operand.is_null(row));
    }

    fn value(&self) -> Result<Option<i64>, Error> {
        Ok(Some(self.count))
    }
}

/// Checked sum of integers.
pub(super) struct WindowIntegerSum<'a> {
    rows: &'a [Option<i64>],
    count: u64,
    sum: i128,
}

impl<'a> WindowIntegerSum<'a> {
    pub(super) fn new(rows: &'a [Option<i64>]) -> Self {
        Self { rows, count: 0, sum: 0 }
    }

    fn at(&self, row: usize) -> Option<i128> {
        self.rows.get(row).copied().flatten().map(i128::from)
    }
}

impl WindowAggregate for WindowIntegerSum<'_> {
    type Value = i64;

    fn start_partition(&mut self, _: &[usize]) {
        (self.count, self.sum) = (0, 0);
    }

    fn enter(&mut self, row: usize) {
        if let Some(value) = self.at(row) {
            (self.count, self.sum) = (self.count + 1, self.sum + value);
        }
    }

    fn leave(&mut self, row: usize) {
        if let Some(value) = self.at(row) {
            (self.count, self.sum) = (self.count - 1, self.sum - value);
        }
    }

    fn value(&self) -> Result<Option<i64>, Error> {
        let sum = i64::try_from(self.sum).map_err(|_| Error::Overflow)?;
        Ok((self.count > 0).then_some(sum))
    }
}

/// Exact sum of numbers, rounded once.
pub(super) struct WindowSum<'a> {
    operand: &'a Column,
    count: u64,
    total: ExactSum,
}

impl<'a> WindowSum<'a> {
    pub(super) fn new(operand: &'a Column) -> Self {
        Self { operand, count: 0, total: ExactSum::default() }
    }
}

impl WindowAggregate for WindowSum<'_> {
    type Value = Decimal;

    fn start_partition(&mut self, _: &[usize]) {
        (self.count, self.total) = (0, ExactSum::default());
    }

    fn enter(&mut self, row: usize) {
        if let Some(value) = number_at(self.operand, row) {
            self.count += 1;
            self.total.add(value);
        }
    }

    fn leave(&mut self, row: usize) {
        if let Some(value) = number_at(self.operand, row) {
            self.count -= 1;
            self.total.remove(value);
        }
    }

    fn value(&self) -> Result<Option<Decimal>, Error> {
        if self.count == 0 { Ok(None) } else { self.total.sum().map(Some) }
    }
}

/// Exact mean, rounded once.
pub(super) struct WindowMean<'a>(WindowSum<'a>);

impl<'a> WindowMean<'a> {
    pub(super) fn new(operand: &'a Column) -> Self {
        Self(WindowSum::new(operand))
    }
}

impl WindowAggregate for WindowMean<'_> {
    type Value = Decimal;

    fn start_partition(&mut self, points: &[usize]) {
        self.0.start_partition(points);
    }

    fn enter(&mut self, row: usize) {
        self.0.enter(row);
    }

    fn leave(&mut self, row: usize) {
        self.0.leave(row);
    }

    fn value(&self) -> Result<Option<Decimal>, Error> {
        if self.0.count == 0 { Ok(None) } else { self.0.total.mean(self.0.count).map(Some) }
    }
}

/// Row of the minimum or maximum, by a monotonic queue: each row in it is better than all later ones.
pub(super) struct WindowExtreme<'a> {
    operand: &'a Column,
    /// Ranks of durations, whose text order differs from the order of their lengths.
    lengths: Option<Vec<i64>>,
    greatest: bool,
    queue: VecDeque<usize>,
}

impl<'a> WindowExtreme<'a> {
    pub(super) fn new(operand: &'a Column, value_type: Option<ValueType>, greatest: bool) -> Self {
        let lengths = (value_type == Some(ValueType::Duration)).then(|| duration_ranks(operand));
        Self { operand, lengths, greatest, queue: VecDeque::new() }
    }

    /// Returns whether an earlier row can no longer be the extreme once `row` has entered.
    fn beaten(&self, earlier: usize, row: usize) -> bool {
        let order = match &self.lengths {
            Some(lengths) => lengths.get(earlier).cmp(&lengths.get(row)),
            None => self.operand.compare(earlier, row),
        };
        if self.greatest { order.is_lt() } else { order.is_gt() }
    }
}

impl WindowAggregate for WindowExtreme<'_> {
    type Value = usize;

    fn start_partition(&mut self, _: &[usize]) {
        self.queue.clear();
    }

    fn enter(&mut self, row: usize) {
        if self.operand.is_null(row) {
            return;
        }
        // Rows worse than a later one can never become the extreme again.
        while self.queue.back().is_some_and(|last| self.beaten(*last, row)) {
            self.queue.pop_back();
        }
        self.queue.push_back(row);
    }

    fn leave(&mut self, row: usize) {
        // A row that was displaced by a better one is no longer in the queue.
        if self.queue.front() == Some(&row) {
            self.queue.pop_front();
        }
    }

    fn value(&self) -> Result<Option<usize>, Error> {
        Ok(self.queue.front().copied())
    }
}

/// Row of the minimum; null when the window contains a null.
pub(super) struct NonNullMinimum<'a> {
    least: WindowExtreme<'a>,
    nulls: usize,
}

impl<'a> NonNullMinimum<'a> {
    pub(super) fn new(operand: &'a Column, value_type: Option<ValueType>) -> Self {
        Self { least: WindowExtreme::new(operand, value_type, false), nulls: 0 }
    }
}

impl WindowAggregate for NonNullMinimum<'_> {
    type Value = usize;

    fn start_partition(&mut self, points: &[usize]) {
        self.least.start_partition(points);
        self.nulls = 0;
    }

    fn enter(&mut self, row: usize) {
        self.nulls += usize::from(self.least.operand.is_null(row));
        self.least.enter(row);
    }

    fn leave(&mut self, row: usize) {
        self.nulls -= usize::from(self.least.operand.is_null(row));
        self.least.leave(row);
    }

    fn value(&self) -> Result<Option<usize>, Error> {
        if self.nulls > 0 { Ok(None) } else { self.least.value() }
    }
}

//! Operators over windows whose ends only move forward: each data point enters once and leaves
//! once. Sums are exact, so what left leaves nothing behind; extremes keep a monotonic queue.

use std::collections::VecDeque;

use schemas::decimal::Decimal;
use schemas::structure::ValueType;
use schemas::table::Column;

use super::column::number_at;
use super::error::{DecimalRowError, keep_earlier};
use super::key_ranks::duration_ranks;
use super::window_bounds::PartitionedRows;
use crate::decimal128::{Error, ExactSum};

/// What an aggregate knows of the window.
pub(super) trait WindowAggregate {
    type Value: Clone;

    /// A new partition; the window is empty.
    fn start_partition(&mut self, points: &[usize]);
    fn enter(&mut self, row: usize);
    fn leave(&mut self, row: usize);
    /// The value of the window; null as `None`.
    fn value(&self) -> Result<Option<Self::Value>, Error>;
}

/// The value of the window of each row. Neighbours with one window share its value.
pub(super) fn slide_windows<S: WindowAggregate>(
    windows: &PartitionedRows,
    mut state: S,
) -> Result<Vec<Option<S::Value>>, DecimalRowError> {
    let mut made: Vec<Option<S::Value>> = vec![None; windows.rows];
    let mut failed = None;
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
            points.get(to..end).unwrap_or_default().iter().for_each(|row| state.enter(*row));
            to = to.max(end);
            points.get(from..start).unwrap_or_default().iter().for_each(|row| state.leave(*row));
            from = from.max(start);
            let current = match value.take() {
                Some(current) => current,
                None => state.value().unwrap_or_else(|error| {
                    keep_earlier(&mut failed, (error, *row));
                    None
                }),
            };
            if let Some(slot) = made.get_mut(*row) {
                slot.clone_from(&current);
            }
            value = Some(current);
        }
    }
    failed.map_or(Ok(made), Err)
}

/// How many values are not null.
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

/// Checked sums of integers.
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

/// Exact sums of numbers.
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

/// Exact sums, divided by how many there are.
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

/// The row of the least or greatest value: a queue in which each is better than all behind it.
pub(super) struct WindowExtreme<'a> {
    operand: &'a Column,
    /// The places of durations, which are spelled in another order than they have.
    lengths: Option<Vec<i64>>,
    greatest: bool,
    queue: VecDeque<usize>,
}

impl<'a> WindowExtreme<'a> {
    pub(super) fn new(operand: &'a Column, kind: Option<ValueType>, greatest: bool) -> Self {
        let lengths = (kind == Some(ValueType::Duration)).then(|| duration_ranks(operand));
        Self { operand, lengths, greatest, queue: VecDeque::new() }
    }

    /// Whether a value that came earlier can no longer be the answer.
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
        while self.queue.back().is_some_and(|last| self.beaten(*last, row)) {
            self.queue.pop_back();
        }
        self.queue.push_back(row);
    }

    fn leave(&mut self, row: usize) {
        if self.queue.front() == Some(&row) {
            self.queue.pop_front();
        }
    }

    fn value(&self) -> Result<Option<usize>, Error> {
        Ok(self.queue.front().copied())
    }
}

/// The row of the least value of a window without nulls.
pub(super) struct NonNullMinimum<'a> {
    least: WindowExtreme<'a>,
    nulls: usize,
}

impl<'a> NonNullMinimum<'a> {
    pub(super) fn new(operand: &'a Column, kind: Option<ValueType>) -> Self {
        Self { least: WindowExtreme::new(operand, kind, false), nulls: 0 }
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

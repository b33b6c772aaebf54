//! Partitions, and the window of each data point as a range of positions in its partition.
//!
//! INVARIANT: from one data point to the next, neither window end moves back, so a pass over a
//! partition visits each position at most twice.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::table::Column;

use crate::ceilings::RunGuard;
use crate::decimal128;

/// End of a window; an offset before the current data point is negative.
#[derive(Debug, Clone, Copy)]
pub(super) enum WindowEdge {
    First,
    Last,
    Current,
    Offset(Decimal),
}

impl WindowEdge {
    pub(super) fn is_offset(self) -> bool {
        matches!(self, WindowEdge::Offset(_))
    }

    /// Returns the offset in data points; `None` for an unbounded end.
    fn point_offset(self) -> Option<i64> {
        match self {
            WindowEdge::First | WindowEdge::Last => None,
            WindowEdge::Current => Some(0),
            WindowEdge::Offset(count) => Some(decimal128::to_integer(count).unwrap_or(0)),
        }
    }
}

/// Numeric scale of a `range` window: one number for each row, negated in descending order.
pub(super) enum RangeScale {
    None,
    Whole(Vec<Option<i128>>),
    Decimal(Vec<Option<Decimal>>),
}

/// Distance between frequencies on the scale of periods, beyond the reach of any range.
const FREQUENCY_GAP: i128 = 1 << 72;

impl RangeScale {
    pub(super) fn new(column: &Column, down: bool) -> Self {
        let sign = if down { -1 } else { 1 };
        match column {
            Column::Integer(rows) => {
                Self::Whole(rows.iter().map(|value| value.map(|value| sign * i128::from(value))).collect())
            }
            Column::Period(rows) => {
                let place = |period: schemas::period::Period| {
                    period.frequency() as i128 * FREQUENCY_GAP + i128::from(period.ordinal())
                };
                Self::Whole(rows.iter().map(|period| period.map(|period| sign * place(period))).collect())
            }
            Column::Number(rows) if down => {
                Self::Decimal(rows.iter().map(|value| value.map(decimal128::negate)).collect())
            }
            Column::Number(rows) => Self::Decimal(rows.clone()),
            Column::Text(_) | Column::Boolean(_) => Self::None,
        }
    }

    /// Compares the value of `row` with that of `base` plus `offset`; `None` when either is null.
    fn compare_offset(&self, row: usize, base: usize, offset: Decimal) -> Option<Ordering> {
        match self {
            RangeScale::None => None,
            RangeScale::Whole(rows) => {
                let (value, base) = (rows.get(row).copied()??, rows.get(base).copied()??);
                Some(value.cmp(&(base + i128::from(decimal128::to_integer(offset).unwrap_or(0)))))
            }
            RangeScale::Decimal(rows) => {
                let (value, base) = (rows.get(row).copied()??, rows.get(base).copied()??);
                Some(match decimal128::add(base, offset) {
                    Ok(limit) => value.compare(limit),
                    // The limit overflows: every number lies on one side of it.
                    Err(_) if offset.coefficient() > 0 => Ordering::Less,
                    Err(_) => Ordering::Greater,
                })
            }
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            RangeScale::None => true,
            RangeScale::Whole(rows) => rows.get(row).is_none_or(Option::is_none),
            RangeScale::Decimal(rows) => rows.get(row).is_none_or(Option::is_none),
        }
    }
}

/// Iteration over the windows of one partition, from its first to its last data point.
pub(super) struct WindowBounds<'a> {
    points: &'a [usize],
    from: WindowEdge,
    to: WindowEdge,
    range: Option<(&'a RangeScale, &'a [u64])>,
    start: usize,
    end: usize,
}

impl<'a> WindowBounds<'a> {
    pub(super) fn new(
        points: &'a [usize],
        from: WindowEdge,
        to: WindowEdge,
        range: Option<(&'a RangeScale, &'a [u64])>,
    ) -> Self {
        Self { points, from, to, range, start: 0, end: 0 }
    }

    /// Returns the positions `start..end` of the window at position `at`; `at` must not decrease
    /// between calls.
    pub(super) fn window(&mut self, at: usize) -> (usize, usize) {
        let (start, end) = match self.range {
            None => self.rows_window(at),
            Some((scale, ranks)) => {
                self.start = self.advance(self.start, at, self.from, scale, ranks, false);
                self.end = self.advance(self.end, at, self.to, scale, ranks, true);
                (self.start, self.end)
            }
        };
        // An inverted window, such as 2 following to 1 following, is empty.
        (start, end.max(start))
    }

    fn rows_window(&self, at: usize) -> (usize, usize) {
        let length = self.points.len();
        // Offsets beyond the partition are clamped to its ends.
        let place = |offset: i64| (at as i64).saturating_add(offset).clamp(0, length as i64) as usize;
        let limit = |edge: WindowEdge, after: i64| match edge.point_offset() {
            Some(offset) => place(offset.saturating_add(after)),
            None if matches!(edge, WindowEdge::First) => 0,
            None => length,
        };
        (limit(self.from, 0), limit(self.to, 1))
    }

    /// Returns the first position from `place` on that is not before the limit, or with `past` the
    /// first beyond it.
    fn advance(
        &self,
        place: usize,
        at: usize,
        edge: WindowEdge,
        scale: &RangeScale,
        ranks: &[u64],
        past: bool,
    ) -> usize {
        let Some(current) = self.points.get(at).copied() else { return place };
        let offset = match edge {
            WindowEdge::First => return 0,
            WindowEdge::Last => return self.points.len(),
            WindowEdge::Current => None,
            WindowEdge::Offset(_) if scale.is_null(current) => None,
            WindowEdge::Offset(offset) => Some(offset),
        };
        let before = |row: usize| {
            let peers = || ranks.get(row).cmp(&ranks.get(current));
            let order = offset.map_or_else(peers, |offset| {
                // A null has no distance: nulls sort first and form peers of their own.
                scale.compare_offset(row, current, offset).unwrap_or_else(peers)
            });
            order.is_lt() || (past && order.is_eq())
        };
        let rest = self.points.get(place..).unwrap_or_default();
        place + rest.iter().take_while(|row| before(**row)).count()
    }
}

/// Rows in partition order, and the window specification over them.
pub(super) struct PartitionedRows {
    pub(super) order: Vec<usize>,
    pub(super) parts: Vec<(usize, usize)>,
    /// Rank of each row by the `order by` components; ties are peers.
    pub(super) peers: Vec<u64>,
    pub(super) range: bool,
    pub(super) from: WindowEdge,
    pub(super) to: WindowEdge,
    pub(super) scale: RangeScale,
    pub(super) rows: usize,
    pub(super) guard: RunGuard,
}

impl PartitionedRows {
    /// Iterates over the partitions, each a slice of rows in order; ends early when the run is to end.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &[usize]> {
        let parts = self.parts.iter().take_while(|_| !self.guard.is_stopped());
        parts.map(|(start, end)| self.order.get(*start..*end).unwrap_or_default())
    }

    /// Returns the windows of a partition.
    pub(super) fn window_bounds<'w>(&'w self, points: &'w [usize]) -> WindowBounds<'w> {
        let scale = if self.range { Some((&self.scale, self.peers.as_slice())) } else { None };
        WindowBounds::new(points, self.from, self.to, scale)
    }
}

//! The window of each data point of a partition, in places of the partition.
//!
//! INVARIANT: from one data point to the next neither end moves back, so a walk over a partition
//! looks at each place at most twice.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::table::Column;

use crate::decimal128;

/// An end of a window; offsets are negative before the current data point.
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

    /// In data points.
    fn point_offset(self) -> Option<i64> {
        match self {
            WindowEdge::First | WindowEdge::Last => None,
            WindowEdge::Current => Some(0),
            WindowEdge::Offset(count) => Some(decimal128::to_integer(count).unwrap_or(0)),
        }
    }
}

/// What a range measures differences on: one number a row, turned round when it descends.
pub(super) enum RangeScale {
    None,
    Whole(Vec<Option<i128>>),
    Decimal(Vec<Option<Decimal>>),
}

/// Periods of different frequencies are further apart than any range reaches.
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

    /// Orders the value of `row` against that of `base` moved by `offset`; `None` when one is null.
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
                    // A limit beyond all numbers.
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

/// The windows of one partition; ask for its data points first to last.
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

    /// The places `start..end` of the window of the data point at a place.
    pub(super) fn window(&mut self, at: usize) -> (usize, usize) {
        let (start, end) = match self.range {
            None => self.rows_window(at),
            Some((scale, ranks)) => {
                self.start = self.advance(self.start, at, self.from, scale, ranks, false);
                self.end = self.advance(self.end, at, self.to, scale, ranks, true);
                (self.start, self.end)
            }
        };
        (start, end.max(start))
    }

    fn rows_window(&self, at: usize) -> (usize, usize) {
        let length = self.points.len();
        let place = |offset: i64| (at as i64).saturating_add(offset).clamp(0, length as i64) as usize;
        let limit = |edge: WindowEdge, after: i64| match edge.point_offset() {
            Some(offset) => place(offset.saturating_add(after)),
            None if matches!(edge, WindowEdge::First) => 0,
            None => length,
        };
        (limit(self.from, 0), limit(self.to, 1))
    }

    /// The first place, from `place` on, that is not before the limit; with `past` the first beyond.
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
                // A null has no distance: it stays on its side.
                scale.compare_offset(row, current, offset).unwrap_or_else(peers)
            });
            order.is_lt() || (past && order.is_eq())
        };
        let rest = self.points.get(place..).unwrap_or_default();
        place + rest.iter().take_while(|row| before(**row)).count()
    }
}

/// The rows in their partitions and order, and the windows over them.
pub(super) struct PartitionedRows {
    pub(super) order: Vec<usize>,
    pub(super) parts: Vec<(usize, usize)>,
    /// The rank of each row by what orders, turned round where that descends.
    pub(super) peers: Vec<u64>,
    pub(super) range: bool,
    pub(super) from: WindowEdge,
    pub(super) to: WindowEdge,
    pub(super) scale: RangeScale,
    pub(super) rows: usize,
}

impl PartitionedRows {
    /// The rows of each partition, in order.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &[usize]> {
        self.parts.iter().map(|(start, end)| self.order.get(*start..*end).unwrap_or_default())
    }

    /// The windows of the data points of a partition, first to last.
    pub(super) fn window_bounds<'w>(&'w self, points: &'w [usize]) -> WindowBounds<'w> {
        let scale = if self.range { Some((&self.scale, self.peers.as_slice())) } else { None };
        WindowBounds::new(points, self.from, self.to, scale)
    }
}

//! Analytic invocations over data points (reference manual, "Analytic invocation", "Lag").
//!
//! Rows are brought into partitions and ordered; rows of one partition that the order does not tell
//! apart follow each other in canonical order, so every result is determined. Sums slide exactly.

use schemas::table::Column;

use super::column::Col;
use super::group::number;
use super::key::{Codes, codes, order, runs};
use crate::ast::{Analytic, Bound};
use crate::decimal128::{Error, Total};
use crate::op::Aggregator;
use crate::plan::Frame;

/// One value a row; an error names the row.
pub(super) fn window(
    frame: &Frame,
    operand: &Column,
    columns: &[Col],
    rows: usize,
) -> Result<Column, (Error, usize)> {
    let coded = |at: usize| columns.get(at).map(|column| codes(column)).unwrap_or_default();
    let partition: Vec<Codes> = frame.partition.iter().map(|at| coded(*at)).collect();
    let mut keys = partition.clone();
    for (at, down) in &frame.order {
        let codes = coded(*at);
        keys.push(if *down { codes.into_iter().map(|code| !code).collect() } else { codes });
    }
    let order = order(&keys, rows).unwrap_or_else(|| (0..rows).collect());
    let mut made = Made::new(frame, operand, rows);
    for (start, end) in runs(&partition, Some(&order), rows) {
        let points = order.get(start..end).unwrap_or_default();
        made.partition(points)?;
    }
    Ok(made.column())
}

/// The results so far, at the rows of the operand.
struct Made<'a> {
    frame: &'a Frame,
    operand: &'a Column,
    /// For `lag`, `min`, `max`: the row that the value is taken from.
    source: Vec<usize>,
    integers: Vec<Option<i64>>,
    numbers: Vec<Option<schemas::decimal::Decimal>>,
}

impl<'a> Made<'a> {
    fn new(frame: &'a Frame, operand: &'a Column, rows: usize) -> Self {
        let (integers, numbers) = (vec![None; rows], vec![None; rows]);
        Self { frame, operand, source: vec![usize::MAX; rows], integers, numbers }
    }

    fn column(self) -> Column {
        match self.frame.op {
            Analytic::Aggregate(Aggregator::Count) => Column::Integer(self.integers),
            Analytic::Aggregate(Aggregator::Sum) if matches!(self.operand, Column::Integer(_)) => {
                Column::Integer(self.integers)
            }
            Analytic::Aggregate(Aggregator::Sum | Aggregator::Avg) => Column::Number(self.numbers),
            _ => self.operand.gather(&self.source),
        }
    }

    /// The rows of one partition, in order.
    fn partition(&mut self, points: &[usize]) -> Result<(), (Error, usize)> {
        match self.frame.op {
            Analytic::Lag(count) => {
                for (at, row) in points.iter().enumerate() {
                    let source = at.checked_sub(count as usize).and_then(|at| points.get(at)).copied();
                    set(&mut self.source, *row, source.unwrap_or(usize::MAX));
                }
                Ok(())
            }
            Analytic::Aggregate(op @ (Aggregator::Min | Aggregator::Max)) => {
                self.extremes(points, op == Aggregator::Max);
                Ok(())
            }
            Analytic::Aggregate(op) => self.sliding(points, op),
        }
    }

    /// Sums and counts: both ends of the window only move forward.
    fn sliding(&mut self, points: &[usize], op: Aggregator) -> Result<(), (Error, usize)> {
        let (mut total, mut count) = (Total::default(), 0_u64);
        let (mut from, mut to) = (0, 0);
        for (at, row) in points.iter().enumerate() {
            let (start, end) = bounds(self.frame, at, points.len());
            while to < end {
                if let Some(row) = points.get(to).filter(|row| !self.operand.is_null(**row)) {
                    count += 1;
                    total.add(number(self.operand, *row).unwrap_or(schemas::decimal::Decimal::ZERO));
                }
                to += 1;
            }
            while from < start.min(to) {
                if let Some(row) = points.get(from).filter(|row| !self.operand.is_null(**row)) {
                    count -= 1;
                    total.remove(number(self.operand, *row).unwrap_or(schemas::decimal::Decimal::ZERO));
                }
                from += 1;
            }
            self.put(op, *row, &total, count).map_err(|error| (error, *row))?;
        }
        Ok(())
    }

    fn put(&mut self, op: Aggregator, row: usize, total: &Total, count: u64) -> Result<(), Error> {
        match op {
            Aggregator::Count => set(&mut self.integers, row, Some(count as i64)),
            _ if count == 0 => {}
            Aggregator::Avg => set(&mut self.numbers, row, Some(total.mean(count)?)),
            _ if matches!(self.operand, Column::Integer(_)) => {
                set(&mut self.integers, row, Some(crate::decimal128::integer(total.sum()?)?));
            }
            _ => set(&mut self.numbers, row, Some(total.sum()?)),
        }
        Ok(())
    }

    /// The least or greatest: kept while the window only grows, looked for anew when it slides.
    fn extremes(&mut self, points: &[usize], greatest: bool) {
        let operand = self.operand;
        let better = |row: usize, best: usize| {
            let order = operand.compare(row, best);
            if (greatest && order.is_gt()) || (!greatest && order.is_lt()) { row } else { best }
        };
        let known = |row: &usize| !operand.is_null(*row);
        let backwards = matches!((self.frame.from, self.frame.to), (Bound::Offset(_), Bound::Last));
        let sequence: Vec<usize> =
            if backwards { (0..points.len()).rev().collect() } else { (0..points.len()).collect() };
        let grows = backwards || matches!(self.frame.from, Bound::First);
        let (mut best, mut seen): (Option<usize>, usize) = (None, 0);
        for at in sequence {
            let (start, end) = bounds(self.frame, at, points.len());
            let fresh = if !grows {
                best = None;
                points.get(start..end)
            } else if backwards {
                points.get(start..points.len() - seen)
            } else {
                points.get(seen..end.max(seen))
            };
            let rows = fresh.unwrap_or_default().iter().copied().filter(known);
            best = rows.fold(best, |best, row| Some(best.map_or(row, |best| better(row, best))));
            seen = if backwards { seen.max(points.len() - start) } else { seen.max(end) };
            if let Some(row) = points.get(at) {
                set(&mut self.source, *row, best.unwrap_or(usize::MAX));
            }
        }
    }
}

fn set<T>(rows: &mut [T], row: usize, value: T) {
    if let Some(slot) = rows.get_mut(row) {
        *slot = value;
    }
}

/// The places `start..end` of the window of a data point in its partition.
fn bounds(frame: &Frame, at: usize, length: usize) -> (usize, usize) {
    let place = |offset: i64| (at as i64).saturating_add(offset).clamp(0, length as i64) as usize;
    let start = match frame.from {
        Bound::First => 0,
        Bound::Last => length,
        Bound::Offset(offset) => place(offset),
    };
    let end = match frame.to {
        Bound::First => 0,
        Bound::Last => length,
        Bound::Offset(offset) => place(offset.saturating_add(1)),
    };
    (start, end.max(start))
}

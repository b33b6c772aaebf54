//! The rows of a file as they are read, a block of them at a time and column by column.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::{Role, ValueType};

use super::{Origin, Plan, Step};
use crate::block::Block;
use crate::error::ImportError;
use crate::filling::Filling;
use crate::mapping::DateFormat;
use crate::points;
use crate::records::Record;

/// Room is made for more rows than expected, by this part of them.
const ROOM_MORE: usize = 32;

/// The rows so far.
pub(super) struct Rows {
    pub(super) columns: Vec<Filling>,
    pub(super) lines: Lines,
    /// Rows read, whether or not they hold a figure.
    pub(super) read: u64,
    /// Cells without a figure, by the place of their spelling in the plan; the last are zeros.
    pub(super) missing: Vec<u64>,
}

/// The measures of a block that have no figure.
struct Holes {
    /// How many, by the place of their spelling in the plan.
    missing: Vec<u64>,
    /// How many, by row; empty when there are none at all.
    rows: Vec<u32>,
}

impl Rows {
    pub(super) fn new(plan: &Plan) -> Self {
        let columns = plan.steps.iter().map(|step| Filling::new(step.component.value_type)).collect();
        Self { columns, lines: Lines::default(), read: 0, missing: plan.no_gaps() }
    }

    /// Makes room for about so many rows, which a file may have or not.
    pub(super) fn reserve(&mut self, plan: &Plan, rows: usize) {
        let some_more = rows.saturating_add(rows / ROOM_MORE).min(plan.rows_max());
        self.columns.iter_mut().for_each(|column| column.reserve(some_more));
    }

    /// Adds a row, unless all its measures are missing and no status says why.
    pub(super) fn add(&mut self, plan: &Plan, record: &Record<'_>, line: u64) -> Result<(), ImportError> {
        points::bounded(self.lines.rows(), plan.rows_max(), line)?;
        let mut holes = Holes::none(plan);
        for (step, column) in plan.steps.iter().zip(&mut self.columns) {
            let gap = plan.cell(step, |column| record.cell(column), column)?;
            holes.note(step, gap, 0, 1);
        }
        self.end(plan, &holes, 1, line);
        Ok(())
    }

    /// Adds the rows of a block that begins in a line; when one of them has a fault, none is added
    /// and the answer is `false`.
    pub(super) fn block(&mut self, plan: &Plan, block: &Block<'_>, line: u64) -> bool {
        let rows = self.lines.rows();
        let mut holes = Holes::none(plan);
        let mut columns = plan.steps.iter().zip(&mut self.columns);
        let whole = rows + block.rows() <= plan.rows_max()
            && columns.all(|(step, column)| fill(plan, step, block, column, &mut holes).is_ok());
        if whole {
            self.end(plan, &holes, block.rows(), line);
        } else {
            self.columns.iter_mut().for_each(|column| column.truncate(rows));
        }
        whole
    }

    /// Takes the rows of what follows in the file, behind `lines` lines, and leaves its room.
    pub(super) fn take(&mut self, other: &mut Self, lines: u64) {
        self.read += std::mem::take(&mut other.read);
        let counts = other.missing.iter_mut().map(std::mem::take);
        self.missing.iter_mut().zip(counts).for_each(|(sum, more)| *sum += more);
        self.lines.take(&std::mem::take(&mut other.lines), lines);
        self.columns.iter_mut().zip(&mut other.columns).for_each(|(column, more)| column.take(more));
    }

    /// Counts the rows that the columns have got, one a line, and takes back those without a figure.
    fn end(&mut self, plan: &Plan, holes: &Holes, count: usize, line: u64) {
        let before = self.lines.rows();
        self.read += count as u64;
        self.missing.iter_mut().zip(&holes.missing).for_each(|(sum, more)| *sum += more);
        let measures = plan.steps.iter().filter(|step| step.component.role == Role::Measure).count();
        let empty = |missing: &u32| *missing as usize == measures;
        if !holes.rows.iter().any(empty) {
            return self.lines.push(line, count as u32);
        }
        let mut kept: Vec<bool> = holes.rows.iter().map(|missing| !empty(missing)).collect();
        for (_, column) in plan.steps.iter().zip(&self.columns).filter(|(step, _)| step.status) {
            let remarked = (before..before + count).map(|row| column.is_known(row));
            kept.iter_mut().zip(remarked).for_each(|(kept, remarked)| *kept |= remarked);
        }
        self.columns.iter_mut().for_each(|column| column.keep(before, &kept));
        let kept = (line..).zip(kept).filter(|(_, kept)| *kept);
        kept.for_each(|(line, _)| self.lines.push(line, 1));
    }
}

impl Holes {
    fn none(plan: &Plan) -> Self {
        Self { missing: plan.no_gaps(), rows: Vec::new() }
    }

    /// Notes by which word, if any, a component is missing in a row of so many.
    fn note(&mut self, step: &Step, gap: Option<usize>, row: usize, rows: usize) {
        let Some(spelling) = gap.filter(|_| step.component.role == Role::Measure) else { return };
        self.rows.resize(rows, 0);
        self.rows.get_mut(row).into_iter().for_each(|missing| *missing += 1);
        self.missing.get_mut(spelling).into_iter().for_each(|count| *count += 1);
    }
}

/// Fills a column with the cells of a block.
fn fill(
    plan: &Plan,
    step: &Step,
    block: &Block<'_>,
    column: &mut Filling,
    holes: &mut Holes,
) -> Result<(), ImportError> {
    let mut row = 0;
    loop {
        row += plain(plan, step, block, row, column);
        if row == block.rows() {
            return Ok(());
        }
        let gap = plan.cell(step, |at| block.cell(row, at), column)?;
        holes.note(step, gap, row, block.rows());
        row += 1;
    }
}

/// Adds the cells from a row on as long as each is what almost all are; says how many. What stops
/// it may be anything: a missing value, a text not met before, a number in another spelling.
fn plain(plan: &Plan, step: &Step, block: &Block<'_>, from: usize, column: &mut Filling) -> usize {
    let Origin::Column(at, _) = &step.origin else { return 0 };
    let cells = block.column(from, *at);
    match column {
        // A text that was met before is neither missing nor in another spelling than its own.
        Filling::Text(texts, rows) if step.areas.is_none() => many(cells, rows, |cell| texts.find(cell)),
        Filling::Number(rows) if plan.plain_numbers(step) => {
            many(cells, rows, |cell| Decimal::from_plain(cell).map(Some))
        }
        Filling::Period(rows) if plan.plain_periods() && step.dates == DateFormat::Sdmx => {
            match step.component.value_type {
                ValueType::TimePeriod => many(cells, rows, |cell| Period::from_ascii(cell).map(Some)),
                _ => 0,
            }
        }
        _ => 0,
    }
}

/// Adds values to rows as long as there are; says how many.
#[inline]
fn many<'a, T>(
    cells: impl Iterator<Item = &'a [u8]>,
    rows: &mut Vec<T>,
    value: impl FnMut(&[u8]) -> Option<T>,
) -> usize {
    let before = rows.len();
    rows.extend(cells.map_while(value));
    rows.len() - before
}

/// The line of each row: almost always the one behind that of the row before.
#[derive(Default)]
pub(super) struct Lines {
    /// A row, and its line, where it is not.
    jumps: Vec<(u32, u32)>,
    rows: u32,
    next: u32,
}

impl Lines {
    /// Adds rows, one a line; a file has fewer lines than bytes, which fit 32 bits.
    fn push(&mut self, line: u64, rows: u32) {
        let line = line as u32;
        if line != self.next {
            self.jumps.push((self.rows, line));
        }
        self.rows += rows;
        self.next = line.wrapping_add(rows);
    }

    pub(super) fn rows(&self) -> usize {
        self.rows as usize
    }

    /// The line of a row.
    pub(super) fn get(&self, row: usize) -> Option<u64> {
        let before = self.jumps.partition_point(|(first, _)| *first as usize <= row);
        let (first, line) = before.checked_sub(1).and_then(|at| self.jumps.get(at))?;
        (row < self.rows()).then(|| u64::from(*line) + (row as u64 - u64::from(*first)))
    }

    /// Takes the rows of the part that follows; it begins behind `lines` lines.
    pub(super) fn take(&mut self, other: &Self, lines: u64) {
        let jumps = other.jumps.iter().map(|(row, line)| (row + self.rows, line + lines as u32));
        self.jumps.extend(jumps);
        self.rows += other.rows;
        self.next = other.next.wrapping_add(lines as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_line() {
        let (mut lines, mut part) = (Lines::default(), Lines::default());
        [(2, 2), (4, 1), (7, 2)].into_iter().for_each(|(line, rows)| lines.push(line, rows));
        [(1, 2), (5, 1)].into_iter().for_each(|(line, rows)| part.push(line, rows));
        lines.take(&part, 10);
        lines.push(16, 1);
        let found: Vec<_> = (0..10).map_while(|row| lines.get(row)).collect();
        assert_eq!((found, lines.rows()), (vec![2, 3, 4, 7, 8, 11, 12, 15, 16], 9));
    }
}

//! Rows under construction: filled a block at a time, column by column.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::{Role, ValueType};

use super::{CellOrigin, ComponentPlan, ReadPlan};
use crate::build::column_builder::ColumnBuilder;
use crate::build::summary;
use crate::csv::block::RecordBlock;
use crate::csv::records::CsvRecord;
use crate::error::ImportError;
use crate::formats::mapping::DateFormat;

/// Capacity is reserved for the expected rows and this fraction more.
const SPARE_FRACTION: usize = 32;

/// The rows read so far.
pub(super) struct RowBuffer {
    pub(super) columns: Vec<ColumnBuilder>,
    pub(super) lines: RowLines,
    /// Rows read, whether or not they hold a figure.
    pub(super) read: u64,
    /// Cells without a figure by the index of the spelling in the plan; the last one counts zeros.
    pub(super) missing: Vec<u64>,
}

/// Missing measures of a block.
struct MissingFigures {
    /// Their number by the index of the spelling in the plan.
    missing: Vec<u64>,
    /// Their number by row; empty if the block has none.
    rows: Vec<u32>,
}

impl RowBuffer {
    pub(super) fn new(plan: &ReadPlan) -> Self {
        let columns = plan.steps.iter().map(|step| ColumnBuilder::new(step.component.value_type)).collect();
        Self { columns, lines: RowLines::default(), read: 0, missing: plan.no_missing() }
    }

    /// Reserves capacity for about `rows` rows, an estimate.
    pub(super) fn reserve(&mut self, plan: &ReadPlan, rows: usize) {
        let some_more = rows.saturating_add(rows / SPARE_FRACTION).min(plan.rows_max());
        self.columns.iter_mut().for_each(|column| column.reserve(some_more));
    }

    /// Adds a row, unless all its measures are missing and no status explains it.
    pub(super) fn add_row(
        &mut self,
        plan: &ReadPlan,
        record: &CsvRecord<'_>,
        line: u64,
    ) -> Result<(), ImportError> {
        summary::check_row_count(self.lines.rows(), plan.rows_max(), line)?;
        let mut missing_figures = MissingFigures::none(plan);
        for (step, column) in plan.steps.iter().zip(&mut self.columns) {
            let gap = plan.push_cell(step, |column| record.cell(column), column)?;
            missing_figures.note(step, gap, 0, 1);
        }
        self.finish_rows(plan, &missing_figures, 1, line);
        Ok(())
    }

    /// Adds the rows of a block that begins in `line`; `false`, and no change, if a row is invalid.
    pub(super) fn add_block(&mut self, plan: &ReadPlan, block: &RecordBlock<'_>, line: u64) -> bool {
        let rows = self.lines.rows();
        let mut missing_figures = MissingFigures::none(plan);
        let mut columns = plan.steps.iter().zip(&mut self.columns);
        let valid = rows + block.rows() <= plan.rows_max()
            && columns
                .all(|(step, column)| fill_column(plan, step, block, column, &mut missing_figures).is_ok());
        if valid {
            self.finish_rows(plan, &missing_figures, block.rows(), line);
        } else {
            // Removes the part of the block that was added before the invalid cell.
            self.columns.iter_mut().for_each(|column| column.truncate(rows));
        }
        valid
    }

    /// Appends the rows of the next part of the file, which begins after `lines` lines, and empties it.
    pub(super) fn append(&mut self, other: &mut Self, lines: u64) {
        self.read += std::mem::take(&mut other.read);
        let counts = other.missing.iter_mut().map(std::mem::take);
        self.missing.iter_mut().zip(counts).for_each(|(sum, more)| *sum += more);
        self.lines.append(&std::mem::take(&mut other.lines), lines);
        self.columns.iter_mut().zip(&mut other.columns).for_each(|(column, more)| column.append(more));
    }

    /// Counts the rows just added, one for each line, and removes those without a figure.
    fn finish_rows(&mut self, plan: &ReadPlan, missing_figures: &MissingFigures, count: usize, line: u64) {
        let before = self.lines.rows();
        self.read += count as u64;
        self.missing.iter_mut().zip(&missing_figures.missing).for_each(|(sum, more)| *sum += more);
        let measures = plan.steps.iter().filter(|step| step.component.role == Role::Measure).count();
        let empty = |missing: &u32| *missing as usize == measures;
        // Almost all blocks: the lines are consecutive, and nothing is removed.
        if !missing_figures.rows.iter().any(empty) {
            return self.lines.push(line, count as u32);
        }
        let mut kept: Vec<bool> = missing_figures.rows.iter().map(|missing| !empty(missing)).collect();
        for (_, column) in plan.steps.iter().zip(&self.columns).filter(|(step, _)| step.status) {
            let remarked = (before..before + count).map(|row| column.has_value(row));
            kept.iter_mut().zip(remarked).for_each(|(kept, remarked)| *kept |= remarked);
        }
        self.columns.iter_mut().for_each(|column| column.keep_flagged(before, &kept));
        let kept = (line..).zip(kept).filter(|(_, kept)| *kept);
        kept.for_each(|(line, _)| self.lines.push(line, 1));
    }
}

impl MissingFigures {
    fn none(plan: &ReadPlan) -> Self {
        Self { missing: plan.no_missing(), rows: Vec::new() }
    }

    /// Counts a missing measure by the index of its spelling, in row `row` of `rows`.
    fn note(&mut self, step: &ComponentPlan, gap: Option<usize>, row: usize, rows: usize) {
        let Some(spelling) = gap.filter(|_| step.component.role == Role::Measure) else { return };
        self.rows.resize(rows, 0);
        self.rows.get_mut(row).into_iter().for_each(|missing| *missing += 1);
        self.missing.get_mut(spelling).into_iter().for_each(|count| *count += 1);
    }
}

/// Appends the cells of a block to a column.
fn fill_column(
    plan: &ReadPlan,
    step: &ComponentPlan,
    block: &RecordBlock<'_>,
    column: &mut ColumnBuilder,
    missing_figures: &mut MissingFigures,
) -> Result<(), ImportError> {
    let mut row = 0;
    loop {
        row += push_plain_cells(plan, step, block, row, column);
        if row == block.rows() {
            return Ok(());
        }
        let gap = plan.push_cell(step, |at| block.cell(row, at), column)?;
        missing_figures.note(step, gap, row, block.rows());
        row += 1;
    }
}

/// Appends cells from row `from` on while each is plain; returns their number. The first other cell may
/// be a missing value, a new text, or a number in another spelling: `push_cell` decides.
fn push_plain_cells(
    plan: &ReadPlan,
    step: &ComponentPlan,
    block: &RecordBlock<'_>,
    from: usize,
    column: &mut ColumnBuilder,
) -> usize {
    let CellOrigin::Column(at, _) = &step.origin else { return 0 };
    let cells = block.column(from, *at);
    match column {
        // A text in the dictionary was valid before, so it is neither missing nor to be translated. Intervals
        // and durations are stored in another spelling, which may be one of a missing value.
        ColumnBuilder::Text(texts, rows)
            if step.areas.is_none() && step.component.value_type == ValueType::String =>
        {
            push_while_some(cells, rows, |cell| texts.find(cell))
        }
        ColumnBuilder::Number(rows) if plan.reads_plain_numbers(step) => {
            push_while_some(cells, rows, |cell| Decimal::from_plain(cell).map(Some))
        }
        ColumnBuilder::Period(rows) if plan.reads_plain_periods() && step.dates == DateFormat::Sdmx => {
            match step.component.value_type {
                ValueType::TimePeriod => {
                    push_while_some(cells, rows, |cell| Period::from_ascii(cell).map(Some))
                }
                _ => 0,
            }
        }
        _ => 0,
    }
}

/// Appends values until the first `None`; returns their number.
#[inline]
fn push_while_some<'a, T>(
    cells: impl Iterator<Item = &'a [u8]>,
    rows: &mut Vec<T>,
    value: impl FnMut(&[u8]) -> Option<T>,
) -> usize {
    let before = rows.len();
    rows.extend(cells.map_while(value));
    rows.len() - before
}

/// The line of each row: almost always the line after that of the previous row.
#[derive(Default)]
pub(super) struct RowLines {
    /// Rows for which it is not, with their line.
    jumps: Vec<(u32, u32)>,
    rows: u32,
    next: u32,
}

impl RowLines {
    /// Adds rows, one for each line. A file has fewer lines than bytes, which fit 32 bits.
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
        // The last jump at or before the row.
        let before = self.jumps.partition_point(|(first, _)| *first as usize <= row);
        let (first, line) = before.checked_sub(1).and_then(|at| self.jumps.get(at))?;
        (row < self.rows()).then(|| u64::from(*line) + (row as u64 - u64::from(*first)))
    }

    /// Appends the rows of the next part, which begins after `lines` lines.
    pub(super) fn append(&mut self, other: &Self, lines: u64) {
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
        let (mut lines, mut part) = (RowLines::default(), RowLines::default());
        [(2, 2), (4, 1), (7, 2)].into_iter().for_each(|(line, rows)| lines.push(line, rows));
        [(1, 2), (5, 1)].into_iter().for_each(|(line, rows)| part.push(line, rows));
        lines.append(&part, 10);
        lines.push(16, 1);
        let found: Vec<_> = (0..10).map_while(|row| lines.get(row)).collect();
        assert_eq!((found, lines.rows()), (vec![2, 3, 4, 7, 8, 11, 12, 15, 16], 9));
    }
}

//! Counts of a finished table, and the errors that all builders share.

use std::ops::Range;

use schemas::period::Period;
use schemas::sort_key::{self, SortKeys};
use schemas::table::{self, Column, Table};

use crate::ImportSummary;
use crate::error::ImportError;

/// Observations of one file: all areas in all years, or all days of a long series, are far fewer.
/// Keeps memory below 1 GB.
pub(crate) const OBSERVATIONS_MAX: usize = 4 << 20;

/// Refuses row number `rows` (from 0) when `rows_max` rows are allowed.
pub(crate) fn check_row_count(rows: usize, rows_max: usize, line: u64) -> Result<(), ImportError> {
    // Checked before a row is added, so that the limit itself is still accepted.
    if rows < rows_max {
        return Ok(());
    }
    Err(ImportError::new("rows", format!("more than {rows_max} observations"))
        .line(line)
        .hint("split the file, for example by area or by time"))
}

/// The error for a file without any figure; `rows` is the number of its data rows.
pub(crate) fn no_data(rows: u64) -> ImportError {
    let message = match rows {
        0 => "the file has a header but no data".to_owned(),
        _ => format!("no figure in {rows} rows of data"),
    };
    ImportError::new("no-data", message).hint("take the file from its source again")
}

/// Translates an error of the table into one of the file; `line` returns the line of a row.
pub(crate) fn table_error(error: &table::Error, line: impl Fn(usize) -> Option<u64>) -> ImportError {
    let line = |row: usize| line(row).unwrap_or_default();
    match error {
        table::Error::Duplicate { key, first, second } => {
            let message = format!("duplicate observation, first given in line {}", line(*first));
            ImportError::new("duplicate", message)
                .line(line(*second))
                .value(key)
                .hint("keep one of the two lines")
        }
        table::Error::Null { component, row } => {
            ImportError::new("identifier", "an identifier must not be empty")
                .line(line(*row))
                .column(component.as_str())
        }
        other => ImportError::new("table", other.to_string()),
    }
}

/// Counts the observations and series of a table; finds its first and last period and frequency.
pub(crate) fn summarise(table: &Table) -> ImportSummary {
    let mut summary = ImportSummary { observations: table.rows() as u64, ..ImportSummary::default() };
    let keys = table.shape().identifier_count();
    let time = table.shape().position("TIME_PERIOD").filter(|position| *position < keys);
    if let Some(Column::Period(periods)) = time.and_then(|position| table.columns().get(position)) {
        let mut known = periods.iter().flatten().copied();
        let ends = known.next().map(|first| {
            known.fold((first, first), |(low, high), period| (low.min(period), high.max(period)))
        });
        let (low, high) = ends.unzip();
        (summary.first, summary.last) = (low, high);
        // Periods sort by frequency first: with the same frequency at both ends there is only one.
        let frequencies = (low.map(Period::frequency), high.map(Period::frequency));
        summary.frequency = frequencies.0.filter(|_| frequencies.0 == frequencies.1);
    }
    summary.series = count_series(table, time);
    summary
}

/// Rows that are compared at a time; their flags stay in the first cache.
const BLOCK_ROWS: usize = 1 << 12;

/// Marks the rows of a block that differ from the row before them.
fn mark_changes(column: &Column, block: Range<usize>, begins: &mut [bool]) {
    match column {
        Column::Text(texts) => {
            let codes = texts.codes().get(block.start - 1..block.end).unwrap_or_default();
            let pairs = codes.iter().zip(codes.iter().skip(1));
            begins.iter_mut().zip(pairs).for_each(|(begins, (a, b))| *begins |= a != b);
        }
        _ => begins.iter_mut().zip(block).for_each(|(begins, row)| {
            *begins |= column.compare(row - 1, row).is_ne();
        }),
    }
}

/// Number of distinct keys without the column `time`.
fn count_series(table: &Table, time: Option<usize>) -> u64 {
    let keys = table.shape().identifier_count();
    let others: Vec<&Column> =
        (0..keys).filter(|key| Some(*key) != time).filter_map(|key| table.columns().get(key)).collect();
    if time.is_none_or(|time| time == keys - 1) {
        // A table is sorted by its identifiers, time last: a series begins where another one changes.
        let rows = table.rows();
        let blocks = (1..rows).step_by(BLOCK_ROWS).map(|from| from..(from + BLOCK_ROWS).min(rows));
        let counts = blocks.map(|block| {
            let mut begins = vec![false; block.len()];
            others.iter().for_each(|column| mark_changes(column, block.clone(), &mut begins));
            begins.into_iter().filter(|begins| *begins).count() as u64
        });
        return counts.sum::<u64>() + rows.min(1) as u64;
    }
    let SortKeys { sides: [mut ranks], .. } = sort_key::sort_keys([&others], [table.rows()]);
    ranks.sort_unstable();
    ranks.dedup();
    ranks.len() as u64
}

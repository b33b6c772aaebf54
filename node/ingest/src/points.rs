//! The observations of one indicator as they are read: area, period, value, line.
//!
//! Shared by the importers of fixed formats; the result has the identifiers REF_AREA and
//! TIME_PERIOD and the measure OBS_VALUE.

use std::ops::Range;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::sort_key::{self, SortKeys};
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{self, Column, Table, TextColumn};
use schemas::text::Name;

use crate::areas::Register;
use crate::error::ImportError;
use crate::gaps::Gaps;
use crate::{Area, ImportSummary};

/// Observations of one indicator: every area in every year of the calendar, or every day of it,
/// is below this, so a file with more repeats itself; it keeps memory below 1 GB.
pub(crate) const OBSERVATIONS_MAX: usize = 4 << 20;

/// Observations in the order of the file.
#[derive(Default)]
pub(crate) struct Points {
    areas: Vec<u32>,
    periods: Vec<Option<Period>>,
    values: Vec<Option<Decimal>>,
    lines: Vec<u64>,
    /// Data rows read.
    pub(crate) rows: u64,
    /// Cells without a figure.
    pub(crate) gaps: Gaps,
}

impl Points {
    /// Adds an observation.
    pub(crate) fn push(
        &mut self,
        area: u32,
        period: Period,
        value: Decimal,
        line: u64,
    ) -> Result<(), ImportError> {
        bounded(self.lines.len(), OBSERVATIONS_MAX, line)?;
        self.areas.push(area);
        self.periods.push(Some(period));
        self.values.push(Some(value));
        self.lines.push(line);
        Ok(())
    }

    /// The table, its code list and the counts.
    pub(crate) fn finish(self, register: Register) -> Result<(Table, Vec<Area>, ImportSummary), ImportError> {
        let Self { areas, periods, values, lines, rows, gaps } = self;
        if lines.is_empty() {
            return Err(empty(rows));
        }
        let texts = TextColumn::from_rows(areas.iter().map(|place| register.code(*place)));
        let columns = vec![Column::Text(texts), Column::Period(periods), Column::Number(values)];
        let table =
            Table::new(shape()?, columns).map_err(|error| refused(&error, |row| lines.get(row).copied()))?;
        let areas = register.sorted();
        let aggregates = areas.iter().filter(|area| area.aggregate).count() as u64;
        let gaps = gaps.spellings();
        let missing = gaps.values().sum();
        let summary = ImportSummary { rows, missing, missing_spellings: gaps, aggregates, ..counted(&table) };
        Ok((table, areas, summary))
    }
}

/// Refuses a row beyond the bound.
pub(crate) fn bounded(rows: usize, rows_max: usize, line: u64) -> Result<(), ImportError> {
    if rows < rows_max {
        return Ok(());
    }
    Err(ImportError::new("rows", format!("more than {rows_max} observations"))
        .line(line)
        .hint("split the file, for example by area or by time"))
}

/// The fault for a file that holds no figure.
pub(crate) fn empty(rows: u64) -> ImportError {
    let message = match rows {
        0 => "the file has a header and no data".to_owned(),
        _ => format!("no figure in {rows} rows of data"),
    };
    ImportError::new("no-data", message).hint("take the file from its source again")
}

fn shape() -> Result<ComponentList, ImportError> {
    let parts = [
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("OBS_VALUE", Role::Measure, ValueType::Number),
    ];
    let components: Result<Vec<Component>, _> = parts
        .into_iter()
        .map(|(id, role, kind)| Name::new(id).map(|id| Component::new(id, role, kind)))
        .collect();
    let components = components.map_err(|error| ImportError::new("mapping", error.to_string()))?;
    ComponentList::new(components).map_err(|error| ImportError::new("mapping", error.to_string()))
}

/// A refusal of the table in the words of the file: `line` knows the line of each row.
pub(crate) fn refused(error: &table::Error, line: impl Fn(usize) -> Option<u64>) -> ImportError {
    let line = |row: usize| line(row).unwrap_or_default();
    match error {
        table::Error::Duplicate { key, first, second } => {
            let message = format!("this observation was given before, in line {}", line(*first));
            ImportError::new("duplicate", message)
                .line(line(*second))
                .value(key)
                .hint("keep one of the two lines")
        }
        table::Error::Null { component, row } => {
            ImportError::new("identifier", "an identifier may not be empty")
                .line(line(*row))
                .column(component.as_str())
        }
        other => ImportError::new("table", other.to_string()),
    }
}

/// Observations, series, first and last period and frequency of a table.
pub(crate) fn counted(table: &Table) -> ImportSummary {
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
        // Periods order by frequency first, so the ends tell whether there is only one.
        let frequencies = (low.map(Period::frequency), high.map(Period::frequency));
        summary.frequency = frequencies.0.filter(|_| frequencies.0 == frequencies.1);
    }
    summary.series = series(table, time);
    summary
}

/// Rows that are looked at at a time.
const BLOCK_ROWS: usize = 1 << 12;

/// Marks the rows of a block that differ from the one before them.
fn mark(column: &Column, block: Range<usize>, begins: &mut [bool]) {
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

/// Distinct keys without the column `time`.
fn series(table: &Table, time: Option<usize>) -> u64 {
    let keys = table.shape().identifier_count();
    let others: Vec<&Column> =
        (0..keys).filter(|key| Some(*key) != time).filter_map(|key| table.columns().get(key)).collect();
    if time.is_none_or(|time| time == keys - 1) {
        // Sorted by them first: each begins where one of them changes.
        let rows = table.rows();
        let blocks = (1..rows).step_by(BLOCK_ROWS).map(|from| from..(from + BLOCK_ROWS).min(rows));
        let counts = blocks.map(|block| {
            let mut begins = vec![false; block.len()];
            others.iter().for_each(|column| mark(column, block.clone(), &mut begins));
            begins.into_iter().filter(|begins| *begins).count() as u64
        });
        return counts.sum::<u64>() + rows.min(1) as u64;
    }
    let SortKeys { sides: [mut ranks], .. } = sort_key::sort_keys([&others], [table.rows()]);
    ranks.sort_unstable();
    ranks.dedup();
    ranks.len() as u64
}

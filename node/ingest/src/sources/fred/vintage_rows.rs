//! Vintages of ALFRED in rows: a date, its figure, and the day from which the figure was known.
//!
//! Where the wide form has a column for each vintage (see `series_csv`), this one has a column
//! `realtime_start`. A row stands for that first day only: `realtime_end` repeats the start of the next
//! row, and a figure that a release left unchanged is not written again. The table has the
//! identifiers of the wide form. Refuses two figures for one date and one day.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::Table;

use super::{AREA, MISSING, PUBLISHER, series_id};
use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::build::summary::{self, OBSERVATIONS_MAX};
use crate::build::wide_table::{self, DateStyle};
use crate::csv::records::{CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::values::frequency;
use crate::values::missing_values::MissingValues;
use crate::{Format, ImportOptions, ImportSummary, ImportedTable};

/// Titles of the column of the first day.
const START: [&str; 2] = ["realtime_start", "realtime_start_date"];
/// Titles of the column of the last day.
const END: [&str; 2] = ["realtime_end", "realtime_end_date"];
/// Titles of the column of dates.
const DATE: [&str; 3] = ["observation_date", "date", "period_start_date"];

/// Positions of the columns, and the id of the series.
struct VintageColumns {
    start: usize,
    date: usize,
    figure: usize,
    id: String,
}

struct VintageRow {
    day: Period,
    /// The day from which the figure was known.
    known: Period,
    figure: Option<Decimal>,
    line: u64,
}

/// Whether a header is that of vintages in rows.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    vintage_columns(header).is_some()
}

/// The columns of a header with a first day, a date and exactly one other titled column.
fn vintage_columns(header: &CsvRecord<'_>) -> Option<VintageColumns> {
    let is = |column: usize, titles: &[&str]| {
        titles.iter().any(|title| header.cell(column).eq_ignore_ascii_case(title))
    };
    let find = |titles: &[&str]| (0..header.cells.len()).find(|column| is(*column, titles));
    let (start, date) = (find(&START)?, find(&DATE)?);
    // pandas writes row numbers into a first column without a title.
    let other = |column: &usize| {
        ![start, date].contains(column) && !is(*column, &END) && !header.cell(*column).is_empty()
    };
    let mut others = (0..header.cells.len()).filter(other);
    let figure = others.next()?;
    let id = header.cell(figure).to_owned();
    others.next().is_none().then_some(VintageColumns { start, date, figure, id })
}

/// Reads the rows below the header, which is in `record`.
pub(super) fn read_rows<'a>(
    file: &str,
    (reader, record): (&mut CsvReader<'a>, &mut CsvRecord<'a>),
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut columns = vintage_columns(record).ok_or_else(|| {
        ImportError::new("column-missing", "expected `realtime_start`, a date and one series")
            .line(record.line)
    })?;
    if columns.id.eq_ignore_ascii_case("value") {
        columns.id = series_id(file);
    }
    let (width, mut missing, mut rows) = (record.cells.len(), MissingValues::default(), Vec::new());
    while reader.read_record(record)? {
        record.check_width(width)?;
        summary::check_row_count(rows.len(), OBSERVATIONS_MAX, record.line)?;
        rows.push(parse_row(&columns, record, &mut missing).map_err(|error| error.line(record.line))?);
        reader.report_progress(progress);
    }
    let mut metadata = Metadata::new(Format::Fred, columns.id.as_str()).publisher(PUBLISHER);
    metadata.notes = vec!["a vintage has only the figures that were new or changed on its day".to_owned()];
    metadata.with_table(build_table(&rows, &columns.id, missing, options)?)
}

fn parse_row(
    columns: &VintageColumns,
    record: &CsvRecord<'_>,
    missing: &mut MissingValues,
) -> Result<VintageRow, ImportError> {
    let day = |column: usize, title: &str| {
        let cell = record.cell(column);
        DateStyle::of(cell).parse(cell).map_err(|error| error.column(title))
    };
    let figure = MISSING.parse_figure(record.cell(columns.figure), missing);
    let figure = figure.map_err(|error| error.column(&columns.id))?;
    let (known, day) = (day(columns.start, "realtime_start")?, day(columns.date, "date")?);
    Ok(VintageRow { day, known, figure, line: record.line })
}

fn build_table(
    rows: &[VintageRow],
    id: &str,
    missing: MissingValues,
    options: &ImportOptions,
) -> Result<(Table, ImportSummary), ImportError> {
    if rows.is_empty() {
        return Err(summary::no_data(0));
    }
    let days: Vec<frequency::DayAndLine> = rows.iter().map(|row| (row.day, row.line)).collect();
    let frequency = options.frequency.map_or_else(|| frequency::infer_frequency(&days), Ok)?;
    let area = wide_table::source_area(options, AREA)?;
    let mut builder = DimensionedBuilder::new(&["REF_AREA", "SERIES", "VINTAGE"], &[])?;
    (builder.missing, builder.rows) = (missing, rows.len() as u64);
    for row in rows {
        let period = frequency::period_of_day(row.day, frequency).map_err(|error| error.line(row.line))?;
        builder.push(&Observation {
            key: &[area.code.as_str(), id, &row.known.to_string()],
            period,
            figure: row.figure,
            attributes: &[],
            has_status: false,
            line: row.line,
        })?;
    }
    builder.into_table()
}

//! Wide tables: a column of dates and a column for each series (FRED, FRED-MD, BEA, Shiller).
//!
//! Owns the dates and the frequency that they show together; the spellings of a missing figure are
//! the format's. The table has the identifiers REF_AREA, SERIES, VINTAGE (for vintages) and
//! TIME_PERIOD.

use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};
use schemas::table::Table;

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::summary::{self, OBSERVATIONS_MAX};
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::registry::HeaderTest;
use crate::values::areas::{self, Area};
use crate::values::missing_values::MissingValues;
use crate::values::{cell, frequency};
use crate::{ImportOptions, ImportSummary};

/// A column of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeriesColumn {
    /// Position in the row.
    pub(crate) column: usize,
    /// Id of the series.
    pub(crate) id: String,
    /// The day at which the figures were known, where the columns are vintages; else empty.
    pub(crate) vintage: String,
}

/// Spellings of a missing figure in a format.
#[derive(Clone, Copy)]
pub(crate) struct MissingWords {
    pub(crate) missing: &'static [&'static str],
    /// Whether a zero is one of them: a price index is never zero.
    pub(crate) zero: bool,
}

/// A row: its date, its line, its figures by series.
pub(crate) struct WideRow {
    day: Period,
    line: u64,
    figures: Vec<Option<Decimal>>,
}

/// Reads a file that is a wide table of the United States below a header that `is_header` accepts.
///
/// # Errors
/// `column-missing`, which names the columns `expected`; those of [`read_rows`].
pub(crate) fn read_wide_table(
    request: ReadRequest<'_>,
    (is_header, expected): (HeaderTest, &str),
    words: MissingWords,
) -> Result<(Table, ImportSummary), ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b',')?;
    if !is_header(&record) {
        return Err(record.missing_column(expected));
    }
    let (series, width) = (series_columns(&record)?, record.cells.len());
    let mut missing = MissingValues::default();
    let rows = read_rows((&mut reader, &mut record), (&series, width), (words, &mut missing), progress)?;
    build_table(&rows, &series, missing, (&source_area(options, "USA")?, options))
}

/// The series of a header: every column but the first, which has the dates.
pub(crate) fn series_columns(header: &CsvRecord<'_>) -> Result<Vec<SeriesColumn>, ImportError> {
    let last = header.cells.len() - 1;
    let mut found: Vec<SeriesColumn> = Vec::new();
    for column in 1..header.cells.len() {
        let id = header.cell(column);
        // A comma at the end of each line makes an empty last column.
        if id.is_empty() && column == last && column > 1 {
            continue;
        }
        let error = |code, message: &str| {
            ImportError::new(code, message).line(header.line).column((column + 1).to_string()).value(id)
        };
        if id.is_empty() {
            return Err(error("column-missing", "expected a series id in the header"));
        }
        if found.iter().any(|series| series.id == id) {
            return Err(error("column-twice", "two columns of one series"));
        }
        found.push(SeriesColumn { column, id: id.to_owned(), vintage: String::new() });
    }
    Ok(found)
}

/// Reads the rows below the header, which has `width` cells.
pub(crate) fn read_rows<'a>(
    (reader, record): (&mut CsvReader<'a>, &mut CsvRecord<'a>),
    (series, width): (&[SeriesColumn], usize),
    (words, missing): (MissingWords, &mut MissingValues),
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<WideRow>, ImportError> {
    let (mut rows, mut style): (Vec<WideRow>, _) = (Vec::new(), None);
    while reader.read_record(record)? {
        record.check_width(width)?;
        // A sheet saved as CSV keeps the empty rows below its data.
        if (0..record.cells.len()).all(|column| record.cell(column).is_empty()) {
            continue;
        }
        summary::check_row_count(rows.len() * series.len(), OBSERVATIONS_MAX, record.line)?;
        let style = *style.get_or_insert_with(|| DateStyle::of(record.cell(0)));
        let day = style.parse(record.cell(0)).map_err(|error| error.line(record.line).column("1"))?;
        let figure = |series: &SeriesColumn| {
            let cell = record.cell(series.column);
            words.parse_figure(cell, missing).map_err(|error| error.line(record.line).column(&series.id))
        };
        let figures: Result<Vec<_>, ImportError> = series.iter().map(figure).collect();
        rows.push(WideRow { day, line: record.line, figures: figures? });
        reader.report_progress(progress);
    }
    if rows.is_empty() {
        return Err(summary::no_data(0));
    }
    Ok(rows)
}

impl MissingWords {
    /// The figure of a cell; `None`, and counted in `missing`, where there is none.
    pub(crate) fn parse_figure(
        self,
        cell: &str,
        missing: &mut MissingValues,
    ) -> Result<Option<Decimal>, ImportError> {
        if missing.count_if_missing(cell, self.missing) {
            return Ok(None);
        }
        let figure = cell::parse_number(cell)?;
        if self.zero && figure.is_zero() {
            missing.count(cell);
            return Ok(None);
        }
        Ok(Some(figure))
    }
}

/// The form of the dates of a file; the first row decides for all, so that `3/4/2010` is never a
/// month in one row and a day in the next.
#[derive(Clone, Copy)]
pub(crate) enum DateStyle {
    /// `2010-01-31`.
    Iso,
    /// `1/31/2010`, as Excel saves it in the United States.
    Excel,
    /// `2010`.
    Year,
}

impl DateStyle {
    pub(crate) fn of(cell: &str) -> Self {
        match cell {
            _ if cell.contains('/') => Self::Excel,
            _ if cell.contains('-') => Self::Iso,
            _ => Self::Year,
        }
    }

    /// The day, or for `Year` the year, of a cell.
    pub(crate) fn parse(self, cell: &str) -> Result<Period, ImportError> {
        let (day, expected) = match self {
            Self::Iso => (cell::parse_iso_day(cell), "2010-01-31"),
            Self::Excel => {
                let day = cell::split_date(cell, '/')
                    .and_then(|[month, day, year]| Period::from_date(year, month, day));
                (day, "1/31/2010")
            }
            Self::Year => (cell::parse_year(cell), "2010"),
        };
        day.ok_or_else(|| {
            ImportError::new("period", format!("expected a date like `{expected}`"))
                .value(cell)
                .hint("write all dates of a file in one form, month before day")
        })
    }
}

/// The frequency of the rows: the caller's, that of dates that are years, or the one that the days
/// show together.
fn rows_frequency(rows: &[WideRow], options: &ImportOptions) -> Result<Frequency, ImportError> {
    let stated = rows.first().map(|row| row.day.frequency()).filter(|found| *found != Frequency::D);
    let days: Vec<frequency::DayAndLine> = rows.iter().map(|row| (row.day, row.line)).collect();
    options.frequency.or(stated).map_or_else(|| frequency::infer_frequency(&days), Ok)
}

/// The table of the rows.
pub(crate) fn build_table(
    rows: &[WideRow],
    series: &[SeriesColumn],
    missing: MissingValues,
    (area, options): (&Area, &ImportOptions),
) -> Result<(Table, ImportSummary), ImportError> {
    let frequency = rows_frequency(rows, options)?;
    let vintages = series.iter().any(|series| !series.vintage.is_empty());
    let dimensions: &[&str] =
        if vintages { &["REF_AREA", "SERIES", "VINTAGE"] } else { &["REF_AREA", "SERIES"] };
    let mut builder = DimensionedBuilder::new(dimensions, &[])?;
    builder.missing = missing;
    for row in rows {
        builder.rows += 1;
        let period = frequency::period_of_day(row.day, frequency).map_err(|error| error.line(row.line))?;
        for (series, figure) in series.iter().zip(&row.figures) {
            builder.push(&Observation {
                key: &[area.code.as_str(), series.id.as_str(), series.vintage.as_str()],
                period,
                figure: *figure,
                attributes: &[],
                has_status: false,
                line: row.line,
            })?;
        }
    }
    builder.into_table()
}

/// The table of the rows of a single series, whose only dimension is REF_AREA.
pub(crate) fn build_single_series(
    rows: &[WideRow],
    missing: MissingValues,
    (area, options): (&Area, &ImportOptions),
) -> Result<(Table, ImportSummary), ImportError> {
    let frequency = rows_frequency(rows, options)?;
    let mut builder = DimensionedBuilder::new(&["REF_AREA"], &[])?;
    builder.missing = missing;
    for row in rows {
        builder.rows += 1;
        let period = frequency::period_of_day(row.day, frequency).map_err(|error| error.line(row.line))?;
        builder.push(&Observation {
            key: &[area.code.as_str()],
            period,
            figure: row.figures.first().copied().flatten(),
            attributes: &[],
            has_status: false,
            line: row.line,
        })?;
    }
    builder.into_table()
}

/// The area of a source that names none: the caller's, or the one that the source covers.
pub(crate) fn source_area(options: &ImportOptions, usual: &str) -> Result<Area, ImportError> {
    let code = options.area.as_deref().unwrap_or(usual);
    areas::area_by_code(code).ok_or_else(|| areas::unknown_area(code))
}

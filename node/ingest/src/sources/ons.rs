//! UK Office for National Statistics: time series as CSV, rows of metadata (`Title`, `CDID`, `Unit`,
//! `Release date` …) above annual, then quarterly, then monthly figures in the same columns.
//!
//! Each figure gets the frequency of its period in FREQ, so that a year is not taken for a quarter.

use schemas::period::{Frequency, Period};

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::{CodeNames, Metadata};
use crate::build::wide_table;
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable, SourceFile};

/// Spellings of a missing figure.
const MISSING: [&str; 3] = ["", "-", ".."];
/// Rows of metadata; the published files have seven.
const HEAD_ROWS_MAX: usize = 32;
/// Names of the months in periods such as `1955 JAN`.
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Whether a first row is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    header.cell(0) == "Title" && header.cells.len() > 1
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let mut reader = CsvReader::new(records::decode_text(source.bytes)?, b',');
    let mut record = CsvRecord::default();
    let head = OnsMetadata::read(&mut reader, &mut record)?;
    let area = wide_table::source_area(options, "GBR")?;
    let mut builder = DimensionedBuilder::new(&["REF_AREA", "FREQ", "SERIES"], &[])?;
    // `read` left the first row of figures in `record`.
    while !record.cells.is_empty() {
        record.check_width(head.series.len() + 1)?;
        let cell = record.cell(0);
        let period = parse_period(cell).ok_or_else(|| {
            ImportError::new("period", "expected a period like `1948`, `1955 Q1` or `1955 JAN`")
                .line(record.line)
                .column("1")
                .value(cell)
        })?;
        builder.rows += 1;
        for (column, id) in (1..).zip(&head.series) {
            let cell = record.cell(column);
            let figure = match cell {
                _ if builder.missing.count_if_missing(cell, &MISSING) => None,
                _ => Some(cell::parse_number(cell).map_err(|error| error.line(record.line).column(id))?),
            };
            builder.push(&Observation {
                key: &[area.code.as_str(), period.frequency().code(), id.as_str()],
                period,
                figure,
                attributes: &[],
                has_status: false,
                line: record.line,
            })?;
        }
        reader.report_progress(progress);
        if !reader.read_record(&mut record)? {
            break;
        }
    }
    head.heading(source).with_table(builder.into_table()?)
}

/// The rows of metadata, a text for each column of figures.
#[derive(Default)]
struct OnsMetadata {
    titles: Vec<String>,
    series: Vec<String>,
    released: Option<Period>,
}

impl OnsMetadata {
    /// Reads up to the first row of figures and leaves it in `record`, which is empty at the end of
    /// the file.
    fn read<'a>(reader: &mut CsvReader<'a>, record: &mut CsvRecord<'a>) -> Result<Self, ImportError> {
        let mut head = Self::default();
        for _ in 0..HEAD_ROWS_MAX {
            // The metadata have no marked end: the first cell that is a period ends them.
            if !reader.read_record(record)? || parse_period(record.cell(0)).is_some() {
                break;
            }
            let words =
                || (1..record.cells.len()).map(|column| record.cell(column).to_owned()).collect::<Vec<_>>();
            match record.cell(0) {
                "Title" => head.titles = words(),
                "CDID" => head.series = words(),
                "Release date" => head.released = parse_release_day(record.cell(1)),
                _ => {}
            }
        }
        if head.series.is_empty() {
            return Err(ImportError::new(
                "header-missing",
                "expected a row `CDID` with the ids of the series",
            )
            .line(record.line)
            .value(record.joined_cells()));
        }
        Ok(head)
    }

    fn heading(self, source: SourceFile<'_>) -> Metadata {
        // A single series gives the file its name; several are named after the file.
        let (id, title) = match (self.series.as_slice(), self.titles.as_slice()) {
            ([id], [title]) => (id.as_str(), title.as_str()),
            _ => (cell::file_stem(source.name), ""),
        };
        let names: CodeNames = self.series.iter().cloned().zip(self.titles.iter().cloned()).collect();
        let mut metadata =
            Metadata::new(Format::Ons, id).title(title).publisher("UK Office for National Statistics");
        metadata.vintage = self.released;
        metadata.with_code_names("SERIES", names)
    }
}

/// Parses a day written as `23-12-2024`.
fn parse_release_day(cell: &str) -> Option<Period> {
    cell::split_date(cell, '-').and_then(|[day, month, year]| Period::from_date(year, month, day))
}

/// Parses a period: `1948`, `1955 Q1` or `1955 JAN`.
fn parse_period(cell: &str) -> Option<Period> {
    let Some((year, part)) = cell.split_once(' ') else { return cell::parse_year(cell) };
    let number = cell::parse_year(year)?.year();
    match MONTHS.iter().zip(1..).find(|(month, _)| part.eq_ignore_ascii_case(month)) {
        Some((_, month)) => Period::new(Frequency::M, number, month),
        None => Period::new(Frequency::Q, number, part.strip_prefix('Q')?.parse().ok()?),
    }
}

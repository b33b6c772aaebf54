//! Time series of the UK Office for National Statistics as CSV: rows about the series (`Title`,
//! `CDID`, `Unit`, `Release date` …), and below them annual, quarterly and monthly figures in the
//! same columns. Each figure has the frequency of its period in FREQ.

use schemas::period::{Frequency, Period};

use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::{Heading, Names};
use crate::records::{self, Reader, Record};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, panel, value};

/// How it writes that there is no figure.
const MISSING: [&str; 3] = ["", "-", ".."];
/// Rows about the series; the real files have seven.
const HEAD_ROWS_MAX: usize = 32;
/// Months as they are written.
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Whether a first row is that of such a file; the second one names the series.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    header.cell(0) == "Title" && header.cells.len() > 1
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut reader = Reader::new(records::text(source.bytes)?, b',');
    let mut record = Record::default();
    let head = Head::read(&mut reader, &mut record)?;
    let area = panel::area(options, "GBR")?;
    let mut cube = Cube::new(&["REF_AREA", "FREQ", "SERIES"], &[])?;
    // The first row of figures is at hand.
    while !record.cells.is_empty() {
        record.check_width(head.series.len() + 1)?;
        let cell = record.cell(0);
        let period = period(cell).ok_or_else(|| {
            ImportError::new("period", "expected a period like `1948`, `1955 Q1` or `1955 JAN`")
                .line(record.line)
                .column("1")
                .value(cell)
        })?;
        cube.rows += 1;
        for (column, id) in (1..).zip(&head.series) {
            let cell = record.cell(column);
            let figure = match cell {
                _ if cube.gaps.is(cell, &MISSING) => None,
                _ => Some(value::number(cell).map_err(|fault| fault.line(record.line).column(id))?),
            };
            let key = [area.code.as_str(), period.frequency().code(), id.as_str()];
            cube.push(&key, (period, figure), (&[], false), record.line)?;
        }
        reader.tick(progress);
        if !reader.read(&mut record)? {
            break;
        }
    }
    head.heading(source).over(cube.finish()?)
}

/// What the file says before its figures.
#[derive(Default)]
struct Head {
    titles: Vec<String>,
    series: Vec<String>,
    released: Option<Period>,
}

impl Head {
    /// Reads up to the first row of figures, which is left in `record`; that is empty when there is
    /// none.
    fn read<'a>(reader: &mut Reader<'a>, record: &mut Record<'a>) -> Result<Self, ImportError> {
        let mut head = Self::default();
        for _ in 0..HEAD_ROWS_MAX {
            if !reader.read(record)? || period(record.cell(0)).is_some() {
                break;
            }
            let words =
                || (1..record.cells.len()).map(|column| record.cell(column).to_owned()).collect::<Vec<_>>();
            match record.cell(0) {
                "Title" => head.titles = words(),
                "CDID" => head.series = words(),
                "Release date" => head.released = released(record.cell(1)),
                _ => {}
            }
        }
        if head.series.is_empty() {
            return Err(ImportError::new(
                "header-missing",
                "expected a row `CDID` with the ids of the series",
            )
            .line(record.line)
            .value(record.joined()));
        }
        Ok(head)
    }

    fn heading(self, source: SourceFile<'_>) -> Heading {
        let (id, title) = match (self.series.as_slice(), self.titles.as_slice()) {
            ([id], [title]) => (id.as_str(), title.as_str()),
            _ => (value::stem(source.name), ""),
        };
        let names: Names = self.series.iter().cloned().zip(self.titles.iter().cloned()).collect();
        let mut heading =
            Heading::new(Format::Ons, id).title(title).publisher("UK Office for National Statistics");
        heading.vintage = self.released;
        heading.named("SERIES", names)
    }
}

/// A day written as `23-12-2024`.
fn released(cell: &str) -> Option<Period> {
    value::triple(cell, '-').and_then(|[day, month, year]| Period::from_date(year, month, day))
}

/// A period as it is written here.
fn period(cell: &str) -> Option<Period> {
    let Some((year, part)) = cell.split_once(' ') else { return value::year(cell) };
    let number = value::year(year)?.year();
    match MONTHS.iter().zip(1..).find(|(month, _)| part.eq_ignore_ascii_case(month)) {
        Some((_, month)) => Period::new(Frequency::M, number, month),
        None => Period::new(Frequency::Q, number, part.strip_prefix('Q')?.parse().ok()?),
    }
}

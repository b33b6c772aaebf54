//! A panel: a column of dates and beside it a column for each series.
//!
//! Shared by FRED (several series, vintages), FRED-MD, BEA and Shiller. Owns the dates and the
//! frequency that they tell together; the words for a missing figure are the format's own. The
//! result has the identifiers REF_AREA, SERIES, in vintages VINTAGE, and TIME_PERIOD.

use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};
use schemas::table::Table;

use crate::areas::{self, Area};
use crate::cube::Cube;
use crate::error::ImportError;
use crate::gaps::Gaps;
use crate::points::{self, OBSERVATIONS_MAX};
use crate::records::{Reader, Record};
use crate::{ImportOptions, ImportSummary, frequency, value};

/// A column of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    /// Its place in the row.
    pub(crate) column: usize,
    /// The id of the series.
    pub(crate) id: String,
    /// The day whose knowledge the figures are, where the columns are vintages.
    pub(crate) vintage: String,
}

/// How a format writes that there is no figure.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    pub(crate) missing: &'static [&'static str],
    /// Whether zero is such a word: an index of prices is never zero.
    pub(crate) zero: bool,
}

/// A row: its date, its line, its figures by series.
pub(crate) struct Row {
    day: Period,
    line: u64,
    figures: Vec<Option<Decimal>>,
}

/// A file that is a panel and nothing else: a date and a series a column, of the United States.
pub(crate) fn plain(
    (mut reader, mut record): (Reader<'_>, Record<'_>),
    words: Words,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(Table, ImportSummary), ImportError> {
    let (series, width) = (series(&record)?, record.cells.len());
    let mut gaps = Gaps::default();
    let rows = rows((&mut reader, &mut record), (&series, width), (words, &mut gaps), progress)?;
    fill(&rows, &series, gaps, (&area(options, "USA")?, options))
}

/// The series of a header: every column but the first, which has the dates.
pub(crate) fn series(header: &Record<'_>) -> Result<Vec<Series>, ImportError> {
    let last = header.cells.len() - 1;
    let mut found: Vec<Series> = Vec::new();
    for column in 1..header.cells.len() {
        let id = header.cell(column);
        if id.is_empty() && column == last && column > 1 {
            continue;
        }
        let fault = |code, message: &str| {
            ImportError::new(code, message).line(header.line).column((column + 1).to_string()).value(id)
        };
        if id.is_empty() {
            return Err(fault("column-missing", "expected a series id in the header"));
        }
        if found.iter().any(|series| series.id == id) {
            return Err(fault("column-twice", "two columns of one series"));
        }
        found.push(Series { column, id: id.to_owned(), vintage: String::new() });
    }
    Ok(found)
}

/// The rows below the header, which has `width` cells.
pub(crate) fn rows<'a>(
    (reader, record): (&mut Reader<'a>, &mut Record<'a>),
    (series, width): (&[Series], usize),
    (words, gaps): (Words, &mut Gaps),
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Row>, ImportError> {
    let (mut rows, mut form): (Vec<Row>, _) = (Vec::new(), None);
    while reader.read(record)? {
        record.check_width(width)?;
        // A sheet saved as CSV keeps the empty rows below its data.
        if (0..record.cells.len()).all(|column| record.cell(column).is_empty()) {
            continue;
        }
        points::bounded(rows.len() * series.len(), OBSERVATIONS_MAX, record.line)?;
        let form = *form.get_or_insert_with(|| Form::of(record.cell(0)));
        let day = form.day(record.cell(0)).map_err(|fault| fault.line(record.line).column("1"))?;
        let figure = |series: &Series| {
            let cell = record.cell(series.column);
            words.figure(cell, gaps).map_err(|fault| fault.line(record.line).column(&series.id))
        };
        let figures: Result<Vec<_>, ImportError> = series.iter().map(figure).collect();
        rows.push(Row { day, line: record.line, figures: figures? });
        reader.tick(progress);
    }
    if rows.is_empty() {
        return Err(points::empty(0));
    }
    Ok(rows)
}

impl Words {
    /// A figure, or that there is none.
    pub(crate) fn figure(self, cell: &str, gaps: &mut Gaps) -> Result<Option<Decimal>, ImportError> {
        if gaps.is(cell, self.missing) {
            return Ok(None);
        }
        let figure = value::number(cell)?;
        if self.zero && figure.is_zero() {
            gaps.count(cell);
            return Ok(None);
        }
        Ok(Some(figure))
    }
}

/// How a file writes its dates: the first row decides for all.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// `2010-01-31`.
    Iso,
    /// `1/31/2010`, which Excel makes of it in the United States.
    Excel,
    /// `2010`.
    Year,
}

impl Form {
    pub(crate) fn of(cell: &str) -> Self {
        match cell {
            _ if cell.contains('/') => Self::Excel,
            _ if cell.contains('-') => Self::Iso,
            _ => Self::Year,
        }
    }

    pub(crate) fn day(self, cell: &str) -> Result<Period, ImportError> {
        let (day, expected) = match self {
            Self::Iso => (value::day(cell), "2010-01-31"),
            Self::Excel => {
                let day = value::triple(cell, '/')
                    .and_then(|[month, day, year]| Period::from_date(year, month, day));
                (day, "1/31/2010")
            }
            Self::Year => (value::year(cell), "2010"),
        };
        day.ok_or_else(|| {
            ImportError::new("period", format!("expected a date like `{expected}`"))
                .value(cell)
                .hint("all dates of a file are written in one way, month before day")
        })
    }
}

/// The frequency of the rows: the caller's, that of periods that say it, or what the dates tell.
pub(crate) fn frequency(rows: &[Row], options: &ImportOptions) -> Result<Frequency, ImportError> {
    let whole = rows.first().map(|row| row.day.frequency()).filter(|found| *found != Frequency::D);
    let days: Vec<frequency::Dated> = rows.iter().map(|row| (row.day, row.line)).collect();
    options.frequency.or(whole).map_or_else(|| frequency::infer(&days), Ok)
}

/// The table of the rows.
pub(crate) fn fill(
    rows: &[Row],
    series: &[Series],
    gaps: Gaps,
    (area, options): (&Area, &ImportOptions),
) -> Result<(Table, ImportSummary), ImportError> {
    let frequency = frequency(rows, options)?;
    let vintages = series.iter().any(|series| !series.vintage.is_empty());
    let dimensions: &[&str] =
        if vintages { &["REF_AREA", "SERIES", "VINTAGE"] } else { &["REF_AREA", "SERIES"] };
    let mut cube = Cube::new(dimensions, &[])?;
    cube.gaps = gaps;
    for row in rows {
        cube.rows += 1;
        let period = frequency::period(row.day, frequency).map_err(|fault| fault.line(row.line))?;
        for (series, figure) in series.iter().zip(&row.figures) {
            let key = [area.code.as_str(), series.id.as_str(), series.vintage.as_str()];
            cube.push(&key, (period, *figure), (&[], false), row.line)?;
        }
    }
    cube.finish()
}

/// The observations of the one series of a file, with their lines.
pub(crate) fn single(rows: Vec<Row>) -> impl Iterator<Item = (Period, Option<Decimal>, u64)> {
    rows.into_iter().map(|row| (row.day, row.figures.into_iter().next().flatten(), row.line))
}

/// The area of a source that names none: the caller's, or the one that it is about.
pub(crate) fn area(options: &ImportOptions, usual: &str) -> Result<Area, ImportError> {
    let code = options.area.as_deref().unwrap_or(usual);
    areas::known(code).ok_or_else(|| areas::unknown(code))
}

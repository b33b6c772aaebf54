//! Vintages of ALFRED in rows: a date, its figure, and from which day on that figure was the one known.
//!
//! Where the wide form has a column for each vintage (see `fred.rs`), this one has a column
//! `realtime_start`. A row stands for its first day only: `realtime_end` says the same by the next row,
//! and figures that a release left as they were are not written again. The result has the identifiers of
//! the wide form. Refuses rows of one date and one day with two figures.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::table::Table;

use crate::cube::Cube;
use crate::error::ImportError;
use crate::gaps::Gaps;
use crate::heading::Heading;
use crate::panel::{self, Form, Words};
use crate::points::{self, OBSERVATIONS_MAX};
use crate::records::{Reader, Record};
use crate::{Format, ImportOptions, ImportSummary, ImportedTable, SourceFile, fred, frequency};

const START: [&str; 2] = ["realtime_start", "realtime_start_date"];
const END: [&str; 2] = ["realtime_end", "realtime_end_date"];
const DATE: [&str; 3] = ["observation_date", "date", "period_start_date"];

/// The places of the columns, and the id of the series.
struct Places {
    start: usize,
    date: usize,
    figure: usize,
    id: String,
}

/// A row: its date, the day from which on its figure was known, the figure, its line.
struct Row {
    day: Period,
    known: Period,
    figure: Option<Decimal>,
    line: u64,
}

/// Whether a header is that of vintages in rows.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    places(header).is_some()
}

fn places(header: &Record<'_>) -> Option<Places> {
    let is = |column: usize, words: &[&str]| {
        words.iter().any(|word| header.cell(column).eq_ignore_ascii_case(word))
    };
    let find = |words: &[&str]| (0..header.cells.len()).find(|column| is(*column, words));
    let (start, date) = (find(&START)?, find(&DATE)?);
    // A column without a title holds the numbers of the rows.
    let other = |column: &usize| {
        ![start, date].contains(column) && !is(*column, &END) && !header.cell(*column).is_empty()
    };
    let mut others = (0..header.cells.len()).filter(other);
    let figure = others.next()?;
    others.next().is_none().then(|| Places { start, date, figure, id: header.cell(figure).to_owned() })
}

/// Reads the rows below the header.
pub(crate) fn read<'a>(
    source: SourceFile<'_>,
    (reader, record): (&mut Reader<'a>, &mut Record<'a>),
    (words, options): (Words, &ImportOptions),
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut places = places(record).ok_or_else(|| {
        ImportError::new("column-missing", "expected `realtime_start`, a date and one series")
            .line(record.line)
    })?;
    if places.id.eq_ignore_ascii_case("value") {
        places.id = fred::series_id(source.name);
    }
    let (width, mut gaps, mut rows) = (record.cells.len(), Gaps::default(), Vec::new());
    while reader.read(record)? {
        record.check_width(width)?;
        points::bounded(rows.len(), OBSERVATIONS_MAX, record.line)?;
        rows.push(row(&places, record, (words, &mut gaps)).map_err(|fault| fault.line(record.line))?);
        reader.tick(progress);
    }
    let mut heading = Heading::new(Format::Fred, places.id.as_str()).publisher(fred::PUBLISHER);
    heading.notes =
        vec!["a vintage has the figures that were new or other on its day, not all of them".to_owned()];
    heading.over(table(&rows, &places.id, gaps, options)?)
}

fn row(places: &Places, record: &Record<'_>, (words, gaps): (Words, &mut Gaps)) -> Result<Row, ImportError> {
    let day = |column: usize, title: &str| {
        let cell = record.cell(column);
        Form::of(cell).day(cell).map_err(|fault| fault.column(title))
    };
    let figure = words.figure(record.cell(places.figure), gaps).map_err(|fault| fault.column(&places.id))?;
    let (known, day) = (day(places.start, "realtime_start")?, day(places.date, "date")?);
    Ok(Row { day, known, figure, line: record.line })
}

fn table(
    rows: &[Row],
    id: &str,
    gaps: Gaps,
    options: &ImportOptions,
) -> Result<(Table, ImportSummary), ImportError> {
    if rows.is_empty() {
        return Err(points::empty(0));
    }
    let days: Vec<frequency::Dated> = rows.iter().map(|row| (row.day, row.line)).collect();
    let frequency = options.frequency.map_or_else(|| frequency::infer(&days), Ok)?;
    let area = panel::area(options, fred::AREA)?;
    let mut cube = Cube::new(&["REF_AREA", "SERIES", "VINTAGE"], &[])?;
    (cube.gaps, cube.rows) = (gaps, rows.len() as u64);
    for row in rows {
        let period = frequency::period(row.day, frequency).map_err(|fault| fault.line(row.line))?;
        let key = [area.code.as_str(), id, &row.known.to_string()];
        cube.push(&key, (period, row.figure), (&[], false), row.line)?;
    }
    cube.finish()
}

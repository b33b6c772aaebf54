//! The spreadsheets of Eurostat's data browser: rows about the data, then a table with the areas
//! in columns and the periods in rows, or the other way round; an unnamed column holds the flags
//! of the one before it.
//!
//! Areas are written by their names, which lead to a code where they are known.

use schemas::decimal::Decimal;
use schemas::period::Period;

use crate::areas::{self, Area, AreaScheme};
use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::Heading;
use crate::xlsx::Rows;
use crate::{Format, ImportedTable, SourceFile, value};

/// Whether these are the sheets of such a workbook.
pub(crate) fn is_export(names: &[String]) -> bool {
    ["Summary", "Structure"].iter().all(|word| names.iter().any(|name| name == word))
}

/// The one sheet of data.
pub(crate) fn sheet(names: &[String]) -> Result<&str, ImportError> {
    let data: Vec<&String> = names.iter().filter(|name| name.starts_with("Sheet ")).collect();
    match data.as_slice() {
        [one] => Ok(one),
        others => {
            Err(ImportError::new("sheet", format!("expected one sheet of data, found {}", others.len()))
                .hint("export one table at a time, or take the data as TSV or SDMX-CSV"))
        }
    }
}

/// A cell of a row.
fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// The table: what its columns are, and where its rows begin.
struct Layout {
    /// The columns of figures and what heads them.
    columns: Vec<(usize, String)>,
    /// Whether periods head the columns.
    across: bool,
    first: usize,
}

/// Finds the two rows that head the table: `TIME` and the name of the areas, in any order.
fn layout(rows: &Rows) -> Result<Layout, ImportError> {
    let time = |row: &Vec<String>| cell(row, 0) == "TIME";
    let area = |row: &Vec<String>| cell(row, 0).starts_with("GEO");
    let head =
        rows.iter().zip(rows.iter().skip(1)).position(|(a, b)| time(a) && area(b) || area(a) && time(b));
    let head = head
        .ok_or_else(|| ImportError::new("header-missing", "expected the rows `TIME` and `GEO (Labels)`"))?;
    let titles = rows.get(head).map(Vec::as_slice).unwrap_or_default();
    let columns = (1..titles.len())
        .map(|column| (column, cell(titles, column).to_owned()))
        .filter(|(_, title)| !title.is_empty())
        .collect();
    Ok(Layout { columns, across: cell(titles, 0) == "TIME", first: head + 2 })
}

/// Reads a sheet.
pub(crate) fn read(source: SourceFile<'_>, rows: &Rows) -> Result<ImportedTable, ImportError> {
    let layout = layout(rows)?;
    let mut cube = Cube::new(&["REF_AREA"], &["OBS_STATUS"])?;
    let (mut unknown, mut line) = (0, layout.first as u64);
    for row in rows.iter().skip(layout.first).take_while(|row| !cell(row, 0).is_empty()) {
        (line, cube.rows) = (line + 1, cube.rows + 1);
        for (column, title) in &layout.columns {
            let (area, period) =
                if layout.across { (cell(row, 0), title.as_str()) } else { (title.as_str(), cell(row, 0)) };
            let named = areas::labelled(area);
            unknown += u64::from(named.is_none());
            let code = named.unwrap_or_else(|| area.to_owned());
            let at = |fault: ImportError| fault.line(line).column(title);
            let flags = layout.flags(row, *column);
            let figure = figure(&mut cube, cell(row, *column)).map_err(at)?;
            let period = self::period(period).map_err(at)?;
            cube.push(&[&code], (period, figure), (&[flags], !flags.is_empty()), line)?;
        }
    }
    let said = |word: &str| {
        rows.iter().take(layout.first).find(|row| cell(row, 0).trim_end_matches([':', ' ']) == word)
    };
    let dataset = said("Dataset").map_or("", |row| cell(row, 1));
    let (title, id) = dataset.rsplit_once('[').unwrap_or((dataset, value::stem(source.name)));
    let mut heading =
        Heading::new(Format::Xlsx, id.trim_end_matches(']')).title(title.trim()).publisher("Eurostat");
    heading.vintage = said("Last updated").and_then(|row| updated(cell(row, 1)));
    heading.areas = layout.areas(rows);
    heading.notes.extend(fixed(rows, layout.first));
    heading.notes.extend((unknown > 0).then(|| "some areas are known by their name only".to_owned()));
    heading.over(cube.finish()?)
}

impl Layout {
    /// The areas that have a code, by the names of the sheet.
    fn areas(&self, rows: &Rows) -> Vec<Area> {
        let down = self.columns.iter().map(|(_, title)| title.as_str());
        let across = rows.iter().skip(self.first).map(|row| cell(row, 0));
        let names: Vec<&str> = if self.across { across.collect() } else { down.collect() };
        let area = |name: &&str| {
            let area = areas::coded(AreaScheme::Eurostat, &areas::labelled(name)?)?;
            Some(Area { name: (*name).to_owned(), ..area })
        };
        names.iter().filter_map(area).collect()
    }

    /// The flags of a figure: the unnamed column behind it.
    fn flags<'a>(&self, row: &'a [String], column: usize) -> &'a str {
        if self.columns.iter().any(|(other, _)| *other == column + 1) { "" } else { cell(row, column + 1) }
    }
}

fn figure(cube: &mut Cube, text: &str) -> Result<Option<Decimal>, ImportError> {
    if cube.gaps.is(text, &[":", ""]) { Ok(None) } else { value::number(text).map(Some) }
}

fn period(text: &str) -> Result<Period, ImportError> {
    text.parse().map_err(|_| ImportError::new("period", "expected a period like `2024-11`").value(text))
}

/// The day of `19/12/2024 11:00`.
fn updated(text: &str) -> Option<Period> {
    let day = text.split(' ').next().unwrap_or_default();
    value::triple(day, '/').and_then(|[day, month, year]| Period::from_date(year, month, day))
}

/// What all figures have in common, as in `Sex: Total`: the rows with a word in the third column.
fn fixed(rows: &Rows, first: usize) -> Vec<String> {
    let said =
        |row: &&Vec<String>| !cell(row, 0).is_empty() && cell(row, 1).is_empty() && !cell(row, 2).is_empty();
    let above = rows.iter().take(first.saturating_sub(2));
    above.filter(said).map(|row| format!("{}: {}", cell(row, 0), cell(row, 2))).collect()
}

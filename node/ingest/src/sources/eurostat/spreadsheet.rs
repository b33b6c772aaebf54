//! Spreadsheets of Eurostat's data browser: rows of metadata above a table with areas in columns and
//! periods in rows, or the other way round. A column without a title holds the flags of the column
//! before it.
//!
//! Areas are written by name; a known name is translated to its code.

use schemas::decimal::Decimal;
use schemas::period::Period;

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::error::ImportError;
use crate::formats::xlsx::SheetRows;
use crate::values::areas::{self, Area, AreaScheme};
use crate::values::cell;
use crate::{Format, ImportedTable, SourceFile};

/// Whether a workbook with these sheets is such an export.
pub(crate) fn is_export(names: &[String]) -> bool {
    ["Summary", "Structure"].iter().all(|word| names.iter().any(|name| name == word))
}

/// The single sheet of data.
pub(crate) fn data_sheet(names: &[String]) -> Result<&str, ImportError> {
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
fn cell_at(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// Position and orientation of the table in the sheet.
struct SheetLayout {
    /// The columns of figures with their titles.
    columns: Vec<(usize, String)>,
    /// Whether the titles are periods, not areas.
    across: bool,
    /// The first row of figures.
    first: usize,
}

/// Finds the two title rows of the table, `TIME` and `GEO (Labels)`, in any order.
fn find_layout(rows: &SheetRows) -> Result<SheetLayout, ImportError> {
    let time = |row: &Vec<String>| cell_at(row, 0) == "TIME";
    let area = |row: &Vec<String>| cell_at(row, 0).starts_with("GEO");
    let head =
        rows.iter().zip(rows.iter().skip(1)).position(|(a, b)| time(a) && area(b) || area(a) && time(b));
    let head = head
        .ok_or_else(|| ImportError::new("header-missing", "expected the rows `TIME` and `GEO (Labels)`"))?;
    let titles = rows.get(head).map(Vec::as_slice).unwrap_or_default();
    let columns = (1..titles.len())
        .map(|column| (column, cell_at(titles, column).to_owned()))
        .filter(|(_, title)| !title.is_empty())
        .collect();
    Ok(SheetLayout { columns, across: cell_at(titles, 0) == "TIME", first: head + 2 })
}

/// Reads a sheet.
pub(crate) fn read_sheet(source: SourceFile<'_>, rows: &SheetRows) -> Result<ImportedTable, ImportError> {
    let layout = find_layout(rows)?;
    let mut builder = DimensionedBuilder::new(&["REF_AREA"], &["OBS_STATUS"])?;
    let (mut unknown, mut line) = (0, layout.first as u64);
    for row in rows.iter().skip(layout.first).take_while(|row| !cell_at(row, 0).is_empty()) {
        (line, builder.rows) = (line + 1, builder.rows + 1);
        for (column, title) in &layout.columns {
            let (area, period) = if layout.across {
                (cell_at(row, 0), title.as_str())
            } else {
                (title.as_str(), cell_at(row, 0))
            };
            let named = areas::code_by_label(area);
            unknown += u64::from(named.is_none());
            let code = named.unwrap_or_else(|| area.to_owned());
            let at = |error: ImportError| error.line(line).column(title);
            let flags = layout.flags(row, *column);
            let figure = parse_figure(&mut builder, cell_at(row, *column)).map_err(at)?;
            let period = self::parse_period(period).map_err(at)?;
            builder.push(&Observation {
                key: &[&code],
                period,
                figure,
                attributes: &[flags],
                has_status: !flags.is_empty(),
                line,
            })?;
        }
    }
    let find_row = |word: &str| {
        rows.iter().take(layout.first).find(|row| cell_at(row, 0).trim_end_matches([':', ' ']) == word)
    };
    let dataset = find_row("Dataset").map_or("", |row| cell_at(row, 1));
    // `Unemployment by sex [une_rt_m]`.
    let (title, id) = dataset.rsplit_once('[').unwrap_or((dataset, cell::file_stem(source.name)));
    let mut metadata =
        Metadata::new(Format::Xlsx, id.trim_end_matches(']')).title(title.trim()).publisher("Eurostat");
    metadata.vintage = find_row("Last updated").and_then(|row| parse_update_day(cell_at(row, 1)));
    metadata.areas = layout.areas(rows);
    metadata.notes.extend(fixed_dimensions(rows, layout.first));
    metadata
        .notes
        .extend((unknown > 0).then(|| "some areas have no known code and keep their name".to_owned()));
    metadata.with_table(builder.into_table()?)
}

impl SheetLayout {
    /// The areas with a known code, under the names of the sheet.
    fn areas(&self, rows: &SheetRows) -> Vec<Area> {
        let down = self.columns.iter().map(|(_, title)| title.as_str());
        let across = rows.iter().skip(self.first).map(|row| cell_at(row, 0));
        let names: Vec<&str> = if self.across { across.collect() } else { down.collect() };
        let area = |name: &&str| {
            let area = areas::translate_code(AreaScheme::Eurostat, &areas::code_by_label(name)?)?;
            Some(Area { name: (*name).to_owned(), ..area })
        };
        names.iter().filter_map(area).collect()
    }

    /// The flags of a figure: the next column, if that has no title.
    fn flags<'a>(&self, row: &'a [String], column: usize) -> &'a str {
        if self.columns.iter().any(|(other, _)| *other == column + 1) { "" } else { cell_at(row, column + 1) }
    }
}

fn parse_figure(builder: &mut DimensionedBuilder, text: &str) -> Result<Option<Decimal>, ImportError> {
    if builder.missing.count_if_missing(text, &[":", ""]) {
        Ok(None)
    } else {
        cell::parse_number(text).map(Some)
    }
}

fn parse_period(text: &str) -> Result<Period, ImportError> {
    text.parse().map_err(|_| ImportError::new("period", "expected a period like `2024-11`").value(text))
}

/// Parses the day of `19/12/2024 11:00`.
fn parse_update_day(text: &str) -> Option<Period> {
    let day = text.split(' ').next().unwrap_or_default();
    cell::split_date(day, '/').and_then(|[day, month, year]| Period::from_date(year, month, day))
}

/// Dimensions that are the same for all figures, as in `Sex: Total`: rows with a text in the third
/// column and none in the second.
fn fixed_dimensions(rows: &SheetRows, first: usize) -> Vec<String> {
    let has_value = |row: &&Vec<String>| {
        !cell_at(row, 0).is_empty() && cell_at(row, 1).is_empty() && !cell_at(row, 2).is_empty()
    };
    let above = rows.iter().take(first.saturating_sub(2));
    above.filter(has_value).map(|row| format!("{}: {}", cell_at(row, 0), cell_at(row, 2))).collect()
}

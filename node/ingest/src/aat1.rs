//! The table `aat1.txt` of the Bureau of Labor Statistics: employment status of the civilian
//! population of the United States, annual averages since 1940, as text in columns.
//!
//! Two populations follow each other, from 14 and from 16 years of age, and 1947 is in both: AGE
//! tells them apart. A year marked `(1)` cannot be compared with those before it: its status is
//! `B`, a break.

use schemas::period::Period;

use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::{Heading, Names};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, bls, panel, records, value};

/// The columns from left to right: code, name, whether in percent (else thousands of persons).
const COLUMNS: [(&str, &str, bool); 10] = [
    ("POPULATION", "Civilian noninstitutional population", false),
    ("LABOR_FORCE", "Civilian labor force", false),
    ("LABOR_FORCE_RATE", "Civilian labor force, percent of population", true),
    ("EMPLOYED", "Employed", false),
    ("EMPLOYED_RATE", "Employed, percent of population", true),
    ("EMPLOYED_AGRICULTURE", "Employed in agriculture", false),
    ("EMPLOYED_NONAGRICULTURE", "Employed in nonagricultural industries", false),
    ("UNEMPLOYED", "Unemployed", false),
    ("UNEMPLOYED_RATE", "Unemployed, percent of labor force", true),
    ("NOT_IN_LABOR_FORCE", "Not in labor force", false),
];
/// What a line says that begins a population, and its code.
const AGES: [(&str, &str); 2] =
    [("Persons 14 years of age and over", "Y_GE14"), ("Persons 16 years of age and over", "Y_GE16")];
/// The words by which the table is known.
const TITLE: &str = "Employment status of the civilian noninstitutional population";

/// Whether a text is this table.
pub(crate) fn is_table(text: &str) -> bool {
    text.trim_start().starts_with("HOUSEHOLD DATA") && text.contains(TITLE)
}

/// Reads a file.
pub(crate) fn read(source: SourceFile<'_>, options: &ImportOptions) -> Result<ImportedTable, ImportError> {
    let text = records::text(source.bytes)?;
    if !is_table(text) {
        return Err(ImportError::new("header-missing", format!("expected the title `{TITLE}`")));
    }
    let area = panel::area(options, "USA")?;
    let mut cube = Cube::new(&["REF_AREA", "AGE", "SERIES"], &["UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS"])?;
    let mut age = None;
    for (line, text) in (1..).zip(text.lines()) {
        let heading = AGES.iter().find(|(words, _)| text.trim() == *words);
        age = heading.map_or(age, |(_, code)| Some(*code));
        let Some(row) = Row::of(text) else { continue };
        let fault = |message: &str| ImportError::new("row-ragged", message).line(line).value(text.trim());
        let age = age.ok_or_else(|| fault("expected the age of the persons above the first year"))?;
        if row.cells.len() != COLUMNS.len() {
            let message = format!("expected {} figures, found {}", COLUMNS.len(), row.cells.len());
            return Err(fault(&message));
        }
        cube.rows += 1;
        for ((code, _, percent), cell) in COLUMNS.iter().zip(&row.cells) {
            let figure = figure(cell).map_err(|fault| fault.line(line).column(code))?;
            let unit = if *percent { ["PC", ""] } else { ["PS", "3"] };
            let [unit, multiplier] = unit;
            let key = [area.code.as_str(), age, code];
            let status = if row.marked { "B" } else { "" };
            cube.push(&key, (row.year, Some(figure)), (&[unit, multiplier, status], false), line)?;
        }
    }
    let named = |(code, name, _): &(&str, &str, bool)| ((*code).to_owned(), (*name).to_owned());
    let names: Names = COLUMNS.iter().map(named).collect();
    let ages: Names = AGES.iter().map(|(name, code)| ((*code).to_owned(), (*name).to_owned())).collect();
    Heading::new(Format::BlsTable, value::stem(source.name))
        .title(TITLE)
        .publisher(bls::PUBLISHER)
        .named("SERIES", names)
        .named("AGE", ages)
        .over(cube.finish()?)
}

/// A line of figures.
struct Row<'a> {
    year: Period,
    /// Whether a footnote stands at the year.
    marked: bool,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// A line that begins with a year and dots, as in `1953 (1)......  107,056`.
    fn of(line: &'a str) -> Option<Self> {
        let (year, rest) = line.trim_start().split_at_checked(4)?;
        let year = value::year(year)?;
        let (marks, figures) = rest.split_once("..")?;
        let marked = match marks.trim() {
            "" => false,
            "(1)" => true,
            _ => return None,
        };
        Some(Self { year, marked, cells: figures.trim_start_matches('.').split_whitespace().collect() })
    }
}

/// A figure with commas between thousands, in their places.
fn figure(cell: &str) -> Result<schemas::decimal::Decimal, ImportError> {
    let mut groups = cell.split(',');
    let first = groups.next().unwrap_or_default();
    if cell.contains(',') && (first.is_empty() || first.len() > 3 || groups.any(|group| group.len() != 3)) {
        return Err(ImportError::new("number", "expected commas between thousands").value(cell));
    }
    value::number(&cell.replace(',', "")).map_err(|fault| fault.value(cell))
}

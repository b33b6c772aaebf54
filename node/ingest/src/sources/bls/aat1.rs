//! The table `aat1.txt` of the Bureau of Labor Statistics: employment status of the civilian
//! population of the United States, annual averages since 1940, as text in columns.
//!
//! Two populations follow each other, from 14 and from 16 years of age, and 1947 is in both; AGE
//! distinguishes them. A year marked `(1)` is not comparable with earlier ones: its status is `B`, a
//! break in the series.

use schemas::period::Period;

use super::PUBLISHER;
use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::{CodeNames, Metadata};
use crate::build::wide_table;
use crate::csv::records;
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// The columns from left to right: code, name, whether in percent (else in thousands of persons).
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
/// The lines that begin a population, with its code.
const AGES: [(&str, &str); 2] =
    [("Persons 14 years of age and over", "Y_GE14"), ("Persons 16 years of age and over", "Y_GE16")];
/// Title of the table, by which it is recognised.
const TITLE: &str = "Employment status of the civilian noninstitutional population";

/// Whether a text is this table.
pub(crate) fn is_table(text: &str) -> bool {
    text.trim_start().starts_with("HOUSEHOLD DATA") && text.contains(TITLE)
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, .. } = request;
    let text = records::decode_text(source.bytes)?;
    if !is_table(text) {
        return Err(ImportError::new("header-missing", format!("expected the title `{TITLE}`")));
    }
    let area = wide_table::source_area(options, "USA")?;
    let attributes = ["UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS"];
    let mut builder = DimensionedBuilder::new(&["REF_AREA", "AGE", "SERIES"], &attributes)?;
    let mut age = None;
    for (line, text) in (1..).zip(text.lines()) {
        let metadata = AGES.iter().find(|(words, _)| text.trim() == *words);
        age = metadata.map_or(age, |(_, code)| Some(*code));
        // Titles, rules and footnotes.
        let Some(row) = YearRow::parse(text) else { continue };
        let error = |message: &str| ImportError::new("row-ragged", message).line(line).value(text.trim());
        let age = age.ok_or_else(|| error("expected the age of the persons above the first year"))?;
        if row.cells.len() != COLUMNS.len() {
            let message = format!("expected {} figures, found {}", COLUMNS.len(), row.cells.len());
            return Err(error(&message));
        }
        builder.rows += 1;
        for ((code, _, percent), cell) in COLUMNS.iter().zip(&row.cells) {
            let figure = parse_figure(cell).map_err(|error| error.line(line).column(code))?;
            let [unit, multiplier] = if *percent { ["PC", ""] } else { ["PS", "3"] };
            builder.push(&Observation {
                key: &[area.code.as_str(), age, code],
                period: row.year,
                figure: Some(figure),
                attributes: &[unit, multiplier, if row.marked { "B" } else { "" }],
                has_status: false,
                line,
            })?;
        }
    }
    let named = |(code, name, _): &(&str, &str, bool)| ((*code).to_owned(), (*name).to_owned());
    let names: CodeNames = COLUMNS.iter().map(named).collect();
    let ages: CodeNames = AGES.iter().map(|(name, code)| ((*code).to_owned(), (*name).to_owned())).collect();
    Metadata::new(Format::BlsTable, cell::file_stem(source.name))
        .title(TITLE)
        .publisher(PUBLISHER)
        .with_code_names("SERIES", names)
        .with_code_names("AGE", ages)
        .with_table(builder.into_table()?)
}

/// A line of figures.
struct YearRow<'a> {
    year: Period,
    /// Whether the year has the footnote `(1)`.
    marked: bool,
    cells: Vec<&'a str>,
}

impl<'a> YearRow<'a> {
    /// Parses a line that begins with a year and dots, such as `1953 (1)......  107,056`.
    fn parse(line: &'a str) -> Option<Self> {
        let (year, rest) = line.trim_start().split_at_checked(4)?;
        let year = cell::parse_year(year)?;
        let (marks, figures) = rest.split_once("..")?;
        let marked = match marks.trim() {
            "" => false,
            "(1)" => true,
            _ => return None,
        };
        Some(Self { year, marked, cells: figures.trim_start_matches('.').split_whitespace().collect() })
    }
}

/// A figure with commas between thousands; commas elsewhere are refused.
fn parse_figure(cell: &str) -> Result<schemas::decimal::Decimal, ImportError> {
    let mut groups = cell.split(',');
    let first = groups.next().unwrap_or_default();
    if cell.contains(',') && (first.is_empty() || first.len() > 3 || groups.any(|group| group.len() != 3)) {
        return Err(ImportError::new("number", "expected commas between thousands").value(cell));
    }
    cell::parse_number(&cell.replace(',', "")).map_err(|error| error.value(cell))
}

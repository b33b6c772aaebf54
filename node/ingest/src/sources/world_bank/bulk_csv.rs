//! World Bank bulk CSV: one indicator, every area, every year.
//!
//! Reads the three forms in circulation: wide below a preamble (as served), wide with the header on
//! line 1 (as repackaged), and long (`Country Name,Country Code,Year,Value`). An empty cell is a missing
//! figure. Refuses exports of the DataBank: a user may pivot them, and their header does not show it.

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::text::{Name, to_line};

use super::archive::METADATA_NAME;
use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::build::summary::{self, OBSERVATIONS_MAX};
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::detect;
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::areas::AreaRegister;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Rows in which the header is sought; as served it follows two rows and two blank lines, on line 5.
const PREAMBLE_ROWS: usize = 12;
/// Indicators that are price levels and never negative.
const LEVELS: [&str; 3] = ["FP.CPI.TOTL", "FP.WPI.TOTL", "CPI"];

/// Whether a row is the header of such a file.
pub(crate) fn is_header(row: &CsvRecord<'_>) -> bool {
    row.find_column("Country Code").is_some()
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, detected, progress } = request;
    let metadata = options.companion(METADATA_NAME).map(|companion| companion.bytes.as_slice());
    let mut reader = CsvReader::new(records::decode_text(source.bytes)?, b',');
    let mut record = CsvRecord::default();
    let preamble = read_preamble(detected, &mut reader, &mut record)?;
    let layout = read_layout(&record)?;
    let mut file = IndicatorTable::new(source.name, &layout, metadata)?;
    let width = record.cells.len();
    while reader.read_record(&mut record)? {
        record.check_width(width)?;
        file.add_row(&record, &layout).map_err(|error| error.line(record.line))?;
        reader.report_progress(progress);
    }
    file.finish_import(preamble)
}

/// The rows above the header.
#[derive(Default)]
struct FilePreamble {
    publisher: Option<String>,
    vintage: Option<Period>,
}

/// Reads up to the header and leaves it in `record`.
fn read_preamble<'a>(
    detected: Option<Format>,
    reader: &mut CsvReader<'a>,
    record: &mut CsvRecord<'a>,
) -> Result<FilePreamble, ImportError> {
    let mut preamble = FilePreamble::default();
    let mut first = None;
    for _ in 0..PREAMBLE_ROWS {
        if !reader.read_record(record)? {
            break;
        }
        if is_header(record) {
            return Ok(preamble);
        }
        first.get_or_insert_with(|| (record.line, record.joined_cells()));
        match record.cell(0) {
            // The database, such as `World Development Indicators`.
            "Data Source" => preamble.publisher = Some(to_line(record.cell(1))),
            "Last Updated Date" => preamble.vintage = cell::parse_iso_day(record.cell(1)),
            _ => {}
        }
    }
    if let Some(found) = detected.filter(|found| *found != Format::WorldBank) {
        return Err(detect::other_format(Format::WorldBank, found));
    }
    let (line, joined) = first.unwrap_or_default();
    Err(ImportError::new("header-missing", "expected a header with the column `Country Code`")
        .line(line)
        .value(joined)
        .hint("take the CSV of an indicator from data.worldbank.org, or import it as `csv` with a mapping"))
}

/// The columns of the file.
struct TableLayout {
    code: usize,
    name: Option<usize>,
    /// The columns of name and code of the indicator.
    indicator: Option<(usize, usize)>,
    form: TableForm,
}

/// The two forms of the figures.
enum TableForm {
    /// A column for each year: position and period.
    Wide(Vec<(usize, Period)>),
    /// A row for each figure: the columns of year and figure, and the title of the latter.
    Long { year: usize, figure: usize, title: String },
}

/// Reads the header.
fn read_layout(header: &CsvRecord<'_>) -> Result<TableLayout, ImportError> {
    let missing = |what: &str| header.missing_column(format!("the column `{what}`"));
    let code = header.require_column("Country Code")?;
    let name = header.find_column("Country Name").or_else(|| header.find_column("Country"));
    let indicator = header.find_column("Indicator Name").zip(header.find_column("Indicator Code"));
    let used = |column: &usize| {
        *column != code
            && Some(*column) != name
            && indicator.is_none_or(|(a, b)| *column != a && *column != b)
    };
    let others: Vec<usize> = (0..header.cells.len()).filter(used).collect();
    let form = match header.find_column("Year") {
        // `Metadata_Country_*.csv` has the column `Country Code` too.
        None if header.find_column("Region").is_some() => {
            let hint = "this is the country metadata; import the file `API_*.csv`";
            return Err(missing("1960").hint(hint));
        }
        None => TableForm::Wide(year_columns(header, &others)?),
        Some(year) => match others.as_slice() {
            // Year and figure in any order; any other column would be a second dimension.
            [a, b] if *a == year || *b == year => {
                let figure = if *a == year { *b } else { *a };
                TableForm::Long { year, figure, title: header.cell(figure).to_owned() }
            }
            _ => {
                let hint = "the long form has one column of figures and the column `Year`";
                return Err(missing("Value").hint(hint));
            }
        },
    };
    Ok(TableLayout { code, name, indicator, form })
}

/// The year columns. The last column may be empty: the World Bank ends each line with a comma.
fn year_columns(header: &CsvRecord<'_>, others: &[usize]) -> Result<Vec<(usize, Period)>, ImportError> {
    let mut years: Vec<(usize, Period)> = Vec::new();
    for column in others.iter().copied() {
        let cell = header.cell(column);
        if cell.is_empty() && column + 1 == header.cells.len() {
            continue;
        }
        let year =
            parse_year(cell).map_err(|error| error.line(header.line).column((column + 1).to_string()))?;
        if years.iter().any(|(_, earlier)| *earlier == year) {
            return Err(ImportError::new("column-twice", "two columns for one year")
                .line(header.line)
                .value(cell));
        }
        years.push((column, year));
    }
    if years.is_empty() {
        let error =
            ImportError::new("column-missing", "expected a column for each year, or the column `Year`");
        return Err(error.line(header.line).value(header.joined_cells()));
    }
    Ok(years)
}

/// Parses a year: `1960`, or `1960-01-01` as some repackagers write it.
fn parse_year(cell: &str) -> Result<Period, ImportError> {
    // Some repackagers write the first day of the year.
    let whole = cell.strip_suffix("-01-01").unwrap_or(cell);
    cell::parse_year(whole).ok_or_else(|| {
        let error = ImportError::new("year", "expected a year of four digits").value(cell);
        if cell.to_ascii_uppercase().contains("YR") {
            error.hint(
                "this is an export of the DataBank; download the indicator as CSV from data.worldbank.org instead",
            )
        } else {
            error.hint("years are columns named `1960`, `1961`, …, or cells of a column `Year`")
        }
    })
}

/// The observations read so far.
struct IndicatorTable<'a> {
    source_name: &'a str,
    register: AreaRegister,
    builder: DimensionedBuilder,
    /// Code and name of the indicator.
    indicator: Option<(String, String)>,
    /// Whether negative figures are refused.
    level: bool,
}

impl<'a> IndicatorTable<'a> {
    fn new(source_name: &'a str, layout: &TableLayout, metadata: Option<&[u8]>) -> Result<Self, ImportError> {
        let register = AreaRegister::new(metadata)?;
        let builder = DimensionedBuilder::new(&["REF_AREA"], &[])?;
        let mut file = Self { source_name, register, builder, indicator: None, level: false };
        if layout.indicator.is_none() {
            let title = match &layout.form {
                TableForm::Long { title, .. } if !title.eq_ignore_ascii_case("value") => title,
                _ => cell::file_stem(source_name),
            };
            file.identify(indicator_in_name(source_name).unwrap_or_else(|| title.to_owned()), String::new());
        }
        Ok(file)
    }

    fn identify(&mut self, code: String, title: String) {
        self.level = LEVELS.contains(&code.as_str());
        self.indicator = Some((code, title));
    }

    fn add_row(&mut self, record: &CsvRecord<'_>, layout: &TableLayout) -> Result<(), ImportError> {
        self.builder.rows += 1;
        if let Some((title, code)) = layout.indicator {
            self.check_indicator(record.cell(code), record.cell(title))?;
        }
        let name = layout.name.map_or("", |column| record.cell(column));
        let area = record.cell(layout.code);
        self.register.enter(area, name)?;
        match &layout.form {
            TableForm::Wide(years) => {
                for (column, year) in years {
                    self.add_figure(record, *column, area, *year, &year.to_string())?;
                }
                Ok(())
            }
            TableForm::Long { year: time, figure, title } => {
                let year = parse_year(record.cell(*time)).map_err(|error| error.column("Year"))?;
                self.add_figure(record, *figure, area, year, title)
            }
        }
    }

    fn add_figure(
        &mut self,
        record: &CsvRecord<'_>,
        column: usize,
        area: &str,
        year: Period,
        title: &str,
    ) -> Result<(), ImportError> {
        let cell = record.cell(column);
        let figure = match cell {
            _ if self.builder.missing.count_if_missing(cell, &["", ".."]) => None,
            _ => {
                let figure = cell::parse_number(cell).and_then(|figure| self.check_level(figure, cell));
                let figure = figure.map_err(|error| error.column(title))?;
                summary::check_row_count(self.builder.observation_count(), OBSERVATIONS_MAX, record.line)?;
                Some(figure)
            }
        };
        self.builder.push(&Observation {
            key: &[area],
            period: year,
            figure,
            attributes: &[],
            has_status: false,
            line: record.line,
        })
    }

    /// Refuses a negative price level. A repackaged file of inflation rates has called itself an index
    /// since 2024; only the sign shows it.
    fn check_level(&self, figure: Decimal, cell: &str) -> Result<Decimal, ImportError> {
        if !self.level || figure.coefficient() >= 0 {
            return Ok(figure);
        }
        Err(ImportError::new("implausible", "a price index cannot be negative").value(cell).hint(
            "these look like rates of change (FP.CPI.TOTL.ZG), not index numbers; to use them as such import the \
             file as `csv` with a mapping",
        ))
    }

    fn check_indicator(&mut self, code: &str, title: &str) -> Result<(), ImportError> {
        match &self.indicator {
            Some((first, _)) if first == code => Ok(()),
            Some((first, _)) => {
                let message = format!("expected the indicator `{first}` as in the rows above");
                let error = ImportError::new("indicator", message).column("Indicator Code").value(code);
                Err(error.hint("import a file for each indicator"))
            }
            None => {
                Name::new(code).map_err(|error| {
                    ImportError::new("indicator", error.to_string()).column("Indicator Code")
                })?;
                self.identify(code.to_owned(), to_line(title));
                Ok(())
            }
        }
    }

    fn finish_import(self, preamble: FilePreamble) -> Result<ImportedTable, ImportError> {
        let (table, summary) = self.builder.into_table()?;
        let (code, title) = self.indicator.ok_or_else(|| summary::no_data(summary.rows))?;
        let dataflow = cell::clean_name(&code).ok_or_else(|| {
            ImportError::new("name", "expected a file name that describes the content")
                .value(self.source_name)
        })?;
        let title = if title.is_empty() { dataflow.to_string() } else { title };
        let mut metadata = Metadata::new(Format::WorldBank, code).title(title);
        (metadata.publisher, metadata.vintage) = (preamble.publisher, preamble.vintage);
        let mut imported = metadata.with_table((table, summary))?;
        // The code list keeps areas without any figure, and the aggregates of the country metadata.
        imported.areas = self.register.into_areas();
        imported.summary.aggregates = imported.areas.iter().filter(|area| area.aggregate).count() as u64;
        Ok(imported)
    }
}

/// The indicator code in a file name, as in `vintage2016_FP.CPI.TOTL_long.csv`.
fn indicator_in_name(file: &str) -> Option<String> {
    let like_code = |part: &&str| {
        let pieces: Vec<&str> = part.split('.').collect();
        pieces.len() >= 3
            && pieces
                .first()
                .is_some_and(|topic| topic.len() == 2 && topic.bytes().all(|b| b.is_ascii_alphabetic()))
            && pieces
                .iter()
                .all(|piece| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    cell::file_stem(file).split(['_', ' ']).find(like_code).map(str::to_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicator_codes_are_found_in_file_names() {
        for (file, code) in [
            ("vintage2016_FP.CPI.TOTL_long.csv", Some("FP.CPI.TOTL")),
            ("wdi_long_2026-07-01_sl.tlf.totl.in.csv", Some("SL.TLF.TOTL.IN")),
            ("cpi.csv", None),
            ("a.b.c.csv", None),
        ] {
            assert_eq!(indicator_in_name(file).as_deref(), code, "{file}");
        }
    }

    #[test]
    fn years_are_four_digits() {
        assert_eq!(parse_year("1960").unwrap(), parse_year("1960-01-01").unwrap());
        for (cell, word) in [("1960 [YR1960]", "DataBank"), ("1960-02-01", "columns"), ("196", "columns")] {
            assert!(parse_year(cell).unwrap_err().hint.unwrap().contains(word), "{cell}");
        }
    }
}

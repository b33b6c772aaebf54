//! World Bank bulk CSV: one indicator, every area, every year.
//!
//! Reads the three forms in which the files go round: wide with a preamble (as served), wide with
//! the header on line 1 (as repackaged), and long (`Country Name,Country Code,Year,Value`). An
//! empty cell is a missing figure and gives no row. Refuses the DataBank export, whose columns
//! are other than its header says once a user has pivoted it.

use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::limits::CELL_BYTES_MAX;
use schemas::period::Period;
use schemas::text::{Name, Text};

use crate::areas::Register;
use crate::error::ImportError;
use crate::points::{self, Points};
use crate::records::{self, Reader, Record};
use crate::{Format, ImportedTable, SourceFile, detect, detect_format, value};

/// Rows in which the header is sought; the real files have it after two rows of preamble.
const PREAMBLE_ROWS: usize = 12;
/// Indicators that are price levels: never negative.
const LEVELS: [&str; 3] = ["FP.CPI.TOTL", "FP.WPI.TOTL", "CPI"];

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    metadata: Option<&[u8]>,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut reader = Reader::new(records::text(source.bytes)?, b',');
    let mut record = Record::default();
    let preamble = preamble(source, &mut reader, &mut record)?;
    let layout = layout(&record)?;
    let mut file = File::new(source.name, &layout, metadata)?;
    let width = record.cells.len();
    while reader.read(&mut record)? {
        record.check_width(width)?;
        file.row(&record, &layout).map_err(|fault| fault.line(record.line))?;
        reader.tick(progress);
    }
    file.finish(preamble)
}

/// What the file says before its header.
#[derive(Default)]
struct Preamble {
    publisher: Option<String>,
    vintage: Option<Period>,
}

/// Reads up to the header, which is left in `record`.
fn preamble<'a>(
    source: SourceFile<'_>,
    reader: &mut Reader<'a>,
    record: &mut Record<'a>,
) -> Result<Preamble, ImportError> {
    let mut preamble = Preamble::default();
    let mut first = None;
    for _ in 0..PREAMBLE_ROWS {
        if !reader.read(record)? {
            break;
        }
        if record.position("Country Code").is_some() {
            return Ok(preamble);
        }
        first.get_or_insert_with(|| (record.line, record.joined()));
        match record.cell(0) {
            "Data Source" => preamble.publisher = Some(value::label(record.cell(1))?.to_owned()),
            "Last Updated Date" => preamble.vintage = value::day(record.cell(1)),
            _ => {}
        }
    }
    if let Some(found) = detect_format(source.name, source.bytes).filter(|found| *found != Format::WorldBank)
    {
        return Err(detect::other(Format::WorldBank, found));
    }
    let (line, joined) = first.unwrap_or_default();
    Err(ImportError::new("header-missing", "expected a header with the column `Country Code`")
        .line(line)
        .value(joined)
        .hint("take the CSV of an indicator from data.worldbank.org, or import it as `csv` with a mapping"))
}

/// Where things stand in a row.
struct Layout {
    code: usize,
    name: Option<usize>,
    /// The columns of the indicator's name and code.
    indicator: Option<(usize, usize)>,
    form: Form,
}

/// The two forms of a file.
enum Form {
    /// A column a year: its position and its period.
    Wide(Vec<(usize, Period)>),
    /// A row a figure: the columns of the year and the figure, and the name of the latter.
    Long { year: usize, figure: usize, title: String },
}

/// Reads the header.
fn layout(header: &Record<'_>) -> Result<Layout, ImportError> {
    let missing = |what: &str| header.lacks(format!("the column `{what}`"));
    let code = header.place("Country Code")?;
    let name = header.position("Country Name").or_else(|| header.position("Country"));
    let indicator = header.position("Indicator Name").zip(header.position("Indicator Code"));
    let used = |column: &usize| {
        *column != code
            && Some(*column) != name
            && indicator.is_none_or(|(a, b)| *column != a && *column != b)
    };
    let others: Vec<usize> = (0..header.cells.len()).filter(used).collect();
    let form = match header.position("Year") {
        None if header.position("Region").is_some() => {
            let hint = "this is the metadata of the countries; import the file `API_*.csv`";
            return Err(missing("1960").hint(hint));
        }
        None => Form::Wide(years(header, &others)?),
        Some(year) => match others.as_slice() {
            [a, b] if *a == year || *b == year => {
                let figure = if *a == year { *b } else { *a };
                Form::Long { year, figure, title: header.cell(figure).to_owned() }
            }
            _ => {
                let hint = "the long form has one column of figures beside `Year`";
                return Err(missing("Value").hint(hint));
            }
        },
    };
    Ok(Layout { code, name, indicator, form })
}

/// The year columns; the last column may be empty, because each line ends with a comma.
fn years(header: &Record<'_>, others: &[usize]) -> Result<Vec<(usize, Period)>, ImportError> {
    let mut years: Vec<(usize, Period)> = Vec::new();
    for column in others.iter().copied() {
        let cell = header.cell(column);
        if cell.is_empty() && column + 1 == header.cells.len() {
            continue;
        }
        let year = year(cell).map_err(|fault| fault.line(header.line).column((column + 1).to_string()))?;
        if years.iter().any(|(_, earlier)| *earlier == year) {
            return Err(ImportError::new("column-twice", "two columns of one year")
                .line(header.line)
                .value(cell));
        }
        years.push((column, year));
    }
    if years.is_empty() {
        let fault =
            ImportError::new("column-missing", "expected a column for each year, or the column `Year`");
        return Err(fault.line(header.line).value(header.joined()));
    }
    Ok(years)
}

/// A year: `1960`, or its first day as some repackagers write it.
fn year(cell: &str) -> Result<Period, ImportError> {
    let whole = cell.strip_suffix("-01-01").unwrap_or(cell);
    value::year(whole).ok_or_else(|| {
        let fault = ImportError::new("year", "expected a year of four digits").value(cell);
        if cell.to_ascii_uppercase().contains("YR") {
            fault.hint(
                "this is an export of the DataBank; download the indicator as CSV from data.worldbank.org instead",
            )
        } else {
            fault.hint("years are columns named `1960`, `1961`, …, or cells of a column `Year`")
        }
    })
}

/// What was read so far.
struct File<'a> {
    source_name: &'a str,
    register: Register,
    points: Points,
    /// Code and name of the indicator.
    indicator: Option<(String, String)>,
    /// Whether a negative figure cannot be.
    level: bool,
}

impl<'a> File<'a> {
    fn new(source_name: &'a str, layout: &Layout, metadata: Option<&[u8]>) -> Result<Self, ImportError> {
        let register = Register::new(metadata)?;
        let mut file =
            Self { source_name, register, points: Points::default(), indicator: None, level: false };
        if layout.indicator.is_none() {
            let title = match &layout.form {
                Form::Long { title, .. } if !title.eq_ignore_ascii_case("value") => title,
                _ => value::stem(source_name),
            };
            file.identify(named(source_name).unwrap_or_else(|| title.to_owned()), String::new());
        }
        Ok(file)
    }

    fn identify(&mut self, code: String, title: String) {
        self.level = LEVELS.contains(&code.as_str());
        self.indicator = Some((code, title));
    }

    fn row(&mut self, record: &Record<'_>, layout: &Layout) -> Result<(), ImportError> {
        self.points.rows += 1;
        if let Some((title, code)) = layout.indicator {
            self.same_indicator(record.cell(code), record.cell(title))?;
        }
        let name = layout.name.map_or("", |column| record.cell(column));
        let area = self.register.enter(record.cell(layout.code), name)?;
        match &layout.form {
            Form::Wide(years) => {
                for (column, year) in years {
                    self.figure(record, *column, area, *year, &year.to_string())?;
                }
                Ok(())
            }
            Form::Long { year: time, figure, title } => {
                let year = year(record.cell(*time)).map_err(|fault| fault.column("Year"))?;
                self.figure(record, *figure, area, year, title)
            }
        }
    }

    fn figure(
        &mut self,
        record: &Record<'_>,
        column: usize,
        area: u32,
        year: Period,
        title: &str,
    ) -> Result<(), ImportError> {
        let cell = record.cell(column);
        if self.points.gaps.is(cell, &["", ".."]) {
            return Ok(());
        }
        let figure = value::number(cell)
            .and_then(|figure| self.plausible(figure, cell))
            .map_err(|fault| fault.column(title))?;
        self.points.push(area, year, figure, record.line)
    }

    /// A file of rates that calls itself an index has been published for years: the sign gives it away.
    fn plausible(&self, figure: Decimal, cell: &str) -> Result<Decimal, ImportError> {
        if !self.level || figure.coefficient() >= 0 {
            return Ok(figure);
        }
        Err(ImportError::new("implausible", "a price index cannot be negative").value(cell).hint(
            "these look like rates of change (FP.CPI.TOTL.ZG), not index numbers; to use them as such import the \
             file as `csv` with a mapping",
        ))
    }

    fn same_indicator(&mut self, code: &str, title: &str) -> Result<(), ImportError> {
        match &self.indicator {
            Some((first, _)) if first == code => Ok(()),
            Some((first, _)) => {
                let message = format!("expected the indicator `{first}` as in the rows before");
                let fault = ImportError::new("indicator", message).column("Indicator Code").value(code);
                Err(fault.hint("import one indicator a file"))
            }
            None => {
                Name::new(code).map_err(|error| {
                    ImportError::new("indicator", error.to_string()).column("Indicator Code")
                })?;
                let title = value::label(title).map_err(|fault| fault.column("Indicator Name"))?;
                self.identify(code.to_owned(), title.to_owned());
                Ok(())
            }
        }
    }

    fn finish(self, preamble: Preamble) -> Result<ImportedTable, ImportError> {
        let (table, areas, summary) = self.points.finish(self.register)?;
        let (code, title) = self.indicator.ok_or_else(|| points::empty(summary.rows))?;
        let dataflow = value::name(&code).ok_or_else(|| {
            ImportError::new("name", "expected a file name that says what is in it").value(self.source_name)
        })?;
        let title = if title.is_empty() { dataflow.to_string() } else { title };
        Ok(ImportedTable {
            format: Format::WorldBank,
            table,
            title: Text::<CELL_BYTES_MAX>::new(title)
                .map_or_else(|_| dataflow.to_string(), |t| t.to_string()),
            dataflow,
            publisher: preamble.publisher,
            vintage: preamble.vintage,
            areas,
            codes: BTreeMap::new(),
            summary,
            importer: Format::WorldBank.importer(),
        })
    }
}

/// The indicator code in a file name, as in `vintage2016_FP.CPI.TOTL_long.csv`.
fn named(file: &str) -> Option<String> {
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
    value::stem(file).split(['_', ' ']).find(like_code).map(str::to_ascii_uppercase)
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
            assert_eq!(named(file).as_deref(), code, "{file}");
        }
    }

    #[test]
    fn years_are_four_digits() {
        assert_eq!(year("1960").unwrap(), year("1960-01-01").unwrap());
        for (cell, word) in [("1960 [YR1960]", "DataBank"), ("1960-02-01", "columns"), ("196", "columns")] {
            assert!(year(cell).unwrap_err().hint.unwrap().contains(word), "{cell}");
        }
    }
}

//! Any CSV whose columns are described by a [`Mapping`].
//!
//! A row whose every measure is missing is left out, unless its OBS_STATUS says why; a row with some
//! measure keeps nulls for the others. An identifier is never missing, and no word stands for a
//! missing one.

use std::num::NonZeroUsize;
use std::str::FromStr;

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::limits::CELL_BYTES_MAX;
use schemas::period::{Frequency, Period};
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table};
use schemas::text::Text;

use crate::areas::{self, AreaScheme};
use crate::document::{self, ReadAt};
use crate::error::ImportError;
use crate::filling::{self, Filling};
use crate::gaps::Gaps;
use crate::heading::Heading;
use crate::mapping::{ColumnMapping, DateFormat, Mapping};
use crate::points;
use crate::records::{self, Reader, Record};
use crate::{Format, ImportOptions, ImportSummary, ImportedTable, SourceFile, frequency, sdmx, value};

mod body;
mod pieces;
mod rows;

use body::Body;
use pieces::Pieces;
use rows::Rows;

/// Cells of a table (rows by columns): a cell of two bytes in the file takes up to 16 in memory.
const TABLE_CELLS_MAX: usize = schemas::limits::CELLS_MAX;

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let document: &[u8] = source.bytes;
    if let Some(imported) = in_pieces(source.name, &document, options, progress) {
        return Ok(imported);
    }
    let mapping = options.mapping.clone().unwrap_or_default();
    let text = records::text(source.bytes)?;
    let (plan, reader, width) = headed(&mapping, options, text)?;
    let mut rows = Rows::new(&plan);
    Body { reader, width }.rows(&plan, &mut rows, progress)?;
    finish(source.name, &mapping, plan, rows)
}

/// Bytes in which the header of a large file stands.
const HEAD_BYTES: u64 = 1 << 16;

/// Reads a large file piece by piece; `None` when it has to be read as one.
pub(crate) fn in_pieces(
    name: &str,
    document: &dyn ReadAt,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Option<ImportedTable> {
    let mapping = options.mapping.clone().unwrap_or_default();
    let head = document::bytes(document, 0, document.size().min(HEAD_BYTES)).ok()?;
    let lines = head.iter().rposition(|byte| *byte == b'\n').and_then(|end| head.get(..=end))?;
    let text = records::text(lines).ok()?;
    let (plan, reader, width) = headed(&mapping, options, text).ok()?;
    let below = (lines.len() - reader.left()) as u64;
    let begin = (below, reader.line() - 1);
    let pieces = Pieces::of(document, begin, &plan, width, delimiter(&mapping).ok()?)?;
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
    let rows = pieces.read(threads.map_or(1, NonZeroUsize::get), progress)?;
    finish(name, &mapping, plan, rows).ok()
}

/// The plan by the header of a text, a reader behind it, and how many cells it has.
fn headed<'a>(
    mapping: &Mapping,
    options: &ImportOptions,
    text: &'a str,
) -> Result<(Plan, Reader<'a>, usize), ImportError> {
    let mut reader = Reader::new(text, delimiter(mapping)?);
    reader.skip(mapping.skip);
    let mut record = Record::default();
    if !reader.read(&mut record)? {
        return Err(ImportError::new("header-missing", "expected a header line")
            .hint("`skip` leaves out too many lines"));
    }
    Ok((Plan::new(mapping, options, &record)?, reader, record.cells.len()))
}

fn delimiter(mapping: &Mapping) -> Result<u8, ImportError> {
    let byte = u8::try_from(mapping.delimiter).ok().filter(|byte| byte.is_ascii());
    byte.filter(|byte| !matches!(byte, b'"' | b'\r' | b'\n')).ok_or_else(|| {
        let message = "expected one ASCII character as delimiter, and no quote";
        ImportError::new("mapping", message).value(mapping.delimiter.to_string())
    })
}

/// Where the value of a component comes from.
enum Origin {
    Column(usize, String),
    Constant(String),
}

/// A component and how to read it.
struct Step {
    origin: Origin,
    component: Component,
    dates: DateFormat,
    /// Whether it is the status of the observation, which may say why there is no figure.
    status: bool,
    /// Whether a zero is no figure.
    zero: bool,
    /// Whose codes of areas it has.
    areas: Option<AreaScheme>,
}

/// All components, in the order of the shape.
struct Plan {
    steps: Vec<Step>,
    shape: ComponentList,
    missing: Vec<String>,
    /// Bytes of the longest of them.
    missing_bytes: usize,
    /// Whether one of them could be taken for a number or a period.
    missing_reads: bool,
    decimal_comma: bool,
    frequency: Option<Frequency>,
}

impl Plan {
    fn new(mapping: &Mapping, options: &ImportOptions, header: &Record<'_>) -> Result<Self, ImportError> {
        let titles: Vec<String> = (0..header.cells.len()).map(|at| header.cell(at).to_owned()).collect();
        let links = match mapping.columns.as_slice() {
            [] => Mapping::standard(&titles).map_err(|fault| fault.line(header.line))?,
            given => given.to_vec(),
        };
        let mut steps = Vec::with_capacity(links.len());
        for link in links {
            let component = Component::new(link.to.clone(), link.component_role(), link.component_type());
            let origin = origin(&link, &titles).map_err(|fault| fault.line(header.line))?;
            let status = component.role == Role::Attribute && sdmx::STATUS.contains(&component.id.as_str());
            let zero = link.zero_is_missing;
            if zero
                && (component.role != Role::Measure
                    || !matches!(component.value_type, ValueType::Number | ValueType::Integer))
            {
                let message = format!("`{}` is no measure of numbers: a zero in it is none missing", link.to);
                return Err(ImportError::new("mapping", message));
            }
            if link.areas.is_some() && component.value_type != ValueType::String {
                return Err(ImportError::new(
                    "mapping",
                    format!("`{}` is no text: it has no codes of areas", link.to),
                ));
            }
            steps.push(Step { origin, component, dates: link.dates, status, zero, areas: link.areas });
        }
        steps.sort_by_key(|step| step.component.role);
        let components = steps.iter().map(|step| step.component.clone()).collect();
        let shape =
            ComponentList::new(components).map_err(|error| ImportError::new("mapping", error.to_string()))?;
        if shape.identifier_count() == 0 {
            return Err(ImportError::new("mapping", "expected an identifier among the columns"));
        }
        Ok(Self {
            steps,
            shape,
            missing: mapping.missing.clone(),
            missing_bytes: mapping.missing.iter().map(String::len).max().unwrap_or(0),
            missing_reads: mapping.missing.iter().any(|word| reads(word.as_bytes())),
            decimal_comma: mapping.decimal_comma,
            frequency: options.frequency.or(mapping.frequency),
        })
    }

    /// Rows that a table of these components may have.
    fn rows_max(&self) -> usize {
        TABLE_CELLS_MAX / self.steps.len().max(1)
    }

    /// No missing value yet, of any spelling; the last place is that of zeros.
    fn no_gaps(&self) -> Vec<u64> {
        vec![0; self.missing.len() + 1]
    }

    /// Whether a text that reads as a plain number is that number.
    fn plain_numbers(&self, step: &Step) -> bool {
        !self.decimal_comma && !self.missing_reads && !step.zero
    }

    /// Whether a text that reads as a period is that period.
    fn plain_periods(&self) -> bool {
        self.frequency.is_none() && !self.missing_reads
    }

    /// Adds the value of one component in a row to its column; says by which word it was missing.
    fn cell<'a>(
        &'a self,
        step: &'a Step,
        record: impl FnOnce(usize) -> &'a str,
        column: &mut Filling,
    ) -> Result<Option<usize>, ImportError> {
        let (cell, title) = match &step.origin {
            Origin::Column(column, title) => (record(*column), title.as_str()),
            Origin::Constant(text) => (text.as_str(), step.component.id.as_str()),
        };
        if step.component.role == Role::Identifier {
            if cell.is_empty() {
                return Err(ImportError::new("identifier", "an identifier may not be empty").column(title));
            }
        } else if let Some(spelling) = self.missing(cell) {
            column.push_missing();
            return Ok(Some(spelling));
        } else if step.zero && is_zero(cell) {
            column.push_missing();
            return Ok(Some(self.missing.len()));
        }
        match self.value(step, cell, column) {
            Ok(()) => Ok(None),
            Err(fault) => Err(fault.column(title)),
        }
    }

    /// Which of the words for a missing value a cell is.
    fn missing(&self, cell: &str) -> Option<usize> {
        if cell.len() > self.missing_bytes {
            return None;
        }
        self.missing.iter().position(|missing| missing == cell)
    }

    fn value(&self, step: &Step, cell: &str, column: &mut Filling) -> Result<(), ImportError> {
        match column {
            Filling::Number(rows) if !self.decimal_comma => rows.push(Some(value::number(cell)?)),
            Filling::Number(rows) => rows.push(Some(value::comma_number(cell)?)),
            Filling::Text(texts, rows) => rows.push(match step.component.value_type {
                ValueType::Time => texts.code(&spelled::<Interval>(cell)?),
                ValueType::Duration => texts.code(&spelled::<Duration>(cell)?),
                _ if step.areas.is_some() => {
                    let area = step.areas.and_then(|scheme| areas::coded(scheme, cell));
                    texts.code(area.as_ref().map_or(value::label(cell)?, |area| &area.code))
                }
                _ => match texts.find(cell.as_bytes()) {
                    Some(code) => code,
                    None => texts.code(value::label(cell)?),
                },
            }),
            Filling::Integer(rows) => {
                let whole = cell.parse();
                rows.push(Some(
                    whole.map_err(|_| ImportError::new("number", "expected a whole number").value(cell))?,
                ));
            }
            Filling::Boolean(rows) => rows.push(Some(boolean(cell)?)),
            Filling::Period(rows) if step.component.value_type == ValueType::Date => {
                rows.push(Some(period(cell, step.dates).and_then(whole_day)?));
            }
            Filling::Period(rows) => {
                let found = match Period::from_ascii(cell.as_bytes()) {
                    Some(found) if step.dates == DateFormat::Sdmx => found,
                    _ => period(cell, step.dates)?,
                };
                rows.push(Some(match self.frequency {
                    None => found,
                    Some(wanted) => frequency::period(found, wanted)?,
                }));
            }
        }
        Ok(())
    }
}

/// Whether a word is also a value.
fn reads(word: &[u8]) -> bool {
    Decimal::from_plain(word).is_some() || Period::from_ascii(word).is_some()
}

/// A value in its canonical spelling.
fn spelled<T: FromStr + ToString>(cell: &str) -> Result<String, ImportError>
where
    T::Err: ToString,
{
    let read =
        cell.parse::<T>().map_err(|error| ImportError::new("period", error.to_string()).value(cell))?;
    Ok(read.to_string())
}

/// Finds the column of a link.
fn origin(link: &ColumnMapping, titles: &[String]) -> Result<Origin, ImportError> {
    let (from, constant) = (link.from.as_ref(), link.constant.as_ref());
    let from = match (from, constant) {
        (None, Some(constant)) => return Ok(Origin::Constant(constant.clone())),
        (Some(from), None) => from,
        _ => {
            let message = format!("column `{}` needs either `from` or `constant`", link.to);
            return Err(ImportError::new("mapping", message));
        }
    };
    let mut places = titles.iter().enumerate().filter(|(_, title)| *title == from);
    match (places.next(), places.next()) {
        (Some((at, title)), None) => Ok(Origin::Column(at, title.clone())),
        (Some(_), Some(_)) => {
            Err(ImportError::new("column-twice", format!("two columns are called `{from}`")))
        }
        _ => Err(ImportError::new("column-missing", format!("expected the column `{from}`"))
            .value(titles.iter().take(8).cloned().collect::<Vec<_>>().join(","))
            .hint(nearest(from, titles))),
    }
}

/// The hint for a column that is not there.
fn nearest(from: &str, titles: &[String]) -> String {
    match titles.iter().find(|title| title.eq_ignore_ascii_case(from)) {
        Some(title) => format!("did you mean `{title}`?"),
        None => "check `from`, `delimiter` and `skip` of the mapping".to_owned(),
    }
}

/// What a person should know of a column of areas.
fn unknown(column: &Column) -> Option<String> {
    let Column::Text(texts) = column else { return None };
    areas::kept(&texts.dictionary().iter().filter(|code| areas::known(code).is_none()).collect::<Vec<_>>())
}

/// Whether a number is written that is zero, in whatever spelling.
fn is_zero(cell: &str) -> bool {
    let figure = cell.split(['e', 'E']).next().unwrap_or_default();
    figure.contains('0') && figure.bytes().all(|byte| matches!(byte, b'0' | b'.' | b',' | b'-' | b'+'))
}

fn boolean(cell: &str) -> Result<bool, ImportError> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(ImportError::new("boolean", "expected `true` or `false`").value(cell)),
    }
}

fn period(cell: &str, dates: DateFormat) -> Result<Period, ImportError> {
    let parts = || ['/', '.', '-'].into_iter().find_map(|separator| value::triple(cell, separator));
    let (found, hint) = match dates {
        // Some offices put a space into `1955 Q1`.
        DateFormat::Sdmx => (
            if cell.contains(' ') { cell.replacen(' ', "", 1).parse().ok() } else { cell.parse().ok() },
            "expected forms: 2010, 2010-S1, 2010-Q1, 2010-01, 2010-W05, 2010-01-31; for others say `dates`",
        ),
        DateFormat::MonthDayYear => (
            parts().and_then(|[month, day, year]| Period::from_date(year, month, day)),
            "expected form: 1/31/2010",
        ),
        DateFormat::DayMonthYear => (
            parts().and_then(|[day, month, year]| Period::from_date(year, month, day)),
            "expected form: 31/1/2010",
        ),
    };
    found.ok_or_else(|| {
        value::timed(cell)
            .unwrap_or_else(|| ImportError::new("period", "expected a period").value(cell).hint(hint))
    })
}

fn whole_day(period: Period) -> Result<Period, ImportError> {
    if period.frequency() == Frequency::D {
        return Ok(period);
    }
    Err(ImportError::new("period", "expected a day").value(period.to_string()))
}

fn finish(name: &str, mapping: &Mapping, plan: Plan, rows: Rows) -> Result<ImportedTable, ImportError> {
    if rows.lines.rows() == 0 {
        return Err(points::empty(rows.read));
    }
    let mut gaps = Gaps::default();
    let spellings = plan.missing.iter().map(String::as_str).chain(["0"]);
    spellings.zip(&rows.missing).for_each(|(spelling, count)| gaps.add(spelling, *count));
    let columns = filling::done(rows.columns);
    let table = Table::new(plan.shape, columns)
        .map_err(|error| points::refused(&error, |row| rows.lines.get(row)))?;
    let named = || value::name(value::stem(name));
    let dataflow = mapping.dataflow.clone().or_else(named).ok_or_else(|| {
        ImportError::new("name", "expected a file name that says what is in it")
            .hint("say `dataflow` in the mapping")
    })?;
    let title = mapping.title.clone().unwrap_or_else(|| dataflow.to_string());
    Text::<CELL_BYTES_MAX>::new(title.as_str())
        .map_err(|error| ImportError::new("mapping", error.to_string()).column("title"))?;
    let missing = rows.missing.iter().sum();
    let coded = plan.steps.iter().filter(|step| step.areas.is_some());
    let notes = coded.filter_map(|step| unknown(table.column(step.component.id.as_str())?)).collect();
    let gaps = gaps.spellings();
    let summary =
        ImportSummary { rows: rows.read, missing, missing_spellings: gaps, notes, ..points::counted(&table) };
    Heading::new(Format::Csv, dataflow.to_string()).title(title).over((table, summary))
}

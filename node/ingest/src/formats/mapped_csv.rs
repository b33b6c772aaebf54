//! Any CSV whose columns are described by a [`Mapping`].
//!
//! A row without any measure is dropped, unless its OBS_STATUS explains it; a row with some measures
//! keeps nulls for the others. An identifier is never missing, under any spelling.

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

use crate::build::column_builder::{self, ColumnBuilder};
use crate::build::metadata::Metadata;
use crate::build::summary;
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::formats::mapping::{ColumnMapping, DateFormat, Mapping};
use crate::formats::sdmx;
use crate::import::ReadRequest;
use crate::positions;
use crate::read_at::{self, ReadAt};
use crate::values::areas::{self, AreaScheme};
use crate::values::cell;
use crate::values::frequency;
use crate::values::missing_values::MissingValues;
use crate::{Format, ImportOptions, ImportSummary, ImportedTable};

mod body;
mod chunks;
mod row_buffer;

use body::CsvBody;
use chunks::ChunkedFile;
use row_buffer::RowBuffer;

/// Cells of a table (rows times columns): two bytes in the file take up to 16 in memory.
const TABLE_CELLS_MAX: usize = schemas::limits::CELLS_MAX;

/// Whether a header has a concept id of SDMX.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    ["TIME_PERIOD", "OBS_VALUE"].iter().any(|id| header.find_column(id).is_some())
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let document: &[u8] = source.bytes;
    if let Some(imported) = read_in_chunks(source.name, &document, options, progress) {
        return Ok(imported);
    }
    let mapping = options.mapping.clone().unwrap_or_default();
    let text = records::decode_text(source.bytes)?;
    let (plan, reader, width) = plan_from_header(&mapping, options, text)?;
    let mut rows = RowBuffer::new(&plan);
    CsvBody { reader, width }.read_into(&plan, &mut rows, progress)?;
    finish_import(source.name, &mapping, plan, rows)
}

/// Bytes at the start of a large file that must contain its header.
const HEAD_BYTES: u64 = 1 << 16;

/// Reads a large file in chunks; `None` if it is small, or has anything but plain records.
pub(crate) fn read_in_chunks(
    name: &str,
    document: &dyn ReadAt,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Option<ImportedTable> {
    let mapping = options.mapping.clone().unwrap_or_default();
    let head = read_at::read_range(document, 0, document.size().min(HEAD_BYTES)).ok()?;
    // The last line of the head may be cut, so it ends at the last line break.
    let lines = head.iter().rposition(|byte| *byte == b'\n').and_then(|end| head.get(..=end))?;
    let text = records::decode_text(lines).ok()?;
    // Any error falls back to reading the file as a whole, which reports it.
    let (plan, reader, width) = plan_from_header(&mapping, options, text).ok()?;
    let below = (lines.len() - reader.bytes_left()) as u64;
    let begin = (below, reader.current_line() - 1);
    let pieces = ChunkedFile::split_file(document, begin, &plan, width, delimiter_byte(&mapping).ok()?)?;
    // The number of threads does not change the result.
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
    let rows = pieces.read_all(threads.map_or(1, NonZeroUsize::get), progress)?;
    finish_import(name, &mapping, plan, rows).ok()
}

/// The plan for the header of a text, a reader positioned after it, and the width of the header.
fn plan_from_header<'a>(
    mapping: &Mapping,
    options: &ImportOptions,
    text: &'a str,
) -> Result<(ReadPlan, CsvReader<'a>, usize), ImportError> {
    let mut reader = CsvReader::new(text, delimiter_byte(mapping)?);
    reader.skip_lines(mapping.skip);
    let mut record = CsvRecord::default();
    if !reader.read_record(&mut record)? {
        return Err(ImportError::new("header-missing", "expected a header line")
            .hint("`skip` is greater than the number of lines"));
    }
    Ok((ReadPlan::new(mapping, options, &record)?, reader, record.cells.len()))
}

fn delimiter_byte(mapping: &Mapping) -> Result<u8, ImportError> {
    let byte = u8::try_from(mapping.delimiter).ok().filter(|byte| byte.is_ascii());
    byte.filter(|byte| !matches!(byte, b'"' | b'\r' | b'\n')).ok_or_else(|| {
        let message = "expected one ASCII character as delimiter, other than a quote";
        ImportError::new("mapping", message).value(mapping.delimiter.to_string())
    })
}

/// Origin of the value of a component.
enum CellOrigin {
    Column(usize, String),
    Constant(String),
}

/// A component with the instructions for reading it.
struct ComponentPlan {
    origin: CellOrigin,
    component: Component,
    dates: DateFormat,
    /// Whether it is the status of the observation, which may explain a missing figure.
    status: bool,
    /// Whether a zero is a missing figure.
    zero: bool,
    /// The list of its area codes.
    areas: Option<AreaScheme>,
}

/// All components, in the order of the shape.
struct ReadPlan {
    steps: Vec<ComponentPlan>,
    shape: ComponentList,
    missing: Vec<String>,
    /// Bytes of the longest spelling.
    missing_bytes: usize,
    /// Whether a spelling is also a valid number or period, such as `-99`.
    missing_reads: bool,
    decimal_comma: bool,
    frequency: Option<Frequency>,
}

impl ReadPlan {
    fn new(mapping: &Mapping, options: &ImportOptions, header: &CsvRecord<'_>) -> Result<Self, ImportError> {
        let titles: Vec<String> = (0..header.cells.len()).map(|at| header.cell(at).to_owned()).collect();
        let links = match mapping.columns.as_slice() {
            [] => Mapping::from_component_ids(&titles).map_err(|error| error.line(header.line))?,
            given => given.to_vec(),
        };
        let mut steps = Vec::with_capacity(links.len());
        for link in links {
            let component = Component::new(link.to.clone(), link.component_role(), link.component_type());
            let origin = find_origin(&link, &titles).map_err(|error| error.line(header.line))?;
            // The one attribute that may explain a missing figure.
            let status = component.role == Role::Attribute && sdmx::STATUS.contains(&component.id.as_str());
            let zero = link.zero_is_missing;
            if zero
                && (component.role != Role::Measure
                    || !matches!(component.value_type, ValueType::Number | ValueType::Integer))
            {
                let message = format!("`zero_is_missing` needs a measure of numbers, `{}` is none", link.to);
                return Err(ImportError::new("mapping", message));
            }
            if link.areas.is_some() && component.value_type != ValueType::String {
                return Err(ImportError::new(
                    "mapping",
                    format!("`areas` needs a column of text, `{}` is none", link.to),
                ));
            }
            steps.push(ComponentPlan {
                origin,
                component,
                dates: link.dates,
                status,
                zero,
                areas: link.areas,
            });
        }
        // A shape has identifiers first. The sort is stable: within a role the order of the mapping stays.
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
            missing_reads: mapping.missing.iter().any(|word| is_value(word.as_bytes())),
            decimal_comma: mapping.decimal_comma,
            frequency: options.frequency.or(mapping.frequency),
        })
    }

    /// Rows that a table of these components may have.
    fn rows_max(&self) -> usize {
        TABLE_CELLS_MAX / self.steps.len().max(1)
    }

    /// Zero counts of missing values by spelling; the last one counts zeros.
    fn no_missing(&self) -> Vec<u64> {
        vec![0; self.missing.len() + 1]
    }

    /// Whether a text that parses as a plain number is that number.
    fn reads_plain_numbers(&self, step: &ComponentPlan) -> bool {
        !self.decimal_comma && !self.missing_reads && !step.zero
    }

    /// Whether a text that parses as a period is that period.
    fn reads_plain_periods(&self) -> bool {
        self.frequency.is_none() && !self.missing_reads
    }

    /// Adds the value of a component to its column; returns the index of the spelling if it is missing.
    fn push_cell<'a>(
        &'a self,
        step: &'a ComponentPlan,
        record: impl FnOnce(usize) -> &'a str,
        column: &mut ColumnBuilder,
    ) -> Result<Option<usize>, ImportError> {
        let (cell, title) = match &step.origin {
            CellOrigin::Column(column, title) => (record(*column), title.as_str()),
            CellOrigin::Constant(text) => (text.as_str(), step.component.id.as_str()),
        };
        // No spelling of a missing value applies: `NA` is Namibia.
        if step.component.role == Role::Identifier {
            if cell.is_empty() {
                return Err(ImportError::new("identifier", "an identifier must not be empty").column(title));
            }
        } else if let Some(spelling) = self.missing_index(cell) {
            column.push_missing();
            return Ok(Some(spelling));
        } else if step.zero && is_zero(cell) {
            column.push_missing();
            return Ok(Some(self.missing.len()));
        }
        match self.push_value(step, cell, column) {
            Ok(()) => Ok(None),
            Err(error) => Err(error.column(title)),
        }
    }

    /// The index of the spelling of a missing value.
    fn missing_index(&self, cell: &str) -> Option<usize> {
        if cell.len() > self.missing_bytes {
            return None;
        }
        self.missing.iter().position(|missing| missing == cell)
    }

    fn push_value(
        &self,
        step: &ComponentPlan,
        cell: &str,
        column: &mut ColumnBuilder,
    ) -> Result<(), ImportError> {
        match column {
            ColumnBuilder::Number(rows) if !self.decimal_comma => rows.push(Some(cell::parse_number(cell)?)),
            ColumnBuilder::Number(rows) => rows.push(Some(cell::parse_comma_number(cell)?)),
            ColumnBuilder::Text(texts, rows) => rows.push(match step.component.value_type {
                ValueType::Time => texts.code(&canonical_text::<Interval>(cell)?),
                ValueType::Duration => texts.code(&canonical_text::<Duration>(cell)?),
                _ if step.areas.is_some() => {
                    let area = step.areas.and_then(|scheme| areas::translate_code(scheme, cell));
                    texts.code(area.as_ref().map_or(cell::check_text(cell)?, |area| &area.code))
                }
                // A text in the dictionary was checked when it was added.
                _ => match texts.find(cell.as_bytes()) {
                    Some(code) => code,
                    None => texts.code(cell::check_text(cell)?),
                },
            }),
            ColumnBuilder::Integer(rows) => {
                let number = cell.parse();
                rows.push(Some(
                    number.map_err(|_| ImportError::new("number", "expected a whole number").value(cell))?,
                ));
            }
            ColumnBuilder::Boolean(rows) => rows.push(Some(parse_boolean(cell)?)),
            ColumnBuilder::Period(rows) if step.component.value_type == ValueType::Date => {
                rows.push(Some(parse_period(cell, step.dates).and_then(require_day)?));
            }
            ColumnBuilder::Period(rows) => {
                let found = match Period::from_ascii(cell.as_bytes()) {
                    Some(found) if step.dates == DateFormat::Sdmx => found,
                    _ => parse_period(cell, step.dates)?,
                };
                rows.push(Some(match self.frequency {
                    None => found,
                    Some(wanted) => frequency::period_of_day(found, wanted)?,
                }));
            }
        }
        Ok(())
    }
}

/// Whether a spelling is also a valid value.
fn is_value(word: &[u8]) -> bool {
    Decimal::from_plain(word).is_some() || Period::from_ascii(word).is_some()
}

/// Parses a value and spells it canonically.
fn canonical_text<T: FromStr + ToString>(cell: &str) -> Result<String, ImportError>
where
    T::Err: ToString,
{
    let read =
        cell.parse::<T>().map_err(|error| ImportError::new("period", error.to_string()).value(cell))?;
    Ok(read.to_string())
}

/// Finds the column of the file for a column of the mapping.
fn find_origin(link: &ColumnMapping, titles: &[String]) -> Result<CellOrigin, ImportError> {
    let (from, constant) = (link.from.as_ref(), link.constant.as_ref());
    let from = match (from, constant) {
        (None, Some(constant)) => return Ok(CellOrigin::Constant(constant.clone())),
        (Some(from), None) => from,
        _ => {
            let message = format!("column `{}` needs either `from` or `constant`", link.to);
            return Err(ImportError::new("mapping", message));
        }
    };
    let mut columns = titles.iter().enumerate().filter(|(_, title)| *title == from);
    match (columns.next(), columns.next()) {
        (Some((at, title)), None) => Ok(CellOrigin::Column(at, title.clone())),
        (Some(_), Some(_)) => {
            Err(ImportError::new("column-twice", format!("two columns are called `{from}`")))
        }
        _ => Err(ImportError::new("column-missing", format!("expected the column `{from}`"))
            .value(titles.iter().take(8).cloned().collect::<Vec<_>>().join(","))
            .hint(nearest_column_hint(from, titles))),
    }
}

/// The hint for a missing column.
fn nearest_column_hint(from: &str, titles: &[String]) -> String {
    match titles.iter().find(|title| title.eq_ignore_ascii_case(from)) {
        Some(title) => format!("did you mean `{title}`?"),
        None => "check `from`, `delimiter` and `skip` of the mapping".to_owned(),
    }
}

/// A note on the untranslated codes in a column of areas.
fn unknown_areas_note(column: &Column) -> Option<String> {
    let Column::Text(texts) = column else { return None };
    areas::untranslated_note(
        &texts.dictionary().iter().filter(|code| areas::area_by_code(code).is_none()).collect::<Vec<_>>(),
    )
}

/// Whether a cell is zero in any spelling.
fn is_zero(cell: &str) -> bool {
    // The exponent does not matter: `0e5` is zero.
    let figure = cell.split(['e', 'E']).next().unwrap_or_default();
    figure.contains('0') && figure.bytes().all(|byte| matches!(byte, b'0' | b'.' | b',' | b'-' | b'+'))
}

fn parse_boolean(cell: &str) -> Result<bool, ImportError> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(ImportError::new("boolean", "expected `true` or `false`").value(cell)),
    }
}

fn parse_period(cell: &str, dates: DateFormat) -> Result<Period, ImportError> {
    let parts = || ['/', '.', '-'].into_iter().find_map(|separator| cell::split_date(cell, separator));
    let (found, hint) = match dates {
        // The ONS writes `1955 Q1`, with a space.
        DateFormat::Sdmx => (
            if cell.contains(' ') { cell.replacen(' ', "", 1).parse().ok() } else { cell.parse().ok() },
            "expected forms: 2010, 2010-S1, 2010-Q1, 2010-01, 2010-W05, 2010-01-31; for other forms set `dates`",
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
        cell::time_of_day_error(cell)
            .unwrap_or_else(|| ImportError::new("period", "expected a period").value(cell).hint(hint))
    })
}

fn require_day(period: Period) -> Result<Period, ImportError> {
    if period.frequency() == Frequency::D {
        return Ok(period);
    }
    Err(ImportError::new("period", "expected a day").value(period.to_string()))
}

fn finish_import(
    name: &str,
    mapping: &Mapping,
    plan: ReadPlan,
    rows: RowBuffer,
) -> Result<ImportedTable, ImportError> {
    if rows.lines.rows() == 0 {
        return Err(summary::no_data(rows.read));
    }
    let mut gaps = MissingValues::default();
    // The last count is that of zeros in columns with `zero_is_missing`.
    let spellings = plan.missing.iter().map(String::as_str).chain(["0"]);
    spellings.zip(&rows.missing).for_each(|(spelling, count)| gaps.add(spelling, *count));
    let columns = column_builder::finish_columns(rows.columns);
    let (table, order) = Table::sorted(plan.shape, columns)
        .map_err(|error| summary::table_error(&error, |row| rows.lines.get(row)))?;
    let named = || cell::clean_name(cell::file_stem(name));
    let dataflow = mapping.dataflow.clone().or_else(named).ok_or_else(|| {
        ImportError::new("name", "expected a file name that describes the content")
            .hint("set `dataflow` in the mapping")
    })?;
    let title = mapping.title.clone().unwrap_or_else(|| dataflow.to_string());
    Text::<CELL_BYTES_MAX>::new(title.as_str())
        .map_err(|error| ImportError::new("mapping", error.to_string()).column("title"))?;
    let missing = rows.missing.iter().sum();
    let coded = plan.steps.iter().filter(|step| step.areas.is_some());
    let notes =
        coded.filter_map(|step| unknown_areas_note(table.column(step.component.id.as_str())?)).collect();
    let gaps = gaps.into_counts();
    let line = |row| rows.lines.get(row).and_then(|line| u32::try_from(line).ok());
    let summary = ImportSummary {
        lines: positions::order_lines(order, line, table.rows()),
        rows: rows.read,
        missing,
        missing_spellings: gaps,
        notes,
        ..summary::summarise(&table)
    };
    Metadata::new(Format::Csv, dataflow.to_string()).title(title).with_table((table, summary))
}

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
use schemas::structure::{Component, Role, Shape, Type};
use schemas::table::Table;
use schemas::text::Text;

use crate::fault::Fault;
use crate::filling::Filling;
use crate::gaps::Gaps;
use crate::heading::Heading;
use crate::mapping::{Dates, Link, Mapping};
use crate::points;
use crate::records::{self, Cells, Plain, Reader, Record};
use crate::{Format, Imported, Options, Source, Summary, frequency, sdmx, value};

/// Cells of a table (rows by columns): a cell of two bytes in the file takes up to 16 in memory.
const TABLE_CELLS_MAX: usize = schemas::limits::CELLS_MAX;

/// Reads a file.
pub(crate) fn read(
    source: Source<'_>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Fault> {
    let mapping = options.mapping.clone().unwrap_or_default();
    let text = records::text(source.bytes)?;
    let mut reader = Reader::new(text, delimiter(&mapping)?);
    reader.skip(mapping.skip);
    let mut record = Record::default();
    if !reader.read(&mut record)? {
        return Err(
            Fault::new("header-missing", "expected a header line").hint("`skip` leaves out too many lines")
        );
    }
    let plan = Plan::new(&mapping, options, &record)?;
    let body = Body { reader, width: record.cells.len() };
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
    let rows = match body.parts(&plan, threads.map_or(1, NonZeroUsize::get), progress) {
        Some(rows) => rows,
        None => {
            let mut rows = Rows::new(&plan);
            body.rows(&plan, &mut rows, progress)?;
            rows
        }
    };
    finish(source, &mapping, plan, rows)
}

/// Bytes of a file that are worth a thread.
const PART_BYTES: usize = 1 << 20;
/// More threads than this wait for memory.
const THREADS_MAX: usize = 8;

/// What stands below the header.
#[derive(Clone)]
struct Body<'a> {
    reader: Reader<'a>,
    width: usize,
}

impl Body<'_> {
    /// Adds all rows; gives the line after the last one.
    fn rows(mut self, plan: &Plan, rows: &mut Rows, progress: &mut dyn FnMut(u64)) -> Result<u64, Fault> {
        let (mut record, mut ends) = (Record::default(), Vec::new());
        loop {
            self.reader.tick(progress);
            let at = self.reader.line();
            if let Some(line) = self.reader.plain(&mut ends, Some(self.width)) {
                let plain = Plain { line, ends: &ends };
                rows.add(plan, &plain, at).map_err(|fault| fault.line(at))?;
                continue;
            }
            if !self.reader.read(&mut record)? {
                break;
            }
            record.check_width(self.width)?;
            rows.add(plan, &record, record.line).map_err(|fault| fault.line(record.line))?;
        }
        Ok(self.reader.line())
    }

    /// All rows, read in parts at the same time; `None` when the file has to be read as one: it is
    /// small, has quotes, or has a fault, of which the first is to be told.
    fn parts(&self, plan: &Plan, threads: usize, progress: &mut dyn FnMut(u64)) -> Option<Rows> {
        let (threads, count) = (threads.min(THREADS_MAX), self.reader.left() / PART_BYTES);
        if threads < 2 || count < 2 {
            return None;
        }
        let readers = self.reader.split(count)?;
        let mut rows = Rows::new(plan);
        // In rounds, so that the parts are small and the next ones take their place in memory.
        let mut parts: Vec<Rows> = (0..threads).map(|_| Rows::new(plan)).collect();
        let mut lines = 0;
        for round in readers.chunks(threads) {
            for (end, part) in self.round(plan, round, &mut parts, progress).into_iter().zip(&mut parts) {
                rows.take(part, lines);
                lines += end.ok()? - 1;
            }
            if rows.lines.len() > plan.rows_max() {
                return None;
            }
        }
        Some(rows)
    }

    /// Reads some parts of the file, each by a thread; gives the line after each.
    fn round(
        &self,
        plan: &Plan,
        readers: &[Reader<'_>],
        parts: &mut [Rows],
        progress: &mut dyn FnMut(u64),
    ) -> Vec<Result<u64, Fault>> {
        let mut work = readers
            .iter()
            .zip(parts)
            .map(|(reader, rows)| (Body { reader: reader.clone(), width: self.width }, rows));
        let Some((first, rows)) = work.next() else { return Vec::new() };
        std::thread::scope(|scope| {
            let others: Vec<_> =
                work.map(|(body, rows)| scope.spawn(move || body.rows(plan, rows, &mut |_| {}))).collect();
            let lost = |_| Err(Fault::new("thread", "a thread of the reader ended"));
            let first = first.rows(plan, rows, progress);
            let others = others.into_iter().map(|part| part.join().unwrap_or_else(lost));
            std::iter::once(first).chain(others).collect()
        })
    }
}

fn delimiter(mapping: &Mapping) -> Result<u8, Fault> {
    let byte = u8::try_from(mapping.delimiter).ok().filter(|byte| byte.is_ascii());
    byte.filter(|byte| !matches!(byte, b'"' | b'\r' | b'\n')).ok_or_else(|| {
        let message = "expected one ASCII character as delimiter, and no quote";
        Fault::new("mapping", message).value(mapping.delimiter.to_string())
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
    dates: Dates,
    /// Whether it is the status of the observation, which may say why there is no figure.
    status: bool,
}

/// All components, in the order of the shape.
struct Plan {
    steps: Vec<Step>,
    shape: Shape,
    missing: Vec<String>,
    /// Bytes of the longest of them.
    missing_bytes: usize,
    decimal_comma: bool,
    frequency: Option<Frequency>,
}

impl Plan {
    fn new(mapping: &Mapping, options: &Options, header: &Record<'_>) -> Result<Self, Fault> {
        let titles: Vec<String> = (0..header.cells.len()).map(|at| header.cell(at).to_owned()).collect();
        let links = match mapping.columns.as_slice() {
            [] => Mapping::standard(&titles).map_err(|fault| fault.line(header.line))?,
            given => given.to_vec(),
        };
        let mut steps = Vec::with_capacity(links.len());
        for link in links {
            let component = Component::new(link.to.clone(), link.role(), link.kind());
            let origin = origin(&link, &titles).map_err(|fault| fault.line(header.line))?;
            let status = component.role == Role::Attribute && sdmx::STATUS.contains(&component.id.as_str());
            steps.push(Step { origin, component, dates: link.dates, status });
        }
        steps.sort_by_key(|step| step.component.role);
        let components = steps.iter().map(|step| step.component.clone()).collect();
        let shape = Shape::new(components).map_err(|error| Fault::new("mapping", error.to_string()))?;
        if shape.identifier_count() == 0 {
            return Err(Fault::new("mapping", "expected an identifier among the columns"));
        }
        Ok(Self {
            steps,
            shape,
            missing: mapping.missing.clone(),
            missing_bytes: mapping.missing.iter().map(String::len).max().unwrap_or(0),
            decimal_comma: mapping.decimal_comma,
            frequency: options.frequency.or(mapping.frequency),
        })
    }

    /// Rows that a table of these components may have.
    fn rows_max(&self) -> usize {
        TABLE_CELLS_MAX / self.steps.len().max(1)
    }

    /// Adds the value of one component in a row to its column; says by which word it was missing.
    #[inline]
    fn cell(&self, step: &Step, record: &impl Cells, column: &mut Filling) -> Result<Option<usize>, Fault> {
        let (cell, title) = match &step.origin {
            Origin::Column(column, title) => (record.cell(*column), title.as_str()),
            Origin::Constant(text) => (text.as_str(), step.component.id.as_str()),
        };
        if step.component.role == Role::Identifier {
            if cell.is_empty() {
                return Err(Fault::new("identifier", "an identifier may not be empty").column(title));
            }
        } else if let Some(spelling) = self.missing(cell) {
            column.push_missing();
            return Ok(Some(spelling));
        }
        match self.value(step, cell, column) {
            Ok(()) => Ok(None),
            Err(fault) => Err(fault.column(title)),
        }
    }

    /// Which of the words for a missing value a cell is.
    #[inline]
    fn missing(&self, cell: &str) -> Option<usize> {
        if cell.len() > self.missing_bytes {
            return None;
        }
        self.missing.iter().position(|missing| missing == cell)
    }

    #[inline]
    fn value(&self, step: &Step, cell: &str, column: &mut Filling) -> Result<(), Fault> {
        match column {
            Filling::Number(rows) if !self.decimal_comma => {
                // Without a way round by a fault that almost never is.
                rows.push(Some(match Decimal::from_plain(cell.as_bytes()) {
                    Some(number) => number,
                    None => value::number(cell)?,
                }));
            }
            Filling::Number(rows) => rows.push(Some(value::comma_number(cell)?)),
            Filling::Text(texts, rows) => rows.push(match step.component.kind {
                Type::Time => texts.code(&spelled::<Interval>(cell)?),
                Type::Duration => texts.code(&spelled::<Duration>(cell)?),
                _ => match texts.find(cell) {
                    Some(code) => code,
                    None => texts.code(value::label(cell)?),
                },
            }),
            Filling::Integer(rows) => {
                let whole = cell.parse();
                rows.push(Some(
                    whole.map_err(|_| Fault::new("number", "expected a whole number").value(cell))?,
                ));
            }
            Filling::Boolean(rows) => rows.push(Some(boolean(cell)?)),
            Filling::Period(rows) if step.component.kind == Type::Date => {
                rows.push(Some(period(cell, step.dates).and_then(whole_day)?));
            }
            Filling::Period(rows) => {
                let found = match Period::from_ascii(cell.as_bytes()) {
                    Some(found) if step.dates == Dates::Sdmx => found,
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

/// A value in its canonical spelling.
fn spelled<T: FromStr + ToString>(cell: &str) -> Result<String, Fault>
where
    T::Err: ToString,
{
    let read = cell.parse::<T>().map_err(|error| Fault::new("period", error.to_string()).value(cell))?;
    Ok(read.to_string())
}

/// Finds the column of a link.
fn origin(link: &Link, titles: &[String]) -> Result<Origin, Fault> {
    let (from, constant) = (link.from.as_ref(), link.constant.as_ref());
    let from = match (from, constant) {
        (None, Some(constant)) => return Ok(Origin::Constant(constant.clone())),
        (Some(from), None) => from,
        _ => {
            let message = format!("column `{}` needs either `from` or `constant`", link.to);
            return Err(Fault::new("mapping", message));
        }
    };
    let mut places = titles.iter().enumerate().filter(|(_, title)| *title == from);
    match (places.next(), places.next()) {
        (Some((at, title)), None) => Ok(Origin::Column(at, title.clone())),
        (Some(_), Some(_)) => Err(Fault::new("column-twice", format!("two columns are called `{from}`"))),
        _ => Err(Fault::new("column-missing", format!("expected the column `{from}`"))
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

fn boolean(cell: &str) -> Result<bool, Fault> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Fault::new("boolean", "expected `true` or `false`").value(cell)),
    }
}

fn period(cell: &str, dates: Dates) -> Result<Period, Fault> {
    let parts = || ['/', '.', '-'].into_iter().find_map(|separator| value::triple(cell, separator));
    let (found, hint) = match dates {
        // Some offices put a space into `1955 Q1`.
        Dates::Sdmx => (
            if cell.contains(' ') { cell.replacen(' ', "", 1).parse().ok() } else { cell.parse().ok() },
            "expected forms: 2010, 2010-S1, 2010-Q1, 2010-01, 2010-W05, 2010-01-31; for others say `dates`",
        ),
        Dates::MonthDayYear => {
            (parts().and_then(|[month, day, year]| Period::day(year, month, day)), "expected form: 1/31/2010")
        }
        Dates::DayMonthYear => {
            (parts().and_then(|[day, month, year]| Period::day(year, month, day)), "expected form: 31/1/2010")
        }
    };
    found.ok_or_else(|| Fault::new("period", "expected a period").value(cell).hint(hint))
}

fn whole_day(period: Period) -> Result<Period, Fault> {
    if period.frequency() == Frequency::D {
        return Ok(period);
    }
    Err(Fault::new("period", "expected a day").value(period.to_string()))
}

/// The rows so far.
struct Rows {
    columns: Vec<Filling>,
    /// The line of each row; a file has fewer lines than bytes, which fit 32 bits.
    lines: Vec<u32>,
    read: u64,
    /// Cells without a figure, by the place of their spelling in the plan.
    missing: Vec<u64>,
}

impl Rows {
    fn new(plan: &Plan) -> Self {
        let columns = plan.steps.iter().map(|step| Filling::new(step.component.kind)).collect();
        Self { columns, lines: Vec::new(), read: 0, missing: vec![0; plan.missing.len()] }
    }

    /// Adds a row, unless all its measures are missing and no status says why.
    fn add(&mut self, plan: &Plan, record: &impl Cells, line: u64) -> Result<(), Fault> {
        self.read += 1;
        points::bounded(self.lines.len(), plan.rows_max(), line)?;
        let (mut all, mut missing, mut remarked) = (0, 0_u64, false);
        for (step, column) in plan.steps.iter().zip(&mut self.columns) {
            let gap = plan.cell(step, record, column)?;
            remarked |= step.status && gap.is_none();
            if step.component.role == Role::Measure {
                all += 1;
                missing += u64::from(gap.is_some());
                if let Some(count) = gap.and_then(|spelling| self.missing.get_mut(spelling)) {
                    *count += 1;
                }
            }
        }
        if all > 0 && all == missing && !remarked {
            self.columns.iter_mut().for_each(Filling::pop);
            return Ok(());
        }
        self.lines.push(line as u32);
        Ok(())
    }

    /// Takes the rows of the part that follows; it begins behind `lines` lines.
    fn take(&mut self, other: &mut Self, lines: u64) {
        self.read += std::mem::take(&mut other.read);
        let counts = other.missing.iter_mut().map(std::mem::take);
        self.missing.iter_mut().zip(counts).for_each(|(count, more)| *count += more);
        self.lines.extend(other.lines.drain(..).map(|line| line + lines as u32));
        for (column, more) in self.columns.iter_mut().zip(&mut other.columns) {
            column.take(more);
        }
    }
}

fn finish(source: Source<'_>, mapping: &Mapping, plan: Plan, rows: Rows) -> Result<Imported, Fault> {
    if rows.lines.is_empty() {
        return Err(points::empty(rows.read));
    }
    let columns = rows.columns.into_iter().map(Filling::done).collect();
    let mut gaps = Gaps::default();
    plan.missing.iter().zip(&rows.missing).for_each(|(spelling, count)| gaps.add(spelling, *count));
    let table = Table::new(plan.shape, columns)
        .map_err(|error| points::refused(&error, |row| rows.lines.get(row).map(|line| u64::from(*line))))?;
    let named = || value::name(value::stem(source.name));
    let dataflow = mapping.dataflow.clone().or_else(named).ok_or_else(|| {
        Fault::new("name", "expected a file name that says what is in it")
            .hint("say `dataflow` in the mapping")
    })?;
    let title = mapping.title.clone().unwrap_or_else(|| dataflow.to_string());
    Text::<CELL_BYTES_MAX>::new(title.as_str())
        .map_err(|error| Fault::new("mapping", error.to_string()).column("title"))?;
    let missing = rows.missing.iter().sum();
    let summary = Summary { rows: rows.read, missing, gaps: gaps.spellings(), ..points::counted(&table) };
    Heading::new(Format::Csv, dataflow.to_string()).title(title).over((table, summary))
}

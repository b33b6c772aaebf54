//! Any CSV whose columns are described by a [`Mapping`].
//!
//! A row whose every measure is missing is left out; a row with some measure keeps nulls for the
//! others. An identifier is never missing, and no word stands for a missing one.

use std::collections::BTreeMap;
use std::str::FromStr;

use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::limits::CELL_BYTES_MAX;
use schemas::period::{Frequency, Period};
use schemas::structure::{Component, Role, Shape, Type};
use schemas::table::{Cell, Column, Table, Texts};
use schemas::text::Text;

use crate::areas::{self, Area};
use crate::fault::Fault;
use crate::mapping::{Dates, Link, Mapping};
use crate::points;
use crate::records::{self, Reader, Record};
use crate::{Format, Imported, Options, Source, Summary, frequency, value};

/// Cells of a table (rows by columns): a cell of two bytes in the file takes up to 48 in memory.
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
    let width = record.cells.len();
    let mut rows = Rows::new(&plan);
    while reader.read(&mut record)? {
        record.check_width(width)?;
        rows.add(&plan, &record).map_err(|fault| fault.line(record.line))?;
        reader.tick(progress);
    }
    finish(source, &mapping, plan, rows)
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
}

/// All components, in the order of the shape.
struct Plan {
    steps: Vec<Step>,
    shape: Shape,
    missing: Vec<String>,
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
            steps.push(Step { origin, component, dates: link.dates });
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
            decimal_comma: mapping.decimal_comma,
            frequency: options.frequency.or(mapping.frequency),
        })
    }

    /// The value of one component in a row; `None` when it is missing.
    fn cell(&self, step: &Step, record: &Record<'_>) -> Result<Option<Cell>, Fault> {
        let (cell, title) = match &step.origin {
            Origin::Column(column, title) => (record.cell(*column), title.as_str()),
            Origin::Constant(text) => (text.as_str(), step.component.id.as_str()),
        };
        if step.component.role == Role::Identifier {
            if cell.is_empty() {
                return Err(Fault::new("identifier", "an identifier may not be empty").column(title));
            }
        } else if self.missing.iter().any(|missing| missing == cell) {
            return Ok(None);
        }
        self.value(step, cell).map(Some).map_err(|fault| fault.column(title))
    }

    fn value(&self, step: &Step, cell: &str) -> Result<Cell, Fault> {
        Ok(match step.component.kind {
            Type::String => Cell::Text(value::label(cell)?),
            Type::Number if self.decimal_comma => Cell::Number(value::comma_number(cell)?),
            Type::Number => Cell::Number(value::number(cell)?),
            Type::Integer => Cell::Integer(
                cell.parse().map_err(|_| Fault::new("number", "expected a whole number").value(cell))?,
            ),
            Type::Boolean => Cell::Boolean(boolean(cell)?),
            Type::Time => Cell::Text(spelled::<Interval>(cell)?),
            Type::Duration => Cell::Text(spelled::<Duration>(cell)?),
            Type::Date => Cell::Period(period(cell, step.dates).and_then(whole_day)?),
            Type::TimePeriod => {
                let found = period(cell, step.dates)?;
                Cell::Period(self.frequency.map_or(Ok(found), |wanted| frequency::period(found, wanted))?)
            }
        })
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
            cell.replacen(' ', "", 1).parse().ok(),
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

/// The columns being filled.
struct Rows {
    columns: Vec<Filling>,
    lines: Vec<u64>,
    read: u64,
    missing: u64,
}

/// One column being filled.
enum Filling {
    Text { places: BTreeMap<String, u32>, rows: Vec<u32> },
    Ready(Column),
}

impl Rows {
    fn new(plan: &Plan) -> Self {
        let filling = |step: &Step| match step.component.kind {
            Type::String | Type::Time | Type::Duration => {
                Filling::Text { places: BTreeMap::new(), rows: Vec::new() }
            }
            Type::Integer => Filling::Ready(Column::Integer(Vec::new())),
            Type::Number => Filling::Ready(Column::Number(Vec::new())),
            Type::Boolean => Filling::Ready(Column::Boolean(Vec::new())),
            Type::TimePeriod | Type::Date => Filling::Ready(Column::Period(Vec::new())),
        };
        Self { columns: plan.steps.iter().map(filling).collect(), lines: Vec::new(), read: 0, missing: 0 }
    }

    /// Adds a row, unless all its measures are missing.
    fn add(&mut self, plan: &Plan, record: &Record<'_>) -> Result<(), Fault> {
        self.read += 1;
        points::bounded(self.lines.len(), TABLE_CELLS_MAX / plan.steps.len().max(1), record.line)?;
        let cells: Vec<Option<Cell>> =
            plan.steps.iter().map(|step| plan.cell(step, record)).collect::<Result<_, _>>()?;
        let measures = plan.steps.iter().zip(&cells).filter(|(step, _)| step.component.role == Role::Measure);
        let (all, missing) =
            measures.fold((0, 0), |(all, missing), (_, cell)| (all + 1, missing + u64::from(cell.is_none())));
        self.missing += missing;
        if all > 0 && all == missing {
            return Ok(());
        }
        self.lines.push(record.line);
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        Ok(())
    }
}

impl Filling {
    /// Adds a cell, whose type is that of the column.
    fn push(&mut self, cell: Option<Cell>) {
        match (self, cell) {
            (Self::Text { places, rows }, Some(Cell::Text(text))) => {
                let next = places.len() as u32;
                rows.push(*places.entry(text).or_insert(next));
            }
            (Self::Text { rows, .. }, _) => rows.push(Texts::NULL),
            (Self::Ready(column), cell) => match (column, cell) {
                (Column::Integer(rows), Some(Cell::Integer(value))) => rows.push(Some(value)),
                (Column::Integer(rows), _) => rows.push(None),
                (Column::Number(rows), Some(Cell::Number(value))) => rows.push(Some(value)),
                (Column::Number(rows), _) => rows.push(None),
                (Column::Boolean(rows), Some(Cell::Boolean(value))) => rows.push(Some(value)),
                (Column::Boolean(rows), _) => rows.push(None),
                (Column::Period(rows), Some(Cell::Period(value))) => rows.push(Some(value)),
                (Column::Period(rows), _) => rows.push(None),
                (Column::Text(_), _) => {}
            },
        }
    }

    fn done(self) -> Column {
        match self {
            Self::Ready(column) => column,
            Self::Text { places, rows } => {
                let mut texts = vec![""; places.len()];
                for (text, place) in &places {
                    if let Some(slot) = texts.get_mut(*place as usize) {
                        *slot = text;
                    }
                }
                Column::Text(Texts::from_rows(rows.iter().map(|place| texts.get(*place as usize).copied())))
            }
        }
    }
}

fn finish(source: Source<'_>, mapping: &Mapping, plan: Plan, rows: Rows) -> Result<Imported, Fault> {
    if rows.lines.is_empty() {
        return Err(points::empty(rows.read));
    }
    let columns = rows.columns.into_iter().map(Filling::done).collect();
    let table = Table::new(plan.shape, columns).map_err(|error| points::refused(&error, &rows.lines))?;
    let named = || value::name(value::stem(source.name));
    let dataflow = mapping.dataflow.clone().or_else(named).ok_or_else(|| {
        Fault::new("name", "expected a file name that says what is in it")
            .hint("say `dataflow` in the mapping")
    })?;
    let title = mapping.title.clone().unwrap_or_else(|| dataflow.to_string());
    let title = Text::<CELL_BYTES_MAX>::new(title)
        .map_err(|error| Fault::new("mapping", error.to_string()).column("title"))?;
    let areas = areas(&table);
    let aggregates = areas.iter().filter(|area| area.aggregate).count() as u64;
    let summary = Summary { rows: rows.read, missing: rows.missing, aggregates, ..points::counted(&table) };
    Ok(Imported {
        format: Format::Csv,
        table,
        dataflow,
        title: title.to_string(),
        publisher: None,
        vintage: None,
        areas,
        summary,
        importer: Format::Csv.importer(),
    })
}

/// The code list of REF_AREA, with names where the code is known; other codes are taken as they are.
fn areas(table: &Table) -> Vec<Area> {
    let Some(Column::Text(texts)) = table.column("REF_AREA") else { return Vec::new() };
    let area = |code: &String| {
        let unnamed = || Area { code: code.clone(), name: code.clone(), aggregate: false };
        areas::known(code).unwrap_or_else(unnamed)
    };
    texts.dictionary().iter().map(area).collect()
}

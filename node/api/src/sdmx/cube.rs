//! A table as SDMX sees it: dimensions with the time last, one figure an observation, attributes.
//!
//! FREQ is added where the periods tell it, MEASURE where there are several figures. Refuses tables
//! whose components have names that the formats need for themselves.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use schemas::object::Structure;
use schemas::period::Period;
use schemas::structure::{Component, Role, Shape, Type};
use schemas::table::{Cell, Column, Table};

use crate::sdmx::fault::Fault;
use crate::sdmx::ids;

/// The dimension of time.
pub(crate) const TIME: &str = "TIME_PERIOD";
/// The figure.
pub(crate) const FIGURE: &str = "OBS_VALUE";
const FREQUENCY: &str = "FREQ";
const MEASURE: &str = "MEASURE";
/// Columns of ours, and those that SDMX-CSV begins with.
const RESERVED: [&str; 10] = [
    FIGURE,
    "ACTION",
    "DATAFLOW",
    "STRUCTURE",
    "STRUCTURE_ID",
    "DATASET_CID",
    "RECIPE_CID",
    "RELEASE_CID",
    "VALID_FROM",
    "VALID_TO",
];
/// Codes of one list; a dimension with more has none.
const CODES_MAX: usize = 20_000;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Column(usize),
    Frequency(usize),
    Measure,
}

/// A dimension but the time.
#[derive(Debug, Clone)]
pub(crate) struct Dimension {
    pub(crate) id: String,
    source: Source,
    /// Codes that occur, with their names; absent where values are no codes.
    pub(crate) codes: Option<BTreeMap<String, String>>,
}

/// A figure or an attribute: its id and its column.
type Part = (String, usize);

/// Where the parts of a cube stand in a table.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dimensions: Vec<(String, Source)>,
    time: Option<usize>,
    pub(crate) measures: Vec<Part>,
    pub(crate) attributes: Vec<Part>,
}

impl Layout {
    pub(crate) fn new(shape: &Shape) -> Result<Self, Fault> {
        let components = shape.components();
        let time =
            components.iter().position(|part| part.id.as_str() == TIME && part.role == Role::Identifier);
        let of = |wanted: fn(Role) -> bool| {
            let parts = components.iter().enumerate().filter(move |(_, part)| wanted(part.role));
            parts.map(|(at, part)| (ids::id(part.id.as_str()), at)).collect::<Vec<Part>>()
        };
        let measures = of(|role| role == Role::Measure);
        let attributes = of(|role| matches!(role, Role::Attribute | Role::ViralAttribute));
        let identifiers = of(|role| role == Role::Identifier).into_iter();
        let mut dimensions: Vec<(String, Source)> =
            identifiers.map(|(id, at)| (id, Source::Column(at))).collect();
        dimensions.retain(|(_, source)| time.is_none_or(|time| *source != Source::Column(time)));
        let told = |part: &Component| matches!(part.kind, Type::TimePeriod | Type::Date);
        if let Some(at) = time.filter(|at| components.get(*at).is_some_and(told))
            && components.iter().all(|part| part.id.as_str() != FREQUENCY)
        {
            dimensions.insert(0, (FREQUENCY.into(), Source::Frequency(at)));
        }
        if measures.len() > 1 {
            dimensions.push((MEASURE.into(), Source::Measure));
        }
        unique(dimensions.iter().map(|(id, _)| id).chain(attributes.iter().map(|(id, _)| id)))?;
        Ok(Self { dimensions, time, measures, attributes })
    }

    /// The ids of all dimensions, the time last.
    pub(crate) fn dimensions(&self) -> Vec<&str> {
        let ids = self.dimensions.iter().map(|(id, _)| id.as_str());
        ids.chain(self.time.map(|_| TIME)).collect()
    }
}

/// An observation: a row, and which of its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    row: u32,
    figure: u32,
}

/// A table with its parts.
#[derive(Debug)]
pub(crate) struct Cube {
    table: Table,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) layout: Layout,
}

impl Cube {
    pub(crate) fn new(structure: &Structure, table: Table) -> Result<Self, Fault> {
        let layout = Layout::new(table.shape())?;
        let mut cube = Self { table, dimensions: Vec::new(), layout };
        let parts = cube.layout.dimensions.iter();
        cube.dimensions = parts
            .map(|(id, source)| Dimension {
                codes: cube.codes(structure, *source),
                id: id.clone(),
                source: *source,
            })
            .collect();
        Ok(cube)
    }

    /// Whether observations have a time.
    pub(crate) fn timed(&self) -> bool {
        self.layout.time.is_some()
    }

    /// Every observation, as they stand in the table; a row without figures is one that is empty.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        let figures = self.layout.measures.len().max(1) as u32;
        (0..self.table.rows() as u32)
            .flat_map(move |row| (0..figures).map(move |figure| Place { row, figure }))
    }

    /// The value of a dimension.
    pub(crate) fn key(&self, dimension: &Dimension, place: Place) -> Cow<'_, str> {
        match dimension.source {
            Source::Column(at) => self.text(at, place).unwrap_or_default(),
            Source::Frequency(at) => self.frequency(at, place).into(),
            Source::Measure => self.measure(place).into(),
        }
    }

    fn frequency(&self, at: usize, place: Place) -> &'static str {
        self.period_of(at, place).map_or("", |period| period.frequency().code())
    }

    fn measure(&self, place: Place) -> &str {
        self.layout.measures.get(place.figure as usize).map_or("", |(id, _)| id)
    }

    /// The time as it is spelled; empty where there is none.
    pub(crate) fn time(&self, place: Place) -> Cow<'_, str> {
        self.layout.time.and_then(|at| self.text(at, place)).unwrap_or_default()
    }

    /// The time, where it is a period.
    pub(crate) fn period(&self, place: Place) -> Option<Period> {
        self.period_of(self.layout.time?, place)
    }

    fn period_of(&self, at: usize, place: Place) -> Option<Period> {
        match self.table.columns().get(at)? {
            Column::Period(rows) => rows.get(place.row as usize).copied().flatten(),
            _ => None,
        }
    }

    /// The column of a figure.
    fn figures(&self, place: Place) -> Option<usize> {
        self.layout.measures.get(place.figure as usize).map(|(_, at)| *at)
    }

    /// A figure; absent where it is null.
    pub(crate) fn value(&self, place: Place) -> Option<Cow<'_, str>> {
        self.text(self.figures(place)?, place)
    }

    /// The value of an attribute; absent where it is null.
    pub(crate) fn attribute(&self, id: &str, place: Place) -> Option<Cow<'_, str>> {
        let (_, at) = self.layout.attributes.iter().find(|(held, _)| held == id)?;
        self.text(*at, place)
    }

    fn text(&self, at: usize, place: Place) -> Option<Cow<'_, str>> {
        match self.table.columns().get(at)? {
            Column::Text(texts) => texts.get(place.row as usize).map(Cow::Borrowed),
            other => other.cell(place.row as usize).map(|cell| cell.to_string().into()),
        }
    }

    /// Whether two observations are of one series.
    pub(crate) fn same_series(&self, a: Place, b: Place) -> bool {
        self.order_series(a, self, b) == Ordering::Equal
    }

    /// Orders an observation against one of another cube of the same dimensions: by key, then time.
    pub(crate) fn order(&self, a: Place, other: &Cube, b: Place) -> Ordering {
        self.order_series(a, other, b).then_with(|| match (self.layout.time, other.layout.time) {
            (Some(at), Some(beside)) => self.order_cells((at, a), other, (beside, b)),
            _ => Ordering::Equal,
        })
    }

    fn order_series(&self, a: Place, other: &Cube, b: Place) -> Ordering {
        let pairs = self.layout.dimensions.iter().zip(&other.layout.dimensions);
        let orders = pairs.map(|((_, one), (_, two))| match (*one, *two) {
            (Source::Column(at), Source::Column(beside)) => self.order_cells((at, a), other, (beside, b)),
            (Source::Frequency(at), Source::Frequency(beside)) => {
                self.frequency(at, a).cmp(other.frequency(beside, b))
            }
            _ => self.measure(a).cmp(other.measure(b)),
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn order_cells(&self, (at, a): (usize, Place), other: &Cube, (beside, b): (usize, Place)) -> Ordering {
        let columns = self.table.columns().get(at).zip(other.table.columns().get(beside));
        columns.map_or(Ordering::Equal, |(one, two)| between(one, a.row as usize, two, b.row as usize))
    }

    /// What `id` names here, if it is a component.
    pub(crate) fn named(&self, id: &str) -> Option<Named> {
        if id == TIME && self.timed() {
            return Some(Named::Time);
        }
        if id == FIGURE {
            return Some(Named::Figure);
        }
        let dimension = self.layout.dimensions.iter().position(|(held, _)| held == id).map(Named::Dimension);
        let attribute = || self.layout.attributes.iter().find(|(held, _)| held == id);
        dimension.or_else(|| attribute().map(|(_, at)| Named::Attribute(*at)))
    }

    /// The value of a component; absent where it is null.
    pub(crate) fn cell(&self, named: Named, place: Place) -> Option<Cell> {
        let at = match named {
            Named::Time => self.layout.time?,
            Named::Figure => self.figures(place)?,
            Named::Attribute(at) => at,
            Named::Dimension(at) => match self.layout.dimensions.get(at)?.1 {
                Source::Column(at) => at,
                _ => return Some(Cell::Text(self.key(self.dimensions.get(at)?, place).into_owned())),
            },
        };
        self.table.columns().get(at)?.cell(place.row as usize)
    }

    /// Whether a component holds numbers.
    pub(crate) fn numeric(&self, named: Named) -> bool {
        let numeric = |at: &usize| {
            matches!(self.table.columns().get(*at), Some(Column::Number(_) | Column::Integer(_)))
        };
        match named {
            Named::Time => false,
            Named::Figure => self.layout.measures.iter().all(|(_, at)| numeric(at)),
            Named::Attribute(at) => numeric(&at),
            Named::Dimension(at) => match self.layout.dimensions.get(at) {
                Some((_, Source::Column(at))) => numeric(at),
                _ => false,
            },
        }
    }

    /// Orders two observations by one component; null first.
    pub(crate) fn order_by(&self, named: Named, a: Place, b: Place) -> Ordering {
        match named {
            Named::Time => self.layout.time.map(|at| self.order_cells((at, a), self, (at, b))),
            Named::Attribute(at) => Some(self.order_cells((at, a), self, (at, b))),
            Named::Figure => {
                let columns = self.figures(a).zip(self.figures(b));
                columns.map(|(one, two)| self.order_cells((one, a), self, (two, b)))
            }
            Named::Dimension(at) => match self.layout.dimensions.get(at) {
                Some((_, Source::Column(at))) => Some(self.order_cells((*at, a), self, (*at, b))),
                Some(_) => self.dimensions.get(at).map(|part| self.key(part, a).cmp(&self.key(part, b))),
                None => None,
            },
        }
        .unwrap_or(Ordering::Equal)
    }
}

/// A component of a cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Time,
    Figure,
    Dimension(usize),
    Attribute(usize),
}

/// Orders cells of two columns; null first, columns of different types as equals.
fn between(one: &Column, a: usize, two: &Column, b: usize) -> Ordering {
    match (one, two) {
        (Column::Text(one), Column::Text(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Integer(one), Column::Integer(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Boolean(one), Column::Boolean(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Period(one), Column::Period(two)) => one.get(a).cmp(&two.get(b)),
        (Column::Number(one), Column::Number(two)) => {
            match (one.get(a).copied().flatten(), two.get(b).copied().flatten()) {
                (Some(x), Some(y)) => x.compare(y),
                (x, y) => x.is_some().cmp(&y.is_some()),
            }
        }
        _ => Ordering::Equal,
    }
}

/// The codes of dimensions.
impl Cube {
    fn codes(&self, structure: &Structure, source: Source) -> Option<BTreeMap<String, String>> {
        let held: Vec<String> = match source {
            Source::Measure => self.layout.measures.iter().map(|(id, _)| id.clone()).collect(),
            Source::Frequency(at) => match self.table.columns().get(at)? {
                Column::Period(rows) => {
                    let held: BTreeSet<_> =
                        rows.iter().flatten().map(|period| period.frequency().code()).collect();
                    held.into_iter().map(str::to_owned).collect()
                }
                _ => return None,
            },
            Source::Column(at) => match self.table.columns().get(at)? {
                Column::Text(texts) => texts.dictionary().to_vec(),
                _ => return None,
            },
        };
        if held.len() > CODES_MAX || !held.iter().all(|code| is_code(code)) {
            return None;
        }
        let names = self.names(structure, source);
        let named = |code: String| (code.clone(), names.get(&code).cloned().unwrap_or(code));
        Some(held.into_iter().map(named).collect())
    }

    fn names(&self, structure: &Structure, source: Source) -> BTreeMap<String, String> {
        if let Source::Frequency(_) = source {
            return FREQUENCIES.iter().map(|(code, name)| ((*code).into(), (*name).into())).collect();
        }
        let Source::Column(at) = source else { return BTreeMap::new() };
        let part = self.table.shape().components().get(at);
        let codes = part.and_then(|part| structure.codes.get(&part.id));
        codes.into_iter().flatten().map(|code| (code.id.to_string(), code.name.to_string())).collect()
    }
}

/// Names of the codes of CL_FREQ that we have.
const FREQUENCIES: [(&str, &str); 6] = [
    ("A", "Annual"),
    ("S", "Half-yearly, semester"),
    ("Q", "Quarterly"),
    ("M", "Monthly"),
    ("W", "Weekly"),
    ("D", "Daily"),
];

/// Whether a text may be the id of a code.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_@$-".contains(&b))
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), Fault> {
    let mut seen: Vec<&str> = RESERVED.to_vec();
    seen.push(TIME);
    for name in names {
        if seen.contains(&name.as_str()) {
            return Err(Fault::unbuilt(format!("a dataflow with a component `{name}` of its own")));
        }
        seen.push(name);
    }
    Ok(())
}

//! A table as SDMX sees it: dimensions with the time last, one figure an observation, attributes.
//!
//! FREQ is added where the periods tell it, MEASURE where there are several figures. Refuses tables
//! whose components have names that the formats need for themselves.

use std::collections::BTreeMap;

use schemas::object::Structure;
use schemas::period::Period;
use schemas::structure::{Component, Role, Type};
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
const RESERVED: [&str; 8] =
    [FIGURE, "ACTION", "DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "DATASET_CID", "RECIPE_CID", "RELEASE_CID"];
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

/// A table with its parts.
#[derive(Debug)]
pub(crate) struct Cube {
    table: Table,
    pub(crate) dimensions: Vec<Dimension>,
    time: Option<usize>,
    pub(crate) measures: Vec<Part>,
    pub(crate) attributes: Vec<Part>,
}

impl Cube {
    pub(crate) fn new(structure: &Structure, table: Table) -> Result<Self, Fault> {
        let components = table.shape().components();
        let time =
            components.iter().position(|part| part.id.as_str() == TIME && part.role == Role::Identifier);
        let of = |wanted: fn(Role) -> bool| {
            let parts = components.iter().enumerate().filter(move |(_, part)| wanted(part.role));
            parts.map(|(at, part)| (ids::id(part.id.as_str()), at)).collect::<Vec<Part>>()
        };
        let measures = of(|role| role == Role::Measure);
        let attributes = of(|role| matches!(role, Role::Attribute | Role::ViralAttribute));
        let mut sources: Vec<(String, Source)> = of(|role| role == Role::Identifier)
            .into_iter()
            .map(|(id, at)| (id, Source::Column(at)))
            .collect();
        sources.retain(|(_, source)| time.is_none_or(|time| *source != Source::Column(time)));
        let told = |part: &Component| matches!(part.kind, Type::TimePeriod | Type::Date);
        if let Some(at) = time.filter(|at| components.get(*at).is_some_and(told))
            && components.iter().all(|part| part.id.as_str() != FREQUENCY)
        {
            sources.insert(0, (FREQUENCY.into(), Source::Frequency(at)));
        }
        if measures.len() > 1 {
            sources.push((MEASURE.into(), Source::Measure));
        }
        unique(sources.iter().map(|(id, _)| id).chain(attributes.iter().map(|(id, _)| id)))?;
        let mut cube = Self { table, dimensions: Vec::new(), time, measures, attributes };
        cube.dimensions = sources
            .into_iter()
            .map(|(id, source)| Dimension { codes: cube.codes(structure, source), id, source })
            .collect();
        Ok(cube)
    }

    /// Whether observations have a time.
    pub(crate) fn timed(&self) -> bool {
        self.time.is_some()
    }

    /// Rows of the table.
    pub(crate) fn rows(&self) -> usize {
        self.table.rows()
    }

    /// Figures of a row; a table without figures has one that is empty.
    pub(crate) fn figures(&self) -> usize {
        self.measures.len().max(1)
    }

    /// The value of a dimension.
    pub(crate) fn key(&self, dimension: &Dimension, row: usize, figure: usize) -> String {
        match dimension.source {
            Source::Column(at) => self.text(at, row),
            Source::Frequency(at) => {
                self.period(at, row).map_or_else(String::new, |period| period.frequency().code().to_owned())
            }
            Source::Measure => self.measures.get(figure).map_or_else(String::new, |(id, _)| id.clone()),
        }
    }

    /// The time of a row, as a period where it is one, and as it is spelled.
    pub(crate) fn time(&self, row: usize) -> (Option<Period>, String) {
        let Some(at) = self.time else { return (None, String::new()) };
        (self.period(at, row), self.text(at, row))
    }

    /// A figure; absent where it is null.
    pub(crate) fn value(&self, row: usize, figure: usize) -> Option<String> {
        let (_, at) = self.measures.get(figure)?;
        self.table.columns().get(*at)?.cell(row).map(|cell| cell.to_string())
    }

    /// The value of an attribute; absent where it is null.
    pub(crate) fn attribute(&self, at: usize, row: usize) -> Option<String> {
        self.table.columns().get(at)?.cell(row).map(|cell| cell.to_string())
    }

    fn text(&self, at: usize, row: usize) -> String {
        self.attribute(at, row).unwrap_or_default()
    }

    fn period(&self, at: usize, row: usize) -> Option<Period> {
        match self.table.columns().get(at)?.cell(row)? {
            Cell::Period(period) => Some(period),
            _ => None,
        }
    }

    fn codes(&self, structure: &Structure, source: Source) -> Option<BTreeMap<String, String>> {
        let held: Vec<String> = match source {
            Source::Measure => self.measures.iter().map(|(id, _)| id.clone()).collect(),
            Source::Frequency(at) => match self.table.columns().get(at)? {
                Column::Period(rows) => {
                    let held: std::collections::BTreeSet<_> =
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

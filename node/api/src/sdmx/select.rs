//! Which observations a request gets: keys, periods, tests, the first and last of each series, what
//! changed since a vintage. Clients do not notice a filter that is ignored, so all is done here.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemas::period::Period;

use crate::sdmx::catalogue::Flow;
use crate::sdmx::cube::{Cube, TIME};
use crate::sdmx::fault::Fault;
use crate::sdmx::wanted::{Detail, Key, Operator, Test, Wanted, period};

/// Observations of one answer.
pub(crate) const OBSERVATIONS_MAX: usize = 200_000;

/// Parts and values of all keys of one request.
const KEYS_MAX: usize = 1024;

/// An observation.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// The dimensions but the time.
    pub(crate) key: Vec<String>,
    period: Option<Period>,
    /// The time; empty where there is none.
    pub(crate) time: String,
    /// The figure; absent where it is null.
    pub(crate) value: Option<String>,
    /// The row that has its attributes.
    pub(crate) row: usize,
}

/// What a writer needs.
pub(crate) struct View<'a> {
    pub(crate) flow: &'a Flow,
    pub(crate) cube: &'a Cube,
    /// By key and time.
    pub(crate) rows: Vec<Observation>,
    pub(crate) wanted: &'a Wanted,
}

impl View<'_> {
    /// Observations of one key after another.
    pub(crate) fn series(&self) -> impl Iterator<Item = &[Observation]> {
        self.rows.chunk_by(|a, b| a.key == b.key)
    }

    /// Whether observations stand alone.
    pub(crate) fn flat(&self) -> bool {
        self.wanted.flat || !self.cube.timed()
    }

    /// Whether there are only keys.
    pub(crate) fn keys_only(&self) -> bool {
        matches!(self.wanted.detail, Detail::SeriesKeysOnly | Detail::NoData)
    }

    /// Our attributes of the data set, where attributes are wanted.
    pub(crate) fn origin(&self) -> Vec<(&'static str, String)> {
        match self.wanted.detail {
            Detail::Full | Detail::NoData => self.flow.origin().into(),
            Detail::DataOnly | Detail::SeriesKeysOnly => Vec::new(),
        }
    }

    /// The attributes of an observation that it has.
    pub(crate) fn attributes(&self, row: usize) -> Vec<(&str, String)> {
        if self.wanted.detail != Detail::Full {
            return Vec::new();
        }
        let parts = self.cube.attributes.iter();
        parts.filter_map(|(id, at)| Some((id.as_str(), self.cube.attribute(*at, row)?))).collect()
    }
}

/// The observations of `cube` that are wanted, and are not in `earlier` with the same figure.
pub(crate) fn select(
    cube: &Cube,
    wanted: &Wanted,
    earlier: Option<&Cube>,
) -> Result<Vec<Observation>, Fault> {
    check(cube, wanted)?;
    let earlier = earlier.map(figures);
    let mut found = Vec::new();
    for row in 0..cube.rows() {
        let (time, spelled) = cube.time(row);
        if !within(time, wanted) {
            continue;
        }
        for figure in 0..cube.figures() {
            let key = key(cube, row, figure);
            if !matches(&key, &wanted.keys) || !passes(cube, wanted, &key, row) {
                continue;
            }
            let value = cube.value(row, figure);
            let place = (key, spelled.clone());
            if earlier.as_ref().is_some_and(|earlier| earlier.get(&place) == Some(&value)) {
                continue;
            }
            found.push(Observation { key: place.0, period: time, time: place.1, value, row });
        }
        if found.len() > OBSERVATIONS_MAX {
            let hint = "narrow the key or the periods";
            return Err(Fault::large(format!("more than {OBSERVATIONS_MAX} observations: {hint}")));
        }
    }
    found.sort_by(|a, b| (&a.key, a.period, &a.time).cmp(&(&b.key, b.period, &b.time)));
    Ok(ends(found, wanted))
}

fn key(cube: &Cube, row: usize, figure: usize) -> Vec<String> {
    cube.dimensions.iter().map(|dimension| cube.key(dimension, row, figure)).collect()
}

/// Figures by key and time.
type Figures = BTreeMap<(Vec<String>, String), Option<String>>;

fn figures(cube: &Cube) -> Figures {
    let places = (0..cube.rows()).flat_map(|row| (0..cube.figures()).map(move |figure| (row, figure)));
    places.map(|(row, at)| ((key(cube, row, at), cube.time(row).1), cube.value(row, at))).collect()
}

fn check(cube: &Cube, wanted: &Wanted) -> Result<(), Fault> {
    let count = cube.dimensions.len();
    if wanted.keys.iter().flatten().map(|values| 1 + values.len()).sum::<usize>() > KEYS_MAX {
        return Err(Fault::large(format!("the keys have more than {KEYS_MAX} parts and values")));
    }
    if let Some(key) = wanted.keys.iter().find(|key| key.len() != count) {
        let ids: Vec<&str> = cube.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
        let detail = format!("the key has {} parts, expected {count}: {}", key.len(), ids.join("."));
        return Err(Fault::meaning(detail));
    }
    if (wanted.start.is_some() || wanted.end.is_some()) && !cube.timed() {
        return Err(Fault::meaning("this dataflow has no dimension of time"));
    }
    for (id, tests) in &wanted.filters {
        if id == TIME && cube.timed() {
            if let Some((_, text)) = tests.iter().flatten().find(|(_, text)| period(text).is_none()) {
                return Err(Fault::meaning(format!("`{text}` is no period")));
            }
            continue;
        }
        let known = cube.dimensions.iter().any(|dimension| dimension.id == *id)
            || cube.attributes.iter().any(|(attribute, _)| attribute == id);
        if !known {
            return Err(Fault::meaning(format!("`{id}` is no dimension or attribute of this dataflow")));
        }
    }
    Ok(())
}

fn matches(key: &[String], keys: &[Key]) -> bool {
    let fits = |wanted: &Key| {
        wanted.iter().zip(key).all(|(wanted, held)| wanted.is_empty() || wanted.contains(held))
    };
    keys.is_empty() || keys.iter().any(fits)
}

fn within(time: Option<Period>, wanted: &Wanted) -> bool {
    let fits = |operator, bound: Option<Period>| {
        bound.is_none_or(|bound| time.is_some_and(|time| compare(time, operator, bound)))
    };
    fits(Operator::AtLeast, wanted.start) && fits(Operator::AtMost, wanted.end)
}

/// Whether a period is on that side of another; of different frequencies by their days.
fn compare(held: Period, operator: Operator, bound: Period) -> bool {
    let (first, last) = (held.first_day(), held.last_day());
    match operator {
        Operator::Equal => (first, last) == (bound.first_day(), bound.last_day()),
        Operator::Unequal => (first, last) != (bound.first_day(), bound.last_day()),
        Operator::Less => last < bound.first_day(),
        Operator::AtMost => last <= bound.last_day(),
        Operator::Greater => first > bound.last_day(),
        Operator::AtLeast => first >= bound.first_day(),
        Operator::Contains | Operator::Lacks | Operator::Starts | Operator::Ends => {
            holds(&held.to_string(), operator, &bound.to_string())
        }
    }
}

fn passes(cube: &Cube, wanted: &Wanted, key: &[String], row: usize) -> bool {
    wanted.filters.iter().all(|(id, either)| {
        if id == TIME {
            let time = cube.time(row).0;
            let test = |(operator, text): &Test| match (time, period(text)) {
                (Some(time), Some(bound)) => compare(time, *operator, bound),
                _ => false,
            };
            return either.iter().any(|all| all.iter().all(test));
        }
        let place = cube.dimensions.iter().position(|dimension| dimension.id == *id);
        let attribute = || {
            let (_, at) = cube.attributes.iter().find(|(attribute, _)| attribute == id)?;
            cube.attribute(*at, row)
        };
        let held = place.and_then(|place| key.get(place).cloned()).or_else(attribute);
        let held = held.unwrap_or_default();
        either.iter().any(|all| all.iter().all(|(operator, text)| holds(&held, *operator, text)))
    })
}

fn holds(held: &str, operator: Operator, text: &str) -> bool {
    match operator {
        Operator::Equal => held == text,
        Operator::Unequal => held != text,
        Operator::Less => held.cmp(text) == Ordering::Less,
        Operator::AtMost => held.cmp(text) != Ordering::Greater,
        Operator::Greater => held.cmp(text) == Ordering::Greater,
        Operator::AtLeast => held.cmp(text) != Ordering::Less,
        Operator::Contains => held.contains(text),
        Operator::Lacks => !held.contains(text),
        Operator::Starts => held.starts_with(text),
        Operator::Ends => held.ends_with(text),
    }
}

/// The first and the last observations of each series, where only those are wanted.
fn ends(found: Vec<Observation>, wanted: &Wanted) -> Vec<Observation> {
    if wanted.first.is_none() && wanted.last.is_none() {
        return found;
    }
    let (first, last) = (wanted.first.unwrap_or(0), wanted.last.unwrap_or(0));
    let series = found.chunk_by(|a, b| a.key == b.key);
    let kept = series.flat_map(|series| {
        let length = series.len();
        series.iter().enumerate().filter(move |(at, _)| *at < first || at.saturating_add(last) >= length)
    });
    kept.map(|(_, observation)| observation.clone()).collect()
}

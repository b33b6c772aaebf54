//! JSON-stat 1 and 2: one data set, its values dense or sparse, with status, roles, labels, units.
//!
//! The dimensions keep their ids; the one whose role is the time becomes TIME_PERIOD. Nothing is
//! made of the size that a file claims: values are looked at one by one. Refuses collections.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemas::period::{Frequency, Period};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ImportError;
use crate::heading::{Heading, Names};
use crate::json::{self, Lines, List};
use crate::points::{self, OBSERVATIONS_MAX};
use crate::sdmx::{self, FIGURE, STATUS};
use crate::sheet::Sheet;
use crate::{Format, ImportOptions, ImportedTable, SourceFile, records, value};

/// Dimensions of one data set.
const DIMENSIONS_MAX: usize = 64;
/// Attributes that the unit of a category gives.
const UNIT: [&str; 2] = ["UNIT_MEASURE", "DECIMALS"];
/// Values between two calls of the progress function.
const TICK: u64 = 1024;

/// A data set; in version 1 `dimension` also has `id`, `size` and `role`.
#[derive(Deserialize)]
struct Dataset<'a> {
    #[serde(borrow)]
    class: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "title")]
    label: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    updated: Option<&'a RawValue>,
    #[serde(borrow)]
    href: Option<&'a RawValue>,
    #[serde(borrow)]
    extension: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<List<Cow<'a, str>, DIMENSIONS_MAX>>,
    size: Option<List<u64, DIMENSIONS_MAX>>,
    #[serde(borrow)]
    role: Option<Role<'a>>,
    #[serde(borrow)]
    dimension: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Role<'a> {
    #[serde(borrow, default)]
    time: List<Cow<'a, str>, DIMENSIONS_MAX>,
}

#[derive(Deserialize)]
struct Dimension<'a> {
    #[serde(borrow)]
    category: Option<Category<'a>>,
}

#[derive(Deserialize)]
struct Category<'a> {
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    label: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    unit: Option<BTreeMap<String, Unit<'a>>>,
}

#[derive(Deserialize)]
struct Unit<'a> {
    #[serde(borrow)]
    label: Option<&'a RawValue>,
    #[serde(borrow)]
    base: Option<&'a RawValue>,
    #[serde(borrow)]
    symbol: Option<&'a RawValue>,
    #[serde(borrow)]
    decimals: Option<&'a RawValue>,
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let text = records::text(source.bytes)?;
    let (name, set) = only(text)?;
    let cube = Cube::new(&set, options.frequency)?;
    let (sheet, mut names) = cube.sheet(&set, text, progress)?;
    let columns: Vec<String> = sheet.ids().map(str::to_owned).collect();
    let place = |id: &str| columns.iter().position(|column| column == id);
    let dimensions: Vec<usize> = cube.axes.iter().filter_map(|axis| place(&axis.id)).collect();
    let attributes: Vec<usize> = (0..columns.len()).filter(|place| !dimensions.contains(place)).collect();
    for axis in cube.axes {
        names.insert(axis.id, axis.names);
    }
    let id = identifier(&set).or(name).unwrap_or_else(|| value::stem(source.name).to_owned());
    let heading = Heading {
        publisher: said(set.source).map(Cow::into_owned).filter(|source| sdmx::is_publisher(source)),
        vintage: said(set.updated).and_then(|day| value::day(day.get(..10)?)),
        names,
        ..Heading::new(Format::JsonStat, id)
    };
    heading.title(said(set.label).unwrap_or_default()).over(sheet.finish(&dimensions, &attributes)?)
}

/// A text of the document, if it is one.
fn said(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    json::scalar(raw?).ok().filter(|text| text != "null")
}

/// The one data set of a document, and in version 1 its name.
fn only(text: &str) -> Result<(Option<String>, Dataset<'_>), ImportError> {
    let raw: &RawValue = json::document(text)?;
    let set: Dataset<'_> = json::value(raw)?;
    match set.class.as_deref() {
        Some("collection") => {
            return Err(ImportError::new(
                "collection",
                "this is a collection: a list of data sets, not data",
            )
            .hint("download the data set that you want by its own address"));
        }
        Some("dimension") => {
            return Err(ImportError::new("collection", "this is a dimension alone, not data"));
        }
        _ => {}
    }
    if set.dimension.is_some() && set.value.is_some() {
        return Ok((None, set));
    }
    let mut found = Vec::new();
    let mut names = Vec::new();
    json::entries(raw, &mut |name, raw| {
        // What is no object is about the document.
        if raw.get().starts_with('{') && names.len() < DIMENSIONS_MAX {
            let set: Dataset<'_> = json::value(raw)?;
            if set.dimension.is_some() && set.value.is_some() {
                names.push(name.to_owned());
                found.push(set);
            }
        }
        Ok(())
    })?;
    match (found.pop(), names.pop()) {
        (Some(set), Some(name)) if found.is_empty() => Ok((Some(name), set)),
        (Some(_), Some(name)) => {
            names.push(name);
            Err(ImportError::new(
                "collection",
                format!("{} data sets in one file, expected one", names.len()),
            )
            .value(names.join(", "))
            .hint("download them one by one"))
        }
        _ => Err(ImportError::new("json-stat", "expected a data set: `dimension` and `value`")),
    }
}

/// The id that the publisher gives: in the extension of Eurostat, or the end of the address.
fn identifier(set: &Dataset<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Extension<'a> {
        #[serde(borrow, alias = "id", alias = "datasetId")]
        dataset: Option<&'a RawValue>,
    }
    let said = set.extension.and_then(|raw| json::value::<Extension<'_>>(raw).ok());
    if let Some(id) = said.and_then(|extension| extension.dataset) {
        return json::scalar(id).ok().map(Cow::into_owned);
    }
    let href = json::scalar(set.href?).ok()?;
    let path = href.split(['?', '#']).next()?;
    Some(value::stem(path).to_owned()).filter(|id| !id.is_empty())
}

/// A dimension.
struct Axis {
    id: String,
    size: u64,
    codes: Vec<String>,
    names: Names,
    /// Unit and decimals, by code.
    units: BTreeMap<usize, [String; 2]>,
    /// The periods, if it is the time.
    periods: Vec<Period>,
}

/// The dimensions, in the order of the values.
struct Cube {
    axes: Vec<Axis>,
    /// Number of the values, given or not.
    cells: u64,
}

impl Cube {
    fn new(set: &Dataset<'_>, frequency: Option<Frequency>) -> Result<Self, ImportError> {
        let mut id = set.id.as_ref().map(|id| id.0.clone());
        let mut size = set.size.as_ref().map(|size| size.0.clone());
        let mut time: Vec<String> = Vec::new();
        if let Some(role) = &set.role {
            time.extend(role.time.0.iter().map(|id| id.clone().into_owned()));
        }
        let mut parts: BTreeMap<String, &RawValue> = BTreeMap::new();
        let raw = set.dimension.ok_or_else(|| ImportError::new("json-stat", "expected `dimension`"))?;
        json::entries(raw, &mut |key, raw| {
            match key {
                "id" if set.id.is_none() => id = Some(json::value::<List<_, DIMENSIONS_MAX>>(raw)?.0),
                "size" if set.size.is_none() => size = Some(json::value::<List<_, DIMENSIONS_MAX>>(raw)?.0),
                "role" if set.role.is_none() => {
                    let role: Role<'_> = json::value(raw)?;
                    time.extend(role.time.0.into_iter().map(Cow::into_owned));
                }
                _ if parts.len() == DIMENSIONS_MAX => {
                    return Err(ImportError::new(
                        "json-stat",
                        format!("more than {DIMENSIONS_MAX} dimensions"),
                    ));
                }
                _ => drop(parts.insert(key.to_owned(), raw)),
            }
            Ok(())
        })?;
        let (id, size) = (id.unwrap_or_default(), size.unwrap_or_default());
        if id.len() != size.len() || id.len() > DIMENSIONS_MAX || id.is_empty() {
            return Err(ImportError::new(
                "json-stat",
                "expected a size for each dimension in `id`, at most 64 of them",
            ));
        }
        let time = id.iter().position(|id| time.iter().any(|time| time == id)).or_else(|| {
            let named = |id: &&str| ["time", "time_period"].iter().any(|time| id.eq_ignore_ascii_case(time));
            id.iter().position(|id| named(&&**id))
        });
        let mut axes = Vec::with_capacity(id.len());
        for (at, (id, size)) in id.iter().zip(&size).enumerate() {
            let raw = parts
                .get(&**id)
                .ok_or_else(|| ImportError::new("json-stat", "a dimension is missing").value(id))?;
            let mut axis = Axis::new(id, *size, raw).map_err(|fault| fault.column(id))?;
            if time == Some(at) {
                axis.periods =
                    axis.codes.iter().map(|code| period(code, frequency)).collect::<Result<_, _>>()?;
                axis.names.clear();
            }
            axes.push(axis);
        }
        let cells = size.iter().try_fold(1_u64, |all, size| all.checked_mul(*size));
        let cells =
            cells.ok_or_else(|| ImportError::new("json-stat", "more values than anyone can count"))?;
        Ok(Self { axes, cells })
    }

    /// All observations, and the names of statuses.
    fn sheet(
        &self,
        set: &Dataset<'_>,
        text: &str,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Sheet, BTreeMap<String, Names>), ImportError> {
        let mut sheet = Sheet::new(&[FIGURE]);
        let mut places = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            places.push(if axis.periods.is_empty() { Some(sheet.column(&axis.id)?) } else { None });
        }
        let (mut statuses, mut names) = (Statuses::new(set.status)?, BTreeMap::new());
        names.insert(STATUS[0].to_owned(), statuses.names(set.extension));
        let mut filling =
            Filling { cube: self, status: sheet.column(STATUS[0])?, sheet, places, units: None };
        let mut lines = Lines::new(text.as_bytes());
        let raw = set.value.ok_or_else(|| ImportError::new("json-stat", "expected `value`"))?;
        let mut seen = 0_u64;
        let mut one = |at: u64, raw: &RawValue| {
            let line = lines.of(raw);
            seen += 1;
            if seen.is_multiple_of(TICK) {
                progress((raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize) as u64);
            }
            let status = statuses.take(at);
            filling
                .push(at, raw, status.as_deref().unwrap_or_default(), line)
                .map_err(|fault| fault.line(line))
        };
        if raw.get().starts_with('[') {
            json::items(raw, &mut one)?;
            if seen != self.cells {
                return Err(ImportError::new(
                    "json-stat",
                    format!("{seen} values where the sizes make {}", self.cells),
                )
                .hint("the file may be cut off; take it from its source again"));
            }
        } else {
            json::entries(raw, &mut |key, raw| one(index(key)?, raw))?;
        }
        // A status may stand where no value does.
        let line = lines.of(raw);
        for (at, status) in std::mem::take(&mut statuses.each) {
            seen += 1;
            filling.sheet.gaps.count("");
            filling.observe(at, None, &status, line)?;
        }
        let mut sheet = filling.sheet;
        sheet.skip(self.cells.saturating_sub(seen));
        Ok((sheet, names))
    }
}

impl Axis {
    fn new(id: &str, size: u64, raw: &RawValue) -> Result<Self, ImportError> {
        let dimension: Dimension<'_> = json::part(raw)?;
        let category =
            dimension.category.ok_or_else(|| ImportError::new("json-stat", "expected `category`"))?;
        let names = category.label.unwrap_or_default();
        let codes: Vec<String> = match category.index {
            Some(raw) if raw.get().starts_with('[') => json::value(raw)?,
            Some(raw) => by_place(json::value(raw)?),
            // A single category needs no index.
            None => names.keys().cloned().collect(),
        };
        if codes.len() as u64 != size {
            let message = format!("{} categories where the size is {size}", codes.len());
            return Err(ImportError::new("json-stat", message).hint("take the data from its source again"));
        }
        let said = |raw: Option<&RawValue>| {
            raw.map_or(Ok(String::new()), |raw| json::scalar(raw).map(Cow::into_owned))
        };
        let mut units = BTreeMap::new();
        let places: BTreeMap<&str, usize> =
            codes.iter().enumerate().map(|(at, code)| (code.as_str(), at)).collect();
        for (code, unit) in category.unit.unwrap_or_default() {
            let known = places.get(code.as_str()).copied();
            let name = said(unit.label.or(unit.base).or(unit.symbol))?;
            units.extend(
                known.map(|at| Ok::<_, ImportError>((at, [name, said(unit.decimals)?]))).transpose()?,
            );
        }
        Ok(Self { id: id.to_owned(), size, codes, names, units, periods: Vec::new() })
    }
}

/// Codes in the order of their places; two on one place leave one too few.
fn by_place(index: BTreeMap<String, u64>) -> Vec<String> {
    let places: BTreeMap<u64, String> = index.into_iter().map(|(code, place)| (place, code)).collect();
    let right = places.keys().copied().eq(0..places.len() as u64);
    if right { places.into_values().collect() } else { Vec::new() }
}

/// The sheet while values come.
struct Filling<'a> {
    cube: &'a Cube,
    sheet: Sheet,
    /// Where the codes of each dimension go; the time has no place.
    places: Vec<Option<usize>>,
    status: usize,
    /// Where unit and decimals go, once there is one.
    units: Option<[usize; 2]>,
}

impl Filling<'_> {
    fn push(&mut self, at: u64, raw: &RawValue, status: &str, line: u64) -> Result<(), ImportError> {
        let text = if raw.get() == "null" { Cow::Borrowed("") } else { json::scalar(raw)? };
        let word = text.trim().is_empty() || [":", "..", "."].contains(&&*text);
        let figure = if word { None } else { sdmx::figure(&text)? };
        if figure.is_none() {
            self.sheet.gaps.count(if text.is_empty() { "null" } else { &text });
        }
        self.observe(at, figure, status, line)
    }

    fn observe(
        &mut self,
        at: u64,
        figure: Option<schemas::decimal::Decimal>,
        status: &str,
        line: u64,
    ) -> Result<(), ImportError> {
        if at >= self.cube.cells {
            return Err(ImportError::new("json-stat", "a value beyond the sizes").value(at.to_string()));
        }
        let (mut rest, mut period) = (at, None);
        for (axis, place) in self.cube.axes.iter().zip(&self.places).rev() {
            // INVARIANT: no size is 0, since `at` is below their product.
            let index = (rest % axis.size) as usize;
            rest /= axis.size;
            match place {
                Some(place) => drop(self.sheet.set(*place, axis.codes.get(index).map_or("", String::as_str))),
                None => period = axis.periods.get(index).copied(),
            }
            if !axis.units.is_empty() {
                unit(&mut self.sheet, &mut self.units, axis.units.get(&index))?;
            }
        }
        self.sheet.set(self.status, status);
        self.sheet.push(period, &[figure], !status.is_empty(), line)
    }
}

/// Sets unit and decimals.
fn unit(
    sheet: &mut Sheet,
    places: &mut Option<[usize; 2]>,
    texts: Option<&[String; 2]>,
) -> Result<(), ImportError> {
    let places = match *places {
        Some(places) => places,
        None => *places.insert([sheet.column(UNIT[0])?, sheet.column(UNIT[1])?]),
    };
    for (at, place) in places.into_iter().enumerate() {
        sheet.set(place, texts.and_then(|texts| texts.get(at)).map_or("", String::as_str));
    }
    Ok(())
}

/// Statuses, by the number of the value.
struct Statuses {
    all: Option<String>,
    each: BTreeMap<u64, String>,
    names: Names,
}

impl Statuses {
    fn new(raw: Option<&RawValue>) -> Result<Self, ImportError> {
        let mut statuses = Self { all: None, each: BTreeMap::new(), names: Names::new() };
        match raw.map(|raw| (raw, raw.get().as_bytes().first())) {
            Some((raw, Some(b'['))) => statuses.list(raw)?,
            Some((raw, Some(b'{'))) => json::entries(raw, &mut |key, raw| match key {
                // Eurostat's version 1 has them one level deeper, with their names.
                "value" => statuses.list(raw),
                "category" => {
                    statuses.names = labels(raw);
                    Ok(())
                }
                _ => statuses.one(index(key)?, raw),
            })?,
            Some((raw, Some(b'"'))) => statuses.all = Some(json::value(raw)?),
            _ => {}
        }
        Ok(statuses)
    }

    fn list(&mut self, raw: &RawValue) -> Result<(), ImportError> {
        json::items(raw, &mut |at, raw| self.one(at, raw))
    }

    fn one(&mut self, at: u64, raw: &RawValue) -> Result<(), ImportError> {
        if raw.get() != "null" && raw.get() != "\"\"" {
            points::bounded(self.each.len(), OBSERVATIONS_MAX, 0)
                .map_err(|fault| ImportError { line: None, ..fault })?;
            self.each.insert(at, json::scalar(raw)?.into_owned());
        }
        Ok(())
    }

    fn take(&mut self, at: u64) -> Option<String> {
        self.each.remove(&at).or_else(|| self.all.clone())
    }

    /// Their names, also from the extension of Eurostat.
    fn names(&mut self, extension: Option<&RawValue>) -> Names {
        #[derive(Deserialize)]
        struct Extension<'a> {
            #[serde(borrow)]
            status: Option<&'a RawValue>,
        }
        let names = std::mem::take(&mut self.names);
        if !names.is_empty() {
            return names;
        }
        let said = extension.and_then(|raw| json::value::<Extension<'_>>(raw).ok());
        said.and_then(|extension| extension.status).map(labels).unwrap_or_default()
    }
}

/// The `label` of an object: names by code.
fn labels(raw: &RawValue) -> Names {
    #[derive(Deserialize)]
    struct Labelled {
        label: Option<Names>,
    }
    json::value::<Labelled>(raw).ok().and_then(|labelled| labelled.label).unwrap_or_default()
}

fn index(key: &str) -> Result<u64, ImportError> {
    key.parse().map_err(|_| ImportError::new("json-stat", "expected the number of a value").value(key))
}

/// A period of SDMX, or as the offices of the north write it: `2010K1`, `2010U05`, `2010H2`.
fn period(code: &str, frequency: Option<Frequency>) -> Result<Period, ImportError> {
    let read = sdmx::period(code, frequency);
    let (Err(_), Some((year, rest))) = (&read, code.split_at_checked(4)) else { return read };
    let letter = match rest.as_bytes().first() {
        Some(b'K') => 'Q',
        Some(b'U') => 'W',
        Some(b'H') => 'S',
        _ => return read,
    };
    let spelled = format!("{year}{letter}{}", rest.get(1..).unwrap_or_default());
    sdmx::period(&spelled, frequency).or(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_of_the_north() {
        for (code, expected) in
            [("2010K1", "2010-Q1"), ("2010U05", "2010-W05"), ("2010H2", "2010-S2"), ("2010M02", "2010-M02")]
        {
            assert_eq!(period(code, None).unwrap().to_string(), expected);
        }
        assert_eq!(period("2010X1", None).unwrap_err().value.unwrap(), "2010X1");
    }

    #[test]
    fn an_index_has_every_place_once() {
        let index =
            |pairs: &[(&str, u64)]| by_place(pairs.iter().map(|(c, p)| ((*c).to_owned(), *p)).collect());
        assert_eq!(index(&[("a", 1), ("b", 0)]), ["b", "a"]);
        assert!(index(&[("a", 1), ("b", 2)]).is_empty());
        assert_eq!(index(&[("a", 0), ("b", 0)]).len(), 1);
    }
}

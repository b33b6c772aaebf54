//! JSON-stat 1 and 2: one data set with dense or sparse values, status, roles, labels and units.
//!
//! The dimensions keep their ids; the one with the role `time` becomes TIME_PERIOD. Nothing is allocated
//! for the size that a file states: values are read one by one. Refuses collections.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemas::period::{Frequency, Period};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::build::metadata::{CodeNames, Metadata};
use crate::build::observations::ObservationBuilder;
use crate::build::summary::{self, OBSERVATIONS_MAX};
use crate::csv::records;
use crate::detect::has_json_word;
use crate::error::ImportError;
use crate::formats::json::{self, BoundedList, LineFinder};
use crate::formats::sdmx::{self, FIGURE, STATUS};
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Dimensions of one data set.
const DIMENSIONS_MAX: usize = 64;
/// Attributes made from the unit of a category.
const UNIT: [&str; 2] = ["UNIT_MEASURE", "DECIMALS"];
/// Values between two calls of the progress function.
const TICK: u64 = 1024;

/// A data set. In version 1 `id`, `size` and `role` are inside `dimension`.
#[derive(Deserialize)]
struct StatDataSet<'a> {
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
    id: Option<BoundedList<Cow<'a, str>, DIMENSIONS_MAX>>,
    size: Option<BoundedList<u64, DIMENSIONS_MAX>>,
    #[serde(borrow)]
    role: Option<DimensionRoles<'a>>,
    #[serde(borrow)]
    dimension: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct DimensionRoles<'a> {
    #[serde(borrow, default)]
    time: BoundedList<Cow<'a, str>, DIMENSIONS_MAX>,
}

#[derive(Deserialize)]
struct StatDimension<'a> {
    #[serde(borrow)]
    category: Option<StatCategory<'a>>,
}

#[derive(Deserialize)]
struct StatCategory<'a> {
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    label: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    unit: Option<BTreeMap<String, CategoryUnit<'a>>>,
}

#[derive(Deserialize)]
struct CategoryUnit<'a> {
    #[serde(borrow)]
    label: Option<&'a RawValue>,
    #[serde(borrow)]
    base: Option<&'a RawValue>,
    #[serde(borrow)]
    symbol: Option<&'a RawValue>,
    #[serde(borrow)]
    decimals: Option<&'a RawValue>,
}

/// Whether a JSON document is a data set, a collection or a dimension.
pub(crate) fn is_data_set(text: &str) -> bool {
    let has = |word| has_json_word(text, word);
    let classed = has("class") && (has("dataset") || has("collection") || has("dimension"));
    classed || has("dimension") && has("size")
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let text = records::decode_text(source.bytes)?;
    let (name, set) = single_data_set(text)?;
    let cube = DataCube::new(&set, options.frequency)?;
    let (builder, mut names) = cube.read_observations(&set, text, progress)?;
    let columns: Vec<String> = builder.column_ids().map(str::to_owned).collect();
    let position = |id: &str| columns.iter().position(|column| column == id);
    let dimensions: Vec<usize> = cube.axes.iter().filter_map(|axis| position(&axis.id)).collect();
    let attributes: Vec<usize> =
        (0..columns.len()).filter(|position| !dimensions.contains(position)).collect();
    for axis in cube.axes {
        names.insert(axis.id, axis.names);
    }
    let id = data_set_id(&set).or(name).unwrap_or_else(|| cell::file_stem(source.name).to_owned());
    let metadata = Metadata {
        publisher: optional_text(set.source).map(Cow::into_owned).filter(|source| sdmx::is_publisher(source)),
        vintage: optional_text(set.updated).and_then(|day| cell::parse_iso_day(day.get(..10)?)),
        names,
        ..Metadata::new(Format::JsonStat, id)
    };
    metadata
        .title(optional_text(set.label).unwrap_or_default())
        .with_table(builder.into_table(&dimensions, &attributes)?)
}

/// A member of the document as text; `None` if it is absent, null, an object or a list.
fn optional_text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    json::scalar_text(raw?).ok().filter(|text| text != "null")
}

/// The single data set of a document, and in version 1 its name.
fn single_data_set(text: &str) -> Result<(Option<String>, StatDataSet<'_>), ImportError> {
    let raw: &RawValue = json::parse_document(text)?;
    let set: StatDataSet<'_> = json::parse_value(raw)?;
    match set.class.as_deref() {
        Some("collection") => {
            return Err(ImportError::new(
                "collection",
                "expected a data set, found a collection of data sets",
            )
            .hint("download a data set by its own address"));
        }
        Some("dimension") => {
            return Err(ImportError::new("collection", "expected a data set, found a dimension alone"));
        }
        _ => {}
    }
    // Version 2 has the data set at the top, version 1 one level deeper under its name.
    if set.dimension.is_some() && set.value.is_some() {
        return Ok((None, set));
    }
    let mut found = Vec::new();
    let mut names = Vec::new();
    json::for_each_entry(raw, &mut |name, raw| {
        // Members that are no objects describe the document.
        if raw.get().starts_with('{') && names.len() < DIMENSIONS_MAX {
            let set: StatDataSet<'_> = json::parse_value(raw)?;
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
                format!("expected one data set in the file, found {} data sets", names.len()),
            )
            .value(names.join(", "))
            .hint("download them one by one"))
        }
        _ => Err(ImportError::new("json-stat", "expected a data set: `dimension` and `value`")),
    }
}

/// The id of the data set: from the extension of Eurostat, or the last part of the address.
fn data_set_id(set: &StatDataSet<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Extension<'a> {
        #[serde(borrow, alias = "id", alias = "datasetId")]
        dataset: Option<&'a RawValue>,
    }
    let parsed = set.extension.and_then(|raw| json::parse_value::<Extension<'_>>(raw).ok());
    if let Some(id) = parsed.and_then(|extension| extension.dataset) {
        return json::scalar_text(id).ok().map(Cow::into_owned);
    }
    let href = json::scalar_text(set.href?).ok()?;
    // The address of a download: `…/samples/rates.json?geo=AT` has the id `rates`.
    let path = href.split(['?', '#']).next()?;
    Some(cell::file_stem(path).to_owned()).filter(|id| !id.is_empty())
}

/// A dimension.
struct DimensionAxis {
    id: String,
    size: u64,
    codes: Vec<String>,
    names: CodeNames,
    /// Unit and decimals by index of the category.
    units: BTreeMap<usize, [String; 2]>,
    /// The periods of the time dimension; empty for others.
    periods: Vec<Period>,
}

/// The dimensions, in the order of the values.
struct DataCube {
    axes: Vec<DimensionAxis>,
    /// Number of values, present or absent.
    cells: u64,
}

impl DataCube {
    fn new(set: &StatDataSet<'_>, frequency: Option<Frequency>) -> Result<Self, ImportError> {
        let mut id = set.id.as_ref().map(|id| id.0.clone());
        let mut size = set.size.as_ref().map(|size| size.0.clone());
        let mut time: Vec<String> = Vec::new();
        if let Some(role) = &set.role {
            time.extend(role.time.0.iter().map(|id| id.clone().into_owned()));
        }
        let mut parts: BTreeMap<String, &RawValue> = BTreeMap::new();
        let raw = set.dimension.ok_or_else(|| ImportError::new("json-stat", "expected `dimension`"))?;
        json::for_each_entry(raw, &mut |key, raw| {
            match key {
                "id" if set.id.is_none() => {
                    id = Some(json::parse_value::<BoundedList<_, DIMENSIONS_MAX>>(raw)?.0)
                }
                "size" if set.size.is_none() => {
                    size = Some(json::parse_value::<BoundedList<_, DIMENSIONS_MAX>>(raw)?.0)
                }
                "role" if set.role.is_none() => {
                    let role: DimensionRoles<'_> = json::parse_value(raw)?;
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
        // The sizes are the only link between the values and the dimensions.
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
            let mut axis = DimensionAxis::new(id, *size, raw).map_err(|error| error.column(id))?;
            if time == Some(at) {
                axis.periods =
                    axis.codes.iter().map(|code| parse_period(code, frequency)).collect::<Result<_, _>>()?;
                axis.names.clear();
            }
            axes.push(axis);
        }
        // Not allocated; only compared with the number of values that are present.
        let cells = size.iter().try_fold(1_u64, |all, size| all.checked_mul(*size));
        let cells =
            cells.ok_or_else(|| ImportError::new("json-stat", "the product of the sizes is out of range"))?;
        Ok(Self { axes, cells })
    }

    /// Reads all observations; returns them with the names of statuses.
    fn read_observations(
        &self,
        set: &StatDataSet<'_>,
        text: &str,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(ObservationBuilder, BTreeMap<String, CodeNames>), ImportError> {
        let mut builder = ObservationBuilder::new(&[FIGURE]);
        let mut positions = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            positions.push(if axis.periods.is_empty() {
                Some(builder.column_index(&axis.id)?)
            } else {
                None
            });
        }
        let (mut statuses, mut names) = (StatusList::new(set.status)?, BTreeMap::new());
        names.insert(STATUS[0].to_owned(), statuses.names(set.extension));
        let mut filling = CubeReader {
            data: self,
            status: builder.column_index(STATUS[0])?,
            builder,
            positions,
            units: None,
        };
        let mut lines = LineFinder::new(text.as_bytes());
        let raw = set.value.ok_or_else(|| ImportError::new("json-stat", "expected `value`"))?;
        let mut seen = 0_u64;
        let mut one = |at: u64, raw: &RawValue| {
            let line = lines.line_of(raw);
            seen += 1;
            if seen.is_multiple_of(TICK) {
                progress((raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize) as u64);
            }
            // Removed, so that those left at the end are the ones without a value.
            let status = statuses.take(at);
            filling
                .push(at, raw, status.as_deref().unwrap_or_default(), line)
                .map_err(|error| error.line(line))
        };
        if raw.get().starts_with('[') {
            json::for_each_item(raw, &mut one)?;
            if seen != self.cells {
                return Err(ImportError::new(
                    "json-stat",
                    format!("expected {} values by the sizes, found {seen}", self.cells),
                )
                .hint("the file may be truncated; take it from its source again"));
            }
        } else {
            json::for_each_entry(raw, &mut |key, raw| one(parse_index(key)?, raw))?;
        }
        // A status may exist without a value.
        let line = lines.line_of(raw);
        for (at, status) in std::mem::take(&mut statuses.each) {
            seen += 1;
            filling.builder.missing.count("");
            filling.observe(at, None, &status, line)?;
        }
        let mut builder = filling.builder;
        // A sparse data set omits missing values.
        builder.count_omitted(self.cells.saturating_sub(seen));
        Ok((builder, names))
    }
}

impl DimensionAxis {
    fn new(id: &str, size: u64, raw: &RawValue) -> Result<Self, ImportError> {
        let dimension: StatDimension<'_> = json::parse_description(raw)?;
        let category =
            dimension.category.ok_or_else(|| ImportError::new("json-stat", "expected `category`"))?;
        let names = category.label.unwrap_or_default();
        let codes: Vec<String> = match category.index {
            Some(raw) if raw.get().starts_with('[') => json::parse_value(raw)?,
            Some(raw) => codes_by_index(json::parse_value(raw)?),
            // The standard lets a single category omit its index.
            None => names.keys().cloned().collect(),
        };
        if codes.len() as u64 != size {
            let message = format!("expected {size} categories by the size, found {} categories", codes.len());
            return Err(ImportError::new("json-stat", message).hint("take the data from its source again"));
        }
        let text_of = |raw: Option<&RawValue>| {
            raw.map_or(Ok(String::new()), |raw| json::scalar_text(raw).map(Cow::into_owned))
        };
        let mut units = BTreeMap::new();
        let positions: BTreeMap<&str, usize> =
            codes.iter().enumerate().map(|(at, code)| (code.as_str(), at)).collect();
        for (code, unit) in category.unit.unwrap_or_default() {
            let known = positions.get(code.as_str()).copied();
            let name = text_of(unit.label.or(unit.base).or(unit.symbol))?;
            units.extend(
                known.map(|at| Ok::<_, ImportError>((at, [name, text_of(unit.decimals)?]))).transpose()?,
            );
        }
        Ok(Self { id: id.to_owned(), size, codes, names, units, periods: Vec::new() })
    }
}

/// Codes in the order of their index; empty unless the indices are 0, 1, 2 and so on.
fn codes_by_index(index: BTreeMap<String, u64>) -> Vec<String> {
    let positions: BTreeMap<u64, String> =
        index.into_iter().map(|(code, position)| (position, code)).collect();
    let right = positions.keys().copied().eq(0..positions.len() as u64);
    if right { positions.into_values().collect() } else { Vec::new() }
}

/// Observations under construction.
struct CubeReader<'a> {
    data: &'a DataCube,
    builder: ObservationBuilder,
    /// The column of each dimension; `None` for the time.
    positions: Vec<Option<usize>>,
    status: usize,
    /// The columns of unit and decimals, added with the first unit.
    units: Option<[usize; 2]>,
}

impl CubeReader<'_> {
    fn push(&mut self, at: u64, raw: &RawValue, status: &str, line: u64) -> Result<(), ImportError> {
        let text = if raw.get() == "null" { Cow::Borrowed("") } else { json::scalar_text(raw)? };
        // The standard has null for a missing value; services also write these.
        let word = text.trim().is_empty() || [":", "..", "."].contains(&&*text);
        let figure = if word { None } else { sdmx::parse_figure(&text)? };
        if figure.is_none() {
            self.builder.missing.count(if text.is_empty() { "null" } else { &text });
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
        if at >= self.data.cells {
            return Err(
                ImportError::new("json-stat", "index of a value beyond the sizes").value(at.to_string())
            );
        }
        // Values are in row-major order: the last dimension varies fastest.
        let (mut rest, mut period) = (at, None);
        for (axis, position) in self.data.axes.iter().zip(&self.positions).rev() {
            // INVARIANT: no size is 0, since `at` is below their product.
            let index = (rest % axis.size) as usize;
            rest /= axis.size;
            match position {
                Some(position) => {
                    self.builder.set_value(*position, axis.codes.get(index).map_or("", String::as_str));
                }
                None => period = axis.periods.get(index).copied(),
            }
            // Only the metric dimension has units, so at most one axis sets them.
            if !axis.units.is_empty() {
                set_unit(&mut self.builder, &mut self.units, axis.units.get(&index))?;
            }
        }
        self.builder.set_value(self.status, status);
        self.builder.push(period, &[figure], !status.is_empty(), line)
    }
}

/// Sets unit and decimals of the next observation.
fn set_unit(
    builder: &mut ObservationBuilder,
    positions: &mut Option<[usize; 2]>,
    texts: Option<&[String; 2]>,
) -> Result<(), ImportError> {
    let positions = match *positions {
        Some(positions) => positions,
        None => *positions.insert([builder.column_index(UNIT[0])?, builder.column_index(UNIT[1])?]),
    };
    for (at, position) in positions.into_iter().enumerate() {
        builder.set_value(position, texts.and_then(|texts| texts.get(at)).map_or("", String::as_str));
    }
    Ok(())
}

/// Statuses by the index of the value.
struct StatusList {
    all: Option<String>,
    each: BTreeMap<u64, String>,
    names: CodeNames,
}

impl StatusList {
    fn new(raw: Option<&RawValue>) -> Result<Self, ImportError> {
        let mut statuses = Self { all: None, each: BTreeMap::new(), names: CodeNames::new() };
        match raw.map(|raw| (raw, raw.get().as_bytes().first())) {
            Some((raw, Some(b'['))) => statuses.list(raw)?,
            Some((raw, Some(b'{'))) => json::for_each_entry(raw, &mut |key, raw| match key {
                // Version 1 of Eurostat has them one level deeper, beside their names.
                "value" => statuses.list(raw),
                "category" => {
                    statuses.names = parse_labels(raw);
                    Ok(())
                }
                _ => statuses.one(parse_index(key)?, raw),
            })?,
            Some((raw, Some(b'"'))) => statuses.all = Some(json::parse_value(raw)?),
            _ => {}
        }
        Ok(statuses)
    }

    fn list(&mut self, raw: &RawValue) -> Result<(), ImportError> {
        json::for_each_item(raw, &mut |at, raw| self.one(at, raw))
    }

    fn one(&mut self, at: u64, raw: &RawValue) -> Result<(), ImportError> {
        if raw.get() != "null" && raw.get() != "\"\"" {
            summary::check_row_count(self.each.len(), OBSERVATIONS_MAX, 0)
                .map_err(|error| ImportError { line: None, ..error })?;
            self.each.insert(at, json::scalar_text(raw)?.into_owned());
        }
        Ok(())
    }

    fn take(&mut self, at: u64) -> Option<String> {
        self.each.remove(&at).or_else(|| self.all.clone())
    }

    /// The names of statuses, or those in the extension of Eurostat.
    fn names(&mut self, extension: Option<&RawValue>) -> CodeNames {
        #[derive(Deserialize)]
        struct Extension<'a> {
            #[serde(borrow)]
            status: Option<&'a RawValue>,
        }
        let names = std::mem::take(&mut self.names);
        if !names.is_empty() {
            return names;
        }
        let parsed = extension.and_then(|raw| json::parse_value::<Extension<'_>>(raw).ok());
        parsed.and_then(|extension| extension.status).map(parse_labels).unwrap_or_default()
    }
}

/// The member `label` of an object: names by code.
fn parse_labels(raw: &RawValue) -> CodeNames {
    #[derive(Deserialize)]
    struct LabelObject {
        label: Option<CodeNames>,
    }
    json::parse_value::<LabelObject>(raw).ok().and_then(|labelled| labelled.label).unwrap_or_default()
}

fn parse_index(key: &str) -> Result<u64, ImportError> {
    key.parse().map_err(|_| ImportError::new("json-stat", "expected the index of a value").value(key))
}

/// Parses a period of SDMX, or as Nordic agencies write it: `2010K1` (quarter), `2010U05` (week),
/// `2010H2` (half year).
fn parse_period(code: &str, frequency: Option<Frequency>) -> Result<Period, ImportError> {
    let read = sdmx::parse_period(code, frequency);
    let (Err(_), Some((year, rest))) = (&read, code.split_at_checked(4)) else { return read };
    let letter = match rest.as_bytes().first() {
        Some(b'K') => 'Q',
        Some(b'U') => 'W',
        Some(b'H') => 'S',
        _ => return read,
    };
    let spelled = format!("{year}{letter}{}", rest.get(1..).unwrap_or_default());
    sdmx::parse_period(&spelled, frequency).or(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nordic_periods() {
        for (code, expected) in
            [("2010K1", "2010-Q1"), ("2010U05", "2010-W05"), ("2010H2", "2010-S2"), ("2010M02", "2010-M02")]
        {
            assert_eq!(parse_period(code, None).unwrap().to_string(), expected);
        }
        assert_eq!(parse_period("2010X1", None).unwrap_err().value.unwrap(), "2010X1");
    }

    #[test]
    fn an_index_has_no_gap() {
        let index = |pairs: &[(&str, u64)]| {
            codes_by_index(pairs.iter().map(|(c, p)| ((*c).to_owned(), *p)).collect())
        };
        assert_eq!(index(&[("a", 1), ("b", 0)]), ["b", "a"]);
        assert!(index(&[("a", 1), ("b", 2)]).is_empty());
        assert_eq!(index(&[("a", 0), ("b", 0)]).len(), 1);
    }
}

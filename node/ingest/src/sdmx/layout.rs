//! The structure of an SDMX-JSON message: what an index of its keys and attributes stands for.

use std::borrow::Cow;

use schemas::period::{Frequency, Period};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ImportError;
use crate::heading::Names;
use crate::json::{self, List};
use crate::sdmx::{self, Header, TIME};
use crate::sheet::{Group, Sheet};

/// What stands between the parts of an attribute that has several.
const BETWEEN: &str = ";";

/// Parts of one attribute.
const PARTS_MAX: usize = 4096;

/// A structure, as the message has it.
#[derive(Deserialize)]
pub(super) struct Structure<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    links: Vec<Link<'a>>,
    #[serde(borrow)]
    dimensions: Levels<'a>,
    #[serde(borrow, default)]
    attributes: Levels<'a>,
    #[serde(borrow, default)]
    measures: Levels<'a>,
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow)]
    href: Option<Cow<'a, str>>,
    #[serde(borrow)]
    urn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    rel: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct Levels<'a> {
    #[serde(borrow, rename = "dataSet", alias = "dataset", default)]
    set: Vec<Part<'a>>,
    #[serde(borrow, rename = "dimensionGroup", default)]
    group: Vec<Part<'a>>,
    #[serde(borrow, default)]
    series: Vec<Part<'a>>,
    #[serde(borrow, default)]
    observation: Vec<Part<'a>>,
}

/// A dimension, an attribute or a measure.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(rename = "keyPosition")]
    position: Option<u32>,
    #[serde(borrow)]
    default: Option<&'a RawValue>,
    #[serde(borrow)]
    values: Option<Vec<Option<Value<'a>>>>,
}

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl<'a> Structure<'a> {
    /// The ids of its measures; version 1.0 has one and does not say so.
    pub(super) fn measures(&self) -> Vec<&str> {
        self.measures.observation.iter().map(|part| &*part.id).collect()
    }

    /// Tells the header the id, the title and the names of the codes.
    pub(super) fn describe(&self, header: &mut Header) -> Result<(), ImportError> {
        let by = |wanted: &str| self.links.iter().find(|link| link.rel.as_deref() == Some(wanted));
        for link in by("dataflow").into_iter().chain(by("datastructure")) {
            match (&link.urn, &link.href) {
                (Some(urn), _) => header.reference(urn),
                // The last part but a version or `all`.
                (None, Some(href)) => header.reference(flow(href)),
                (None, None) => {}
            }
        }
        if let Some(name) = self.name.filter(|_| header.title.is_empty()) {
            header.title = text(name)?.into_owned();
        }
        let (dimensions, attributes) = (&self.dimensions, &self.attributes);
        for part in dimensions.parts().chain(attributes.parts()) {
            let names = header.names.entry(part.id.clone().into_owned()).or_default();
            part.names(names)?;
        }
        Ok(())
    }
}

/// The id of a flow in an address such as `…/dataflow/ECB/EXR/1.0`.
fn flow(href: &str) -> &str {
    let path = href.split_once("/dataflow/").map_or(href, |(_, path)| path);
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if matches!(second, "" | "all") { first } else { second }
}

impl<'a> Levels<'a> {
    fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.set.iter().chain(&self.group).chain(&self.series).chain(&self.observation)
    }
}

impl<'a> Part<'a> {
    fn is_time(&self) -> bool {
        let role = self.role.is_some_and(|role| matches!(role.get(), "\"TIME_PERIOD\"" | "\"time\""));
        role || TIME.contains(&&*self.id)
    }

    fn names(&self, names: &mut Names) -> Result<(), ImportError> {
        for value in self.values.iter().flatten().flatten() {
            if let (Some(id), Some(name)) = (value.id, value.name) {
                names.insert(text(id)?.into_owned(), text(name)?.into_owned());
            }
        }
        Ok(())
    }

    fn column(&self, sheet: &mut Sheet, dimension: bool) -> Result<Column<'a>, ImportError> {
        let place = if dimension && self.is_time() { None } else { Some(sheet.column(&self.id)?) };
        let said = |value: &Value<'a>| value.id.or(value.value).or(value.name).map(text).transpose();
        let texts = self.values.iter().flatten().map(|value| match value {
            Some(value) => said(value),
            None => Ok(None),
        });
        let default = self.default.filter(|raw| raw.get() != "null").map(text).transpose()?;
        Ok(Column { id: self.id.clone(), place, texts: texts.collect::<Result<_, _>>()?, default })
    }
}

/// A dimension or an attribute, by index.
pub(super) struct Column<'a> {
    id: Cow<'a, str>,
    /// Nothing for the time.
    place: Option<usize>,
    texts: Vec<Option<Cow<'a, str>>>,
    default: Option<Cow<'a, str>>,
}

impl<'a> Column<'a> {
    fn code(&self, index: &str) -> Result<&str, ImportError> {
        let code = index.parse::<usize>().ok().and_then(|index| self.texts.get(index)?.as_deref());
        code.ok_or_else(|| {
            ImportError::new("message", "expected the index of a value of the structure")
                .column(&self.id)
                .value(index)
                .hint("the message may be cut off; take it from its source again")
        })
    }

    /// The text of an attribute: by index, or itself.
    fn text(&self, raw: Option<&'a RawValue>) -> Result<Cow<'_, str>, ImportError> {
        let default = || Cow::Borrowed(self.default.as_deref().unwrap_or_default());
        let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(default()) };
        if self.texts.is_empty() || !raw.get().starts_with(|c: char| c.is_ascii_digit()) {
            return text(raw);
        }
        let index = raw.get().parse::<usize>().ok();
        match index.and_then(|index| self.texts.get(index)) {
            Some(Some(text)) => Ok(Cow::Borrowed(text)),
            // A value that is null in the structure stands for nothing.
            Some(None) => Ok(default()),
            None => self.code(raw.get()).map(Cow::Borrowed),
        }
    }
}

/// A text, a number as it is written, several of them, or the best of several languages.
fn text(raw: &RawValue) -> Result<Cow<'_, str>, ImportError> {
    match raw.get().as_bytes().first() {
        Some(b'[') => {
            let parts: List<&RawValue, PARTS_MAX> = json::value(raw)?;
            let parts = parts.0.into_iter().map(json::scalar).collect::<Result<Vec<_>, ImportError>>()?;
            Ok(Cow::Owned(parts.join(BETWEEN)))
        }
        Some(b'{') => {
            let (mut english, mut first) = (None, None);
            json::entries(raw, &mut |language, raw| {
                let text = json::scalar(raw)?.into_owned();
                if language == "en" {
                    english = Some(text);
                } else {
                    first.get_or_insert(text);
                }
                Ok(())
            })?;
            Ok(Cow::Owned(english.or(first).unwrap_or_default()))
        }
        _ => json::scalar(raw),
    }
}

/// What a value of a series or a data set had before, to be given back.
pub(super) type Before = Vec<(usize, u32)>;

/// A structure as it is used.
pub(super) struct Layout<'a> {
    set: Vec<Column<'a>>,
    series: Vec<Column<'a>>,
    observation: Vec<Column<'a>>,
    /// Attributes of the data set, of groups, of series, of observations.
    attributes: [Vec<Column<'a>>; 4],
    /// Columns of dimensions, in the order of the key.
    pub(super) dimensions: Vec<usize>,
    frequency: Option<Frequency>,
}

/// The levels of attributes.
#[derive(Clone, Copy)]
pub(super) enum Level {
    Set,
    Group,
    Series,
    Observation,
}

impl<'a> Layout<'a> {
    pub(super) fn new(
        structure: &Structure<'a>,
        sheet: &mut Sheet,
        frequency: Option<Frequency>,
    ) -> Result<Self, ImportError> {
        let mut columns = |parts: &[Part<'a>], dimension: bool| -> Result<Vec<Column<'a>>, ImportError> {
            parts.iter().map(|part| part.column(sheet, dimension)).collect()
        };
        let (dimensions, attributes) = (&structure.dimensions, &structure.attributes);
        let mut layout = Self {
            set: columns(&dimensions.set, true)?,
            series: columns(&dimensions.series, true)?,
            observation: columns(&dimensions.observation, true)?,
            attributes: [
                columns(&attributes.set, false)?,
                columns(&attributes.group, false)?,
                columns(&attributes.series, false)?,
                columns(&attributes.observation, false)?,
            ],
            dimensions: Vec::new(),
            frequency,
        };
        let positions = dimensions.set.iter().chain(&dimensions.series).chain(&dimensions.observation);
        let places = layout.set.iter().chain(&layout.series).chain(&layout.observation);
        let mut ordered: Vec<(Option<u32>, usize)> =
            positions.zip(places).filter_map(|(part, column)| Some((part.position, column.place?))).collect();
        if ordered.iter().all(|(position, _)| position.is_some()) {
            ordered.sort_unstable();
        }
        layout.dimensions = ordered.into_iter().map(|(_, place)| place).collect();
        Ok(layout)
    }

    /// The columns of attributes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = usize> {
        self.attributes.iter().flatten().filter_map(|column| column.place)
    }

    /// Sets the dimensions that the whole data set has; the period, if that is one of them.
    pub(super) fn whole(&self, sheet: &mut Sheet) -> Result<Option<Period>, ImportError> {
        let mut time = None;
        for column in &self.set {
            if column.texts.len() != 1 {
                let message = "expected one value for a dimension of the whole data set";
                return Err(ImportError::new("message", message).column(&column.id));
            }
            time = self.one(column, "0", sheet)?.or(time);
        }
        Ok(time)
    }

    /// Sets the dimensions of a series; the period, if that is one of them.
    pub(super) fn series(&self, key: &str, sheet: &mut Sheet) -> Result<Option<Period>, ImportError> {
        self.key(&mut self.series.iter(), key, sheet)
    }

    /// Sets the dimensions of an observation; `flat` when it stands in no series.
    pub(super) fn observation(
        &self,
        key: &str,
        flat: bool,
        sheet: &mut Sheet,
    ) -> Result<Option<Period>, ImportError> {
        let series = if flat { self.series.as_slice() } else { &[] };
        self.key(&mut series.iter().chain(&self.observation), key, sheet)
    }

    fn key(
        &self,
        columns: &mut dyn Iterator<Item = &Column<'a>>,
        key: &str,
        sheet: &mut Sheet,
    ) -> Result<Option<Period>, ImportError> {
        let (mut time, mut parts) = (None, key.split(':'));
        for column in columns {
            let part = parts.next().ok_or_else(|| wrong_key(key))?;
            time = self.one(column, part, sheet)?.or(time);
        }
        if parts.any(|part| !part.is_empty()) {
            return Err(wrong_key(key));
        }
        Ok(time)
    }

    fn one(
        &self,
        column: &Column<'a>,
        index: &str,
        sheet: &mut Sheet,
    ) -> Result<Option<Period>, ImportError> {
        let code = column.code(index)?;
        match column.place {
            Some(place) => drop(sheet.set(place, code)),
            None => {
                return sdmx::period(code, self.frequency)
                    .map(Some)
                    .map_err(|fault| fault.column(&column.id));
            }
        }
        Ok(None)
    }

    /// Sets attributes; what was there before.
    pub(super) fn values(
        &self,
        level: Level,
        values: &[Option<&'a RawValue>],
        sheet: &mut Sheet,
    ) -> Result<Before, ImportError> {
        let mut before = Vec::new();
        self.each(level, values, &mut |place, text| before.push((place, sheet.set(place, text))))?;
        Ok(before)
    }

    fn each(
        &self,
        level: Level,
        values: &[Option<&'a RawValue>],
        each: &mut dyn FnMut(usize, &str),
    ) -> Result<(), ImportError> {
        let columns = self.attributes.get(level as usize).map(Vec::as_slice).unwrap_or_default();
        // Behind its attributes an observation may have the numbers of its annotations.
        let number = |raw: &RawValue| raw.get().bytes().all(|byte| byte.is_ascii_digit());
        if values.iter().skip(columns.len()).flatten().any(|raw| !number(raw)) {
            return Err(ImportError::new("message", "expected no more attributes than the structure has"));
        }
        for (at, column) in columns.iter().enumerate() {
            let text = column.text(values.get(at).copied().flatten())?;
            if let Some(place) = column.place.filter(|_| !text.is_empty()) {
                each(place, &text);
            }
        }
        Ok(())
    }

    /// Attributes of all observations with the indices of a key, whose empty parts are any.
    pub(super) fn group(&self, key: &str, values: &[Option<&'a RawValue>]) -> Result<Group, ImportError> {
        let columns: Vec<&Column<'a>> =
            self.set.iter().chain(&self.series).chain(&self.observation).collect();
        let mut pairs = Vec::new();
        for (at, index) in key.split(':').enumerate().filter(|(_, index)| !index.is_empty()) {
            let column = columns.get(at).ok_or_else(|| wrong_key(key))?;
            let place =
                column.place.ok_or_else(|| wrong_key(key).hint("attributes by period are not read"))?;
            pairs.push((place, column.code(index)?.to_owned()));
        }
        let mut attributes = Vec::new();
        self.each(Level::Group, values, &mut |place, text| attributes.push((place, text.to_owned())))?;
        Ok(Group::new(pairs, attributes))
    }
}

fn wrong_key(key: &str) -> ImportError {
    ImportError::new("message", "expected an index for each dimension").value(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_in_a_flow() {
        assert_eq!(flow("https://x/service/dataflow/ECB/EXR/1.0"), "EXR");
        assert_eq!(flow("https://x/sdmx-json/dataflow/QNA/all"), "QNA");
    }

    #[test]
    fn texts_of_any_kind() {
        for (raw, expected) in [
            ("\"a\"", "a"),
            ("1.50", "1.50"),
            ("[\"a\",2]", "a;2"),
            ("{\"fr\":\"un\",\"en\":\"one\"}", "one"),
        ] {
            let raw: &RawValue = serde_json::from_str(raw).unwrap();
            assert_eq!(text(raw).unwrap(), expected);
        }
    }
}

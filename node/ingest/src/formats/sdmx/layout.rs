//! The structure of an SDMX-JSON message: resolves the indices in keys and attributes.

use std::borrow::Cow;

use schemas::period::{Frequency, Period};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::build::metadata::CodeNames;
use crate::build::observations::{AttributeGroup, ObservationBuilder};
use crate::error::ImportError;
use crate::formats::json::{self, BoundedList};
use crate::formats::sdmx::{self, SdmxHeader, TIME};

/// Separator of the parts of an attribute.
const PART_SEPARATOR: &str = ";";

/// Parts of one attribute.
const PARTS_MAX: usize = 4096;

/// A structure as in the message.
#[derive(Deserialize)]
pub(super) struct JsonStructure<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    links: Vec<StructureLink<'a>>,
    #[serde(borrow)]
    dimensions: ComponentLevels<'a>,
    #[serde(borrow, default)]
    attributes: ComponentLevels<'a>,
    #[serde(borrow, default)]
    measures: ComponentLevels<'a>,
}

#[derive(Deserialize)]
struct StructureLink<'a> {
    #[serde(borrow)]
    href: Option<Cow<'a, str>>,
    #[serde(borrow)]
    urn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    rel: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct ComponentLevels<'a> {
    #[serde(borrow, rename = "dataSet", alias = "dataset", default)]
    set: Vec<JsonComponent<'a>>,
    #[serde(borrow, rename = "dimensionGroup", default)]
    group: Vec<JsonComponent<'a>>,
    #[serde(borrow, default)]
    series: Vec<JsonComponent<'a>>,
    #[serde(borrow, default)]
    observation: Vec<JsonComponent<'a>>,
}

/// A dimension, an attribute or a measure.
#[derive(Deserialize)]
struct JsonComponent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(rename = "keyPosition")]
    key_position: Option<u32>,
    #[serde(borrow)]
    default: Option<&'a RawValue>,
    #[serde(borrow)]
    values: Option<Vec<Option<ComponentValue<'a>>>>,
}

#[derive(Deserialize)]
struct ComponentValue<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl<'a> JsonStructure<'a> {
    /// The ids of its measures; empty for version 1.0, which has one without naming it.
    pub(super) fn measures(&self) -> Vec<&str> {
        self.measures.observation.iter().map(|part| &*part.id).collect()
    }

    /// Copies id, title and names of codes into the header.
    pub(super) fn describe(&self, header: &mut SdmxHeader) -> Result<(), ImportError> {
        let by = |wanted: &str| self.links.iter().find(|link| link.rel.as_deref() == Some(wanted));
        for link in by("dataflow").into_iter().chain(by("datastructure")) {
            match (&link.urn, &link.href) {
                (Some(urn), _) => header.set_reference(urn),

                (None, Some(href)) => header.set_reference(flow_in_address(href)),
                (None, None) => {}
            }
        }
        if let Some(name) = self.name.filter(|_| header.title.is_empty()) {
            header.title = localised_text(name)?.into_owned();
        }
        let (dimensions, attributes) = (&self.dimensions, &self.attributes);
        for part in dimensions.parts().chain(attributes.parts()) {
            let names = header.names.entry(part.id.clone().into_owned()).or_default();
            part.names(names)?;
        }
        Ok(())
    }
}

/// The dataflow in an address such as `…/dataflow/ECB/EXR/1.0` or `…/dataflow/QNA/all`.
fn flow_in_address(href: &str) -> &str {
    let path = href.split_once("/dataflow/").map_or(href, |(_, path)| path);
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if matches!(second, "" | "all") { first } else { second }
}

impl<'a> ComponentLevels<'a> {
    fn parts(&self) -> impl Iterator<Item = &JsonComponent<'a>> {
        self.set.iter().chain(&self.group).chain(&self.series).chain(&self.observation)
    }
}

impl<'a> JsonComponent<'a> {
    fn is_time(&self) -> bool {
        let role = self.role.is_some_and(|role| matches!(role.get(), "\"TIME_PERIOD\"" | "\"time\""));
        role || TIME.contains(&&*self.id)
    }

    fn names(&self, names: &mut CodeNames) -> Result<(), ImportError> {
        for value in self.values.iter().flatten().flatten() {
            if let (Some(id), Some(name)) = (value.id, value.name) {
                names.insert(localised_text(id)?.into_owned(), localised_text(name)?.into_owned());
            }
        }
        Ok(())
    }

    fn column(
        &self,
        builder: &mut ObservationBuilder,
        dimension: bool,
    ) -> Result<IndexedColumn<'a>, ImportError> {
        let position = if dimension && self.is_time() { None } else { Some(builder.column_index(&self.id)?) };
        let text_of = |value: &ComponentValue<'a>| {
            value.id.or(value.value).or(value.name).map(localised_text).transpose()
        };
        let texts = self.values.iter().flatten().map(|value| match value {
            Some(value) => text_of(value),
            None => Ok(None),
        });
        let default = self.default.filter(|raw| raw.get() != "null").map(localised_text).transpose()?;
        Ok(IndexedColumn { id: self.id.clone(), position, texts: texts.collect::<Result<_, _>>()?, default })
    }
}

/// A dimension or an attribute with its values by index.
pub(super) struct IndexedColumn<'a> {
    id: Cow<'a, str>,
    /// Column of the builder; `None` for the time.
    position: Option<usize>,
    texts: Vec<Option<Cow<'a, str>>>,
    default: Option<Cow<'a, str>>,
}

impl<'a> IndexedColumn<'a> {
    fn code(&self, index: &str) -> Result<&str, ImportError> {
        let code = index.parse::<usize>().ok().and_then(|index| self.texts.get(index)?.as_deref());
        code.ok_or_else(|| {
            ImportError::new("message", "expected the index of a value of the structure")
                .column(&self.id)
                .value(index)
                .hint("the message may be truncated; take it from its source again")
        })
    }

    /// The text of an attribute, which is an index or the text itself.
    fn text(&self, raw: Option<&'a RawValue>) -> Result<Cow<'_, str>, ImportError> {
        let default = || Cow::Borrowed(self.default.as_deref().unwrap_or_default());
        let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(default()) };
        // Version 2.0 has the text itself in place of an index where there is no code list.
        if self.texts.is_empty() || !raw.get().starts_with(|c: char| c.is_ascii_digit()) {
            return localised_text(raw);
        }
        let index = raw.get().parse::<usize>().ok();
        match index.and_then(|index| self.texts.get(index)) {
            Some(Some(text)) => Ok(Cow::Borrowed(text)),
            // Version 2.0 writes null into the structure for a value without a code.
            Some(None) => Ok(default()),
            None => self.code(raw.get()).map(Cow::Borrowed),
        }
    }
}

/// A text, a number as written, a list of them, or a text in several languages: English, else the
/// first.
fn localised_text(raw: &RawValue) -> Result<Cow<'_, str>, ImportError> {
    match raw.get().as_bytes().first() {
        Some(b'[') => {
            let parts: BoundedList<&RawValue, PARTS_MAX> = json::parse_value(raw)?;
            let parts =
                parts.0.into_iter().map(json::scalar_text).collect::<Result<Vec<_>, ImportError>>()?;
            Ok(Cow::Owned(parts.join(PART_SEPARATOR)))
        }
        Some(b'{') => {
            let (mut english, mut first) = (None, None);
            json::for_each_entry(raw, &mut |language, raw| {
                let text = json::scalar_text(raw)?.into_owned();
                if language == "en" {
                    english = Some(text);
                } else {
                    first.get_or_insert(text);
                }
                Ok(())
            })?;
            Ok(Cow::Owned(english.or(first).unwrap_or_default()))
        }
        _ => json::scalar_text(raw),
    }
}

/// The previous values of columns, to be restored.
pub(super) type PreviousValues = Vec<(usize, u32)>;

/// A structure, resolved to columns of the builder.
pub(super) struct MessageLayout<'a> {
    set: Vec<IndexedColumn<'a>>,
    series: Vec<IndexedColumn<'a>>,
    observation: Vec<IndexedColumn<'a>>,
    /// Attributes by [`AttachmentLevel`].
    attributes: [Vec<IndexedColumn<'a>>; 4],
    /// Columns of dimensions, in the order of the key.
    pub(super) dimensions: Vec<usize>,
    frequency: Option<Frequency>,
}

/// The level at which an attribute is attached.
#[derive(Clone, Copy)]
pub(super) enum AttachmentLevel {
    Set,
    Group,
    Series,
    Observation,
}

impl<'a> MessageLayout<'a> {
    pub(super) fn new(
        structure: &JsonStructure<'a>,
        builder: &mut ObservationBuilder,
        frequency: Option<Frequency>,
    ) -> Result<Self, ImportError> {
        let mut columns =
            |parts: &[JsonComponent<'a>], dimension: bool| -> Result<Vec<IndexedColumn<'a>>, ImportError> {
                parts.iter().map(|part| part.column(builder, dimension)).collect()
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
        let parts = dimensions.set.iter().chain(&dimensions.series).chain(&dimensions.observation);
        let columns = layout.set.iter().chain(&layout.series).chain(&layout.observation);
        let mut ordered: Vec<(Option<u32>, usize)> = parts
            .zip(columns)
            .filter_map(|(part, column)| Some((part.key_position, column.position?)))
            .collect();
        // `keyPosition` is optional in version 1.0; without it the order of the structure is that of the key.
        if ordered.iter().all(|(position, _)| position.is_some()) {
            ordered.sort_unstable();
        }
        layout.dimensions = ordered.into_iter().map(|(_, position)| position).collect();
        Ok(layout)
    }

    /// The columns of attributes.
    pub(super) fn attribute_columns(&self) -> impl Iterator<Item = usize> {
        self.attributes.iter().flatten().filter_map(|column| column.position)
    }

    /// Sets the dimensions of the data set; returns the period if it is one of them.
    pub(super) fn set_data_set_dimensions(
        &self,
        builder: &mut ObservationBuilder,
    ) -> Result<Option<Period>, ImportError> {
        let mut time = None;
        for column in &self.set {
            if column.texts.len() != 1 {
                let message = "expected one value for a dimension of the data set";
                return Err(ImportError::new("message", message).column(&column.id));
            }
            time = self.set_dimension(column, "0", builder)?.or(time);
        }
        Ok(time)
    }

    /// Sets the dimensions of a series; returns the period if it is one of them.
    pub(super) fn set_series_key(
        &self,
        key: &str,
        builder: &mut ObservationBuilder,
    ) -> Result<Option<Period>, ImportError> {
        self.set_key(&mut self.series.iter(), key, builder)
    }

    /// Sets the dimensions of an observation; `flat` if it is not in a series. Returns the period if it
    /// is one of them.
    pub(super) fn set_observation_key(
        &self,
        key: &str,
        flat: bool,
        builder: &mut ObservationBuilder,
    ) -> Result<Option<Period>, ImportError> {
        let series = if flat { self.series.as_slice() } else { &[] };
        self.set_key(&mut series.iter().chain(&self.observation), key, builder)
    }

    fn set_key(
        &self,
        columns: &mut dyn Iterator<Item = &IndexedColumn<'a>>,
        key: &str,
        builder: &mut ObservationBuilder,
    ) -> Result<Option<Period>, ImportError> {
        let (mut time, mut parts) = (None, key.split(':'));
        for column in columns {
            let part = parts.next().ok_or_else(|| wrong_key(key))?;
            time = self.set_dimension(column, part, builder)?.or(time);
        }
        if parts.any(|part| !part.is_empty()) {
            return Err(wrong_key(key));
        }
        Ok(time)
    }

    fn set_dimension(
        &self,
        column: &IndexedColumn<'a>,
        index: &str,
        builder: &mut ObservationBuilder,
    ) -> Result<Option<Period>, ImportError> {
        let code = column.code(index)?;
        match column.position {
            Some(position) => drop(builder.set_value(position, code)),
            None => {
                return sdmx::parse_period(code, self.frequency)
                    .map(Some)
                    .map_err(|error| error.column(&column.id));
            }
        }
        Ok(None)
    }

    /// Sets attributes; returns the previous values.
    pub(super) fn set_attributes(
        &self,
        level: AttachmentLevel,
        values: &[Option<&'a RawValue>],
        builder: &mut ObservationBuilder,
    ) -> Result<PreviousValues, ImportError> {
        let mut before = Vec::new();
        self.for_each_attribute(level, values, &mut |position, text| {
            before.push((position, builder.set_value(position, text)))
        })?;
        Ok(before)
    }

    fn for_each_attribute(
        &self,
        level: AttachmentLevel,
        values: &[Option<&'a RawValue>],
        each: &mut dyn FnMut(usize, &str),
    ) -> Result<(), ImportError> {
        let columns = self.attributes.get(level as usize).map(Vec::as_slice).unwrap_or_default();
        // After its attributes an observation may have the indices of its annotations.
        let number = |raw: &RawValue| raw.get().bytes().all(|byte| byte.is_ascii_digit());
        if values.iter().skip(columns.len()).flatten().any(|raw| !number(raw)) {
            return Err(ImportError::new("message", "expected no more attributes than the structure has"));
        }
        for (at, column) in columns.iter().enumerate() {
            let text = column.text(values.get(at).copied().flatten())?;
            if let Some(position) = column.position.filter(|_| !text.is_empty()) {
                each(position, &text);
            }
        }
        Ok(())
    }

    /// The attributes of all observations that match a key; an empty part of the key matches any value.
    pub(super) fn attribute_group(
        &self,
        key: &str,
        values: &[Option<&'a RawValue>],
    ) -> Result<AttributeGroup, ImportError> {
        let columns: Vec<&IndexedColumn<'a>> =
            self.set.iter().chain(&self.series).chain(&self.observation).collect();
        let mut pairs = Vec::new();
        for (at, index) in key.split(':').enumerate().filter(|(_, index)| !index.is_empty()) {
            let column = columns.get(at).ok_or_else(|| wrong_key(key))?;
            let position = column
                .position
                .ok_or_else(|| wrong_key(key).hint("attributes by period are not supported"))?;
            pairs.push((position, column.code(index)?.to_owned()));
        }
        let mut attributes = Vec::new();
        self.for_each_attribute(AttachmentLevel::Group, values, &mut |position, text| {
            attributes.push((position, text.to_owned()))
        })?;
        Ok(AttributeGroup::new(pairs, attributes))
    }
}

fn wrong_key(key: &str) -> ImportError {
    ImportError::new("message", "expected an index for each dimension").value(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dataflows_are_found_in_addresses() {
        assert_eq!(flow_in_address("https://x/service/dataflow/ECB/EXR/1.0"), "EXR");
        assert_eq!(flow_in_address("https://x/sdmx-json/dataflow/QNA/all"), "QNA");
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
            assert_eq!(localised_text(raw).unwrap(), expected);
        }
    }
}

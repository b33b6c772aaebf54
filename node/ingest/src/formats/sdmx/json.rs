//! SDMX-JSON 1.0 and 2.0: series and flat observations, attributes of every level, labels.
//!
//! The structure may come before or after the data, so the document is split once and its parts are
//! parsed in place: only codes are copied. A figure is never parsed as a float.

use std::borrow::Cow;

use schemas::period::Period;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::build::observations::{AttributeGroup, COLUMNS_MAX, ObservationBuilder};
use crate::csv::records;
use crate::detect::has_json_word;
use crate::error::{self, ImportError};
use crate::formats::json::{self, BoundedList, LineFinder};
use crate::formats::sdmx::layout::{AttachmentLevel, JsonStructure, MessageLayout, PreviousValues};
use crate::formats::sdmx::{self, FIGURE, GROUPS_MAX, STATUS, SdmxHeader};
use crate::import::ReadRequest;
use crate::{Format, ImportOptions, ImportedTable};

/// Observations between two calls of the progress function.
const TICK: u64 = 1024;
/// Characters of the text of a service that found no data.
const WORDS_CHARS_MAX: usize = 400;

/// Data sets and structures of one message.
const SETS_MAX: usize = 4096;

/// The values of an observation or of attributes.
type JsonValues<'a> = BoundedList<Option<&'a RawValue>, { 2 * COLUMNS_MAX }>;

/// A document of either version; 2.0 has structures and data one level deeper, in `data`.
#[derive(Deserialize)]
struct JsonMessage<'a> {
    #[serde(borrow, alias = "meta")]
    header: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

/// Structures and data.
#[derive(Deserialize)]
struct MessageBody<'a> {
    #[serde(borrow)]
    structure: Option<&'a RawValue>,
    #[serde(borrow, default)]
    structures: BoundedList<&'a RawValue, SETS_MAX>,
    #[serde(borrow, rename = "dataSets", default)]
    sets: BoundedList<&'a RawValue, SETS_MAX>,
}

#[derive(Deserialize)]
struct JsonDataSet<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    structure: Option<usize>,
    #[serde(borrow, default)]
    attributes: JsonValues<'a>,
    #[serde(borrow, rename = "dimensionGroupAttributes")]
    groups: Option<&'a RawValue>,
    #[serde(borrow)]
    series: Option<&'a RawValue>,
    #[serde(borrow)]
    observations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct JsonSeries<'a> {
    #[serde(borrow, default)]
    attributes: JsonValues<'a>,
    #[serde(borrow)]
    observations: Option<&'a RawValue>,
}

/// The members of `header` or `meta` that are used.
#[derive(Deserialize)]
struct MessageMeta<'a> {
    #[serde(borrow)]
    prepared: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sender: Option<MessageSender<'a>>,
}

#[derive(Deserialize)]
struct MessageSender<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ServiceError<'a> {
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    detail: Option<Cow<'a, str>>,
}

/// Whether a JSON document is a message, or the error response of an SDMX service.
pub(crate) fn is_message(text: &str) -> bool {
    let has = |word| has_json_word(text, word);
    has("dataSets") || has("keyPosition") || has("errors") && (has("meta") || has("header"))
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let text = records::decode_text(source.bytes)?;
    let document: JsonMessage<'_> = json::parse_document(text)?;
    let body: MessageBody<'_> = match document.data {
        Some(data) => json::parse_value(data)?,
        None => json::parse_document(text)?,
    };
    if body.sets.0.is_empty() {
        return Err(no_data_error(document.errors));
    }
    let structures = body.structure.into_iter().chain(body.structures.0).map(json::parse_description);
    let structures = structures.collect::<Result<Vec<JsonStructure<'_>>, ImportError>>()?;
    let mut header = SdmxHeader::default();
    for structure in &structures {
        structure.describe(&mut header)?;
    }
    let measures = structures.first().map(JsonStructure::measures).filter(|measures| !measures.is_empty());
    let measures = measures.unwrap_or_else(|| vec![FIGURE]);
    let mut reading = JsonMessageReader {
        options,
        text,
        lines: LineFinder::new(text.as_bytes()),
        progress,
        builder: ObservationBuilder::new(&measures),
        groups: Vec::new(),
        status: Vec::new(),
        measures: measures.len(),
    };
    let (dimensions, attributes) = reading.read_data_sets(&structures, &body.sets.0)?;
    if let Some(meta) = document.header.and_then(|raw| json::parse_value::<MessageMeta<'_>>(raw).ok()) {
        header.set_day(meta.prepared.as_deref().unwrap_or_default());
        header.publisher = meta.sender.and_then(|sender| sender.name.or(sender.id)).map(Cow::into_owned);
    }
    header.with_table(Format::SdmxJson, source, reading.builder.into_table(&dimensions, &attributes)?)
}

/// The error for a message without data, with the text of its sender.
fn no_data_error(errors: Option<&RawValue>) -> ImportError {
    let errors: Vec<ServiceError<'_>> =
        errors.and_then(|raw| json::parse_value(raw).ok()).unwrap_or_default();
    let texts = errors.into_iter().filter_map(|error| error.detail.or(error.message).or(error.title));
    let words: Vec<String> = texts.map(Cow::into_owned).collect();
    if words.is_empty() {
        return ImportError::new("no-data", "the message has no data set")
            .hint("request `data` from the service: other series, or a longer time range");
    }
    let words = error::printable_prefix(&words.join("; "), WORDS_CHARS_MAX);
    ImportError::new("no-data", format!("the message has no data: {words}"))
        .hint("follow its instructions, and import the data once they are available")
}

/// Reads the data sets of a message.
struct JsonMessageReader<'a, 'p> {
    options: &'a ImportOptions,
    text: &'a str,
    lines: LineFinder<'a>,
    progress: &'p mut dyn FnMut(u64),
    builder: ObservationBuilder,
    groups: Vec<AttributeGroup>,
    /// The columns of statuses.
    status: Vec<usize>,
    measures: usize,
}

impl<'a> JsonMessageReader<'a, '_> {
    /// Reads all data sets; returns the columns of dimensions and of attributes.
    fn read_data_sets(
        &mut self,
        structures: &[JsonStructure<'a>],
        sets: &[&'a RawValue],
    ) -> Result<(Vec<usize>, Vec<usize>), ImportError> {
        let mut layouts = Vec::new();
        for structure in structures {
            layouts.push(MessageLayout::new(structure, &mut self.builder, self.options.frequency)?);
        }
        for id in STATUS {
            self.status.push(self.builder.column_index(id)?);
        }
        for raw in sets {
            let line = self.lines.line_of(raw);
            let set: JsonDataSet<'a> = json::parse_value(raw).map_err(|error| error.line(line))?;
            if set.action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("delete")) {
                return Err(sdmx::deletion_error());
            }
            // Version 1.0 has a single structure and no index of it.
            let layout = layouts.get(set.structure.unwrap_or(0)).ok_or_else(|| {
                ImportError::new("message", "expected the structure of the data set")
                    .hint("take the message from its source again")
            })?;
            self.read_data_set(layout, &set)?;
        }
        self.builder.apply_groups(&self.groups)?;
        let dimensions = layouts.iter().flat_map(|layout| layout.dimensions.iter().copied());
        Ok((deduplicate(dimensions), deduplicate(layouts.iter().flat_map(MessageLayout::attribute_columns))))
    }

    fn read_data_set(
        &mut self,
        layout: &MessageLayout<'a>,
        set: &JsonDataSet<'a>,
    ) -> Result<(), ImportError> {
        let time = layout.set_data_set_dimensions(&mut self.builder)?;
        let before = layout.set_attributes(AttachmentLevel::Set, &set.attributes.0, &mut self.builder)?;
        if let Some(raw) = set.groups {
            json::for_each_entry(raw, &mut |key, values| self.group(layout, key, values))?;
        }
        if let Some(raw) = set.observations {
            self.observations((layout, true), raw, time)?;
        }
        if let Some(raw) = set.series {
            json::for_each_entry(raw, &mut |key, raw| self.series(layout, (key, raw), time))?;
        }
        self.restore(before);
        Ok(())
    }

    fn restore(&mut self, before: PreviousValues) {
        before.into_iter().for_each(|(position, code)| self.builder.restore_value(position, code));
    }

    fn group(
        &mut self,
        layout: &MessageLayout<'a>,
        key: &str,
        values: &'a RawValue,
    ) -> Result<(), ImportError> {
        if self.groups.len() == GROUPS_MAX {
            return Err(ImportError::new("group", format!("more than {GROUPS_MAX} groups in one message")));
        }
        let values = json::parse_value::<JsonValues<'_>>(values)?.0;
        self.groups.push(layout.attribute_group(key, &values)?);
        Ok(())
    }

    fn series(
        &mut self,
        layout: &MessageLayout<'a>,
        (key, raw): (&str, &'a RawValue),
        time: Option<Period>,
    ) -> Result<(), ImportError> {
        let line = self.lines.line_of(raw);
        let series: JsonSeries<'a> = json::parse_value(raw).map_err(|error| error.line(line))?;
        let time_in_key = layout.set_series_key(key, &mut self.builder).map_err(|error| error.line(line))?;
        let previous =
            layout.set_attributes(AttachmentLevel::Series, &series.attributes.0, &mut self.builder);
        let previous = previous.map_err(|error| error.line(line))?;
        if let Some(raw) = series.observations {
            self.observations((layout, false), raw, time_in_key.or(time))?;
        }
        self.restore(previous);
        Ok(())
    }

    fn observations(
        &mut self,
        (layout, flat): (&MessageLayout<'a>, bool),
        raw: &'a RawValue,
        time: Option<Period>,
    ) -> Result<(), ImportError> {
        json::for_each_entry(raw, &mut |key, raw| {
            let line = self.lines.line_of(raw);
            self.observation((layout, flat), (key, raw), time, line).map_err(|error| error.line(line))
        })
    }

    fn observation(
        &mut self,
        (layout, flat): (&MessageLayout<'a>, bool),
        (key, raw): (&str, &'a RawValue),
        time: Option<Period>,
        line: u64,
    ) -> Result<(), ImportError> {
        let time_in_key = layout.set_observation_key(key, flat, &mut self.builder)?;
        let values = json::parse_value::<JsonValues<'_>>(raw)?.0;
        let (measures, attributes) = values.split_at_checked(self.measures).unwrap_or((&values, &[]));
        let mut figures = Vec::with_capacity(self.measures);
        for value in measures {
            let text = value.map(json::scalar_text).transpose()?;
            let figure = sdmx::parse_figure(text.as_deref().unwrap_or_default())?;
            if figure.is_none() {
                self.builder.missing.count(text.as_deref().unwrap_or("null"));
            }
            figures.push(figure);
        }
        // A service may omit trailing nulls.
        figures.resize(self.measures, None);
        let previous = layout.set_attributes(AttachmentLevel::Observation, attributes, &mut self.builder)?;
        let has_status = self.status.iter().any(|position| self.builder.has_value(*position));
        self.builder.push(time_in_key.or(time), &figures, has_status, line)?;
        self.restore(previous);
        if self.builder.rows.is_multiple_of(TICK) {
            (self.progress)((raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize) as u64);
        }
        Ok(())
    }
}

/// Removes repetitions, in the order of the first occurrence.
fn deduplicate(positions: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut all: Vec<usize> = Vec::new();
    for position in positions {
        if !all.contains(&position) {
            all.push(position);
        }
    }
    all
}

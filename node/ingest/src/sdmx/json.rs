//! SDMX-JSON 1.0 and 2.0: series and flat observations, attributes of every level, labels.
//!
//! The structure may stand before or behind the data, so the document is looked through once and
//! its parts are read in place: nothing of it is copied but the codes. A figure is never read as a
//! number of the machine.

use std::borrow::Cow;

use schemas::period::Period;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{self, ImportError};
use crate::json::{self, Lines, List};
use crate::sdmx::layout::{Before, Layout, Level, Structure};
use crate::sdmx::{self, FIGURE, GROUPS_MAX, Header, STATUS};
use crate::sheet::{COLUMNS_MAX, Group, Sheet};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, records};

/// Observations between two calls of the progress function.
const TICK: u64 = 1024;
/// Characters of the words of a service that found nothing.
const WORDS_CHARS_MAX: usize = 400;

/// Data sets and structures of one message.
const SETS_MAX: usize = 4096;

/// The values of an observation or of attributes.
type Values<'a> = List<Option<&'a RawValue>, { 2 * COLUMNS_MAX }>;

/// A document of either version: 2.0 has its parts one level deeper.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, alias = "meta")]
    header: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

/// Structures and data.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    structure: Option<&'a RawValue>,
    #[serde(borrow, default)]
    structures: List<&'a RawValue, SETS_MAX>,
    #[serde(borrow, rename = "dataSets", default)]
    sets: List<&'a RawValue, SETS_MAX>,
}

#[derive(Deserialize)]
struct Set<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    structure: Option<usize>,
    #[serde(borrow, default)]
    attributes: Values<'a>,
    #[serde(borrow, rename = "dimensionGroupAttributes")]
    groups: Option<&'a RawValue>,
    #[serde(borrow)]
    series: Option<&'a RawValue>,
    #[serde(borrow)]
    observations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Series<'a> {
    #[serde(borrow, default)]
    attributes: Values<'a>,
    #[serde(borrow)]
    observations: Option<&'a RawValue>,
}

/// The parts of a header or of a `meta` that are wanted.
#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    prepared: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sender: Option<Party<'a>>,
}

#[derive(Deserialize)]
struct Party<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Trouble<'a> {
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    detail: Option<Cow<'a, str>>,
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let text = records::text(source.bytes)?;
    let document: Document<'_> = json::document(text)?;
    let body: Body<'_> = match document.data {
        Some(data) => json::value(data)?,
        None => json::document(text)?,
    };
    if body.sets.0.is_empty() {
        return Err(nothing(document.errors));
    }
    let structures = body.structure.into_iter().chain(body.structures.0).map(json::part);
    let structures = structures.collect::<Result<Vec<Structure<'_>>, ImportError>>()?;
    let mut header = Header::default();
    for structure in &structures {
        structure.describe(&mut header)?;
    }
    let measures = structures.first().map(Structure::measures).filter(|measures| !measures.is_empty());
    let measures = measures.unwrap_or_else(|| vec![FIGURE]);
    let mut reading = Reading {
        options,
        text,
        lines: Lines::new(text.as_bytes()),
        progress,
        sheet: Sheet::new(&measures),
        groups: Vec::new(),
        status: Vec::new(),
        measures: measures.len(),
    };
    let (dimensions, attributes) = reading.sets(&structures, &body.sets.0)?;
    if let Some(meta) = document.header.and_then(|raw| json::value::<Meta<'_>>(raw).ok()) {
        header.day(meta.prepared.as_deref().unwrap_or_default());
        header.publisher = meta.sender.and_then(|sender| sender.name.or(sender.id)).map(Cow::into_owned);
    }
    header.over(Format::SdmxJson, source, reading.sheet.finish(&dimensions, &attributes)?)
}

/// The fault for a message without data, in the words of its sender.
fn nothing(errors: Option<&RawValue>) -> ImportError {
    let errors: Vec<Trouble<'_>> = errors.and_then(|raw| json::value(raw).ok()).unwrap_or_default();
    let said = errors.into_iter().filter_map(|error| error.detail.or(error.message).or(error.title));
    let words: Vec<String> = said.map(Cow::into_owned).collect();
    if words.is_empty() {
        return ImportError::new("no-data", "the message holds no data set")
            .hint("ask the service for `data`: other series, or a longer time");
    }
    let words = error::readable(&words.join("; "), WORDS_CHARS_MAX);
    ImportError::new("no-data", format!("the message holds no data and says: {words}"))
        .hint("do as it says, and import the data when they are there")
}

/// The way through the data sets.
struct Reading<'a, 'p> {
    options: &'a ImportOptions,
    text: &'a str,
    lines: Lines<'a>,
    progress: &'p mut dyn FnMut(u64),
    sheet: Sheet,
    groups: Vec<Group>,
    /// Columns of a status.
    status: Vec<usize>,
    measures: usize,
}

impl<'a> Reading<'a, '_> {
    /// The columns of dimensions and of attributes.
    fn sets(
        &mut self,
        structures: &[Structure<'a>],
        sets: &[&'a RawValue],
    ) -> Result<(Vec<usize>, Vec<usize>), ImportError> {
        let mut layouts = Vec::new();
        for structure in structures {
            layouts.push(Layout::new(structure, &mut self.sheet, self.options.frequency)?);
        }
        for id in STATUS {
            self.status.push(self.sheet.column(id)?);
        }
        for raw in sets {
            let line = self.lines.of(raw);
            let set: Set<'a> = json::value(raw).map_err(|fault| fault.line(line))?;
            if set.action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("delete")) {
                return Err(sdmx::deletion());
            }
            let layout = layouts.get(set.structure.unwrap_or(0)).ok_or_else(|| {
                ImportError::new("message", "expected the structure of the data set")
                    .hint("take the message again")
            })?;
            self.set(layout, &set)?;
        }
        self.sheet.spread(&self.groups)?;
        let dimensions = layouts.iter().flat_map(|layout| layout.dimensions.iter().copied());
        Ok((once(dimensions), once(layouts.iter().flat_map(Layout::attributes))))
    }

    fn set(&mut self, layout: &Layout<'a>, set: &Set<'a>) -> Result<(), ImportError> {
        let time = layout.whole(&mut self.sheet)?;
        let before = layout.values(Level::Set, &set.attributes.0, &mut self.sheet)?;
        if let Some(raw) = set.groups {
            json::entries(raw, &mut |key, values| self.group(layout, key, values))?;
        }
        if let Some(raw) = set.observations {
            self.observations((layout, true), raw, time)?;
        }
        if let Some(raw) = set.series {
            json::entries(raw, &mut |key, raw| self.series(layout, (key, raw), time))?;
        }
        self.restore(before);
        Ok(())
    }

    fn restore(&mut self, before: Before) {
        before.into_iter().for_each(|(place, code)| self.sheet.restore(place, code));
    }

    fn group(&mut self, layout: &Layout<'a>, key: &str, values: &'a RawValue) -> Result<(), ImportError> {
        if self.groups.len() == GROUPS_MAX {
            return Err(ImportError::new("group", format!("more than {GROUPS_MAX} groups in one message")));
        }
        let values = json::value::<Values<'_>>(values)?.0;
        self.groups.push(layout.group(key, &values)?);
        Ok(())
    }

    fn series(
        &mut self,
        layout: &Layout<'a>,
        (key, raw): (&str, &'a RawValue),
        time: Option<Period>,
    ) -> Result<(), ImportError> {
        let line = self.lines.of(raw);
        let series: Series<'a> = json::value(raw).map_err(|fault| fault.line(line))?;
        let told = layout.series(key, &mut self.sheet).map_err(|fault| fault.line(line))?;
        let kept = layout.values(Level::Series, &series.attributes.0, &mut self.sheet);
        let kept = kept.map_err(|fault| fault.line(line))?;
        if let Some(raw) = series.observations {
            self.observations((layout, false), raw, told.or(time))?;
        }
        self.restore(kept);
        Ok(())
    }

    fn observations(
        &mut self,
        (layout, flat): (&Layout<'a>, bool),
        raw: &'a RawValue,
        time: Option<Period>,
    ) -> Result<(), ImportError> {
        json::entries(raw, &mut |key, raw| {
            let line = self.lines.of(raw);
            self.observation((layout, flat), (key, raw), time, line).map_err(|fault| fault.line(line))
        })
    }

    fn observation(
        &mut self,
        (layout, flat): (&Layout<'a>, bool),
        (key, raw): (&str, &'a RawValue),
        time: Option<Period>,
        line: u64,
    ) -> Result<(), ImportError> {
        let told = layout.observation(key, flat, &mut self.sheet)?;
        let values = json::value::<Values<'_>>(raw)?.0;
        let (measures, attributes) = values.split_at_checked(self.measures).unwrap_or((&values, &[]));
        let mut figures = Vec::with_capacity(self.measures);
        for value in measures {
            let text = value.map(json::scalar).transpose()?;
            let figure = sdmx::figure(text.as_deref().unwrap_or_default())?;
            if figure.is_none() {
                self.sheet.gaps.count(text.as_deref().unwrap_or("null"));
            }
            figures.push(figure);
        }
        figures.resize(self.measures, None);
        let kept = layout.values(Level::Observation, attributes, &mut self.sheet)?;
        let remarked = self.status.iter().any(|place| self.sheet.has(*place));
        self.sheet.push(told.or(time), &figures, remarked, line)?;
        self.restore(kept);
        if self.sheet.rows.is_multiple_of(TICK) {
            (self.progress)((raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize) as u64);
        }
        Ok(())
    }
}

/// Each of them once, in the order in which they come.
fn once(places: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut all: Vec<usize> = Vec::new();
    for place in places {
        if !all.contains(&place) {
            all.push(place);
        }
    }
    all
}

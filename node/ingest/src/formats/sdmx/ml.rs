//! SDMX-ML: generic and structure-specific data messages of the versions 2.0, 2.1 and 3.0.
//!
//! Prefixes of names are ignored: the sender may choose them. A DOCTYPE is refused, and with it entities
//! that a document defines; depth and number of attributes are bounded.

use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};

use crate::build::observations::{AttributeGroup, COLUMNS_MAX, ObservationBuilder};
use crate::csv::records;
use crate::error::{self, ImportError};
use crate::formats::sdmx::envelope::{MlElement, MlEnvelope, root_element};
use crate::formats::sdmx::{self, FIGURE, GROUPS_MAX, STATUS, SdmxHeader, TIME, roles};
use crate::import::ReadRequest;
use crate::{Format, ImportOptions, ImportedTable, SourceFile};

/// Depth of nested elements; a data message has ten.
const DEPTH_MAX: usize = 64;
/// Characters of a note.
const NOTE_CHARS_MAX: usize = 400;
/// Observations between two calls of the progress function.
const TICK: u64 = 1024;
/// Attributes of a data set that concern the message, not the data.
const CONTROL: [&str; 14] = [
    "action",
    "dataScope",
    "dataProviderID",
    "dataProviderSchemeAgencyId",
    "dataProviderSchemeId",
    "dataflowAgencyID",
    "dataflowID",
    "datasetID",
    "keyFamilyURI",
    "publicationPeriod",
    "publicationYear",
    "reportingBeginDate",
    "reportingEndDate",
    "setID",
];

/// Whether the first bytes of an XML document, in lower case, are those of a message: it names one of
/// the namespaces of SDMX-ML.
pub(crate) fn is_message(text: &str) -> bool {
    text.contains("sdmx.org/resources/sdmxml")
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let text = records::decode_text(source.bytes)?;
    let mut message = MlMessageReader::new(options);
    let mut lines = LineCounter { text: text.as_bytes(), at: 0, line: 1 };
    let mut reader = Reader::from_str(text);
    // `<Obs …/>` then has a start and an end, like any other element.
    reader.config_mut().expand_empty_elements = true;
    loop {
        let event = reader.read_event();
        let position = reader.buffer_position() as usize;
        let done = event
            .map_err(|error| malformed_xml(&error))
            .and_then(|event| message.handle_event(&event, &mut lines, position));
        if done.map_err(|error| error.line(lines.line_at(position)))? {
            break;
        }
        if message.builder.rows.is_multiple_of(TICK) {
            progress(position as u64);
        }
    }
    message.finish_import(source)
}

fn malformed_xml(error: &quick_xml::Error) -> ImportError {
    ImportError::new("xml", format!("malformed XML: {error}"))
        .hint("the file may be truncated; take it from its source again")
}

/// Finds the lines of offsets, queried in ascending order.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    fn line_at(&mut self, position: usize) -> u64 {
        if let Some(passed) = self.text.get(self.at..position) {
            self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = position;
        }
        self.line
    }
}

/// An open element, and the values that its end restores.
struct OpenElement {
    kind: MlElement,
    before: Vec<(usize, u32)>,
    time: Option<Period>,
}

/// A group under construction.
#[derive(Default)]
struct GroupDraft {
    key: Vec<(usize, String)>,
    attributes: Vec<(usize, String)>,
    /// Values that may be key or attribute, where the message does not state it.
    mixed: Vec<(usize, String)>,
}

/// Reads a message.
struct MlMessageReader {
    builder: ObservationBuilder,
    envelope: MlEnvelope,
    levels: Vec<OpenElement>,
    frequency: Option<Frequency>,
    /// Dimensions that the message states.
    keys: Vec<usize>,
    /// Columns of series and observations that may be dimensions.
    open: Vec<usize>,
    groups: Vec<GroupDraft>,
    time: Option<Period>,
    figure: Option<Decimal>,
    /// Spelling of a missing figure.
    gap: String,
    /// Id of the dimension at the observation, which `ObsDimension` may omit.
    across: String,
    /// Id and values of the open `Comp`.
    comp: (String, Vec<String>),
    status: Option<[usize; 2]>,
}

impl MlMessageReader {
    fn new(options: &ImportOptions) -> Self {
        Self {
            builder: ObservationBuilder::new(&[FIGURE]),
            envelope: MlEnvelope::default(),
            levels: Vec::new(),
            frequency: options.frequency,
            keys: Vec::new(),
            open: Vec::new(),
            groups: Vec::new(),
            time: None,
            figure: None,
            gap: String::new(),
            across: String::new(),
            comp: Default::default(),
            status: None,
        }
    }

    /// Handles the next event; returns whether it is the end of the file.
    fn handle_event(
        &mut self,
        event: &Event<'_>,
        lines: &mut LineCounter<'_>,
        position: usize,
    ) -> Result<bool, ImportError> {
        match event {
            Event::Start(start) => self.start_element(start)?,
            Event::End(_) => self.end_element(lines, position)?,
            Event::Text(text) => self.add_text(&text.xml10_content()),
            Event::CData(text) => self.add_text(&text.xml10_content()),
            Event::GeneralRef(name) => self.resolve_reference(name)?,
            Event::DocType(_) => {
                return Err(ImportError::new("xml", "a DOCTYPE is not allowed in an SDMX message")
                    .hint("take the message from its source again"));
            }
            // quick-xml reports no error for a file that ends within an element.
            Event::Eof if self.levels.is_empty() => return Ok(true),
            Event::Eof => {
                return Err(ImportError::new("xml", "the message ends within an element")
                    .hint("the file is truncated; take it from its source again"));
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(false)
    }

    fn start_element(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        if self.levels.len() == DEPTH_MAX {
            return Err(ImportError::new("xml", format!("elements nested more than {DEPTH_MAX} deep")));
        }
        let name = start.local_name();
        let name = name.as_ref();
        let kind = match self.levels.last() {
            None => root_element(name)?,
            Some(parent) => parent.kind.child(name),
        };
        self.levels.push(OpenElement { kind, before: Vec::new(), time: self.time });
        match kind {
            MlElement::Head | MlElement::Foot | MlElement::Words => {
                self.envelope.open(name);
                for attribute in xml_attributes(start) {
                    let (key, value) = decode_attribute(&attribute?)?;
                    self.envelope.attribute(kind, local_name(key), &value);
                }
            }
            MlElement::DataSet => self.start_data_set(start)?,
            MlElement::Group => self.start_group(start)?,
            MlElement::Series | MlElement::Obs => self.read_entry(start, kind)?,
            MlElement::KeyValue
            | MlElement::AttributeValue
            | MlElement::ObsDimension
            | MlElement::ObsValue => self.read_value_element(start, kind)?,
            MlElement::Comp => self.comp = (self.find_attribute(start, "id")?, Vec::new()),
            MlElement::CompValue => self.comp.1.push(String::new()),
            MlElement::CompText => self.choose_language(start)?,
            MlElement::Root | MlElement::Part | MlElement::Key | MlElement::Time | MlElement::Skip => {}
        }
        Ok(())
    }

    fn find_attribute(&self, start: &BytesStart<'_>, wanted: &str) -> Result<String, ImportError> {
        for attribute in xml_attributes(start) {
            let (key, value) = decode_attribute(&attribute?)?;
            if local_name(key) == wanted {
                return Ok(value.into_owned());
            }
        }
        Ok(String::new())
    }

    /// Chooses one of several languages: English, else the first.
    fn choose_language(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        let language = self.find_attribute(start, "lang")?;
        let english = language.is_empty() || language.starts_with("en");
        let value = self.comp.1.last_mut();
        match value {
            Some(value) if value.is_empty() => {}
            Some(value) if english && !self.envelope.english => value.clear(),
            _ => {
                if let Some(level) = self.levels.last_mut() {
                    level.kind = MlElement::Skip;
                }
                return Ok(());
            }
        }
        self.envelope.english = english;
        Ok(())
    }

    fn start_data_set(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        let mut reference = String::new();
        for attribute in xml_attributes(start) {
            let (key, value) = decode_attribute(&attribute?)?;
            match local_name(key) {
                "action" if value.eq_ignore_ascii_case("delete") => return Err(sdmx::deletion_error()),
                "structureRef" => reference = value.into_owned(),
                "keyFamilyURI" => self.envelope.fallback(&value),
                "validFromDate" | "validToDate" => {}
                name if key.contains(':') || key == "xmlns" || CONTROL.contains(&name) => {}
                name => {
                    let position = self.builder.column_index(name)?;
                    self.set_value(position, &value)?;
                }
            }
        }
        self.across = self.envelope.dimension_at_observation(&reference);
        Ok(())
    }

    fn start_group(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        // Groups are kept until the end: their keys may name dimensions that come later.
        if self.groups.len() == GROUPS_MAX {
            return Err(ImportError::new("group", format!("more than {GROUPS_MAX} groups in one message")));
        }
        let mut draft = GroupDraft::default();
        for attribute in xml_attributes(start) {
            let (key, value) = decode_attribute(&attribute?)?;
            // Generic messages have the name of the group here.
            if is_structural(key) && key != "type" {
                draft.mixed.push((self.builder.column_index(key)?, value.into_owned()));
            }
        }
        self.groups.push(draft);
        Ok(())
    }

    /// Reads a series or an observation with its values as XML attributes.
    fn read_entry(&mut self, start: &BytesStart<'_>, kind: MlElement) -> Result<(), ImportError> {
        if kind == MlElement::Obs {
            self.figure = None;
        }
        for attribute in xml_attributes(start) {
            let (key, value) = decode_attribute(&attribute?)?;
            if !is_structural(key) {
                continue;
            }
            if TIME.contains(&key) {
                self.set_time(&value)?;
            } else if key == FIGURE {
                self.set_figure(&value)?;
            } else {
                let position = self.builder.column_index(key)?;
                if !self.open.contains(&position) {
                    self.open.push(position);
                }
                self.set_value(position, &value)?;
            }
        }
        Ok(())
    }

    /// Reads a value that is an element with the attributes `id` (2.1) or `concept` (2.0), and `value`.
    fn read_value_element(&mut self, start: &BytesStart<'_>, kind: MlElement) -> Result<(), ImportError> {
        let (mut id, mut text) = (String::new(), String::new());
        for attribute in xml_attributes(start) {
            let (key, value) = decode_attribute(&attribute?)?;
            match local_name(key) {
                "id" | "concept" => id = value.into_owned(),
                "value" => text = value.into_owned(),
                _ => {}
            }
        }
        if kind == MlElement::ObsDimension && id.is_empty() {
            id.clone_from(&self.across);
        }
        match kind {
            MlElement::ObsValue => self.set_figure(&text)?,
            _ if id.is_empty() => {
                return Err(ImportError::new("message", "expected the id of a dimension or an attribute"));
            }
            // An attribute may be called `TIME` and be any text.
            _ if TIME.contains(&id.as_str()) && kind != MlElement::AttributeValue => self.set_time(&text)?,
            _ => self.add_value(kind, &id, text)?,
        }
        Ok(())
    }

    fn add_value(&mut self, kind: MlElement, id: &str, text: String) -> Result<(), ImportError> {
        let position = self.builder.column_index(id)?;
        let key = kind != MlElement::AttributeValue;
        // A value belongs to the enclosing series, observation, data set or group.
        let group = self
            .owner_level()
            .is_some_and(|at| self.levels.get(at).is_some_and(|level| level.kind == MlElement::Group));
        if key && !group && !self.keys.contains(&position) {
            self.keys.push(position);
        }
        match self.groups.last_mut().filter(|_| group) {
            Some(draft) if key => draft.key.push((position, text)),
            Some(draft) => draft.attributes.push((position, text)),
            None => self.set_value(position, &text)?,
        }
        Ok(())
    }

    /// The innermost open data set, group, series or observation.
    fn owner_level(&self) -> Option<usize> {
        self.levels.iter().rposition(|level| {
            matches!(level.kind, MlElement::DataSet | MlElement::Group | MlElement::Series | MlElement::Obs)
        })
    }

    fn set_value(&mut self, position: usize, text: &str) -> Result<(), ImportError> {
        let before = self.builder.set_value(position, text);
        let Some(level) = self.owner_level().and_then(|at| self.levels.get_mut(at)) else { return Ok(()) };
        // Taking either of two values would make the result depend on their order.
        if level.before.iter().any(|(known, _)| *known == position) {
            let id = self.builder.column_ids().nth(position).unwrap_or_default();
            return Err(ImportError::new("message", "duplicate value").column(id).value(text));
        }
        level.before.push((position, before));
        Ok(())
    }

    fn set_time(&mut self, text: &str) -> Result<(), ImportError> {
        self.time =
            Some(sdmx::parse_period(text.trim(), self.frequency).map_err(|error| error.column(TIME[0]))?);
        Ok(())
    }

    fn set_figure(&mut self, text: &str) -> Result<(), ImportError> {
        self.figure = sdmx::parse_figure(text).map_err(|error| error.column(FIGURE))?;
        if self.figure.is_none() {
            text.clone_into(&mut self.gap);
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) {
        match self.levels.last().map(|level| level.kind) {
            Some(MlElement::Head | MlElement::Foot | MlElement::Words | MlElement::Time) => {
                self.envelope.text.push_str(text)
            }
            Some(MlElement::CompValue | MlElement::CompText) => {
                if let Some(value) = self.comp.1.last_mut() {
                    value.push_str(text.trim());
                }
            }
            _ => {}
        }
    }

    /// Resolves a character reference, or one of the five predefined entities (XML 1.0, 4.6).
    fn resolve_reference(&mut self, name: &quick_xml::events::BytesRef<'_>) -> Result<(), ImportError> {
        let unknown = || ImportError::new("xml", "unknown entity").value(&**name);
        let text = match name.resolve_char_ref().map_err(|_| unknown())? {
            Some(character) => character.to_string(),
            None => quick_xml::escape::resolve_predefined_entity(name).ok_or_else(unknown)?.to_owned(),
        };
        self.add_text(&text);
        Ok(())
    }

    fn end_element(&mut self, lines: &mut LineCounter<'_>, position: usize) -> Result<(), ImportError> {
        let Some(kind) = self.levels.last().map(|level| level.kind) else { return Ok(()) };
        match kind {
            MlElement::Obs => self.push_observation(lines.line_at(position))?,
            MlElement::Comp => self.finish_component()?,
            MlElement::Head | MlElement::Foot | MlElement::Words => self.envelope.close(kind)?,
            MlElement::Time => {
                let text = std::mem::take(&mut self.envelope.text);
                self.set_time(&text)?;
            }
            _ => {}
        }
        let Some(level) = self.levels.pop() else { return Ok(()) };
        for (position, before) in level.before {
            self.builder.restore_value(position, before);
        }
        // A time in a series or an observation does not outlive it.
        if matches!(kind, MlElement::Series | MlElement::Obs | MlElement::DataSet) {
            self.time = level.time;
        }
        Ok(())
    }

    fn push_observation(&mut self, line: u64) -> Result<(), ImportError> {
        // Added with the first observation, after the dimensions: the order of columns is kept.
        let status = match self.status {
            Some(status) => status,
            None => *self
                .status
                .insert([self.builder.column_index(STATUS[0])?, self.builder.column_index(STATUS[1])?]),
        };
        let has_status = status.iter().any(|position| self.builder.has_value(*position));
        let figure = self.figure.take();
        if figure.is_none() {
            self.builder.missing.count(&std::mem::take(&mut self.gap));
        }
        self.builder.push(self.time, &[figure], has_status, line)
    }

    /// Joins the values of a `Comp`.
    fn finish_component(&mut self) -> Result<(), ImportError> {
        let (id, values) = std::mem::take(&mut self.comp);
        if id.is_empty() {
            return Ok(());
        }
        let text = values.join(";");
        if id == FIGURE {
            return self.set_figure(&text);
        }
        self.add_value(MlElement::AttributeValue, &id, text)
    }

    fn finish_import(mut self, source: SourceFile<'_>) -> Result<ImportedTable, ImportError> {
        if self.builder.rows == 0 {
            return Err(self.envelope.no_data_error());
        }
        let (mut dimensions, mut notes) = (self.keys, Vec::new());
        if dimensions.is_empty() {
            dimensions = roles::infer_dimensions(&self.builder, &self.open);
            notes.push(inferred_dimensions_note(&self.builder, &dimensions));
        } else {
            // A message may state a part of the key only: columns in every observation complete it.
            dimensions.extend(self.open.iter().filter(|position| self.builder.is_complete(**position)));
        }
        let groups: Vec<AttributeGroup> =
            self.groups.into_iter().map(|draft| draft.into_group(&dimensions)).collect();
        self.builder.apply_groups(&groups)?;
        let ids: Vec<String> = self.builder.column_ids().map(str::to_owned).collect();
        let mut attributes: Vec<usize> =
            (0..ids.len()).filter(|position| !dimensions.contains(position)).collect();
        // The order of first occurrence would make the result depend on the order of the message.
        attributes.sort_by_key(|position| ids.get(*position));
        let read = self.builder.into_table(&dimensions, &attributes)?;
        SdmxHeader { notes, ..self.envelope.header() }.with_table(Format::SdmxMl, source, read)
    }
}

/// The note on dimensions that were inferred.
fn inferred_dimensions_note(builder: &ObservationBuilder, dimensions: &[usize]) -> String {
    let ids: Vec<&str> = builder.column_ids().collect();
    let named =
        dimensions.iter().filter_map(|position| ids.get(*position).copied()).collect::<Vec<_>>().join(", ");
    error::printable_prefix(
        &format!("the message does not state its dimensions, inferred: {named}"),
        NOTE_CHARS_MAX,
    )
}

impl GroupDraft {
    fn into_group(mut self, dimensions: &[usize]) -> AttributeGroup {
        for (position, text) in self.mixed {
            if dimensions.contains(&position) {
                self.key.push((position, text));
            } else {
                self.attributes.push((position, text));
            }
        }
        AttributeGroup::new(self.key, self.attributes)
    }
}

/// The XML attributes of an element, at most `COLUMNS_MAX`.
fn xml_attributes<'a>(start: &'a BytesStart<'_>) -> impl Iterator<Item = Result<Attribute<'a>, ImportError>> {
    let many = || ImportError::new("columns", format!("more than {COLUMNS_MAX} attributes of one element"));
    start.attributes().enumerate().take(COLUMNS_MAX + 1).map(move |(at, attribute)| match attribute {
        _ if at == COLUMNS_MAX => Err(many()),
        Ok(attribute) => Ok(attribute),
        Err(error) => Err(ImportError::new("xml", format!("malformed XML: {error}"))),
    })
}

fn decode_attribute<'a>(
    attribute: &Attribute<'a>,
) -> Result<(&'a str, std::borrow::Cow<'a, str>), ImportError> {
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    let key = attribute.key.0;
    Ok((key, value.map_err(|error| ImportError::new("xml", error.to_string()).column(key))?))
}

/// Removes the prefix of a name.
fn local_name(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Whether an XML attribute is a component of the structure: all others have a prefix.
fn is_structural(key: &str) -> bool {
    !key.contains(':') && key != "xmlns"
}

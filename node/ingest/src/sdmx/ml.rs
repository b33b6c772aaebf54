//! SDMX-ML: generic and structure-specific data messages of the versions 2.0, 2.1 and 3.0.
//!
//! Names are read without their prefixes, which are the sender's to choose. Entities that a
//! document defines itself are refused with its DOCTYPE; nesting and attributes are bounded.

use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};

use crate::error::{self, ImportError};
use crate::sdmx::envelope::{Envelope, Kind, root};
use crate::sdmx::{self, FIGURE, GROUPS_MAX, Header, STATUS, TIME, roles};
use crate::sheet::{COLUMNS_MAX, Group, Sheet};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, records};

/// Elements within elements; a data message has ten.
const DEPTH_MAX: usize = 64;
/// Characters of a note.
const NOTE_CHARS_MAX: usize = 400;
/// Observations between two calls of the progress function.
const TICK: u64 = 1024;
/// Attributes of a data set that are about the message, not about the data.
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

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let text = records::text(source.bytes)?;
    let mut message = Message::new(options);
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    loop {
        let event = reader.read_event();
        let place = reader.buffer_position() as usize;
        let done = event
            .map_err(|error| malformed(&error))
            .and_then(|event| message.take(&event, &mut lines, place));
        if done.map_err(|fault| fault.line(lines.upto(place)))? {
            break;
        }
        if message.sheet.rows.is_multiple_of(TICK) {
            progress(place as u64);
        }
    }
    message.finish(source)
}

fn malformed(error: &quick_xml::Error) -> ImportError {
    ImportError::new("xml", format!("this is no well-formed XML: {error}"))
        .hint("the file may be cut off; take it from its source again")
}

/// The lines of places that are asked for in the order of the file.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn upto(&mut self, place: usize) -> u64 {
        if let Some(passed) = self.text.get(self.at..place) {
            self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = place;
        }
        self.line
    }
}

/// What an element changed, to be taken back at its end.
struct Level {
    kind: Kind,
    before: Vec<(usize, u32)>,
    time: Option<Period>,
}

/// A group as it is read: its key where the message says it, and else what may be key or attribute.
#[derive(Default)]
struct Draft {
    key: Vec<(usize, String)>,
    attributes: Vec<(usize, String)>,
    mixed: Vec<(usize, String)>,
}

/// A message while it is read.
struct Message {
    sheet: Sheet,
    envelope: Envelope,
    levels: Vec<Level>,
    frequency: Option<Frequency>,
    /// Dimensions as the message says them.
    keys: Vec<usize>,
    /// Columns of series and observations that may be dimensions.
    open: Vec<usize>,
    groups: Vec<Draft>,
    time: Option<Period>,
    figure: Option<Decimal>,
    /// How the message writes that there is none.
    gap: String,
    /// The dimension of `ObsDimension`.
    across: String,
    /// Id and values of the `Comp` that is open.
    comp: (String, Vec<String>),
    status: Option<[usize; 2]>,
}

impl Message {
    fn new(options: &ImportOptions) -> Self {
        Self {
            sheet: Sheet::new(&[FIGURE]),
            envelope: Envelope::default(),
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

    /// Takes the next event; says whether it was the end.
    fn take(&mut self, event: &Event<'_>, lines: &mut Lines<'_>, place: usize) -> Result<bool, ImportError> {
        match event {
            Event::Start(start) => self.start(start)?,
            Event::End(_) => self.end(lines, place)?,
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(name) => self.reference(name)?,
            Event::DocType(_) => {
                return Err(ImportError::new("xml", "a message of SDMX has no DOCTYPE")
                    .hint("take the message from its source again"));
            }
            Event::Eof if self.levels.is_empty() => return Ok(true),
            Event::Eof => {
                return Err(ImportError::new("xml", "the message ends before its last element does")
                    .hint("the file is cut off; take it from its source again"));
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(false)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        if self.levels.len() == DEPTH_MAX {
            return Err(ImportError::new("xml", format!("more than {DEPTH_MAX} elements within each other")));
        }
        let name = start.local_name();
        let name = name.as_ref();
        let kind = match self.levels.last() {
            None => root(name)?,
            Some(parent) => parent.kind.child(name),
        };
        self.levels.push(Level { kind, before: Vec::new(), time: self.time });
        match kind {
            Kind::Head | Kind::Foot | Kind::Words => {
                self.envelope.open(name);
                for attribute in attributes(start) {
                    let (key, value) = pair(&attribute?)?;
                    self.envelope.attribute(kind, local(key), &value);
                }
            }
            Kind::DataSet => self.data_set(start)?,
            Kind::Group => self.group(start)?,
            Kind::Series | Kind::Obs => self.entry(start, kind)?,
            Kind::KeyValue | Kind::AttributeValue | Kind::ObsDimension | Kind::ObsValue => {
                self.pair(start, kind)?
            }
            Kind::Comp => self.comp = (self.attribute(start, "id")?, Vec::new()),
            Kind::CompValue => self.comp.1.push(String::new()),
            Kind::CompText => self.language(start)?,
            Kind::Root | Kind::Part | Kind::Key | Kind::Time | Kind::Skip => {}
        }
        Ok(())
    }

    fn attribute(&self, start: &BytesStart<'_>, wanted: &str) -> Result<String, ImportError> {
        for attribute in attributes(start) {
            let (key, value) = pair(&attribute?)?;
            if local(key) == wanted {
                return Ok(value.into_owned());
            }
        }
        Ok(String::new())
    }

    /// A text in several languages: the first one stays, unless one is in English.
    fn language(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        let language = self.attribute(start, "lang")?;
        let english = language.is_empty() || language.starts_with("en");
        let value = self.comp.1.last_mut();
        match value {
            Some(value) if value.is_empty() => {}
            Some(value) if english && !self.envelope.english => value.clear(),
            _ => {
                if let Some(level) = self.levels.last_mut() {
                    level.kind = Kind::Skip;
                }
                return Ok(());
            }
        }
        self.envelope.english = english;
        Ok(())
    }

    fn data_set(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        let mut reference = String::new();
        for attribute in attributes(start) {
            let (key, value) = pair(&attribute?)?;
            match local(key) {
                "action" if value.eq_ignore_ascii_case("delete") => return Err(sdmx::deletion()),
                "structureRef" => reference = value.into_owned(),
                "keyFamilyURI" => self.envelope.fallback(&value),
                "validFromDate" | "validToDate" => {}
                name if key.contains(':') || key == "xmlns" || CONTROL.contains(&name) => {}
                name => {
                    let place = self.sheet.column(name)?;
                    self.set(place, &value)?;
                }
            }
        }
        self.across = self.envelope.across(&reference);
        Ok(())
    }

    fn group(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        if self.groups.len() == GROUPS_MAX {
            return Err(ImportError::new("group", format!("more than {GROUPS_MAX} groups in one message")));
        }
        let mut draft = Draft::default();
        for attribute in attributes(start) {
            let (key, value) = pair(&attribute?)?;
            // Generic messages name the kind of group here.
            if plain(key) && key != "type" {
                draft.mixed.push((self.sheet.column(key)?, value.into_owned()));
            }
        }
        self.groups.push(draft);
        Ok(())
    }

    /// A series or an observation whose values are its XML attributes.
    fn entry(&mut self, start: &BytesStart<'_>, kind: Kind) -> Result<(), ImportError> {
        if kind == Kind::Obs {
            self.figure = None;
        }
        for attribute in attributes(start) {
            let (key, value) = pair(&attribute?)?;
            if !plain(key) {
                continue;
            }
            if TIME.contains(&key) {
                self.time(&value)?;
            } else if key == FIGURE {
                self.figure(&value)?;
            } else {
                let place = self.sheet.column(key)?;
                if !self.open.contains(&place) {
                    self.open.push(place);
                }
                self.set(place, &value)?;
            }
        }
        Ok(())
    }

    /// A value that is an element: `id` or `concept`, and `value`.
    fn pair(&mut self, start: &BytesStart<'_>, kind: Kind) -> Result<(), ImportError> {
        let (mut id, mut text) = (String::new(), String::new());
        for attribute in attributes(start) {
            let (key, value) = pair(&attribute?)?;
            match local(key) {
                "id" | "concept" => id = value.into_owned(),
                "value" => text = value.into_owned(),
                _ => {}
            }
        }
        if kind == Kind::ObsDimension && id.is_empty() {
            id.clone_from(&self.across);
        }
        match kind {
            Kind::ObsValue => self.figure(&text)?,
            _ if id.is_empty() => {
                return Err(ImportError::new("message", "expected the id of a dimension or an attribute"));
            }
            _ if TIME.contains(&id.as_str()) && kind != Kind::AttributeValue => self.time(&text)?,
            _ => self.value(kind, &id, text)?,
        }
        Ok(())
    }

    fn value(&mut self, kind: Kind, id: &str, text: String) -> Result<(), ImportError> {
        let place = self.sheet.column(id)?;
        let key = kind != Kind::AttributeValue;
        // The element that the value belongs to: a series, an observation, a data set, a group.
        let group =
            self.owner().is_some_and(|at| self.levels.get(at).is_some_and(|level| level.kind == Kind::Group));
        if key && !group && !self.keys.contains(&place) {
            self.keys.push(place);
        }
        match self.groups.last_mut().filter(|_| group) {
            Some(draft) if key => draft.key.push((place, text)),
            Some(draft) => draft.attributes.push((place, text)),
            None => self.set(place, &text)?,
        }
        Ok(())
    }

    /// The level of the data set, group, series or observation that is open.
    fn owner(&self) -> Option<usize> {
        self.levels
            .iter()
            .rposition(|level| matches!(level.kind, Kind::DataSet | Kind::Group | Kind::Series | Kind::Obs))
    }

    fn set(&mut self, place: usize, text: &str) -> Result<(), ImportError> {
        let before = self.sheet.set(place, text);
        let Some(level) = self.owner().and_then(|at| self.levels.get_mut(at)) else { return Ok(()) };
        if level.before.iter().any(|(known, _)| *known == place) {
            let id = self.sheet.ids().nth(place).unwrap_or_default();
            return Err(ImportError::new("message", "a value is given twice").column(id).value(text));
        }
        level.before.push((place, before));
        Ok(())
    }

    fn time(&mut self, text: &str) -> Result<(), ImportError> {
        self.time = Some(sdmx::period(text.trim(), self.frequency).map_err(|fault| fault.column(TIME[0]))?);
        Ok(())
    }

    fn figure(&mut self, text: &str) -> Result<(), ImportError> {
        self.figure = sdmx::figure(text).map_err(|fault| fault.column(FIGURE))?;
        if self.figure.is_none() {
            text.clone_into(&mut self.gap);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        match self.levels.last().map(|level| level.kind) {
            Some(Kind::Head | Kind::Foot | Kind::Words | Kind::Time) => self.envelope.text.push_str(text),
            Some(Kind::CompValue | Kind::CompText) => {
                if let Some(value) = self.comp.1.last_mut() {
                    value.push_str(text.trim());
                }
            }
            _ => {}
        }
    }

    /// A character by number or one of the five names that XML knows.
    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) -> Result<(), ImportError> {
        let unknown = || ImportError::new("xml", "an entity that XML does not know").value(&**name);
        let text = match name.resolve_char_ref().map_err(|_| unknown())? {
            Some(character) => character.to_string(),
            None => quick_xml::escape::resolve_predefined_entity(name).ok_or_else(unknown)?.to_owned(),
        };
        self.text(&text);
        Ok(())
    }

    fn end(&mut self, lines: &mut Lines<'_>, place: usize) -> Result<(), ImportError> {
        let Some(kind) = self.levels.last().map(|level| level.kind) else { return Ok(()) };
        match kind {
            Kind::Obs => self.observation(lines.upto(place))?,
            Kind::Comp => self.composed()?,
            Kind::Head | Kind::Foot | Kind::Words => self.envelope.close(kind)?,
            Kind::Time => {
                let text = std::mem::take(&mut self.envelope.text);
                self.time(&text)?;
            }
            _ => {}
        }
        let Some(level) = self.levels.pop() else { return Ok(()) };
        for (place, before) in level.before {
            self.sheet.restore(place, before);
        }
        if matches!(kind, Kind::Series | Kind::Obs | Kind::DataSet) {
            self.time = level.time;
        }
        Ok(())
    }

    fn observation(&mut self, line: u64) -> Result<(), ImportError> {
        let status = match self.status {
            Some(status) => status,
            None => *self.status.insert([self.sheet.column(STATUS[0])?, self.sheet.column(STATUS[1])?]),
        };
        let remarked = status.iter().any(|place| self.sheet.has(*place));
        let figure = self.figure.take();
        if figure.is_none() {
            self.sheet.gaps.count(&std::mem::take(&mut self.gap));
        }
        self.sheet.push(self.time, &[figure], remarked, line)
    }

    /// The values of a `Comp`, one after the other.
    fn composed(&mut self) -> Result<(), ImportError> {
        let (id, values) = std::mem::take(&mut self.comp);
        if id.is_empty() {
            return Ok(());
        }
        let text = values.join(";");
        if id == FIGURE {
            return self.figure(&text);
        }
        self.value(Kind::AttributeValue, &id, text)
    }

    fn finish(mut self, source: SourceFile<'_>) -> Result<ImportedTable, ImportError> {
        if self.sheet.rows == 0 {
            return Err(self.envelope.nothing());
        }
        let (mut dimensions, mut notes) = (self.keys, Vec::new());
        if dimensions.is_empty() {
            dimensions = roles::dimensions(&self.sheet, &self.open);
            notes.push(inferred(&self.sheet, &dimensions));
        } else {
            dimensions.extend(self.open.iter().filter(|place| self.sheet.full(**place)));
        }
        let groups: Vec<Group> = self.groups.into_iter().map(|draft| draft.decided(&dimensions)).collect();
        self.sheet.spread(&groups)?;
        let ids: Vec<String> = self.sheet.ids().map(str::to_owned).collect();
        let mut attributes: Vec<usize> = (0..ids.len()).filter(|place| !dimensions.contains(place)).collect();
        // Whatever the order in which the message came to them.
        attributes.sort_by_key(|place| ids.get(*place));
        let read = self.sheet.finish(&dimensions, &attributes)?;
        Header { notes, ..self.envelope.header() }.over(Format::SdmxMl, source, read)
    }
}

/// The note on dimensions that the message does not name.
fn inferred(sheet: &Sheet, dimensions: &[usize]) -> String {
    let ids: Vec<&str> = sheet.ids().collect();
    let named = dimensions.iter().filter_map(|place| ids.get(*place).copied()).collect::<Vec<_>>().join(", ");
    error::readable(
        &format!("the message does not say its dimensions, taken as such: {named}"),
        NOTE_CHARS_MAX,
    )
}

impl Draft {
    fn decided(mut self, dimensions: &[usize]) -> Group {
        for (place, text) in self.mixed {
            if dimensions.contains(&place) {
                self.key.push((place, text));
            } else {
                self.attributes.push((place, text));
            }
        }
        Group::new(self.key, self.attributes)
    }
}

/// The XML attributes of an element, of which there may be so many.
fn attributes<'a>(start: &'a BytesStart<'_>) -> impl Iterator<Item = Result<Attribute<'a>, ImportError>> {
    let many = || ImportError::new("columns", format!("more than {COLUMNS_MAX} attributes of one element"));
    start.attributes().enumerate().take(COLUMNS_MAX + 1).map(move |(at, attribute)| match attribute {
        _ if at == COLUMNS_MAX => Err(many()),
        Ok(attribute) => Ok(attribute),
        Err(error) => Err(ImportError::new("xml", format!("this is no well-formed XML: {error}"))),
    })
}

fn pair<'a>(attribute: &Attribute<'a>) -> Result<(&'a str, std::borrow::Cow<'a, str>), ImportError> {
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    let key = attribute.key.0;
    Ok((key, value.map_err(|error| ImportError::new("xml", error.to_string()).column(key))?))
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Whether an XML attribute is one of the structure: others have a prefix.
fn plain(key: &str) -> bool {
    !key.contains(':') && key != "xmlns"
}

//! What stands around the data of an SDMX-ML message: its root, header and footer.
//!
//! Owns the names of elements, and refuses the messages that hold no data, each with what it is.

use std::collections::BTreeMap;

use crate::error::{self, ImportError};
use crate::sdmx::{self, Header, TIME};

/// Bytes of a text of a header or a footer that are kept.
const TEXT_BYTES_MAX: usize = 1024;
/// Structures of one header.
const STRUCTURES_MAX: usize = 256;

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Head,
    Foot,
    /// A text about the data set that is no data.
    Words,
    DataSet,
    Group,
    Series,
    Obs,
    /// A key, whose values are dimensions.
    Key,
    /// A list of attributes.
    Part,
    KeyValue,
    AttributeValue,
    ObsDimension,
    ObsValue,
    Time,
    Comp,
    CompValue,
    CompText,
    Skip,
}

impl Kind {
    /// What an element of this name is within this one.
    pub(super) fn child(self, name: &str) -> Self {
        match (self, name) {
            (Self::Head, _) | (Self::Root, "Header") => Self::Head,
            (Self::Foot, _) | (Self::Root, "Footer" | "ErrorMessage") => Self::Foot,
            (Self::Root, "DataSet") => Self::DataSet,
            (Self::DataSet, "KeyFamilyRef") => Self::Words,
            (Self::DataSet | Self::Group, "Series") => Self::Series,
            (Self::DataSet | Self::Series, "Obs") => Self::Obs,
            (Self::Group, "GroupKey") | (Self::Series, "SeriesKey") | (Self::Obs, "ObsKey") => Self::Key,
            (Self::DataSet | Self::Group | Self::Series | Self::Obs, "Attributes") => Self::Part,
            (Self::DataSet | Self::Group | Self::Series | Self::Obs, "Comp") => Self::Comp,
            (Self::Obs, "ObsDimension") => Self::ObsDimension,
            (Self::Obs, "ObsValue") => Self::ObsValue,
            (Self::Obs, "Time") => Self::Time,
            (Self::Key, "Value") => Self::KeyValue,
            (Self::Part | Self::Obs, "Value") => Self::AttributeValue,
            (Self::Comp, "Value") => Self::CompValue,
            (Self::CompValue, "Text") => Self::CompText,
            (Self::DataSet, "Annotations" | "DataProvider") => Self::Skip,
            // SDMX-ML 2.0 gives each kind of group a name of its own.
            (Self::DataSet, _) => Self::Group,
            _ => Self::Skip,
        }
    }
}

/// Refuses roots that hold no time series.
pub(super) fn root(name: &str) -> Result<Kind, ImportError> {
    let (what, hint) = match name {
        "GenericData"
        | "GenericTimeSeriesData"
        | "StructureSpecificData"
        | "StructureSpecificTimeSeriesData"
        | "CompactData"
        | "MessageGroup"
        | "Error" => return Ok(Kind::Root),
        "Structure" => ("a structure message (code lists, concepts), not data", "ask the service for `data`"),
        "CrossSectionalData" | "UtilityData" => {
            ("an old message by section, which is not read", "ask the service for compact or generic data")
        }
        "GenericMetadata" | "StructureSpecificMetadata" | "MetadataReport" => {
            ("a message of reference metadata, not data", "ask the service for `data`")
        }
        "RegistryInterface" | "QueryMessage" => ("a question to a registry, not data", "import its answer"),
        _ => ("not a message of SDMX", "expected a root such as `GenericData` or `StructureSpecificData`"),
    };
    Err(ImportError::new("message", format!("this is {what}")).value(name).hint(hint))
}

/// The header and the footer while they are read.
#[derive(Default)]
pub(super) struct Envelope {
    header: Header,
    /// The names of the elements that are open.
    names: Vec<String>,
    /// The text of the innermost of them.
    pub(super) text: String,
    /// Whether the text that was taken last is in English.
    pub(super) english: bool,
    sender: String,
    prepared: String,
    fallback: String,
    structure: String,
    /// The dimension at the observation, by structure.
    across: BTreeMap<String, String>,
    words: Vec<String>,
}

impl Envelope {
    pub(super) fn open(&mut self, name: &str) {
        self.names.push(name.to_owned());
        self.text.clear();
    }

    pub(super) fn attribute(&mut self, kind: Kind, name: &str, value: &str) {
        let element = self.names.last().map_or("", String::as_str);
        match (element, name) {
            ("Sender", "id") => self.sender = value.to_owned(),
            ("Structure", "structureID") => self.structure = value.to_owned(),
            ("Structure", "dimensionAtObservation") if self.across.len() < STRUCTURES_MAX => {
                self.across.insert(std::mem::take(&mut self.structure), value.to_owned());
            }
            ("Ref", "id") => self.header.reference(value),
            ("Message" | "ErrorMessage", "code") if kind == Kind::Foot => {
                self.words.push(format!("code {value}:"))
            }
            _ => {}
        }
        // Either attribute may come first.
        if let Some(across) = self.across.remove("").filter(|_| !self.structure.is_empty()) {
            self.across.insert(std::mem::take(&mut self.structure), across);
        }
    }

    pub(super) fn close(&mut self, kind: Kind) -> Result<(), ImportError> {
        let name = self.names.pop().unwrap_or_default();
        let parent = self.names.last().map_or("", String::as_str);
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Ok(());
        }
        match (kind, parent, name.as_str()) {
            (Kind::Foot, ..) => self.words.push(text.to_owned()),
            (_, "Header", "DataSetAction") if text.eq_ignore_ascii_case("delete") => {
                return Err(sdmx::deletion());
            }
            (_, "Header", "Prepared") => self.prepared = text.to_owned(),
            (_, "Header", "Extracted") => self.header.day(text),
            (_, "Header", "Name") if self.header.title.is_empty() => self.header.title = text.to_owned(),
            (_, "Sender", "Name") if self.header.publisher.is_none() => {
                self.header.publisher = Some(text.to_owned());
            }
            (_, "Header", "DataSetID" | "KeyFamilyRef") => self.fallback(text),
            (_, _, "URN" | "Structure" | "StructureUsage" | "KeyFamilyRef") => self.header.reference(text),
            _ => {}
        }
        Ok(())
    }

    /// An id that serves where the header has no reference.
    pub(super) fn fallback(&mut self, text: &str) {
        if self.fallback.is_empty() {
            self.fallback = text.rsplit('/').next().unwrap_or_default().to_owned();
        }
    }

    /// The dimension at the observation of a data set.
    pub(super) fn across(&self, reference: &str) -> String {
        let only = self.across.values().next().filter(|_| self.across.len() == 1);
        self.across.get(reference).or(only).map_or_else(|| TIME[0].to_owned(), Clone::clone)
    }

    /// The fault for a message without data, in the words of its sender.
    pub(super) fn nothing(&self) -> ImportError {
        if self.words.is_empty() {
            return ImportError::new("no-data", "the message holds no observation")
                .hint("ask the service for other series or a longer time");
        }
        let words: String = error::readable(&self.words.join(" "), TEXT_BYTES_MAX);
        ImportError::new("no-data", format!("the message holds no data and says: {words}"))
            .hint("do as it says, and import the data when they are there")
    }

    pub(super) fn header(mut self) -> Header {
        self.header.reference(&self.fallback);
        self.header.day(&self.prepared);
        if self.header.publisher.is_none() {
            self.header.publisher = Some(self.sender);
        }
        self.header
    }
}

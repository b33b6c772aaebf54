//! The frame of an SDMX-ML message: root, header and footer.
//!
//! Owns the names of elements. Refuses messages without data and names their type.

use std::collections::BTreeMap;

use crate::error::{self, ImportError};
use crate::formats::sdmx::{self, SdmxHeader, TIME};

/// Bytes of a text in a header or footer; longer texts are ignored.
const TEXT_BYTES_MAX: usize = 1024;
/// Structures of one header.
const STRUCTURES_MAX: usize = 256;

/// The role of an XML element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MlElement {
    Root,
    Head,
    Foot,
    /// A text about the data set.
    Words,
    DataSet,
    Group,
    Series,
    Obs,
    /// A key: its values are dimensions.
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

impl MlElement {
    /// The role of a child element with this name.
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
            // SDMX-ML 2.0 names group elements after the group of the structure.
            (Self::DataSet, _) => Self::Group,
            _ => Self::Skip,
        }
    }
}

/// Refuses root elements of messages without observations.
pub(super) fn root_element(name: &str) -> Result<MlElement, ImportError> {
    let (what, hint) = match name {
        "GenericData"
        | "GenericTimeSeriesData"
        | "StructureSpecificData"
        | "StructureSpecificTimeSeriesData"
        | "CompactData"
        | "MessageGroup"
        | "Error" => return Ok(MlElement::Root),
        "Structure" => {
            ("a structure message (code lists, concepts), not data", "request `data` from the service")
        }
        "CrossSectionalData" | "UtilityData" => (
            "a cross-sectional message of SDMX-ML 2.0, which is not supported",
            "request compact or generic data",
        ),
        "GenericMetadata" | "StructureSpecificMetadata" | "MetadataReport" => {
            ("a message of reference metadata, not data", "request `data` from the service")
        }
        "RegistryInterface" | "QueryMessage" => ("a registry query, not data", "import its response"),
        _ => ("an unknown root element", "expected a root such as `GenericData` or `StructureSpecificData`"),
    };
    Err(ImportError::new("message", format!("expected a data message, found {what}")).value(name).hint(hint))
}

/// Header and footer under construction.
#[derive(Default)]
pub(super) struct MlEnvelope {
    header: SdmxHeader,
    /// The names of the open elements.
    names: Vec<String>,
    /// The text of the innermost element.
    pub(super) text: String,
    /// Whether the text taken last is in English.
    pub(super) english: bool,
    sender: String,
    prepared: String,
    fallback: String,
    structure: String,
    /// The dimension at the observation by structure.
    across: BTreeMap<String, String>,
    words: Vec<String>,
}

impl MlEnvelope {
    pub(super) fn open(&mut self, name: &str) {
        self.names.push(name.to_owned());
        self.text.clear();
    }

    pub(super) fn attribute(&mut self, kind: MlElement, name: &str, value: &str) {
        let element = self.names.last().map_or("", String::as_str);
        match (element, name) {
            ("Sender", "id") => self.sender = value.to_owned(),
            ("Structure", "structureID") => self.structure = value.to_owned(),
            ("Structure", "dimensionAtObservation") if self.across.len() < STRUCTURES_MAX => {
                self.across.insert(std::mem::take(&mut self.structure), value.to_owned());
            }
            ("Ref", "id") => self.header.set_reference(value),
            ("Message" | "ErrorMessage", "code") if kind == MlElement::Foot => {
                self.words.push(format!("code {value}:"))
            }
            _ => {}
        }
        // XML attributes have no order: `dimensionAtObservation` may precede `structureID`.
        if let Some(across) = self.across.remove("").filter(|_| !self.structure.is_empty()) {
            self.across.insert(std::mem::take(&mut self.structure), across);
        }
    }

    pub(super) fn close(&mut self, kind: MlElement) -> Result<(), ImportError> {
        let name = self.names.pop().unwrap_or_default();
        let parent = self.names.last().map_or("", String::as_str);
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        // A header is free text of the sender; nothing of it is needed to read the data.
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Ok(());
        }
        match (kind, parent, name.as_str()) {
            (MlElement::Foot, ..) => self.words.push(text.to_owned()),
            (_, "Header", "DataSetAction") if text.eq_ignore_ascii_case("delete") => {
                return Err(sdmx::deletion_error());
            }
            (_, "Header", "Prepared") => self.prepared = text.to_owned(),
            (_, "Header", "Extracted") => self.header.set_day(text),
            (_, "Header", "Name") if self.header.title.is_empty() => self.header.title = text.to_owned(),
            (_, "Sender", "Name") if self.header.publisher.is_none() => {
                self.header.publisher = Some(text.to_owned());
            }
            (_, "Header", "DataSetID" | "KeyFamilyRef") => self.fallback(text),
            (_, _, "URN" | "Structure" | "StructureUsage" | "KeyFamilyRef") => {
                self.header.set_reference(text)
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets an id for a header without a reference, unless it is set.
    pub(super) fn fallback(&mut self, text: &str) {
        if self.fallback.is_empty() {
            self.fallback = text.rsplit('/').next().unwrap_or_default().to_owned();
        }
    }

    /// The dimension at the observation of a data set.
    pub(super) fn dimension_at_observation(&self, reference: &str) -> String {
        // A data set may omit the reference if the header has a single structure.
        let only = self.across.values().next().filter(|_| self.across.len() == 1);
        self.across.get(reference).or(only).map_or_else(|| TIME[0].to_owned(), Clone::clone)
    }

    /// The error for a message without data, with the text of its sender.
    pub(super) fn no_data_error(&self) -> ImportError {
        if self.words.is_empty() {
            return ImportError::new("no-data", "the message has no observations")
                .hint("request other series or a longer time range");
        }
        let words: String = error::printable_prefix(&self.words.join(" "), TEXT_BYTES_MAX);
        ImportError::new("no-data", format!("the message has no data: {words}"))
            .hint("follow its instructions, and import the data once they are available")
    }

    pub(super) fn header(mut self) -> SdmxHeader {
        self.header.set_reference(&self.fallback);
        self.header.set_day(&self.prepared);
        if self.header.publisher.is_none() {
            self.header.publisher = Some(self.sender);
        }
        self.header
    }
}

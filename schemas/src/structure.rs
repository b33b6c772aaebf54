//! The structure of a data set: name, role and type of each column.
//!
//! A subset of an SDMX data structure definition. Concept ids are those of SDMX where one exists
//! (FREQ, REF_AREA, TIME_PERIOD, OBS_VALUE, …).

use serde::{Deserialize, Serialize};

use crate::limits::COMPONENTS_MAX;
use crate::text::Name;

/// Role of a component (VTL user manual, "Data Structures"; SDMX: dimension, measure,
/// attribute).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Part of the key of a data point; never null. SDMX calls it a dimension.
    Identifier,
    /// A figure.
    Measure,
    /// A qualifier of a figure (unit, status, footnote).
    Attribute,
    /// An attribute that VTL operators carry on to their results (VTL user manual, "The Virality of
    /// Attributes").
    ViralAttribute,
}

/// Type of the values of a component (VTL basic scalar types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// Text; compared by Unicode code point.
    String,
    /// A 64-bit signed integer.
    Integer,
    /// A decimal of at most 34 digits.
    Number,
    /// True or false.
    Boolean,
    /// A period of a fixed frequency.
    TimePeriod,
    /// A day.
    Date,
    /// An interval of days ([`crate::interval::Interval`]).
    Time,
    /// A length of time in months and days ([`crate::duration::Duration`]).
    Duration,
}

impl ValueType {
    /// Every type.
    pub const ALL: [ValueType; 8] = [
        Self::String,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::TimePeriod,
        Self::Date,
        Self::Time,
        Self::Duration,
    ];

    /// Its name in VTL and in objects.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::TimePeriod => "time_period",
            Self::Date => "date",
            Self::Time => "time",
            Self::Duration => "duration",
        }
    }

    /// The type with this name.
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Role {
    /// Its name in VTL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Measure => "measure",
            Self::Attribute => "attribute",
            Self::ViralAttribute => "viral attribute",
        }
    }
}

/// One column of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its concept id.
    pub id: Name,
    /// Its role.
    pub role: Role,
    /// The type of its values.
    #[serde(rename = "type")]
    pub value_type: ValueType,
}

impl Component {
    /// A component.
    pub fn new(id: Name, role: Role, kind: ValueType) -> Self {
        Self { id, role, value_type: kind }
    }
}

/// The ordered components of a data set: identifiers first, then measures, then attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ComponentList(Vec<Component>);

/// Rejection of a list of components.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More components than the bound.
    #[error("{0} components where at most {COMPONENTS_MAX} are allowed")]
    TooMany(usize),
    /// Two components with the same name.
    #[error("duplicate component `{0}`")]
    Duplicate(Name),
    /// Not in the order identifiers, measures, attributes.
    #[error("component `{0}` is out of order: identifiers come first, then measures, then attributes")]
    Order(Name),
}

impl ComponentList {
    /// Checks the order and the names.
    ///
    /// # Errors
    /// [`Error`].
    pub fn new(components: Vec<Component>) -> Result<Self, Error> {
        if components.len() > COMPONENTS_MAX {
            return Err(Error::TooMany(components.len()));
        }
        let mut last = Role::Identifier;
        for (at, component) in components.iter().enumerate() {
            if component.role < last {
                return Err(Error::Order(component.id.clone()));
            }
            last = component.role;
            // Quadratic, but over at most COMPONENTS_MAX components.
            if components.iter().take(at).any(|earlier| earlier.id == component.id) {
                return Err(Error::Duplicate(component.id.clone()));
            }
        }
        Ok(Self(components))
    }

    /// The same after a stable sort by role.
    ///
    /// # Errors
    /// [`Error::TooMany`], [`Error::Duplicate`].
    pub fn sorted_by_role(mut components: Vec<Component>) -> Result<Self, Error> {
        components.sort_by_key(|component| component.role);
        Self::new(components)
    }

    /// The components in order.
    pub fn components(&self) -> &[Component] {
        &self.0
    }

    /// Number of identifiers, which come first.
    pub fn identifier_count(&self) -> usize {
        self.0.iter().take_while(|component| component.role == Role::Identifier).count()
    }

    /// The position of a component.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.0.iter().position(|component| component.id.as_str() == id)
    }
}

impl<'de> Deserialize<'de> for ComponentList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

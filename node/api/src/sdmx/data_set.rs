//! Format-independent data set of a message: observations with keys, values and attributes, and the
//! action that the receiver applies.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::cube::{CubeLayout, DataCube, Observation};
use crate::sdmx::dataflows::Dataflow;
use crate::sdmx::request::DataRequest;
use crate::sdmx::xml;

/// Action of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataSetAction {
    /// For information only.
    Information,
    /// Replaces existing observations.
    Replace,
    /// Deletes observations; keys only.
    Delete,
}

impl DataSetAction {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Information => "Information",
            Self::Replace => "Replace",
            Self::Delete => "Delete",
        }
    }

    /// Returns the SDMX-CSV code.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Information => "I",
            Self::Replace => "R",
            Self::Delete => "D",
        }
    }
}

/// Period during which a data set was the latest; seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ValidityPeriod {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

impl ValidityPeriod {
    /// Returns the names and values of both bounds.
    pub(crate) fn date_times(self) -> [(&'static str, Option<String>); 2] {
        [("validFrom", self.from.map(xml::date_time)), ("validTo", self.to.map(xml::date_time))]
    }
}

/// Context shared by all data sets of a message.
pub(crate) struct MessageContext {
    /// The latest state of the dataflow.
    pub(crate) flow: Dataflow,
    pub(crate) layout: CubeLayout,
    /// Ids of the observation attributes written for any data set.
    pub(crate) attributes: Vec<String>,
    pub(crate) request: DataRequest,
}

impl MessageContext {
    /// Whether there is a time dimension.
    pub(crate) fn has_time(&self) -> bool {
        self.layout.dimensions().last() == Some(&crate::sdmx::cube::TIME_PERIOD)
    }

    /// Whether observations are written outside of series. Sorting forces this, because it can split a
    /// series.
    pub(crate) fn is_flat(&self) -> bool {
        !self.request.keys_only() && (self.request.flat || !self.has_time() || !self.request.sort.is_empty())
    }

    /// Returns the dimension at observation level.
    pub(crate) fn observation_dimension(&self) -> &'static str {
        if self.is_flat() || !self.has_time() { "AllDimensions" } else { crate::sdmx::cube::TIME_PERIOD }
    }

    /// Returns the ids of the data set attributes to write.
    pub(crate) fn provenance_ids(&self) -> Vec<&'static str> {
        let ids = self.flow.provenance().map(|(id, _)| id);
        ids.into_iter().filter(|id| self.request.attributes.includes_data_set(id)).collect()
    }
}

/// One data set of a message.
pub(crate) struct DataSetView<'a> {
    pub(crate) head: &'a MessageContext,
    pub(crate) flow: &'a Dataflow,
    pub(crate) cube: &'a DataCube,
    /// Observations in output order; one per series if only series keys are requested.
    pub(crate) observations: &'a [Observation],
    pub(crate) action: DataSetAction,
    pub(crate) valid: ValidityPeriod,
}

impl<'a> DataSetView<'a> {
    /// Groups the observations by series.
    pub(crate) fn series(&self) -> impl Iterator<Item = &'a [Observation]> {
        let cube = self.cube;
        self.observations.chunk_by(move |a, b| cube.same_series(*a, *b))
    }

    /// Returns the dimension ids and values of an observation, except time.
    pub(crate) fn key(&self, observation: Observation) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let cube = self.cube;
        cube.dimensions.iter().map(move |part| (part.id.as_str(), cube.key_value(part, observation)))
    }

    /// Returns the observation value if it is requested.
    pub(crate) fn value(&self, observation: Observation) -> Option<Cow<'a, str>> {
        self.cube.observation_value(observation).filter(|_| self.head.request.measures && self.has_values())
    }

    /// Returns the requested attributes that the observation has.
    pub(crate) fn attributes(&self, observation: Observation) -> Vec<(&'a str, Cow<'a, str>)> {
        let ids = self.cube.layout.attribute_ids();
        let ids = ids.filter(|id| self.has_values() && self.head.request.attributes.includes_observation(id));
        ids.filter_map(|id| Some((id, self.cube.attribute_value(id, observation)?))).collect()
    }

    /// Returns the requested data set attributes.
    pub(crate) fn provenance(&self) -> Vec<(&'static str, String)> {
        let included = |(id, _): &(&str, String)| {
            self.has_values() && self.head.request.attributes.includes_data_set(id)
        };
        self.flow.provenance().into_iter().filter(included).collect()
    }

    /// Whether the data set has values. A deletion has keys only.
    pub(crate) fn has_values(&self) -> bool {
        self.action != DataSetAction::Delete
    }
}

/// A data format.
pub(crate) trait DataFormat {
    /// Writes the start of the message.
    fn write_start(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()>;
    /// Writes a data set.
    fn write_data_set(&mut self, out: &mut dyn Write, view: &DataSetView<'_>) -> io::Result<()>;
    /// Writes the end of the message.
    fn write_end(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()>;
}

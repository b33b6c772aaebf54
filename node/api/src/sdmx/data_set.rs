//! A data set of an answer, as the formats write it: observations with their keys, figures and
//! attributes, and what is to be done with them.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::cube::{CubeLayout, DataCube, Observation};
use crate::sdmx::dataflows::Dataflow;
use crate::sdmx::request::DataRequest;
use crate::sdmx::xml;

/// What a data set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataSetAction {
    /// To be read.
    Information,
    /// To take the place of what was there.
    Replace,
    /// To be left out from now on; keys only.
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

    /// As SDMX-CSV spells it.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Information => "I",
            Self::Replace => "R",
            Self::Delete => "D",
        }
    }
}

/// Since when and until when a data set was the latest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ValidityPeriod {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

impl ValidityPeriod {
    /// Both times as texts.
    pub(crate) fn date_times(self) -> [(&'static str, Option<String>); 2] {
        [("validFrom", self.from.map(xml::date_time)), ("validTo", self.to.map(xml::date_time))]
    }
}

/// What all data sets of an answer share.
pub(crate) struct MessageContext {
    /// The latest.
    pub(crate) flow: Dataflow,
    pub(crate) layout: CubeLayout,
    /// The attributes of observations that are told of any of the data sets.
    pub(crate) attributes: Vec<String>,
    pub(crate) request: DataRequest,
}

impl MessageContext {
    /// Whether observations have a time.
    pub(crate) fn has_time(&self) -> bool {
        self.layout.dimensions().last() == Some(&crate::sdmx::cube::TIME_PERIOD)
    }

    /// Whether observations stand alone: where series would be torn apart, they do.
    pub(crate) fn is_flat(&self) -> bool {
        !self.request.keys_only() && (self.request.flat || !self.has_time() || !self.request.sort.is_empty())
    }

    /// The dimension of observations within their series.
    pub(crate) fn observation_dimension(&self) -> &'static str {
        if self.is_flat() || !self.has_time() { "AllDimensions" } else { crate::sdmx::cube::TIME_PERIOD }
    }

    /// The attributes of data sets that are told.
    pub(crate) fn provenance_ids(&self) -> Vec<&'static str> {
        let ids = self.flow.provenance().map(|(id, _)| id);
        ids.into_iter().filter(|id| self.request.attributes.includes_data_set(id)).collect()
    }
}

/// One data set.
pub(crate) struct DataSetView<'a> {
    pub(crate) head: &'a MessageContext,
    pub(crate) flow: &'a Dataflow,
    pub(crate) cube: &'a DataCube,
    /// In the order in which they are told; one of each series where only keys are.
    pub(crate) observations: &'a [Observation],
    pub(crate) action: DataSetAction,
    pub(crate) valid: ValidityPeriod,
}

impl<'a> DataSetView<'a> {
    /// Observations of one key after another.
    pub(crate) fn series(&self) -> impl Iterator<Item = &'a [Observation]> {
        let cube = self.cube;
        self.observations.chunk_by(move |a, b| cube.same_series(*a, *b))
    }

    /// The key of an observation.
    pub(crate) fn key(&self, place: Observation) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let cube = self.cube;
        cube.dimensions.iter().map(move |part| (part.id.as_str(), cube.key_value(part, place)))
    }

    /// The figure, where it is told.
    pub(crate) fn value(&self, place: Observation) -> Option<Cow<'a, str>> {
        self.cube.observation_value(place).filter(|_| self.head.request.measures && self.has_values())
    }

    /// The attributes of an observation that it has and that are told.
    pub(crate) fn attributes(&self, place: Observation) -> Vec<(&'a str, Cow<'a, str>)> {
        let ids = self.cube.layout.attributes.iter().map(|(id, _)| id.as_str());
        let ids = ids.filter(|id| self.has_values() && self.head.request.attributes.includes_observation(id));
        ids.filter_map(|id| Some((id, self.cube.attribute_value(id, place)?))).collect()
    }

    /// The attributes of the data set that are told.
    pub(crate) fn provenance(&self) -> Vec<(&'static str, String)> {
        let told = |(id, _): &(&str, String)| {
            self.has_values() && self.head.request.attributes.includes_data_set(id)
        };
        self.flow.provenance().into_iter().filter(told).collect()
    }

    /// Whether more than keys is told.
    pub(crate) fn has_values(&self) -> bool {
        self.action != DataSetAction::Delete
    }
}

/// A format: what stands before, within and after the data sets.
pub(crate) trait DataFormat {
    /// Begins the answer.
    fn begin(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()>;
    /// Writes a data set.
    fn set(&mut self, out: &mut dyn Write, view: &DataSetView<'_>) -> io::Result<()>;
    /// Ends the answer.
    fn end(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()>;
}

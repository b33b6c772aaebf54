//! A data set of an answer, as the formats write it: observations with their keys, figures and
//! attributes, and what is to be done with them.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::catalogue::Flow;
use crate::sdmx::cube::{Cube, Layout, Place};
use crate::sdmx::wanted::Wanted;
use crate::sdmx::xml;

/// What a data set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// To be read.
    Information,
    /// To take the place of what was there.
    Replace,
    /// To be left out from now on; keys only.
    Delete,
}

impl Action {
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
pub(crate) struct Valid {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

impl Valid {
    /// Both times as texts.
    pub(crate) fn texts(self) -> [(&'static str, Option<String>); 2] {
        [("validFrom", self.from.map(xml::time)), ("validTo", self.to.map(xml::time))]
    }
}

/// What all data sets of an answer share.
pub(crate) struct Head {
    /// The latest.
    pub(crate) flow: Flow,
    pub(crate) layout: Layout,
    /// The attributes of observations that are told of any of the data sets.
    pub(crate) attributes: Vec<String>,
    pub(crate) wanted: Wanted,
}

impl Head {
    /// Whether observations have a time.
    pub(crate) fn timed(&self) -> bool {
        self.layout.dimensions().last() == Some(&crate::sdmx::cube::TIME)
    }

    /// Whether observations stand alone: where series would be torn apart, they do.
    pub(crate) fn flat(&self) -> bool {
        !self.wanted.keys_only() && (self.wanted.flat || !self.timed() || !self.wanted.sort.is_empty())
    }

    /// The dimension of observations within their series.
    pub(crate) fn at_observation(&self) -> &'static str {
        if self.flat() || !self.timed() { "AllDimensions" } else { crate::sdmx::cube::TIME }
    }

    /// The attributes of data sets that are told.
    pub(crate) fn origin(&self) -> Vec<&'static str> {
        let ids = self.flow.origin().map(|(id, _)| id);
        ids.into_iter().filter(|id| self.wanted.attributes.of_set(id)).collect()
    }
}

/// One data set.
pub(crate) struct View<'a> {
    pub(crate) head: &'a Head,
    pub(crate) flow: &'a Flow,
    pub(crate) cube: &'a Cube,
    /// In the order in which they are told; one of each series where only keys are.
    pub(crate) rows: &'a [Place],
    pub(crate) action: Action,
    pub(crate) valid: Valid,
}

impl<'a> View<'a> {
    /// Observations of one key after another.
    pub(crate) fn series(&self) -> impl Iterator<Item = &'a [Place]> {
        let cube = self.cube;
        self.rows.chunk_by(move |a, b| cube.same_series(*a, *b))
    }

    /// The key of an observation.
    pub(crate) fn key(&self, place: Place) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let cube = self.cube;
        cube.dimensions.iter().map(move |part| (part.id.as_str(), cube.key(part, place)))
    }

    /// The figure, where it is told.
    pub(crate) fn value(&self, place: Place) -> Option<Cow<'a, str>> {
        self.cube.value(place).filter(|_| self.head.wanted.figures && self.told())
    }

    /// The attributes of an observation that it has and that are told.
    pub(crate) fn attributes(&self, place: Place) -> Vec<(&'a str, Cow<'a, str>)> {
        let ids = self.cube.layout.attributes.iter().map(|(id, _)| id.as_str());
        let ids = ids.filter(|id| self.told() && self.head.wanted.attributes.of_observation(id));
        ids.filter_map(|id| Some((id, self.cube.attribute(id, place)?))).collect()
    }

    /// The attributes of the data set that are told.
    pub(crate) fn origin(&self) -> Vec<(&'static str, String)> {
        let told = |(id, _): &(&str, String)| self.told() && self.head.wanted.attributes.of_set(id);
        self.flow.origin().into_iter().filter(told).collect()
    }

    /// Whether more than keys is told.
    pub(crate) fn told(&self) -> bool {
        self.action != Action::Delete
    }
}

/// A format: what stands before, within and after the data sets.
pub(crate) trait Format {
    /// Begins the answer.
    fn begin(&mut self, out: &mut dyn Write, head: &Head) -> io::Result<()>;
    /// Writes a data set.
    fn set(&mut self, out: &mut dyn Write, view: &View<'_>) -> io::Result<()>;
    /// Ends the answer.
    fn end(&mut self, out: &mut dyn Write, head: &Head) -> io::Result<()>;
}

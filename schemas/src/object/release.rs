//! Claims about figures: releases, retractions and attestations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ObjectType, PORTS_MAX};
use crate::cid::{AttestationId, Cid, ContentId, DatasetId, RecipeId, ReleaseId, RetractionId};
use crate::text::{Line, Name, Text};
use crate::verdict::Verdict;

/// Data points that one retraction names.
pub const POINTS_MAX: usize = 1024;

/// Reason for replacing an earlier release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionReason {
    /// The source revised its data.
    SourceRevision,
    /// The publisher corrects a mistake.
    PublisherError,
    /// The method changed.
    Method,
    /// The base period changed.
    Rebase,
    /// The seasonal adjustment changed.
    Seasonal,
}

/// The earlier release that a release replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supersession {
    /// The earlier release.
    pub release: ReleaseId,
    /// The reason.
    pub reason: RevisionReason,
}

/// The claim that a recipe applied to data sets gives these figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The dataflow that it is a vintage of.
    pub dataflow: Name,
    /// Label of the vintage for readers, such as `2026-11`.
    pub vintage: Line<64>,
    /// The recipe.
    pub recipe: RecipeId,
    /// A data set for each input of the recipe.
    pub inputs: BTreeMap<Name, DatasetId>,
    /// The figures for each output of the recipe.
    pub results: BTreeMap<Name, ContentId>,
    /// Steps that the run took.
    pub steps: u64,
    /// The release that it replaces; absent in the first release of a dataflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Supersession>,
}

impl ObjectType for Release {
    const TYPE: &'static str = "release";
    type Id = ReleaseId;

    fn check_rules(&self) -> Result<(), String> {
        let ports = 1..=PORTS_MAX;
        if !ports.contains(&self.inputs.len()) || !ports.contains(&self.results.len()) {
            return Err(format!("a release has 1 to {PORTS_MAX} inputs and as many results"));
        }
        Ok(())
    }

    fn dependencies(&self) -> Vec<Cid> {
        // A superseded release is a reference, not a dependency (specs/objects.md, section 8).
        let inputs = self.inputs.values().map(|id| id.cid());
        let results = self.results.values().map(|id| id.cid());
        [self.recipe.cid()].into_iter().chain(inputs).chain(results).collect()
    }
}

/// Extent of a retraction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RetractionScope {
    /// The whole object.
    Whole,
    /// Single data points, by their keys as text.
    Points(Vec<Vec<Text<1024>>>),
}

/// The publisher withdraws an object or some of its data points. Nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// The retracted object.
    pub subject: Cid,
    /// The extent.
    pub scope: RetractionScope,
    /// The reason.
    pub reason: Text<1024>,
    /// The replacement, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Cid>,
}

impl ObjectType for Retraction {
    const TYPE: &'static str = "retraction";
    type Id = RetractionId;

    fn check_rules(&self) -> Result<(), String> {
        match &self.scope {
            RetractionScope::Points(points)
                if !(1..=POINTS_MAX).contains(&points.len()) || points.iter().any(Vec::is_empty) =>
            {
                Err(format!("a retraction of points names 1 to {POINTS_MAX} of them"))
            }
            _ => Ok(()),
        }
    }
}

/// Sources of a verification, over the release and the releases above it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceCounts {
    /// Documents that were read again.
    pub read: u64,
    /// Data sets without a document.
    pub stated: u64,
}

/// The signed result of verifying a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The release.
    pub release: ReleaseId,
    /// The verdict.
    pub verdict: Verdict,
    /// The results of the run; an output that was not computed is absent.
    pub results: BTreeMap<Name, ContentId>,
    /// Version of the engine's semantics.
    pub semantics: u32,
    /// The program that ran it, such as `assay/0.1.0`; one line.
    pub build: Line<64>,
    /// The sources that were read, and those that could not be.
    pub sources: SourceCounts,
}

impl ObjectType for Attestation {
    const TYPE: &'static str = "attestation";
    type Id = AttestationId;

    fn check_rules(&self) -> Result<(), String> {
        if self.results.len() > PORTS_MAX {
            return Err(format!("an attestation has at most {PORTS_MAX} results"));
        }
        self.verdict.check()
    }

    fn dependencies(&self) -> Vec<Cid> {
        match &self.verdict {
            Verdict::Differs { differences, .. } => differences.values().map(|id| id.cid()).collect(),
            _ => Vec::new(),
        }
    }
}

//! Claims about figures: releases, what takes them back, and what others found of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ObjectType, PORTS_MAX};
use crate::cid::{AttestationId, Cid, ContentId, DatasetId, RecipeId, ReleaseId, RetractionId};
use crate::text::{Name, Text};
use crate::verdict::Verdict;

/// Data points that one retraction names.
pub const POINTS_MAX: usize = 1024;

/// Why a release takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionReason {
    /// The source published other data.
    SourceRevision,
    /// The publisher had made a mistake.
    PublisherError,
    /// Another method.
    Method,
    /// Another base period.
    Rebase,
    /// Another seasonal adjustment.
    Seasonal,
}

/// What a release takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supersession {
    /// The earlier release.
    pub release: ReleaseId,
    /// Why.
    pub reason: RevisionReason,
}

/// The claim: this recipe on these data sets gives these figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The dataflow that it is a vintage of.
    pub dataflow: Name,
    /// A name of the vintage for people, such as `2026-11`.
    pub vintage: Text<64>,
    /// The recipe.
    pub recipe: RecipeId,
    /// A data set for each input of the recipe.
    pub inputs: BTreeMap<Name, DatasetId>,
    /// The figures for each output of the recipe.
    pub results: BTreeMap<Name, ContentId>,
    /// Steps that the run took.
    pub steps: u64,
    /// What it takes the place of; absent in the first release of a dataflow.
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
        let inputs = self.inputs.values().map(|id| id.cid());
        let results = self.results.values().map(|id| id.cid());
        [self.recipe.cid()].into_iter().chain(inputs).chain(results).collect()
    }
}

/// What a retraction takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RetractionScope {
    /// The whole object.
    Whole,
    /// Single data points, by their keys as text.
    Points(Vec<Vec<Text<1024>>>),
}

/// The publisher takes something back. Nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// What is taken back.
    pub subject: Cid,
    /// How much of it.
    pub scope: RetractionScope,
    /// Why.
    pub reason: Text<1024>,
    /// What to use instead.
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

/// Whether the attestor looked at the sources again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceCheck {
    /// The kept source documents were taken as they are.
    Kept,
    /// The source documents were fetched again and are the same.
    Refetched,
}

/// What somebody found who re-ran a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The release.
    pub release: ReleaseId,
    /// What came of it.
    pub verdict: Verdict,
    /// The results obtained, by output; empty when there are none.
    pub results: BTreeMap<Name, ContentId>,
    /// Version of the engine's semantics.
    pub semantics: u32,
    /// The program that ran it, such as `assay/0.1.0`.
    pub build: Text<64>,
    /// Whether the sources were looked at again.
    pub sources: SourceCheck,
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
}

//! Which dataflows a node can serve: one for each output of the latest release of each dataflow of
//! each publisher, or of the release that was the latest at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemas::cid::ContentId;
use schemas::content;
use schemas::object::{Content, Structure};
use service::Keep;
use service::query::{Query, ReleaseInfo};

use crate::index;
use crate::sdmx::cube::{Cube, Layout};
use crate::sdmx::fault::Fault;
use crate::sdmx::ids;

/// Reads what is kept.
pub(crate) struct Catalogue<'a, K: Keep> {
    pub(crate) query: Query<'a, K>,
    pub(crate) index: Arc<index::Catalogue>,
    pub(crate) keep: Arc<K>,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// One dataflow.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) agency: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) release: ReleaseInfo,
    pub(crate) content: ContentId,
    /// When the answer is made.
    pub(crate) now: i64,
}

impl Flow {
    /// Our attributes of the data set: what was read, how it was computed, where it was published.
    pub(crate) fn origin(&self) -> [(&'static str, String); 3] {
        let inputs: Vec<String> = self.release.release.inputs.values().map(ToString::to_string).collect();
        [
            ("DATASET_CID", inputs.join(" ")),
            ("RECIPE_CID", self.release.release.recipe.to_string()),
            ("RELEASE_CID", self.release.id.to_string()),
        ]
    }

    /// The name of an artefact of this agency as SDMX spells it.
    pub(crate) fn urn(&self, class: &str, id: &str) -> String {
        format!("urn:sdmx:org.sdmx.infomodel.{class}={}:{id}({})", self.agency, ids::VERSION)
    }
}

impl<K: Keep> Catalogue<'_, K> {
    /// Agencies with their names.
    pub(crate) fn agencies(&self) -> Result<BTreeMap<String, String>, Fault> {
        let logs = self.query.logs()?;
        Ok(logs.into_iter().map(|log| (ids::agency(log.publisher), log.name)).collect())
    }

    /// The dataflows that are asked for, as they were at `asof`.
    pub(crate) fn flows(&self, agency: &str, id: &str, asof: Option<i64>) -> Vec<Flow> {
        self.picked(agency, id, |releases| self.latest(releases, asof.unwrap_or(i64::MAX)))
    }

    /// The dataflows that are asked for, each by the release that `pick` takes.
    fn picked<'s>(
        &'s self,
        agency: &str,
        id: &str,
        pick: impl Fn(&'s [ReleaseInfo]) -> Option<&'s ReleaseInfo>,
    ) -> Vec<Flow> {
        let agency = agency.to_ascii_uppercase();
        let asks = |publisher| agency == "ALL" || ids::asks(&agency, &ids::agency(publisher));
        let asked = self.index.vintages.iter().filter(|((publisher, _), _)| asks(*publisher));
        let flows = asked.filter_map(|(_, releases)| pick(releases)).flat_map(|info| self.outputs(info));
        flows.filter(|flow| ids::asks(id, &flow.id)).collect()
    }

    /// The release that was the latest at `time`: one that was taken back by then is none.
    fn latest<'r>(&self, releases: &'r [ReleaseInfo], time: i64) -> Option<&'r ReleaseInfo> {
        let withdrawn =
            |info: &ReleaseInfo| info.retracted.as_ref().is_some_and(|withdrawn| withdrawn.time <= time);
        releases.iter().rev().find(|info| info.placed.time <= time && !withdrawn(info))
    }

    fn outputs(&self, release: &ReleaseInfo) -> Vec<Flow> {
        let results = &release.release.results;
        let dataflow = release.release.dataflow.as_str();
        let flow = |(output, content): (&schemas::text::Name, &ContentId)| {
            let several = results.len() > 1;
            Flow {
                agency: ids::agency(release.placed.publisher),
                id: if several { ids::output(dataflow, output.as_str()) } else { ids::id(dataflow) },
                name: if several { format!("{}: {output}", release.title) } else { release.title.clone() },
                release: release.clone(),
                content: *content,
                now: self.now,
            }
        };
        results.iter().map(flow).collect()
    }

    /// The one dataflow of an id; where several agencies have it and none is named, the node's own.
    /// With `ever`, one whose releases were all taken back counts by the last of them.
    pub(crate) fn one(&self, agency: &str, id: &str, asof: Option<i64>, ever: bool) -> Result<Flow, Fault> {
        if ids::every(id) || id.contains([',', '+']) {
            return Err(Fault::unbuilt("data of several dataflows at once"));
        }
        let time = asof.unwrap_or(i64::MAX);
        let mut flows = self.picked(agency, id, |releases| {
            let last = || releases.iter().rev().find(|info| ever && info.placed.time <= time);
            self.latest(releases, time).or_else(last)
        });
        if flows.len() > 1 {
            let own = self.query.own()?.map(ids::agency);
            flows.retain(|flow| Some(&flow.agency) == own.as_ref());
            if flows.is_empty() {
                return Err(Fault::meaning(format!("several agencies have a dataflow `{id}`: name one")));
            }
        }
        flows.pop().ok_or_else(|| Fault::absent(format!("dataflow `{id}`")))
    }

    /// The figures of a dataflow.
    pub(crate) fn cube(&self, flow: &Flow) -> Result<Cube, Fault> {
        cube(self.keep.as_ref(), flow)
    }

    /// Where the parts of the figures of a dataflow stand, without reading them.
    pub(crate) fn layout(&self, flow: &Flow) -> Result<Layout, Fault> {
        let content: Content = self.query.object(flow.content.cid())?;
        let structure: Structure = self.query.object(content.structure.cid())?;
        Layout::new(&structure.components)
    }

    /// The same dataflow as it was at `time`, if there was any.
    pub(crate) fn before(&self, flow: &Flow, time: i64) -> Option<Flow> {
        let place = (flow.release.placed.publisher, flow.release.release.dataflow.clone());
        let release = self.latest(self.index.vintages.get(&place)?, time)?;
        self.outputs(release).into_iter().find(|held| held.id == flow.id)
    }

    /// Every state of a dataflow up to `until`, each with the time at which it began.
    pub(crate) fn history(&self, flow: &Flow, until: i64) -> Vec<(i64, Option<Flow>)> {
        let place = (flow.release.placed.publisher, flow.release.release.dataflow.clone());
        let releases = self.index.vintages.get(&place).map_or(&[][..], Vec::as_slice);
        let withdrawn = releases.iter().filter_map(|info| info.retracted.as_ref()).map(|one| one.time);
        let moments: BTreeSet<i64> =
            releases.iter().map(|info| info.placed.time).chain(withdrawn).filter(|at| *at <= until).collect();
        let mut states: Vec<(i64, Option<Flow>)> = Vec::new();
        for moment in moments {
            let state = self.before(flow, moment);
            let id = |state: &Option<Flow>| state.as_ref().map(|flow| flow.release.id);
            if states.last().and_then(|(_, last)| id(last)) != id(&state) {
                states.push((moment, state));
            }
        }
        states
    }
}

/// The figures of a dataflow.
pub(crate) fn cube(keep: &impl Keep, flow: &Flow) -> Result<Cube, Fault> {
    let fetch = |id| keep.get(id).ok().flatten();
    let (structure, table) =
        content::unpack(flow.content, fetch).map_err(|fault| Fault::internal(fault.to_string()))?;
    Cube::new(&structure, table)
}

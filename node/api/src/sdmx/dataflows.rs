//! SDMX dataflows of a node: one per output of the latest release of each publisher's dataflow, or of
//! the release that was the latest at a given time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemas::cid::ContentId;
use schemas::content;
use schemas::object::{Content, Structure};
use schemas::text::Name;
use service::Storage;
use service::query::{LedgerQuery, ReleaseInfo};

use crate::sdmx::cube::{CubeLayout, DataCube};
use crate::sdmx::error::SdmxError;
use crate::sdmx::ids;
use crate::views;

/// Finds dataflows and reads their tables.
pub(crate) struct DataflowCatalogue<'a, K: Storage> {
    pub(crate) query: LedgerQuery<'a, K>,
    pub(crate) catalogue: Arc<views::Catalogue>,
    pub(crate) storage: Arc<K>,
    /// Seconds since 1970.
    pub(crate) prepared: i64,
}

/// An SDMX dataflow, bound to one release.
#[derive(Debug, Clone)]
pub(crate) struct Dataflow {
    pub(crate) agency: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) release: ReleaseInfo,
    /// The output of the release.
    pub(crate) output: Name,
    pub(crate) content: ContentId,
    /// Time of preparation, in seconds since 1970.
    pub(crate) prepared: i64,
}

impl Dataflow {
    /// Returns the data set attributes with the ids of the inputs, the recipe and the release.
    pub(crate) fn provenance(&self) -> [(&'static str, String); 3] {
        let inputs: Vec<String> = self.release.release.inputs.values().map(ToString::to_string).collect();
        [
            ("DATASET_CID", inputs.join(" ")),
            ("RECIPE_CID", self.release.release.recipe.to_string()),
            ("RELEASE_CID", self.release.id.to_string()),
        ]
    }

    /// Returns the SDMX URN of an artefact of this agency.
    pub(crate) fn urn(&self, class: &str, id: &str) -> String {
        format!("urn:sdmx:org.sdmx.infomodel.{class}={}:{id}({})", self.agency, ids::VERSION)
    }
}

impl<K: Storage> DataflowCatalogue<'_, K> {
    /// Returns agency ids with names.
    pub(crate) fn list_agencies(&self) -> Result<BTreeMap<String, String>, SdmxError> {
        let logs = self.query.list_logs()?;
        Ok(logs.into_iter().map(|log| (ids::agency_id(log.publisher), log.name)).collect())
    }

    /// Returns the matching dataflows as of `asof`, in seconds since 1970.
    pub(crate) fn find_dataflows(&self, agency: &str, id: &str, asof: Option<i64>) -> Vec<Dataflow> {
        self.pick_dataflows(agency, id, |releases| self.latest_release(releases, asof.unwrap_or(i64::MAX)))
    }

    /// Returns the matching dataflows, each bound to the release chosen by `pick`.
    fn pick_dataflows<'s>(
        &'s self,
        agency: &str,
        id: &str,
        pick: impl Fn(&'s [ReleaseInfo]) -> Option<&'s ReleaseInfo>,
    ) -> Vec<Dataflow> {
        let agency = agency.to_ascii_uppercase();
        let asks = |publisher| agency == "ALL" || ids::matches_id(&agency, &ids::agency_id(publisher));
        let matching = self.catalogue.vintages.iter().filter(|((publisher, _), _)| asks(*publisher));
        let flows =
            matching.filter_map(|(_, releases)| pick(releases)).flat_map(|info| self.release_outputs(info));
        flows.filter(|flow| ids::matches_id(id, &flow.id)).collect()
    }

    /// Returns the release that was the latest at `time`, ignoring releases retracted by then.
    fn latest_release<'r>(&self, releases: &'r [ReleaseInfo], time: i64) -> Option<&'r ReleaseInfo> {
        let retracted =
            |info: &ReleaseInfo| info.retracted.as_ref().is_some_and(|retracted| retracted.time <= time);
        releases.iter().rev().find(|info| info.position.time <= time && !retracted(info))
    }

    fn release_outputs(&self, release: &ReleaseInfo) -> Vec<Dataflow> {
        let results = &release.release.results;
        let dataflow = release.release.dataflow.as_str();
        let flow = |(output, content): (&Name, &ContentId)| {
            let several = results.len() > 1;
            Dataflow {
                agency: ids::agency_id(release.position.publisher),
                id: if several {
                    ids::output_id(dataflow, output.as_str())
                } else {
                    ids::artefact_id(dataflow)
                },
                name: if several { format!("{}: {output}", release.title) } else { release.title.clone() },
                release: release.clone(),
                output: output.clone(),
                content: *content,
                prepared: self.prepared,
            }
        };
        results.iter().map(flow).collect()
    }

    /// Returns the dataflow with this id. If several agencies have it and none is named, returns the
    /// node's own. With `ever`, a dataflow whose releases were all retracted is bound to the last of
    /// them.
    pub(crate) fn find_dataflow(
        &self,
        agency: &str,
        id: &str,
        asof: Option<i64>,
        ever: bool,
    ) -> Result<Dataflow, SdmxError> {
        if ids::is_wildcard(id) || id.contains([',', '+']) {
            return Err(SdmxError::not_implemented("a request for several dataflows"));
        }
        let time = asof.unwrap_or(i64::MAX);
        let mut flows = self.pick_dataflows(agency, id, |releases| {
            let last = || releases.iter().rev().find(|info| ever && info.position.time <= time);
            self.latest_release(releases, time).or_else(last)
        });
        if flows.len() > 1 {
            let own = self.query.own_publisher()?.map(ids::agency_id);
            // Several agencies have the id: the node's own dataflow takes precedence.
            flows.retain(|flow| Some(&flow.agency) == own.as_ref());
            if flows.is_empty() {
                return Err(SdmxError::semantic(format!(
                    "several agencies have a dataflow `{id}`; add the agency"
                )));
            }
        }
        flows.pop().ok_or_else(|| SdmxError::not_found(format!("dataflow `{id}`")))
    }

    /// Reads the table of a dataflow.
    pub(crate) fn load_cube(&self, flow: &Dataflow) -> Result<DataCube, SdmxError> {
        read_cube(self.storage.as_ref(), flow)
    }

    /// Returns a text that changes with the release and with the standing of its figures.
    pub(crate) fn release_tag(&self, flow: &Dataflow) -> Result<String, SdmxError> {
        let place = (flow.release.position.publisher, flow.release.release.dataflow.clone());
        let last = self.catalogue.vintages.get(&place).and_then(|releases| releases.last());
        let last = last.map(|info| info.id.to_string()).unwrap_or_default();
        Ok(format!("{} {last} {}", flow.release.id, self.query.standing_fingerprint(&flow.release)?))
    }

    /// Returns the layout of a dataflow without reading its table.
    pub(crate) fn load_layout(&self, flow: &Dataflow) -> Result<CubeLayout, SdmxError> {
        let content: Content = self.query.read_object(flow.content.cid())?;
        let structure: Structure = self.query.read_object(content.structure.cid())?;
        CubeLayout::new(&structure.components)
    }

    /// Returns the dataflow as of `time`.
    pub(crate) fn dataflow_at(&self, flow: &Dataflow, time: i64) -> Option<Dataflow> {
        let place = (flow.release.position.publisher, flow.release.release.dataflow.clone());
        let release = self.latest_release(self.catalogue.vintages.get(&place)?, time)?;
        self.release_outputs(release).into_iter().find(|candidate| candidate.id == flow.id)
    }

    /// Returns all states of a dataflow up to `until`, each with its start time.
    pub(crate) fn dataflow_history(&self, flow: &Dataflow, until: i64) -> Vec<(i64, Option<Dataflow>)> {
        let place = (flow.release.position.publisher, flow.release.release.dataflow.clone());
        let releases = self.catalogue.vintages.get(&place).map_or(&[][..], Vec::as_slice);
        let retracted = releases.iter().filter_map(|info| info.retracted.as_ref()).map(|one| one.time);
        let moments: BTreeSet<i64> = releases
            .iter()
            .map(|info| info.position.time)
            .chain(retracted)
            .filter(|at| *at <= until)
            .collect();
        let mut states: Vec<(i64, Option<Dataflow>)> = Vec::new();
        for moment in moments {
            let state = self.dataflow_at(flow, moment);
            let id = |state: &Option<Dataflow>| state.as_ref().map(|flow| flow.release.id);
            if states.last().and_then(|(_, last)| id(last)) != id(&state) {
                states.push((moment, state));
            }
        }
        states
    }
}

/// Reads the table of a dataflow.
pub(crate) fn read_cube(storage: &impl Storage, flow: &Dataflow) -> Result<DataCube, SdmxError> {
    let fetch = |id| storage.get(id).ok().flatten();
    let (structure, table) =
        content::unpack_table(flow.content, fetch).map_err(|error| SdmxError::internal(error.to_string()))?;
    let standings =
        |measure: &Name| Ok(LedgerQuery(storage).output_standings(&flow.release, &flow.output, measure)?);
    DataCube::new(&structure, table, standings)
}

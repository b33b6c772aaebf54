//! A publisher with its flows, confirmations and forks.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;
use schemas::object::OperatingKey;
use serde::Serialize;
use service::Storage;
use service::query::{ForkInfo, LogInfo, ReleaseInfo};
use service::standing::Standing;

use super::Flow;
use crate::Problem;
use crate::routes::{check_length, not_found, parse_id};
use crate::state::State;

/// A publisher with its flows, confirmations and forks.
#[derive(Debug, Serialize)]
struct PublisherResponse {
    #[serde(flatten)]
    log: LogInfo,
    contact: Option<String>,
    keys: Vec<OperatingKey>,
    flows: Vec<Flow>,
    record: PublisherRecord,
    confirmed_by: Vec<Confirmation>,
    forks: Vec<ForkInfo>,
}

/// Findings about the releases of a publisher, by this node and by followed publishers.
#[derive(Debug, Default, Serialize)]
struct PublisherRecord {
    releases: u64,
    /// Releases of which a cell or an object does not hold.
    does_not_hold: u64,
    retracted: u64,
    holds: u64,
    unchecked: u64,
}

impl PublisherRecord {
    fn add(&mut self, info: &ReleaseInfo, finding: Standing) {
        self.releases += 1;
        self.retracted += u64::from(info.retracted.is_some());
        match finding {
            Standing::DoesNotHold => self.does_not_hold += 1,
            Standing::Holds => self.holds += 1,
            Standing::Contested | Standing::Unchecked => self.unchecked += 1,
        }
    }
}

/// A followed publisher that reproduced releases of another.
#[derive(Debug, Serialize)]
struct Confirmation {
    publisher: PublisherId,
    name: String,
    count: u64,
}

/// Returns a publisher.
pub(crate) fn publisher_view<K: Storage>(
    state: &State<K>,
    id: &str,
) -> Result<impl Serialize + use<K>, Problem> {
    let id: PublisherId = parse_id(check_length(id)?)?;
    let query = state.service.query();
    let identity = query.publisher_identity(id)?;
    let catalogue = state.views.catalogue()?;
    let log = catalogue.logs.get(&id).cloned().ok_or_else(|| not_found("publisher"))?;
    let mut confirmed: BTreeMap<PublisherId, u64> = BTreeMap::new();
    let mut record = PublisherRecord::default();
    let releases = catalogue.vintages.iter().filter(|((publisher, _), _)| *publisher == id);
    for info in releases.flat_map(|(_, releases)| releases) {
        record.add(info, query.release_finding(info)?);
        for (attestor, said) in query.counting_attestations(info)? {
            *confirmed.entry(attestor).or_default() += u64::from(said.verdict.as_str() == "reproduced");
        }
    }
    let name =
        |attestor: &PublisherId| catalogue.logs.get(attestor).map(|log| log.name.clone()).unwrap_or_default();
    let confirmed = confirmed.into_iter().filter(|(_, count)| *count > 0);
    let confirmed_by =
        confirmed.map(|(publisher, count)| Confirmation { name: name(&publisher), publisher, count });
    Ok(PublisherResponse {
        log,
        contact: identity.contact.map(|contact| contact.to_string()),
        keys: identity.keys,
        flows: catalogue.flows.iter().filter(|flow| flow.publisher == id).cloned().collect(),
        record,
        confirmed_by: confirmed_by.collect(),
        forks: query.list_forks()?.into_iter().filter(|fork| fork.publisher == id).collect(),
    })
}

//! A publisher with its flows, confirmations and forks.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;
use schemas::object::OperatingKey;
use serde::Serialize;
use service::Storage;
use service::query::{ForkInfo, LogInfo};

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
    confirmed_by: Vec<Confirmation>,
    forks: Vec<ForkInfo>,
}

/// A publisher that reproduced releases of another.
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
    let mut confirmed: BTreeMap<PublisherId, Confirmation> = BTreeMap::new();
    let releases = catalogue.vintages.iter().filter(|((publisher, _), _)| *publisher == id);
    for found in releases.flat_map(|(_, releases)| releases).flat_map(|info| &info.attestations) {
        if found.position.publisher != id && found.attestation.verdict.as_str() == "reproduced" {
            let (publisher, name) = (found.position.publisher, found.position.name.clone());
            let one = confirmed.entry(publisher).or_insert(Confirmation { publisher, name, count: 0 });
            one.count += 1;
        }
    }
    Ok(PublisherResponse {
        log,
        contact: identity.contact.map(|contact| contact.to_string()),
        keys: identity.keys,
        flows: catalogue.flows.iter().filter(|flow| flow.publisher == id).cloned().collect(),
        confirmed_by: confirmed.into_values().collect(),
        forks: query.list_forks()?.into_iter().filter(|fork| fork.publisher == id).collect(),
    })
}

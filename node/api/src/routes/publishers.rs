//! Publishers, their logs, and their contradictions.

use std::collections::BTreeMap;

use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemas::cid::{PublisherId, ReleaseId};
use schemas::object::{Attestation, OperatingKey};
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use service::Storage;
use service::query::{EntryInfo, ForkInfo, LogInfo};

use super::{check_length, respond_json};
use crate::read::parse_id;
use crate::views::Flow;
use crate::{Problem, State};

/// Entries of one answer.
const ENTRIES_DEFAULT: u64 = 50;
const ENTRIES_MAX: u64 = 500;

pub(crate) async fn list_publishers<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, |state| Ok(state.service.query().list_logs()?)).await
}

/// A publisher.
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

/// Somebody who reproduced releases of a publisher.
#[derive(Debug, Serialize)]
struct Confirmation {
    publisher: PublisherId,
    name: String,
    count: u64,
}

pub(crate) async fn show_publisher<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Response {
    respond_json(state, move |state| publisher_view(state, &id)).await
}

/// A publisher by its id.
pub(crate) fn publisher_view<K: Storage>(
    state: &State<K>,
    id: &str,
) -> Result<impl Serialize + use<K>, Problem> {
    let id: PublisherId = parse_id(check_length(id)?)?;
    let query = state.service.query();
    let identity = query.publisher_identity(id)?;
    let catalogue = state.views.catalogue()?;
    let log = catalogue.logs.get(&id).cloned().ok_or_else(|| super::not_found("this publisher"))?;
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

pub(crate) async fn list_forks<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, |state| Ok(state.service.query().list_forks()?)).await
}

/// Where a page of entries begins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryPageParams {
    /// Entries below this place.
    cursor: Option<u64>,
    limit: Option<u64>,
}

/// An entry for people.
#[derive(Debug, Serialize)]
struct EntryResponse {
    #[serde(flatten)]
    entry: EntryInfo,
    summary: String,
    /// What an attestation is about, and what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<ReleaseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

impl EntryResponse {
    fn describe<K: Storage>(state: &State<K>, entry: EntryInfo) -> Self {
        let query = state.service.query();
        // An entry may say that it is an attestation and lead to something else.
        let said = (entry.kind == "attestation").then(|| query.read_object::<Attestation>(entry.object).ok());
        let (release, verdict) = said.flatten().map(|said| (said.release, said.verdict)).unzip();
        Self { summary: entry_summary(&entry), entry, release, verdict }
    }
}

pub(crate) async fn list_entries<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
    page: Result<Params<EntryPageParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Params(page) = match page {
        Ok(page) => page,
        Err(fault) => return Problem::invalid_query(fault).into_response(),
    };
    let (path, limit) = (id.clone(), page.limit.unwrap_or(ENTRIES_DEFAULT).clamp(1, ENTRIES_MAX));
    let log = check_length(&id).and_then(parse_id::<PublisherId>).and_then(|id| {
        let logs = state.service.query().list_logs()?;
        logs.into_iter().find(|log| log.publisher == id).ok_or_else(|| super::not_found("this publisher"))
    });
    let log = match log {
        Ok(log) => log,
        Err(problem) => return problem.into_response(),
    };
    let end = page.cursor.unwrap_or(log.length).min(log.length);
    let from = end.saturating_sub(limit);
    let mut response = respond_json(state, move |state| {
        let entries = state.service.query().list_entries(log.publisher, from..end)?;
        Ok(entries.into_iter().rev().map(|entry| EntryResponse::describe(state, entry)).collect::<Vec<_>>())
    })
    .await;
    let next = format!("</api/v1/publishers/{path}/entries?cursor={from}&limit={limit}>; rel=\"next\"");
    if let Some(next) = HeaderValue::from_str(&next).ok().filter(|_| from > 0) {
        response.headers_mut().insert(header::LINK, next);
    }
    response
}

/// What an entry is, in words.
pub(crate) fn entry_summary(entry: &EntryInfo) -> String {
    format!("{} {}", entry.kind, entry.subject)
}

//! Publishers, their log entries and forks.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemas::cid::{PublisherId, ReleaseId};
use schemas::object::Attestation;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use service::Storage;
use service::query::EntryInfo;

use super::{check_length, not_found, parse_id, respond_json};
use crate::Problem;
use crate::state::State;
use crate::views::publisher::publisher_view;

/// Entries per page: default.
const ENTRIES_DEFAULT: u64 = 50;
const ENTRIES_MAX: u64 = 500;

pub(crate) async fn list_publishers<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, |state| Ok(state.service.query().list_logs()?)).await
}

pub(crate) async fn show_publisher<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Response {
    respond_json(state, move |state| publisher_view(state, &id)).await
}

pub(crate) async fn list_forks<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, |state| Ok(state.service.query().list_forks()?)).await
}

/// Page of log entries.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryPageParams {
    /// Exclusive upper bound of the sequence numbers.
    cursor: Option<u64>,
    limit: Option<u64>,
}

/// A log entry with a summary.
#[derive(Debug, Serialize)]
struct EntryResponse {
    #[serde(flatten)]
    entry: EntryInfo,
    summary: String,
    /// Attested release; attestations only.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<ReleaseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

impl EntryResponse {
    fn describe<K: Storage>(state: &State<K>, entry: EntryInfo) -> Self {
        let query = state.service.query();
        // The object type in an entry is a claim of its signer; the object may be something else.
        let attestation =
            (entry.kind == "attestation").then(|| query.read_object::<Attestation>(entry.object).ok());
        let (release, verdict) =
            attestation.flatten().map(|attestation| (attestation.release, attestation.verdict)).unzip();
        Self { summary: entry_summary(&entry), entry, release, verdict }
    }
}

pub(crate) async fn list_entries<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
    page: Result<Params<EntryPageParams>, QueryRejection>,
) -> Response {
    let Params(page) = match page {
        Ok(page) => page,
        Err(error) => return Problem::invalid_query(error).into_response(),
    };
    let (path, limit) = (id.clone(), page.limit.unwrap_or(ENTRIES_DEFAULT).clamp(1, ENTRIES_MAX));
    let log = check_length(&id).and_then(parse_id::<PublisherId>).and_then(|id| {
        let logs = state.service.query().list_logs()?;
        logs.into_iter().find(|log| log.publisher == id).ok_or_else(|| not_found("publisher"))
    });
    let log = match log {
        Ok(log) => log,
        Err(problem) => return problem.into_response(),
    };
    // Newest first: a page ends at the cursor, and the next cursor is where it begins.
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

/// Returns a one-line summary of an entry.
pub(crate) fn entry_summary(entry: &EntryInfo) -> String {
    format!("{} {}", entry.kind, entry.subject)
}

//! Route handlers, one module per resource, and the helpers that they share.

pub(crate) mod blocks;
pub(crate) mod countries;
pub(crate) mod data_files;
pub(crate) mod dcat;
pub(crate) mod documentation;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod follows;
pub(crate) mod monitoring;
pub(crate) mod objects;
pub(crate) mod panels;
pub(crate) mod peers;
pub(crate) mod publish;
pub(crate) mod publishers;
pub(crate) mod recipes;
pub(crate) mod reruns;
pub(crate) mod resolve;
pub(crate) mod search;
pub(crate) mod status;

use std::sync::Arc;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::address::Vintage;
use serde::Serialize;
use service::{Error, Storage};

use crate::Problem;
use crate::state::State;

/// Response of a handler without blocking work.
pub(crate) type JsonResult<T> = Result<Json<T>, Problem>;

/// Bytes of a path segment or query parameter.
const TEXT_BYTES_MAX: usize = 2048;
/// `Cache-Control` of responses that depend on content ids only.
pub(crate) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Runs `work` on the blocking pool and responds with its result as JSON.
pub(crate) async fn respond_json<K: Storage, T: Serialize + Send + 'static>(
    state: State<K>,
    work: impl FnOnce(&State<K>) -> Result<T, Problem> + Send + 'static,
) -> Response {
    match run_blocking(state, work).await {
        Ok(value) => Json(value).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Like [`respond_json`], for resources that are identified by content ids and therefore never change.
pub(crate) async fn respond_immutable<K: Storage, T: Serialize + Send + 'static>(
    state: State<K>,
    work: impl FnOnce(&State<K>) -> Result<T, Problem> + Send + 'static,
) -> Response {
    match run_blocking(state, work).await {
        Ok(value) => ([(header::CACHE_CONTROL, IMMUTABLE)], Json(value)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Runs `work` on the blocking pool, with at most `BLOCKING_MAX` tasks at a time.
pub(crate) async fn run_blocking<K: Storage, T: Send + 'static>(
    state: State<K>,
    work: impl FnOnce(&State<K>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    // The permit moves into the task, which keeps running when the request is cancelled.
    let permit =
        Arc::clone(&state.blocking_permits).acquire_owned().await.map_err(|_| Problem::no_response())?;
    let result = tokio::task::spawn_blocking(move || {
        let result = work(&state);
        drop(permit);
        result
    });
    result.await.map_err(|_| Problem::no_response())?
}

/// Checks the length of untrusted text.
pub(crate) fn check_length(text: &str) -> Result<&str, Problem> {
    if text.len() <= TEXT_BYTES_MAX {
        return Ok(text);
    }
    let detail = format!("a path segment or parameter is longer than {TEXT_BYTES_MAX} bytes");
    Err(Problem::new(StatusCode::BAD_REQUEST, "long", detail))
}

/// Problem for something that is not stored here.
pub(crate) fn not_found(what: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", format!("{what} not found"))
}

/// Parses an id or period from a path.
pub(crate) fn parse_id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(StatusCode::BAD_REQUEST, "id", error.to_string()))
}

/// Parses a vintage: `latest`, `first`, `seq=<n>` or `asof=<date>`.
pub(crate) fn parse_vintage(text: &str) -> Result<Vintage, Problem> {
    let malformed = |error: schemas::address::Error| Error::Malformed(error.to_string()).into();
    check_length(text)?.parse().map_err(malformed)
}

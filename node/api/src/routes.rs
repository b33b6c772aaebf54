//! The routes that read the index. Each is a function that may wait for the disk; [`answer`] runs it
//! where that is allowed.

pub(crate) mod catalogue;
pub(crate) mod data;
pub(crate) mod figure;
pub(crate) mod panel;
pub(crate) mod publishers;
pub(crate) mod recipes;
pub(crate) mod search;

use std::sync::Arc;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use service::Storage;

use crate::read::IMMUTABLE;
use crate::{Problem, State};

/// Bytes of a part of a path, or of a parameter.
const TEXT_BYTES_MAX: usize = 2048;

/// The answer that `work` gives, as JSON.
pub(crate) async fn respond_json<K: Storage, T: Serialize + Send + 'static>(
    state: State<K>,
    work: impl FnOnce(&State<K>) -> Result<T, Problem> + Send + 'static,
) -> Response {
    match run_blocking(state, work).await {
        Ok(value) => Json(value).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// The same, where what is asked for is named by ids alone and can never be answered otherwise.
pub(crate) async fn respond_immutable<K: Storage, T: Serialize + Send + 'static>(
    state: State<K>,
    work: impl FnOnce(&State<K>) -> Result<T, Problem> + Send + 'static,
) -> Response {
    match run_blocking(state, work).await {
        Ok(value) => ([(header::CACHE_CONTROL, IMMUTABLE)], Json(value)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// What `work` gives, made on a thread that may wait, of which there are so many.
pub(crate) async fn run_blocking<K: Storage, T: Send + 'static>(
    state: State<K>,
    work: impl FnOnce(&State<K>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let turn =
        Arc::clone(&state.blocking_permits).acquire_owned().await.map_err(|_| Problem::no_response())?;
    let made = tokio::task::spawn_blocking(move || {
        let made = work(&state);
        drop(turn);
        made
    });
    made.await.map_err(|_| Problem::no_response())?
}

/// A text from outside, of a length that nothing here exceeds.
pub(crate) fn check_length(text: &str) -> Result<&str, Problem> {
    if text.len() <= TEXT_BYTES_MAX {
        return Ok(text);
    }
    let detail = format!("a name or key has at most {TEXT_BYTES_MAX} bytes");
    Err(Problem::new(StatusCode::BAD_REQUEST, "long", detail))
}

/// There is no such thing here.
pub(crate) fn not_found(what: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", format!("{what} is not here"))
}

/// The parts of a key: dimensions are joined by dots; `_` is the key of figures without any.
pub(crate) fn split_key(text: &str) -> Vec<String> {
    if text == "_" { Vec::new() } else { text.split('.').map(str::to_owned).collect() }
}

/// The parts of a key as one text.
pub(crate) fn join_key(key: &[String]) -> String {
    if key.is_empty() { "_".to_owned() } else { key.join(".") }
}

//! Re-runs of a release: streamed to a reader, or attested by the node. One at a time.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use schemas::cid::ReleaseId;
use schemas::text::Name;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{ServiceCommand, Storage, Verification};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::events::KEEP_ALIVE;
use super::{check_length, not_found, parse_id};
use crate::Problem;
use crate::state::State;
use crate::views::figure::{FigureSelection, verified_cell};

/// Queued runs, in addition to the one that executes.
const PENDING_RUNS_MAX: usize = 8;

/// Queue of requested runs. A run computes for seconds on all inputs, so only one executes at a time.
pub(crate) struct RerunQueue {
    permit: Semaphore,
    pending: AtomicUsize,
}

impl Default for RerunQueue {
    fn default() -> Self {
        Self { permit: Semaphore::new(1), pending: AtomicUsize::new(0) }
    }
}

impl RerunQueue {
    /// Number of runs that are queued or executing.
    pub(crate) fn pending_runs(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}

/// The figure that a reader of a re-run asks about.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerunParams {
    output: Option<String>,
    key: Option<String>,
    period: Option<String>,
}

impl RerunParams {
    fn selection(&self) -> Result<Option<FigureSelection>, Problem> {
        let (Some(output), Some(key), Some(period)) = (&self.output, &self.key, &self.period) else {
            return Ok(None);
        };
        let output = Name::new(check_length(output)?).map_err(|_| not_found("output"))?;
        Ok(Some((output, parse_id(check_length(key)?)?, parse_id(check_length(period)?)?)))
    }
}

/// Re-runs a release and streams the progress and the verdict; signs nothing.
pub(crate) async fn stream_rerun<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
    figure: Result<Params<RerunParams>, QueryRejection>,
) -> Response {
    let found = check_length(&id).and_then(parse_id::<ReleaseId>);
    let found = found.and_then(|id| {
        let figure = figure.map_err(Problem::invalid_query)?.0.selection()?;
        Ok((state.service.query().find_release(id)?, figure))
    });
    let (info, figure) = match found {
        Ok(found) => found,
        Err(problem) => return problem.into_response(),
    };
    // Errors up to here get a status; later ones are events of the stream.
    let waiting = match RunGuard::enter(&state) {
        Ok(waiting) => waiting,
        Err(problem) => return problem.into_response(),
    };
    let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(4);
    tokio::spawn(async move {
        let say = async |kind: &str, value: Value| {
            // Sending fails if the reader has left; the run continues, as it cannot be interrupted.
            let _ = sender.send(Ok(Event::default().event(kind).data(value.to_string()))).await;
        };
        say("progress", json!({ "stage": "waiting", "steps": info.release.steps })).await;
        if let Ok(_turn) = state.reruns.permit.acquire().await {
            say("progress", json!({ "stage": "running", "steps": info.release.steps })).await;
            let started = std::time::Instant::now();
            match rerun_blocking(&state, info.id).await {
                Ok(found) => {
                    let seconds = started.elapsed().as_secs_f64();
                    let cell = figure.and_then(|figure| verified_cell(&state, &found, &figure).ok());
                    let value = json!({
                        "verdict": found.verdict, "word": found.verdict.as_str(), "steps": found.steps,
                        "results": found.results, "seconds": seconds, "figure": cell,
                    });
                    say("verdict", value).await;
                }
                Err(problem) => say("problem", json!({ "detail": problem.detail })).await,
            }
        }
        drop(waiting);
    });
    Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Re-runs a release when the queue permits.
async fn rerun_in_turn<K: Storage>(state: &State<K>, release: ReleaseId) -> Result<Verification, Problem> {
    let _waiting = RunGuard::enter(state)?;
    let _turn = state.reruns.permit.acquire().await.map_err(|_| Problem::no_response())?;
    rerun_blocking(state, release).await
}

async fn rerun_blocking<K: Storage>(state: &State<K>, release: ReleaseId) -> Result<Verification, Problem> {
    let state = state.clone();
    let run = tokio::task::spawn_blocking(move || state.service.query().rerun_release(release));
    run.await.map_err(|_| Problem::no_response())
}

/// Slot in the queue of runs, held until the run has ended.
struct RunGuard<K: Storage>(State<K>);

impl<K: Storage> RunGuard<K> {
    fn enter(state: &State<K>) -> Result<Self, Problem> {
        // Created before the check: dropping it undoes the increment if the queue is full.
        let waiting = Self(state.clone());
        if state.reruns.pending.fetch_add(1, Ordering::Relaxed) > PENDING_RUNS_MAX {
            let detail = "too many runs in the queue; try again later";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail));
        }
        Ok(waiting)
    }
}

impl<K: Storage> Drop for RunGuard<K> {
    fn drop(&mut self) {
        self.0.reruns.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Verdict of a run, and whether an attestation was signed.
#[derive(Debug, Serialize)]
pub(crate) struct VerificationResponse {
    verdict: Verdict,
    steps: u64,
    attested: bool,
}

/// Re-runs a release, stores the verdict, and signs an attestation if the node has an identity.
pub(crate) async fn verify_release<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(release): Path<String>,
) -> Result<Json<VerificationResponse>, Problem> {
    let release: ReleaseId = parse_id(&release)?;
    // Refuses an unknown release before it takes a slot in the queue.
    state.service.query().find_release(release)?;
    let found = rerun_in_turn(&state, release).await?;
    let (verdict, steps) = (found.verdict.clone(), found.steps);
    let attested =
        state.service.request(|reply| ServiceCommand::Verified(Box::new(found), Some(reply))).await?;
    Ok(Json(VerificationResponse { verdict, steps, attested }))
}

//! What happens, as it happens: `text/event-stream`.
//!
//! Events have numbers that rise as long as the node runs. Who comes back with the number of the last
//! one gets what was missed, as far as it is still at hand, or else the event `reset`: then whatever
//! was read before may be old. Lists are read from the other routes; a stream only says when.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use schemas::cid::ReleaseId;
use serde_json::{Value, json};
use service::{NodeEvent, Service, Storage, Verification};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::read::parse_id;
use crate::routes::{check_length, publishers};
use crate::{Problem, State};

/// Events that are kept for those who come back.
const HISTORY_MAX: usize = 1024;
/// Readers at one time.
const READERS_MAX: usize = 1000;
/// Events that a reader may lag behind.
const LAG_MAX: usize = 256;
/// Runs that wait for their turn, beside the one that has it.
const PENDING_RUNS_MAX: usize = 8;
/// A sign of life to keep connections open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An event with its number.
type FeedEvent = (u64, &'static str, Value);

/// The events of a node.
pub(crate) struct EventFeed {
    past: Mutex<(u64, VecDeque<FeedEvent>)>,
    sender: broadcast::Sender<FeedEvent>,
    readers: AtomicUsize,
    /// One release is run again at a time.
    run_permit: tokio::sync::Semaphore,
    pending: AtomicUsize,
}

impl EventFeed {
    /// Starts to note what happens; must be called inside a tokio runtime. Ends with the service.
    pub(crate) fn start<K: Storage>(service: &Service<K>) -> Arc<Self> {
        let (news, _) = broadcast::channel(LAG_MAX);
        let turn = tokio::sync::Semaphore::new(1);
        let past = Mutex::new((0, VecDeque::new()));
        let feed =
            Arc::new(Self { past, sender: news, readers: 0.into(), run_permit: turn, pending: 0.into() });
        let (mut notices, keep, noting) = (service.subscribe(), service.storage(), Arc::downgrade(&feed));
        tokio::spawn(async move {
            loop {
                let notice = match notices.recv().await {
                    Ok(notice) => Some(notice),
                    Err(broadcast::error::RecvError::Lagged(_)) => None,
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                let Some(feed) = noting.upgrade() else { return };
                let keep = Arc::clone(&keep);
                let told = move || {
                    notice.map_or(("reset", json!({})), |notice| describe_notice(keep.as_ref(), &notice))
                };
                let Ok((kind, value)) = tokio::task::spawn_blocking(told).await else { return };
                feed.record_event(kind, value);
            }
        });
        feed
    }

    pub(crate) fn reader_count(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }

    /// Runs that wait, and the one that has its turn.
    pub(crate) fn pending_runs(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    fn record_event(&self, kind: &'static str, value: Value) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.0 += 1;
        let event = (past.0, kind, value);
        if past.1.len() == HISTORY_MAX {
            past.1.pop_front();
        }
        past.1.push_back(event.clone());
        // Nobody has to listen.
        let _ = self.sender.send(event);
    }

    /// What was missed since an event, and what comes.
    fn subscribe_since(&self, last: Option<u64>) -> (Vec<FeedEvent>, broadcast::Receiver<FeedEvent>) {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.sender.subscribe();
        let Some(last) = last.filter(|last| *last != past.0) else { return (Vec::new(), news) };
        let known = past.1.front().is_some_and(|(first, ..)| *first <= last + 1) && last < past.0;
        if !known {
            return (vec![(past.0, "reset", json!({}))], news);
        }
        (past.1.iter().filter(|(number, ..)| *number > last).cloned().collect(), news)
    }
}

/// An event in words: its kind, and what it is about.
fn describe_notice<K: Storage>(keep: &K, notice: &NodeEvent) -> (&'static str, Value) {
    let query = service::query::LedgerQuery(keep);
    match notice {
        NodeEvent::Accepted { publisher, seq, kind, object } => {
            let entry = query.list_entries(*publisher, *seq..seq + 1).ok().and_then(|mut found| found.pop());
            let name =
                query.publisher_identity(*publisher).map(|one| one.name.to_string()).unwrap_or_default();
            let event = match kind.as_str() {
                "release" => "release",
                "attestation" => "attestation",
                _ => "head",
            };
            let attested = (event == "attestation").then(|| query.read_any_object(*object).ok()).flatten();
            let verdict = match attested {
                Some(schemas::object::Object::Attestation(found)) => {
                    json!({ "release": found.release, "verdict": found.verdict })
                }
                _ => json!({}),
            };
            let mut value = json!({
                "publisher": publisher, "name": name, "seq": seq, "kind": kind, "object": object,
                "time": entry.as_ref().map(|entry| entry.time),
                "summary": entry.as_ref().map(publishers::entry_summary),
            });
            if let (Some(value), Value::Object(more)) = (value.as_object_mut(), verdict) {
                value.extend(more);
            }
            (event, value)
        }
        NodeEvent::Verified { release, verdict, attested } => {
            ("verified", json!({ "release": release, "verdict": verdict, "attested": attested }))
        }
        NodeEvent::Forked { publisher, seq } => {
            let name =
                query.publisher_identity(*publisher).map(|one| one.name.to_string()).unwrap_or_default();
            ("fork", json!({ "publisher": publisher, "name": name, "seq": seq }))
        }
    }
}

fn sse_event((number, kind, value): FeedEvent) -> Event {
    // JSON has no line break of its own, so one line is one event.
    Event::default().id(number.to_string()).event(kind).data(value.to_string())
}

/// A count of readers that goes down when one leaves.
struct ReaderGuard<K: Storage>(State<K>);

impl<K: Storage> Drop for ReaderGuard<K> {
    fn drop(&mut self) {
        self.0.feed.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) async fn stream_events<K: Storage>(
    Shared(state): Shared<State<K>>,
    headers: HeaderMap,
) -> Response {
    if state.feed.readers.fetch_add(1, Ordering::Relaxed) >= READERS_MAX {
        state.feed.readers.fetch_sub(1, Ordering::Relaxed);
        let detail = format!("at most {READERS_MAX} readers at one time");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "readers", detail).into_response();
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let (missed, mut news) = state.feed.subscribe_since(last);
    let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(LAG_MAX);
    let reader = ReaderGuard(state);
    tokio::spawn(async move {
        let _reader = reader;
        for one in missed {
            if sender.send(Ok(sse_event(one))).await.is_err() {
                return;
            }
        }
        loop {
            // A reader who lags behind is let go, and comes back with the number of the last event.
            let next = tokio::select! {
                next = news.recv() => next,
                () = sender.closed() => return,
            };
            let Ok(next) = next else { return };
            if sender.try_send(Ok(sse_event(next))).is_err() {
                return;
            }
        }
    });
    Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Runs a release again without signing anything, and says what came of it.
pub(crate) async fn stream_rerun<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Response {
    let found = check_length(&id).and_then(parse_id::<ReleaseId>);
    let found = found.and_then(|id| Ok(state.service.query().find_release(id)?));
    let info = match found {
        Ok(info) => info,
        Err(problem) => return problem.into_response(),
    };
    let waiting = match RunGuard::enter(&state) {
        Ok(waiting) => waiting,
        Err(problem) => return problem.into_response(),
    };
    let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(4);
    tokio::spawn(async move {
        let say = async |kind: &str, value: Value| {
            // Who has left need not know.
            let _ = sender.send(Ok(Event::default().event(kind).data(value.to_string()))).await;
        };
        say("progress", json!({ "stage": "waiting", "steps": info.release.steps })).await;
        if let Ok(_turn) = state.feed.run_permit.acquire().await {
            say("progress", json!({ "stage": "running", "steps": info.release.steps })).await;
            let started = std::time::Instant::now();
            match rerun_blocking(&state, info.id).await {
                Ok(found) => {
                    let seconds = started.elapsed().as_secs_f64();
                    let value = json!({
                        "verdict": found.verdict, "word": found.verdict.as_str(), "steps": found.steps,
                        "results": found.results, "seconds": seconds,
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

/// Runs a release again when its turn has come.
pub(crate) async fn rerun_in_turn<K: Storage>(
    state: &State<K>,
    release: ReleaseId,
) -> Result<Verification, Problem> {
    let _waiting = RunGuard::enter(state)?;
    let _turn = state.feed.run_permit.acquire().await.map_err(|_| Problem::no_response())?;
    rerun_blocking(state, release).await
}

async fn rerun_blocking<K: Storage>(state: &State<K>, release: ReleaseId) -> Result<Verification, Problem> {
    let state = state.clone();
    let run = tokio::task::spawn_blocking(move || state.service.query().rerun_release(release));
    run.await.map_err(|_| Problem::no_response())
}

/// A place among those who wait for a run, and whoever has one.
struct RunGuard<K: Storage>(State<K>);

impl<K: Storage> RunGuard<K> {
    fn enter(state: &State<K>) -> Result<Self, Problem> {
        let waiting = Self(state.clone());
        if state.feed.pending.fetch_add(1, Ordering::Relaxed) > PENDING_RUNS_MAX {
            let detail = "too many runs wait for their turn; try again in a moment";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail));
        }
        Ok(waiting)
    }
}

impl<K: Storage> Drop for RunGuard<K> {
    fn drop(&mut self) {
        self.0.feed.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

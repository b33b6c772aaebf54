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
use service::{Keep, Notice, Service, Verification};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::read::parse;
use crate::routes::{bounded, people};
use crate::{Problem, State};

/// Events that are kept for those who come back.
const EVENTS_MAX: usize = 1024;
/// Readers at one time.
const READERS_MAX: usize = 1000;
/// Events that a reader may lag behind.
const LAG_MAX: usize = 256;
/// Runs that wait for their turn, beside the one that has it.
const WAITING_MAX: usize = 8;
/// A sign of life to keep connections open.
const ALIVE: Duration = Duration::from_secs(15);

/// An event with its number.
type Numbered = (u64, &'static str, Value);

/// The events of a node.
pub(crate) struct Feed {
    past: Mutex<(u64, VecDeque<Numbered>)>,
    news: broadcast::Sender<Numbered>,
    readers: AtomicUsize,
    /// One release is run again at a time.
    turn: tokio::sync::Semaphore,
    waiting: AtomicUsize,
}

impl Feed {
    /// Starts to note what happens; must be called inside a tokio runtime. Ends with the service.
    pub(crate) fn start<K: Keep>(service: &Service<K>) -> Arc<Self> {
        let (news, _) = broadcast::channel(LAG_MAX);
        let turn = tokio::sync::Semaphore::new(1);
        let past = Mutex::new((0, VecDeque::new()));
        let feed = Arc::new(Self { past, news, readers: 0.into(), turn, waiting: 0.into() });
        let (mut notices, keep, noting) = (service.notices(), service.keep(), Arc::downgrade(&feed));
        tokio::spawn(async move {
            loop {
                let notice = match notices.recv().await {
                    Ok(notice) => Some(notice),
                    Err(broadcast::error::RecvError::Lagged(_)) => None,
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                let Some(feed) = noting.upgrade() else { return };
                let keep = Arc::clone(&keep);
                let told = move || notice.map_or(("reset", json!({})), |notice| told(keep.as_ref(), &notice));
                let Ok((kind, value)) = tokio::task::spawn_blocking(told).await else { return };
                feed.note(kind, value);
            }
        });
        feed
    }

    pub(crate) fn readers(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }

    /// Runs that wait, and the one that has its turn.
    pub(crate) fn runs(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn note(&self, kind: &'static str, value: Value) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.0 += 1;
        let event = (past.0, kind, value);
        if past.1.len() == EVENTS_MAX {
            past.1.pop_front();
        }
        past.1.push_back(event.clone());
        // Nobody has to listen.
        let _ = self.news.send(event);
    }

    /// What was missed since an event, and what comes.
    fn since(&self, last: Option<u64>) -> (Vec<Numbered>, broadcast::Receiver<Numbered>) {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.news.subscribe();
        let Some(last) = last.filter(|last| *last != past.0) else { return (Vec::new(), news) };
        let known = past.1.front().is_some_and(|(first, ..)| *first <= last + 1) && last < past.0;
        if !known {
            return (vec![(past.0, "reset", json!({}))], news);
        }
        (past.1.iter().filter(|(number, ..)| *number > last).cloned().collect(), news)
    }
}

/// An event in words: its kind, and what it is about.
fn told<K: Keep>(keep: &K, notice: &Notice) -> (&'static str, Value) {
    let query = service::query::Query(keep);
    match notice {
        Notice::Accepted { publisher, seq, kind, object } => {
            let entry = query.entries(*publisher, *seq..seq + 1).ok().and_then(|mut found| found.pop());
            let name = query.identity(*publisher).map(|one| one.name.to_string()).unwrap_or_default();
            let event = match kind.as_str() {
                "release" => "release",
                "attestation" => "attestation",
                _ => "head",
            };
            let attested = (event == "attestation").then(|| query.any(*object).ok()).flatten();
            let verdict = match attested {
                Some(schemas::object::Object::Attestation(found)) => {
                    json!({ "release": found.release, "verdict": found.verdict })
                }
                _ => json!({}),
            };
            let mut value = json!({
                "publisher": publisher, "name": name, "seq": seq, "kind": kind, "object": object,
                "time": entry.as_ref().map(|entry| entry.time),
                "summary": entry.as_ref().map(people::summary),
            });
            if let (Some(value), Value::Object(more)) = (value.as_object_mut(), verdict) {
                value.extend(more);
            }
            (event, value)
        }
        Notice::Verified { release, verdict, attested } => {
            ("verified", json!({ "release": release, "verdict": verdict, "attested": attested }))
        }
        Notice::Forked { publisher, seq } => {
            let name = query.identity(*publisher).map(|one| one.name.to_string()).unwrap_or_default();
            ("fork", json!({ "publisher": publisher, "name": name, "seq": seq }))
        }
    }
}

fn event((number, kind, value): Numbered) -> Event {
    // JSON has no line break of its own, so one line is one event.
    Event::default().id(number.to_string()).event(kind).data(value.to_string())
}

/// A count of readers that goes down when one leaves.
struct Reader<K: Keep>(State<K>);

impl<K: Keep> Drop for Reader<K> {
    fn drop(&mut self) {
        self.0.feed.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) async fn events<K: Keep>(Shared(state): Shared<State<K>>, headers: HeaderMap) -> Response {
    if state.feed.readers.fetch_add(1, Ordering::Relaxed) >= READERS_MAX {
        state.feed.readers.fetch_sub(1, Ordering::Relaxed);
        let detail = format!("at most {READERS_MAX} readers at one time");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "readers", detail).into_response();
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let (missed, mut news) = state.feed.since(last);
    let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(LAG_MAX);
    let reader = Reader(state);
    tokio::spawn(async move {
        let _reader = reader;
        for one in missed {
            if sender.send(Ok(event(one))).await.is_err() {
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
            if sender.try_send(Ok(event(next))).is_err() {
                return;
            }
        }
    });
    Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

/// Runs a release again without signing anything, and says what came of it.
pub(crate) async fn rerun<K: Keep>(Shared(state): Shared<State<K>>, Path(id): Path<String>) -> Response {
    let found = bounded(&id).and_then(parse::<ReleaseId>);
    let found = found.and_then(|id| Ok(state.service.query().release(id)?));
    let info = match found {
        Ok(info) => info,
        Err(problem) => return problem.into_response(),
    };
    let waiting = match Waiting::join(&state) {
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
        if let Ok(_turn) = state.feed.turn.acquire().await {
            say("progress", json!({ "stage": "running", "steps": info.release.steps })).await;
            let started = std::time::Instant::now();
            match computed(&state, info.id).await {
                Ok(found) => {
                    let seconds = started.elapsed().as_secs_f64();
                    let value = json!({
                        "verdict": found.verdict, "word": found.verdict.word(), "steps": found.steps,
                        "results": found.results, "seconds": seconds,
                    });
                    say("verdict", value).await;
                }
                Err(problem) => say("problem", json!({ "detail": problem.detail })).await,
            }
        }
        drop(waiting);
    });
    Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

/// Runs a release again when its turn has come.
pub(crate) async fn run<K: Keep>(state: &State<K>, release: ReleaseId) -> Result<Verification, Problem> {
    let _waiting = Waiting::join(state)?;
    let _turn = state.feed.turn.acquire().await.map_err(|_| Problem::ended())?;
    computed(state, release).await
}

async fn computed<K: Keep>(state: &State<K>, release: ReleaseId) -> Result<Verification, Problem> {
    let state = state.clone();
    let run = tokio::task::spawn_blocking(move || state.service.query().rerun(release));
    run.await.map_err(|_| Problem::ended())
}

/// A place among those who wait for a run, and whoever has one.
struct Waiting<K: Keep>(State<K>);

impl<K: Keep> Waiting<K> {
    fn join(state: &State<K>) -> Result<Self, Problem> {
        let waiting = Self(state.clone());
        if state.feed.waiting.fetch_add(1, Ordering::Relaxed) > WAITING_MAX {
            let detail = "too many runs wait for their turn; try again in a moment";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail));
        }
        Ok(waiting)
    }
}

impl<K: Keep> Drop for Waiting<K> {
    fn drop(&mut self) {
        self.0.feed.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

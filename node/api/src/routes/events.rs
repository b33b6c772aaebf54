//! Event stream of the node (`text/event-stream`).
//!
//! Event ids increase while the node runs. A client that reconnects with `Last-Event-ID` gets the events
//! that it missed, or `reset` if they are no longer buffered: then everything it has read may be stale.
//! Events only announce changes; the data come from the other routes.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use service::{NodeEvent, Service, Storage};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::publishers;
use crate::Problem;
use crate::state::State;

/// Events buffered for clients that reconnect.
const HISTORY_MAX: usize = 1024;
/// Readers at a time.
const READERS_MAX: usize = 1000;
/// Events that a reader may lag behind before it is disconnected.
const LAG_MAX: usize = 256;
/// Interval of comments that keep idle connections open.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Id, name and data of an event.
type FeedEvent = (u64, &'static str, Value);

/// Buffers and distributes the events of a node.
pub(crate) struct EventFeed {
    past: Mutex<(u64, VecDeque<FeedEvent>)>,
    sender: broadcast::Sender<FeedEvent>,
    readers: AtomicUsize,
}

impl EventFeed {
    /// Starts recording the notices of the service; must be called inside a tokio runtime. Ends with the
    /// service.
    pub(crate) fn start<K: Storage>(service: &Service<K>) -> Arc<Self> {
        let (receiver, _) = broadcast::channel(LAG_MAX);
        let past = Mutex::new((0, VecDeque::new()));
        let feed = Arc::new(Self { past, sender: receiver, readers: 0.into() });
        let (mut notices, storage, weak_feed) =
            (service.subscribe(), service.storage(), Arc::downgrade(&feed));
        tokio::spawn(async move {
            loop {
                let notice = match notices.recv().await {
                    Ok(notice) => Some(notice),
                    Err(broadcast::error::RecvError::Lagged(_)) => None,
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                let Some(feed) = weak_feed.upgrade() else { return };
                let storage = Arc::clone(&storage);
                let describe = move || {
                    notice.map_or(("reset", json!({})), |notice| describe_notice(storage.as_ref(), &notice))
                };
                let Ok((kind, value)) = tokio::task::spawn_blocking(describe).await else { return };
                feed.record_event(kind, value);
            }
        });
        feed
    }

    pub(crate) fn reader_count(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }

    fn record_event(&self, kind: &'static str, value: Value) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.0 += 1;
        let event = (past.0, kind, value);
        if past.1.len() == HISTORY_MAX {
            past.1.pop_front();
        }
        past.1.push_back(event.clone());
        // Sending fails if nobody is subscribed, which is fine.
        let _ = self.sender.send(event);
    }

    /// Returns the events after `last`, and a receiver for the next ones. Both are taken under one lock,
    /// so no event is lost or repeated in between.
    fn subscribe_since(&self, last: Option<u64>) -> (Vec<FeedEvent>, broadcast::Receiver<FeedEvent>) {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender.subscribe();
        let Some(last) = last.filter(|last| *last != past.0) else { return (Vec::new(), receiver) };
        let known = past.1.front().is_some_and(|(first, ..)| *first <= last + 1) && last < past.0;
        if !known {
            return (vec![(past.0, "reset", json!({}))], receiver);
        }
        (past.1.iter().filter(|(number, ..)| *number > last).cloned().collect(), receiver)
    }
}

/// Converts a notice to the name and data of an event.
fn describe_notice<K: Storage>(storage: &K, notice: &NodeEvent) -> (&'static str, Value) {
    let query = service::query::LedgerQuery(storage);
    match notice {
        NodeEvent::Accepted { publisher, seq, kind, object } => {
            let entry = query.list_entries(*publisher, *seq..seq + 1).ok().and_then(|mut found| found.pop());
            let name =
                query.publisher_identity(*publisher).map(|event| event.name.to_string()).unwrap_or_default();
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
                query.publisher_identity(*publisher).map(|event| event.name.to_string()).unwrap_or_default();
            ("fork", json!({ "publisher": publisher, "name": name, "seq": seq }))
        }
    }
}

fn sse_event((number, kind, value): FeedEvent) -> Event {
    // Serialised JSON has no line breaks, so the data is one line as server-sent events require.
    Event::default().id(number.to_string()).event(kind).data(value.to_string())
}

/// Decrements the reader count when dropped.
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
    // Counted before the check, so that concurrent readers cannot all pass it.
    if state.feed.readers.fetch_add(1, Ordering::Relaxed) >= READERS_MAX {
        state.feed.readers.fetch_sub(1, Ordering::Relaxed);
        let detail = format!("too many readers; the limit is {READERS_MAX}");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "readers", detail).into_response();
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let (missed, mut receiver) = state.feed.subscribe_since(last);
    let (sender, stream) = mpsc::channel::<Result<Event, Infallible>>(LAG_MAX);
    // The guard moves into the task and releases the slot when the stream ends.
    let reader = ReaderGuard(state);
    tokio::spawn(async move {
        let _reader = reader;
        for event in missed {
            if sender.send(Ok(sse_event(event))).await.is_err() {
                return;
            }
        }
        loop {
            // A lagging reader is disconnected; it reconnects with `Last-Event-ID`.
            let next = tokio::select! {
                next = receiver.recv() => next,
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

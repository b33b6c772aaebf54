//! How the node does, for programs that watch it: `/metrics` (Prometheus), `/healthz`, `/readyz`.
//!
//! Labels are routes as they are written down, never paths as they came: a stranger cannot make
//! more of them.

use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use service::{Error, Storage};

use crate::routes::run_blocking;
use crate::{Problem, State};

/// Seconds that tell a kept answer from one that had to be made.
const DURATION_BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// The text format of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
}

/// What is counted as it happens.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        let buckets: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        Self { requests: Family::default(), seconds: Family::new_with_constructor(buckets) }
    }
}

/// Counts an answer, and how long it took until it began.
pub(crate) async fn count_request<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("page", |path| path.as_str()).to_owned();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let started = Instant::now();
    let response = next.run(request).await;
    let metrics = &state.metrics;
    metrics
        .seconds
        .get_or_create(&RouteLabels { route: route.clone() })
        .observe(started.elapsed().as_secs_f64());
    metrics
        .requests
        .get_or_create(&RequestLabels { method, route, status: response.status().as_u16() })
        .inc();
    response
}

pub(crate) async fn show_metrics<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    match run_blocking(state, |state| Ok(encode_metrics(state)?)).await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn encode_metrics<K: Storage>(state: &State<K>) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("assay");
    registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let RequestMetrics { requests, seconds } = state.metrics.clone();
    registry.register("http_requests", "Answers by route and status", requests);
    let help = "Time from a request to the head of its answer";
    registry.register_with_unit("http_request_duration", help, Unit::Seconds, seconds);
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let query = state.service.query();
    let (logs, catalogue) = (query.list_logs()?, state.views.catalogue()?);
    gauge("logs", "Logs of publishers held", logs.len() as u64);
    gauge("log_entries", "Entries held", logs.iter().map(|log| log.length).sum());
    gauge(
        "log_entries_complete",
        "Entries whose objects are whole here",
        logs.iter().map(|log| log.complete).sum(),
    );
    gauge(
        "forks",
        "Publishers who signed two histories",
        logs.iter().filter(|log| log.forked).count() as u64,
    );
    gauge("dataflows", "Outputs of the latest releases", catalogue.flows.len() as u64);
    gauge(
        "releases",
        "Releases held",
        catalogue.vintages.values().map(|releases| releases.len() as u64).sum(),
    );
    gauge("peers", "Peers connected", (state.peers)().len() as u64);
    gauge("event_readers", "Readers of the event stream", state.feed.reader_count() as u64);
    gauge("runs", "Runs asked for by readers that have not ended", state.feed.pending_runs() as u64);
    gauge(
        "requests_in_flight",
        "Requests without an answer",
        state.requests_in_flight.load(Ordering::Relaxed) as u64,
    );
    let verdicts = Family::<VerdictLabels, Gauge>::default();
    for info in catalogue.vintages.values().flatten() {
        let verdict = info.verdict.as_ref().map_or("none", |verdict| verdict.as_str());
        verdicts.get_or_create(&VerdictLabels { verdict }).inc();
    }
    registry.register("verdicts", "Releases by what this node found", verdicts);
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = encode(&mut text, &registry);
    Ok(text)
}

/// Whether the node can read what it keeps.
pub(crate) async fn check_health<K: Storage>(
    Shared(state): Shared<State<K>>,
) -> Result<&'static str, Problem> {
    state.service.query().own_publisher()?;
    Ok("ok\n")
}

/// Whether the node has made its index, so that answers come at once.
pub(crate) async fn check_readiness<K: Storage>(
    Shared(state): Shared<State<K>>,
) -> Result<&'static str, Problem> {
    run_blocking(state, |state| Ok(state.views.catalogue().map(|_| "ready\n")?)).await
}

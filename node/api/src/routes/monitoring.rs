//! Monitoring: `/metrics` (OpenMetrics for Prometheus), `/healthz` and `/readyz`.

use std::sync::atomic::Ordering;

use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use service::{Error, Storage};

use super::run_blocking;
use crate::Problem;
use crate::middleware::request_metrics::RequestMetrics;
use crate::state::State;

/// Media type of the OpenMetrics 1.0 text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
}

pub(crate) async fn show_metrics<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    match run_blocking(state, |state| Ok(encode_metrics(state)?)).await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn encode_metrics<K: Storage>(state: &State<K>) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("assay");
    registry.register("build", "Program version", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let RequestMetrics { requests, seconds } = state.metrics.clone();
    registry.register("http_requests", "Responses by method, route and status", requests);
    let help = "Time from a request to its response head";
    registry.register_with_unit("http_request_duration", help, Unit::Seconds, seconds);
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let query = state.service.query();
    let (logs, catalogue) = (query.list_logs()?, state.views.catalogue()?);
    gauge("logs", "Stored logs", logs.len() as u64);
    gauge("log_entries", "Stored log entries", logs.iter().map(|log| log.length).sum());
    gauge(
        "log_entries_complete",
        "Log entries whose objects are stored completely",
        logs.iter().map(|log| log.complete).sum(),
    );
    gauge(
        "forks",
        "Publishers that signed two conflicting histories",
        logs.iter().filter(|log| log.forked).count() as u64,
    );
    gauge("dataflows", "Outputs of the latest releases", catalogue.flows.len() as u64);
    gauge(
        "releases",
        "Stored releases",
        catalogue.vintages.values().map(|releases| releases.len() as u64).sum(),
    );
    gauge("peers", "Connected peers", (state.peers)().len() as u64);
    gauge("event_readers", "Readers of the event stream", state.feed.reader_count() as u64);
    gauge("runs", "Queued and executing runs", state.reruns.pending_runs() as u64);
    gauge(
        "requests_in_flight",
        "Requests in progress",
        state.requests_in_flight.load(Ordering::Relaxed) as u64,
    );
    let verdicts = Family::<VerdictLabels, Gauge>::default();
    for info in catalogue.vintages.values().flatten() {
        let verdict = info.verdict.as_ref().map_or("none", |verdict| verdict.as_str());
        verdicts.get_or_create(&VerdictLabels { verdict }).inc();
    }
    registry.register("verdicts", "Releases by verdict of this node", verdicts);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    Ok(text)
}

/// Succeeds if the store is readable.
pub(crate) async fn check_health<K: Storage>(
    Shared(state): Shared<State<K>>,
) -> Result<&'static str, Problem> {
    state.service.query().own_publisher()?;
    Ok("ok\n")
}

/// Succeeds when the catalogue of flows is built.
pub(crate) async fn check_readiness<K: Storage>(
    Shared(state): Shared<State<K>>,
) -> Result<&'static str, Problem> {
    run_blocking(state, |state| Ok(state.views.catalogue().map(|_| "ready\n")?)).await
}

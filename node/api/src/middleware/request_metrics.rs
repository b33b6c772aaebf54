//! Request counters and durations.
//!
//! Labels are route patterns, never request paths, so a client cannot create new time series.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use service::Storage;

use crate::state::State;

/// Histogram bounds in seconds; the small ones separate cached responses from computed ones.
const DURATION_BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    route: String,
}

/// Metrics updated by each request.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        let buckets: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        Self { requests: Family::default(), seconds: Family::new_with_constructor(buckets) }
    }
}

/// Counts a request and the time to its response head.
pub(crate) async fn count_request<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    // Only the page fallback has no matched route.
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

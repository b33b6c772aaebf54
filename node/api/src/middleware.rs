//! Layers around the routes: admission, CORS, response cache and request metrics.

pub(crate) mod admission;
pub(crate) mod cors;
pub(crate) mod request_metrics;
pub(crate) mod response_cache;

use axum::http::{HeaderMap, HeaderName};

/// Returns the first value of a header, unless it is absent or not visible ASCII.
pub(crate) fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

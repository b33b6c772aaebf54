//! Who may come in.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use service::Storage;
use tower_http::cors::{Any, CorsLayer};

use crate::{BODY_BYTES_MAX, Problem, State, problem};

/// Requests at one time that have no answer yet.
const REQUESTS_MAX: usize = 512;
/// Time for the head of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for an answer to whoever sends something, who may send much.
const WRITE_TIMEOUT: Duration = Duration::from_secs(600);
/// Time for which a browser remembers what it may ask.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(86_400);

/// Refuses a `Host` that is no loopback name.
pub(crate) async fn loopback_host(request: Request, next: Next) -> Response {
    if header_text(request.headers(), header::HOST).is_some_and(is_loopback) {
        return next.run(request).await;
    }
    forbidden("this node answers on loopback names only")
}

/// Refuses pages of other places.
pub(crate) async fn same_site(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let origin = header_text(headers, header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)));
    let site = header_text(headers, HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| site != "cross-site");
    if origin && site {
        return next.run(request).await;
    }
    forbidden("pages of other places may read what is public, and this is not")
}

fn forbidden(detail: &str) -> Response {
    Problem::new(StatusCode::FORBIDDEN, "host", detail).into_response()
}

/// Every page may read what is public; none may send a name or a token along.
pub(crate) fn public_cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::ACCEPT, header::IF_NONE_MATCH, HeaderName::from_static("last-event-id")])
        .expose_headers([header::ETAG, header::LINK, header::CONTENT_DISPOSITION])
        .allow_private_network(true)
        .max_age(PREFLIGHT_MAX_AGE)
}

/// Refuses a body that says itself that it is too large, more requests than there is room for, and
/// an answer that takes too long.
pub(crate) async fn request_limits<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    let length =
        header_text(request.headers(), header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return problem::body_too_large().into_response();
    }
    let patience = if request.method().is_safe() { READ_TIMEOUT } else { WRITE_TIMEOUT };
    let _place = match RequestPermit::acquire(&state) {
        Some(place) => place,
        None => return retry_later("busy", "too many requests wait for an answer"),
    };
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => retry_later("slow", "the answer takes too long; ask for less of it"),
    }
}

fn retry_later(code: &str, detail: &str) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    ([(header::RETRY_AFTER, "2")], problem).into_response()
}

/// One of the requests that may wait at one time.
struct RequestPermit<K: Storage>(State<K>);

impl<K: Storage> RequestPermit<K> {
    fn acquire(state: &State<K>) -> Option<Self> {
        let place = Self(state.clone());
        (state.requests_in_flight.fetch_add(1, Ordering::Relaxed) < REQUESTS_MAX).then_some(place)
    }
}

impl<K: Storage> Drop for RequestPermit<K> {
    fn drop(&mut self) {
        self.0.requests_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Lets a request pass that carries the token of the data directory.
pub(crate) async fn bearer_token<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    let given =
        header_text(request.headers(), header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| equal_in_constant_time(given.as_bytes(), state.token.as_bytes())) {
        return next.run(request).await;
    }
    let detail = "this needs the token in the file `token` of the node's data directory";
    Problem::new(StatusCode::UNAUTHORIZED, "token", detail).into_response()
}

/// Compares without telling by its time where the first difference is.
fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_and_nothing_else() {
        for host in ["localhost", "localhost:80", "127.0.0.1:7070", "[::1]:1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.org", "127.0.0.1.example.org", "localhost.example.org:80", "10.0.0.1"] {
            assert!(!is_loopback(host), "{host}");
        }
        assert!(
            equal_in_constant_time(b"abc", b"abc")
                && !equal_in_constant_time(b"abc", b"abd")
                && !equal_in_constant_time(b"abc", b"ab")
        );
    }
}

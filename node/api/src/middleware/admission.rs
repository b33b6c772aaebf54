//! Request admission: host, origin, token, concurrency and time limits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use service::Storage;

use super::header_text;
use crate::state::State;
use crate::{BODY_BYTES_MAX, Problem, problem};

/// Requests in progress at a time.
const REQUESTS_MAX: usize = 512;
/// Time until the response head of a safe method.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Time until the response head of other methods: uploads are large, and a verification has to run.
const WRITE_TIMEOUT: Duration = Duration::from_secs(600);

/// Rejects requests whose `Host` is not a loopback name (protection against DNS rebinding).
pub(crate) async fn loopback_host(request: Request, next: Next) -> Response {
    if header_text(request.headers(), header::HOST).is_some_and(is_loopback) {
        return next.run(request).await;
    }
    forbidden("`Host` is not a loopback name; use localhost, 127.0.0.1 or [::1]")
}

/// Rejects cross-site requests.
pub(crate) async fn same_site(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let origin = header_text(headers, header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)));
    // Browsers omit `Origin` on simple GET requests, so `Sec-Fetch-Site` is checked as well.
    let site = header_text(headers, HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| site != "cross-site");
    if origin && site {
        return next.run(request).await;
    }
    forbidden("cross-site requests are limited to public data")
}

fn forbidden(detail: &str) -> Response {
    Problem::new(StatusCode::FORBIDDEN, "host", detail).into_response()
}

/// Rejects bodies whose `Content-Length` exceeds the bound, requests beyond the concurrency limit, and
/// responses that take too long.
pub(crate) async fn request_limits<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    // A stated length is refused before the body is read; other bodies hit `DefaultBodyLimit`.
    let length =
        header_text(request.headers(), header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return problem::body_too_large().into_response();
    }
    let timeout = if request.method().is_safe() { READ_TIMEOUT } else { WRITE_TIMEOUT };
    let _permit = match RequestPermit::acquire(&state) {
        Some(permit) => permit,
        None => return retry_later("busy", "too many requests in progress"),
    };
    // The timeout ends with the response head, so streams and downloads are not cut off.
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => retry_later("slow", "the response took too long; request less data"),
    }
}

fn retry_later(code: &str, detail: &str) -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    ([(header::RETRY_AFTER, "2")], problem).into_response()
}

/// Permit of a request in progress.
struct RequestPermit<K: Storage>(State<K>);

impl<K: Storage> RequestPermit<K> {
    fn acquire(state: &State<K>) -> Option<Self> {
        // Created before the check: dropping it undoes the increment if the limit is exceeded.
        let permit = Self(state.clone());
        (state.requests_in_flight.fetch_add(1, Ordering::Relaxed) < REQUESTS_MAX).then_some(permit)
    }
}

impl<K: Storage> Drop for RequestPermit<K> {
    fn drop(&mut self) {
        self.0.requests_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether `host` is `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    // An IPv6 literal contains colons itself, so only an all-digit suffix counts as a port.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Requires the bearer token of the data directory.
pub(crate) async fn bearer_token<K: Storage>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    let token =
        header_text(request.headers(), header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if token.is_some_and(|token| equal_in_constant_time(token.as_bytes(), state.token.as_bytes())) {
        return next.run(request).await;
    }
    let detail = "missing or wrong bearer token; it is in the file `token` of the node's data directory";
    Problem::new(StatusCode::UNAUTHORIZED, "token", detail).into_response()
}

/// Compares in constant time, so that response times do not reveal a matching prefix.
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

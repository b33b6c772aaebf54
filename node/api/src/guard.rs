//! Who may come in.

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use service::Keep;

use crate::{BODY_BYTES_MAX, Problem, State, problem};

/// Refuses a `Host` that is no loopback name, and an `Origin` that is not one either.
pub(crate) async fn host(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let named = text(headers, header::HOST).is_some_and(loopback);
    let origin = text(headers, header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| loopback(host)));
    if named && origin {
        return next.run(request).await;
    }
    Problem::new(StatusCode::FORBIDDEN, "host", "this node answers on loopback names only").into_response()
}

/// Refuses a body that says itself that it is too large, before any of it is read.
pub(crate) async fn length(request: Request, next: Next) -> Response {
    let length = text(request.headers(), header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return problem::large().into_response();
    }
    next.run(request).await
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Lets a request pass that carries the token of the data directory.
pub(crate) async fn token<K: Keep>(
    Shared(state): Shared<State<K>>,
    request: Request,
    next: Next,
) -> Response {
    let given =
        text(request.headers(), header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| same(given.as_bytes(), state.token.as_bytes())) {
        return next.run(request).await;
    }
    let detail = "this needs the token in the file `token` of the node's data directory";
    Problem::new(StatusCode::UNAUTHORIZED, "token", detail).into_response()
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_and_nothing_else() {
        for host in ["localhost", "localhost:80", "127.0.0.1:7070", "[::1]:1", "[::1]"] {
            assert!(loopback(host), "{host}");
        }
        for host in ["", "example.org", "127.0.0.1.example.org", "localhost.example.org:80", "10.0.0.1"] {
            assert!(!loopback(host), "{host}");
        }
        assert!(same(b"abc", b"abc") && !same(b"abc", b"abd") && !same(b"abc", b"ab"));
    }
}

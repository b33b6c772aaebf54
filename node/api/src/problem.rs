//! Problem documents (RFC 9457): `type`, `title`, `status`, `detail`, and a stable `code`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use service::Error;

/// Problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Always `about:blank`: the status identifies the problem type.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// Reason phrase of the status.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Explanation of this occurrence.
    pub detail: String,
    /// Stable error code.
    pub code: String,
}

impl Problem {
    /// Creates a problem with a status, a stable code and an explanation.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            problem_type: "about:blank".into(),
            title: status.canonical_reason().unwrap_or_default().into(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
        }
    }
}

impl Problem {
    /// Problem for invalid query parameters.
    pub(crate) fn invalid_query(error: axum::extract::rejection::QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "query", error.to_string())
    }

    /// Problem for a task that panicked or was cancelled.
    pub(crate) fn no_response() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ended", "internal error")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(self)).into_response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Error::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Error::Missing(_) => (StatusCode::CONFLICT, "missing"),
            Error::NoIdentity => (StatusCode::CONFLICT, "no-identity"),
            Error::HasIdentity(_) => (StatusCode::CONFLICT, "has-identity"),
            Error::Behind { .. } => (StatusCode::CONFLICT, "behind"),
            Error::Log(_) | Error::Entry(_) | Error::Object(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "refused")
            }
            Error::Store(_) | Error::CorruptRow(_) => (StatusCode::INTERNAL_SERVER_ERROR, "store"),
        };
        Problem::new(status, code, error.to_string())
    }
}

/// Converts plain-text errors of the framework, such as an invalid path, to problem documents.
pub(crate) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    // Errors of the routes already have a format: a problem document, a page or an SDMX message.
    let plain = kind.is_none_or(|kind| kind.starts_with("text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !plain {
        return response;
    }
    let code = if status == StatusCode::BAD_REQUEST { "path" } else { "http" };
    Problem::new(status, code, "malformed request").into_response()
}

/// Problem for an unsupported method.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "method not allowed")
}

/// Problem for a body that exceeds the bound.
pub(crate) fn body_too_large() -> Problem {
    let detail = format!("the request body exceeds {} bytes", crate::BODY_BYTES_MAX);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "large", detail)
}

/// Problem for an unknown path.
pub(crate) fn unknown_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-route", "no such route; /docs/ lists all routes")
}

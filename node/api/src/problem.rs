//! Problem documents (RFC 9457): `type`, `title`, `status`, `detail`, and a stable `code`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use service::Error;

/// Why a request has no other answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Always `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here.
    pub detail: String,
    /// Stable code.
    pub code: String,
}

impl Problem {
    /// A problem with a status, a stable code and a sentence.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or_default().into(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
        }
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
            Error::Unknown(_) => (StatusCode::NOT_FOUND, "not-found"),
            Error::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Error::Missing(_) => (StatusCode::CONFLICT, "missing"),
            Error::NoIdentity => (StatusCode::CONFLICT, "no-identity"),
            Error::HasIdentity(_) => (StatusCode::CONFLICT, "has-identity"),
            Error::Behind { .. } => (StatusCode::CONFLICT, "behind"),
            Error::Log(_) | Error::Entry(_) | Error::Object(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "refused")
            }
            Error::Store(_) | Error::Row(_) => (StatusCode::INTERNAL_SERVER_ERROR, "store"),
        };
        Problem::new(status, code, error.to_string())
    }
}

/// The answer for a path that knows other methods only.
pub(crate) async fn method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this route does not know that method")
}

/// The answer for a body beyond the bound.
pub(crate) fn large() -> Problem {
    let detail = format!("a request has at most {} bytes", crate::BODY_BYTES_MAX);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "large", detail)
}

/// The answer for a path that leads nowhere.
pub(crate) async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-route", "there is no such route; see /api/v1/status")
}

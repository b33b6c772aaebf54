//! Why a request of SDMX has no other answer: a status, the code of the standard, a sentence.
//!
//! The codes are those of the SDMX web services guidelines: 100 nothing found, 140 syntax, 150
//! semantics, 500 server, 501 not implemented, 510 answer too large.

use axum::http::StatusCode;
use serde_json::json;
use service::Error;

use crate::sdmx::{RestVersion, xml};

/// Characters of a message that repeat what was asked.
const DETAIL_CHARS_MAX: usize = 400;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SdmxError {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    code: u16,
    pub(crate) detail: String,
}

impl SdmxError {
    fn new(status: StatusCode, code: u16, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self { status, code, detail: detail.chars().take(DETAIL_CHARS_MAX).collect() }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, 100, format!("there is no {} here", what.into()))
    }

    pub(crate) fn syntax(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 140, detail)
    }

    pub(crate) fn semantic(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 150, detail)
    }

    pub(crate) fn not_acceptable(accept: &str) -> Self {
        let detail = format!("none of the formats in `{accept}` is served here; see specs/sdmx.md");
        Self::new(StatusCode::NOT_ACCEPTABLE, 140, detail)
    }

    pub(crate) fn not_implemented(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, 501, format!("{} is not built", what.into()))
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, 510, detail)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 500, detail)
    }

    /// The error message in the format of the interface, with its media type.
    pub(crate) fn to_message(&self, base: RestVersion) -> (&'static str, String) {
        let xml = || {
            format!(
                "{}<mes:Error xmlns:mes=\"{}\" xmlns:com=\"{}\"><mes:ErrorMessage code=\"{}\">\
                 <com:Text xml:lang=\"en\">{}</com:Text></mes:ErrorMessage></mes:Error>\n",
                xml::DECLARATION,
                xml::MESSAGE,
                xml::COMMON,
                self.code,
                xml::escape(&self.detail)
            )
        };
        match base {
            RestVersion::V1 => ("application/xml", xml()),
            RestVersion::V2 => (
                "application/json",
                json!({ "errors": [{ "code": self.code, "title": self.detail }] }).to_string(),
            ),
        }
    }
}

impl From<Error> for SdmxError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(what) => Self::not_found(what),
            other => Self::internal(other.to_string()),
        }
    }
}

//! SDMX error messages: HTTP status, SDMX error code and text.
//!
//! Codes of the SDMX web services guidelines: 100 no results found, 140 syntax error, 150 semantic
//! error, 500 internal error, 501 not implemented, 510 response too large.

use axum::http::StatusCode;
use serde_json::json;
use service::Error;

use crate::sdmx::{RestVersion, xml};

/// Characters per message. Messages quote the request, so this bounds the echo.
const DETAIL_CHARS_MAX: usize = 400;

/// Error of an SDMX request.
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
        Self::new(StatusCode::NOT_FOUND, 100, format!("{} not found", what.into()))
    }

    pub(crate) fn syntax(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 140, detail)
    }

    pub(crate) fn semantic(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 150, detail)
    }

    pub(crate) fn not_acceptable(accept: &str) -> Self {
        let detail = format!("no supported format in `{accept}`; specs/sdmx.md lists the formats");
        Self::new(StatusCode::NOT_ACCEPTABLE, 140, detail)
    }

    pub(crate) fn not_implemented(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, 501, format!("{} is not implemented", what.into()))
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, 510, detail)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 500, detail)
    }

    /// Returns the media type and body of the error message: XML for v1, JSON for v2.
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

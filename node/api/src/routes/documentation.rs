//! OpenAPI document and its documentation page.
//!
//! The document is written by hand; tests compare it with the routes and the responses.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::Config;

use crate::problem;

/// OpenAPI 3.1 document of the API.
pub const OPENAPI: &str = include_str!("../../openapi.json");

/// Content security policy of Swagger UI, which needs inline styles and data URLs. Scripts are loaded
/// from files only.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

static SWAGGER_CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // Without `none`, Swagger UI sends the document to an online validator.
    Arc::new(Config::from("/openapi.json").use_base_layout().try_it_out_enabled(true).validator_url("none"))
});

pub(crate) async fn openapi_document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// Redirects to the URL with a trailing slash, because the page loads its assets by relative URLs.
pub(crate) async fn redirect() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/docs/")]).into_response()
}

pub(crate) async fn documentation_page() -> Response {
    documentation_file("index.html")
}

pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    documentation_file(&name)
}

fn documentation_file(name: &str) -> Response {
    let Ok(Some(file)) = utoipa_swagger_ui::serve(name, Arc::clone(&SWAGGER_CONFIG)) else {
        return problem::unknown_route().into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, file.bytes.into_owned()).into_response()
}

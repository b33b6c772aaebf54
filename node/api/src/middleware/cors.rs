//! CORS of public routes.

use std::time::Duration;

use axum::http::{HeaderName, Method, header};
use tower_http::cors::{Any, CorsLayer};

/// Time for which a browser may cache a CORS preflight result.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(86_400);

/// Returns the CORS policy of public routes: any origin may read, without credentials.
pub(crate) fn public_cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        // `Authorization` is missing on purpose: other origins must not send the token.
        .allow_headers([header::ACCEPT, header::IF_NONE_MATCH, HeaderName::from_static("last-event-id")])
        .expose_headers([header::ETAG, header::LINK, header::CONTENT_DISPOSITION])
        // Browsers require this before a public page may reach a loopback address.
        .allow_private_network(true)
        .max_age(PREFLIGHT_MAX_AGE)
}

//! OpenAPI document and its documentation page.
//!
//! The document is written by hand; tests compare it with the routes and the responses.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

use crate::problem;

/// OpenAPI 3.1 document of the API.
pub const OPENAPI: &str = include_str!("../../openapi.json");

/// Content security policy of Swagger UI, which needs inline styles and data URLs. Scripts are loaded
/// from files only.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Files of Swagger UI that the page loads, and their media types.
const FILES: &[(&str, &str)] = &[
    ("index.css", "text/css; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
];

/// The page. Replaces the one in the archive, which also loads a top bar for other documents.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HTTP API · Assay</title>
<link rel="stylesheet" href="./swagger-ui.css">
<link rel="stylesheet" href="./index.css">
<link rel="icon" type="image/png" href="./favicon-32x32.png" sizes="32x32">
<link rel="icon" type="image/png" href="./favicon-16x16.png" sizes="16x16">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./swagger-ui-bundle.js"></script>
<script src="./swagger-initializer.js"></script>
</body>
</html>
"#;

/// The script that starts Swagger UI on our document; a file, because the policy refuses inline scripts.
const INITIALIZER: &str = "window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    tryItOutEnabled: true,
    // Otherwise Swagger UI sends the document to an online validator.
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
  });
};
";

/// The files by name, unpacked at the first request: most nodes are never asked for them.
static UNPACKED: LazyLock<BTreeMap<&'static str, Vec<u8>>> = LazyLock::new(unpack_files);

/// Reads [`FILES`] from the archive that the crate embeds. A file that is not there is left out and
/// answered as not found.
fn unpack_files() -> BTreeMap<&'static str, Vec<u8>> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)) else { return BTreeMap::new() };
    let paths: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let mut files = BTreeMap::new();
    for (name, _) in FILES {
        let suffix = format!("/dist/{name}");
        // `flavors/` holds another `dist` folder, one level deeper.
        let path = paths.iter().find(|path| path.ends_with(&suffix) && path.matches('/').count() == 2);
        let Some(Ok(mut entry)) = path.map(|path| archive.by_name(path)) else { continue };
        let mut bytes = Vec::new();
        if entry.read_to_end(&mut bytes).is_ok() {
            files.insert(*name, bytes);
        }
    }
    files
}

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
    match name {
        "index.html" => return embedded_response("text/html; charset=utf-8", PAGE.as_bytes()),
        "swagger-initializer.js" => {
            return embedded_response("text/javascript; charset=utf-8", INITIALIZER.as_bytes());
        }
        _ => {}
    }
    let file = FILES.iter().find(|(known, _)| *known == name);
    match (file, UNPACKED.get(name)) {
        (Some((_, media_type)), Some(bytes)) => embedded_response(media_type, bytes),
        _ => problem::unknown_route().into_response(),
    }
}

fn embedded_response(media_type: &'static str, bytes: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_loads_is_served() {
        for (name, _) in FILES {
            assert!(UNPACKED.get(name).is_some_and(|bytes| !bytes.is_empty()), "{name}");
        }
        let loaded: Vec<&str> = PAGE.split('"').filter_map(|part| part.strip_prefix("./")).collect();
        assert!(loaded.len() > 4);
        for name in loaded {
            assert_eq!(documentation_file(name).status(), StatusCode::OK, "{name}");
        }
    }
}

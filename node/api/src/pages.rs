//! Whatever is no route: handed to the pages of whoever runs the node, such as the dashboard.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use service::Keep;

use crate::{State, problem};

/// A request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The path, percent-encoded as it came.
    pub path: String,
    /// Scheme, host and port, as the reader wrote them.
    pub origin: String,
    /// `Accept-Encoding`.
    pub encodings: String,
    /// `If-None-Match`.
    pub known: String,
}

/// A page or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The bytes.
    pub body: Cow<'static, [u8]>,
}

/// Makes pages. It may read the store, so it is called where waiting is allowed.
pub type Pages = Arc<dyn Fn(&Asked) -> Page + Send + Sync>;

/// Paths of machines: one that leads nowhere is a problem, not a page.
const MACHINES: [&str; 4] = ["/api/", "/sdmx/", "/data/", "/.well-known/"];

pub(crate) async fn page<K: Keep>(Shared(state): Shared<State<K>>, request: Request) -> Response {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || MACHINES.iter().any(|machines| path.starts_with(machines)) {
        return problem::nowhere().into_response();
    }
    let headers = request.headers();
    let asked = Asked {
        path: path.to_owned(),
        origin: format!("http://{}", text(headers, header::HOST)),
        encodings: text(headers, header::ACCEPT_ENCODING),
        known: text(headers, header::IF_NONE_MATCH),
    };
    let person = text(headers, header::ACCEPT).contains("text/html");
    let pages = Arc::clone(&state.pages);
    match tokio::task::spawn_blocking(move || pages(&asked)).await {
        // A program is told in its own language that there is nothing.
        Ok(page) if page.status == 404 && !person => problem::nowhere().into_response(),
        Ok(page) => page.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let body = match self.body {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        let named =
            self.headers.iter().fold(Response::builder().status(self.status), |response, (name, value)| {
                response.header(*name, value.as_ref())
            });
        named.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

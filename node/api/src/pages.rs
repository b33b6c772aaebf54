//! Whatever is no route: handed to the pages of whoever runs the node, such as the dashboard.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use service::Storage;

use crate::routes::{figure, panel, publishers, recipes, run_blocking};
use crate::{Problem, State, problem};

/// A request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The path, percent-encoded as it came.
    pub path: String,
    /// What stands after `?`, as it came.
    pub query: String,
    /// Scheme, host and port, as the reader wrote them.
    pub origin: String,
    /// `Accept-Encoding`.
    pub accept_encoding: String,
    /// `If-None-Match`.
    pub if_none_match: String,
}

/// A page or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The bytes.
    pub body: Cow<'static, [u8]>,
}

/// What the routes of `/api/v1` answer, for whoever makes pages; `None` where they answer with a problem.
pub trait Documents {
    /// `/flows`.
    fn flows(&self) -> Option<Value>;
    /// `/areas`.
    fn areas(&self) -> Option<Value>;
    /// `/countries/{area}`.
    fn country(&self, area: &str) -> Option<Value>;
    /// `/figures/{publisher}/{dataflow}/{key}/{period}`.
    fn figure(&self, place: [&str; 4], output: Option<&str>, vintage: Option<&str>) -> Option<Value>;
    /// `/recipes/{id}`.
    fn recipe(&self, id: &str) -> Option<Value>;
    /// `/publishers/{id}`.
    fn publisher(&self, id: &str) -> Option<Value>;
}

/// Makes pages. It may read the store, so it is called where waiting is allowed.
pub type PageRenderer = Arc<dyn Fn(&PageRequest, &dyn Documents) -> PageResponse + Send + Sync>;

impl<K: Storage> Documents for State<K> {
    fn flows(&self) -> Option<Value> {
        serde_json::to_value(&self.views.catalogue().ok()?.flows).ok()
    }

    fn areas(&self) -> Option<Value> {
        to_json(panel::all_areas(self))
    }

    fn country(&self, area: &str) -> Option<Value> {
        to_json(panel::country_view(self, area))
    }

    fn figure(&self, place: [&str; 4], output: Option<&str>, vintage: Option<&str>) -> Option<Value> {
        to_json(figure::figure_view(self, place, output, vintage))
    }

    fn recipe(&self, id: &str) -> Option<Value> {
        to_json(recipes::recipe_view(self, id))
    }

    fn publisher(&self, id: &str) -> Option<Value> {
        to_json(publishers::publisher_view(self, id))
    }
}

fn to_json(answer: Result<impl Serialize, Problem>) -> Option<Value> {
    serde_json::to_value(answer.ok()?).ok()
}

/// Paths of machines: one that leads nowhere is a problem, not a page.
const MACHINE_PATHS: [&str; 4] = ["/api/", "/sdmx/", "/data/", "/.well-known/"];

pub(crate) async fn serve_page<K: Storage>(Shared(state): Shared<State<K>>, request: Request) -> Response {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || MACHINE_PATHS.iter().any(|machines| path.starts_with(machines)) {
        return problem::unknown_route().into_response();
    }
    let headers = request.headers();
    let asked = PageRequest {
        path: path.to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        origin: format!("http://{}", header_text(headers, header::HOST)),
        accept_encoding: header_text(headers, header::ACCEPT_ENCODING),
        if_none_match: header_text(headers, header::IF_NONE_MATCH),
    };
    let person = header_text(headers, header::ACCEPT).contains("text/html");
    match run_blocking(state, move |state| Ok((state.pages)(&asked, state))).await {
        // A program is told in its own language that there is nothing.
        Ok(page) if page.status == 404 && !person => problem::unknown_route().into_response(),
        Ok(page) => page.into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

impl IntoResponse for PageResponse {
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

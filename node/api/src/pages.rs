//! Fallback for paths that are not routes: pages rendered by the node, such as the dashboard.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use service::Storage;

use crate::middleware::header_text;
use crate::routes::run_blocking;
use crate::state::State;
use crate::views::areas::all_areas;
use crate::views::country::country_view;
use crate::views::figure::figure_view;
use crate::views::publisher::publisher_view;
use crate::views::recipe::recipe_view;
use crate::{Problem, problem};

/// Request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Path, percent-encoded as received.
    pub path: String,
    /// Query string without `?`, as received.
    pub query: String,
    /// Scheme, host and port as seen by the client.
    pub origin: String,
    /// `Accept-Encoding`.
    pub accept_encoding: String,
    /// `If-None-Match`.
    pub if_none_match: String,
}

/// A page or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageResponse {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// Body.
    pub body: Cow<'static, [u8]>,
}

/// Responses of `/api/v1` for page renderers; `None` if the route answers with a problem.
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

/// Renders pages. It may read the store, so it runs on the blocking pool.
pub type PageRenderer = Arc<dyn Fn(&PageRequest, &dyn Documents) -> PageResponse + Send + Sync>;

impl<K: Storage> Documents for State<K> {
    fn flows(&self) -> Option<Value> {
        serde_json::to_value(&self.views.catalogue().ok()?.flows).ok()
    }

    fn areas(&self) -> Option<Value> {
        to_json(all_areas(self))
    }

    fn country(&self, area: &str) -> Option<Value> {
        to_json(country_view(self, area))
    }

    fn figure(&self, place: [&str; 4], output: Option<&str>, vintage: Option<&str>) -> Option<Value> {
        to_json(figure_view(self, place, output, vintage))
    }

    fn recipe(&self, id: &str) -> Option<Value> {
        to_json(recipe_view(self, id))
    }

    fn publisher(&self, id: &str) -> Option<Value> {
        to_json(publisher_view(self, id))
    }
}

fn to_json(view: Result<impl Serialize, Problem>) -> Option<Value> {
    serde_json::to_value(view.ok()?).ok()
}

/// Path prefixes for programs: an unknown path gets a problem document instead of a page.
const MACHINE_PATHS: [&str; 4] = ["/api/", "/sdmx/", "/data/", "/.well-known/"];

pub(crate) async fn serve_page<K: Storage>(Shared(state): Shared<State<K>>, request: Request) -> Response {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || MACHINE_PATHS.iter().any(|machines| path.starts_with(machines)) {
        return problem::unknown_route().into_response();
    }
    let headers = request.headers();
    let page_request = PageRequest {
        path: path.to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        origin: format!("http://{}", header_text(headers, header::HOST).unwrap_or_default().to_owned()),
        accept_encoding: header_text(headers, header::ACCEPT_ENCODING).unwrap_or_default().to_owned(),
        if_none_match: header_text(headers, header::IF_NONE_MATCH).unwrap_or_default().to_owned(),
    };
    let accepts_html =
        header_text(headers, header::ACCEPT).unwrap_or_default().to_owned().contains("text/html");
    match run_blocking(state, move |state| Ok((state.pages)(&page_request, state))).await {
        // A client that does not accept HTML gets a problem document.
        Ok(page) if page.status == 404 && !accepts_html => problem::unknown_route().into_response(),
        Ok(page) => page.into_response(),
        Err(problem) => problem.into_response(),
    }
}

impl IntoResponse for PageResponse {
    fn into_response(self) -> Response {
        let body = match self.body {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        let response =
            self.headers.iter().fold(Response::builder().status(self.status), |response, (name, value)| {
                response.header(*name, value.as_ref())
            });
        response.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

//! A router that records its paths, so that a test can compare them with the OpenAPI document.

use axum::Router;
use axum::handler::Handler;
use axum::routing;

/// A router with the list of its routes.
pub(crate) struct RouteList<S> {
    router: Router<S>,
    paths: Vec<(&'static str, String)>,
}

impl<S: Clone + Send + Sync + 'static> RouteList<S> {
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), paths: Vec::new() }
    }

    pub(crate) fn get<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.add_route("get", path, routing::get(handler))
    }

    pub(crate) fn post<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.add_route("post", path, routing::post(handler))
    }

    pub(crate) fn delete<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.add_route("delete", path, routing::delete(handler))
    }

    fn add_route(mut self, method: &'static str, path: &str, handler: routing::MethodRouter<S>) -> Self {
        self.paths.push((method, path.to_owned()));
        Self { router: self.router.route(path, handler), ..self }
    }

    /// Adds layers to the routes so far.
    pub(crate) fn with_layers(self, layers: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        Self { router: layers(self.router), ..self }
    }

    /// Adds the routes of another list.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// Adds the routes of another list below a path.
    pub(crate) fn nest(mut self, path: &str, other: Self) -> Self {
        self.paths.extend(other.paths.into_iter().map(|(method, below)| (method, format!("{path}{below}"))));
        Self { router: self.router.nest(path, other.router), ..self }
    }

    /// Returns lower-case methods and paths.
    pub(crate) fn paths(self) -> Vec<(&'static str, String)> {
        self.paths
    }

    pub(crate) fn router(self) -> Router<S> {
        self.router
    }
}

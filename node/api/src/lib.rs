//! HTTP in front of a running node: `/api/v1`, on the loopback interface.
//!
//! Translates requests into calls of the service and its answers into JSON, CAR and problem
//! documents (RFC 9457). What is public in the ledger may be read by every page (CORS); what tells of
//! the node itself or makes it work is for pages of its own, and whatever changes it needs the bearer
//! token of its data directory. A request whose `Host` is not a loopback name is refused, so that a
//! web page cannot reach the node by rebinding a name of its own (DNS rebinding). Requests are
//! bounded in bytes, in number and in time.

mod docs;
mod guard;
mod live;
mod metrics;
mod pages;
mod problem;
mod read;
mod response_cache;
mod route_list;
mod routes;
mod sdmx;
mod server;
mod views;
mod write;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use service::{Service, Storage};
use tokio::sync::Semaphore;

use route_list::RouteList;

pub use docs::OPENAPI;
pub use pages::{Documents, PageRenderer, PageRequest, PageResponse};
pub use problem::Problem;
pub use server::{bind_loopback, serve};

/// Bytes of a request's body: a publication with its source document.
pub const BODY_BYTES_MAX: usize = 600 << 20;
/// Bytes of the body of every other request.
const SMALL_BODY_BYTES_MAX: usize = 16 << 10;

/// What tells which peers the network is connected to: addresses by peer id.
pub type PeerAddresses = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;
/// Dials a peer now, and says who is there or why that fails.
pub type DialPeer =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync>;

/// What a node gives to its API.
pub struct Setup<K: Storage> {
    /// The owner of the node's state.
    pub service: Service<K>,
    /// The token that writes must carry.
    pub token: String,
    /// Connected peers.
    pub peers: PeerAddresses,
    /// Dials a peer.
    pub dial: DialPeer,
    /// Own addresses, told by the network.
    pub listening: PeerAddresses,
    /// Seconds since 1970, for signatures.
    pub clock: fn() -> i64,
    /// Answers for every path that is no route.
    pub pages: PageRenderer,
}

/// What the routes work with; cheap to clone.
struct State<K: Storage>(Arc<SharedState<K>>);

struct SharedState<K: Storage> {
    setup: Setup<K>,
    views: views::Views<K>,
    response_cache: response_cache::ResponseCache,
    feed: Arc<live::EventFeed>,
    metrics: metrics::RequestMetrics,
    /// Requests that have no answer yet.
    requests_in_flight: AtomicUsize,
    /// Work that waits for the disk or computes, at one time.
    blocking_permits: Arc<Semaphore>,
}

/// Threads that make answers at one time; more would wait for each other.
const BLOCKING_MAX: usize = 8;

impl<K: Storage> Clone for State<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Storage> std::ops::Deref for State<K> {
    type Target = SharedState<K>;

    fn deref(&self) -> &SharedState<K> {
        &self.0
    }
}

impl<K: Storage> std::ops::Deref for SharedState<K> {
    type Target = Setup<K>;

    fn deref(&self) -> &Setup<K> {
        &self.setup
    }
}

impl<K: Storage> State<K> {
    fn new(setup: Setup<K>) -> Self {
        let (index, feed) =
            (views::Views::new(setup.service.clone()), live::EventFeed::start(&setup.service));
        let (answers, turns) =
            (response_cache::ResponseCache::default(), Arc::new(Semaphore::new(BLOCKING_MAX)));
        let (metrics, flying) = Default::default();
        Self(Arc::new(SharedState {
            setup,
            views: index,
            response_cache: answers,
            feed,
            metrics,
            requests_in_flight: flying,
            blocking_permits: turns,
        }))
    }
}

/// The routes; must be called inside a tokio runtime.
pub fn router<K: Storage>(setup: Setup<K>) -> Router {
    let state = State::new(setup);
    let ours = route_list(Some(&state)).router().nest("/sdmx", with_cors(sdmx::sdmx_routes()));
    ours.fallback(pages::serve_page::<K>)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), guard::request_limits::<K>))
        .layer(from_fn_with_state(state.clone(), metrics::count_request::<K>))
        .layer(map_response(problem::as_problem))
        .layer(from_fn(guard::loopback_host))
        .with_state(state)
}

/// The method, in small letters, and the path of every route that the OpenAPI document describes.
/// SDMX has documents of its own.
pub fn route_paths<K: Storage>() -> Vec<(&'static str, String)> {
    route_list::<K>(None).paths()
}

/// The routes, and around them, once there is a state, what that decides.
fn route_list<K: Storage>(state: Option<&State<K>>) -> RouteList<State<K>> {
    let kept = |router: Router<State<K>>| match state {
        Some(state) => router.route_layer(from_fn_with_state(state.clone(), response_cache::cached::<K>)),
        None => router,
    };
    let writes = |router: Router<State<K>>| match state {
        Some(state) => router.route_layer(from_fn_with_state(state.clone(), guard::bearer_token::<K>)),
        None => router,
    };
    let own = |router: Router<State<K>>| router.route_layer(from_fn(guard::same_site));
    let api = read_routes().with_layers(kept).merge(stream_routes()).with_layers(with_cors);
    let api = api
        .merge(local_routes().with_layers(own))
        .merge(self::write_routes().with_layers(writes).with_layers(own));
    let data = RouteList::new()
        .get("/data/{publisher}/{dataflow}/{file}", routes::data::download_file)
        .get("/data/{dataflow}/{file}", routes::data::redirect);
    let documents = RouteList::new()
        .get("/openapi.json", docs::openapi_document)
        .get("/catalogue.jsonld", routes::catalogue::dcat_catalogue)
        .with_layers(with_cors);
    RouteList::new()
        .nest("/api/v1", api)
        .merge(data.with_layers(kept).with_layers(with_cors))
        .merge(documents)
        .get("/docs", docs::redirect)
        .get("/docs/", docs::documentation_page)
        .get("/docs/{file}", docs::asset)
        .get("/metrics", metrics::show_metrics)
        .get("/healthz", metrics::check_health)
        .get("/readyz", metrics::check_readiness)
}

/// Routes that every page may read. What to say of other methods is settled first, so that the layer
/// answers a browser that asks before it asks.
fn with_cors<K: Storage>(routes: Router<State<K>>) -> Router<State<K>> {
    routes.method_not_allowed_fallback(problem::method_not_allowed).layer(guard::public_cors())
}

/// What depends on the state of the ledger alone.
fn read_routes<K: Storage>() -> RouteList<State<K>> {
    use routes::{figure, panel, publishers, recipes, search};
    RouteList::new()
        .get("/logs", read::list_logs)
        .get("/releases", read::list_releases)
        .get("/releases/{id}", read::show_release)
        .get("/datasets", read::list_datasets)
        .get("/recipes", read::list_recipes)
        .get("/recipes/{id}", recipes::show_recipe)
        .get("/recipes/{id}/difference", recipes::show_difference)
        .get("/resolve", read::resolve_identifier)
        .get("/flows", panel::list_flows)
        .get("/areas", panel::list_areas)
        .get("/panels/{release}/{output}", panel::show_panel)
        .get("/countries/{area}", panel::show_country)
        .get("/series/{release}/{output}/{key}", panel::show_series)
        .get("/figures/{publisher}/{dataflow}/{key}/{period}", figure::show_figure)
        .get("/publishers", publishers::list_publishers)
        .get("/publishers/{id}", publishers::show_publisher)
        .get("/publishers/{id}/entries", publishers::list_entries)
        .get("/forks", publishers::list_forks)
        .get("/search", search::search_index)
}

/// What is as large as it likes, and what has no end.
fn stream_routes<K: Storage>() -> RouteList<State<K>> {
    RouteList::new()
        .get("/blocks/{id}", read::download_block)
        .get("/bundles/{id}", read::download_bundle)
        .get("/events", live::stream_events)
}

/// What tells of the node itself, and what makes it work.
fn local_routes<K: Storage>() -> RouteList<State<K>> {
    RouteList::new()
        .get("/status", read::show_status)
        .get("/peers", read::list_peers)
        .get("/releases/{id}/rerun", live::stream_rerun)
}

/// What changes the node.
fn write_routes<K: Storage>() -> RouteList<State<K>> {
    let large = DefaultBodyLimit::max(BODY_BYTES_MAX);
    let publish =
        RouteList::new().post("/publish", write::publish_object).with_layers(|router| router.layer(large));
    let small = RouteList::new()
        .post("/follows/{publisher}", write::follow_publisher)
        .delete("/follows/{publisher}", write::unfollow_publisher)
        .post("/peers", write::add_peer)
        .post("/releases/{id}/verify", write::verify_release)
        .with_layers(|router| router.layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX)));
    publish.merge(small)
}

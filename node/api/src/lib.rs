//! HTTP in front of a running node: `/api/v1`, on the loopback interface.
//!
//! Translates requests into calls of the service and its answers into JSON, CAR and problem
//! documents (RFC 9457). What is public in the ledger may be read by every page (CORS); what tells of
//! the node itself or makes it work is for pages of its own, and whatever changes it needs the bearer
//! token of its data directory. A request whose `Host` is not a loopback name is refused, so that a
//! web page cannot reach the node by rebinding a name of its own (DNS rebinding). Requests are
//! bounded in bytes, in number and in time.

mod answers;
mod docs;
mod guard;
mod index;
mod listen;
mod live;
mod metrics;
mod pages;
mod problem;
mod read;
mod routes;
mod sdmx;
mod table;
mod write;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use service::{Keep, Service};
use tokio::sync::Semaphore;

use table::Table;

pub use docs::OPENAPI;
pub use listen::{bind, serve};
pub use pages::{Asked, Documents, Page, Pages};
pub use problem::Problem;

/// Bytes of a request's body: a publication with its source document.
pub const BODY_BYTES_MAX: usize = 600 << 20;
/// Bytes of the body of every other request.
const SMALL_BYTES_MAX: usize = 16 << 10;

/// What tells which peers the network is connected to: addresses by peer id.
pub type Peers = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;
/// Dials a peer now, and says who is there or why that fails.
pub type Dial =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync>;

/// What a node gives to its API.
pub struct Setup<K: Keep> {
    /// The owner of the node's state.
    pub service: Service<K>,
    /// The token that writes must carry.
    pub token: String,
    /// Connected peers.
    pub peers: Peers,
    /// Dials a peer.
    pub dial: Dial,
    /// Own addresses, told by the network.
    pub listening: Peers,
    /// Seconds since 1970, for signatures.
    pub clock: fn() -> i64,
    /// Answers for every path that is no route.
    pub pages: Pages,
}

/// What the routes work with; cheap to clone.
struct State<K: Keep>(Arc<Shared<K>>);

struct Shared<K: Keep> {
    setup: Setup<K>,
    index: index::Index<K>,
    answers: answers::Answers,
    feed: Arc<live::Feed>,
    metrics: metrics::Metrics,
    /// Requests that have no answer yet.
    flying: AtomicUsize,
    /// Work that waits for the disk or computes, at one time.
    turns: Arc<Semaphore>,
}

/// Threads that make answers at one time; more would wait for each other.
const TURNS: usize = 8;

impl<K: Keep> Clone for State<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Keep> std::ops::Deref for State<K> {
    type Target = Shared<K>;

    fn deref(&self) -> &Shared<K> {
        &self.0
    }
}

impl<K: Keep> std::ops::Deref for Shared<K> {
    type Target = Setup<K>;

    fn deref(&self) -> &Setup<K> {
        &self.setup
    }
}

impl<K: Keep> State<K> {
    fn new(setup: Setup<K>) -> Self {
        let (index, feed) = (index::Index::new(setup.service.clone()), live::Feed::start(&setup.service));
        let (answers, turns) = (answers::Answers::default(), Arc::new(Semaphore::new(TURNS)));
        let (metrics, flying) = Default::default();
        Self(Arc::new(Shared { setup, index, answers, feed, metrics, flying, turns }))
    }
}

/// The routes; must be called inside a tokio runtime.
pub fn router<K: Keep>(setup: Setup<K>) -> Router {
    let state = State::new(setup);
    let ours = table(Some(&state)).router().nest("/sdmx", opened(sdmx::routes()));
    ours.fallback(pages::page::<K>)
        .method_not_allowed_fallback(problem::method)
        .layer(from_fn_with_state(state.clone(), guard::bounds::<K>))
        .layer(from_fn_with_state(state.clone(), metrics::count::<K>))
        .layer(map_response(problem::shaped))
        .layer(from_fn(guard::host))
        .with_state(state)
}

/// The method, in small letters, and the path of every route that the OpenAPI document describes.
/// SDMX has documents of its own.
pub fn routes<K: Keep>() -> Vec<(&'static str, String)> {
    table::<K>(None).paths()
}

/// The routes, and around them, once there is a state, what that decides.
fn table<K: Keep>(state: Option<&State<K>>) -> Table<State<K>> {
    let kept = |router: Router<State<K>>| match state {
        Some(state) => router.route_layer(from_fn_with_state(state.clone(), answers::kept::<K>)),
        None => router,
    };
    let writes = |router: Router<State<K>>| match state {
        Some(state) => router.route_layer(from_fn_with_state(state.clone(), guard::token::<K>)),
        None => router,
    };
    let own = |router: Router<State<K>>| router.route_layer(from_fn(guard::own));
    let api = reads().within(kept).merge(live()).within(opened);
    let api = api.merge(private().within(own)).merge(self::writes().within(writes).within(own));
    let data = Table::new()
        .get("/data/{publisher}/{dataflow}/{file}", routes::data::file)
        .get("/data/{dataflow}/{file}", routes::data::lead);
    let documents = Table::new()
        .get("/openapi.json", docs::document)
        .get("/catalogue.jsonld", routes::catalogue::catalogue)
        .within(opened);
    Table::new()
        .nest("/api/v1", api)
        .merge(data.within(kept).within(opened))
        .merge(documents)
        .get("/docs", docs::lead)
        .get("/docs/", docs::page)
        .get("/docs/{file}", docs::beside)
        .get("/metrics", metrics::metrics)
        .get("/healthz", metrics::healthy)
        .get("/readyz", metrics::ready)
}

/// Routes that every page may read. What to say of other methods is settled first, so that the layer
/// answers a browser that asks before it asks.
fn opened<K: Keep>(routes: Router<State<K>>) -> Router<State<K>> {
    routes.method_not_allowed_fallback(problem::method).layer(guard::open())
}

/// What depends on the state of the ledger alone.
fn reads<K: Keep>() -> Table<State<K>> {
    use routes::{figure, library, panel, people, search};
    Table::new()
        .get("/logs", read::logs)
        .get("/releases", read::releases)
        .get("/releases/{id}", read::release)
        .get("/datasets", read::datasets)
        .get("/recipes", read::recipes)
        .get("/recipes/{id}", library::recipe)
        .get("/recipes/{id}/difference", library::difference)
        .get("/resolve", read::resolve)
        .get("/flows", panel::flows)
        .get("/areas", panel::area_list)
        .get("/panels/{release}/{output}", panel::panel)
        .get("/countries/{area}", panel::country)
        .get("/series/{release}/{output}/{key}", panel::series)
        .get("/figures/{publisher}/{dataflow}/{key}/{period}", figure::figure)
        .get("/publishers", people::publishers)
        .get("/publishers/{id}", people::publisher)
        .get("/publishers/{id}/entries", people::entries)
        .get("/forks", people::forks)
        .get("/search", search::search)
}

/// What is as large as it likes, and what has no end.
fn live<K: Keep>() -> Table<State<K>> {
    Table::new()
        .get("/blocks/{id}", read::block)
        .get("/bundles/{id}", read::bundle)
        .get("/events", live::events)
}

/// What tells of the node itself, and what makes it work.
fn private<K: Keep>() -> Table<State<K>> {
    Table::new()
        .get("/status", read::status)
        .get("/peers", read::peers)
        .get("/releases/{id}/rerun", live::rerun)
}

/// What changes the node.
fn writes<K: Keep>() -> Table<State<K>> {
    let large = DefaultBodyLimit::max(BODY_BYTES_MAX);
    let publish = Table::new().post("/publish", write::publish).within(|router| router.layer(large));
    let small = Table::new()
        .post("/follows/{publisher}", write::follow)
        .delete("/follows/{publisher}", write::unfollow)
        .post("/peers", write::add_peer)
        .post("/releases/{id}/verify", write::verify)
        .within(|router| router.layer(DefaultBodyLimit::max(SMALL_BYTES_MAX)));
    publish.merge(small)
}

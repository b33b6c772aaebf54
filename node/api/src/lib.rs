//! HTTP in front of a running node: `/api/v1`, on the loopback interface.
//!
//! Translates requests into calls of the service and its answers into JSON, CAR and problem
//! documents (RFC 9457). Reads are open; whatever changes the node needs the bearer token of its
//! data directory. A request whose `Host` is not a loopback name is refused, so that a web page
//! cannot reach the node by rebinding a name of its own (DNS rebinding). Bodies are bounded.

mod answers;
mod guard;
mod index;
mod live;
mod pages;
mod problem;
mod read;
mod routes;
mod sdmx;
mod write;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use service::{Keep, Service};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use pages::{Asked, Page, Pages};
pub use problem::Problem;

/// Bytes of a request's body: a publication with its source document.
pub const BODY_BYTES_MAX: usize = 600 << 20;

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
        Self(Arc::new(Shared { setup, index, answers, feed, turns }))
    }
}

/// The routes; must be called inside a tokio runtime.
pub fn router<K: Keep>(setup: Setup<K>) -> Router {
    let state = State::new(setup);
    let writes = Router::new()
        .route("/publish", post(write::publish))
        .route("/follows/{publisher}", post(write::follow).delete(write::unfollow))
        .route("/peers", post(write::add_peer))
        .route_layer(axum::middleware::from_fn_with_state(state.clone(), guard::token));
    let kept = axum::middleware::from_fn_with_state(state.clone(), answers::kept::<K>);
    let reads = reads().route_layer(kept.clone()).merge(live());
    let data = Router::new()
        .route("/{publisher}/{dataflow}/{file}", get(routes::data::file))
        .route("/{dataflow}/{file}", get(routes::data::lead))
        .route_layer(kept);
    Router::new()
        .nest("/api/v1", reads.merge(writes))
        .nest("/sdmx", sdmx::routes())
        .nest("/data", data)
        .route("/healthz", get(read::healthy))
        .fallback(pages::page::<K>)
        .method_not_allowed_fallback(problem::method)
        .layer(axum::middleware::map_response(problem::shaped))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(guard::length))
        .layer(axum::middleware::from_fn(guard::host))
        .with_state(state)
}

/// What depends on the state of the ledger alone.
fn reads<K: Keep>() -> Router<State<K>> {
    use routes::{figure, library, panel, people, search};
    Router::new()
        .route("/logs", get(read::logs))
        .route("/releases", get(read::releases))
        .route("/releases/{id}", get(read::release))
        .route("/datasets", get(read::datasets))
        .route("/recipes", get(read::recipes))
        .route("/recipes/{id}", get(library::recipe))
        .route("/recipes/{id}/difference", get(library::difference))
        .route("/resolve", get(read::resolve))
        .route("/flows", get(panel::flows))
        .route("/areas", get(panel::area_list))
        .route("/panels/{release}/{output}", get(panel::panel))
        .route("/countries/{area}", get(panel::country))
        .route("/series/{release}/{output}/{key}", get(panel::series))
        .route("/figures/{publisher}/{dataflow}/{key}/{period}", get(figure::figure))
        .route("/publishers", get(people::publishers))
        .route("/publishers/{id}", get(people::publisher))
        .route("/publishers/{id}/entries", get(people::entries))
        .route("/forks", get(people::forks))
        .route("/search", get(search::search))
}

/// What changes without the ledger, what is as large as it likes, and what has no end.
fn live<K: Keep>() -> Router<State<K>> {
    Router::new()
        .route("/status", get(read::status))
        .route("/peers", get(read::peers))
        .route("/blocks/{id}", get(read::block))
        .route("/bundles/{id}", get(read::bundle))
        .route("/events", get(live::events))
        .route("/releases/{id}/rerun", get(live::rerun))
}

/// Serves on `listener` until `stop` is ready.
///
/// # Errors
/// When the listener fails.
pub async fn serve<K: Keep>(
    listener: TcpListener,
    setup: Setup<K>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(setup)).with_graceful_shutdown(stop).await
}

/// Binds a loopback address.
///
/// # Errors
/// When the address is not a loopback one, or taken.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let message = "it is not a loopback address";
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message));
    }
    TcpListener::bind(address).await
}

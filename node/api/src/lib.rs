//! HTTP in front of a running node: `/api/v1`, on the loopback interface.
//!
//! Translates requests into calls of the service and its answers into JSON, CAR and problem
//! documents (RFC 9457). Reads are open; whatever changes the node needs the bearer token of its
//! data directory. A request whose `Host` is not a loopback name is refused, so that a web page
//! cannot reach the node by rebinding a name of its own (DNS rebinding). Bodies are bounded.

mod guard;
mod pages;
mod problem;
mod read;
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

pub use pages::{Asked, Page, Pages};
pub use problem::Problem;

/// Bytes of a request's body: a publication with its source document.
pub const BODY_BYTES_MAX: usize = 600 << 20;

/// What tells which peers the network is connected to: addresses by peer id.
pub type Peers = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;
/// Dials a peer now, and says who is there or why that fails.
pub type Dial =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync>;

/// What the routes work with.
pub struct State<K: Keep> {
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

impl<K: Keep> Clone for State<K> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            token: self.token.clone(),
            peers: Arc::clone(&self.peers),
            dial: Arc::clone(&self.dial),
            listening: Arc::clone(&self.listening),
            clock: self.clock,
            pages: Arc::clone(&self.pages),
        }
    }
}

/// The routes.
pub fn router<K: Keep>(state: State<K>) -> Router {
    let writes = Router::new()
        .route("/publish", post(write::publish))
        .route("/follows/{publisher}", post(write::follow).delete(write::unfollow))
        .route("/peers", post(write::add_peer))
        .route_layer(axum::middleware::from_fn_with_state(state.clone(), guard::token));
    let reads = Router::new()
        .route("/status", get(read::status))
        .route("/logs", get(read::logs))
        .route("/releases", get(read::releases))
        .route("/releases/{id}", get(read::release))
        .route("/datasets", get(read::datasets))
        .route("/recipes", get(read::recipes))
        .route("/blocks/{id}", get(read::block))
        .route("/bundles/{id}", get(read::bundle))
        .route("/resolve", get(read::resolve))
        .route("/peers", get(read::peers));
    Router::new()
        .nest("/api/v1", reads.merge(writes))
        .nest("/sdmx", sdmx::routes())
        .fallback(pages::page::<K>)
        .method_not_allowed_fallback(problem::method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(guard::length))
        .layer(axum::middleware::from_fn(guard::host))
        .with_state(state)
}

/// Serves on `listener` until `stop` is ready.
///
/// # Errors
/// When the listener fails.
pub async fn serve<K: Keep>(
    listener: TcpListener,
    state: State<K>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(state)).with_graceful_shutdown(stop).await
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

//! HTTP API of a running node: `/api/v1`, SDMX and data files, on the loopback interface.
//!
//! Translates requests into calls of the service, and results into JSON, CAR files and problem documents
//! (RFC 9457). Public ledger data can be read by any web page (CORS). Routes that describe the node or
//! make it work are restricted to same-site pages. Routes that change it require the bearer token of its
//! data directory. Requests whose `Host` is not a loopback name are rejected, so that a web page cannot
//! reach the node by DNS rebinding. Requests are bounded in size, number and time.
//!
//! `router.rs` declares the routes, `routes` holds their handlers, `middleware` the layers
//! around them, and `views` the results that several routes and the dashboard share.

mod middleware;
mod pages;
mod problem;
mod router;
mod routes;
mod sdmx;
mod server;
mod state;
mod views;

use std::pin::Pin;
use std::sync::Arc;

use service::{Service, Storage};

use state::State;

pub use pages::{Documents, PageRenderer, PageRequest, PageResponse};
pub use problem::Problem;
pub use router::{route_paths, router};
pub use routes::documentation::OPENAPI;
pub use server::{bind_loopback, serve};

/// Bytes of a publication: an object with its dependencies, including source documents.
pub const BODY_BYTES_MAX: usize = 600 << 20;

/// Returns pairs of peer id and address.
pub type PeerAddresses = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

/// Dials an address; returns the peer id or the reason of the failure.
pub type DialPeer =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync>;

/// Dependencies of the API, provided by the node.
pub struct Setup<K: Storage> {
    /// Owner of the node's state.
    pub service: Service<K>,
    /// Bearer token that write routes require.
    pub token: String,
    /// Connected peers.
    pub peers: PeerAddresses,
    /// Dials a peer.
    pub dial: DialPeer,
    /// Addresses on which the network listens.
    pub listening: PeerAddresses,
    /// Clock for signatures; seconds since 1970.
    pub clock: fn() -> i64,
    /// Renders the pages at all paths that are not routes.
    pub pages: PageRenderer,
}

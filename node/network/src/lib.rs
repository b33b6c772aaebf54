//! Talks to other nodes: a thin driver over libp2p, and the only crate that names it.
//!
//! It owns connections, streams and gossip, and the framing of what goes over them. It knows no
//! store and takes no decision about what to sync: it reports [`Event`]s to its one owner and
//! does what the owner says through [`Network`]. Of the bytes that peers send it refuses all that
//! is oversized, malformed, slow or not what its id says before the owner sees them; whether a
//! block is *valid* is the owner's to judge.
//!
//! INVARIANT: every queue, stream, task and message is bounded ([`limits`], [`Config`]), and the
//! task that owns the swarm never waits for the owner of the node.
//!
//! Normative text: `specs/network.md`.

pub mod limits;

mod address;
mod behaviour;
mod block_stream;
mod config;
mod driver;
mod error;
mod frame;
mod handle;
mod head_stream;
mod rate_limit;
mod redial;
mod report;
mod request_stream;
mod swarm;
mod task_limits;

pub use config::{NetworkConfig, NodeKey};
pub use error::Error;
pub use handle::{NetworkHandle, start};
pub use report::SwarmReport;

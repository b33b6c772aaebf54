//! The network of a node: a thin driver over libp2p, and the only crate that uses libp2p.
//!
//! It owns connections, streams, gossip and their framing. It does not access the store and does
//! not decide what to sync: it sends [`SwarmReport`]s to its owner and carries out the commands of
//! the [`NetworkHandle`]. Oversized, malformed and slow messages and blocks with a hash mismatch
//! are refused here; the owner decides whether a block is *valid*.
//!
//! INVARIANT: every queue, stream, task and message is bounded ([`limits`], [`NetworkConfig`]), and the
//! task that owns the swarm never waits for the owner of the node.
//!
//! Normative text: `specs/network.md`.

use tokio::sync::mpsc;

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
pub use handle::NetworkHandle;
pub use report::SwarmReport;

use driver::SwarmDriver;
use limits::COMMANDS_MAX;

/// Starts listening and dialling. Must be called inside a tokio runtime.
///
/// # Errors
/// [`Error::Address`], [`Error::Listen`], [`Error::Setup`], [`Error::Busy`].
pub fn start(config: NetworkConfig) -> Result<(NetworkHandle, mpsc::Receiver<SwarmReport>), Error> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let (driver, reports) = SwarmDriver::new(&config, inbox, &commands)?;
    tokio::spawn(driver.run());
    Ok((NetworkHandle::new(commands, config.key.peer()), reports))
}

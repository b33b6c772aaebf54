//! Why the network did not do what it was told.

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No multiaddress, or none this node can use.
    #[error("`{0}` is not an address (expected a multiaddress such as `/ip4/192.0.2.1/tcp/4001`)")]
    Address(String),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {reason}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The address cannot be reached.
    #[error("cannot reach `{address}`: {reason}")]
    Unreachable {
        /// The address.
        address: String,
        /// What was tried, and what came of it.
        reason: String,
    },
    /// Not the name of a peer.
    #[error("`{0}` is not a peer id")]
    Peer(String),
    /// Not connected to this peer.
    #[error("not connected to `{0}`")]
    NotConnected(replication::Peer),
    /// The message is out of bounds.
    #[error(transparent)]
    Message(#[from] replication::Error),
    /// Too much of this kind is under way.
    #[error("too many {0} under way")]
    Busy(&'static str),
    /// A part of the network could not be set up.
    #[error("cannot set up the network: {0}")]
    Setup(String),
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}

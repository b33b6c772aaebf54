//! Errors of network commands.

/// Error of a network command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a multiaddress, or not one that this node supports.
    #[error("`{0}` is not an address (expected a multiaddress such as `/ip4/192.0.2.1/tcp/4001`)")]
    Address(String),
    /// The node cannot listen on the address.
    #[error("cannot listen on `{address}`: {reason}")]
    Listen {
        /// The address.
        address: String,
        /// Error message of the system.
        reason: String,
    },
    /// The address cannot be reached.
    #[error("cannot reach `{address}`: {reason}")]
    Unreachable {
        /// The address.
        address: String,
        /// Error of the last attempt.
        reason: String,
    },
    /// Not a peer id.
    #[error("`{0}` is not a peer id")]
    Peer(String),
    /// Not connected to this peer.
    #[error("not connected to `{0}`")]
    NotConnected(replication::Peer),
    /// The message exceeds a bound.
    #[error(transparent)]
    Message(#[from] replication::Error),
    /// A limit of this node is reached.
    #[error("too many {0}")]
    Busy(&'static str),
    /// The network could not be set up.
    #[error("cannot set up the network: {0}")]
    Setup(String),
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}

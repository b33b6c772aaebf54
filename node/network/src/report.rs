//! Reports of the driver to the owner of the node.

use replication::{LogHead, Peer, RequestId, StreamOutcome, SyncRequest};
use schemas::cid::Cid;
use tokio::sync::mpsc;

/// A report of the driver. Reports wait in a bounded queue: an owner that does not read stops the
/// streams, never the driver.
#[derive(Debug)]
pub enum SwarmReport {
    /// An address at which this node listens, with `/p2p/…` at the end.
    Listening(String),
    /// The first connection to a peer was established.
    Connected {
        /// The peer.
        peer: Peer,
        /// Its address.
        address: String,
    },
    /// The last connection to a peer was closed.
    Disconnected(Peer),
    /// A peer announced heads, by gossip or directly. `from` is the author; a gossiped announcement
    /// may come from a node that is not connected.
    HeadsReceived {
        /// Author of the announcement.
        from: Peer,
        /// The heads, within their limits.
        heads: Vec<LogHead>,
    },
    /// A block of a request; its hash matches its id.
    BlockReceived {
        /// The request.
        request_id: RequestId,
        /// The sender.
        peer: Peer,
        /// Id of the block.
        id: Cid,
        /// Content of the block.
        bytes: Vec<u8>,
    },
    /// A request ended; no more reports follow under its id.
    RequestFinished {
        /// The request.
        request_id: RequestId,
        /// How the stream ended.
        outcome: StreamOutcome,
    },
    /// A peer sent a request. Answer with blocks on `reply`; dropping `reply` completes the response.
    RequestReceived {
        /// The peer.
        peer: Peer,
        /// The request, within its limits.
        request: SyncRequest,
        /// Channel for the blocks. Sending fails if the peer is gone or too slow.
        reply: mpsc::Sender<(Cid, Vec<u8>)>,
    },
    /// A peer violated the protocol outside of our own requests.
    Misbehaved {
        /// The peer.
        peer: Peer,
        /// Description of the violation.
        reason: String,
    },
    /// A configured peer could not be reached; it is dialled again later.
    Unreachable {
        /// Its address.
        address: String,
        /// Error of the last attempt.
        reason: String,
    },
}

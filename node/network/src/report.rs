//! What the network reports to its owner.

use replication::{LogHead, Peer, RequestId, StreamOutcome, SyncRequest};
use schemas::cid::Cid;
use tokio::sync::mpsc;

/// Something that happened. Events wait in a bounded queue: an owner that does not read stops
/// the streams, never the driver.
#[derive(Debug)]
pub enum SwarmReport {
    /// An address at which others reach this node, with `/p2p/…` at the end.
    Listening(String),
    /// A peer can be talked to.
    Connected {
        /// Who.
        peer: Peer,
        /// Where.
        address: String,
    },
    /// The last connection to a peer is gone.
    Disconnected(Peer),
    /// A peer said which logs it holds, by gossip or directly. `from` made the statement; with
    /// gossip it need not be connected.
    HeadsReceived {
        /// Who holds them.
        from: Peer,
        /// The heads, within their limits.
        heads: Vec<LogHead>,
    },
    /// A block of a request, its bytes what its id says.
    BlockReceived {
        /// The request.
        request_id: RequestId,
        /// Who sent it.
        peer: Peer,
        /// Its id.
        id: Cid,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A request is over; nothing more comes under its request_id.
    RequestFinished {
        /// The request.
        request_id: RequestId,
        /// How it ended.
        outcome: StreamOutcome,
    },
    /// A peer asks. Send it the blocks; dropping `reply` says that this is all there is.
    RequestReceived {
        /// Who.
        peer: Peer,
        /// What, within its limits.
        request: SyncRequest,
        /// Where the blocks go. Sending fails when the peer has gone or is too slow.
        reply: mpsc::Sender<(Cid, Vec<u8>)>,
    },
    /// A peer broke the protocol in a way that no request of ours shows.
    Misbehaved {
        /// Who.
        peer: Peer,
        /// What it did.
        reason: String,
    },
    /// A configured peer could not be reached; it is tried again.
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
}

//! What the network reports to its owner.

use replication::{Head, Outcome, Peer, Request, Ticket};
use schemas::cid::Cid;
use tokio::sync::mpsc;

/// Something that happened. Events wait in a bounded queue: an owner that does not read stops
/// the streams, never the driver.
#[derive(Debug)]
pub enum Event {
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
    Heads {
        /// Who holds them.
        from: Peer,
        /// The heads, within their limits.
        heads: Vec<Head>,
    },
    /// A block of a request, its bytes what its id says.
    Block {
        /// The request.
        ticket: Ticket,
        /// Who sent it.
        peer: Peer,
        /// Its id.
        id: Cid,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A request is over; nothing more comes under its ticket.
    Finished {
        /// The request.
        ticket: Ticket,
        /// How it ended.
        outcome: Outcome,
    },
    /// A peer asks. Send it the blocks; dropping `reply` says that this is all there is.
    Serve {
        /// Who.
        peer: Peer,
        /// What, within its limits.
        request: Request,
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

//! What the machine wants done.

use crate::event::{Peer, RequestId};
use crate::messages::{LogHead, SyncRequest};

/// Something the caller must do. Actions are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncAction {
    /// Gossip these heads to everybody.
    Gossip(Vec<LogHead>),
    /// Say these heads to one peer.
    SendHeads {
        /// Whom.
        peer: Peer,
        /// What, at most [`crate::limits::HEADS_MAX`].
        heads: Vec<LogHead>,
    },
    /// Open a stream to `peer` and send `request`; report under `request_id`.
    SendRequest {
        /// Whom.
        peer: Peer,
        /// The name of the request.
        request_id: RequestId,
        /// What.
        request: SyncRequest,
    },
    /// Drop the stream of a request; nothing more is expected of it.
    CancelRequest {
        /// The request.
        request_id: RequestId,
    },
    /// A peer broke the rules; the caller keeps the score and decides on a ban.
    Penalise {
        /// Who.
        peer: Peer,
        /// How badly.
        severity: Severity,
        /// What it did, for the log.
        reason: &'static str,
    },
}

/// How bad a fault of a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// May happen to an honest peer in trouble: slow, a head it could not serve.
    Minor,
    /// No honest peer does it: a wrong block, an unasked one, a stream without end.
    Severe,
}

impl Severity {
    /// Points on a score on which 100 is a ban.
    pub fn points(self) -> u32 {
        match self {
            Severity::Minor => 5,
            Severity::Severe => 50,
        }
    }
}

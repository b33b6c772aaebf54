//! Actions that the sync machine asks its caller to carry out.

use crate::event::{Peer, RequestId};
use crate::messages::{LogHead, SyncRequest};

/// An action for the caller. The actions of one event are carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncAction {
    /// Publish these heads on the gossip topic.
    Gossip(Vec<LogHead>),
    /// Send these heads to one peer.
    SendHeads {
        /// The recipient.
        peer: Peer,
        /// 1 to [`crate::limits::HEADS_MAX`] heads.
        heads: Vec<LogHead>,
    },
    /// Open a stream to `peer` and send `request`; report the result under `request_id`.
    SendRequest {
        /// The peer to ask.
        peer: Peer,
        /// Id under which blocks and the end of the stream are reported.
        request_id: RequestId,
        /// The request, within its bounds.
        request: SyncRequest,
    },
    /// Reset the stream of a request; later events of that request are ignored.
    CancelRequest {
        /// The request to cancel.
        request_id: RequestId,
    },
    /// A peer violated the protocol. The caller keeps the score and decides about a ban.
    Penalise {
        /// The peer.
        peer: Peer,
        /// Severity of the misbehaviour.
        severity: Severity,
        /// Description for the log.
        reason: &'static str,
    },
}

/// Severity of a peer's misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// An honest peer in trouble may do this: it is slow, or cannot serve a head it announced.
    Minor,
    /// No honest peer does this: a hash mismatch, an unrequested block, an endless stream.
    Severe,
}

impl Severity {
    /// Points for the score, on which 100 is a ban.
    pub fn points(self) -> u32 {
        match self {
            Severity::Minor => 5,
            Severity::Severe => 50,
        }
    }
}

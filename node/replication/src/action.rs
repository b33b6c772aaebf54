//! What the machine wants done.

use crate::event::{Peer, Ticket};
use crate::wire::{Head, Request};

/// Something the caller must do. Actions are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gossip these heads to everybody.
    Announce(Vec<Head>),
    /// Say these heads to one peer.
    Tell {
        /// Whom.
        peer: Peer,
        /// What, at most [`crate::limits::HEADS_MAX`].
        heads: Vec<Head>,
    },
    /// Open a stream to `peer` and send `request`; report under `ticket`.
    Ask {
        /// Whom.
        peer: Peer,
        /// The name of the request.
        ticket: Ticket,
        /// What.
        request: Request,
    },
    /// Drop the stream of a request; nothing more is expected of it.
    Cancel {
        /// The request.
        ticket: Ticket,
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
    Slight,
    /// No honest peer does it: a wrong block, an unasked one, a stream without end.
    Grave,
}

impl Severity {
    /// Points on a score on which 100 is a ban.
    pub fn points(self) -> u32 {
        match self {
            Severity::Slight => 5,
            Severity::Grave => 50,
        }
    }
}

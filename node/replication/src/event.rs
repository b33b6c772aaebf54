//! Events that the caller reports to the sync machine.

use std::fmt;

use schemas::cid::{Cid, PublisherId};

use crate::messages::LogHead;

/// A point in time: milliseconds since an arbitrary fixed moment. Never decreases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// Returns the moment `millis` later.
    pub fn after(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`, or zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A node, identified by its peer id as text. Opaque to this crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub String);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies one request. One machine never uses an id twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// An event for the sync machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEvent {
    /// The first connection to a peer was established.
    Connected(Peer),
    /// The last connection to a peer was closed.
    Disconnected(Peer),
    /// A peer announced heads, by gossip or directly. `from` is the author of the announcement,
    /// not the peer that forwarded it.
    HeadsReceived {
        /// Author of the announcement.
        from: Peer,
        /// The heads, at most [`crate::limits::HEADS_MAX`].
        heads: Vec<LogHead>,
    },
    /// A stream delivered a block, and the node stored or refused it.
    BlockReceived {
        /// The request that the block answers.
        request_id: RequestId,
        /// The id in its record.
        id: Cid,
        /// Size of the block in bytes.
        bytes: usize,
        /// `Ok` if the block is stored now (or was before), otherwise the reason against it.
        verdict: Result<(), BlockRefusal>,
    },
    /// A stream ended. Reported after the [`SyncEvent::BlockReceived`] of each of its blocks.
    RequestFinished {
        /// The request.
        request_id: RequestId,
        /// How the stream ended.
        outcome: StreamOutcome,
    },
    /// A log grew, or blocks that it needs arrived. Entries that came through a request must be
    /// reported before that request is finished: this is how they are told from local ones.
    LogGrown {
        /// The log.
        publisher: PublisherId,
    },
    /// The operator follows a publisher from now on.
    Followed {
        /// The publisher.
        publisher: PublisherId,
    },
    /// Time has passed; expected every [`crate::limits::TICK_MILLIS`].
    Tick,
}

/// Reason for not storing a delivered block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRefusal {
    /// The bytes do not have the hash in the id. Misbehaviour of the peer.
    HashMismatch,
    /// Not an entry, not canonical, badly signed, or of another publisher. Misbehaviour of the
    /// peer if it is an entry, which the peer must have checked. A block requested by id is the
    /// publisher's mistake, and [`crate::LogView::missing_blocks`] must not return it again.
    Invalid,
    /// An entry that does not continue the stored log: a gap, or another branch.
    Discontinuous,
    /// A correctly signed entry that contradicts a stored one. The node kept it as evidence.
    Forked,
    /// Blocked by the operator, or beyond a quota.
    Unwanted,
    /// The node could not store it.
    StorageFailed,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamOutcome {
    /// The peer stated that it sent everything it has of the request.
    Complete,
    /// It ended early.
    Interrupted(StreamError),
}

/// Reason for the early end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The peer cannot be reached, or does not support the protocol.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// The peer serves too many streams already.
    #[error("the peer is busy")]
    Busy,
    /// The peer sent nothing for too long.
    #[error("the stream timed out")]
    TimedOut,
    /// The connection or stream broke.
    #[error("the stream was interrupted")]
    Broken,
    /// The hash of a block is not the one in its id.
    #[error("hash mismatch in a block")]
    HashMismatch,
    /// The bytes violate the protocol: an oversized record, a foreign id.
    #[error("the stream violates the protocol")]
    Malformed,
    /// Cancelled on this side.
    #[error("the request was cancelled")]
    Cancelled,
}

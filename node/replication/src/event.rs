//! What happens to the machine.

use std::fmt;

use schemas::cid::{Cid, PublisherId};

use crate::messages::LogHead;

/// A point in time: milliseconds since any fixed moment, never running backwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// The moment `millis` later.
    pub fn after(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`, zero when that is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A node, by the name the network gives it (its peer id as text). Opaque here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub String);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one request under way; never used twice by one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Something the machine must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEvent {
    /// A peer can be talked to.
    Connected(Peer),
    /// The last connection to a peer is gone.
    Disconnected(Peer),
    /// A peer said which logs it holds, by gossip or directly. `from` is who made the statement,
    /// not who passed it on.
    HeadsReceived {
        /// Who holds them.
        from: Peer,
        /// The heads, at most [`crate::limits::HEADS_MAX`].
        heads: Vec<LogHead>,
    },
    /// What became of a block that a stream delivered.
    BlockReceived {
        /// The request it answers.
        request_id: RequestId,
        /// The id in its record.
        id: Cid,
        /// Its size.
        bytes: usize,
        /// Stored (or held already), or why not.
        verdict: Result<(), BlockRefusal>,
    },
    /// A stream ended. Comes after the [`Event::Received`] of each of its blocks.
    RequestFinished {
        /// The request.
        request_id: RequestId,
        /// How.
        outcome: StreamOutcome,
    },
    /// A log got longer, whoever wrote it, or blocks it refers to arrived. Entries that came
    /// through a request are to be told before that request is finished.
    LogGrown {
        /// The log.
        publisher: PublisherId,
    },
    /// The operator follows a publisher from now on.
    Followed {
        /// The publisher.
        publisher: PublisherId,
    },
    /// Time passes; expected every [`crate::limits::TICK_MILLIS`].
    Tick,
}

/// Why the node did not keep a delivered block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRefusal {
    /// The bytes are not what the id says. The peer's fault.
    HashMismatch,
    /// No entry, not canonical, badly signed, of another publisher. The peer's fault in an entry,
    /// which it must have checked; the publisher's in a block that was asked for by id, which
    /// [`crate::View::missing`] must not name again.
    Invalid,
    /// An entry that does not continue the log as held: a gap, or another branch.
    Discontinuous,
    /// A well signed entry that contradicts one held. Evidence of a fork, which the node kept.
    Forked,
    /// Blocked here, or beyond a quota.
    Unwanted,
    /// The node could not store it.
    StorageFailed,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamOutcome {
    /// The peer said that it sent all it has of what was asked.
    Complete,
    /// It ended otherwise.
    Interrupted(StreamError),
}

/// Why a stream ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The peer cannot be reached, or does not speak the protocol.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// The peer serves too many streams already.
    #[error("the peer is busy")]
    Busy,
    /// The peer sent nothing for too long.
    #[error("the peer sent nothing for too long")]
    TimedOut,
    /// The connection or stream broke.
    #[error("the stream broke off")]
    Broken,
    /// A block was not what its id says.
    #[error("a block is not what its id says")]
    HashMismatch,
    /// The bytes do not follow the protocol: an oversized record, a foreign id.
    #[error("the stream does not follow the protocol")]
    Malformed,
    /// Cancelled on this side.
    #[error("cancelled")]
    Cancelled,
}

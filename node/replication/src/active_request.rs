//! A request under way.

use std::collections::BTreeSet;

use schemas::cid::{Cid, PublisherId};

use crate::event::{Millis, Peer};
use crate::limits::{BLOCK_TIMEOUT_MILLIS, REQUEST_TIMEOUT_MILLIS};

/// What was asked of whom, and what came of it so far.
#[derive(Debug)]
pub(crate) struct ActiveRequest {
    pub(crate) peer: Peer,
    pub(crate) publisher: PublisherId,
    pub(crate) purpose: RequestPurpose,
    /// Blocks that were kept.
    pub(crate) accepted: u64,
    /// Whether the log is followed: strangers' tasks have a bound of their own.
    pub(crate) followed: bool,
    /// Why an answer stopped being of use, though the peer did nothing wrong.
    pub(crate) abort_reason: Option<AbortReason>,
    started_at: Millis,
    last_block_at: Millis,
}

/// What a request is for.
#[derive(Debug)]
pub(crate) enum RequestPurpose {
    /// More of a log: how many entries may still come.
    Entries { left: u64 },
    /// Blocks of a log: those that have not come.
    Blocks { left: BTreeSet<Cid> },
    /// The entry that contradicts ours, by sequence number.
    ConflictingEntry { sequence: u64, left: u64 },
    /// The entry that contradicts ours, by id.
    Evidence { left: BTreeSet<Cid> },
}

/// What to do about the log when the request is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbortReason {
    /// The entries do not continue ours: look for the contradiction.
    Discontinuous,
    /// The contradiction is found.
    ForkFound,
    /// No more of this log is welcome.
    Unwanted,
    /// The node has trouble of its own.
    StorageFailed,
}

impl ActiveRequest {
    pub(crate) fn new(
        now: Millis,
        peer: Peer,
        publisher: PublisherId,
        aim: RequestPurpose,
        followed: bool,
    ) -> Self {
        Self {
            peer,
            publisher,
            purpose: aim,
            accepted: 0,
            followed,
            abort_reason: None,
            started_at: now,
            last_block_at: now,
        }
    }

    /// Counts a delivered block, and says whether it was asked for.
    pub(crate) fn record_block(&mut self, now: Millis, id: Cid) -> bool {
        self.last_block_at = now;
        match &mut self.purpose {
            RequestPurpose::Entries { left } | RequestPurpose::ConflictingEntry { left, .. } => {
                let expected = *left > 0;
                *left = left.saturating_sub(1);
                expected
            }
            RequestPurpose::Blocks { left } | RequestPurpose::Evidence { left } => left.remove(&id),
        }
    }

    /// Whether it is given up: nothing came for too long, or it takes too long in all.
    pub(crate) fn timeout(&self, now: Millis) -> Option<RequestTimeout> {
        if now.since(self.last_block_at) >= BLOCK_TIMEOUT_MILLIS {
            Some(RequestTimeout::Idle)
        } else if now.since(self.started_at) >= REQUEST_TIMEOUT_MILLIS {
            Some(RequestTimeout::Total)
        } else {
            None
        }
    }
}

/// How a request missed its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestTimeout {
    /// Nothing came for too long.
    Idle,
    /// Something came, but too little.
    Total,
}

//! An open request and its progress.

use std::collections::BTreeSet;

use schemas::cid::{Cid, PublisherId};

use crate::event::{Millis, Peer};
use crate::limits::{BLOCK_TIMEOUT_MILLIS, REQUEST_TIMEOUT_MILLIS};

/// An open request, its purpose and the blocks received so far.
#[derive(Debug)]
pub(crate) struct ActiveRequest {
    pub(crate) peer: Peer,
    pub(crate) publisher: PublisherId,
    pub(crate) purpose: RequestPurpose,
    /// Number of delivered blocks that the node stored.
    pub(crate) accepted: u64,
    /// Whether the log is followed: unfollowed logs have a limit of their own.
    pub(crate) followed: bool,
    /// Reason why further blocks are useless although the peer did nothing wrong.
    pub(crate) abort_reason: Option<AbortReason>,
    started_at: Millis,
    last_block_at: Millis,
}

/// Purpose of a request.
#[derive(Debug)]
pub(crate) enum RequestPurpose {
    /// Extend a log; `left` entries may still come.
    Entries { left: u64 },
    /// Fetch blocks of a log; `left` have not come yet.
    Blocks { left: BTreeSet<Cid> },
    /// Fetch the peer's entry at `sequence`, the position of our last entry.
    ConflictingEntry { sequence: u64, left: u64 },
    /// Fetch an entry that contradicts ours, by its id.
    Evidence { left: BTreeSet<Cid> },
}

/// Reason for aborting a request that decides how to proceed with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbortReason {
    /// The entries do not continue ours: request the contradicting entry.
    Discontinuous,
    /// The contradicting entry was found.
    ForkFound,
    /// The node stores no more of this log.
    Unwanted,
    /// The node itself failed to store a block.
    StorageFailed,
}

impl ActiveRequest {
    pub(crate) fn new(
        now: Millis,
        peer: Peer,
        publisher: PublisherId,
        purpose: RequestPurpose,
        followed: bool,
    ) -> Self {
        Self {
            peer,
            publisher,
            purpose,
            accepted: 0,
            followed,
            abort_reason: None,
            started_at: now,
            last_block_at: now,
        }
    }

    /// Records a delivered block; returns whether it was requested and not delivered before.
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

    /// Returns the timeout that the request exceeded, if any.
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

/// Timeout that a request exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestTimeout {
    /// No block for [`BLOCK_TIMEOUT_MILLIS`].
    Idle,
    /// Not finished after [`REQUEST_TIMEOUT_MILLIS`].
    Total,
}

//! A request under way.

use std::collections::BTreeSet;

use schemas::cid::{Cid, PublisherId};

use crate::event::{Millis, Peer};
use crate::limits::{ANSWER_MILLIS, TASK_MILLIS};

/// What was asked of whom, and what came of it so far.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) peer: Peer,
    pub(crate) publisher: PublisherId,
    pub(crate) aim: Aim,
    /// Blocks that were kept.
    pub(crate) kept: u64,
    /// Whether the log is followed: strangers' tasks have a bound of their own.
    pub(crate) followed: bool,
    /// Why an answer stopped being of use, though the peer did nothing wrong.
    pub(crate) spoilt: Option<Spoilt>,
    begun: Millis,
    heard: Millis,
}

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Aim {
    /// More of a log: how many entries may still come.
    Entries { left: u64 },
    /// Blocks of a log: those that have not come.
    Blocks { left: BTreeSet<Cid> },
    /// The entry that contradicts ours, by sequence number.
    Rival { sequence: u64, left: u64 },
    /// The entry that contradicts ours, by id.
    Evidence { left: BTreeSet<Cid> },
}

/// What to do about the log when the request is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoilt {
    /// The entries do not continue ours: look for the contradiction.
    Detached,
    /// The contradiction is found.
    Forked,
    /// No more of this log is welcome.
    Unwanted,
    /// The node has trouble of its own.
    Failed,
}

impl Task {
    pub(crate) fn new(now: Millis, peer: Peer, publisher: PublisherId, aim: Aim, followed: bool) -> Self {
        Self { peer, publisher, aim, kept: 0, followed, spoilt: None, begun: now, heard: now }
    }

    /// Counts a delivered block, and says whether it was asked for.
    pub(crate) fn expects(&mut self, now: Millis, id: Cid) -> bool {
        self.heard = now;
        match &mut self.aim {
            Aim::Entries { left } | Aim::Rival { left, .. } => {
                let expected = *left > 0;
                *left = left.saturating_sub(1);
                expected
            }
            Aim::Blocks { left } | Aim::Evidence { left } => left.remove(&id),
        }
    }

    /// Whether it is given up: nothing came for too long, or it takes too long in all.
    pub(crate) fn overdue(&self, now: Millis) -> Option<Overdue> {
        if now.since(self.heard) >= ANSWER_MILLIS {
            Some(Overdue::Silent)
        } else if now.since(self.begun) >= TASK_MILLIS {
            Some(Overdue::Slow)
        } else {
            None
        }
    }
}

/// How a request missed its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing came for too long.
    Silent,
    /// Something came, but too little.
    Slow,
}

//! The fetch queue: logs with something to fetch, and the time of the next attempt for each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use schemas::cid::{Cid, EntryId, PublisherId};

use crate::event::{Millis, Peer, RequestId};
use crate::limits::{ABSENT_BLOCKS_MAX, FETCHES_MAX};

/// The state of fetching one log.
#[derive(Debug, Default)]
pub(crate) struct LogFetch {
    /// The open request. One per log, so that entries arrive in order and nothing arrives twice.
    pub(crate) request: Option<RequestId>,
    /// Earliest next attempt; a new announcement resets it.
    pub(crate) retry_at: Millis,
    /// Earliest next attempt in any case: this node failed to store a block.
    pub(crate) blocked_until: Millis,
    /// Whether the log was followed when it was scheduled last.
    pub(crate) followed: bool,
    /// Peer to ask for its entry at the position of our last one.
    pub(crate) conflict_peer: Option<Peer>,
    /// An entry that contradicts ours, and the peer that announced it.
    pub(crate) evidence: Option<(Peer, EntryId)>,
    /// Blocks that a peer was asked for and did not deliver.
    /// INVARIANT: at most [`ABSENT_BLOCKS_MAX`].
    absent: BTreeSet<(Peer, Cid)>,
}

impl LogFetch {
    /// Records that a peer did not deliver a block.
    pub(crate) fn record_absent(&mut self, peer: &Peer, id: Cid) {
        if self.absent.len() < ABSENT_BLOCKS_MAX {
            self.absent.insert((peer.clone(), id));
        }
    }

    /// Returns whether a peer recently did not deliver a block.
    pub(crate) fn is_absent(&self, peer: &Peer, id: Cid) -> bool {
        !self.absent.is_empty() && self.absent.contains(&(peer.clone(), id))
    }

    /// Number of recent failures to deliver a block.
    pub(crate) fn absent_count(&self) -> usize {
        self.absent.len()
    }

    /// Handles a new announcement of a peer: it may have the blocks now that it lacked before.
    pub(crate) fn peer_announced(&mut self, peer: &Peer) {
        self.retry_at = Millis(0);
        self.absent.retain(|(absent, _)| absent != peer);
    }

    /// Allows every block to be requested from every peer again.
    pub(crate) fn clear_absent(&mut self) {
        self.absent.clear();
    }
}

/// All logs that are being fetched.
#[derive(Debug, Default)]
pub(crate) struct FetchQueue {
    /// INVARIANT: at most [`FETCHES_MAX`].
    logs: BTreeMap<PublisherId, LogFetch>,
    /// The log returned last: the next search starts behind it, so that every log gets its turn.
    last: Option<PublisherId>,
}

impl FetchQueue {
    /// Returns the fetch of a log, inserting it if it is not queued. `None` if the queue is full;
    /// a followed log then evicts an unfollowed one.
    pub(crate) fn get_or_insert(&mut self, publisher: PublisherId, followed: bool) -> Option<&mut LogFetch> {
        if !self.logs.contains_key(&publisher) {
            if self.logs.len() >= FETCHES_MAX && !(followed && self.evict_unfollowed()) {
                return None;
            }
            self.logs.insert(publisher, LogFetch { followed, ..LogFetch::default() });
        }
        self.logs.get_mut(&publisher)
    }

    pub(crate) fn get(&self, publisher: PublisherId) -> Option<&LogFetch> {
        self.logs.get(&publisher)
    }

    pub(crate) fn get_mut(&mut self, publisher: PublisherId) -> Option<&mut LogFetch> {
        self.logs.get_mut(&publisher)
    }

    pub(crate) fn remove(&mut self, publisher: PublisherId) {
        self.logs.remove(&publisher);
    }

    pub(crate) fn len(&self) -> usize {
        self.logs.len()
    }

    /// Returns the next log that is due and has no open request, in turn; followed logs first,
    /// unfollowed ones only if `with_unfollowed`.
    pub(crate) fn next_ready(&mut self, now: Millis, with_unfollowed: bool) -> Option<PublisherId> {
        let find = |followed: bool| {
            let after = self.last.map_or(Unbounded, Excluded);
            let round = self.logs.range((after, Unbounded)).chain(self.logs.iter());
            let ready = |fetch: &LogFetch| {
                fetch.request.is_none()
                    && fetch.retry_at.max(fetch.blocked_until) <= now
                    && fetch.followed == followed
            };
            round.filter(|(_, fetch)| ready(fetch)).map(|(publisher, _)| *publisher).next()
        };
        let found = find(true).or_else(|| with_unfollowed.then(|| find(false)).flatten())?;
        self.last = Some(found);
        Some(found)
    }

    /// Removes an unfollowed log without an open request, if there is one.
    fn evict_unfollowed(&mut self) -> bool {
        let idle = |fetch: &LogFetch| !fetch.followed && fetch.request.is_none();
        let unfollowed = self.logs.iter().find(|(_, fetch)| idle(fetch)).map(|(publisher, _)| *publisher);
        unfollowed.is_some_and(|publisher| self.logs.remove(&publisher).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher(n: usize) -> PublisherId {
        PublisherId::of(&n.to_be_bytes())
    }

    #[test]
    fn every_log_gets_its_turn_and_followed_ones_come_first() {
        let mut queue = FetchQueue::default();
        for n in 0..4 {
            queue.get_or_insert(publisher(n), n < 2).unwrap();
        }
        let first: BTreeSet<_> = (0..2).map(|_| queue.next_ready(Millis(0), true).unwrap()).collect();
        assert_eq!(first, (0..2).map(publisher).collect());
        for n in 0..2 {
            queue.get_mut(publisher(n)).unwrap().request = Some(RequestId(0));
        }
        assert_eq!(queue.next_ready(Millis(0), false), None);
        let rest: BTreeSet<_> = (0..2).map(|_| queue.next_ready(Millis(0), true).unwrap()).collect();
        assert_eq!(rest, (2..4).map(publisher).collect());
    }

    #[test]
    fn followed_logs_evict_unfollowed_ones_from_a_full_queue() {
        let mut queue = FetchQueue::default();
        for n in 0..FETCHES_MAX {
            assert!(queue.get_or_insert(publisher(n), false).is_some());
        }
        assert!(queue.get_or_insert(publisher(FETCHES_MAX), false).is_none());
        assert!(queue.get_or_insert(publisher(FETCHES_MAX), true).is_some());
        assert_eq!(queue.len(), FETCHES_MAX);
    }
}

//! The logs of which something is to be fetched, and when each may be tried next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use schemas::cid::{Cid, EntryId, PublisherId};

use crate::event::{Millis, Peer, RequestId};
use crate::limits::{ABSENT_BLOCKS_MAX, FETCHES_MAX};

/// One log that is pursued.
#[derive(Debug, Default)]
pub(crate) struct LogFetch {
    /// The request under way; one a log, so that entries come in order and nothing comes twice.
    pub(crate) request: Option<RequestId>,
    /// Not tried before, unless somebody says something new.
    pub(crate) retry_at: Millis,
    /// Not tried before in any case: this node has trouble with it.
    pub(crate) blocked_until: Millis,
    /// Whether the log is followed, as of the last look.
    pub(crate) followed: bool,
    /// Whom to ask for the entry that contradicts ours.
    pub(crate) conflict_peer: Option<Peer>,
    /// An entry that contradicts ours, and who names it.
    pub(crate) evidence: Option<(Peer, EntryId)>,
    /// Blocks that a peer was asked for and did not deliver.
    /// INVARIANT: at most [`ABSENT_MAX`].
    absent: BTreeSet<(Peer, Cid)>,
}

impl LogFetch {
    /// Remembers that a peer did not deliver a block.
    pub(crate) fn record_absent(&mut self, peer: &Peer, id: Cid) {
        if self.absent.len() < ABSENT_BLOCKS_MAX {
            self.absent.insert((peer.clone(), id));
        }
    }

    /// Whether a peer did not deliver a block lately.
    pub(crate) fn is_absent(&self, peer: &Peer, id: Cid) -> bool {
        !self.absent.is_empty() && self.absent.contains(&(peer.clone(), id))
    }

    /// How many blocks were not delivered lately.
    pub(crate) fn absent_count(&self) -> usize {
        self.absent.len()
    }

    /// A peer says something: what it lacked it may have by now.
    pub(crate) fn peer_announced(&mut self, peer: &Peer) {
        self.retry_at = Millis(0);
        self.absent.retain(|(absent, _)| absent != peer);
    }

    /// Gives every peer another chance with every block.
    pub(crate) fn clear_absent(&mut self) {
        self.absent.clear();
    }
}

/// All pursued logs.
#[derive(Debug, Default)]
pub(crate) struct FetchQueue {
    /// INVARIANT: at most [`PURSUITS_MAX`].
    logs: BTreeMap<PublisherId, LogFetch>,
    /// Where the last round ended, so that every log gets its turn.
    last: Option<PublisherId>,
}

impl FetchQueue {
    /// The pursuit of a log, begun if it was not. `None` when there are too many; a followed log
    /// takes the place of a stranger's.
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

    /// The next log after the last one named that may be tried now: followed ones first.
    pub(crate) fn next_ready(&mut self, now: Millis, strangers: bool) -> Option<PublisherId> {
        let ready = |followed: bool| {
            let after = self.last.map_or(Unbounded, Excluded);
            let round = self.logs.range((after, Unbounded)).chain(self.logs.iter());
            let fits = |pursuit: &LogFetch| {
                pursuit.request.is_none()
                    && pursuit.retry_at.max(pursuit.blocked_until) <= now
                    && pursuit.followed == followed
            };
            round.filter(|(_, pursuit)| fits(pursuit)).map(|(publisher, _)| *publisher).next()
        };
        let found = ready(true).or_else(|| strangers.then(|| ready(false)).flatten())?;
        self.last = Some(found);
        Some(found)
    }

    /// Gives up a stranger's log that is not being fetched, if there is one.
    fn evict_unfollowed(&mut self) -> bool {
        let idle = |pursuit: &LogFetch| !pursuit.followed && pursuit.request.is_none();
        let stranger = self.logs.iter().find(|(_, pursuit)| idle(pursuit)).map(|(publisher, _)| *publisher);
        stranger.is_some_and(|publisher| self.logs.remove(&publisher).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher(n: usize) -> PublisherId {
        PublisherId::of(&n.to_be_bytes())
    }

    #[test]
    fn every_log_gets_its_turn_and_followed_ones_first() {
        let mut pursuits = FetchQueue::default();
        for n in 0..4 {
            pursuits.get_or_insert(publisher(n), n < 2).unwrap();
        }
        let first: BTreeSet<_> = (0..2).map(|_| pursuits.next_ready(Millis(0), true).unwrap()).collect();
        assert_eq!(first, (0..2).map(publisher).collect());
        for n in 0..2 {
            pursuits.get_mut(publisher(n)).unwrap().request = Some(RequestId(0));
        }
        assert_eq!(pursuits.next_ready(Millis(0), false), None);
        let rest: BTreeSet<_> = (0..2).map(|_| pursuits.next_ready(Millis(0), true).unwrap()).collect();
        assert_eq!(rest, (2..4).map(publisher).collect());
    }

    #[test]
    fn strangers_make_room_for_what_is_followed() {
        let mut pursuits = FetchQueue::default();
        for n in 0..FETCHES_MAX {
            assert!(pursuits.get_or_insert(publisher(n), false).is_some());
        }
        assert!(pursuits.get_or_insert(publisher(FETCHES_MAX), false).is_none());
        assert!(pursuits.get_or_insert(publisher(FETCHES_MAX), true).is_some());
        assert_eq!(pursuits.len(), FETCHES_MAX);
    }
}

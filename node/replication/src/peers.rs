//! What connected peers said, and how far they are trusted with each log.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::event::{Millis, Peer};
use crate::limits::{HEADS_PER_PEER_MAX, PEERS_MAX, RETRY_DOUBLINGS, RETRY_MILLIS};
use crate::messages::LogHead;

/// The connected peers.
#[derive(Debug, Default)]
pub(crate) struct PeerTable {
    /// INVARIANT: at most [`PEERS_MAX`].
    states: BTreeMap<Peer, PeerState>,
}

/// One peer.
#[derive(Debug, Default)]
struct PeerState {
    /// INVARIANT: at most [`TOLD_MAX`].
    claims: BTreeMap<PublisherId, LogClaim>,
}

/// What one peer said of one log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogClaim {
    /// Entries it says it holds; 0 once it failed to deliver them, until it says so again.
    pub(crate) length: u64,
    /// Not asked for this log before.
    pub(crate) not_before: Millis,
    /// Failures in a row.
    pub(crate) failures: u32,
    followed: bool,
}

impl PeerTable {
    /// Whether the peer was new and there was room.
    pub(crate) fn insert(&mut self, peer: &Peer) -> bool {
        let room = self.states.len() < PEERS_MAX && !self.states.contains_key(peer);
        if room {
            self.states.insert(peer.clone(), PeerState::default());
        }
        room
    }

    pub(crate) fn remove(&mut self, peer: &Peer) {
        self.states.remove(peer);
    }

    pub(crate) fn contains(&self, peer: &Peer) -> bool {
        self.states.contains_key(peer)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.states.keys()
    }

    /// Remembers a head that a peer said; a log never gets shorter, so of two the longer. A full peer forgets a stranger's log for a followed one.
    pub(crate) fn record_head(&mut self, peer: &Peer, head: &LogHead, followed: bool) {
        let Some(known) = self.states.get_mut(peer) else { return };
        if let Some(told) = known.claims.get_mut(&head.publisher) {
            (told.length, told.followed) = (told.length.max(head.length), followed);
            return;
        }
        if known.claims.len() >= HEADS_PER_PEER_MAX && !(followed && known.evict_unfollowed()) {
            return;
        }
        let told = LogClaim { length: head.length, not_before: Millis(0), failures: 0, followed };
        known.claims.insert(head.publisher, told);
    }

    /// What a peer said of a log.
    pub(crate) fn claim_by(&self, peer: &Peer, publisher: PublisherId) -> Option<LogClaim> {
        self.states.get(peer)?.claims.get(&publisher).copied()
    }

    /// The peers that said something of a log and may be asked now, those that failed least first.
    pub(crate) fn available_holders(&self, publisher: PublisherId, now: Millis) -> Vec<(Peer, LogClaim)> {
        let told = |(peer, known): (&Peer, &PeerState)| {
            let told = known.claims.get(&publisher).filter(|told| told.not_before <= now)?;
            Some((peer.clone(), *told))
        };
        let mut holders: Vec<_> = self.states.iter().filter_map(told).collect();
        holders.sort_by_key(|(_, told)| told.failures);
        holders
    }

    /// The longest length that any peer claims for a log.
    pub(crate) fn longest_claim(&self, publisher: PublisherId) -> u64 {
        self.claims_for(publisher).map(|told| told.length).max().unwrap_or(0)
    }

    /// When the first of the peers that speak of a log may be asked again.
    pub(crate) fn earliest_retry(&self, publisher: PublisherId) -> Option<Millis> {
        self.claims_for(publisher).filter(|told| told.length > 0).map(|told| told.not_before).min()
    }

    /// Whether any peer said something of a log.
    pub(crate) fn has_claims(&self, publisher: PublisherId) -> bool {
        self.claims_for(publisher).next().is_some()
    }

    fn claims_for(&self, publisher: PublisherId) -> impl Iterator<Item = &LogClaim> {
        self.states.values().filter_map(move |known| known.claims.get(&publisher))
    }

    /// A peer delivered something of a log.
    pub(crate) fn record_success(&mut self, peer: &Peer, publisher: PublisherId) {
        if let Some(told) = self.claim_mut(peer, publisher) {
            told.failures = 0;
        }
    }

    /// A peer failed: it rests, for longer each time.
    pub(crate) fn record_failure(&mut self, peer: &Peer, publisher: PublisherId, now: Millis) {
        if let Some(told) = self.claim_mut(peer, publisher) {
            told.not_before = now.after(retry_backoff(told.failures));
            told.failures = told.failures.saturating_add(1);
        }
    }

    /// A peer is not asked for a log for so long.
    pub(crate) fn avoid_until(&mut self, peer: &Peer, publisher: PublisherId, until: Millis) {
        if let Some(told) = self.claim_mut(peer, publisher) {
            told.not_before = told.not_before.max(until);
            told.failures = told.failures.saturating_add(1);
        }
    }

    /// A peer does not have what it said it had.
    pub(crate) fn clear_claim(&mut self, peer: &Peer, publisher: PublisherId) {
        if let Some(told) = self.claim_mut(peer, publisher) {
            told.length = 0;
        }
    }

    fn claim_mut(&mut self, peer: &Peer, publisher: PublisherId) -> Option<&mut LogClaim> {
        self.states.get_mut(peer)?.claims.get_mut(&publisher)
    }

    /// Heads remembered, of all peers.
    pub(crate) fn claim_count(&self) -> usize {
        self.states.values().map(|known| known.claims.len()).sum()
    }
}

impl PeerState {
    /// Forgets a stranger's log, if there is one.
    fn evict_unfollowed(&mut self) -> bool {
        let stranger = self.claims.iter().find(|(_, told)| !told.followed).map(|(publisher, _)| *publisher);
        stranger.is_some_and(|publisher| self.claims.remove(&publisher).is_some())
    }
}

/// Milliseconds to rest after so many failures before this one.
pub(crate) fn retry_backoff(failures: u32) -> u64 {
    RETRY_MILLIS << failures.min(RETRY_DOUBLINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(n: usize) -> LogHead {
        let publisher = PublisherId::of(&n.to_be_bytes());
        LogHead { publisher, length: 1, last: publisher.genesis() }
    }

    #[test]
    fn a_flood_of_heads_does_not_displace_what_is_followed() {
        let (mut peers, peer) = (PeerTable::default(), Peer("p".into()));
        assert!(peers.insert(&peer));
        for n in 0..2 * HEADS_PER_PEER_MAX {
            peers.record_head(&peer, &head(n), false);
        }
        assert_eq!(peers.claim_count(), HEADS_PER_PEER_MAX);
        let followed = head(2 * HEADS_PER_PEER_MAX);
        peers.record_head(&peer, &followed, true);
        assert_eq!(peers.claim_count(), HEADS_PER_PEER_MAX);
        assert!(peers.claim_by(&peer, followed.publisher).is_some());
    }

    #[test]
    fn failures_rest_longer_each_time_up_to_a_bound() {
        assert_eq!(retry_backoff(0), RETRY_MILLIS);
        assert_eq!(retry_backoff(3), 8 * RETRY_MILLIS);
        assert_eq!(retry_backoff(u32::MAX), retry_backoff(RETRY_DOUBLINGS));
    }
}

//! Connected peers, the heads that they claim to have, and their failures.

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

/// The claims of one peer.
#[derive(Debug, Default)]
struct PeerState {
    /// INVARIANT: at most [`HEADS_PER_PEER_MAX`].
    claims: BTreeMap<PublisherId, LogClaim>,
}

/// The claim of one peer to have a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogClaim {
    /// Announced length; 0 after the peer failed to deliver it, until it announces it again.
    pub(crate) length: u64,
    /// Earliest time to ask the peer for this log.
    pub(crate) not_before: Millis,
    /// Consecutive failures.
    pub(crate) failures: u32,
    followed: bool,
}

impl PeerTable {
    /// Adds a peer; returns false if it is known already or the table is full.
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

    /// Records an announced head. A log never shrinks, so the longer of two claims is kept. At the
    /// limit of a peer a followed log evicts an unfollowed one; any other head is dropped.
    pub(crate) fn record_head(&mut self, peer: &Peer, head: &LogHead, followed: bool) {
        let Some(state) = self.states.get_mut(peer) else { return };
        if let Some(claim) = state.claims.get_mut(&head.publisher) {
            (claim.length, claim.followed) = (claim.length.max(head.length), followed);
            return;
        }
        if state.claims.len() >= HEADS_PER_PEER_MAX && !(followed && state.evict_unfollowed()) {
            return;
        }
        let claim = LogClaim { length: head.length, not_before: Millis(0), failures: 0, followed };
        state.claims.insert(head.publisher, claim);
    }

    /// Returns the claim of a peer for a log.
    pub(crate) fn claim_by(&self, peer: &Peer, publisher: PublisherId) -> Option<LogClaim> {
        self.states.get(peer)?.claims.get(&publisher).copied()
    }

    /// Returns the peers that announced a log and may be asked now, fewest failures first.
    pub(crate) fn available_holders(&self, publisher: PublisherId, now: Millis) -> Vec<(Peer, LogClaim)> {
        let available = |(peer, state): (&Peer, &PeerState)| {
            let claim = state.claims.get(&publisher).filter(|claim| claim.not_before <= now)?;
            Some((peer.clone(), *claim))
        };
        let mut holders: Vec<_> = self.states.iter().filter_map(available).collect();
        // The sort is stable: ties keep the order of the peer ids, so runs are reproducible.
        holders.sort_by_key(|(_, claim)| claim.failures);
        holders
    }

    /// Returns the greatest length that any peer claims for a log.
    pub(crate) fn longest_claim(&self, publisher: PublisherId) -> u64 {
        self.claims_for(publisher).map(|claim| claim.length).max().unwrap_or(0)
    }

    /// Returns the earliest time at which one of the peers that claim a log may be asked.
    pub(crate) fn earliest_retry(&self, publisher: PublisherId) -> Option<Millis> {
        self.claims_for(publisher).filter(|claim| claim.length > 0).map(|claim| claim.not_before).min()
    }

    /// Returns whether any peer announced a log.
    pub(crate) fn has_claims(&self, publisher: PublisherId) -> bool {
        self.claims_for(publisher).next().is_some()
    }

    fn claims_for(&self, publisher: PublisherId) -> impl Iterator<Item = &LogClaim> {
        self.states.values().filter_map(move |state| state.claims.get(&publisher))
    }

    /// Records that a peer delivered part of a log.
    pub(crate) fn record_success(&mut self, peer: &Peer, publisher: PublisherId) {
        if let Some(claim) = self.claim_mut(peer, publisher) {
            claim.failures = 0;
        }
    }

    /// Records a failure: the peer is not asked for the log during the backoff.
    pub(crate) fn record_failure(&mut self, peer: &Peer, publisher: PublisherId, now: Millis) {
        if let Some(claim) = self.claim_mut(peer, publisher) {
            // A peer that is avoided stays so: the backoff may be shorter.
            claim.not_before = claim.not_before.max(now.after(retry_backoff(claim.failures)));
            claim.failures = claim.failures.saturating_add(1);
        }
    }

    /// Stops asking a peer for a log until the time `until`.
    pub(crate) fn avoid_until(&mut self, peer: &Peer, publisher: PublisherId, until: Millis) {
        if let Some(claim) = self.claim_mut(peer, publisher) {
            // A longer backoff that is already in force is not shortened.
            claim.not_before = claim.not_before.max(until);
            claim.failures = claim.failures.saturating_add(1);
        }
    }

    /// Drops a claim that proved false; a new announcement restores it.
    pub(crate) fn clear_claim(&mut self, peer: &Peer, publisher: PublisherId) {
        if let Some(claim) = self.claim_mut(peer, publisher) {
            claim.length = 0;
        }
    }

    fn claim_mut(&mut self, peer: &Peer, publisher: PublisherId) -> Option<&mut LogClaim> {
        self.states.get_mut(peer)?.claims.get_mut(&publisher)
    }

    /// Number of heads remembered, of all peers.
    pub(crate) fn claim_count(&self) -> usize {
        self.states.values().map(|state| state.claims.len()).sum()
    }
}

impl PeerState {
    /// Removes the claim for an unfollowed log, if there is one.
    fn evict_unfollowed(&mut self) -> bool {
        let unfollowed =
            self.claims.iter().find(|(_, claim)| !claim.followed).map(|(publisher, _)| *publisher);
        unfollowed.is_some_and(|publisher| self.claims.remove(&publisher).is_some())
    }
}

/// Milliseconds to wait after a failure that `failures` others preceded.
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
    fn followed_logs_evict_unfollowed_ones_at_the_limit_of_a_peer() {
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
    fn a_failure_does_not_shorten_the_time_for_which_a_peer_is_avoided() {
        let (mut peers, peer) = (PeerTable::default(), Peer("p".into()));
        peers.insert(&peer);
        peers.record_head(&peer, &head(1), true);
        peers.avoid_until(&peer, head(1).publisher, Millis(600_000));
        peers.record_failure(&peer, head(1).publisher, Millis(1));
        assert_eq!(peers.claim_by(&peer, head(1).publisher).unwrap().not_before, Millis(600_000));
    }

    #[test]
    fn the_backoff_doubles_up_to_its_bound() {
        assert_eq!(retry_backoff(0), RETRY_MILLIS);
        assert_eq!(retry_backoff(3), 8 * RETRY_MILLIS);
        assert_eq!(retry_backoff(u32::MAX), retry_backoff(RETRY_DOUBLINGS));
    }
}

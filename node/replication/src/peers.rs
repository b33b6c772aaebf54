//! What connected peers said, and how far they are trusted with each log.

use std::collections::BTreeMap;

use schemas::cid::PublisherId;

use crate::event::{Millis, Peer};
use crate::limits::{PEERS_MAX, RETRY_DOUBLINGS, RETRY_MILLIS, TOLD_MAX};
use crate::wire::Head;

/// The connected peers.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// INVARIANT: at most [`PEERS_MAX`].
    known: BTreeMap<Peer, Known>,
}

/// One peer.
#[derive(Debug, Default)]
struct Known {
    /// INVARIANT: at most [`TOLD_MAX`].
    told: BTreeMap<PublisherId, Told>,
}

/// What one peer said of one log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// Entries it says it holds; 0 once it failed to deliver them, until it says so again.
    pub(crate) length: u64,
    /// Not asked for this log before.
    pub(crate) until: Millis,
    /// Failures in a row.
    pub(crate) failures: u32,
    followed: bool,
}

impl Peers {
    /// Whether the peer was new and there was room.
    pub(crate) fn insert(&mut self, peer: &Peer) -> bool {
        let room = self.known.len() < PEERS_MAX && !self.known.contains_key(peer);
        if room {
            self.known.insert(peer.clone(), Known::default());
        }
        room
    }

    pub(crate) fn remove(&mut self, peer: &Peer) {
        self.known.remove(peer);
    }

    pub(crate) fn contains(&self, peer: &Peer) -> bool {
        self.known.contains_key(peer)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.known.keys()
    }

    /// Remembers a head that a peer said; a log never gets shorter, so of two the longer. A full peer forgets a stranger's log for a followed one.
    pub(crate) fn tell(&mut self, peer: &Peer, head: &Head, followed: bool) {
        let Some(known) = self.known.get_mut(peer) else { return };
        if let Some(told) = known.told.get_mut(&head.publisher) {
            (told.length, told.followed) = (told.length.max(head.length), followed);
            return;
        }
        if known.told.len() >= TOLD_MAX && !(followed && known.displace()) {
            return;
        }
        let told = Told { length: head.length, until: Millis(0), failures: 0, followed };
        known.told.insert(head.publisher, told);
    }

    /// What a peer said of a log.
    pub(crate) fn told(&self, peer: &Peer, publisher: PublisherId) -> Option<Told> {
        self.known.get(peer)?.told.get(&publisher).copied()
    }

    /// The peers that said something of a log and may be asked now, those that failed least first.
    pub(crate) fn holders(&self, publisher: PublisherId, now: Millis) -> Vec<(Peer, Told)> {
        let told = |(peer, known): (&Peer, &Known)| {
            let told = known.told.get(&publisher).filter(|told| told.until <= now)?;
            Some((peer.clone(), *told))
        };
        let mut holders: Vec<_> = self.known.iter().filter_map(told).collect();
        holders.sort_by_key(|(_, told)| told.failures);
        holders
    }

    /// The longest length that any peer claims for a log.
    pub(crate) fn claim(&self, publisher: PublisherId) -> u64 {
        self.all(publisher).map(|told| told.length).max().unwrap_or(0)
    }

    /// When the first of the peers that speak of a log may be asked again.
    pub(crate) fn soonest(&self, publisher: PublisherId) -> Option<Millis> {
        self.all(publisher).filter(|told| told.length > 0).map(|told| told.until).min()
    }

    /// Whether any peer said something of a log.
    pub(crate) fn speak_of(&self, publisher: PublisherId) -> bool {
        self.all(publisher).next().is_some()
    }

    fn all(&self, publisher: PublisherId) -> impl Iterator<Item = &Told> {
        self.known.values().filter_map(move |known| known.told.get(&publisher))
    }

    /// A peer delivered something of a log.
    pub(crate) fn succeed(&mut self, peer: &Peer, publisher: PublisherId) {
        if let Some(told) = self.entry(peer, publisher) {
            told.failures = 0;
        }
    }

    /// A peer failed: it rests, for longer each time.
    pub(crate) fn fail(&mut self, peer: &Peer, publisher: PublisherId, now: Millis) {
        if let Some(told) = self.entry(peer, publisher) {
            told.until = now.after(backoff(told.failures));
            told.failures = told.failures.saturating_add(1);
        }
    }

    /// A peer is not asked for a log for so long.
    pub(crate) fn avoid(&mut self, peer: &Peer, publisher: PublisherId, until: Millis) {
        if let Some(told) = self.entry(peer, publisher) {
            told.until = told.until.max(until);
            told.failures = told.failures.saturating_add(1);
        }
    }

    /// A peer does not have what it said it had.
    pub(crate) fn disbelieve(&mut self, peer: &Peer, publisher: PublisherId) {
        if let Some(told) = self.entry(peer, publisher) {
            told.length = 0;
        }
    }

    fn entry(&mut self, peer: &Peer, publisher: PublisherId) -> Option<&mut Told> {
        self.known.get_mut(peer)?.told.get_mut(&publisher)
    }

    /// Heads remembered, of all peers.
    pub(crate) fn told_count(&self) -> usize {
        self.known.values().map(|known| known.told.len()).sum()
    }
}

impl Known {
    /// Forgets a stranger's log, if there is one.
    fn displace(&mut self) -> bool {
        let stranger = self.told.iter().find(|(_, told)| !told.followed).map(|(publisher, _)| *publisher);
        stranger.is_some_and(|publisher| self.told.remove(&publisher).is_some())
    }
}

/// Milliseconds to rest after so many failures before this one.
pub(crate) fn backoff(failures: u32) -> u64 {
    RETRY_MILLIS << failures.min(RETRY_DOUBLINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(n: usize) -> Head {
        let publisher = PublisherId::of(&n.to_be_bytes());
        Head { publisher, length: 1, last: publisher.genesis() }
    }

    #[test]
    fn a_flood_of_heads_does_not_displace_what_is_followed() {
        let (mut peers, peer) = (Peers::default(), Peer("p".into()));
        assert!(peers.insert(&peer));
        for n in 0..2 * TOLD_MAX {
            peers.tell(&peer, &head(n), false);
        }
        assert_eq!(peers.told_count(), TOLD_MAX);
        let followed = head(2 * TOLD_MAX);
        peers.tell(&peer, &followed, true);
        assert_eq!(peers.told_count(), TOLD_MAX);
        assert!(peers.told(&peer, followed.publisher).is_some());
    }

    #[test]
    fn failures_rest_longer_each_time_up_to_a_bound() {
        assert_eq!(backoff(0), RETRY_MILLIS);
        assert_eq!(backoff(3), 8 * RETRY_MILLIS);
        assert_eq!(backoff(u32::MAX), backoff(RETRY_DOUBLINGS));
    }
}

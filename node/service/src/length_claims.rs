//! Claims of connected peers about the length of the own log. A longer log than the local one can mean
//! that the data directory was restored from an old copy, where signing would fork the log; or the claim
//! is false.

use std::collections::BTreeMap;

use replication::{LogHead, Peer};
use schemas::cid::PublisherId;

/// The claims of connected peers.
#[derive(Debug, Default)]
pub(crate) struct LengthClaims(BTreeMap<Peer, LengthClaim>);

#[derive(Debug, Default)]
struct LengthClaim {
    length: u64,
    /// Length up to which the peer failed to deliver entries on request.
    refuted: u64,
}

impl LengthClaims {
    pub(crate) fn connected(&mut self, peer: &Peer) {
        self.0.entry(peer.clone()).or_default();
    }

    /// Removes the claim of a peer that disconnected.
    pub(crate) fn disconnected(&mut self, peer: &Peer) {
        self.0.remove(peer);
    }

    /// Records the heads announced by a peer. Peers that are not connected are ignored, since their claim
    /// cannot be tested by a request.
    pub(crate) fn record_heads(&mut self, own: PublisherId, peer: &Peer, heads: &[LogHead]) {
        let Some(claim) = self.0.get_mut(peer) else { return };
        let told = heads.iter().filter(|head| head.publisher == own).map(|head| head.length).max();
        claim.length = claim.length.max(told.unwrap_or(0));
    }

    /// Marks the claim of a peer as refuted: it had no entry to deliver.
    pub(crate) fn refute(&mut self, peer: &Peer) {
        if let Some(claim) = self.0.get_mut(peer) {
            claim.refuted = claim.length;
        }
    }

    /// The longest claim that is not refuted.
    pub(crate) fn longest(&self) -> u64 {
        let open = self.0.values().filter(|claim| claim.length > claim.refuted);
        open.map(|claim| claim.length).max().unwrap_or(0)
    }
}

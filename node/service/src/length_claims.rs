//! What connected peers say of the length of the own log: more than is held here may be true after
//! a restore from an old copy, and signing then would fork the log; or it is a boast.

use std::collections::BTreeMap;

use replication::{LogHead, Peer};
use schemas::cid::PublisherId;

/// The claims of connected peers.
#[derive(Debug, Default)]
pub(crate) struct LengthClaims(BTreeMap<Peer, LengthClaim>);

#[derive(Debug, Default)]
struct LengthClaim {
    length: u64,
    /// Up to this length the peer was asked for entries and had none.
    refuted: u64,
}

impl LengthClaims {
    pub(crate) fn connected(&mut self, peer: &Peer) {
        self.0.entry(peer.clone()).or_default();
    }

    /// A claim goes with the peer that made it.
    pub(crate) fn disconnected(&mut self, peer: &Peer) {
        self.0.remove(peer);
    }

    /// A peer says what it holds; one that is not connected could not be asked, and is not believed.
    pub(crate) fn record_heads(&mut self, own: PublisherId, peer: &Peer, heads: &[LogHead]) {
        let Some(claim) = self.0.get_mut(peer) else { return };
        let told = heads.iter().filter(|head| head.publisher == own).map(|head| head.length).max();
        claim.length = claim.length.max(told.unwrap_or(0));
    }

    /// A peer had nothing of what it claims.
    pub(crate) fn refute(&mut self, peer: &Peer) {
        if let Some(claim) = self.0.get_mut(peer) {
            claim.refuted = claim.length;
        }
    }

    /// The longest log that a peer claims and was not caught at.
    pub(crate) fn longest(&self) -> u64 {
        let open = self.0.values().filter(|claim| claim.length > claim.refuted);
        open.map(|claim| claim.length).max().unwrap_or(0)
    }
}

//! Misbehaviour scores of peers: points that decay with time, and the score at which a peer is banned.
//!
//! Honest peers with network problems get a point occasionally, so points decay; a malicious peer gets
//! them faster than they decay.

use std::collections::BTreeMap;

use replication::{Millis, Peer, Severity};

/// Points at which a peer is banned until the next start.
const BAN_POINTS: u64 = 100;
/// Milliseconds in which one point decays.
const FADE_MILLIS: u64 = 6_000;
/// Peers with a stored score; beyond it the lowest score is dropped.
const SCORES_MAX: usize = 1024;

/// The scores of all peers with points.
#[derive(Debug, Default)]
pub(crate) struct PeerScores(BTreeMap<Peer, (u64, Millis)>);

impl PeerScores {
    /// Adds the points of a misbehaviour; `true` when the peer must be banned.
    pub(crate) fn add_points(&mut self, now: Millis, peer: &Peer, severity: Severity) -> bool {
        self.0.retain(|_, score| decayed_points(*score, now) > 0);
        let before = self.0.get(peer).map_or(0, |score| decayed_points(*score, now));
        let sum = before + u64::from(severity.points());
        if sum >= BAN_POINTS {
            self.0.remove(peer);
            return true;
        }
        self.0.insert(peer.clone(), (sum, now));
        if self.0.len() > SCORES_MAX {
            let least = self
                .0
                .iter()
                .min_by_key(|(_, score)| decayed_points(**score, now))
                .map(|(peer, _)| peer.clone());
            least.map(|peer| self.0.remove(&peer));
        }
        false
    }
}

/// The points that remain of a score.
fn decayed_points((points, at): (u64, Millis), now: Millis) -> u64 {
    points.saturating_sub(now.since(at) / FADE_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn liars_are_banned_and_honest_peers_in_trouble_are_not() {
        let mut scores = PeerScores::default();
        let (liar, honest) = (Peer("liar".into()), Peer("honest".into()));
        assert!(!scores.add_points(Millis(0), &liar, Severity::Severe));
        assert!(scores.add_points(Millis(1), &liar, Severity::Severe));
        for minute in 0..1000 {
            assert!(!scores.add_points(Millis(minute * 60_000), &honest, Severity::Minor));
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut scores = PeerScores::default();
        for number in 0..5000 {
            scores.add_points(Millis(0), &Peer(number.to_string()), Severity::Minor);
        }
        assert_eq!(scores.0.len(), SCORES_MAX);
    }
}

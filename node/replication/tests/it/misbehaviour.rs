//! A misbehaving peer beside an honest one delays a sync and is detected; it never stops the sync.

use replication::limits::{ENTRIES_MAX, FETCHES_MAX, REQUESTS_MAX};
use replication::{LogHead, LogView, Peer, SyncEvent};
use schemas::cid::PublisherId;

use super::cluster::{Cluster, PeerBehaviour};
use super::simulated_network::LinkQuality;

const FAIR: LinkQuality = LinkQuality { loss: 0, delay: (1, 100) };
const HOUR: u64 = 3_600_000;
const BAD_PEER: usize = 1;
const VICTIM: usize = 2;

/// A cluster of an honest node, a misbehaving one with the same log, and a victim that asks both.
fn cluster_with_bad_peer(seed: u64, behaviour: PeerBehaviour) -> (Cluster, PublisherId) {
    let mut cluster = Cluster::new(seed, FAIR, 3);
    let publisher = cluster.publish(0, None, "publisher", 2);
    for _ in 0..9 {
        cluster.publish(0, Some(publisher), "publisher", 2);
    }
    cluster.nodes[BAD_PEER].node.logs = cluster.nodes[0].node.logs.clone();
    cluster.nodes[BAD_PEER].node.blocks = cluster.nodes[0].node.blocks.clone();
    cluster.nodes[BAD_PEER].behaviour = behaviour;
    cluster.nodes[VICTIM].node.followed.insert(publisher);
    // The misbehaving peer announces first.
    cluster.connect(BAD_PEER, VICTIM);
    cluster.run(2_000, |_| false);
    cluster.connect(0, VICTIM);
    (cluster, publisher)
}

fn check(behaviour: PeerBehaviour, caught: bool) {
    for seed in 0..20 {
        let (mut cluster, publisher) = cluster_with_bad_peer(seed, behaviour);
        let done = cluster.run(HOUR, |cluster| cluster.nodes[VICTIM].node.is_complete(publisher, 10));
        assert!(
            done,
            "{behaviour:?}, seed {seed}: the victim has {:?}",
            cluster.nodes[VICTIM].node.log_head(publisher)
        );
        assert_eq!(
            cluster.found_severe(VICTIM, BAD_PEER),
            caught,
            "{behaviour:?}, seed {seed}: {:?}",
            cluster.penalties
        );
        let penalised = cluster.penalties.iter().any(|penalties| penalties.1 == BAD_PEER);
        assert!(penalised, "{behaviour:?}, seed {seed}: nobody noticed");
        assert!(!cluster.found_severe(VICTIM, 0), "{behaviour:?}, seed {seed}: {:?}", cluster.penalties);
    }
}

#[test]
fn hash_mismatches_are_severe() {
    check(PeerBehaviour::HashMismatch, true);
}

#[test]
fn unsigned_entries_are_severe() {
    check(PeerBehaviour::UnsignedEntries, true);
}

#[test]
fn an_endless_stream_is_cancelled_at_the_limit() {
    check(PeerBehaviour::Endless, true);
    let (mut cluster, publisher) = cluster_with_bad_peer(1, PeerBehaviour::Endless);
    cluster.run(HOUR, |cluster| cluster.nodes[VICTIM].node.is_complete(publisher, 10));
    assert!(cluster.nodes[VICTIM].received <= 2 * ENTRIES_MAX, "{}", cluster.nodes[VICTIM].received);
}

#[test]
fn silence_is_minor() {
    check(PeerBehaviour::Silent, false);
}

#[test]
fn a_false_head_is_minor() {
    for seed in 0..20 {
        let (mut cluster, publisher) = cluster_with_bad_peer(seed, PeerBehaviour::FalseHeads);
        assert!(
            cluster.run(HOUR, |cluster| cluster.nodes[VICTIM].node.is_complete(publisher, 10)),
            "seed {seed}"
        );
        cluster.run(HOUR / 6, |_| false);
        let faults = cluster.penalties.iter().filter(|penalties| penalties.1 == BAD_PEER).count();
        assert!(faults > 0, "seed {seed}: nobody noticed");
        assert!(faults < 30, "seed {seed}: asked {faults} times in ten minutes");
        assert!(!cluster.found_severe(VICTIM, 0), "seed {seed}: {:?}", cluster.penalties);
    }
}

#[test]
fn a_flood_of_unfollowed_logs_does_not_starve_followed_ones() {
    let (mut cluster, publisher) = cluster_with_bad_peer(1, PeerBehaviour::Silent);
    cluster.nodes[VICTIM].node.quota = usize::MAX;
    for page in 0..40_u64 {
        let head = |n: u64| {
            let publisher = PublisherId::of(&(page * 1_000 + n).to_be_bytes());
            LogHead { publisher, length: 9, last: publisher.genesis() }
        };
        let heads = (0..200).map(head).collect();
        cluster.handle_event(VICTIM, SyncEvent::HeadsReceived { from: Peer(BAD_PEER.to_string()), heads });
    }
    let load = cluster.nodes[VICTIM].machine.current_load();
    assert!(load.requests <= REQUESTS_MAX && load.fetches <= FETCHES_MAX, "{load:?}");
    assert!(cluster.run(HOUR / 10, |cluster| cluster.nodes[VICTIM].node.is_complete(publisher, 10)));
}

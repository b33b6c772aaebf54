//! Honest nodes converge to the same logs on links of any quality.

use replication::{LogView, SyncEvent};
use schemas::cid::PublisherId;

use super::cluster::Cluster;
use super::simulated_network::LinkQuality;

const FAST: LinkQuality = LinkQuality { loss: 0, delay: (1, 50) };
const LOSSY: LinkQuality = LinkQuality { loss: 30, delay: (1, 2_000) };
const HOUR: u64 = 3_600_000;
const SEEDS: u64 = 200;

/// Makes every node follow a log.
fn follow(cluster: &mut Cluster, publisher: PublisherId) {
    for at in 0..cluster.nodes.len() {
        cluster.nodes[at].node.followed.insert(publisher);
        cluster.handle_event(at, SyncEvent::Followed { publisher });
    }
}

fn connected_line(seed: u64, link: LinkQuality, nodes: usize) -> Cluster {
    let mut cluster = Cluster::new(seed, link, nodes);
    for node in 1..nodes {
        cluster.connect(node - 1, node);
    }
    cluster
}

fn is_complete(cluster: &Cluster, publisher: PublisherId, length: usize) -> bool {
    cluster.nodes.iter().all(|simulated| simulated.node.is_complete(publisher, length))
}

#[test]
fn three_in_a_line_converge_with_a_third_of_all_messages_lost() {
    for seed in 0..SEEDS {
        let mut cluster = connected_line(seed, LOSSY, 3);
        let mut logs = Vec::new();
        for (at, name) in [(0, "publisher"), (2, "other publisher")] {
            let publisher = cluster.publish(at, None, name, 0);
            follow(&mut cluster, publisher);
            for depth in 1..8 {
                cluster.publish(at, Some(publisher), name, depth % 4);
            }
            logs.push(publisher);
        }
        let done = cluster.run(HOUR, |cluster| logs.iter().all(|log| is_complete(cluster, *log, 8)));
        assert!(done, "seed {seed} did not converge by {:?}", cluster.network.now);
        let severe = (0..3).any(|by| (0..3).any(|whom| cluster.found_severe(by, whom)));
        assert!(!severe, "seed {seed}: an honest node is penalised: {:?}", cluster.penalties);
    }
}

#[test]
fn a_partition_heals() {
    for seed in 0..SEEDS / 4 {
        let mut cluster = connected_line(seed, LinkQuality { loss: 10, delay: (1, 500) }, 3);
        let publisher = cluster.publish(0, None, "publisher", 2);
        follow(&mut cluster, publisher);
        assert!(cluster.run(HOUR, |cluster| is_complete(cluster, publisher, 1)), "seed {seed}: before");
        cluster.network.set_side(2, 1);
        for _ in 0..5 {
            cluster.publish(0, Some(publisher), "publisher", 3);
        }
        let reached = |cluster: &Cluster| cluster.nodes[1].node.is_complete(publisher, 6);
        assert!(cluster.run(HOUR, reached), "seed {seed}: this side");
        assert!(
            !cluster.run(HOUR / 10, |cluster| is_complete(cluster, publisher, 6)),
            "seed {seed}: no way through"
        );
        cluster.network.set_side(2, 0);
        assert!(cluster.run(HOUR, |cluster| is_complete(cluster, publisher, 6)), "seed {seed}: after");
    }
}

#[test]
fn many_entries_and_logs_arrive_soon_on_fast_links() {
    let mut cluster = connected_line(7, FAST, 3);
    let mut logs = Vec::new();
    for n in 0..40 {
        let publisher = cluster.publish(0, None, &format!("publisher {n}"), 1);
        follow(&mut cluster, publisher);
        logs.push(publisher);
    }
    for _ in 0..600 {
        cluster.publish(0, Some(logs[0]), "publisher 0", 0);
    }
    let done = |cluster: &Cluster| {
        logs.iter().all(|log| is_complete(cluster, *log, if *log == logs[0] { 601 } else { 1 }))
    };
    assert!(cluster.run(HOUR / 30, done), "not within two minutes");
    assert!(cluster.penalties.is_empty(), "{:?}", cluster.penalties);
}

#[test]
fn unfollowed_logs_are_stored_without_blocks_up_to_the_quota() {
    let mut cluster = connected_line(3, FAST, 2);
    cluster.nodes[1].node.quota = 5;
    for n in 0..20 {
        let publisher = cluster.publish(0, None, &format!("stranger {n}"), 2);
        cluster.publish(0, Some(publisher), &format!("stranger {n}"), 2);
    }
    cluster.run(HOUR / 10, |_| false);
    let node = &cluster.nodes[1].node;
    assert_eq!(node.logs.len(), 5);
    assert!(node.logs.values().all(|log| log.len() == 2));
    assert_eq!(node.blocks.len(), 10, "entries only");
}

#[test]
fn a_fork_reaches_all_nodes_and_stops_none() {
    for seed in 0..SEEDS / 4 {
        let mut cluster = connected_line(seed, LinkQuality { loss: 10, delay: (1, 500) }, 4);
        let publisher = cluster.publish(0, None, "publisher", 1);
        follow(&mut cluster, publisher);
        assert!(cluster.run(HOUR, |cluster| is_complete(cluster, publisher, 1)), "seed {seed}: before");
        let other = cluster.publish(1, None, "other publisher", 1);
        follow(&mut cluster, other);
        // The same key signs different entries at both ends of the line, up to different lengths.
        for _ in 0..2 {
            cluster.publish(0, Some(publisher), "one branch", 1);
        }
        for _ in 0..seed % 4 + 1 {
            cluster.publish(3, Some(publisher), "other branch", 1);
        }
        let known =
            |cluster: &Cluster| cluster.nodes.iter().all(|simulated| simulated.node.has_fork(publisher));
        assert!(cluster.run(HOUR, known), "seed {seed}: who knows {:?}", {
            cluster.nodes.iter().map(|simulated| simulated.node.has_fork(publisher)).collect::<Vec<_>>()
        });
        assert!(cluster.run(HOUR, |cluster| is_complete(cluster, other, 1)), "seed {seed}: another log");
        let severe = (0..4).any(|by| (0..4).any(|whom| cluster.found_severe(by, whom)));
        assert!(!severe, "seed {seed}: an honest node is penalised: {:?}", cluster.penalties);
    }
}

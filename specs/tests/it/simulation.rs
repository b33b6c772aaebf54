//! Simulation of three nodes with verification, synchronisation and state, over storage in memory.
//! Time, delay, loss and crashes come from one seed. `ASSAY_SEED=<n>` runs that seed only.

mod publications;

use schemas::verdict::Verdict;
use testkit::cluster::Cluster;
use testkit::random::SeededRandom;

use publications::{Claim, adopt_publisher, publish_invalid_content, publish_release, sign_fork};

/// Simulated time within which a run must end: four hours.
const END_MILLIS: u64 = 4 * 3_600_000;
/// Percentage of lost messages and stream records.
const LOSS_PERCENT: u64 = 30;

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ASSAY_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (1..=count).collect(),
    }
}

/// Three nodes in a line, each with a publisher. The first one publishes a release; the others follow
/// it, and it follows them.
fn start_line(seed: u64, claim: Claim) -> (Cluster, schemas::cid::ReleaseId) {
    let mut cluster = Cluster::new(seed, 3, &[(0, 1), (1, 2)], LOSS_PERCENT);
    let publishers: Vec<_> = (0..3).map(|node| adopt_publisher(&mut cluster, node)).collect();
    for (node, publisher) in [(1, 0), (2, 0), (0, 1), (0, 2)] {
        cluster.core(node).follow(publishers[publisher]).unwrap();
    }
    let release = publish_release(cluster.core(0), claim);
    cluster.start();
    (cluster, release)
}

/// Runs until the second and third node have a verdict and the first one has both attestations;
/// returns the simulated time.
fn run_until_attested(cluster: &mut Cluster, release: schemas::cid::ReleaseId, crashes: bool) -> u64 {
    let mut crash = SeededRandom::new(cluster.seed ^ 0xc4a5);
    let mut left = if crashes { 6 } else { 0 };
    while cluster.now < END_MILLIS {
        let verified = (1..3).all(|node| cluster.local_verdict(node, release).is_some());
        if left == 0 && verified && cluster.attestation_count(0, release) == 2 {
            return cluster.now;
        }
        cluster.step();
        if left > 0 && crash.below(200) == 0 {
            left -= 1;
            let node = crash.below(3) as usize;
            let entries = cluster.entry_count(node);
            cluster.crash_node(node);
            assert!(
                cluster.entry_count(node) >= entries,
                "seed {}: node {node} lost entries in a crash",
                cluster.seed
            );
        }
    }
    panic!("seed {}: not attested after {} simulated seconds", cluster.seed, cluster.now / 1000);
}

/// Prints the median and the longest time of all seeds.
fn print_times(what: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let (middle, last) = (times[times.len() / 2] / 1000, times[times.len() - 1] / 1000);
    println!("{what}: {} seeds, simulated seconds to the end: median {middle}, longest {last}", times.len());
}

#[test]
fn three_nodes_in_a_line_agree_despite_loss() {
    let seeds = seeds(200);
    println!("seeds {:?} to {:?}, {LOSS_PERCENT} % loss", seeds.first(), seeds.last());
    let times = seeds.into_iter().map(|seed| {
        let (mut cluster, release) = start_line(seed, Claim::Correct);
        let time = run_until_attested(&mut cluster, release, false);
        for node in 1..3 {
            let verdict = cluster.local_verdict(node, release);
            assert!(matches!(verdict, Some(Verdict::Reproduced { .. })), "seed {seed}: {verdict:?}");
            assert_eq!(
                cluster.complete_entries(node, 0),
                cluster.complete_entries(0, 0),
                "seed {seed}: node {node} does not have the complete log"
            );
        }
        time
    });
    print_times("line", times.collect());
}

#[test]
fn all_nodes_report_the_same_falsified_cell() {
    let times = seeds(20).into_iter().map(|seed| {
        let (mut cluster, release) = start_line(seed, Claim::Falsified);
        let time = run_until_attested(&mut cluster, release, false);
        let first = |node| match cluster.local_verdict(node, release) {
            Some(Verdict::Differs { first, count: 1, .. }) => first,
            other => panic!("seed {seed}: node {node} found {other:?}"),
        };
        assert_eq!(first(1), first(2), "seed {seed}");
        assert!(first(1).to_string().contains("[A01, 2001]"), "seed {seed}: {}", first(1));
        time
    });
    print_times("falsified", times.collect());
}

#[test]
fn crashes_lose_no_stored_entries() {
    let times = seeds(30).into_iter().map(|seed| {
        let (mut cluster, release) = start_line(seed, Claim::Correct);
        let time = run_until_attested(&mut cluster, release, true);
        assert!(matches!(cluster.local_verdict(2, release), Some(Verdict::Reproduced { .. })), "seed {seed}");
        time
    });
    print_times("crashes", times.collect());
}

#[test]
fn a_log_continues_after_an_invalid_object() {
    for seed in seeds(20) {
        let mut cluster = Cluster::new(seed, 3, &[(0, 1), (1, 2)], LOSS_PERCENT);
        let publishers: Vec<_> = (0..3).map(|node| adopt_publisher(&mut cluster, node)).collect();
        for (node, publisher) in [(1, 0), (2, 0), (0, 1), (0, 2)] {
            cluster.core(node).follow(publishers[publisher]).unwrap();
        }
        publish_invalid_content(&mut cluster, 0);
        let release = publish_release(cluster.core(0), Claim::Correct);
        cluster.start();
        run_until_attested(&mut cluster, release, false);
        assert!(matches!(cluster.local_verdict(2, release), Some(Verdict::Reproduced { .. })), "seed {seed}");
    }
}

#[test]
fn a_fork_is_stored_as_evidence_and_stops_no_node() {
    for seed in seeds(20) {
        let (mut cluster, release) = start_line(seed, Claim::Correct);
        run_until_attested(&mut cluster, release, false);
        let (left, right) = sign_fork(&mut cluster, 0);
        cluster.core(1).accept_entry(left).unwrap();
        cluster.core(2).accept_entry(right).unwrap();
        let end = cluster.now + END_MILLIS;
        while !(1..3).all(|node| cluster.knows_fork(node, 0)) {
            let known = [cluster.knows_fork(1, 0), cluster.knows_fork(2, 0)];
            assert!(cluster.now < end, "seed {seed}: the fork is not known everywhere: {known:?}");
            cluster.step();
        }
        for node in 1..3 {
            let verdict = cluster.local_verdict(node, release);
            assert!(
                matches!(verdict, Some(Verdict::Reproduced { .. })),
                "seed {seed}: entries before the fork stay"
            );
        }
    }
}

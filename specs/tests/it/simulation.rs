//! Whole nodes on a simulated network: the rules, the sync machine and the state over memory, with
//! time, delay, loss and crashes from one seed. `ASSAY_SEED=<n>` runs one seed only.

mod publisher;
mod world;

use schemas::verdict::Verdict;

use publisher::{Claim, found, publish};
use world::{Random, World};

/// Simulated milliseconds in which a run must come to its end: four hours.
const END_MILLIS: u64 = 4 * 3_600_000;
/// Percent of messages, and of records of a stream, that are lost.
const LOSS_PERCENT: u64 = 30;

fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ASSAY_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (1..=count).collect(),
    }
}

/// Three nodes in a line, each with a publisher; the first publishes, all follow it, it follows all.
fn line(seed: u64, claim: Claim) -> (World, schemas::cid::ReleaseId) {
    let mut world = World::new(seed, 3, &[(0, 1), (1, 2)], LOSS_PERCENT);
    let publishers: Vec<_> = (0..3).map(|node| found(&mut world, node)).collect();
    for (node, publisher) in [(1, 0), (2, 0), (0, 1), (0, 2)] {
        world.core(node).follow(publishers[publisher]).unwrap();
    }
    let release = publish(world.core(0), claim);
    world.start();
    (world, release)
}

/// Runs until the second and third node have a verdict and the first holds both attestations.
fn settle(world: &mut World, release: schemas::cid::ReleaseId, crashes: bool) -> u64 {
    let mut crash = Random::new(world.seed ^ 0xc4a5);
    let mut left = if crashes { 6 } else { 0 };
    while world.now < END_MILLIS {
        let settled = (1..3).all(|node| world.verdict(node, release).is_some());
        if left == 0 && settled && world.attestations(0, release) == 2 {
            return world.now;
        }
        world.step();
        if left > 0 && crash.below(200) == 0 {
            left -= 1;
            let node = crash.below(3) as usize;
            let held = world.held(node);
            world.crash(node);
            assert!(world.held(node) >= held, "seed {}: node {node} lost entries in a crash", world.seed);
        }
    }
    panic!("seed {}: not settled after {} simulated seconds", world.seed, world.now / 1000);
}

/// Tells how the seeds went.
fn report(what: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let (middle, last) = (times[times.len() / 2] / 1000, times[times.len() - 1] / 1000);
    println!("{what}: {} seeds, simulated seconds to the end: median {middle}, longest {last}", times.len());
}

#[test]
fn three_nodes_in_a_line_agree_whatever_is_lost() {
    let seeds = seeds(200);
    println!("seeds {:?} to {:?}, {LOSS_PERCENT} % loss", seeds.first(), seeds.last());
    let times = seeds.into_iter().map(|seed| {
        let (mut world, release) = line(seed, Claim::Honest);
        let time = settle(&mut world, release, false);
        for node in 1..3 {
            let verdict = world.verdict(node, release);
            assert!(matches!(verdict, Some(Verdict::Reproduced { .. })), "seed {seed}: {verdict:?}");
            assert_eq!(
                world.whole(node, 0),
                world.whole(0, 0),
                "seed {seed}: node {node} holds all of the log"
            );
        }
        time
    });
    report("line", times.collect());
}

#[test]
fn a_falsified_cell_is_named_alike_by_all() {
    let times = seeds(20).into_iter().map(|seed| {
        let (mut world, release) = line(seed, Claim::Falsified);
        let time = settle(&mut world, release, false);
        let first = |node| match world.verdict(node, release) {
            Some(Verdict::Differs { first, count: 1, .. }) => first,
            other => panic!("seed {seed}: node {node} found {other:?}"),
        };
        assert_eq!(first(1), first(2), "seed {seed}");
        assert!(first(1).to_string().contains("[A01, 2001]"), "seed {seed}: {}", first(1));
        time
    });
    report("falsified", times.collect());
}

#[test]
fn crashes_lose_nothing_that_was_held() {
    let times = seeds(30).into_iter().map(|seed| {
        let (mut world, release) = line(seed, Claim::Honest);
        let time = settle(&mut world, release, true);
        assert!(matches!(world.verdict(2, release), Some(Verdict::Reproduced { .. })), "seed {seed}");
        time
    });
    report("crashes", times.collect());
}

#[test]
fn a_log_goes_on_behind_an_object_that_is_none() {
    for seed in seeds(20) {
        let mut world = World::new(seed, 3, &[(0, 1), (1, 2)], LOSS_PERCENT);
        let publishers: Vec<_> = (0..3).map(|node| found(&mut world, node)).collect();
        for (node, publisher) in [(1, 0), (2, 0), (0, 1), (0, 2)] {
            world.core(node).follow(publishers[publisher]).unwrap();
        }
        publisher::unsound(&mut world, 0);
        let release = publish(world.core(0), Claim::Honest);
        world.start();
        settle(&mut world, release, false);
        assert!(matches!(world.verdict(2, release), Some(Verdict::Reproduced { .. })), "seed {seed}");
    }
}

#[test]
fn a_fork_is_kept_as_evidence_and_stops_nobody() {
    for seed in seeds(20) {
        let (mut world, release) = line(seed, Claim::Honest);
        settle(&mut world, release, false);
        let (left, right) = publisher::fork(&mut world, 0);
        world.core(1).accept_entry(left).unwrap();
        world.core(2).accept_entry(right).unwrap();
        let end = world.now + END_MILLIS;
        while !(1..3).all(|node| world.forked(node, 0)) {
            let known = [world.forked(1, 0), world.forked(2, 0)];
            assert!(world.now < end, "seed {seed}: the fork is not known everywhere: {known:?}");
            world.step();
        }
        for node in 1..3 {
            let verdict = world.verdict(node, release);
            assert!(
                matches!(verdict, Some(Verdict::Reproduced { .. })),
                "seed {seed}: what was before stays"
            );
        }
    }
}

//! A liar beside an honest node delays a sync and is found out; it never stops it.

use replication::limits::{ENTRIES_MAX, FETCHES_MAX, REQUESTS_MAX};
use replication::{LogHead, LogView, Peer, SyncEvent};
use schemas::cid::PublisherId;

use super::net::Weather;
use super::world::{Manner, World};

const FAIR: Weather = Weather { loss: 0, delay: (1, 100) };
const HOUR: u64 = 3_600_000;
const LIAR: usize = 1;
const VICTIM: usize = 2;

/// The liar holds what the honest node holds, and the victim asks both.
fn world(seed: u64, manner: Manner) -> (World, PublisherId) {
    let mut world = World::new(seed, FAIR, 3);
    let publisher = world.publish(0, None, "bureau", 2);
    for _ in 0..9 {
        world.publish(0, Some(publisher), "bureau", 2);
    }
    world.actors[LIAR].node.logs = world.actors[0].node.logs.clone();
    world.actors[LIAR].node.blocks = world.actors[0].node.blocks.clone();
    world.actors[LIAR].manner = manner;
    world.actors[VICTIM].node.followed.insert(publisher);
    // The liar is first with its news.
    world.connect(LIAR, VICTIM);
    world.run(2_000, |_| false);
    world.connect(0, VICTIM);
    (world, publisher)
}

fn check(manner: Manner, caught: bool) {
    for seed in 0..20 {
        let (mut world, publisher) = world(seed, manner);
        let done = world.run(HOUR, |world| world.actors[VICTIM].node.whole(publisher, 10));
        assert!(
            done,
            "{manner:?}, seed {seed}: the victim has {:?}",
            world.actors[VICTIM].node.log_head(publisher)
        );
        assert_eq!(world.caught(VICTIM, LIAR), caught, "{manner:?}, seed {seed}: {:?}", world.blame);
        let blamed = world.blame.iter().any(|blame| blame.1 == LIAR);
        assert!(blamed, "{manner:?}, seed {seed}: nobody noticed");
        assert!(!world.caught(VICTIM, 0), "{manner:?}, seed {seed}: {:?}", world.blame);
    }
}

#[test]
fn wrong_blocks_are_a_grave_fault() {
    check(Manner::Wrong, true);
}

#[test]
fn forged_entries_are_a_grave_fault() {
    check(Manner::Forger, true);
}

#[test]
fn a_stream_without_end_is_cut_at_the_bound() {
    check(Manner::Endless, true);
    let (mut world, publisher) = world(1, Manner::Endless);
    world.run(HOUR, |world| world.actors[VICTIM].node.whole(publisher, 10));
    assert!(world.actors[VICTIM].received <= 2 * ENTRIES_MAX, "{}", world.actors[VICTIM].received);
}

#[test]
fn silence_is_a_slight_fault() {
    check(Manner::Silent, false);
}

#[test]
fn a_false_head_is_a_slight_fault() {
    for seed in 0..20 {
        let (mut world, publisher) = world(seed, Manner::Boastful);
        assert!(world.run(HOUR, |world| world.actors[VICTIM].node.whole(publisher, 10)), "seed {seed}");
        world.run(HOUR / 6, |_| false);
        let faults = world.blame.iter().filter(|blame| blame.1 == LIAR).count();
        assert!(faults > 0, "seed {seed}: nobody noticed");
        assert!(faults < 30, "seed {seed}: asked {faults} times in ten minutes");
        assert!(!world.caught(VICTIM, 0), "seed {seed}: {:?}", world.blame);
    }
}

#[test]
fn a_flood_of_strangers_does_not_starve_what_is_followed() {
    let (mut world, publisher) = world(1, Manner::Silent);
    world.actors[VICTIM].node.quota = usize::MAX;
    for page in 0..40_u64 {
        let head = |n: u64| {
            let publisher = PublisherId::of(&(page * 1_000 + n).to_be_bytes());
            LogHead { publisher, length: 9, last: publisher.genesis() }
        };
        let heads = (0..200).map(head).collect();
        world.tell(VICTIM, SyncEvent::HeadsReceived { from: Peer(LIAR.to_string()), heads });
    }
    let load = world.actors[VICTIM].machine.current_load();
    assert!(load.requests <= REQUESTS_MAX && load.fetches <= FETCHES_MAX, "{load:?}");
    assert!(world.run(HOUR / 10, |world| world.actors[VICTIM].node.whole(publisher, 10)));
}

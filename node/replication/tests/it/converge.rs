//! Honest nodes end with the same logs, whatever the weather.

use replication::{LogView, SyncEvent};
use schemas::cid::PublisherId;

use super::net::Weather;
use super::world::World;

const CALM: Weather = Weather { loss: 0, delay: (1, 50) };
const STORM: Weather = Weather { loss: 30, delay: (1, 2_000) };
const HOUR: u64 = 3_600_000;
const SEEDS: u64 = 200;

/// Follows a log everywhere.
fn follow(world: &mut World, publisher: PublisherId) {
    for at in 0..world.actors.len() {
        world.actors[at].node.followed.insert(publisher);
        world.tell(at, SyncEvent::Followed { publisher });
    }
}

fn line(seed: u64, weather: Weather, nodes: usize) -> World {
    let mut world = World::new(seed, weather, nodes);
    for node in 1..nodes {
        world.connect(node - 1, node);
    }
    world
}

fn whole(world: &World, publisher: PublisherId, length: usize) -> bool {
    world.actors.iter().all(|actor| actor.node.whole(publisher, length))
}

#[test]
fn three_in_a_line_converge_with_a_third_of_all_messages_lost() {
    for seed in 0..SEEDS {
        let mut world = line(seed, STORM, 3);
        let mut logs = Vec::new();
        for (at, name) in [(0, "bureau"), (2, "critic")] {
            let publisher = world.publish(at, None, name, 0);
            follow(&mut world, publisher);
            for depth in 1..8 {
                world.publish(at, Some(publisher), name, depth % 4);
            }
            logs.push(publisher);
        }
        let done = world.run(HOUR, |world| logs.iter().all(|log| whole(world, *log, 8)));
        assert!(done, "seed {seed} did not converge by {:?}", world.net.now);
        let grave = (0..3).any(|by| (0..3).any(|whom| world.caught(by, whom)));
        assert!(!grave, "seed {seed}: an honest node is blamed: {:?}", world.blame);
    }
}

#[test]
fn a_partition_heals() {
    for seed in 0..SEEDS / 4 {
        let mut world = line(seed, Weather { loss: 10, delay: (1, 500) }, 3);
        let publisher = world.publish(0, None, "bureau", 2);
        follow(&mut world, publisher);
        assert!(world.run(HOUR, |world| whole(world, publisher, 1)), "seed {seed}: before");
        world.net.part(2, 1);
        for _ in 0..5 {
            world.publish(0, Some(publisher), "bureau", 3);
        }
        let reached = |world: &World| world.actors[1].node.whole(publisher, 6);
        assert!(world.run(HOUR, reached), "seed {seed}: this side");
        assert!(!world.run(HOUR / 10, |world| whole(world, publisher, 6)), "seed {seed}: no way through");
        world.net.part(2, 0);
        assert!(world.run(HOUR, |world| whole(world, publisher, 6)), "seed {seed}: after");
    }
}

#[test]
fn many_entries_and_logs_arrive_soon_in_calm_weather() {
    let mut world = line(7, CALM, 3);
    let mut logs = Vec::new();
    for n in 0..40 {
        let publisher = world.publish(0, None, &format!("bureau {n}"), 1);
        follow(&mut world, publisher);
        logs.push(publisher);
    }
    for _ in 0..600 {
        world.publish(0, Some(logs[0]), "bureau 0", 0);
    }
    let done =
        |world: &World| logs.iter().all(|log| whole(world, *log, if *log == logs[0] { 601 } else { 1 }));
    assert!(world.run(HOUR / 30, done), "not within two minutes");
    assert!(world.blame.is_empty(), "{:?}", world.blame);
}

#[test]
fn of_strangers_the_entries_are_kept_and_no_more_than_the_quota() {
    let mut world = line(3, CALM, 2);
    world.actors[1].node.quota = 5;
    for n in 0..20 {
        let publisher = world.publish(0, None, &format!("stranger {n}"), 2);
        world.publish(0, Some(publisher), &format!("stranger {n}"), 2);
    }
    world.run(HOUR / 10, |_| false);
    let node = &world.actors[1].node;
    assert_eq!(node.logs.len(), 5);
    assert!(node.logs.values().all(|log| log.len() == 2));
    assert_eq!(node.blocks.len(), 10, "entries only");
}

#[test]
fn a_fork_is_known_to_all_and_stops_nobody() {
    for seed in 0..SEEDS / 4 {
        let mut world = line(seed, Weather { loss: 10, delay: (1, 500) }, 4);
        let publisher = world.publish(0, None, "bureau", 1);
        follow(&mut world, publisher);
        assert!(world.run(HOUR, |world| whole(world, publisher, 1)), "seed {seed}: before");
        let other = world.publish(1, None, "critic", 1);
        follow(&mut world, other);
        // The same key writes on at both ends of the line, to different lengths.
        for _ in 0..2 {
            world.publish(0, Some(publisher), "one branch", 1);
        }
        for _ in 0..seed % 4 + 1 {
            world.publish(3, Some(publisher), "other branch", 1);
        }
        let known = |world: &World| world.actors.iter().all(|actor| actor.node.has_fork(publisher));
        assert!(world.run(HOUR, known), "seed {seed}: who knows {:?}", {
            world.actors.iter().map(|actor| actor.node.has_fork(publisher)).collect::<Vec<_>>()
        });
        assert!(world.run(HOUR, |world| whole(world, other, 1)), "seed {seed}: another log");
        let grave = (0..4).any(|by| (0..4).any(|whom| world.caught(by, whom)));
        assert!(!grave, "seed {seed}: an honest node is blamed: {:?}", world.blame);
    }
}

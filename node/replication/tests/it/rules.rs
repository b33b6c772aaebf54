//! Single rules of the machine, each shown by a few events.

use replication::limits::{
    ANSWER_MILLIS, ENTRIES_MAX, HEADS_MAX, REANNOUNCE_MILLIS, TASKS_MAX, TASKS_PER_PEER_MAX,
};
use replication::{
    Action, Cut, Event, Head, Machine, Millis, Outcome, Peer, Request, Severity, Ticket, View,
};
use schemas::cid::PublisherId;

use super::node::Node;

fn peer(n: usize) -> Peer {
    Peer(n.to_string())
}

fn head(name: usize, length: u64) -> Head {
    let publisher = PublisherId::of(&name.to_be_bytes());
    Head { publisher, length, last: publisher.genesis() }
}

/// A node that welcomes every stranger.
fn open() -> Node {
    Node { quota: usize::MAX, ..Node::default() }
}

fn hear(machine: &mut Machine, now: u64, from: usize, heads: Vec<Head>, node: &Node) -> Vec<Action> {
    machine.handle(Millis(now), Event::Heads { from: peer(from), heads }, node)
}

fn connect(machine: &mut Machine, count: usize, node: &Node) {
    for n in 0..count {
        machine.handle(Millis(0), Event::Connected(peer(n)), node);
    }
}

fn asked(actions: &[Action]) -> Vec<(Peer, Ticket, Request)> {
    let asked = |action: &Action| match action {
        Action::Ask { peer, ticket, request } => Some((peer.clone(), *ticket, request.clone())),
        _ => None,
    };
    actions.iter().filter_map(asked).collect()
}

#[test]
fn a_log_is_asked_for_once_and_in_pieces() {
    let (mut machine, node) = (Machine::default(), open());
    connect(&mut machine, 2, &node);
    let long = head(1, 10 * ENTRIES_MAX);
    let actions = hear(&mut machine, 0, 0, vec![long], &node);
    let request = Request::Entries { publisher: long.publisher, from: 0, count: ENTRIES_MAX };
    assert_eq!(asked(&actions), [(peer(0), Ticket(0), request)]);
    assert!(hear(&mut machine, 0, 1, vec![long], &node).is_empty(), "one request a log");
}

#[test]
fn requests_are_bounded_by_peer_and_in_all() {
    let (mut machine, mut node) = (Machine::default(), open());
    let heads: Vec<_> = (0..HEADS_MAX).map(|name| head(name, 5)).collect();
    node.followed.extend(heads.iter().map(|head| head.publisher));
    connect(&mut machine, 20, &node);
    let actions = hear(&mut machine, 0, 0, heads.clone(), &node);
    assert_eq!(asked(&actions).len(), TASKS_PER_PEER_MAX);
    for n in 1..20 {
        hear(&mut machine, n as u64 * 10, n, heads.clone(), &node);
    }
    assert_eq!(machine.load().tasks, TASKS_MAX);
}

#[test]
fn silence_is_given_up_and_another_is_asked() {
    let (mut machine, node) = (Machine::default(), open());
    connect(&mut machine, 2, &node);
    for n in 0..2 {
        hear(&mut machine, 0, n, vec![head(1, 5)], &node);
    }
    assert!(machine.handle(Millis(ANSWER_MILLIS - 1), Event::Tick, &node).is_empty());
    let actions = machine.handle(Millis(ANSWER_MILLIS), Event::Tick, &node);
    assert!(actions.contains(&Action::Cancel { ticket: Ticket(0) }));
    let blamed = actions.iter().any(|action| {
        matches!(action, Action::Penalise { peer: who, severity: Severity::Slight, .. } if *who == peer(0))
    });
    assert!(blamed);
    assert_eq!(asked(&actions)[0].0, peer(1));
    // What still comes of the first stream crosses its cancellation.
    let late = Event::Finished { ticket: Ticket(0), outcome: Outcome::Complete };
    assert!(machine.handle(Millis(ANSWER_MILLIS), late, &node).is_empty());
}

#[test]
fn a_lost_peer_is_replaced() {
    let (mut machine, node) = (Machine::default(), open());
    connect(&mut machine, 2, &node);
    for n in 0..2 {
        hear(&mut machine, 0, n, vec![head(1, 5)], &node);
    }
    let actions = machine.handle(Millis(1), Event::Disconnected(peer(0)), &node);
    assert_eq!(actions[0], Action::Cancel { ticket: Ticket(0) });
    assert_eq!(asked(&actions)[0].0, peer(1));
    let actions = machine.handle(Millis(2), Event::Disconnected(peer(1)), &node);
    assert!(asked(&actions).is_empty());
    machine.handle(Millis(3), Event::Tick, &node);
    assert_eq!(machine.load(), replication::Load::default(), "nothing is left behind");
}

#[test]
fn a_liar_is_not_asked_again_for_the_log() {
    let (mut machine, node) = (Machine::default(), open());
    connect(&mut machine, 1, &node);
    hear(&mut machine, 0, 0, vec![head(1, 5)], &node);
    let outcome = Outcome::Cut(Cut::Wrong);
    machine.handle(Millis(1), Event::Finished { ticket: Ticket(0), outcome }, &node);
    assert!(asked(&hear(&mut machine, 2, 0, vec![head(1, 6)], &node)).is_empty());
    assert_eq!(asked(&hear(&mut machine, 3, 0, vec![head(2, 5)], &node)).len(), 1, "for another it is");
}

#[test]
fn every_head_is_told_again_in_turn() {
    let (mut machine, mut node) = (Machine::default(), Node::default());
    for n in 0..HEADS_MAX + 10 {
        node.publish(None, &format!("bureau {n}"), 1);
    }
    connect(&mut machine, 1, &node);
    let mut told = std::collections::BTreeSet::new();
    for round in 0..3 {
        for action in machine.handle(Millis(round * REANNOUNCE_MILLIS), Event::Tick, &node) {
            let Action::Tell { heads, .. } = action else { panic!("only telling: {action:?}") };
            assert!(heads.len() <= HEADS_MAX);
            told.extend(heads);
        }
    }
    assert_eq!(told.into_iter().collect::<Vec<_>>(), node.heads());
}

#[test]
fn what_grew_here_is_gossiped_and_what_was_brought_is_told() {
    let (mut machine, mut node) = (Machine::default(), Node::default());
    connect(&mut machine, 2, &node);
    let publisher = node.publish(None, "bureau", 1);
    let actions = machine.handle(Millis(1_000), Event::Stored { publisher }, &node);
    assert_eq!(actions, [Action::Announce(node.heads())]);
    let again = machine.handle(Millis(9_000), Event::Stored { publisher }, &node);
    assert!(again.is_empty(), "no news");

    node.publish(Some(publisher), "bureau", 1);
    // A request for the log is under way, so what comes now was brought by it.
    let longer = Head { length: 5, ..node.heads()[0] };
    assert_eq!(asked(&hear(&mut machine, 10_000, 0, vec![longer], &node)).len(), 1);
    let actions = machine.handle(Millis(11_000), Event::Stored { publisher }, &node);
    assert_eq!(actions, [Action::Tell { peer: peer(1), heads: node.heads() }], "not to who has it");
}

#[test]
fn heads_of_nobody_are_forgotten() {
    let (mut machine, node) = (Machine::default(), open());
    assert!(hear(&mut machine, 0, 7, vec![head(1, 5)], &node).is_empty());
    assert_eq!(machine.load(), replication::Load::default());
}

#[test]
fn who_comes_anew_is_asked_at_once_though_a_liar_rests() {
    let (mut machine, node) = (Machine::default(), open());
    connect(&mut machine, 2, &node);
    hear(&mut machine, 0, 0, vec![head(1, 5)], &node);
    let outcome = Outcome::Cut(Cut::Wrong);
    machine.handle(Millis(1), Event::Finished { ticket: Ticket(0), outcome }, &node);
    assert!(asked(&machine.handle(Millis(2_000), Event::Tick, &node)).is_empty());
    assert_eq!(asked(&hear(&mut machine, 2_001, 1, vec![head(1, 5)], &node))[0].0, peer(1));
}

#[test]
fn blocks_that_nobody_had_are_asked_for_when_a_head_is_told_anew() {
    let (mut machine, mut node) = (Machine::default(), Node::default());
    let publisher = node.publish(None, "bureau", 1);
    let (id, bytes) = (node.links(publisher)[0], node.blocks.clone());
    node.blocks.remove(&id);
    connect(&mut machine, 2, &node);
    let heads = node.heads();
    let request = Request::Blocks { ids: vec![id] };
    assert_eq!(asked(&hear(&mut machine, 0, 0, heads.clone(), &node)), [(peer(0), Ticket(0), request)]);
    let end = Event::Finished { ticket: Ticket(0), outcome: Outcome::Complete };
    assert!(machine.handle(Millis(1), end, &node).is_empty(), "no fault, and nobody else to ask");
    assert_eq!(asked(&hear(&mut machine, 2, 0, heads.clone(), &node)).len(), 1);

    // Once it is here the neighbours are told, so that they ask again in their turn.
    node.blocks = bytes;
    let (ticket, size) = (Ticket(1), 9);
    machine.handle(Millis(3), Event::Received { ticket, id, bytes: size, verdict: Ok(()) }, &node);
    machine.handle(Millis(4), Event::Finished { ticket, outcome: Outcome::Complete }, &node);
    let actions = machine.handle(Millis(1_000), Event::Tick, &node);
    let tell = |n| Action::Tell { peer: peer(n), heads: heads.clone() };
    assert_eq!(actions, [tell(0), tell(1)]);
}

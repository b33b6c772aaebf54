//! Single rules of the machine, each shown by a few events.

use replication::limits::{
    BLOCK_TIMEOUT_MILLIS, ENTRIES_MAX, HEADS_MAX, REANNOUNCE_MILLIS, REQUESTS_MAX, REQUESTS_PER_PEER_MAX,
};
use replication::{
    LogHead, LogView, Millis, Peer, RequestId, Severity, StreamError, StreamOutcome, SyncAction, SyncEvent,
    SyncMachine, SyncRequest,
};
use schemas::cid::PublisherId;

use super::node::Node;

fn peer(n: usize) -> Peer {
    Peer(n.to_string())
}

fn head(name: usize, length: u64) -> LogHead {
    let publisher = PublisherId::of(&name.to_be_bytes());
    LogHead { publisher, length, last: publisher.genesis() }
}

/// A node that welcomes every stranger.
fn open() -> Node {
    Node { quota: usize::MAX, ..Node::default() }
}

fn hear(
    machine: &mut SyncMachine,
    now: u64,
    from: usize,
    heads: Vec<LogHead>,
    node: &Node,
) -> Vec<SyncAction> {
    machine.handle_event(Millis(now), SyncEvent::HeadsReceived { from: peer(from), heads }, node)
}

fn connect(machine: &mut SyncMachine, count: usize, node: &Node) {
    for n in 0..count {
        machine.handle_event(Millis(0), SyncEvent::Connected(peer(n)), node);
    }
}

fn asked(actions: &[SyncAction]) -> Vec<(Peer, RequestId, SyncRequest)> {
    let asked = |action: &SyncAction| match action {
        SyncAction::SendRequest { peer, request_id, request } => {
            Some((peer.clone(), *request_id, request.clone()))
        }
        _ => None,
    };
    actions.iter().filter_map(asked).collect()
}

#[test]
fn a_log_is_asked_for_once_and_in_pieces() {
    let (mut machine, node) = (SyncMachine::default(), open());
    connect(&mut machine, 2, &node);
    let long = head(1, 10 * ENTRIES_MAX);
    let actions = hear(&mut machine, 0, 0, vec![long], &node);
    let request = SyncRequest::Entries { publisher: long.publisher, from: 0, count: ENTRIES_MAX };
    assert_eq!(asked(&actions), [(peer(0), RequestId(0), request)]);
    assert!(hear(&mut machine, 0, 1, vec![long], &node).is_empty(), "one request a log");
}

#[test]
fn requests_are_bounded_by_peer_and_in_all() {
    let (mut machine, mut node) = (SyncMachine::default(), open());
    let heads: Vec<_> = (0..HEADS_MAX).map(|name| head(name, 5)).collect();
    node.followed.extend(heads.iter().map(|head| head.publisher));
    connect(&mut machine, 20, &node);
    let actions = hear(&mut machine, 0, 0, heads.clone(), &node);
    assert_eq!(asked(&actions).len(), REQUESTS_PER_PEER_MAX);
    for n in 1..20 {
        hear(&mut machine, n as u64 * 10, n, heads.clone(), &node);
    }
    assert_eq!(machine.current_load().requests, REQUESTS_MAX);
}

#[test]
fn silence_is_given_up_and_another_is_asked() {
    let (mut machine, node) = (SyncMachine::default(), open());
    connect(&mut machine, 2, &node);
    for n in 0..2 {
        hear(&mut machine, 0, n, vec![head(1, 5)], &node);
    }
    assert!(machine.handle_event(Millis(BLOCK_TIMEOUT_MILLIS - 1), SyncEvent::Tick, &node).is_empty());
    let actions = machine.handle_event(Millis(BLOCK_TIMEOUT_MILLIS), SyncEvent::Tick, &node);
    assert!(actions.contains(&SyncAction::CancelRequest { request_id: RequestId(0) }));
    let blamed = actions.iter().any(|action| {
        matches!(action, SyncAction::Penalise { peer: who, severity: Severity::Minor, .. } if *who == peer(0))
    });
    assert!(blamed);
    assert_eq!(asked(&actions)[0].0, peer(1));
    // What still comes of the first stream crosses its cancellation.
    let late = SyncEvent::RequestFinished { request_id: RequestId(0), outcome: StreamOutcome::Complete };
    assert!(machine.handle_event(Millis(BLOCK_TIMEOUT_MILLIS), late, &node).is_empty());
}

#[test]
fn a_lost_peer_is_replaced() {
    let (mut machine, node) = (SyncMachine::default(), open());
    connect(&mut machine, 2, &node);
    for n in 0..2 {
        hear(&mut machine, 0, n, vec![head(1, 5)], &node);
    }
    let actions = machine.handle_event(Millis(1), SyncEvent::Disconnected(peer(0)), &node);
    assert_eq!(actions[0], SyncAction::CancelRequest { request_id: RequestId(0) });
    assert_eq!(asked(&actions)[0].0, peer(1));
    let actions = machine.handle_event(Millis(2), SyncEvent::Disconnected(peer(1)), &node);
    assert!(asked(&actions).is_empty());
    machine.handle_event(Millis(3), SyncEvent::Tick, &node);
    assert_eq!(machine.current_load(), replication::SyncLoad::default(), "nothing is left behind");
}

#[test]
fn a_liar_is_not_asked_again_for_the_log() {
    let (mut machine, node) = (SyncMachine::default(), open());
    connect(&mut machine, 1, &node);
    hear(&mut machine, 0, 0, vec![head(1, 5)], &node);
    let outcome = StreamOutcome::Interrupted(StreamError::HashMismatch);
    machine.handle_event(Millis(1), SyncEvent::RequestFinished { request_id: RequestId(0), outcome }, &node);
    assert!(asked(&hear(&mut machine, 2, 0, vec![head(1, 6)], &node)).is_empty());
    assert_eq!(asked(&hear(&mut machine, 3, 0, vec![head(2, 5)], &node)).len(), 1, "for another it is");
}

#[test]
fn every_head_is_told_again_in_turn() {
    let (mut machine, mut node) = (SyncMachine::default(), Node::default());
    for n in 0..HEADS_MAX + 10 {
        node.publish(None, &format!("bureau {n}"), 1);
    }
    connect(&mut machine, 1, &node);
    let mut told = std::collections::BTreeSet::new();
    for round in 0..3 {
        for action in machine.handle_event(Millis(round * REANNOUNCE_MILLIS), SyncEvent::Tick, &node) {
            let SyncAction::SendHeads { heads, .. } = action else { panic!("only telling: {action:?}") };
            assert!(heads.len() <= HEADS_MAX);
            told.extend(heads);
        }
    }
    assert_eq!(told.into_iter().collect::<Vec<_>>(), node.all_heads());
}

#[test]
fn what_grew_here_is_gossiped_and_what_was_brought_is_told() {
    let (mut machine, mut node) = (SyncMachine::default(), Node::default());
    connect(&mut machine, 2, &node);
    let publisher = node.publish(None, "bureau", 1);
    let actions = machine.handle_event(Millis(1_000), SyncEvent::LogGrown { publisher }, &node);
    assert_eq!(actions, [SyncAction::Gossip(node.all_heads())]);
    let again = machine.handle_event(Millis(9_000), SyncEvent::LogGrown { publisher }, &node);
    assert!(again.is_empty(), "no news");

    node.publish(Some(publisher), "bureau", 1);
    // A request for the log is under way, so what comes now was brought by it.
    let longer = LogHead { length: 5, ..node.all_heads()[0] };
    assert_eq!(asked(&hear(&mut machine, 10_000, 0, vec![longer], &node)).len(), 1);
    let actions = machine.handle_event(Millis(11_000), SyncEvent::LogGrown { publisher }, &node);
    assert_eq!(
        actions,
        [SyncAction::SendHeads { peer: peer(1), heads: node.all_heads() }],
        "not to who has it"
    );
}

#[test]
fn heads_of_nobody_are_forgotten() {
    let (mut machine, node) = (SyncMachine::default(), open());
    assert!(hear(&mut machine, 0, 7, vec![head(1, 5)], &node).is_empty());
    assert_eq!(machine.current_load(), replication::SyncLoad::default());
}

#[test]
fn who_comes_anew_is_asked_at_once_though_a_liar_rests() {
    let (mut machine, node) = (SyncMachine::default(), open());
    connect(&mut machine, 2, &node);
    hear(&mut machine, 0, 0, vec![head(1, 5)], &node);
    let outcome = StreamOutcome::Interrupted(StreamError::HashMismatch);
    machine.handle_event(Millis(1), SyncEvent::RequestFinished { request_id: RequestId(0), outcome }, &node);
    assert!(asked(&machine.handle_event(Millis(2_000), SyncEvent::Tick, &node)).is_empty());
    assert_eq!(asked(&hear(&mut machine, 2_001, 1, vec![head(1, 5)], &node))[0].0, peer(1));
}

#[test]
fn blocks_that_nobody_had_are_asked_for_when_a_head_is_told_anew() {
    let (mut machine, mut node) = (SyncMachine::default(), Node::default());
    let publisher = node.publish(None, "bureau", 1);
    let (id, bytes) = (node.links(publisher)[0], node.blocks.clone());
    node.blocks.remove(&id);
    connect(&mut machine, 2, &node);
    let heads = node.all_heads();
    let request = SyncRequest::Blocks { ids: vec![id] };
    assert_eq!(asked(&hear(&mut machine, 0, 0, heads.clone(), &node)), [(peer(0), RequestId(0), request)]);
    let end = SyncEvent::RequestFinished { request_id: RequestId(0), outcome: StreamOutcome::Complete };
    assert!(machine.handle_event(Millis(1), end, &node).is_empty(), "no fault, and nobody else to ask");
    assert_eq!(asked(&hear(&mut machine, 2, 0, heads.clone(), &node)).len(), 1);

    // Once it is here the neighbours are told, so that they ask again in their turn.
    node.blocks = bytes;
    let (request_id, size) = (RequestId(1), 9);
    machine.handle_event(
        Millis(3),
        SyncEvent::BlockReceived { request_id, id, bytes: size, verdict: Ok(()) },
        &node,
    );
    machine.handle_event(
        Millis(4),
        SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete },
        &node,
    );
    let actions = machine.handle_event(Millis(1_000), SyncEvent::Tick, &node);
    let tell = |n| SyncAction::SendHeads { peer: peer(n), heads: heads.clone() };
    assert_eq!(actions, [tell(0), tell(1)]);
}

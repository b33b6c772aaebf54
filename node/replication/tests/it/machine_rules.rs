//! Single rules of the sync machine, each shown with a few events.

use replication::limits::{
    BLOCK_TIMEOUT_MILLIS, ENTRIES_MAX, HEADS_MAX, REANNOUNCE_MILLIS, REQUESTS_MAX, REQUESTS_PER_PEER_MAX,
};
use replication::{
    LogHead, LogView, Millis, Peer, RequestId, Severity, StreamError, StreamOutcome, SyncAction, SyncEvent,
    SyncMachine, SyncRequest,
};
use schemas::cid::PublisherId;

use super::test_node::TestNode;

fn peer(n: usize) -> Peer {
    Peer(n.to_string())
}

fn head(name: usize, length: u64) -> LogHead {
    let publisher = PublisherId::of(&name.to_be_bytes());
    LogHead { publisher, length, last: publisher.genesis() }
}

/// A node that accepts entries of every log.
fn node_accepting_all() -> TestNode {
    TestNode { quota: usize::MAX, ..TestNode::default() }
}

fn announce_heads(
    machine: &mut SyncMachine,
    now: u64,
    from: usize,
    heads: Vec<LogHead>,
    node: &TestNode,
) -> Vec<SyncAction> {
    machine.handle_event(Millis(now), SyncEvent::HeadsReceived { from: peer(from), heads }, node)
}

fn connect(machine: &mut SyncMachine, count: usize, node: &TestNode) {
    for n in 0..count {
        machine.handle_event(Millis(0), SyncEvent::Connected(peer(n)), node);
    }
}

fn sent_requests(actions: &[SyncAction]) -> Vec<(Peer, RequestId, SyncRequest)> {
    let asked = |action: &SyncAction| match action {
        SyncAction::SendRequest { peer, request_id, request } => {
            Some((peer.clone(), *request_id, request.clone()))
        }
        _ => None,
    };
    actions.iter().filter_map(asked).collect()
}

#[test]
fn a_log_is_requested_once_and_in_pieces() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    connect(&mut machine, 2, &node);
    let long = head(1, 10 * ENTRIES_MAX);
    let actions = announce_heads(&mut machine, 0, 0, vec![long], &node);
    let request = SyncRequest::Entries { publisher: long.publisher, from: 0, count: ENTRIES_MAX };
    assert_eq!(sent_requests(&actions), [(peer(0), RequestId(0), request)]);
    assert!(announce_heads(&mut machine, 0, 1, vec![long], &node).is_empty(), "one request a log");
}

#[test]
fn requests_are_bounded_per_peer_and_in_total() {
    let (mut machine, mut node) = (SyncMachine::default(), node_accepting_all());
    let heads: Vec<_> = (0..HEADS_MAX).map(|name| head(name, 5)).collect();
    node.followed.extend(heads.iter().map(|head| head.publisher));
    connect(&mut machine, 20, &node);
    let actions = announce_heads(&mut machine, 0, 0, heads.clone(), &node);
    assert_eq!(sent_requests(&actions).len(), REQUESTS_PER_PEER_MAX);
    for n in 1..20 {
        announce_heads(&mut machine, n as u64 * 10, n, heads.clone(), &node);
    }
    assert_eq!(machine.current_load().requests, REQUESTS_MAX);
}

#[test]
fn a_silent_request_is_cancelled_and_another_peer_asked() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    connect(&mut machine, 2, &node);
    for n in 0..2 {
        announce_heads(&mut machine, 0, n, vec![head(1, 5)], &node);
    }
    assert!(machine.handle_event(Millis(BLOCK_TIMEOUT_MILLIS - 1), SyncEvent::Tick, &node).is_empty());
    let actions = machine.handle_event(Millis(BLOCK_TIMEOUT_MILLIS), SyncEvent::Tick, &node);
    assert!(actions.contains(&SyncAction::CancelRequest { request_id: RequestId(0) }));
    let penalised = actions.iter().any(|action| {
        matches!(action, SyncAction::Penalise { peer: who, severity: Severity::Minor, .. } if *who == peer(0))
    });
    assert!(penalised);
    assert_eq!(sent_requests(&actions)[0].0, peer(1));
    // The end of the first stream crosses its cancellation.
    let late = SyncEvent::RequestFinished { request_id: RequestId(0), outcome: StreamOutcome::Complete };
    assert!(machine.handle_event(Millis(BLOCK_TIMEOUT_MILLIS), late, &node).is_empty());
}

#[test]
fn a_lost_peer_is_replaced() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    connect(&mut machine, 2, &node);
    for n in 0..2 {
        announce_heads(&mut machine, 0, n, vec![head(1, 5)], &node);
    }
    let actions = machine.handle_event(Millis(1), SyncEvent::Disconnected(peer(0)), &node);
    assert_eq!(actions[0], SyncAction::CancelRequest { request_id: RequestId(0) });
    assert_eq!(sent_requests(&actions)[0].0, peer(1));
    let actions = machine.handle_event(Millis(2), SyncEvent::Disconnected(peer(1)), &node);
    assert!(sent_requests(&actions).is_empty());
    machine.handle_event(Millis(3), SyncEvent::Tick, &node);
    assert_eq!(machine.current_load(), replication::SyncLoad::default(), "nothing is left behind");
}

#[test]
fn a_peer_that_sent_a_hash_mismatch_is_not_asked_again_for_the_log() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    connect(&mut machine, 1, &node);
    announce_heads(&mut machine, 0, 0, vec![head(1, 5)], &node);
    let outcome = StreamOutcome::Interrupted(StreamError::HashMismatch);
    machine.handle_event(Millis(1), SyncEvent::RequestFinished { request_id: RequestId(0), outcome }, &node);
    assert!(sent_requests(&announce_heads(&mut machine, 2, 0, vec![head(1, 6)], &node)).is_empty());
    assert_eq!(
        sent_requests(&announce_heads(&mut machine, 3, 0, vec![head(2, 5)], &node)).len(),
        1,
        "for another it is"
    );
}

#[test]
fn every_head_is_reannounced_in_turn() {
    let (mut machine, mut node) = (SyncMachine::default(), TestNode::default());
    for n in 0..HEADS_MAX + 10 {
        node.publish(None, &format!("publisher {n}"), 1);
    }
    connect(&mut machine, 1, &node);
    let mut announced = std::collections::BTreeSet::new();
    for round in 0..3 {
        for action in machine.handle_event(Millis(round * REANNOUNCE_MILLIS), SyncEvent::Tick, &node) {
            let SyncAction::SendHeads { heads, .. } = action else { panic!("only telling: {action:?}") };
            assert!(heads.len() <= HEADS_MAX);
            announced.extend(heads);
        }
    }
    assert_eq!(announced.into_iter().collect::<Vec<_>>(), node.all_heads());
}

#[test]
fn local_logs_are_gossiped_and_synced_ones_sent_to_peers() {
    let (mut machine, mut node) = (SyncMachine::default(), TestNode::default());
    connect(&mut machine, 2, &node);
    let publisher = node.publish(None, "publisher", 1);
    let actions = machine.handle_event(Millis(1_000), SyncEvent::LogGrown { publisher }, &node);
    assert_eq!(actions, [SyncAction::Gossip(node.all_heads())]);
    let again = machine.handle_event(Millis(9_000), SyncEvent::LogGrown { publisher }, &node);
    assert!(again.is_empty(), "no news");

    node.publish(Some(publisher), "publisher", 1);
    // A request for the log is open, so the growth counts as synced.
    let longer = LogHead { length: 5, ..node.all_heads()[0] };
    assert_eq!(sent_requests(&announce_heads(&mut machine, 10_000, 0, vec![longer], &node)).len(), 1);
    let actions = machine.handle_event(Millis(11_000), SyncEvent::LogGrown { publisher }, &node);
    assert_eq!(
        actions,
        [SyncAction::SendHeads { peer: peer(1), heads: node.all_heads() }],
        "not to who has it"
    );
}

#[test]
fn heads_of_unconnected_nodes_are_dropped() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    assert!(announce_heads(&mut machine, 0, 7, vec![head(1, 5)], &node).is_empty());
    assert_eq!(machine.current_load(), replication::SyncLoad::default());
}

#[test]
fn a_head_of_length_one_names_the_genesis_or_is_ignored() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    connect(&mut machine, 1, &node);
    let impossible = LogHead { last: head(2, 1).last, ..head(1, 1) };
    assert!(announce_heads(&mut machine, 0, 0, vec![impossible], &node).is_empty());
    assert_eq!(machine.current_load(), replication::SyncLoad::default());
    // The other heads of the announcement count.
    let actions = announce_heads(&mut machine, 1, 0, vec![impossible, head(3, 1)], &node);
    assert_eq!(sent_requests(&actions).len(), 1);
}

#[test]
fn a_new_peer_is_asked_at_once_while_another_is_avoided() {
    let (mut machine, node) = (SyncMachine::default(), node_accepting_all());
    connect(&mut machine, 2, &node);
    announce_heads(&mut machine, 0, 0, vec![head(1, 5)], &node);
    let outcome = StreamOutcome::Interrupted(StreamError::HashMismatch);
    machine.handle_event(Millis(1), SyncEvent::RequestFinished { request_id: RequestId(0), outcome }, &node);
    assert!(sent_requests(&machine.handle_event(Millis(2_000), SyncEvent::Tick, &node)).is_empty());
    assert_eq!(sent_requests(&announce_heads(&mut machine, 2_001, 1, vec![head(1, 5)], &node))[0].0, peer(1));
}

#[test]
fn absent_blocks_are_requested_again_after_a_new_announcement() {
    let (mut machine, mut node) = (SyncMachine::default(), TestNode::default());
    let publisher = node.publish(None, "publisher", 1);
    let (id, bytes) = (node.links(publisher)[0], node.blocks.clone());
    node.blocks.remove(&id);
    connect(&mut machine, 2, &node);
    let heads = node.all_heads();
    let request = SyncRequest::Blocks { ids: vec![id] };
    assert_eq!(
        sent_requests(&announce_heads(&mut machine, 0, 0, heads.clone(), &node)),
        [(peer(0), RequestId(0), request)]
    );
    let end = SyncEvent::RequestFinished { request_id: RequestId(0), outcome: StreamOutcome::Complete };
    assert!(machine.handle_event(Millis(1), end, &node).is_empty(), "no fault, and nobody else to ask");
    assert_eq!(sent_requests(&announce_heads(&mut machine, 2, 0, heads.clone(), &node)).len(), 1);

    // Once the block is stored the peers are informed, so that they request it in turn.
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

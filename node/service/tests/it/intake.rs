//! What comes from peers.

use replication::{
    LogHead, LogView, Millis, RequestId, Severity, StreamOutcome, SyncAction, SyncEvent, SyncRequest,
};
use schemas::cbor;
use schemas::cid::EntryId;
use schemas::content::Block;
use schemas::entry::{self, Entry};
use schemas::seal::Sealed;
use service::query::LedgerQuery;
use service::{Core, CoreOutput, MemoryStorage, STRANGER_ENTRIES_MAX, STRANGERS_MAX, Storage};
use store::{IndexTree, WriteBatch};
use testkit::Publisher;
use testkit::node_core::open_core;
use testkit::publisher::{operating_key, retraction_bytes};

use super::fixtures::{
    dataset_bytes, dataset_with_content, doubling_recipe, object_id, open_follower, publisher_with_release,
    wrong_release,
};
use super::forge::linked;
use super::peer::{answer, asks, head, peer, serve, sync, tell};

fn penalties(outputs: Vec<CoreOutput>) -> Vec<Severity> {
    let penalty = |output| match output {
        CoreOutput::Network(SyncAction::Penalise { severity, .. }) => Some(severity),
        _ => None,
    };
    outputs.into_iter().filter_map(penalty).collect()
}

/// The whole entries of an publisher's log.
fn complete(keep: &MemoryStorage, publisher: &Publisher) -> u64 {
    let logs = LedgerQuery(keep).list_logs().unwrap();
    logs.iter().find(|log| log.publisher == publisher.id()).map_or(0, |log| log.complete)
}

/// A core that asked for the log of an publisher, and what it asked.
fn asking(publisher: &Publisher) -> (Core<MemoryStorage>, MemoryStorage, RequestId, SyncRequest) {
    let (mut core, memory) = open_follower(publisher);
    tell(&mut core, vec![head(publisher)]).unwrap();
    let (request_id, request) = asks(core.take_outputs())[0].clone();
    (core, memory, request_id, request)
}

#[test]
fn wrong_bytes_and_blocks_that_nobody_asked_for_are_refused() {
    let publisher = publisher_with_release(1);
    let (object, _) = dataset_bytes(b"never asked for");
    for spoil in [true, false] {
        let (mut core, memory, request_id, _) = asking(&publisher);
        let (named, bytes) = match spoil {
            true => (publisher.genesis().id().cid(), b"wrong".to_vec()),
            false => (object_id(&object), object.clone()),
        };
        core.accept_block(Millis(0), request_id, named, bytes).unwrap();
        assert_eq!(penalties(core.take_outputs()), [Severity::Severe], "spoil {spoil}");
        core.handle_event(
            Millis(0),
            SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete },
        )
        .unwrap();
        assert!(!memory.has(named).unwrap());
    }
}

#[test]
fn blocks_of_a_request_that_is_over_are_not_kept() {
    let publisher = publisher_with_release(1);
    let (mut core, memory, request_id, request) = asking(&publisher);
    core.handle_event(Millis(0), SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete })
        .unwrap();
    for (id, bytes) in answer(&publisher, &request) {
        core.accept_block(Millis(0), request_id, id, bytes).unwrap();
        assert!(!memory.has(id).unwrap());
    }
}

#[test]
fn an_entry_with_a_forged_signature_is_a_lie() {
    let mut publisher = publisher_with_release(1);
    let forged =
        entry::sign_entry(publisher.log.next_position(), 0, &retraction_bytes("forged"), &operating_key(2))
            .unwrap();
    let (mut core, _, request_id, request) = asking(&publisher);
    for (id, bytes) in answer(&publisher, &request) {
        core.accept_block(Millis(0), request_id, id, bytes).unwrap();
    }
    core.handle_event(Millis(0), SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete })
        .unwrap();
    serve(&mut core, &publisher).unwrap();
    publisher.retract("true");
    core.handle_event(Millis(0), SyncEvent::HeadsReceived { from: peer(), heads: vec![head(&publisher)] })
        .unwrap();
    let (request_id, _) = asks(core.take_outputs())[0];
    core.accept_block(Millis(0), request_id, forged.id().cid(), forged.bytes().to_vec()).unwrap();
    assert_eq!(penalties(core.take_outputs()), [Severity::Severe]);
    assert_eq!(LogView::log_head(&core, publisher.id()).unwrap().length, 4);
    assert!(!LogView::has_fork(&core, publisher.id()), "a forgery is no evidence");
}

#[test]
fn a_followed_log_becomes_whole_and_a_release_is_to_be_run() {
    let publisher = publisher_with_release(1);
    let (mut core, memory) = open_follower(&publisher);
    let outputs = sync(&mut core, &publisher).unwrap();
    assert_eq!(complete(&memory, &publisher), 4);
    assert!(outputs.iter().any(|output| matches!(output, CoreOutput::Verify(_))));
}

#[test]
fn a_stranger_whom_the_operator_begins_to_follow_is_fetched_whole() {
    let publisher = publisher_with_release(1);
    let memory = MemoryStorage::default();
    let mut core = open_core(memory.clone(), 50);
    sync(&mut core, &publisher).unwrap();
    assert_eq!(
        (LogView::log_head(&core, publisher.id()).unwrap().length, complete(&memory, &publisher)),
        (4, 1)
    );
    core.follow(publisher.id()).unwrap();
    serve(&mut core, &publisher).unwrap();
    assert_eq!(complete(&memory, &publisher), 4);
}

#[test]
fn a_stranger_stays_within_its_quota() {
    let mut publisher = Publisher::new(1).with_log_length(STRANGER_ENTRIES_MAX - 1);
    let memory = MemoryStorage::default();
    open_core(memory.clone(), 50).accept_entry(publisher.genesis()).unwrap();
    // As if all but one of the entries that a stranger may have were held.
    let row = Aged { length: publisher.log.length(), last: publisher.log.last(), complete: 1 };
    let mut batch = WriteBatch::new();
    batch.put_row(IndexTree::Heads, &publisher.id().cid().to_bytes(), &cbor::encode(&row).unwrap());
    memory.commit(batch).unwrap();
    let mut core = open_core(memory, 50);
    let two = [publisher.retract("the last"), publisher.retract("one too many")];
    tell(&mut core, vec![head(&publisher)]).unwrap();
    let (request_id, _) = asks(core.take_outputs())[0];
    for entry in &two {
        core.accept_block(Millis(0), request_id, entry.id().cid(), entry.bytes().to_vec()).unwrap();
    }
    let length = |core: &Core<MemoryStorage>| LogView::log_head(core, publisher.id()).unwrap().length;
    assert_eq!(length(&core), STRANGER_ENTRIES_MAX);
    assert_eq!(penalties(core.take_outputs()), [], "the peer is not to blame");
    core.follow(publisher.id()).unwrap();
    core.accept_entry(two[1].clone()).unwrap();
    assert_eq!(length(&core), STRANGER_ENTRIES_MAX + 1, "whoever is followed has no quota");
}

/// The row of a log's head.
#[derive(serde::Serialize)]
struct Aged {
    length: u64,
    last: EntryId,
    complete: u64,
}

#[test]
fn strangers_are_not_without_number() {
    let mut core = open_core(MemoryStorage::default(), 50);
    let publishers: Vec<Publisher> =
        (0..=STRANGERS_MAX).map(|n| Publisher::named(1, &n.to_string())).collect();
    let last = &publishers[STRANGERS_MAX];
    // Asked for while there was room, delivered when there is none.
    tell(&mut core, vec![head(last)]).unwrap();
    let (request_id, _) = asks(core.take_outputs())[0];
    for publisher in &publishers[..STRANGERS_MAX] {
        core.accept_entry(publisher.genesis()).unwrap();
    }
    let genesis = last.genesis();
    core.accept_block(Millis(0), request_id, genesis.id().cid(), genesis.bytes().to_vec()).unwrap();
    assert!(LogView::log_head(&core, last.id()).is_none());
    assert_eq!(penalties(core.take_outputs()), []);
    core.follow(last.id()).unwrap();
    assert!(LogView::accepts_entries(&core, last.id()));
}

/// Objects that are well named, and wrong: none may stop a log, a list, or the next start.
fn traps() -> Vec<(&'static str, Vec<u8>, Vec<Block>)> {
    let (plain, blocks) = dataset_bytes(b"source");
    let recipe = doubling_recipe();
    let block = |bytes: Vec<u8>| (object_id(&bytes), bytes);
    let (on_chunk, on_chunk_blocks) = dataset_with_content(block(chunk(1)));
    let (on_recipe, on_recipe_blocks) = dataset_with_content(block(recipe.clone()));
    let (mixed, mut mixed_blocks) = wrong_release(object_id(&plain), object_id(&recipe));
    mixed_blocks.extend(blocks.into_iter().chain([block(plain), block(recipe)]));
    vec![
        ("a content that is a broken chunk", on_chunk, on_chunk_blocks),
        ("a content that is a recipe", on_recipe, on_recipe_blocks),
        ("a release that mixes up recipe and data", mixed, mixed_blocks),
    ]
}

/// The core holds the whole log, its lists read, and it starts again.
fn check_alive(what: &str, mut core: Core<MemoryStorage>, memory: &MemoryStorage, publisher: &Publisher) {
    sync(&mut core, publisher).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(complete(memory, publisher), publisher.log.length(), "{what}: the log goes on");
    for list in
        [LedgerQuery(memory).list_datasets().map(|_| ()), LedgerQuery(memory).list_releases().map(|_| ())]
    {
        list.unwrap_or_else(|error| panic!("{what}: a list does not read: {error}"));
    }
    open_core(memory.clone(), 50);
}

#[test]
fn an_object_that_is_wrong_in_itself_stops_nothing() {
    for (what, object, blocks) in traps() {
        let mut publisher = Publisher::new(1);
        publisher.sign_object(&object, blocks);
        let (object, blocks) = dataset_bytes(b"sound");
        publisher.sign_object(&object, blocks);
        let (core, memory) = open_follower(&publisher);
        check_alive(what, core, &memory, &publisher);
        assert_eq!(LedgerQuery(&memory).list_datasets().unwrap().len(), 1, "{what}: what is sound is found");
    }
}

#[test]
fn an_entry_that_links_to_a_broken_object_stops_nothing() {
    for object in [chunk(1), chunk(2), doubling_recipe(), b"\xa0".to_vec(), b"no cbor".to_vec()] {
        let mut publisher = Publisher::new(1);
        let id = object_id(&object);
        let entry = linked(&publisher.log, "dataset", "x", id, &operating_key(1));
        publisher.blocks.insert(id, object);
        publisher.append_entry(entry);
        let (object, blocks) = dataset_bytes(b"sound");
        publisher.sign_object(&object, blocks);
        let (core, memory) = open_follower(&publisher);
        check_alive("linked", core, &memory, &publisher);
    }
}

/// A map that says it is a chunk of a version, and nothing more.
fn chunk(version: u8) -> Vec<u8> {
    [b"\xa2\x61v", [version].as_slice(), b"\x65$type\x65chunk"].concat()
}

/// Two histories: what both begin with, and one entry more on each side.
fn branches() -> (Publisher, Publisher, Publisher) {
    let trunk = publisher_with_release(1);
    let (mut left, mut right) = (trunk.clone(), trunk.clone());
    left.retract("left");
    right.retract("right");
    (trunk, left, right)
}

#[test]
fn evidence_of_a_fork_is_kept_told_and_there_after_a_restart() {
    let (_, left, right) = branches();
    let (mut core, memory) = open_follower(&left);
    sync(&mut core, &left).unwrap();
    let outputs = sync(&mut core, &right).unwrap();
    assert!(outputs.iter().any(|output| matches!(output, CoreOutput::Forked { seq: 4, .. })));
    for core in [core, open_core(memory.clone(), 50)] {
        let heads: Vec<LogHead> = LogView::all_heads(&core);
        assert_eq!(heads, [head(&left), head(&right)]);
        assert!(LogView::has_fork(&core, left.id()));
    }
    assert!(memory.has(right.last_entry().id().cid()).unwrap());
    assert_eq!(complete(&memory, &left), 5, "what is held stays");
}

#[test]
fn a_longer_branch_leads_to_evidence_that_others_can_use() {
    let (_, left, mut right) = branches();
    right.retract("right again");
    let (mut core, _) = open_follower(&left);
    sync(&mut core, &left).unwrap();
    sync(&mut core, &right).unwrap();
    let heads = LogView::all_heads(&core);
    let held = |head: &LogHead| LogView::entry_id(&core, head.publisher, head.length - 1).is_some();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(held), "a rival in a place that is held: {heads:?}");
}

#[test]
fn a_branch_taken_from_a_file_is_no_head_until_it_can_be_proved() {
    let (_, left, mut right) = branches();
    let first = right.last_entry();
    let second = right.retract("right again");
    let (mut core, memory) = open_follower(&left);
    sync(&mut core, &left).unwrap();
    assert!(core.accept_entry(second).is_err());
    assert!(LedgerQuery(&memory).list_logs().unwrap()[0].forked, "it is evidence all the same");
    assert_eq!(LogView::all_heads(&core), [head(&left)], "a peer that holds as much could not check it");
    assert!(core.accept_entry(first.clone()).is_err());
    let rival = LogHead { last: first.id(), ..head(&left) };
    assert_eq!(LogView::all_heads(&core), [head(&left), rival]);
    assert_eq!(LogView::all_heads(&open_core(memory, 50)), [head(&left), rival]);
}

#[test]
fn evidence_hidden_in_the_data_is_still_evidence() {
    let (_, mut left, right) = branches();
    let rival: Sealed<Entry> = right.last_entry();
    let (object, blocks) = dataset_bytes(rival.bytes());
    left.sign_object(&object, blocks);
    let (mut core, memory) = open_follower(&left);
    sync(&mut core, &left).unwrap();
    assert!(memory.has(rival.id().cid()).unwrap(), "held, as a piece of a document");
    sync(&mut core, &right).unwrap();
    assert!(LogView::has_fork(&core, left.id()));
}

#[test]
fn blocks_that_come_another_way_are_not_waited_for() {
    let mut publisher = Publisher::new(1);
    let (object, blocks) = dataset_bytes(b"source");
    publisher.sign_object(&object, blocks.clone());
    let (mut core, memory) = open_follower(&publisher);
    core.adopt_identity(Publisher::new(50).genesis()).unwrap();
    for entry in &publisher.entries {
        core.accept_entry(entry.clone()).unwrap();
    }
    assert_eq!(complete(&memory, &publisher), 1, "its blocks are nowhere");
    core.publish(&object, blocks, 0).unwrap();
    assert_eq!(complete(&memory, &publisher), 2, "now they are here");
}

#[test]
fn whoever_signs_the_same_object_does_not_take_its_place() {
    // Of twenty strangers some have a smaller id than the publisher.
    let publisher = publisher_with_release(1);
    let (mut core, memory) = open_follower(&publisher);
    sync(&mut core, &publisher).unwrap();
    for seed in 60..80 {
        let mut copy = Publisher::new(seed);
        let object = publisher.blocks[&publisher.last_entry().value().object()].clone();
        let entry = copy.sign_object(&object, Vec::new());
        core.accept_entry(copy.genesis()).unwrap();
        core.accept_entry(entry).unwrap();
    }
    let release = publisher.last_entry().value().object().try_into().unwrap();
    assert_eq!(LedgerQuery(&memory).find_release(release).unwrap().position.publisher, publisher.id());
}

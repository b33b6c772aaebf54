//! The own log, when peers say things about it, and attestations, whatever stops them.

use ledger::verify::verify_release;
use replication::{LogHead, Millis, StreamOutcome, SyncEvent};
use schemas::cid::{EntryId, ReleaseId};
use service::{Core, CoreOutput, Error, MemoryStorage, Storage};
use testkit::Publisher;
use testkit::node_core::open_core;
use testkit::publisher::retraction_bytes;

use super::fixtures::{open_follower, publisher_with_release};
use super::peer::{asks, head, peer, serve, sync, tell};

/// Runs the releases that the core wants run.
fn verify_all<K: Storage>(core: &mut Core<K>, outputs: Vec<CoreOutput>) -> Vec<Result<bool, Error>> {
    let wanted: Vec<ReleaseId> = outputs
        .into_iter()
        .filter_map(|output| match output {
            CoreOutput::Verify(release) => Some(release),
            _ => None,
        })
        .collect();
    let keep = core.storage();
    let run = |release| verify_release(release, &|id| keep.get(id).unwrap());
    wanted.into_iter().map(|release| core.record_verification(&run(release), 0)).collect()
}

/// A claim of more entries of a log than there are.
fn boast(publisher: &Publisher) -> LogHead {
    LogHead { length: 1000, last: EntryId::of(b"none"), ..head(publisher) }
}

#[test]
fn a_peer_that_boasts_of_the_own_log_does_not_stop_it() {
    let publisher = Publisher::new(1);
    let mut core = open_core(MemoryStorage::default(), 1);
    core.adopt_identity(publisher.genesis()).unwrap();
    tell(&mut core, vec![boast(&publisher)]).unwrap();
    let behind = core.publish(&retraction_bytes("a"), Vec::new(), 0);
    assert!(matches!(behind, Err(Error::Behind { told: 1000, .. })), "it may be true");
    let asked = asks(core.take_outputs());
    let (request_id, _) = asked[0];
    core.handle_event(Millis(1), SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete })
        .unwrap();
    assert_eq!(core.publish(&retraction_bytes("a"), Vec::new(), 0).unwrap().seq, 1, "it is not");
    core.handle_event(Millis(2), SyncEvent::HeadsReceived { from: peer(), heads: vec![boast(&publisher)] })
        .unwrap();
    assert_eq!(core.publish(&retraction_bytes("b"), Vec::new(), 0).unwrap().seq, 2, "nor when said again");
}

#[test]
fn a_claim_goes_with_the_peer_that_made_it() {
    let publisher = Publisher::new(1);
    let mut core = open_core(MemoryStorage::default(), 1);
    core.adopt_identity(publisher.genesis()).unwrap();
    core.handle_event(Millis(0), SyncEvent::HeadsReceived { from: peer(), heads: vec![boast(&publisher)] })
        .unwrap();
    assert!(core.publish(&retraction_bytes("a"), Vec::new(), 0).is_ok(), "nobody connected says so");
    tell(&mut core, vec![boast(&publisher)]).unwrap();
    assert!(matches!(core.publish(&retraction_bytes("b"), Vec::new(), 0), Err(Error::Behind { .. })));
    core.handle_event(Millis(0), SyncEvent::Disconnected(peer())).unwrap();
    assert!(core.publish(&retraction_bytes("b"), Vec::new(), 0).is_ok());
}

#[test]
fn a_node_that_was_behind_attests_once_it_is_not() {
    let (mut own, other) = (Publisher::new(1), publisher_with_release(2));
    own.retract("signed before the copy was made");
    let mut core = open_core(MemoryStorage::default(), 1);
    core.adopt_identity(own.genesis()).unwrap();
    core.follow(other.id()).unwrap();
    tell(&mut core, vec![head(&own), head(&other)]).unwrap();
    let asked = asks(core.take_outputs());
    for (request_id, request) in asked {
        if let replication::SyncRequest::Entries { publisher, .. } = &request
            && *publisher == other.id()
        {
            for (id, bytes) in super::peer::answer(&other, &request) {
                core.accept_block(Millis(0), request_id, id, bytes).unwrap();
            }
            core.handle_event(
                Millis(0),
                SyncEvent::RequestFinished { request_id, outcome: StreamOutcome::Complete },
            )
            .unwrap();
        } else {
            core.handle_event(
                Millis(0),
                SyncEvent::RequestFinished {
                    request_id,
                    outcome: StreamOutcome::Interrupted(replication::StreamError::Broken),
                },
            )
            .unwrap();
        }
    }
    let outputs = serve(&mut core, &other).unwrap();
    let done = verify_all(&mut core, outputs);
    assert!(matches!(done[..], [Err(Error::Behind { .. })]), "{done:?}");
    core.handle_event(Millis(100_000), SyncEvent::Tick).unwrap();
    let outputs = sync(&mut core, &own).unwrap();
    let done = verify_all(&mut core, outputs);
    assert!(matches!(done[..], [Ok(true)]), "{done:?}");
}

#[test]
fn an_identity_made_later_attests_what_was_found_before() {
    let other = publisher_with_release(2);
    let memory = MemoryStorage::default();
    let mut core = open_core(memory.clone(), 1);
    core.follow(other.id()).unwrap();
    let outputs = sync(&mut core, &other).unwrap();
    assert!(matches!(verify_all(&mut core, outputs)[..], [Ok(false)]));
    core.adopt_identity(Publisher::new(1).genesis()).unwrap();
    let outputs = core.take_outputs();
    assert!(matches!(verify_all(&mut core, outputs)[..], [Ok(true)]));
    let mut again = open_core(memory, 1);
    let outputs = again.take_outputs();
    assert!(verify_all(&mut again, outputs).is_empty(), "once");
}

#[test]
fn a_key_that_may_not_attest_does_not_run_releases_for_ever() {
    let other = publisher_with_release(2);
    let memory = MemoryStorage::default();
    let mut core = open_core(memory.clone(), 7);
    core.adopt_identity(Publisher::new(1).genesis()).unwrap();
    core.follow(other.id()).unwrap();
    let outputs = sync(&mut core, &other).unwrap();
    assert!(matches!(verify_all(&mut core, outputs)[..], [Ok(false)]), "found, and not signed");
    let mut again = open_core(memory, 7);
    assert!(again.take_outputs().iter().all(|output| !matches!(output, CoreOutput::Verify(_))));
}

#[test]
fn a_log_that_is_held_already_becomes_the_own() {
    let publisher = publisher_with_release(1);
    let mut core = open_core(MemoryStorage::default(), 1);
    for entry in &publisher.entries {
        core.accept_entry(entry.clone()).unwrap();
    }
    core.adopt_identity(publisher.genesis()).unwrap();
    sync(&mut core, &publisher).unwrap();
    let lost = publisher.blocks.keys().filter(|id| !core.storage().has(**id).unwrap()).count();
    assert_eq!(lost, 0, "an own log is kept whole");
}

#[test]
fn nobody_is_a_witness_of_himself() {
    let publisher = publisher_with_release(1);
    let (mut core, memory) = open_follower(&publisher);
    core.adopt_identity(Publisher::new(50).genesis()).unwrap();
    sync(&mut core, &publisher).unwrap();
    let release = ReleaseId::try_from(publisher.last_entry().value().object()).unwrap();
    let keep = core.storage();
    let found = verify_release(release, &|id| keep.get(id).unwrap());
    core.publish(&keep.get(release.cid()).unwrap().unwrap(), Vec::new(), 0).unwrap();
    assert!(!core.record_verification(&found, 0).unwrap(), "it has signed the figures itself");
    assert!(service::query::LedgerQuery(keep.as_ref()).local_verdict(release).unwrap().is_some());
    let outputs = open_core(memory, 50).take_outputs();
    assert!(outputs.iter().all(|output| !matches!(output, CoreOutput::Verify(_))), "nor asked again");
}

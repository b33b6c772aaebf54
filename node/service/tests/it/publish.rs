//! Signing for the own log.

use replication::LogView;
use schemas::cid::Cid;
use service::query::LedgerQuery;
use service::{Error, MemoryStorage, Storage};
use store::Store;
use testkit::Publisher;
use testkit::node_core::open_core;
use testkit::publisher::retraction_bytes;

use super::fixtures::{dataset_bytes, object_id, publisher_with_release};
use super::peer::{head, sync, tell};

#[test]
fn all_that_an_object_needs_is_given_or_held() {
    let mut core = open_core(MemoryStorage::default(), 1);
    let own = core.adopt_identity(Publisher::new(1).genesis()).unwrap();
    let (object, blocks) = dataset_bytes(b"source");
    let missing = core.publish(&object, Vec::new(), 0);
    assert!(matches!(missing, Err(Error::Missing(ids)) if !ids.is_empty()));
    let mut spoilt = blocks.clone();
    spoilt[0].1.push(0);
    let missing = core.publish(&object, spoilt, 0);
    assert!(matches!(missing, Err(Error::Missing(ids)) if ids == [blocks[0].0]));
    assert_eq!(LogView::log_head(&core, own).unwrap().length, 1, "nothing was signed");
    let published = core.publish(&object, blocks, 0).unwrap();
    assert_eq!((published.seq, published.object), (1, object_id(&object)));
}

#[test]
fn what_is_published_already_is_not_signed_again() {
    let mut core = open_core(MemoryStorage::default(), 1);
    let own = core.adopt_identity(Publisher::new(1).genesis()).unwrap();
    let (object, blocks) = dataset_bytes(b"source");
    let first = core.publish(&object, blocks.clone(), 0).unwrap();
    assert_eq!(core.publish(&object, blocks, 9).unwrap(), first);
    assert_eq!(LogView::log_head(&core, own).unwrap().length, 2);
}

#[test]
fn nobody_signs_without_an_identity_nor_with_a_key_that_may_not() {
    let mut core = open_core(MemoryStorage::default(), 1);
    let (object, blocks) = dataset_bytes(b"source");
    assert!(matches!(core.publish(&object, blocks.clone(), 0), Err(Error::NoIdentity)));
    let mut other = open_core(MemoryStorage::default(), 2);
    other.adopt_identity(Publisher::new(1).genesis()).unwrap();
    assert!(matches!(other.publish(&object, blocks, 0), Err(Error::Log(_))));
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_of_a_real_store() {
    let dir = tempfile::tempdir().unwrap();
    let (object, blocks) = dataset_bytes(b"source");
    let published = {
        let mut core = open_core(Store::open(dir.path()).unwrap().0, 1);
        core.adopt_identity(Publisher::new(1).genesis()).unwrap();
        core.publish(&object, blocks.clone(), 7).unwrap()
    };
    let core = open_core(Store::open(dir.path()).unwrap().0, 1);
    assert_eq!(core.own_publisher(), Some(published.publisher));
    assert_eq!(core.entry_ids(published.publisher, 1, 9).unwrap(), [published.entry]);
    let keep = core.storage();
    let query = LedgerQuery(keep.as_ref());
    let datasets = query.list_datasets().unwrap();
    assert_eq!((datasets.len(), datasets[0].position.seq, datasets[0].position.time), (1, 1, 7));
    for (id, bytes) in blocks {
        assert_eq!(keep.get(id).unwrap().as_ref(), Some(&bytes));
    }
}

#[test]
fn a_restored_node_learns_its_own_log_before_it_signs() {
    let publisher = publisher_with_release(1);
    let mut core = open_core(MemoryStorage::default(), 1);
    core.adopt_identity(publisher.genesis()).unwrap();
    tell(&mut core, vec![head(&publisher)]).unwrap();
    let object = retraction_bytes("after the loss");
    let behind = core.publish(&object, Vec::new(), 0);
    assert!(matches!(behind, Err(Error::Behind { held: 1, told: 4 })));
    sync(&mut core, &publisher).unwrap();
    assert_eq!(core.publish(&object, Vec::new(), 0).unwrap().seq, 4);
    let lost: Vec<Cid> =
        publisher.blocks.keys().copied().filter(|id| !core.storage().has(*id).unwrap()).collect();
    assert_eq!(lost, [], "the blocks came back with the entries");
}

//! Round-trips, refusals, order.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::cid::{Cid, Codec};
use schemas::limits::BLOCK_BYTES_MAX;
use store::limits::{KEY_BYTES_MAX, ROW_BYTES_MAX};
use store::{Error, IndexTree, Store, WriteBatch};

use crate::fixture::{assert_batches, batch, rows, store_with_batches};

fn raw(bytes: &[u8]) -> Cid {
    Cid::of(Codec::Raw, bytes)
}

#[test]
fn committed_batches_survive_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.cut_bytes, opened.rebuilt, opened.replayed, opened.blocks), (0, None, 0, 0));
    assert_batches(&store, 0);
    for number in 0..20 {
        store.commit(batch(number)).unwrap();
        assert_batches(&store, number + 1);
    }
    let before = rows(&store);
    let stats = store.stats();
    drop(store);
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.cut_bytes, opened.rebuilt, opened.replayed, opened.blocks), (0, None, 0, 40));
    assert_batches(&store, 20);
    assert_eq!((rows(&store), store.stats()), (before, stats));
    let mut steps = 0;
    let report = store.fsck(&mut |_, _| steps += 1).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.groups, report.blocks, steps), (20, 40, 20));
    assert_eq!(report.bytes, store.stats().bytes);
}

#[test]
fn a_block_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 3);
    let (store, _) = Store::open(dir.path()).unwrap();
    let before = store.stats();
    let mut again = WriteBatch::new();
    for block in crate::fixture::blocks(1) {
        again.put_block(raw(&block), block);
    }
    store.commit(again.clone()).unwrap();
    assert_eq!(store.stats(), before, "nothing new, nothing written");
    again.put_block(raw(b"twice"), b"twice".as_slice());
    again.put_block(raw(b"twice"), b"twice".as_slice());
    store.commit(again).unwrap();
    assert_eq!(store.stats().blocks, before.blocks + 1);
    store.commit(WriteBatch::new()).unwrap();
}

#[test]
fn invalid_batches_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    let refused = |fill: &dyn Fn(&mut WriteBatch)| {
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Meta, b"beside", b"it");
        fill(&mut batch);
        let error = store.commit(batch).unwrap_err();
        assert_eq!(store.find_row(IndexTree::Meta, b"beside").unwrap(), None, "{error}");
        error
    };
    let large = vec![0; BLOCK_BYTES_MAX + 1];
    assert!(matches!(refused(&|b| b.put_block(raw(b"a"), b"b".as_slice())), Error::HashMismatch { .. }));
    assert!(matches!(refused(&|b| b.put_block(raw(&large), large.clone())), Error::BlockTooLarge { .. }));
    assert!(matches!(
        refused(&|b| b.put_row(IndexTree::Heads, b"k", &[0; ROW_BYTES_MAX + 1])),
        Error::ValueTooLarge { .. }
    ));
    assert!(matches!(refused(&|b| b.put_row(IndexTree::Heads, b"", b"v")), Error::KeyLength { .. }));
    assert!(matches!(
        refused(&|b| b.delete_row(IndexTree::Heads, &[0; KEY_BYTES_MAX + 1])),
        Error::KeyLength { .. }
    ));
    let many = |b: &mut WriteBatch| {
        (0..=store::limits::BATCH_BLOCKS_MAX).for_each(|_| b.put_block(raw(b"x"), b"x".as_slice()))
    };
    assert!(matches!(refused(&many), Error::BatchTooLarge { .. }));
    assert_eq!(store.stats().blocks, 0);
}

#[test]
fn rows_are_ordered_and_filtered_by_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    let mut model = BTreeMap::new();
    let mut seed = 7_u32;
    for _ in 0..60 {
        let mut batch = WriteBatch::new();
        for _ in 0..10 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pick = |at: u32| [0, 1, 0x7f, 0xfe, 0xff][(seed >> at) as usize % 5];
            let key = [pick(8), pick(12), pick(16)][..1 + (seed >> 24) as usize % 3].to_vec();
            if seed >> 30 == 0 {
                batch.delete_row(IndexTree::Releases, &key);
                model.remove(&key);
            } else {
                batch.put_row(IndexTree::Releases, &key, &seed.to_be_bytes());
                model.insert(key, seed.to_be_bytes().to_vec());
            }
        }
        store.commit(batch).unwrap();
    }
    for prefix in [&[][..], &[0], &[0xff], &[0xff, 0xff], &[0xfe, 0xff], &[1, 0], &[2]] {
        let found: Vec<_> = store.scan_rows(IndexTree::Releases, prefix).map(Result::unwrap).collect();
        let wanted = model.iter().filter(|(key, _)| key.starts_with(prefix));
        assert_eq!(found, wanted.map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>(), "{prefix:?}");
    }
    assert_eq!(store.scan_rows(IndexTree::Heads, b"").count(), 0, "trees are apart");
}

#[test]
fn a_block_that_imitates_our_records_stays_a_block() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 2);
    let file = std::fs::read(crate::fixture::first_segment(dir.path())).unwrap();
    let (_, records) = schemas::car::open_archive(&file).unwrap();
    let mut forged = WriteBatch::new();
    for record in records {
        let (id, block) = record.unwrap();
        forged.put_block(id, block);
    }
    forged.put_row(IndexTree::Meta, b"last", &1_u64.to_be_bytes());
    let (store, _) = Store::open(dir.path()).unwrap();
    store.commit(forged).unwrap();
    store.commit(batch(2)).unwrap();
    let before = rows(&store);
    drop(store);
    let (store, opened) = Store::rebuild_index(dir.path()).unwrap();
    assert_eq!((opened.replayed, opened.cut_bytes), (4, 0));
    assert_eq!(rows(&store), before);
    assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn concurrent_committers_share_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap().0);
    let commit = |thread: u64| {
        let store = store.clone();
        move || {
            for number in 0..50_u64 {
                let block = format!("{thread} {number}").into_bytes();
                let mut batch = WriteBatch::new();
                batch.put_row(IndexTree::Entries, &block, &number.to_be_bytes());
                batch.put_block(raw(&block), block.clone());
                // Every thread commits this block too.
                batch.put_block(raw(&number.to_be_bytes()), number.to_be_bytes());
                store.commit(batch).unwrap();
                assert_eq!(store.get(raw(&block)).unwrap(), Some(block), "visible when it returns");
            }
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|thread| drop(scope.spawn(commit(thread)))));
    assert_eq!(store.stats().blocks, 8 * 50 + 50);
    assert_eq!(store.scan_rows(IndexTree::Entries, b"").count(), 400);
    let report = store.fsck(&mut |_, _| {}).unwrap();
    assert!(report.is_clean(), "{report:?}");
    drop(store);
    let (_, opened) = Store::rebuild_index(dir.path()).unwrap();
    assert_eq!(opened.blocks, 450);
}

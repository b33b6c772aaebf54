//! Changed bytes are reported and never returned.

use std::fs;
use std::path::Path;

use schemas::cid::{Cid, Codec};
use store::{Error, FsckFinding, IndexTree, Store, WriteBatch};

use crate::fixture::{
    assert_batches, blocks, copy_directory, first_segment, remove_index, store_with_batches,
};

const HEADER: usize = 18;

fn flip_byte(dir: &Path, at: usize) {
    let mut bytes = fs::read(first_segment(dir)).unwrap();
    bytes[at] ^= 0x10;
    fs::write(first_segment(dir), bytes).unwrap();
}

/// Asserts that every block is intact or refused; returns the number of refusals.
fn count_refused(store: &Store, blocks: &[Vec<u8>]) -> usize {
    let refused = |block: &Vec<u8>| match store.get(Cid::of(Codec::Raw, block)) {
        Ok(Some(found)) => {
            assert_eq!(found, *block);
            false
        }
        Err(Error::Damaged { segment: 1, .. }) => true,
        other => panic!("{other:?}"),
    };
    blocks.iter().filter(|block| refused(block)).count()
}

/// Commits two batches, small enough to flip every byte in turn.
fn two_small_batches(dir: &Path) -> [Vec<u8>; 2] {
    let (store, _) = Store::open(dir).unwrap();
    [b"one", b"two"].map(|block| {
        let mut batch = WriteBatch::new();
        batch.put_block(Cid::of(Codec::Raw, block), block.as_slice());
        batch.put_row(IndexTree::Meta, block, b"row");
        store.commit(batch).unwrap();
        block.to_vec()
    })
}

#[test]
fn every_flipped_byte_is_reported_behind_an_index() {
    let whole = tempfile::tempdir().unwrap();
    let blocks = two_small_batches(whole.path());
    let length = fs::metadata(first_segment(whole.path())).unwrap().len() as usize;
    let dir = tempfile::tempdir().unwrap();
    for at in 0..length {
        fs::remove_dir_all(dir.path()).unwrap();
        copy_directory(whole.path(), dir.path());
        flip_byte(dir.path(), at);
        match Store::open(dir.path()) {
            Ok((store, opened)) => {
                assert_eq!(opened.cut_bytes, 0, "byte {at}: what was acknowledged is never cut");
                if count_refused(&store, &blocks) == 0 {
                    let report = store.fsck(&mut |_, _| {}).unwrap();
                    assert!(!report.is_clean(), "byte {at}");
                }
            }
            Err(Error::Damaged { segment: 1, offset, .. }) => {
                assert!(offset <= at as u64, "byte {at}");
                // Opening again reports the same damage.
                assert!(matches!(Store::open(dir.path()), Err(Error::Damaged { .. })), "byte {at}");
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
        assert_eq!(fs::metadata(first_segment(dir.path())).unwrap().len() as usize, length);
    }
}

#[test]
fn every_flipped_byte_is_reported_without_an_index() {
    let whole = tempfile::tempdir().unwrap();
    store_with_batches(whole.path(), 2);
    let kept = fs::metadata(first_segment(whole.path())).unwrap().len() as usize;
    commit_third_batch(whole.path());
    remove_index(whole.path());
    let length = fs::metadata(first_segment(whole.path())).unwrap().len() as usize;
    for at in 0..length {
        let dir = tempfile::tempdir().unwrap();
        copy_directory(whole.path(), dir.path());
        flip_byte(dir.path(), at);
        match Store::open(dir.path()) {
            // Without an index nothing says that the last batch was acknowledged.
            Ok((store, opened)) => {
                assert!(at >= kept && opened.cut_bytes == (length - kept) as u64, "byte {at}");
                assert_batches(&store, 2);
            }
            Err(Error::Damaged { segment: 1, offset, .. }) => {
                assert!(at < kept && offset <= at as u64, "byte {at}");
                assert!(at < HEADER || offset >= HEADER as u64, "byte {at}");
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
}

fn commit_third_batch(dir: &Path) {
    let (store, _) = Store::open(dir).unwrap();
    store.commit(crate::fixture::batch(2)).unwrap();
}

#[test]
fn a_fresh_copy_repairs_a_damaged_block() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 3);
    let block = blocks(1)[1].clone();
    let id = Cid::of(Codec::Raw, &block);
    let file = fs::read(first_segment(dir.path())).unwrap();
    let at = file.windows(block.len()).position(|window| window == block).unwrap();
    flip_byte(dir.path(), at);
    let (store, _) = Store::open(dir.path()).unwrap();
    assert!(store.has_block(id).unwrap(), "nobody looked yet");
    let text = store.get(id).unwrap_err().to_string();
    assert!(text.starts_with("archive segment 1 is damaged at byte "), "{text}");
    assert!(!store.has_block(id).unwrap(), "so that it is fetched again");
    let report = store.fsck(&mut |_, _| {}).unwrap();
    let damaged = |finding: &FsckFinding| matches!(finding, FsckFinding::Damaged { id: Some(found), .. } if *found == id);
    assert!(report.findings.iter().any(damaged), "{report:?}");
    let mut batch = WriteBatch::new();
    batch.put_block(id, block.clone());
    store.commit(batch).unwrap();
    assert_eq!(store.get(id).unwrap(), Some(block));
    assert!(store.has_block(id).unwrap());
}

#[test]
fn fsck_finds_a_damaged_block_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 3);
    let block = blocks(0)[1].clone();
    let file = fs::read(first_segment(dir.path())).unwrap();
    flip_byte(dir.path(), file.windows(block.len()).position(|window| window == block).unwrap());
    let (store, _) = Store::open(dir.path()).unwrap();
    let report = store.fsck(&mut |_, _| {}).unwrap();
    assert_eq!(report.findings.len(), 2, "the record, and the index entry that leads to it: {report:?}");
    assert!(!store.has_block(Cid::of(Codec::Raw, &block)).unwrap());
}

#[test]
fn a_salvage_keeps_what_can_be_read() {
    let whole = tempfile::tempdir().unwrap();
    store_with_batches(whole.path(), 4);
    let length = fs::metadata(first_segment(whole.path())).unwrap().len() as usize;
    for at in (0..length).step_by(13) {
        let dir = tempfile::tempdir().unwrap();
        copy_directory(whole.path(), dir.path());
        flip_byte(dir.path(), at);
        let (store, opened, report) = Store::salvage(dir.path()).unwrap();
        assert!(!report.is_clean() && opened.cut_bytes == 0, "byte {at}");
        for block in (0..4).flat_map(blocks) {
            let id = Cid::of(Codec::Raw, &block);
            assert!(store.get(id).unwrap().is_none_or(|found| found == block));
            let mut batch = WriteBatch::new();
            batch.put_block(id, block);
            store.commit(batch).unwrap();
        }
        drop(store);
        let (store, opened) = Store::open(dir.path()).unwrap();
        assert_eq!((opened.rebuilt, opened.cut_bytes), (None, 0), "byte {at}");
        assert_eq!(count_refused(&store, &(0..4).flat_map(blocks).collect::<Vec<_>>()), 0);
    }
}

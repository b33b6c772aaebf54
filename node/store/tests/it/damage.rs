//! Bytes that changed are told, and never handed out.

use std::fs;
use std::path::Path;

use schemas::cid::{Cid, Codec};
use store::{Error, FsckFinding, IndexTree, Store, WriteBatch};

use crate::common::{blocks, check, copy, made, segment, unindex};

const HEADER: usize = 18;

fn flip(dir: &Path, at: usize) {
    let mut bytes = fs::read(segment(dir)).unwrap();
    bytes[at] ^= 0x10;
    fs::write(segment(dir), bytes).unwrap();
}

/// What is held is right or refused; counts the refusals.
fn read(store: &Store, blocks: &[Vec<u8>]) -> usize {
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

/// Two batches as small as can be, so that every byte can have its turn.
fn lean(dir: &Path) -> [Vec<u8>; 2] {
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
    let blocks = lean(whole.path());
    let length = fs::metadata(segment(whole.path())).unwrap().len() as usize;
    let dir = tempfile::tempdir().unwrap();
    for at in 0..length {
        fs::remove_dir_all(dir.path()).unwrap();
        copy(whole.path(), dir.path());
        flip(dir.path(), at);
        match Store::open(dir.path()) {
            Ok((store, opened)) => {
                assert_eq!(opened.cut_bytes, 0, "byte {at}: what was acknowledged is never cut");
                if read(&store, &blocks) == 0 {
                    let report = store.fsck(&mut |_, _| {}).unwrap();
                    assert!(!report.is_clean(), "byte {at}");
                }
            }
            Err(Error::Damaged { segment: 1, offset, .. }) => {
                assert!(offset <= at as u64, "byte {at}");
                // Opening again does not wear the knowledge down.
                assert!(matches!(Store::open(dir.path()), Err(Error::Damaged { .. })), "byte {at}");
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
        assert_eq!(fs::metadata(segment(dir.path())).unwrap().len() as usize, length);
    }
}

#[test]
fn every_flipped_byte_is_reported_without_an_index() {
    let whole = tempfile::tempdir().unwrap();
    made(whole.path(), 2);
    let kept = fs::metadata(segment(whole.path())).unwrap().len() as usize;
    made_more(whole.path());
    unindex(whole.path());
    let length = fs::metadata(segment(whole.path())).unwrap().len() as usize;
    for at in 0..length {
        let dir = tempfile::tempdir().unwrap();
        copy(whole.path(), dir.path());
        flip(dir.path(), at);
        match Store::open(dir.path()) {
            // Without an index nothing says that the last batch was acknowledged.
            Ok((store, opened)) => {
                assert!(at >= kept && opened.cut_bytes == (length - kept) as u64, "byte {at}");
                check(&store, 2);
            }
            Err(Error::Damaged { segment: 1, offset, .. }) => {
                assert!(at < kept && offset <= at as u64, "byte {at}");
                assert!(at < HEADER || offset >= HEADER as u64, "byte {at}");
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
}

fn made_more(dir: &Path) {
    let (store, _) = Store::open(dir).unwrap();
    store.commit(crate::common::batch(2)).unwrap();
}

#[test]
fn a_fresh_copy_heals_a_damaged_block() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), 3);
    let block = blocks(1)[1].clone();
    let id = Cid::of(Codec::Raw, &block);
    let file = fs::read(segment(dir.path())).unwrap();
    let at = file.windows(block.len()).position(|window| window == block).unwrap();
    flip(dir.path(), at);
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
fn fsck_finds_a_damaged_block_that_nobody_read() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), 3);
    let block = blocks(0)[1].clone();
    let file = fs::read(segment(dir.path())).unwrap();
    flip(dir.path(), file.windows(block.len()).position(|window| window == block).unwrap());
    let (store, _) = Store::open(dir.path()).unwrap();
    let report = store.fsck(&mut |_, _| {}).unwrap();
    assert_eq!(report.findings.len(), 2, "the record, and the index entry that leads to it: {report:?}");
    assert!(!store.has_block(Cid::of(Codec::Raw, &block)).unwrap());
}

#[test]
fn a_salvage_keeps_what_can_be_read() {
    let whole = tempfile::tempdir().unwrap();
    made(whole.path(), 4);
    let length = fs::metadata(segment(whole.path())).unwrap().len() as usize;
    for at in (0..length).step_by(13) {
        let dir = tempfile::tempdir().unwrap();
        copy(whole.path(), dir.path());
        flip(dir.path(), at);
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
        assert_eq!(read(&store, &(0..4).flat_map(blocks).collect::<Vec<_>>()), 0);
    }
}

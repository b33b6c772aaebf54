//! A lost, stale or damaged index is rebuilt from the archive. Each known defect of sled 0.34.7 has a
//! test of its workaround.

use std::fs;
use std::path::Path;

use store::limits::{KEY_BYTES_MAX, ROW_BYTES_MAX};
use store::{FsckFinding, IndexTree, Store, WriteBatch};

use crate::fixture::{assert_batches, copy_directory, remove_index, rows, store_with_batches};

#[test]
fn a_lost_index_is_rebuilt_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 30);
    let (store, _) = Store::open(dir.path()).unwrap();
    let before = (rows(&store), store.stats());
    drop(store);
    remove_index(dir.path());
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!(opened.rebuilt.as_deref(), Some("the index was empty"));
    assert_eq!((opened.replayed, opened.blocks), (30, 60));
    assert_eq!((rows(&store), store.stats()), before);
    assert_batches(&store, 30);
    assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
}

/// Defect: a kill during open leaves the file, and sled then refuses to open.
#[test]
fn a_leftover_snapshot_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 5);
    for name in ["snap.0000000000000000.generating", "snap.00000000000007C1.generating"] {
        fs::write(dir.path().join("index").join(name), b"half a snaps").unwrap();
    }
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!(opened.rebuilt, None, "the index itself was whole");
    assert_batches(&store, 5);
}

/// Defect: with the leftover file, sled alone does not open. If this test fails, sled was fixed.
#[test]
fn sled_alone_fails_on_a_leftover_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 5);
    let index = dir.path().join("index");
    fs::write(index.join("snap.0000000000000000.generating"), b"half a snaps").unwrap();
    let opened = std::panic::catch_unwind(|| sled::open(&index).is_ok());
    assert!(!matches!(opened, Ok(true)));
}

/// Defect: values in side files, which are never synced. Our rows must never make one.
#[test]
fn the_largest_rows_create_no_side_files() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    let mut seed = 1_u64;
    for round in 0..30 {
        let mut batch = WriteBatch::new();
        for _ in 0..100 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Keys that part at their last bytes, so that sled cannot shorten them.
            let mut key = [0x55; KEY_BYTES_MAX];
            key[KEY_BYTES_MAX - 8..].copy_from_slice(&seed.to_be_bytes());
            batch.put_row(IndexTree::Verdicts, &key, &[round; ROW_BYTES_MAX]);
        }
        store.commit(batch).unwrap();
    }
    assert_eq!(store.scan_rows(IndexTree::Verdicts, b"").count(), 3000);
    drop(store);
    let blobs = fs::read_dir(dir.path().join("index/blobs")).unwrap().count();
    assert_eq!(blobs, 0);
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.rebuilt, store.scan_rows(IndexTree::Verdicts, b"").count()), (None, 3000));
}

/// Defect: what larger values would do. If this test fails, sled was fixed.
#[test]
fn larger_rows_would_create_side_files() {
    let dir = tempfile::tempdir().unwrap();
    let db = sled::open(dir.path()).unwrap();
    for number in 0..40_u64 {
        db.insert(number.to_be_bytes(), vec![1; 16 << 10]).unwrap();
    }
    db.flush().unwrap();
    drop(db);
    assert!(fs::read_dir(dir.path().join("blobs")).unwrap().count() > 0);
}

/// Defect: sled's flush does not sync, so a machine that stops may lose pages in the middle.
#[test]
fn after_a_crash_of_the_machine_the_index_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 5);
    fs::write(dir.path().join("lock"), "1 00000000-another-boot\n").unwrap();
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!(opened.rebuilt.as_deref(), Some("the machine stopped while the index was open"));
    assert_batches(&store, 5);
    drop(store);
    let (_, opened) = Store::open(dir.path()).unwrap();
    assert_eq!(opened.rebuilt, None, "an orderly end");
}

#[test]
fn an_index_behind_the_archive_catches_up() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 5);
    let old = tempfile::tempdir().unwrap();
    copy_directory(&dir.path().join("index"), old.path());
    let (store, _) = Store::open(dir.path()).unwrap();
    (5..9).for_each(|number| store.commit(crate::fixture::batch(number)).unwrap());
    drop(store);
    remove_index(dir.path());
    copy_directory(old.path(), &dir.path().join("index"));
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((opened.rebuilt, opened.replayed), (None, 4));
    assert_batches(&store, 9);
}

#[test]
fn an_index_of_another_archive_is_detected() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    store_with_batches(one.path(), 9);
    let (store, _) = Store::open(other.path()).unwrap();
    (0..4).rev().for_each(|number| store.commit(crate::fixture::batch(number)).unwrap());
    drop(store);
    remove_index(one.path());
    copy_directory(&other.path().join("index"), &one.path().join("index"));
    let (store, opened) = Store::open(one.path()).unwrap();
    assert_eq!(opened.rebuilt.as_deref(), Some("the index was not of this archive"));
    assert_eq!(opened.cut_bytes, 0, "the archive is not touched for the index's sake");
    assert_batches(&store, 9);
}

#[test]
fn a_damaged_index_is_rebuilt() {
    let whole = tempfile::tempdir().unwrap();
    store_with_batches(whole.path(), 5);
    let damage: &[&dyn Fn(&Path)] = &[
        &|index| fs::write(index.join("db"), b"").unwrap(),
        &|index| fs::write(index.join("db"), vec![0xa5; 1 << 19]).unwrap(),
        &|index| fs::write(index.join("db"), vec![0; 1 << 19]).unwrap(),
        &|index| fs::write(index.join("conf"), b"nonsense").unwrap(),
        &|index| fs::remove_file(index.join("conf")).unwrap(),
        &|index| fs::remove_file(index.join("db")).unwrap(),
        &|index| {
            let db = fs::read(index.join("db")).unwrap();
            fs::write(index.join("db"), &db[..db.len().min(700)]).unwrap();
        },
        &|index| snapshots(index).for_each(|path| fs::write(path, b"damaged").unwrap()),
    ];
    for (number, damage) in damage.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        copy_directory(whole.path(), dir.path());
        damage(&dir.path().join("index"));
        let (store, _) = Store::open(dir.path()).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_batches(&store, 5);
        assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean(), "{number}");
    }
}

/// Damages positions spread over an index of several sled segments.
#[test]
fn an_index_damaged_in_the_middle_is_rebuilt() {
    let whole = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(whole.path()).unwrap();
    for number in 0..4_u64 {
        let mut batch = WriteBatch::new();
        for row in 0..500_u64 {
            let key = (number * 500 + row).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            batch.put_row(IndexTree::Entries, &key, &[7; 1000]);
        }
        store.commit(batch).unwrap();
    }
    let wanted = rows(&store);
    drop(store);
    let length = fs::metadata(whole.path().join("index/db")).unwrap().len() as usize;
    for (round, at) in (0..length).step_by(length / 9).enumerate() {
        let dir = tempfile::tempdir().unwrap();
        copy_directory(whole.path(), dir.path());
        let path = dir.path().join("index/db");
        let mut db = fs::read(&path).unwrap();
        let end = length.min(at + [1, 4096, 1 << 19][round % 3]);
        db[at..end].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&path, db).unwrap();
        let (store, _) = Store::open(dir.path()).unwrap();
        assert_eq!(rows(&store), wanted, "bytes {at} to {end}");
    }
}

fn snapshots(index: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let paths = fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("snap."))
}

#[test]
fn fsck_compares_the_index_with_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 3);
    let db = sled::open(dir.path().join("index")).unwrap();
    let meta = db.open_tree("meta/1").unwrap();
    meta.insert("last", "lie").unwrap();
    meta.insert("stray", "lie").unwrap();
    db.open_tree("entries/1").unwrap().remove(2_u64.to_be_bytes()).unwrap();
    db.flush().unwrap();
    drop((db, meta));
    let (store, _) = Store::open(dir.path()).unwrap();
    let report = store.fsck(&mut |_, _| {}).unwrap();
    let wanted = [
        FsckFinding::Missing { tree: "entries/1", key: 2_u64.to_be_bytes().to_vec() },
        FsckFinding::Differs { tree: "meta/1", key: b"last".to_vec() },
        FsckFinding::Orphaned { tree: "meta/1", key: b"stray".to_vec() },
    ];
    assert_eq!(report.findings, wanted);
    drop(store);
    let (store, _) = Store::rebuild_index(dir.path()).unwrap();
    assert_batches(&store, 3);
    assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn a_tree_of_another_version_means_an_index_of_another_version() {
    let dir = tempfile::tempdir().unwrap();
    store_with_batches(dir.path(), 3);
    let db = sled::open(dir.path().join("index")).unwrap();
    db.open_tree("entries/0").unwrap().insert("old", "row").unwrap();
    db.flush().unwrap();
    drop(db);
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!(opened.rebuilt.as_deref(), Some("the index has the unknown tree `entries/0`"));
    assert_batches(&store, 3);
}

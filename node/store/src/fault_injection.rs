//! Tests with error injection on the disk, and with segments of a few hundred bytes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};

use schemas::cid::{Cid, Codec};

use crate::disk::{Disk, SystemDisk, write_at};
use crate::limits::SEGMENT_BYTES_MAX;
use crate::{Error, IndexTree, Store, WriteBatch};

/// A disk with limited space, whose calls fail while their switch is on.
#[derive(Debug, Clone)]
struct FaultyDisk(Arc<FaultSwitches>);

#[derive(Debug)]
struct FaultSwitches {
    room: AtomicU64,
    no_sync: AtomicBool,
    no_truncate: AtomicBool,
    syncs: AtomicU64,
}

impl FaultyDisk {
    fn new() -> Self {
        let (no_sync, no_truncate) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(FaultSwitches { room: u64::MAX.into(), no_sync, no_truncate, syncs: 0.into() }))
    }

    fn room(&self, bytes: u64) {
        self.0.room.store(bytes, SeqCst);
    }
}

fn fail_if(flag: &AtomicBool) -> io::Result<()> {
    if flag.load(SeqCst) { Err(io::Error::other("injected failure")) } else { Ok(()) }
}

impl Disk for FaultyDisk {
    /// Writes a part first, as a full disk does, then fails.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let room = self.0.room.load(SeqCst);
        let part = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        write_at(file, &bytes[..part], offset)?;
        self.room(room - part as u64);
        if part == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.0.syncs.fetch_add(1, SeqCst);
        fail_if(&self.0.no_sync)?;
        SystemDisk.sync(file)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        fail_if(&self.0.no_truncate)?;
        SystemDisk.truncate(file, length)
    }
}

fn faulty_store(dir: &Path, segment_bytes: u64) -> (Store, FaultyDisk) {
    let disk = FaultyDisk::new();
    (Store::open_on(dir, Box::new(disk.clone()), segment_bytes).unwrap().0, disk)
}

fn small_segment_store(dir: &Path) -> Result<(Store, crate::OpenReport), Error> {
    Store::open_on(dir, Box::new(SystemDisk), 600)
}

fn sample_block(number: u8) -> (Cid, Vec<u8>) {
    let bytes = vec![number; 100];
    (Cid::of(Codec::Raw, &bytes), bytes)
}

fn sample_batch(number: u8) -> WriteBatch {
    let (id, bytes) = sample_block(number);
    let mut batch = WriteBatch::new();
    batch.put_block(id, bytes);
    batch.put_row(IndexTree::Heads, &[number], b"head");
    batch
}

fn stored_numbers(store: &Store) -> Vec<u8> {
    let numbers: Vec<u8> =
        (0..20).filter(|number| store.get(sample_block(*number).0).unwrap().is_some()).collect();
    let rows: Vec<u8> = store.scan_rows(IndexTree::Heads, b"").map(|row| row.unwrap().0[0]).collect();
    assert_eq!(numbers, rows, "blocks and rows come and go together");
    numbers
}

#[test]
fn a_full_disk_refuses_the_batch_and_only_that() {
    let dir = tempfile::tempdir().unwrap();
    let (store, disk) = faulty_store(dir.path(), SEGMENT_BYTES_MAX);
    store.commit(sample_batch(0)).unwrap();
    let bytes = store.stats().bytes;
    let group = bytes - schemas::car::encode_header(&[]).len() as u64;
    let path = dir.path().join("archive/000001.car");
    for room in 0..group {
        disk.room(room);
        assert!(matches!(store.commit(sample_batch(1)), Err(Error::Write(_))), "{room}");
        assert_eq!(stored_numbers(&store), [0], "readable meanwhile");
        assert_eq!((fs::metadata(&path).unwrap().len(), store.stats().bytes), (bytes, bytes));
    }
    disk.room(group);
    store.commit(sample_batch(1)).unwrap();
    assert!(store.commit(sample_batch(2)).is_err());
    disk.room(u64::MAX);
    store.commit(sample_batch(2)).unwrap();
    assert_eq!(stored_numbers(&store), [0, 1, 2]);
    assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
    drop(store);
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((stored_numbers(&store), opened.cut_bytes, opened.rebuilt), (vec![0, 1, 2], 0, None));
}

#[test]
fn after_a_failed_sync_nothing_is_written_until_reopened() {
    let dir = tempfile::tempdir().unwrap();
    let (store, disk) = faulty_store(dir.path(), SEGMENT_BYTES_MAX);
    store.commit(sample_batch(0)).unwrap();
    disk.0.no_sync.store(true, SeqCst);
    assert!(matches!(store.commit(sample_batch(1)), Err(Error::Write(_))));
    disk.0.no_sync.store(false, SeqCst);
    let text = store.commit(sample_batch(2)).unwrap_err().to_string();
    assert!(text.contains("could not be synced"), "{text}");
    assert_eq!(stored_numbers(&store), [0]);
    drop(store);
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((stored_numbers(&store), opened.cut_bytes, opened.rebuilt), (vec![0], 0, None));
    store.commit(sample_batch(2)).unwrap();
    assert_eq!(stored_numbers(&store), [0, 2]);
}

#[test]
fn a_failed_truncation_is_repeated_at_the_next_opening() {
    let dir = tempfile::tempdir().unwrap();
    let (store, disk) = faulty_store(dir.path(), SEGMENT_BYTES_MAX);
    store.commit(sample_batch(0)).unwrap();
    disk.room(200);
    disk.0.no_truncate.store(true, SeqCst);
    assert!(matches!(store.commit(sample_batch(1)), Err(Error::Write(_))));
    disk.room(u64::MAX);
    assert!(matches!(store.commit(sample_batch(2)), Err(Error::Poisoned(_))));
    assert_eq!(stored_numbers(&store), [0]);
    drop(store);
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((stored_numbers(&store), opened.cut_bytes), (vec![0], 200));
}

#[test]
fn a_segment_that_cannot_be_created_refuses_the_batch() {
    let dir = tempfile::tempdir().unwrap();
    let (store, disk) = faulty_store(dir.path(), 600);
    store.commit(sample_batch(0)).unwrap();
    store.commit(sample_batch(1)).unwrap();
    assert_eq!(store.stats().segments, 2);
    for room in 0..18 {
        disk.room(room);
        assert!(matches!(store.commit(sample_batch(2)), Err(Error::Write(_))), "{room}");
        assert_eq!((stored_numbers(&store), store.stats().segments), (vec![0, 1], 2));
    }
    disk.room(u64::MAX);
    store.commit(sample_batch(2)).unwrap();
    assert_eq!((stored_numbers(&store), store.stats().segments), (vec![0, 1, 2], 3));
}

#[test]
fn segments_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = small_segment_store(dir.path()).unwrap();
    (0..6).for_each(|number| store.commit(sample_batch(number)).unwrap());
    let stats = store.stats();
    assert_eq!((stats.segments, stats.blocks), (6, 6));
    drop(store);
    for path in fs::read_dir(dir.path().join("archive")).unwrap() {
        let file = fs::read(path.unwrap().path()).unwrap();
        let (roots, records) = schemas::car::open_archive(&file).unwrap();
        assert_eq!((roots.len(), records.map(Result::unwrap).count()), (0, 4), "plain CAR");
    }
    let (store, opened) = small_segment_store(dir.path()).unwrap();
    assert_eq!((opened.replayed, store.stats()), (0, stats));
    drop(store);
    let (store, opened) = Store::rebuild_index(dir.path()).unwrap();
    assert_eq!((opened.replayed, opened.cut_bytes), (6, 0));
    assert_eq!(stored_numbers(&store), [0, 1, 2, 3, 4, 5]);
    assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn a_segment_truncated_in_its_header_is_created_again() {
    for length in 0..19 {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = small_segment_store(dir.path()).unwrap();
        (0..2).for_each(|number| store.commit(sample_batch(number)).unwrap());
        drop(store);
        let header = &schemas::car::encode_header(&[])[..length.min(18)];
        fs::write(dir.path().join("archive/000003.car"), header).unwrap();
        let (store, _) = small_segment_store(dir.path()).unwrap();
        store.commit(sample_batch(2)).unwrap();
        drop(store);
        let (store, opened) = small_segment_store(dir.path()).unwrap();
        assert_eq!((stored_numbers(&store), opened.cut_bytes), (vec![0, 1, 2], 0), "{length}");
        assert_eq!(store.stats().segments, 3);
    }
}

#[test]
fn missing_and_truncated_segments_are_reported() {
    let whole = tempfile::tempdir().unwrap();
    let (store, _) = small_segment_store(whole.path()).unwrap();
    (0..4).for_each(|number| store.commit(sample_batch(number)).unwrap());
    drop(store);
    let archive = whole.path().join("archive");
    let second = archive.join("000002.car");
    let bytes = fs::read(&second).unwrap();

    fs::remove_file(&second).unwrap();
    assert!(matches!(small_segment_store(whole.path()), Err(Error::MissingSegment { segment: 2 })));

    for cut in [bytes.len() - 1, 100, 18, 5, 0] {
        fs::write(&second, &bytes[..cut]).unwrap();
        let (store, opened) = small_segment_store(whole.path()).unwrap();
        assert_eq!(opened.replayed, 0, "not looked at");
        let found = store.get(sample_block(1).0);
        let behind = cut == bytes.len() - 1;
        assert!(behind || matches!(found, Err(Error::Damaged { segment: 2, .. })), "{cut}");
        assert!(!store.fsck(&mut |_, _| {}).unwrap().is_clean(), "{cut}");
        drop(store);
        let error = Store::rebuild_index(whole.path()).unwrap_err();
        // A segment cut between two groups shows in the numbers of the groups.
        let place = if cut == 18 { 3 } else { 2 };
        assert!(matches!(error, Error::Damaged { segment, .. } if segment == place), "{cut}: {error}");
    }

    fs::write(&second, &bytes).unwrap();
    fs::remove_file(archive.join("000004.car")).unwrap();
    let (store, opened) = small_segment_store(whole.path()).unwrap();
    assert_eq!(opened.rebuilt.as_deref(), Some("the index was ahead of the archive"));
    assert_eq!(stored_numbers(&store), [0, 1, 2]);
}

#[test]
fn a_record_of_a_later_version_is_not_truncated() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = small_segment_store(dir.path()).unwrap();
    store.commit(sample_batch(0)).unwrap();
    drop(store);
    let later = b"assay/begin/2\0\0\0 and something new";
    let path = dir.path().join("archive/000001.car");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    write_at(&file, &schemas::car::encode_record(Cid::of(Codec::Raw, later), later), length).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Damaged { segment: 1, offset, .. } if offset == length), "{error}");
}

#[test]
fn committers_share_syncs() {
    const THREADS: u8 = 16;
    let dir = tempfile::tempdir().unwrap();
    let (store, disk) = faulty_store(dir.path(), SEGMENT_BYTES_MAX);
    let barrier = Barrier::new(THREADS.into());
    let before = disk.0.syncs.load(SeqCst);
    // The writer is locked until all committers wait, so that the result does not depend on timing.
    let writer = store.lock_writer();
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                barrier.wait();
                store.commit(sample_batch(number)).unwrap();
            });
        }
        while store.waiting_batches() + 1 < THREADS.into() {
            std::thread::yield_now();
        }
        drop(writer);
    });
    assert_eq!(stored_numbers(&store).len(), THREADS.into());
    assert!(disk.0.syncs.load(SeqCst) - before <= 2, "one for the first, one for all others");
}

#[test]
fn a_refused_batch_does_not_affect_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = faulty_store(dir.path(), SEGMENT_BYTES_MAX);
    std::thread::scope(|scope| {
        for number in 0..16_u8 {
            let store = &store;
            scope.spawn(move || {
                let mut batch = sample_batch(number);
                if number % 2 == 1 {
                    batch.put_block(sample_block(0).0, b"a lie".as_slice());
                }
                assert_eq!(store.commit(batch).is_err(), number % 2 == 1);
            });
        }
    });
    assert_eq!(stored_numbers(&store), [0, 2, 4, 6, 8, 10, 12, 14]);
}

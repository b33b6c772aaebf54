//! An interrupted write leaves exactly the batches before it.

use std::fs;

use store::Store;

use crate::fixture::{assert_batches, batch, copy_directory, first_segment, store_with_batches};

/// Bytes of the archive after each batch, from none to `count`.
fn batch_ends(count: u64) -> Vec<u64> {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    let mut ends = vec![store.stats().bytes];
    for number in 0..count {
        store.commit(batch(number)).unwrap();
        ends.push(store.stats().bytes);
    }
    ends
}

#[test]
fn an_archive_truncated_anywhere_has_the_batches_before() {
    let ends = batch_ends(3);
    let whole = tempfile::tempdir().unwrap();
    store_with_batches(whole.path(), 3);
    let bytes = fs::read(first_segment(whole.path())).unwrap();
    assert_eq!(bytes.len() as u64, ends[3]);
    // Every byte of the header and of the last batch; of the batches between, some.
    let every = |cut: &usize| *cut < 20 || *cut as u64 >= ends[2] || cut.is_multiple_of(9);
    for cut in (0..bytes.len()).filter(every) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("archive")).unwrap();
        fs::write(first_segment(dir.path()), &bytes[..cut]).unwrap();
        let count = ends[1..].iter().filter(|end| **end <= cut as u64).count();
        let (store, opened) = Store::open(dir.path()).unwrap();
        let good = if (cut as u64) < ends[0] { 0 } else { ends[count] };
        assert_eq!(opened.cut_bytes, cut as u64 - good, "cut at {cut}");
        assert_batches(&store, count as u64);
        store.commit(batch(count as u64)).unwrap();
        drop(store);
        let (store, opened) = Store::open(dir.path()).unwrap();
        assert_eq!((opened.cut_bytes, opened.rebuilt), (0, None), "cut at {cut}");
        assert_batches(&store, count as u64 + 1);
    }
}

#[test]
fn an_index_ahead_of_the_archive_is_rebuilt() {
    let ends = batch_ends(3);
    let whole = tempfile::tempdir().unwrap();
    store_with_batches(whole.path(), 3);
    for cut in ends[1] as usize..ends[3] as usize {
        // Every byte is tried without an index above; copying the whole store here takes longer.
        if cut % 7 != 0 && !ends.contains(&(cut as u64)) {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        copy_directory(whole.path(), dir.path());
        let file = fs::OpenOptions::new().write(true).open(first_segment(dir.path())).unwrap();
        file.set_len(cut as u64).unwrap();
        let (store, opened) = Store::open(dir.path()).unwrap();
        assert_eq!(opened.rebuilt.as_deref(), Some("the index was ahead of the archive"));
        assert_batches(&store, if cut as u64 >= ends[2] { 2 } else { 1 });
        assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
    }
}

#[test]
fn unwritten_pages_are_a_torn_tail() {
    let ends = batch_ends(3);
    let whole = tempfile::tempdir().unwrap();
    store_with_batches(whole.path(), 3);
    let bytes = fs::read(first_segment(whole.path())).unwrap();
    let (start, end) = (ends[2] as usize, ends[3] as usize);
    let holes = [start..end, start..start + 20, start..end - 200, start + 100..start + 150, end - 60..end];
    for hole in holes {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("archive")).unwrap();
        let mut bytes = bytes.clone();
        bytes[hole.clone()].fill(0);
        fs::write(first_segment(dir.path()), &bytes).unwrap();
        let (store, opened) = Store::open(dir.path()).unwrap();
        assert_eq!(opened.cut_bytes, ends[3] - ends[2], "{hole:?}");
        assert_batches(&store, 2);
    }
}

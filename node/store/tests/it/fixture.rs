//! Batches, and directories to damage.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemas::cid::{Cid, Codec};
use store::{IndexTree, Store, WriteBatch};

/// The batch with this number: two blocks and three rows, one of which every batch overwrites.
pub fn batch(number: u64) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for block in blocks(number) {
        batch.put_block(Cid::of(Codec::Raw, &block), block);
    }
    batch.put_row(IndexTree::Entries, &number.to_be_bytes(), &number.to_le_bytes());
    batch.put_row(IndexTree::Meta, b"last", &number.to_be_bytes());
    if number > 0 {
        batch.delete_row(IndexTree::Entries, &(number - 1).to_be_bytes());
    }
    batch
}

/// The blocks of that batch.
pub fn blocks(number: u64) -> [Vec<u8>; 2] {
    let long = format!("block {number} ").repeat(1 + number as usize % 20);
    [format!("short {number}").into_bytes(), long.into_bytes()]
}

/// Asserts that the store holds exactly the batches from 0 up to `count`.
pub fn assert_batches(store: &Store, count: u64) {
    for number in 0..count + 3 {
        for block in blocks(number) {
            let id = Cid::of(Codec::Raw, &block);
            let found = store.get(id).unwrap();
            assert_eq!(found, (number < count).then_some(block), "batch {number} of {count}");
            assert_eq!(store.has_block(id).unwrap(), number < count);
        }
    }
    let last = count.checked_sub(1).map(|last| last.to_be_bytes().to_vec());
    assert_eq!(store.find_row(IndexTree::Meta, b"last").unwrap(), last);
    let entries: Vec<_> = store.scan_rows(IndexTree::Entries, b"").map(Result::unwrap).collect();
    let wanted = count.checked_sub(1).map(|last| (last.to_be_bytes().to_vec(), last.to_le_bytes().to_vec()));
    assert_eq!(entries, Vec::from_iter(wanted));
    assert_eq!(store.stats().blocks, 2 * count);
}

/// Creates a store with `count` batches and closes it.
pub fn store_with_batches(dir: &Path, count: u64) {
    let (store, _) = Store::open(dir).unwrap();
    for number in 0..count {
        store.commit(batch(number)).unwrap();
    }
}

/// The first segment file.
pub fn first_segment(dir: &Path) -> PathBuf {
    dir.join("archive/000001.car")
}

/// Removes the index.
pub fn remove_index(dir: &Path) {
    fs::remove_dir_all(dir.join("index")).unwrap();
}

/// All rows of all trees.
pub fn rows(store: &Store) -> BTreeMap<(IndexTree, Vec<u8>), Vec<u8>> {
    let of = |tree: &IndexTree| {
        let tree = *tree;
        store.scan_rows(tree, b"").map(move |row| row.map(|(key, value)| ((tree, key), value)).unwrap())
    };
    IndexTree::ALL.iter().flat_map(of).collect()
}

/// Copies a directory.
pub fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

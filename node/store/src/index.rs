//! The index: sled trees that say where blocks lie and what the rows are.
//!
//! Nothing here is the truth; all of it can be made again from the archive. Owns every call into
//! sled and the answers to its known defects (see `FORMAT.md`): a leftover snapshot file is
//! removed before opening, values and keys stay small enough for sled's pages, files are synced
//! by us, and a panic inside sled becomes an error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemas::cid::{CID_BYTES, Cid};
use schemas::limits::BLOCK_BYTES_MAX;

use crate::archive::ArchivePosition;
use crate::batch::{IndexRow, IndexTree};
use crate::disk::sync_dir;
use crate::error::Error;
use crate::segment::BlockLocation;

/// The tree of block places.
const BLOCKS: &str = "blocks/1";
/// The tree of what the index knows about itself.
const STATE: &str = "state/1";
/// The one key of [`STATE`].
const POSITION: &str = "position";
/// Bytes of a position.
const POSITION_BYTES: usize = 4 + 8 + 8 + 8 + 32;
/// Bytes of a block's place.
const PLACE_BYTES: usize = 4 + 8 + 4;

/// Bytes of pages that sled keeps in memory; its own default of a gigabyte is too much for a node
/// on a small machine.
const CACHE_BYTES: u64 = 64 << 20;

/// How often an index that this process just closed is tried again: sled's own lock goes only with
/// the last of its threads. Nobody else can hold it, because the directory is ours.
const RELEASE_TRIES: u32 = 200;
/// Time between tries.
const RELEASE_WAIT: Duration = Duration::from_millis(10);

/// The trees of one index.
#[derive(Debug)]
pub(crate) struct StoreIndex {
    dir: PathBuf,
    db: sled::Db,
    blocks: sled::Tree,
    state: sled::Tree,
    rows: BTreeMap<IndexTree, sled::Tree>,
}

impl StoreIndex {
    /// Opens or creates the index in `dir`. The caller holds the lock of the data directory.
    ///
    /// # Errors
    /// In words, why it does not open; then it is to be removed and made again.
    pub(crate) fn open(dir: &Path) -> Result<Self, String> {
        remove_leftovers(dir).map_err(|fault| fault.to_string())?;
        let mut left = RELEASE_TRIES;
        loop {
            match Self::try_open(dir) {
                Err(fault) if left > 0 && fault.contains("could not acquire lock") => {
                    left -= 1;
                    std::thread::sleep(RELEASE_WAIT);
                }
                result => return result,
            }
        }
    }

    fn try_open(dir: &Path) -> Result<Self, String> {
        catch_panics(|| {
            let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES);
            // No timer: the store says when to flush, and a thread would outlive the store.
            let db = config.flush_every_ms(None).open()?;
            let blocks = db.open_tree(BLOCKS)?;
            let state = db.open_tree(STATE)?;
            let rows = IndexTree::ALL.iter().map(|tree| Ok((*tree, db.open_tree(tree.name())?)));
            let rows = rows.collect::<sled::Result<_>>()?;
            Ok(Self { dir: dir.into(), db, blocks, state, rows })
        })
    }

    /// Removes the index in `dir`, if there is one.
    pub(crate) fn remove_directory(dir: &Path) -> Result<(), Error> {
        match fs::remove_dir_all(dir) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", dir)(fault)),
            _ => Ok(()),
        }
    }

    /// Moves to `dir`, in the place of the index there.
    pub(crate) fn move_to(self, dir: &Path) -> Result<Self, Error> {
        self.sync()?;
        let from = self.dir.clone();
        drop(self);
        Self::remove_directory(dir)?;
        fs::rename(&from, dir).map_err(Error::io("rename", &from))?;
        if let Some(parent) = dir.parent() {
            sync_dir(parent).map_err(Error::io("sync", parent))?;
        }
        Self::open(dir).map_err(Error::Index)
    }

    /// Up to where the archive was applied; `None` for a new index.
    pub(crate) fn applied_position(&self) -> Result<Option<ArchivePosition>, Error> {
        let Some(bytes) = run_sled(|| self.state.get(POSITION))? else { return Ok(None) };
        let position = read_position(&bytes);
        position.map(Some).ok_or_else(|| Error::Index("a malformed position".into()))
    }

    /// Whether there is anything in any tree.
    pub(crate) fn is_empty(&self) -> Result<bool, Error> {
        run_sled(|| Ok(self.all_trees().all(|(_, tree)| tree.is_empty())))
    }

    /// The names of trees of other versions.
    pub(crate) fn unknown_tree(&self) -> Result<Option<String>, Error> {
        let names = run_sled(|| Ok(self.db.tree_names()))?;
        let known = |name: &[u8]| {
            name == b"__sled__default"
                || name == STATE.as_bytes()
                || self.all_trees().any(|(known, _)| known.as_bytes() == name)
        };
        let name = names.iter().find(|name| !known(name));
        Ok(name.map(|name| String::from_utf8_lossy(name).into_owned()))
    }

    /// Whether a block is known.
    pub(crate) fn has_block(&self, id: Cid) -> Result<bool, Error> {
        run_sled(|| self.blocks.contains_key(id.to_bytes()))
    }

    /// The segment and the place of a block.
    pub(crate) fn block_location(&self, id: Cid) -> Result<Option<(u32, BlockLocation)>, Error> {
        let Some(bytes) = run_sled(|| self.blocks.get(id.to_bytes()))? else { return Ok(None) };
        let place = read_location(id, &bytes).filter(|(_, place)| place.length as usize <= BLOCK_BYTES_MAX);
        place.map(Some).ok_or_else(|| Error::Index(format!("a malformed place of block `{id}`")))
    }

    /// Takes over a group that ends at `position`. Blocks first, so that a row never names a
    /// block that is not there yet; the position last, so that a part of it is applied again.
    pub(crate) fn apply_group(
        &self,
        segment: u32,
        blocks: &[BlockLocation],
        rows: &[IndexRow],
        end: &ArchivePosition,
    ) -> Result<(), Error> {
        run_sled(|| {
            let mut batch = sled::Batch::default();
            for place in blocks {
                batch.insert(place.id.to_bytes().as_slice(), location_bytes(segment, place).as_slice());
            }
            self.blocks.apply_batch(batch)?;
            for (tree, batch) in batches_by_tree(rows) {
                if let Some(tree) = self.rows.get(&tree) {
                    tree.apply_batch(batch)?;
                }
            }
            self.state.insert(POSITION, position_bytes(end).as_slice())?;
            Ok(())
        })
    }

    /// The value of a row.
    pub(crate) fn find_row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(tree) = self.rows.get(&tree) else { return Ok(None) };
        Ok(run_sled(|| tree.get(key))?.map(|value| value.to_vec()))
    }

    /// The rows whose keys begin with `prefix`, ascending.
    pub(crate) fn scan_rows(&self, tree: IndexTree, prefix: &[u8]) -> IndexPairs {
        IndexPairs(self.rows.get(&tree).map(|tree| tree.scan_prefix(prefix)))
    }

    /// Every tree that is made from the archive, with its name.
    pub(crate) fn all_trees(&self) -> impl Iterator<Item = (&'static str, &sled::Tree)> {
        let rows = self.rows.iter().map(|(name, tree)| (name.name(), tree));
        std::iter::once((BLOCKS, &self.blocks)).chain(rows)
    }

    /// Hands everything to the system, without waiting for the disk.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        run_sled(|| self.db.flush()).map(|_| ())
    }

    /// Flushes and waits for the disk, which sled does not.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.flush()?;
        let sync = || -> io::Result<()> {
            for entry in fs::read_dir(&self.dir)? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    File::open(entry.path())?.sync_all()?;
                }
            }
            sync_dir(&self.dir)
        };
        sync().map_err(Error::io("sync", &self.dir))
    }
}

/// Key and value pairs of one tree.
pub(crate) struct IndexPairs(Option<sled::Iter>);

impl IndexPairs {
    /// Every pair of a tree.
    pub(crate) fn of(tree: &sled::Tree) -> Self {
        Self(Some(tree.iter()))
    }
}

impl Iterator for IndexPairs {
    type Item = Result<(Vec<u8>, Vec<u8>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let iter = self.0.as_mut()?;
        let pair = run_sled(|| iter.next().transpose());
        if pair.is_err() {
            self.0 = None;
        }
        pair.map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec()))).transpose()
    }
}

/// Removes what a kill during an earlier opening left, on which sled would refuse to open.
fn remove_leftovers(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            fs::remove_file(entry.path())?;
            tracing::warn!(file = %entry.path().display(), "removed a leftover snapshot of the index");
        }
    }
    Ok(())
}

/// Runs sled without letting its panics out.
fn catch_panics<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    // Nothing of ours is changed inside, so there is nothing to find half done afterwards.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|fault| fault.to_string()),
        Err(panic) => Err(crate::queue::panic_message(panic.as_ref())),
    }
}

fn run_sled<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, Error> {
    catch_panics(call).map_err(Error::Index)
}

fn batches_by_tree(rows: &[IndexRow]) -> BTreeMap<IndexTree, sled::Batch> {
    let mut batches = BTreeMap::<IndexTree, sled::Batch>::new();
    for row in rows {
        let batch = batches.entry(row.tree).or_default();
        match &row.value {
            Some(value) => batch.insert(row.key.as_slice(), value.as_slice()),
            None => batch.remove(row.key.as_slice()),
        }
    }
    batches
}

fn location_bytes(segment: u32, place: &BlockLocation) -> [u8; PLACE_BYTES] {
    let mut bytes = [0; PLACE_BYTES];
    let (head, rest) = bytes.split_at_mut(4);
    let (offset, length) = rest.split_at_mut(8);
    head.copy_from_slice(&segment.to_be_bytes());
    offset.copy_from_slice(&place.offset.to_be_bytes());
    length.copy_from_slice(&place.length.to_be_bytes());
    bytes
}

fn read_location(id: Cid, bytes: &[u8]) -> Option<(u32, BlockLocation)> {
    let (segment, rest) = bytes.split_first_chunk()?;
    let (offset, rest) = rest.split_first_chunk()?;
    let length = u32::from_be_bytes(rest.try_into().ok()?);
    Some((u32::from_be_bytes(*segment), BlockLocation { id, offset: u64::from_be_bytes(*offset), length }))
}

fn position_bytes(position: &ArchivePosition) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(POSITION_BYTES);
    bytes.extend(position.segment.to_be_bytes());
    bytes.extend(position.offset.to_be_bytes());
    bytes.extend(position.number.to_be_bytes());
    bytes.extend(position.blocks.to_be_bytes());
    bytes.extend(position.commit);
    bytes
}

fn read_position(bytes: &[u8]) -> Option<ArchivePosition> {
    let (segment, rest) = bytes.split_first_chunk()?;
    let (offset, rest) = rest.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (blocks, rest) = rest.split_first_chunk()?;
    Some(ArchivePosition {
        segment: u32::from_be_bytes(*segment),
        offset: u64::from_be_bytes(*offset),
        number: u64::from_be_bytes(*number),
        blocks: u64::from_be_bytes(*blocks),
        commit: rest.try_into().ok()?,
    })
}

/// The id in a key of the tree of block places.
pub(crate) fn block_id_in_key(name: &str, key: &[u8]) -> Option<Cid> {
    (name == BLOCKS && key.len() == CID_BYTES).then(|| Cid::from_bytes(key).ok())?
}

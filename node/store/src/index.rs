//! The index: sled trees with the locations of blocks and the rows.
//!
//! All of it can be rebuilt from the archive. Owns every call into sled and the workarounds for its
//! known defects (see `FORMAT.md`): leftover snapshot files are removed before opening, values and
//! keys stay small enough for sled's pages, files are synced by the store, and a panic inside sled
//! becomes an error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use schemas::cid::{CID_BYTES, Cid};
use schemas::limits::BLOCK_BYTES_MAX;

use crate::archive::ArchivePosition;
use crate::batch::{IndexRow, IndexTree};
use crate::disk::sync_dir;
use crate::error::Error;
use crate::group::BlockLocation;
use crate::limits::{CACHE_BYTES, RELEASE_TRIES, RELEASE_WAIT};

/// Tree of block locations.
const BLOCKS: &str = "blocks/1";
/// Tree of the state of the index.
const STATE: &str = "state/1";
/// The only key of [`STATE`].
const POSITION: &str = "position";
/// Bytes of an encoded position.
const POSITION_BYTES: usize = 4 + 8 + 8 + 8 + 32;
/// Bytes of an encoded location.
const LOCATION_BYTES: usize = 4 + 8 + 4;

/// The sled trees of one index.
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
    /// The reason why it does not open; the index must then be removed and rebuilt.
    pub(crate) fn open(dir: &Path) -> Result<Self, String> {
        remove_leftovers(dir).map_err(|error| error.to_string())?;
        let mut left = RELEASE_TRIES;
        loop {
            match Self::try_open(dir) {
                Err(error) if left > 0 && error.contains("could not acquire lock") => {
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
            // No timer: the store decides when to flush, and sled's flush thread would outlive it.
            let db = config.flush_every_ms(None).open()?;
            let blocks = db.open_tree(BLOCKS)?;
            let state = db.open_tree(STATE)?;
            let rows = IndexTree::ALL.iter().map(|tree| Ok((*tree, db.open_tree(tree.name())?)));
            let rows = rows.collect::<sled::Result<_>>()?;
            Ok(Self { dir: dir.into(), db, blocks, state, rows })
        })
    }

    /// Removes the index in `dir`; no error if there is none.
    pub(crate) fn remove_directory(dir: &Path) -> Result<(), Error> {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", dir)(error)),
            _ => Ok(()),
        }
    }

    /// Moves the index to `dir` and replaces the index there.
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

    /// Returns the position up to which the archive was applied; `None` for a new index.
    pub(crate) fn applied_position(&self) -> Result<Option<ArchivePosition>, Error> {
        let Some(bytes) = run_sled(|| self.state.get(POSITION))? else { return Ok(None) };
        let position = read_position(&bytes);
        position.map(Some).ok_or_else(|| Error::Index("malformed position".into()))
    }

    /// Returns whether all trees are empty.
    pub(crate) fn is_empty(&self) -> Result<bool, Error> {
        run_sled(|| Ok(self.all_trees().all(|(_, tree)| tree.is_empty())))
    }

    /// Returns the name of a tree that this version does not know, if there is one.
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

    /// Returns whether a block is in the index.
    pub(crate) fn has_block(&self, id: Cid) -> Result<bool, Error> {
        run_sled(|| self.blocks.contains_key(id.to_bytes()))
    }

    /// Returns the segment and the location of a block.
    pub(crate) fn block_location(&self, id: Cid) -> Result<Option<(u32, BlockLocation)>, Error> {
        let Some(bytes) = run_sled(|| self.blocks.get(id.to_bytes()))? else { return Ok(None) };
        let location =
            read_location(id, &bytes).filter(|(_, location)| location.length as usize <= BLOCK_BYTES_MAX);
        location.map(Some).ok_or_else(|| Error::Index(format!("malformed location of block `{id}`")))
    }

    /// Applies a group that ends at `end`. Blocks come first, so that a row never refers to a block
    /// that is not there yet; the position comes last, so that an interrupted group is applied again.
    pub(crate) fn apply_group(
        &self,
        segment: u32,
        blocks: &[BlockLocation],
        rows: &[IndexRow],
        end: &ArchivePosition,
    ) -> Result<(), Error> {
        run_sled(|| {
            let mut batch = sled::Batch::default();
            for location in blocks {
                batch.insert(location.id.to_bytes().as_slice(), location_bytes(segment, location).as_slice());
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

    /// Returns the value of a row.
    pub(crate) fn find_row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(tree) = self.rows.get(&tree) else { return Ok(None) };
        Ok(run_sled(|| tree.get(key))?.map(|value| value.to_vec()))
    }

    /// Returns the rows whose keys begin with `prefix`, ascending.
    pub(crate) fn scan_rows(&self, tree: IndexTree, prefix: &[u8]) -> IndexPairs {
        IndexPairs(self.rows.get(&tree).map(|tree| tree.scan_prefix(prefix)))
    }

    /// Returns every tree that is derived from the archive, with its name.
    pub(crate) fn all_trees(&self) -> impl Iterator<Item = (&'static str, &sled::Tree)> {
        let rows = self.rows.iter().map(|(name, tree)| (name.name(), tree));
        std::iter::once((BLOCKS, &self.blocks)).chain(rows)
    }

    /// Writes everything to the files, without waiting for the disk.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        run_sled(|| self.db.flush()).map(|_| ())
    }

    /// Flushes and syncs the files, which sled does not do.
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
    /// Returns every pair of a tree.
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

/// Removes the snapshot files left by a kill during an earlier opening; sled does not open with them.
fn remove_leftovers(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
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

/// Runs a call into sled and converts its panics into errors.
fn catch_panics<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    // The closure changes no state of ours, so nothing is left inconsistent after a panic.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
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

fn location_bytes(segment: u32, location: &BlockLocation) -> [u8; LOCATION_BYTES] {
    let mut bytes = [0; LOCATION_BYTES];
    let (head, rest) = bytes.split_at_mut(4);
    let (offset, length) = rest.split_at_mut(8);
    head.copy_from_slice(&segment.to_be_bytes());
    offset.copy_from_slice(&location.offset.to_be_bytes());
    length.copy_from_slice(&location.length.to_be_bytes());
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

/// Returns the id in a key of the tree of block locations.
pub(crate) fn block_id_in_key(name: &str, key: &[u8]) -> Option<Cid> {
    (name == BLOCKS && key.len() == CID_BYTES).then(|| Cid::from_bytes(key).ok())?
}

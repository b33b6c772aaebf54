//! The open store: reads, commits, and closing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemas::cid::Cid;

use crate::archive::{Archive, ArchiveTail};
use crate::batch::{IndexTree, WriteBatch};
use crate::error::Error;
use crate::group::BlockLocation;
use crate::index::StoreIndex;
use crate::limits::{DAMAGED_MAX, FLUSH_BYTES};
use crate::lock::DirectoryLock;
use crate::queue::CommitQueue;

/// A data directory, owned by this process. Share it by `Arc`: reads run in parallel, writes queue up
/// and share their syncs. Calls block on the disk.
pub struct Store {
    pub(crate) dir: PathBuf,
    pub(crate) archive: Archive,
    pub(crate) index: StoreIndex,
    writer: Mutex<ArchiveWriter>,
    queue: CommitQueue,
    blocks: AtomicU64,
    damaged: Mutex<BTreeSet<Cid>>,
    // Declared last, so that it is released after everything else is closed.
    lock: DirectoryLock,
}

/// State of the writer.
pub(crate) struct ArchiveWriter {
    pub(crate) tail: ArchiveTail,
    /// Bytes appended since the index was last flushed.
    unflushed: u64,
}

/// Size of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreStats {
    /// Segment files.
    pub segments: u64,
    /// Total bytes of the segment files.
    pub bytes: u64,
    /// Number of block records.
    pub blocks: u64,
}

impl Store {
    pub(crate) fn new(
        dir: PathBuf,
        lock: DirectoryLock,
        archive: Archive,
        index: StoreIndex,
        tail: ArchiveTail,
        blocks: u64,
    ) -> Self {
        Self {
            dir,
            archive,
            index,
            writer: Mutex::new(ArchiveWriter { tail, unflushed: 0 }),
            queue: CommitQueue::default(),
            blocks: AtomicU64::new(blocks),
            damaged: Mutex::default(),
            lock,
        }
    }

    /// Returns whether the block is stored. A block found damaged counts as missing, so that it is
    /// fetched again; committing it once more repairs it.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn has_block(&self, id: Cid) -> Result<bool, Error> {
        Ok(!self.damaged_blocks().contains(&id) && self.index.has_block(id)?)
    }

    /// Returns the bytes of a block after verifying its hash; `None` if it is not stored.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the bytes in the archive are not the block; [`Error::Io`],
    /// [`Error::Index`].
    pub fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, Error> {
        let Some((segment, location)) = self.index.block_location(id)? else { return Ok(None) };
        let block = self.archive.read_block(segment, &location);
        if matches!(block, Err(Error::Damaged { .. })) {
            tracing::error!(%id, segment, offset = location.offset, "damaged block");
            self.mark_damaged(id);
        }
        block.map(Some)
    }

    /// Makes a batch durable and visible: all of it, or on an error nothing. Returns when it survives a
    /// power loss. Blocks that are stored already are skipped.
    ///
    /// Readers may see a part of a batch before this returns, but never a row before the blocks of
    /// its batch.
    ///
    /// # Errors
    /// [`Error::HashMismatch`], [`Error::BlockTooLarge`], [`Error::ValueTooLarge`], [`Error::KeyLength`],
    /// [`Error::BatchTooLarge`] for a refused batch; [`Error::Write`] if nothing was stored and the store goes on;
    /// [`Error::Poisoned`] when it takes no more writes. After a failed sync or a failure of the
    /// index ([`Error::Index`]), whether the batch counts is decided when the store is next opened.
    pub fn commit(&self, batch: WriteBatch) -> Result<(), Error> {
        batch.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        self.queue.submit(batch, |batch| self.write_batch(batch))
    }

    /// Returns the value of a row.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn find_row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.index.find_row(tree, key)
    }

    /// Returns the rows of a tree whose keys begin with `prefix`, ascending by key. Concurrent commits
    /// may or may not be included. Ends after an error.
    pub fn scan_rows(
        &self,
        tree: IndexTree,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + Send + use<> {
        self.index.scan_rows(tree, prefix)
    }

    /// Returns the size of the store, as of the last commit.
    pub fn stats(&self) -> StoreStats {
        let (bytes, segments) = self.archive.total_size();
        StoreStats { segments, bytes, blocks: self.blocks.load(Ordering::Relaxed) }
    }

    fn write_batch(&self, mut batch: WriteBatch) -> Result<(), Error> {
        let mut writer = self.lock_writer();
        self.drop_stored_blocks(&mut batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        let blocks = self.blocks.load(Ordering::Relaxed);
        let (locations, end) = self.archive.append_group(&mut writer.tail, &batch, blocks)?;
        // The batch is durable from here on. If the index fails now, it must not advance to later
        // positions, or the next opening would not replay this group.
        if let Err(error) = self.index.apply_group(end.segment, &locations, &batch.rows, &end) {
            writer.tail.poisoned = Some(error.to_string());
            return Err(error);
        }
        self.blocks.store(end.blocks, Ordering::Relaxed);
        self.clear_damaged(&locations);
        writer.unflushed += batch.bytes();
        if writer.unflushed >= FLUSH_BYTES {
            writer.unflushed = 0;
            if let Err(error) = self.index.flush() {
                writer.tail.poisoned = Some(error.to_string());
            }
        }
        Ok(())
    }

    /// Removes blocks that are stored already, and duplicates within the batch.
    fn drop_stored_blocks(&self, batch: &mut WriteBatch) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let mut kept = Vec::with_capacity(batch.blocks.len());
        for (id, bytes) in std::mem::take(&mut batch.blocks) {
            if !self.has_block(id)? && seen.insert(id) {
                kept.push((id, bytes));
            }
        }
        batch.blocks = kept;
        Ok(())
    }

    /// Records that the archive's copy of a block is damaged.
    pub(crate) fn mark_damaged(&self, id: Cid) {
        let mut damaged = self.damaged_blocks();
        if damaged.len() < DAMAGED_MAX {
            damaged.insert(id);
        }
    }

    /// Clears the damage of blocks that now have a fresh copy.
    fn clear_damaged(&self, locations: &[BlockLocation]) {
        let mut damaged = self.damaged_blocks();
        for location in locations {
            damaged.remove(&location.id);
        }
    }

    fn damaged_blocks(&self) -> MutexGuard<'_, BTreeSet<Cid>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of batches that wait for a leader.
    #[cfg(test)]
    pub(crate) fn waiting_batches(&self) -> usize {
        self.queue.waiting()
    }

    pub(crate) fn lock_writer(&self) -> MutexGuard<'_, ArchiveWriter> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).field("stats", &self.stats()).finish()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Only a synced index may be trusted after a crash of the machine; otherwise the lock file keeps
        // the boot id, and the next boot rebuilds the index.
        let closed = self.index.sync().and_then(|()| self.lock.mark_closed());
        if let Err(error) = closed {
            tracing::warn!(%error, "the index was not synced");
        }
    }
}

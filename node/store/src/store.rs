//! The open store: reads, commits, and the end.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemas::cid::Cid;

use crate::archive::{Archive, ArchiveTail};
use crate::batch::{IndexTree, WriteBatch};
use crate::error::Error;
use crate::index::StoreIndex;
use crate::lock::DirectoryLock;
use crate::queue::CommitQueue;
use crate::segment::BlockLocation;

/// Bytes of archive after which the index is handed to the system, so that a kill costs the next
/// opening no more than reading these again.
const FLUSH_BYTES: u64 = 64 << 20;

/// Damaged blocks remembered, so that a fresh copy is taken; 3 MB of ids. Beyond it they are found
/// again when they are read again.
const DAMAGED_MAX: usize = 1 << 16;

/// A data directory, owned by this process. Share it by `Arc`: reads go on side by side, writes
/// queue up and share their syncs. Calls block on the disk.
pub struct Store {
    pub(crate) dir: PathBuf,
    pub(crate) archive: Archive,
    pub(crate) index: StoreIndex,
    writer: Mutex<ArchiveWriter>,
    queue: CommitQueue,
    blocks: AtomicU64,
    damaged: Mutex<BTreeSet<Cid>>,
    // Last, so that it is given back after everything else is closed.
    lock: DirectoryLock,
}

/// The one that appends.
pub(crate) struct ArchiveWriter {
    pub(crate) tail: ArchiveTail,
    /// Bytes appended since the index was last flushed.
    unflushed: u64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreStats {
    /// Segment files.
    pub segments: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Block records in them.
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

    /// Whether the block is held. A block found damaged is not, so that it is asked for again;
    /// committing it once more heals it.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn has_block(&self, id: Cid) -> Result<bool, Error> {
        Ok(!self.damaged_blocks().contains(&id) && self.index.has_block(id)?)
    }

    /// The bytes of a block, checked against its id; `None` if it is not held.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the archive's bytes are not the block; [`Error::Io`],
    /// [`Error::Index`].
    pub fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, Error> {
        let Some((segment, place)) = self.index.block_location(id)? else { return Ok(None) };
        let block = self.archive.read_block(segment, &place);
        if matches!(block, Err(Error::Damaged { .. })) {
            tracing::error!(%id, segment, offset = place.offset, "a block is damaged");
            self.mark_damaged(id);
        }
        block.map(Some)
    }

    /// Makes a batch durable and visible: all of it, or on an error nothing. Returns when it would
    /// survive the machine. Blocks that are held already are skipped.
    ///
    /// Readers may see a part of a batch for a moment before this returns, but never a row before
    /// the blocks that came with it.
    ///
    /// # Errors
    /// [`Error::Hash`], [`Error::Block`], [`Error::Row`], [`Error::Key`], [`Error::Batch`] for what
    /// is refused; [`Error::Write`] when nothing was kept and the store goes on;
    /// [`Error::Poisoned`] when it takes no more writes. After a failed sync or a failure of the
    /// index ([`Error::Index`]), whether the batch counts is decided when the store is next opened.
    pub fn commit(&self, batch: WriteBatch) -> Result<(), Error> {
        batch.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        self.queue.submit(batch, |batch| self.write_batch(batch))
    }

    /// The value of a row.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn find_row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.index.find_row(tree, key)
    }

    /// The rows of a tree whose keys begin with `prefix`, ascending by key. Commits made meanwhile
    /// may or may not show. After an error there is nothing more.
    pub fn scan_rows(
        &self,
        tree: IndexTree,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + Send + use<> {
        self.index.scan_rows(tree, prefix)
    }

    /// How much there is, as of the last commit.
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
        let (places, end) = self.archive.append_group(&mut writer.tail, &batch, blocks)?;
        // The batch is durable from here on. If the index fails now it must not go on to later
        // positions, or the next opening would not replay this group.
        if let Err(fault) = self.index.apply_group(end.segment, &places, &batch.rows, &end) {
            writer.tail.poisoned = Some(fault.to_string());
            return Err(fault);
        }
        self.blocks.store(end.blocks, Ordering::Relaxed);
        self.clear_damaged(&places);
        writer.unflushed += batch.bytes();
        if writer.unflushed >= FLUSH_BYTES {
            writer.unflushed = 0;
            if let Err(fault) = self.index.flush() {
                writer.tail.poisoned = Some(fault.to_string());
            }
        }
        Ok(())
    }

    /// Drops the blocks that are held, and what a group would hold twice.
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

    /// Remembers that the archive's copy of a block is of no use.
    pub(crate) fn mark_damaged(&self, id: Cid) {
        let mut damaged = self.damaged_blocks();
        if damaged.len() < DAMAGED_MAX {
            damaged.insert(id);
        }
    }

    /// Forgets damage of which there is now a fresh copy.
    fn clear_damaged(&self, places: &[BlockLocation]) {
        let mut damaged = self.damaged_blocks();
        for place in places {
            damaged.remove(&place.id);
        }
    }

    fn damaged_blocks(&self) -> MutexGuard<'_, BTreeSet<Cid>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Batches that wait for a leader.
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
        // Only a synced index may be trusted after the machine stopped; otherwise the lock file
        // goes on saying that the store is open, and a later boot rebuilds.
        let closed = self.index.sync().and_then(|()| self.lock.mark_closed());
        if let Err(fault) = closed {
            tracing::warn!(%fault, "the index was not synced");
        }
    }
}

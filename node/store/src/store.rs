//! The open store: reads, commits, and the end.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemas::cid::Cid;

use crate::archive::{Archive, Tail};
use crate::batch::{Batch, Tree};
use crate::error::Error;
use crate::index::Index;
use crate::lock::Lock;
use crate::queue::Queue;
use crate::segment::Place;

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
    pub(crate) index: Index,
    writer: Mutex<Writer>,
    queue: Queue,
    blocks: AtomicU64,
    damaged: Mutex<BTreeSet<Cid>>,
    // Last, so that it is given back after everything else is closed.
    lock: Lock,
}

/// The one that appends.
pub(crate) struct Writer {
    pub(crate) tail: Tail,
    /// Bytes appended since the index was last flushed.
    unflushed: u64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
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
        lock: Lock,
        archive: Archive,
        index: Index,
        tail: Tail,
        blocks: u64,
    ) -> Self {
        Self {
            dir,
            archive,
            index,
            writer: Mutex::new(Writer { tail, unflushed: 0 }),
            queue: Queue::default(),
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
    pub fn has(&self, id: Cid) -> Result<bool, Error> {
        Ok(!self.damaged().contains(&id) && self.index.has(id)?)
    }

    /// The bytes of a block, checked against its id; `None` if it is not held.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the archive's bytes are not the block; [`Error::Io`],
    /// [`Error::Index`].
    pub fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, Error> {
        let Some((segment, place)) = self.index.place(id)? else { return Ok(None) };
        let block = self.archive.block(segment, &place);
        if matches!(block, Err(Error::Damaged { .. })) {
            tracing::error!(%id, segment, offset = place.offset, "a block is damaged");
            self.distrust(id);
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
    pub fn commit(&self, batch: Batch) -> Result<(), Error> {
        batch.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        self.queue.submit(batch, |batch| self.write(batch))
    }

    /// The value of a row.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn row(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.index.row(tree, key)
    }

    /// The rows of a tree whose keys begin with `prefix`, ascending by key. Commits made meanwhile
    /// may or may not show. After an error there is nothing more.
    pub fn rows(
        &self,
        tree: Tree,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + Send + use<> {
        self.index.rows(tree, prefix)
    }

    /// How much there is, as of the last commit.
    pub fn stats(&self) -> Stats {
        let (bytes, segments) = self.archive.size();
        Stats { segments, bytes, blocks: self.blocks.load(Ordering::Relaxed) }
    }

    fn write(&self, mut batch: Batch) -> Result<(), Error> {
        let mut writer = self.writer();
        self.skip(&mut batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        let blocks = self.blocks.load(Ordering::Relaxed);
        let (places, end) = self.archive.append(&mut writer.tail, &batch, blocks)?;
        // The batch is durable from here on. If the index fails now it must not go on to later
        // positions, or the next opening would not replay this group.
        if let Err(fault) = self.index.apply(end.segment, &places, &batch.rows, &end) {
            writer.tail.poisoned = Some(fault.to_string());
            return Err(fault);
        }
        self.blocks.store(end.blocks, Ordering::Relaxed);
        self.trust(&places);
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
    fn skip(&self, batch: &mut Batch) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let mut kept = Vec::with_capacity(batch.blocks.len());
        for (id, bytes) in std::mem::take(&mut batch.blocks) {
            if !self.has(id)? && seen.insert(id) {
                kept.push((id, bytes));
            }
        }
        batch.blocks = kept;
        Ok(())
    }

    /// Remembers that the archive's copy of a block is of no use.
    pub(crate) fn distrust(&self, id: Cid) {
        let mut damaged = self.damaged();
        if damaged.len() < DAMAGED_MAX {
            damaged.insert(id);
        }
    }

    /// Forgets damage of which there is now a fresh copy.
    fn trust(&self, places: &[Place]) {
        let mut damaged = self.damaged();
        for place in places {
            damaged.remove(&place.id);
        }
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<Cid>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Batches that wait for a leader.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
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
        let closed = self.index.sync().and_then(|()| self.lock.close());
        if let Err(fault) = closed {
            tracing::warn!(%fault, "the index was not synced");
        }
    }
}

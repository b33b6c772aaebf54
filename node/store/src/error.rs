//! The one error of the crate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;

use crate::batch::{BATCH_BLOCKS_MAX, BATCH_BYTES_MAX, KEY_BYTES_MAX, ROW_BYTES_MAX};

/// Why the store refused or failed. Cheap to clone, because one failed write answers every
/// committer that shared it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process owns the directory.
    #[error("data directory `{}` is in use by process {pid}", dir.display())]
    Busy {
        /// The directory.
        dir: PathBuf,
        /// What its lock file says about the owner: a process number, or `unknown`.
        pid: String,
    },
    /// The archive holds bytes that are not what they were when they were acknowledged.
    #[error("archive segment {segment} is damaged at byte {offset}: {detail}")]
    Damaged {
        /// Number of the segment file.
        segment: u32,
        /// Offset of the record in it.
        offset: u64,
        /// What was found.
        detail: String,
    },
    /// A segment file between others is gone.
    #[error("archive segment {segment} is missing")]
    MissingSegment {
        /// Number of the segment file.
        segment: u32,
    },
    /// A block of a batch is not what its id says.
    #[error("block `{id}` is not what its id says")]
    HashMismatch {
        /// The id that was claimed.
        id: Cid,
    },
    /// A block of a batch is too large.
    #[error("block `{id}` has {bytes} bytes (at most {BLOCK_BYTES_MAX})")]
    BlockTooLarge {
        /// Its id.
        id: Cid,
        /// Its size in bytes.
        bytes: usize,
    },
    /// A row's value is too large for the index.
    #[error("a value in `{tree}` has {bytes} bytes (at most {ROW_BYTES_MAX}); keep it in a block")]
    ValueTooLarge {
        /// Name of the tree.
        tree: &'static str,
        /// Size of the value in bytes.
        bytes: usize,
    },
    /// A row's key is empty or too long for the index.
    #[error("a key in `{tree}` has {bytes} bytes (from 1 to {KEY_BYTES_MAX})")]
    KeyLength {
        /// Name of the tree.
        tree: &'static str,
        /// Size of the key in bytes.
        bytes: usize,
    },
    /// A batch is too large to be one atomic group.
    #[error(
        "a batch of {blocks} blocks and {bytes} bytes (at most {BATCH_BLOCKS_MAX} and {BATCH_BYTES_MAX}); split it"
    )]
    BatchTooLarge {
        /// Blocks in it.
        blocks: usize,
        /// Bytes in it.
        bytes: u64,
    },
    /// A batch could not be written; nothing of it was kept, and the store goes on.
    #[error("cannot write to the archive: {0}; nothing of the batch was kept")]
    Write(#[source] Arc<io::Error>),
    /// Writing has stopped until the store is opened again.
    #[error("the store takes no more writes until it is opened again: {0}")]
    Poisoned(String),
    /// The file system failed elsewhere.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What came back.
        source: Arc<io::Error>,
    },
    /// The index failed. The archive is whole; opening again repairs or rebuilds the index.
    #[error("the index failed: {0}")]
    Index(String),
}

impl Error {
    /// For `map_err`: the failure of `action` on `path`.
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |fault| Error::Io { action, path: path.into(), source: Arc::new(fault) }
    }
}

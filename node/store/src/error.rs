//! The error type of the crate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;

use crate::limits::{BATCH_BLOCKS_MAX, BATCH_BYTES_MAX, KEY_BYTES_MAX, ROW_BYTES_MAX};

/// Error of the store. Cheap to clone: one failed write is returned to every committer that shared
/// it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has locked the data directory.
    #[error("data directory `{}` is in use by process {pid}", dir.display())]
    Busy {
        /// The directory.
        dir: PathBuf,
        /// The process id in its lock file, or `unknown`.
        pid: String,
    },
    /// Bytes of the archive changed after they were acknowledged.
    #[error("archive segment {segment} is damaged at byte {offset}: {detail}")]
    Damaged {
        /// Number of the segment file.
        segment: u32,
        /// Offset of the record in it.
        offset: u64,
        /// Description of the damage.
        detail: String,
    },
    /// A segment file between others is missing.
    #[error("archive segment {segment} is missing")]
    MissingSegment {
        /// Number of the segment file.
        segment: u32,
    },
    /// The hash of a block in a batch is not the one in its id.
    #[error("hash mismatch: block `{id}`")]
    HashMismatch {
        /// The claimed id.
        id: Cid,
    },
    /// A block of a batch exceeds the size limit.
    #[error("block `{id}` has {bytes} bytes (expected at most {BLOCK_BYTES_MAX})")]
    BlockTooLarge {
        /// Its id.
        id: Cid,
        /// Its size in bytes.
        bytes: usize,
    },
    /// The value of a row exceeds the limit of the index.
    #[error("value in `{tree}` has {bytes} bytes (expected at most {ROW_BYTES_MAX}); store it in a block")]
    ValueTooLarge {
        /// Name of the tree.
        tree: &'static str,
        /// Size of the value in bytes.
        bytes: usize,
    },
    /// The key of a row is empty or exceeds the limit of the index.
    #[error("key in `{tree}` has {bytes} bytes (expected 1 to {KEY_BYTES_MAX})")]
    KeyLength {
        /// Name of the tree.
        tree: &'static str,
        /// Size of the key in bytes.
        bytes: usize,
    },
    /// A batch exceeds the limits of one atomic group.
    #[error(
        "batch of {blocks} blocks and {bytes} bytes (expected at most {BATCH_BLOCKS_MAX} and {BATCH_BYTES_MAX}); split it"
    )]
    BatchTooLarge {
        /// Blocks in it.
        blocks: usize,
        /// Bytes in it.
        bytes: u64,
    },
    /// A batch could not be written. Nothing of it is stored, and the store remains usable.
    #[error("cannot write to the archive: {0}; the batch was rolled back")]
    Write(#[source] Arc<io::Error>),
    /// Writing is disabled until the store is reopened.
    #[error("the store is read-only until it is reopened: {0}")]
    Poisoned(String),
    /// Any other I/O error.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// The attempted action, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: Arc<io::Error>,
    },
    /// The index failed. The archive is intact; reopening repairs or rebuilds the index.
    #[error("the index failed: {0}")]
    Index(String),
}

impl Error {
    /// Returns a function for `map_err` that adds action and path to an I/O error.
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |error| Error::Io { action, path: path.into(), source: Arc::new(error) }
    }
}

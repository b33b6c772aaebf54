//! Bounds of the store, each with its unit and its reason.

use std::time::Duration;

/// Bytes of a segment file, after which the next one begins: small enough to check or copy in a
/// second, large enough that a terabyte is a few thousand files.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// Bytes of a row's value. sled moves pages above 128 KiB into side files that it never syncs; a
/// page holds up to 20 rows, so 4 KiB per value (and [`KEY_BYTES_MAX`] per key) stays below.
pub const ROW_BYTES_MAX: usize = 4 << 10;
/// Bytes of a row's key. An inner page of sled holds up to 257 keys and must stay below the
/// 128 KiB at which sled creates a side file.
pub const KEY_BYTES_MAX: usize = 384;
/// Blocks in one batch, so that the list of a group's records fits in a few megabytes.
pub const BATCH_BLOCKS_MAX: usize = 1 << 16;
/// Bytes of blocks and rows in one batch: a complete source document, which is one segment.
pub const BATCH_BYTES_MAX: u64 = 256 << 20;

/// Bytes after which no further batch joins a group: a sync costs milliseconds, which are paid for
/// by then, and waiting committers should not wait much longer.
pub(crate) const GROUP_BYTES_MAX: u64 = 16 << 20;
/// Bytes of a group's records: a batch and generous framing. Guards sums against overflow.
pub(crate) const GROUP_LENGTH_MAX: u64 = 2 * BATCH_BYTES_MAX;
/// Bytes of one row list, well below the limit of a block; longer lists continue in the next record.
pub(crate) const LIST_BYTES_MAX: usize = 512 << 10;
/// Bytes buffered before they are written to a segment file.
pub(crate) const WRITE_BUFFER_BYTES: usize = 1 << 20;
/// Bytes read at once when searching a segment for later commit records.
pub(crate) const SEARCH_BYTES: usize = 1 << 20;
/// Segment files kept open for reading; far below the usual limit of 1024 files per process.
pub(crate) const OPEN_FILES_MAX: usize = 128;

/// Bytes of archive after which the index is flushed, so that after a kill the next opening replays
/// no more than these.
pub(crate) const FLUSH_BYTES: u64 = 64 << 20;
/// Bytes of sled's page cache; its default of a gigabyte is too much for a small machine.
pub(crate) const CACHE_BYTES: u64 = 64 << 20;
/// Attempts to open an index that this process just closed: sled releases its own lock only with the
/// last of its threads. No other process can hold it, because the data directory is locked.
pub(crate) const RELEASE_TRIES: u32 = 200;
/// Pause between two of these attempts.
pub(crate) const RELEASE_WAIT: Duration = Duration::from_millis(10);

/// Damaged blocks remembered, so that a fresh copy is accepted; 3 MB of ids. Those beyond the limit
/// are found again when they are read again.
pub(crate) const DAMAGED_MAX: usize = 1 << 16;
/// Findings listed in a report of `fsck`; further ones are counted.
pub(crate) const FINDINGS_MAX: usize = 1000;
/// Bytes of the lock file that are read: a process id and a boot id, with room to spare.
pub(crate) const LOCK_TEXT_BYTES_MAX: u64 = 256;

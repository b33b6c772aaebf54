//! Durable keeping of content-addressed blocks and of small index rows.
//!
//! The truth is an append-only archive of CAR segments, in which each [`Batch`] is one group that
//! counts whole or not at all. An index over it (sled) finds blocks and rows, and can always be
//! made again from the archive. `FORMAT.md` describes every byte.
//!
//! Owns a data directory: its lock, its archive, its index. Knows nothing of what blocks and rows
//! mean. Refuses bytes that are not what their id says, on the way in and on the way out.

mod archive;
mod batch;
mod disk;
mod error;
#[cfg(test)]
mod fault_injection;
mod fsck;
mod group;
mod index;
mod lock;
mod open;
mod queue;
mod segment;
mod store;

pub use archive::SEGMENT_BYTES_MAX;
pub use batch::{
    BATCH_BLOCKS_MAX, BATCH_BYTES_MAX, IndexRow, IndexTree, KEY_BYTES_MAX, ROW_BYTES_MAX, WriteBatch,
};
pub use error::Error;
pub use fsck::{FsckFinding, FsckReport};
pub use open::OpenReport;
pub use store::{Store, StoreStats};

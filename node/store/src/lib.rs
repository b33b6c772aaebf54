//! Durable storage of content-addressed blocks and of small index rows.
//!
//! The source of truth is an append-only archive of CAR segments, in which each [`WriteBatch`] is
//! one atomic group. An index over it (sled) finds blocks and rows, and can always be rebuilt from
//! the archive. `FORMAT.md` describes every byte.
//!
//! Owns a data directory: its lock, its archive, its index. Does not interpret blocks and rows.
//! Verifies the hash of every block when it is written and when it is read.

pub mod limits;

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

pub use batch::{IndexRow, IndexTree, WriteBatch};
pub use error::Error;
pub use fsck::{FsckFinding, FsckReport};
pub use open::OpenReport;
pub use store::{Store, StoreStats};

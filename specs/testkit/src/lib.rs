//! Fixtures that the tests of all crates share.
//!
//! - [`sample`]: one object of each type, with fixed keys and times; the test vectors and the examples
//!   in the documents are made of them;
//! - [`publisher`]: a publisher in memory, with its log and blocks;
//! - [`prices`]: a price index, its data set, an inflation recipe and releases of it;
//! - [`random`]: pseudo-random numbers from a seed;
//! - [`hex`]: hexadecimal text, as in the test vectors;
//! - [`published_files`]: the folder of files that agencies have published;
//! - `node_core` (feature `service`): cores of nodes in memory;
//! - `cluster` (feature `service`): whole nodes on a simulated network.
//!
//! Only tests, and the programs in `specs`, depend on this crate.

// An error in a fixture is a bug of the fixture; the test that uses it must stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(feature = "service")]
pub mod cluster;
pub mod hex;
#[cfg(feature = "service")]
pub mod node_core;
pub mod prices;
pub mod published_files;
pub mod publisher;
pub mod random;
pub mod sample;

pub use publisher::Publisher;

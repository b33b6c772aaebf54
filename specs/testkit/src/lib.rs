//! Fixtures that the tests of all crates share.
//!
//! [`sample`] holds one object of each type, with fixed keys and times: the test vectors and the
//! examples in the documents are made of them. Only tests and the generators below `specs` depend on
//! this crate.

// An error in a fixture is a bug of the fixture; the test that uses it must stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod sample;

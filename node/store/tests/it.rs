//! The store from outside: what is acknowledged is there, what is damaged is said.

// Helpers of tests are tests: clippy knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "it/basics.rs"]
mod basics;
#[path = "it/common.rs"]
mod common;
#[path = "it/damage.rs"]
mod damage;
#[path = "it/indexes.rs"]
mod indexes;
#[path = "it/kills.rs"]
mod kills;
#[path = "it/torn.rs"]
mod torn;

//! The public interface of the store: acknowledged batches persist, damage is reported.

// clippy exempts functions marked as tests only, not their helpers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "it/basics.rs"]
mod basics;
#[path = "it/damage.rs"]
mod damage;
#[path = "it/fixture.rs"]
mod fixture;
#[path = "it/indexes.rs"]
mod indexes;
#[path = "it/process_kills.rs"]
mod process_kills;
#[path = "it/torn_tails.rs"]
mod torn_tails;

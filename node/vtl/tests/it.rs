//! End-to-end tests of the engine: scripts on tables given as text.

// A test may panic at the first unexpected value.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)]

mod it {
    pub mod support;

    mod aggregates;
    mod arithmetic;
    mod calls;
    mod cast;
    mod ceilings;
    mod clauses;
    mod diagnostics;
    mod extensions;

    mod format;
    mod fuzz;
    mod joins;
    mod library;
    mod logic;
    mod operators;
    mod order;
    mod recipes;
    mod sets;
    mod strings;
    mod threads;
    mod time;
    mod tools;
    mod validation;
    mod vectors;
    mod windows;
}

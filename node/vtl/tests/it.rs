//! Everything that the engine promises, from text to table.

// A test that stops at its first surprise is a good test.
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
    mod clauses;
    mod extensions;
    mod faults;
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

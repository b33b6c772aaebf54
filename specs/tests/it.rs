//! One binary for all tests of the project as a whole.

// The tests' own helpers stop at the first surprise, as the tests do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

mod it {
    mod differential;
    mod grammar;
    mod house;
    mod logs;
    mod simulation;
    mod vectors;
}

//! Integration tests of the conformance programs, as one binary.

// Helper functions of the tests stop at the first error, as the tests do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

mod it {
    mod documents;
    mod oracle;
    mod published_figures;
    mod vtl_conformance;
}

//! Generator of the test vectors, from fixed seeds, and the house rules as tests.
//!
//! `cargo xtask vectors` writes `specs/vectors`; the tests of this crate compare
//! them with the checked-in files and run them. No crate depends on this one.

// An error here is a bug of the generator; stopping is the right response.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod bad_points;
pub mod bundle_vectors;
pub mod car_vectors;
pub mod cbor_tree;
pub mod cbor_vectors;
pub mod content_vectors;
pub mod entry_vectors;
pub mod error_code;
pub mod log_vectors;
pub mod network_vectors;
pub mod object_vectors;
pub mod signature_vectors;
pub mod text_forms;
pub mod vector;

use vector::VectorFile;

/// Every file of `specs/vectors`.
pub fn vector_files() -> Vec<VectorFile> {
    vec![
        cbor_vectors::vector_file(),
        object_vectors::vector_file(),
        object_vectors::chunk_file(),
        content_vectors::vector_file(),
        text_forms::id_file(),
        text_forms::period_file(),
        text_forms::decimal_file(),
        text_forms::address_file(),
        signature_vectors::key_file(),
        signature_vectors::vector_file(),
        entry_vectors::vector_file(),
        log_vectors::vector_file(),
        car_vectors::vector_file(),
        bundle_vectors::vector_file(),
        network_vectors::announcement_file(),
        network_vectors::request_file(),
        network_vectors::stream_file(),
    ]
}

//! What the documents say, as data: the samples and the test vectors, made from fixed seeds.
//!
//! `cargo xtask vectors` writes `specs/vectors`; the tests of this crate compare, run
//! and count them. Nothing depends on this crate.

// A fault in here is a bug of the generator, and stopping is the right answer to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod bad_points;
pub mod car_vectors;
pub mod cbor_tree;
pub mod cbor_vectors;
pub mod content_vectors;
pub mod entry_vectors;
pub mod error_code;
pub mod log_vectors;
pub mod object_vectors;
pub mod signature_vectors;
pub mod text_forms;
pub mod vector;

use vector::VectorFile;

/// Every vector file, as it must stand in `specs/vectors`.
pub fn vector_files() -> Vec<VectorFile> {
    vec![
        cbor_vectors::vector_file(),
        object_vectors::vector_file(),
        object_vectors::chunk_file(),
        content_vectors::vector_file(),
        text_forms::id_file(),
        text_forms::period_file(),
        text_forms::decimal_file(),
        signature_vectors::key_file(),
        signature_vectors::vector_file(),
        entry_vectors::vector_file(),
        log_vectors::vector_file(),
        car_vectors::vector_file(),
    ]
}

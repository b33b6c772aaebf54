//! What the documents say, as data: the samples and the test vectors, made from fixed seeds.
//!
//! `cargo run -p specs --bin vectors` writes `specs/vectors`; the tests of this crate compare, run
//! and count them. Nothing depends on this crate.

// A fault in here is a bug of the generator, and stopping is the right answer to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod case;
pub mod chain;
pub mod checks;
pub mod code;
pub mod content;
pub mod curve;
pub mod encoding;
pub mod entry;
pub mod framing;
pub mod kit;
pub mod node;
pub mod object;
pub mod oracle;
pub mod sample;
pub mod signature;
pub mod value;

use case::File;

/// Every vector file, as it must stand in `specs/vectors`.
pub fn files() -> Vec<File> {
    vec![
        encoding::file(),
        object::file(),
        object::chunks(),
        content::file(),
        value::ids(),
        value::periods(),
        value::decimals(),
        signature::keys(),
        signature::file(),
        entry::file(),
        chain::file(),
        framing::file(),
    ]
}

//! Conformance of the engine and of the importers with sources outside this repository.
//!
//! - [`vtl_conformance`]: examples and grammar tests of the VTL standard (program `vtl-kit`);
//! - [`published_figures`]: figures that agencies published, computed again (program
//!   `published-checks`);
//! - [`oracle`]: numeric scripts with results of another implementation (program `vtl-oracle`);
//! - [`arithmetic`]: single operations of decimal128, aimed at roundings that are hard to decide
//!   (program `decimal-oracle`).
//!
//! The clients of SDMX and the checks against the OpenAPI document are Python programs in `clients`.

// A developer's program: an error in its own files is a bug, and stopping is the right answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod arithmetic;
pub mod oracle;
pub mod published_figures;
pub mod vtl_conformance;

//! The data formats that all machines must agree on byte for byte.
//!
//! This crate owns the encoding of objects (strict DAG-CBOR), their identifiers
//! (CIDv1 over BLAKE3-256), signatures (Ed25519), log entries (COSE_Sign1), exact decimals,
//! periods and the columnar form of data sets. It is the lowest layer: no IO, no
//! clock, no randomness, no dependency on another crate of the project.
//!
//! The normative text is in `specs/`, the grammar of each object in `schemas/*.cddl`, the vectors are
//! in `specs/vectors`.

pub mod address;
pub mod car;
pub mod cbor;
pub mod chunk;
pub mod cid;
pub mod column;
pub mod content;
pub mod decimal;
pub mod digest;
pub mod digits;
pub mod duration;
pub mod entry;
pub mod interval;
pub mod key;
pub mod limits;
pub mod object;
pub mod period;
pub mod seal;
pub mod sort_key;
pub mod structure;
pub mod table;
pub mod text;
pub mod verdict;

//! Every value that two machines must agree on byte for byte.
//!
//! This crate owns the encoding of objects (strict DAG-CBOR), their identifiers
//! (CIDv1 over BLAKE3-256), signatures (Ed25519), log entries (COSE_Sign1), exact decimals,
//! periods and the columnar form of data sets. It is the ground of the house: it does no IO, reads
//! no clock, knows no randomness, and depends on no other crate of the project.
//!
//! The normative text stands in `specs/`; the grammar of each object in `schemas/*.cddl`; the
//! vectors in `specs/vectors`.

pub mod address;
pub mod car;
pub mod cbor;
pub mod chunk;
pub mod cid;
pub mod content;
pub mod decimal;
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

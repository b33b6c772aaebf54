//! Keys and values of the index rows.
//!
//! | tree | key | value |
//! |---|---|---|
//! | entries | publisher ‖ seq | entry id ‖ object id |
//! | heads | publisher | DAG-CBOR [`HeadRow`] |
//! | releases, datasets, recipes | publisher ‖ seq | object id |
//! | attestations | release id ‖ attestor ‖ seq | attestation id |
//! | verdicts | release id | id of the attestation object made here |
//! | follows | publisher | empty |
//! | peers | multiaddr, UTF-8 | empty |
//! | forks | publisher ‖ seq | id of the entry that proves the fork |
//! | meta | `own` | publisher id |
//! | meta | `o` ‖ object id ‖ publisher ‖ seq | empty |
//! | meta | `r` ‖ publisher ‖ id of the retracted object or entry ‖ seq | id of the retraction |
//!
//! Ids are the 36 bytes of the CID; a sequence number is 8 bytes, big endian.

use schemas::cid::{CID_BYTES, Cid, EntryId, PublisherId};
use serde::{Deserialize, Serialize};

/// Value of a row of the tree `heads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadRow {
    /// Stored entries.
    pub length: u64,
    /// The last of them.
    pub last: EntryId,
    /// Entries from the start with all dependencies stored or skipped.
    pub complete: u64,
}

/// The key of the own publisher in the tree `meta`.
pub(crate) const OWN: &[u8] = b"own";

/// `publisher ‖ seq`.
pub(crate) fn position_key(publisher: PublisherId, seq: u64) -> Vec<u8> {
    [publisher.cid().to_bytes().as_slice(), &seq.to_be_bytes()].concat()
}

/// Inverse of [`position_key`].
pub(crate) fn read_position_key(key: &[u8]) -> Option<(PublisherId, u64)> {
    let (publisher, seq) = key.split_at_checked(CID_BYTES)?;
    let publisher = PublisherId::try_from(Cid::from_bytes(publisher).ok()?).ok()?;
    Some((publisher, u64::from_be_bytes(seq.try_into().ok()?)))
}

/// `entry ‖ object`.
pub(crate) fn entry_value(entry: EntryId, object: Cid) -> Vec<u8> {
    [entry.cid().to_bytes(), object.to_bytes()].concat()
}

/// Inverse of [`entry_value`].
pub(crate) fn read_entry_value(value: &[u8]) -> Option<(EntryId, Cid)> {
    let (entry, object) = value.split_at_checked(CID_BYTES)?;
    Some((EntryId::try_from(Cid::from_bytes(entry).ok()?).ok()?, Cid::from_bytes(object).ok()?))
}

/// `release ‖ attestor ‖ seq`.
pub(crate) fn attestation_key(release: Cid, attestor: PublisherId, seq: u64) -> Vec<u8> {
    [release.to_bytes().as_slice(), &position_key(attestor, seq)].concat()
}

/// `o ‖ object`, the key prefix of the positions of an object.
pub(crate) fn object_prefix(object: Cid) -> Vec<u8> {
    [b"o".as_slice(), &object.to_bytes()].concat()
}

/// `r ‖ publisher ‖ subject`, the key prefix of the retractions of an object or entry.
pub(crate) fn retraction_prefix(publisher: PublisherId, subject: Cid) -> Vec<u8> {
    [b"r".as_slice(), &publisher.cid().to_bytes(), &subject.to_bytes()].concat()
}

/// `r ‖ publisher ‖ subject ‖ seq`, the key of a retraction.
pub(crate) fn retraction_key(publisher: PublisherId, subject: Cid, seq: u64) -> Vec<u8> {
    [retraction_prefix(publisher, subject).as_slice(), &seq.to_be_bytes()].concat()
}

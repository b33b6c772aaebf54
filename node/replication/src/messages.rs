//! The messages between two nodes and their encoding (`specs/network.md`, "Messages").
//!
//! Every message is canonical DAG-CBOR. Decoding refuses bytes above the size limit, bytes that are
//! not canonical, and counts out of bounds, so a decoded message is always within the limits.

use schemas::cbor;
use schemas::cid::{Cid, EntryId, PublisherId};
use serde::{Deserialize, Serialize};

use crate::limits::{ANNOUNCEMENT_BYTES_MAX, BLOCKS_MAX, ENTRIES_MAX, HEADS_MAX, REQUEST_BYTES_MAX};

/// The length of a log and its last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogHead {
    /// Publisher of the log.
    pub publisher: PublisherId,
    /// Number of entries, at least 1.
    pub length: u64,
    /// The entry with sequence number `length - 1`. Decoding does not check that it is the genesis
    /// where `length` is 1; the machine ignores a head in which it is not.
    pub last: EntryId,
}

/// A request of one node to another, answered by a stream of blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SyncRequest {
    /// Entries `from .. from + count` of a log, ascending, as far as the server stores them.
    Entries {
        /// Publisher of the log.
        publisher: PublisherId,
        /// Sequence number of the first entry.
        from: u64,
        /// Maximum number of entries, 1 to [`ENTRIES_MAX`].
        count: u64,
    },
    /// Blocks by id, those that the server stores, in any order.
    Blocks {
        /// The ids, 1 to [`BLOCKS_MAX`].
        ids: Vec<Cid>,
    },
}

/// The heads of the logs that a node stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The heads, 1 to [`HEADS_MAX`].
    pub heads: Vec<LogHead>,
}

/// Error of encoding or decoding a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than the limit for the type of message.
    #[error("message too long: {bytes} bytes (expected at most {max})")]
    Size {
        /// Size in bytes.
        bytes: usize,
        /// Upper limit.
        max: usize,
    },
    /// Not canonical DAG-CBOR of the expected shape.
    #[error(transparent)]
    Cbor(#[from] cbor::Error),
    /// A count out of bounds.
    #[error("{count} {items} (expected 1 to {max})")]
    Count {
        /// The counted items, in plural.
        items: &'static str,
        /// The number found.
        count: u64,
        /// Upper limit.
        max: u64,
    },
    /// `from + count` exceeds 64 bits.
    #[error("`from` + `count` exceeds 64 bits")]
    Overflow,
}

impl SyncRequest {
    /// Encodes the request.
    ///
    /// # Errors
    /// [`Error::Count`], [`Error::Overflow`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        Ok(cbor::encode(self)?)
    }

    /// Decodes a request.
    ///
    /// # Errors
    /// Every variant of [`enum@Error`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        check_size(bytes, REQUEST_BYTES_MAX)?;
        let request: Self = cbor::decode(bytes)?;
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            SyncRequest::Entries { from, count, .. } => {
                check_count("entries", *count, ENTRIES_MAX)?;
                from.checked_add(*count).map(|_| ()).ok_or(Error::Overflow)
            }
            SyncRequest::Blocks { ids } => check_count("blocks", ids.len() as u64, BLOCKS_MAX as u64),
        }
    }
}

impl Announcement {
    /// Encodes the announcement.
    ///
    /// # Errors
    /// [`Error::Count`], [`Error::Overflow`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        Ok(cbor::encode(self)?)
    }

    /// Decodes an announcement.
    ///
    /// # Errors
    /// Every variant of [`enum@Error`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        check_size(bytes, ANNOUNCEMENT_BYTES_MAX)?;
        let announcement: Self = cbor::decode(bytes)?;
        announcement.check()?;
        Ok(announcement)
    }

    fn check(&self) -> Result<(), Error> {
        check_count("heads", self.heads.len() as u64, HEADS_MAX as u64)?;
        self.heads.iter().try_for_each(|head| check_count("entries in a log", head.length, u64::MAX))
    }
}

fn check_size(bytes: &[u8], max: usize) -> Result<(), Error> {
    if bytes.len() <= max { Ok(()) } else { Err(Error::Size { bytes: bytes.len(), max }) }
}

fn check_count(items: &'static str, count: u64, max: u64) -> Result<(), Error> {
    if (1..=max).contains(&count) { Ok(()) } else { Err(Error::Count { items, count, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher() -> PublisherId {
        PublisherId::of(b"genesis")
    }

    fn entries(from: u64, count: u64) -> SyncRequest {
        SyncRequest::Entries { publisher: publisher(), from, count }
    }

    #[test]
    fn requests_round_trip() {
        let ids = (0..BLOCKS_MAX as u8).map(|n| PublisherId::of(&[n]).cid()).collect();
        for request in [entries(0, 1), entries(7, ENTRIES_MAX), SyncRequest::Blocks { ids }] {
            let bytes = request.encode().unwrap();
            assert!(bytes.len() <= REQUEST_BYTES_MAX);
            assert_eq!(SyncRequest::decode(&bytes), Ok(request));
        }
    }

    #[test]
    fn the_longest_announcement_is_within_its_size_limit() {
        let head = LogHead { publisher: publisher(), length: u64::MAX, last: publisher().genesis() };
        let announcement = Announcement { heads: vec![head; HEADS_MAX] };
        let bytes = announcement.encode().unwrap();
        assert!(bytes.len() <= ANNOUNCEMENT_BYTES_MAX, "{}", bytes.len());
        assert_eq!(Announcement::decode(&bytes), Ok(announcement));
    }

    #[test]
    fn counts_out_of_bounds_are_refused() {
        let many = vec![publisher().cid(); BLOCKS_MAX + 1];
        let blocks = |ids| SyncRequest::Blocks { ids };
        for request in [entries(0, 0), entries(0, ENTRIES_MAX + 1), blocks(vec![]), blocks(many)] {
            assert!(matches!(request.encode(), Err(Error::Count { .. })), "{request:?}");
            let bytes = cbor::encode(&request).unwrap();
            assert!(matches!(SyncRequest::decode(&bytes), Err(Error::Count { .. })), "{request:?}");
        }
        assert_eq!(entries(u64::MAX, 1).encode(), Err(Error::Overflow));
        assert!(Announcement { heads: vec![] }.encode().is_err());
        let head = LogHead { publisher: publisher(), length: 0, last: publisher().genesis() };
        assert!(Announcement { heads: vec![head] }.encode().is_err());
    }

    #[test]
    fn changed_and_truncated_bytes_are_refused() {
        let bytes = entries(3, 4).encode().unwrap();
        for at in 0..bytes.len() {
            assert!(SyncRequest::decode(&bytes[..at]).is_err(), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 0x80;
            assert_ne!(SyncRequest::decode(&changed), Ok(entries(3, 4)), "byte {at}");
        }
        assert!(matches!(SyncRequest::decode(&[0; REQUEST_BYTES_MAX + 1]), Err(Error::Size { .. })));
    }
}

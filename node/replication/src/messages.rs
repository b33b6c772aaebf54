//! The messages between two nodes and their bytes (`specs/network.md`, "Messages").
//!
//! Every message is canonical DAG-CBOR. Decoding refuses what is longer than its bound, not
//! canonical, or empty where something must stand, so that what is decoded is within the limits.

use schemas::cbor;
use schemas::cid::{Cid, EntryId, PublisherId};
use serde::{Deserialize, Serialize};

use crate::limits::{ANNOUNCEMENT_BYTES_MAX, BLOCKS_MAX, ENTRIES_MAX, HEADS_MAX, REQUEST_BYTES_MAX};

/// The state of a log: how many entries, and which is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogHead {
    /// Whose log.
    pub publisher: PublisherId,
    /// Entries in it, at least one.
    pub length: u64,
    /// The entry with sequence number `length - 1`.
    pub last: EntryId,
}

/// What one node asks of another; each is answered by a stream of blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SyncRequest {
    /// Entries `from .. from + count` of a log, in order, as many of them as there are.
    Entries {
        /// Whose log.
        publisher: PublisherId,
        /// The first sequence number.
        from: u64,
        /// How many at the most, 1 to [`ENTRIES_MAX`].
        count: u64,
    },
    /// Blocks by id, in any order, those that are held.
    Blocks {
        /// The ids, 1 to [`BLOCKS_MAX`].
        ids: Vec<Cid>,
    },
}

/// Which logs a node holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The heads, 1 to [`HEADS_MAX`].
    pub heads: Vec<LogHead>,
}

/// Why bytes are no message, or a message has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than the bound of its kind.
    #[error("a message of {bytes} bytes (expected at most {max})")]
    Size {
        /// Its size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// Not canonical DAG-CBOR of the expected shape.
    #[error(transparent)]
    Cbor(#[from] cbor::Error),
    /// A number of things out of bounds.
    #[error("{what}: {count} (expected 1 to {max})")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// The bound.
        max: u64,
    },
    /// Sequence numbers beyond 64 bits.
    #[error("sequence numbers beyond 64 bits")]
    Overflow,
}

impl SyncRequest {
    /// The bytes of the request.
    ///
    /// # Errors
    /// A count out of bounds.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        Ok(cbor::encode(self)?)
    }

    /// Reads a request.
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
    /// The bytes of the announcement.
    ///
    /// # Errors
    /// A count out of bounds.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        Ok(cbor::encode(self)?)
    }

    /// Reads an announcement.
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
        self.heads.iter().try_for_each(|head| check_count("length of a log", head.length, u64::MAX))
    }
}

fn check_size(bytes: &[u8], max: usize) -> Result<(), Error> {
    if bytes.len() <= max { Ok(()) } else { Err(Error::Size { bytes: bytes.len(), max }) }
}

fn check_count(what: &'static str, count: u64, max: u64) -> Result<(), Error> {
    if (1..=max).contains(&count) { Ok(()) } else { Err(Error::Count { what, count, max }) }
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
    fn requests_lead_back() {
        let ids = (0..BLOCKS_MAX as u8).map(|n| PublisherId::of(&[n]).cid()).collect();
        for request in [entries(0, 1), entries(7, ENTRIES_MAX), SyncRequest::Blocks { ids }] {
            let bytes = request.encode().unwrap();
            assert!(bytes.len() <= REQUEST_BYTES_MAX);
            assert_eq!(SyncRequest::decode(&bytes), Ok(request));
        }
    }

    #[test]
    fn the_longest_announcement_fits() {
        let head = LogHead { publisher: publisher(), length: u64::MAX, last: publisher().genesis() };
        let announcement = Announcement { heads: vec![head; HEADS_MAX] };
        let bytes = announcement.encode().unwrap();
        assert!(bytes.len() <= ANNOUNCEMENT_BYTES_MAX, "{}", bytes.len());
        assert_eq!(Announcement::decode(&bytes), Ok(announcement));
    }

    #[test]
    fn what_is_out_of_bounds_has_no_bytes() {
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
    fn foreign_bytes_are_refused() {
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

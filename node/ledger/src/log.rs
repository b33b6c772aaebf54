//! The log of a publisher: rules for the next entry and for the key that signs it.
//!
//! The genesis is signed by a root key of the identity that it carries. Each later entry names
//! the publisher, the next sequence number, the previous entry, and a key that the identity allows
//! for that type of object. Key validity depends on the position in the log, never on a clock.

use schemas::cid::{EntryId, PublisherId};
use schemas::entry::{Entry, EntryPosition, Payload};
use schemas::limits::INLINE_BYTES_MAX;
use schemas::object::{Identity, KeyUse, Object};
use schemas::seal::Sealed;

/// Object types allowed in a log.
pub const LOG_OBJECT_TYPES: [&str; 6] =
    ["identity", "dataset", "recipe", "release", "retraction", "attestation"];

/// Rejection of an entry by the rules of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A first entry without an identity, or not signed by one of its root keys.
    #[error("not a genesis entry: {0}")]
    Genesis(&'static str),
    /// An entry of another log.
    #[error("entry of publisher {found} in the log of {expected}")]
    WrongPublisher {
        /// The log.
        expected: PublisherId,
        /// The log that the entry names.
        found: PublisherId,
    },
    /// Entries are missing before this one.
    #[error("entry {found} cannot follow: the next sequence number is {expected}")]
    Gap {
        /// The next sequence number.
        expected: u64,
        /// The one found.
        found: u64,
    },
    /// Another entry has this sequence number: the publisher has forked its log.
    #[error("fork: another entry with sequence number {seq} is already stored")]
    Fork {
        /// The sequence number.
        seq: u64,
    },
    /// The previous entry differs from the stored one.
    #[error("fork: entry {seq} follows {found}, but {expected} is stored")]
    Prev {
        /// The sequence number of the new entry.
        seq: u64,
        /// The last stored entry.
        expected: EntryId,
        /// The previous entry named by the new entry.
        found: EntryId,
    },
    /// The key may not sign this type of object.
    #[error("the key may not sign an object of type `{0}`")]
    Key(String),
    /// An object type that is not allowed in a log.
    #[error("an object of type `{0}` is not allowed in a log")]
    ObjectType(String),
    /// The object does not match its entry.
    #[error("the object of entry {seq} does not match the entry: {reason}")]
    Object {
        /// The sequence number.
        seq: u64,
        /// The mismatch.
        reason: &'static str,
    },
}

impl LogError {
    /// Whether the entry shows that the publisher signed two histories.
    pub fn is_fork(&self) -> bool {
        matches!(self, LogError::Fork { .. } | LogError::Prev { .. })
    }
}

/// State of a log after its entries so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    publisher: PublisherId,
    identity: Identity,
    length: u64,
    last: EntryId,
}

impl Log {
    /// The state after the genesis entry.
    ///
    /// # Errors
    /// [`LogError::Genesis`].
    pub fn from_genesis(genesis: &Sealed<Entry>) -> Result<Self, LogError> {
        let entry = genesis.value();
        let EntryPosition::Genesis = entry.position else {
            return Err(LogError::Genesis("it has a sequence number"));
        };
        let Payload::Inline(object, _) = &entry.payload else {
            return Err(LogError::Genesis("its object is not inline"));
        };
        let Object::Identity(identity) = object.as_ref() else {
            return Err(LogError::Genesis("it contains no identity"));
        };
        if !identity.roots.contains(&entry.key) {
            return Err(LogError::Genesis("it is not signed by a root key of its identity"));
        }
        Ok(Self { publisher: genesis.publisher(), identity: identity.clone(), length: 1, last: genesis.id() })
    }

    /// Appends the next entry.
    ///
    /// # Errors
    /// Every variant of [`LogError`] except `Genesis`; the log is then unchanged.
    pub fn append(&mut self, entry: &Sealed<Entry>) -> Result<(), LogError> {
        self.check_entry(entry)?;
        self.length += 1;
        self.last = entry.id();
        Ok(())
    }

    /// Checks whether the entry may come next.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn check_entry(&self, entry: &Sealed<Entry>) -> Result<(), LogError> {
        // The order of these checks is part of the format (specs/log.md, section 5).
        if entry.publisher() != self.publisher {
            return Err(LogError::WrongPublisher { expected: self.publisher, found: entry.publisher() });
        }
        // The publisher id is the id of the genesis, so a genesis here is entry 0 once more.
        let EntryPosition::Next { seq, prev, .. } = entry.value().position else {
            return Err(LogError::Fork { seq: 0 });
        };
        if seq < self.length {
            return Err(LogError::Fork { seq });
        }
        if seq > self.length {
            return Err(LogError::Gap { expected: self.length, found: seq });
        }
        if prev != self.last {
            return Err(LogError::Prev { seq, expected: self.last, found: prev });
        }
        check_key(&self.identity, entry.value())
    }

    /// The publisher.
    pub fn publisher(&self) -> PublisherId {
        self.publisher
    }

    /// The identity with the keys that may sign.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Number of entries; the next sequence number.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The last entry.
    pub fn last(&self) -> EntryId {
        self.last
    }

    /// The position of the next entry.
    pub fn next_position(&self) -> EntryPosition {
        EntryPosition::Next { publisher: self.publisher, seq: self.length, prev: self.last, authority: 0 }
    }

    /// The state stored earlier: `length` entries ending in `last`. The caller guarantees that they were
    /// appended one by one.
    pub fn resume(genesis: &Sealed<Entry>, length: u64, last: EntryId) -> Result<Self, LogError> {
        // The genesis itself counts, so no log is shorter than 1.
        Self::from_genesis(genesis).map(|log| Self { length: length.max(1), last, ..log })
    }
}

/// Checks that the identity allows the key of the entry to sign this type of object.
///
/// # Errors
/// [`LogError::Key`], [`LogError::ObjectType`].
pub fn check_key(identity: &Identity, entry: &Entry) -> Result<(), LogError> {
    let kind = entry.object_type.as_str();
    // An identity occurs at 0 only (specs/log.md, section 5, rule 5).
    if !LOG_OBJECT_TYPES.contains(&kind) || kind == "identity" {
        return Err(LogError::ObjectType(entry.object_type.clone()));
    }
    let wanted = if kind == "attestation" { KeyUse::Attest } else { KeyUse::Publish };
    // Version 1 has no key operations, so only the genesis grants uses (specs/log.md, section 5).
    let authority = matches!(entry.position, EntryPosition::Next { authority: 0, .. });
    let allowed = identity.keys.iter().any(|key| key.key == entry.key && key.uses.contains(&wanted));
    if authority && allowed { Ok(()) } else { Err(LogError::Key(entry.object_type.clone())) }
}

/// Checks an object against its entry: the type, the subject, and that a linked object is too large to
/// be inline. `bytes` is its encoded size.
///
/// # Errors
/// [`LogError::Object`].
pub fn check_object(entry: &Entry, object: &Object, bytes: usize) -> Result<(), LogError> {
    let error = |reason| Err(LogError::Object { seq: entry.seq(), reason });
    if object.object_type() != entry.object_type {
        return error("its type differs");
    }
    if schemas::entry::object_subject(object) != entry.subject {
        return error("its subject differs");
    }
    // The size alone decides the form, so an object has one entry form (specs/log.md, section 3).
    if matches!(entry.payload, Payload::Linked(_)) && bytes <= INLINE_BYTES_MAX {
        return error("it is small enough to be inline");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Publisher;

    #[test]
    fn entries_follow_one_another() {
        let mut publisher = Publisher::new(1);
        let mut log = Log::from_genesis(&publisher.genesis).unwrap();
        let first = publisher.retract("a");
        let second = publisher.retract("b");
        assert_eq!(log.append(&second), Err(LogError::Gap { expected: 1, found: 2 }));
        assert_eq!(log.append(&first), Ok(()));
        assert_eq!(log.append(&first), Err(LogError::Fork { seq: 1 }));
        assert_eq!(log.append(&second), Ok(()));
        assert_eq!((log.length(), log.last()), (3, second.id()));
    }

    #[test]
    fn two_histories_are_a_fork_and_foreign_entries_are_refused() {
        let (mut one, mut other) = (Publisher::new(1), Publisher::new(1));
        let mut log = Log::from_genesis(&one.genesis).unwrap();
        log.append(&one.retract("a")).unwrap();
        other.retract("b");
        let error = log.append(&other.retract("c")).unwrap_err();
        assert!(error.is_fork(), "{error}");
        let mut stranger = Publisher::new(2);
        assert!(matches!(log.append(&stranger.retract("a")), Err(LogError::WrongPublisher { .. })));
    }

    #[test]
    fn a_key_signs_what_it_may() {
        let publisher = Publisher::new(1);
        let mut log = Log::from_genesis(&publisher.genesis).unwrap();
        let by_root = publisher.signed_by_root("a");
        assert_eq!(log.append(&by_root), Err(LogError::Key("retraction".into())));
        assert!(matches!(Log::from_genesis(&by_root), Err(LogError::Genesis(_))));
    }
}

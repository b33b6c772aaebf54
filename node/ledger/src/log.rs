//! A publisher's log: which entry may come next, and which key may sign it.
//!
//! The genesis is signed by a root key of the identity that it carries. Each later entry names
//! the publisher, the next sequence number, the entry before, and a key that the identity allows
//! for that kind of object. Key validity goes by position in the log, never by clock.

use schemas::cid::{EntryId, PublisherId};
use schemas::entry::{Entry, EntryPosition, Payload};
use schemas::limits::INLINE_BYTES_MAX;
use schemas::object::{Identity, KeyUse, Object};
use schemas::seal::Sealed;

/// Kinds of object that a log may carry.
pub const LOG_OBJECT_TYPES: [&str; 6] =
    ["identity", "dataset", "recipe", "release", "retraction", "attestation"];

/// Why an entry may not stand where it wants to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A first entry that carries no identity, or is not signed by one of its root keys.
    #[error("not a genesis: {0}")]
    Genesis(&'static str),
    /// An entry of another log.
    #[error("an entry of publisher {found} in the log of {expected}")]
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
    /// Another entry holds this place already: the publisher has forked its log.
    #[error("fork: another entry with sequence number {seq} is held")]
    Fork {
        /// The sequence number.
        seq: u64,
    },
    /// The entry before is another than the one held.
    #[error("fork: entry {seq} follows {found}, but {expected} is held")]
    Prev {
        /// The sequence number of the new entry.
        seq: u64,
        /// The last entry held.
        expected: EntryId,
        /// The one that the new entry names.
        found: EntryId,
    },
    /// The key may not sign this kind of object.
    #[error("the key may not sign an object of kind `{0}`")]
    Key(String),
    /// A kind of object that has no place in a log.
    #[error("an object of kind `{0}` has no place in a log")]
    ObjectType(String),
    /// The object of an entry is not what the entry says.
    #[error("the object of entry {seq} does not fit it: {reason}")]
    Object {
        /// The sequence number.
        seq: u64,
        /// What does not fit.
        reason: &'static str,
    },
}

impl LogError {
    /// Whether the entry shows that the publisher signed two histories.
    pub fn is_fork(&self) -> bool {
        matches!(self, LogError::Fork { .. } | LogError::Prev { .. })
    }
}

/// What is known of a log after its entries so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    publisher: PublisherId,
    identity: Identity,
    length: u64,
    last: EntryId,
}

impl Log {
    /// Begins a log.
    ///
    /// # Errors
    /// [`Fault::Genesis`].
    pub fn from_genesis(genesis: &Sealed<Entry>) -> Result<Self, LogError> {
        let entry = genesis.value();
        let EntryPosition::Genesis = entry.position else {
            return Err(LogError::Genesis("it has a sequence number"));
        };
        let Payload::Inline(object, _) = &entry.payload else {
            return Err(LogError::Genesis("its object is not inline"));
        };
        let Object::Identity(identity) = object.as_ref() else {
            return Err(LogError::Genesis("it carries no identity"));
        };
        if !identity.roots.contains(&entry.key) {
            return Err(LogError::Genesis("it is not signed by a root key of its identity"));
        }
        Ok(Self { publisher: genesis.publisher(), identity: identity.clone(), length: 1, last: genesis.id() })
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// Every variant of [`Fault`] but `Genesis`; the log is unchanged then.
    pub fn append(&mut self, entry: &Sealed<Entry>) -> Result<(), LogError> {
        self.check_entry(entry)?;
        self.length += 1;
        self.last = entry.id();
        Ok(())
    }

    /// Whether the entry may come next.
    ///
    /// # Errors
    /// As [`Log::take`].
    pub fn check_entry(&self, entry: &Sealed<Entry>) -> Result<(), LogError> {
        if entry.publisher() != self.publisher {
            return Err(LogError::WrongPublisher { expected: self.publisher, found: entry.publisher() });
        }
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

    /// Who may sign.
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

    /// The place of the next entry.
    pub fn next_position(&self) -> EntryPosition {
        EntryPosition::Next { publisher: self.publisher, seq: self.length, prev: self.last, authority: 0 }
    }

    /// The log as it was kept: `length` entries ending in `last`, of which the caller knows that
    /// they were taken one by one.
    pub fn resume(genesis: &Sealed<Entry>, length: u64, last: EntryId) -> Result<Self, LogError> {
        Self::from_genesis(genesis).map(|log| Self { length: length.max(1), last, ..log })
    }
}

/// Whether the identity lets the entry's key sign the entry's kind of object.
///
/// # Errors
/// [`Fault::Key`], [`Fault::Kind`].
pub fn check_key(identity: &Identity, entry: &Entry) -> Result<(), LogError> {
    let kind = entry.object_type.as_str();
    if !LOG_OBJECT_TYPES.contains(&kind) || kind == "identity" {
        return Err(LogError::ObjectType(entry.object_type.clone()));
    }
    let wanted = if kind == "attestation" { KeyUse::Attest } else { KeyUse::Publish };
    let authority = matches!(entry.position, EntryPosition::Next { authority: 0, .. });
    let allowed = identity.keys.iter().any(|key| key.key == entry.key && key.uses.contains(&wanted));
    if authority && allowed { Ok(()) } else { Err(LogError::Key(entry.object_type.clone())) }
}

/// Whether the object of an entry that carries it by id is what the entry says, once its bytes
/// are held: of that kind, about that subject, and really too large to stand inline.
///
/// # Errors
/// [`Fault::Object`].
pub fn check_object(entry: &Entry, object: &Object, bytes: usize) -> Result<(), LogError> {
    let fault = |reason| Err(LogError::Object { seq: entry.seq(), reason });
    if object.object_type() != entry.object_type {
        return fault("it is of another kind");
    }
    if schemas::entry::object_subject(object) != entry.subject {
        return fault("it is about something else");
    }
    if matches!(entry.payload, Payload::Linked(_)) && bytes <= INLINE_BYTES_MAX {
        return fault("it is small enough to stand inline");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Publisher;

    #[test]
    fn entries_follow_one_another() {
        let mut office = Publisher::new(1);
        let mut log = Log::from_genesis(&office.genesis).unwrap();
        let first = office.retract("a");
        let second = office.retract("b");
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
        let fault = log.append(&other.retract("c")).unwrap_err();
        assert!(fault.is_fork(), "{fault}");
        let mut stranger = Publisher::new(2);
        assert!(matches!(log.append(&stranger.retract("a")), Err(LogError::WrongPublisher { .. })));
    }

    #[test]
    fn a_key_signs_what_it_may() {
        let office = Publisher::new(1);
        let mut log = Log::from_genesis(&office.genesis).unwrap();
        let by_root = office.signed_by_root("a");
        assert_eq!(log.append(&by_root), Err(LogError::Key("retraction".into())));
        assert!(matches!(Log::from_genesis(&by_root), Err(LogError::Genesis(_))));
    }
}

//! The rules of the ledger: order and keys of log entries, dependencies of objects, verification of
//! releases.
//!
//! Everything is a pure function of bytes passed in by the caller: no IO, no clock, no randomness. A
//! node, the command line with a bundle and the simulation call the same functions, so they reach the
//! same verdicts.

pub mod bundle;
pub mod compute;
pub mod dependencies;
pub mod log;
pub mod revision;
pub mod standing;
pub mod verify;

/// The recipe language, for callers that check and run scripts without a ledger.
pub use vtl;

use schemas::cid::Cid;

/// Looks up a block by its id. An implementation returns only bytes whose hash matches the id.
pub type BlockSource<'a> = &'a dyn Fn(Cid) -> Option<Vec<u8>>;

#[cfg(test)]
mod tests {
    //! A publisher for the tests of this crate.

    use schemas::entry::{self, Entry, EntryPosition};
    use schemas::key::SecretKey;
    use schemas::object::{Identity, KeyUse, OperatingKey, Retraction, RetractionScope, encode_object};
    use schemas::seal::Sealed;
    use schemas::text::Text;

    use crate::log::Log;

    /// Signs entries one after another.
    pub(crate) struct Publisher {
        root: SecretKey,
        key: SecretKey,
        log: Log,
        pub(crate) genesis: Sealed<Entry>,
    }

    impl Publisher {
        pub(crate) fn new(seed: u8) -> Self {
            let (root, key) = (SecretKey::from_seed(&[seed; 32]), SecretKey::from_seed(&[seed + 100; 32]));
            let identity = Identity {
                name: Text::new("Publisher").unwrap(),
                contact: None,
                roots: vec![root.public()],
                next_root: [0; 32],
                keys: vec![OperatingKey { key: key.public(), uses: vec![KeyUse::Publish, KeyUse::Attest] }],
            };
            let genesis =
                entry::sign_entry(EntryPosition::Genesis, 0, &encode_object(&identity).unwrap(), &root)
                    .unwrap();
            let log = Log::from_genesis(&genesis).unwrap();
            Self { root, key, log, genesis }
        }

        fn retraction(reason: &str) -> Vec<u8> {
            let subject = schemas::cid::EntryId::of(b"x").cid();
            let reason = Text::new(reason).unwrap();
            encode_object(&Retraction { subject, scope: RetractionScope::Whole, reason, replacement: None })
                .unwrap()
        }

        pub(crate) fn retract(&mut self, reason: &str) -> Sealed<Entry> {
            self.sign(&Self::retraction(reason))
        }

        pub(crate) fn sign(&mut self, object: &[u8]) -> Sealed<Entry> {
            let entry = entry::sign_entry(self.log.next_position(), 0, object, &self.key).unwrap();
            self.log.append(&entry).unwrap();
            entry
        }

        pub(crate) fn signed_by_root(&self, reason: &str) -> Sealed<Entry> {
            entry::sign_entry(self.log.next_position(), 0, &Self::retraction(reason), &self.root).unwrap()
        }
    }
}

//! A publisher in memory: keys from a seed, a log, and the blocks that its entries need.

use std::collections::BTreeMap;

use ledger::log::Log;
use schemas::cid::{Cid, EntryId, PublisherId};
use schemas::content::{Block, encode_block};
use schemas::entry::{Entry, EntryPosition, sign_entry};
use schemas::key::SecretKey;
use schemas::object::{
    Identity, KeyUse, ObjectType, OperatingKey, Retraction, RetractionScope, encode_object,
};
use schemas::seal::Sealed;

use crate::sample::make_text;

/// Distance between the seed of a publisher's root key and that of its operating key.
const OPERATING_KEY_OFFSET: u8 = 100;

/// Name of the publisher in tests that have one.
pub const STATISTICS_OFFICE: &str = "Example Statistics Office";
/// Name of a second participant, who reads and verifies what the first one publishes.
pub const RESEARCH_INSTITUTE: &str = "Example Research Institute";
/// Name of a participant whom the others do not follow.
pub const UNIVERSITY: &str = "Example University";

/// A publisher with one root key and one operating key for both uses. All its entries have time 0.
#[derive(Debug, Clone)]
pub struct Publisher {
    seed: u8,
    /// Log as verification sees it: head and identity.
    pub log: Log,
    /// Entries by sequence number.
    pub entries: Vec<Sealed<Entry>>,
    /// Entries, objects and all blocks that they need.
    pub blocks: BTreeMap<Cid, Vec<u8>>,
}

impl Publisher {
    /// A publisher with a genesis; publishers of different seeds have different keys. The seed is below
    /// 156, so that the seed of the operating key fits into a byte.
    pub fn new(seed: u8) -> Self {
        Self::named(seed, "Publisher")
    }

    /// A publisher with this name. The name is part of the genesis, so the same seed with another name
    /// is another publisher.
    pub fn named(seed: u8, name: &str) -> Self {
        let genesis = sign_genesis(seed, name);
        let log = Log::from_genesis(&genesis).unwrap();
        let mut publisher = Self { seed, log, entries: Vec::new(), blocks: BTreeMap::new() };
        publisher.store_entry(genesis);
        publisher
    }

    /// Id of the publisher.
    pub fn id(&self) -> PublisherId {
        self.log.publisher()
    }

    /// First entry of the log.
    pub fn genesis(&self) -> Sealed<Entry> {
        self.entries[0].clone()
    }

    /// Last entry of the log.
    pub fn last_entry(&self) -> Sealed<Entry> {
        self.entries[self.entries.len() - 1].clone()
    }

    /// Bytes of a stored block.
    pub fn block(&self, id: Cid) -> Option<Vec<u8>> {
        self.blocks.get(&id).cloned()
    }

    /// Stores an object without signing it.
    pub fn store_object<T: ObjectType>(&mut self, object: &T) -> T::Id {
        let (id, (cid, bytes)) = encode_block(object).unwrap();
        self.blocks.insert(cid, bytes);
        id
    }

    /// Signs an object that is stored already, as the next entry.
    pub fn sign_stored(&mut self, object: Cid) -> Sealed<Entry> {
        let bytes = self.blocks[&object].clone();
        self.sign_object(&bytes, Vec::new())
    }

    /// Signs an object as the next entry, and stores it with the blocks that it needs.
    pub fn sign_object(&mut self, object: &[u8], blocks: Vec<Block>) -> Sealed<Entry> {
        let entry = sign_entry(self.log.next_position(), 0, object, &operating_key(self.seed)).unwrap();
        self.blocks.insert(entry.value().object(), object.to_vec());
        self.blocks.extend(blocks);
        self.append_entry(entry.clone());
        entry
    }

    /// Appends an entry that was signed elsewhere with the operating key of this publisher.
    pub fn append_entry(&mut self, entry: Sealed<Entry>) {
        self.log.append(&entry).unwrap();
        self.store_entry(entry);
    }

    /// Signs a retraction of nothing in particular, as a short entry.
    pub fn retract(&mut self, reason: &str) -> Sealed<Entry> {
        self.sign_object(&retraction_bytes(reason), Vec::new())
    }

    /// Sets the length of the log as if entries had been signed that the test does not need.
    #[must_use]
    pub fn with_log_length(mut self, length: u64) -> Self {
        self.log = Log::resume(&self.genesis(), length, self.last_entry().id()).unwrap();
        self
    }

    fn store_entry(&mut self, entry: Sealed<Entry>) {
        self.blocks.insert(entry.id().cid(), entry.bytes().to_vec());
        self.entries.push(entry);
    }
}

/// Operating key of the publisher with this seed.
pub fn operating_key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed + OPERATING_KEY_OFFSET; 32])
}

/// Genesis of the publisher with this seed and name.
pub fn sign_genesis(seed: u8, name: &str) -> Sealed<Entry> {
    let root = SecretKey::from_seed(&[seed; 32]);
    let identity = Identity {
        name: make_text(name),
        contact: None,
        roots: vec![root.public()],
        // Version 1 has no key operations, so no test needs the next root key.
        next_root: [0; 32],
        keys: vec![OperatingKey {
            key: operating_key(seed).public(),
            uses: vec![KeyUse::Publish, KeyUse::Attest],
        }],
    };
    sign_entry(EntryPosition::Genesis, 0, &encode_object(&identity).unwrap(), &root).unwrap()
}

/// Encoding of a retraction whose subject exists nowhere; the reason tells several apart.
pub fn retraction_bytes(reason: &str) -> Vec<u8> {
    encode_retraction(EntryId::of(b"x").cid(), reason)
}

/// Encoding of a retraction of the whole of `subject`, without a replacement.
pub fn encode_retraction(subject: Cid, reason: &str) -> Vec<u8> {
    let scope = RetractionScope::Whole;
    encode_object(&Retraction { subject, scope, reason: make_text(reason), replacement: None }).unwrap()
}

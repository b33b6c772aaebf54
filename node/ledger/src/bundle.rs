//! Bundles: one CARv1 file with everything needed to verify entries offline.
//!
//! Roots are the exported entries. The blocks are those entries, the genesis of their logs and all
//! dependencies of their objects; an inline object is not repeated. A bundle is read completely and every
//! block is checked before its content is used.

use std::collections::{BTreeMap, BTreeSet};

use schemas::car;
use schemas::cid::{Cid, Codec, EntryId, PublisherId};
use schemas::entry::{Entry, EntryPosition, Payload};
use schemas::object::{self, Identity, Object};
use schemas::seal::Sealed;

use crate::dependencies::{self, DependencyWalk};
use crate::log::{self, Log};
use crate::{BlockSource, log::LogError};

/// Largest bundle in bytes.
pub const BUNDLE_BYTES_MAX: usize = 1 << 30;

/// Rejection of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than a bundle may have.
    #[error("a bundle of {0} bytes where at most {BUNDLE_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not a CAR file, or a hash mismatch.
    #[error(transparent)]
    Car(#[from] car::Error),
    /// A missing root.
    #[error("root {0} is not in the bundle")]
    Root(Cid),
    /// An entry with an invalid envelope or signature.
    #[error("entry {0}: {1}")]
    Entry(Cid, schemas::entry::Error),
    /// An entry that the rules of its log refuse.
    #[error("entry {0}: {1}")]
    Log(Cid, LogError),
    /// The genesis of a log is missing, so its entries cannot be checked.
    #[error("the genesis of publisher {0} is not in the bundle")]
    Genesis(PublisherId),
    /// A block that no entry of the bundle depends on: the bundle may have been altered.
    #[error("unreferenced block {0}: no entry of the bundle depends on it")]
    Unreferenced(Cid),
}

impl Error {
    /// Whether the error concerns a signature or the right to sign.
    pub fn is_trust(&self) -> bool {
        matches!(self, Error::Entry(..) | Error::Log(..) | Error::Genesis(_))
    }
}

/// A bundle whose blocks and signatures were checked.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// The exported entries.
    pub roots: Vec<EntryId>,
    /// Every entry, checked against the identity of its log.
    pub entries: BTreeMap<EntryId, Sealed<Entry>>,
    /// The identities of the publishers.
    pub identities: BTreeMap<PublisherId, Identity>,
    blocks: BTreeMap<Cid, Vec<u8>>,
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// Each variant of [`enum@Error`].
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(Error::TooLarge(bytes.len()));
        }
        let (roots, records) = car::open_archive(bytes)?;
        let mut bundle = Bundle::default();
        for record in records {
            let (id, block) = record?;
            bundle.blocks.insert(id, block.to_vec());
        }
        for root in roots {
            let id = EntryId::try_from(root).map_err(|_| Error::Root(root))?;
            bundle.open_entry(id)?;
            bundle.roots.push(id);
        }
        bundle.open_other_entries()?;
        bundle.check_entries()?;
        bundle.check_unreferenced()?;
        Ok(bundle)
    }

    /// Refuses blocks that are neither entries nor dependencies of their objects.
    fn check_unreferenced(&self) -> Result<(), Error> {
        let objects = self.entries.values().map(|entry| entry.value().object());
        let needed: BTreeSet<Cid> =
            dependencies::walk_dependencies(objects, &|id| self.block(id), usize::MAX)
                .present
                .into_iter()
                .collect();
        let of_use = |id: &Cid| {
            needed.contains(id) || EntryId::try_from(*id).is_ok_and(|id| self.entries.contains_key(&id))
        };
        match self.blocks.keys().find(|id| !of_use(id)) {
            Some(id) => Err(Error::Unreferenced(*id)),
            None => Ok(()),
        }
    }

    /// Opens the entry `id` and the genesis of its log.
    fn open_entry(&mut self, id: EntryId) -> Result<(), Error> {
        if self.entries.contains_key(&id) {
            return Ok(());
        }
        let bytes = self.blocks.get(&id.cid()).ok_or(Error::Root(id.cid()))?;
        let entry = Sealed::<Entry>::open(bytes.clone()).map_err(|error| Error::Entry(id.cid(), error))?;
        let publisher = entry.publisher();
        if let Payload::Inline(_, object) = &entry.value().payload {
            self.blocks.insert(Cid::of(Codec::DagCbor, object), object.clone());
        }
        self.entries.insert(id, entry);
        if !self.blocks.contains_key(&publisher.cid()) {
            return Err(Error::Genesis(publisher));
        }
        self.open_entry(publisher.genesis())
    }

    /// Opens the other entries in the file (attestations): raw blocks that are valid entries.
    fn open_other_entries(&mut self) -> Result<(), Error> {
        let raw = self.blocks.iter().filter(|(id, _)| id.codec() == Codec::Raw);
        let entries = raw.filter(|(_, bytes)| Sealed::<Entry>::open(bytes.as_slice()).is_ok());
        let ids: Vec<Cid> = entries.map(|(id, _)| *id).collect();
        for id in ids {
            if let Ok(id) = EntryId::try_from(id) {
                self.open_entry(id)?;
            }
        }
        Ok(())
    }

    /// Checks the key and the object of each entry.
    fn check_entries(&mut self) -> Result<(), Error> {
        for (id, entry) in
            self.entries.iter().filter(|(_, entry)| entry.value().position == EntryPosition::Genesis)
        {
            let log = Log::from_genesis(entry).map_err(|error| Error::Log(id.cid(), error))?;
            self.identities.insert(log.publisher(), log.identity().clone());
        }
        for (id, entry) in &self.entries {
            let identity =
                self.identities.get(&entry.publisher()).ok_or(Error::Genesis(entry.publisher()))?;
            if entry.value().position != EntryPosition::Genesis {
                log::check_key(identity, entry.value()).map_err(|error| Error::Log(id.cid(), error))?;
            }
            if let Some(object) = self.object(entry) {
                let bytes = self.blocks.get(&entry.value().object()).map_or(0, Vec::len);
                log::check_object(entry.value(), &object, bytes)
                    .map_err(|error| Error::Log(id.cid(), error))?;
            }
        }
        Ok(())
    }

    /// The object of an entry, if it is in the bundle.
    pub fn object(&self, entry: &Sealed<Entry>) -> Option<Object> {
        match &entry.value().payload {
            Payload::Inline(object, _) => Some(object.as_ref().clone()),
            Payload::Linked(id) => Object::decode(self.blocks.get(id)?).ok(),
        }
    }

    /// A block.
    pub fn block(&self, id: Cid) -> Option<Vec<u8>> {
        self.blocks.get(&id).cloned()
    }

    /// The attestations of `release` with their publishers.
    pub fn attestations(&self, release: Cid) -> Vec<(PublisherId, object::Attestation)> {
        let objects =
            self.entries.values().filter_map(|entry| Some((entry.publisher(), self.object(entry)?)));
        objects
            .filter_map(|(publisher, object)| match object {
                Object::Attestation(said) if said.release.cid() == release => Some((publisher, said)),
                _ => None,
            })
            .collect()
    }
}

/// Writes the bundle of `roots`; `beside` are entries (attestations of a release) that are included with
/// their genesis only.
///
/// # Errors
/// The walk, when a block is missing or undecodable.
pub fn write_bundle(
    roots: &[EntryId],
    beside: &[EntryId],
    fetch: BlockSource<'_>,
) -> Result<Vec<u8>, DependencyWalk> {
    let absent = |id: Cid| DependencyWalk { missing: vec![id], ..DependencyWalk::default() };
    let mut order: Vec<Cid> = Vec::new();
    let mut blocks: BTreeMap<Cid, Vec<u8>> = BTreeMap::new();
    let mut inline: Vec<Cid> = Vec::new();
    for (id, whole) in roots.iter().map(|id| (id, true)).chain(beside.iter().map(|id| (id, false))) {
        let bytes = fetch(id.cid()).ok_or_else(|| absent(id.cid()))?;
        let entry = Sealed::<Entry>::open(bytes).map_err(|_| absent(id.cid()))?;
        let genesis = entry.publisher().cid();
        for id in [genesis, id.cid()] {
            if let std::collections::btree_map::Entry::Vacant(place) = blocks.entry(id) {
                place.insert(fetch(id).ok_or_else(|| absent(id))?);
                order.push(id);
            }
        }
        if let Payload::Inline(..) = entry.value().payload {
            inline.push(entry.value().object());
        }
        if whole {
            for (id, bytes) in dependencies::collect_blocks([entry.value().object()], fetch)? {
                if blocks.insert(id, bytes).is_none() {
                    order.push(id);
                }
            }
        }
    }
    let roots: Vec<Cid> = roots.iter().map(|id| id.cid()).collect();
    let mut file = car::encode_header(&roots);
    for id in order.into_iter().filter(|id| !inline.contains(id)) {
        if let Some(bytes) = blocks.get(&id) {
            file.extend(car::encode_record(id, bytes));
        }
    }
    Ok(file)
}

//! Bundles: one CARv1 file with everything needed to verify entries offline.
//!
//! Roots are the exported entries. The blocks are those entries, the genesis of their logs, all
//! dependencies of their objects, and further entries that say how the roots stand; an inline object is not
//! repeated. A bundle is read completely and every
//! block is checked before its content is used.

use std::collections::{BTreeMap, BTreeSet};

use schemas::car;
use schemas::cid::{Cid, Codec, EntryId, PublisherId};
use schemas::entry::{Entry, EntryPosition, Payload};
use schemas::object::{self, Identity, Object, RetractionScope};
use schemas::seal::Sealed;
use schemas::text::Text;

use crate::dependencies::{self, DependencyWalk};
use crate::log::{self, Log};
use crate::standing::{RetractionNotice, RootStanding, SupersessionNotice};
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
    /// No root at all.
    #[error("the bundle has no root, so there is nothing to verify")]
    NoRoot,
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
    /// The genesis of a publisher is no valid entry.
    #[error("the genesis of publisher {0}: {1}")]
    InvalidGenesis(PublisherId, schemas::entry::Error),
    /// The object of an entry is missing, undecodable or not what the entry says.
    #[error("object {0} of an entry: {1}")]
    Object(Cid, String),
    /// A block that no entry of the bundle depends on: the bundle may have been altered.
    #[error("unreferenced block {0}: no entry of the bundle depends on it")]
    Unreferenced(Cid),
}

impl Error {
    /// Stable code of the rule that the bundle breaks (specs/bundle.md, section 3, rules 1 to 8).
    pub fn code(&self) -> &'static str {
        match self {
            Error::Car(car::Error::Hash { .. }) => "hash",
            Error::TooLarge(_) | Error::Car(_) => "framing",
            Error::NoRoot | Error::Root(_) => "root",
            Error::Entry(..) => "entry",
            Error::Genesis(_) | Error::InvalidGenesis(..) | Error::Log(_, LogError::Genesis(_)) => "genesis",
            Error::Object(..) | Error::Log(_, LogError::Object { .. }) => "object",
            Error::Log(..) => "key",
            Error::Unreferenced(_) => "unreferenced",
        }
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
    /// The lowest sequence number for which a publisher signed two entries.
    pub forks: BTreeMap<PublisherId, u64>,
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
        if roots.is_empty() {
            return Err(Error::NoRoot);
        }
        for root in roots {
            let id = EntryId::try_from(root).map_err(|_| Error::Root(root))?;
            bundle.open_entry(id)?;
            // A root that is named twice is verified once.
            if !bundle.roots.contains(&id) {
                bundle.roots.push(id);
            }
        }
        bundle.open_other_entries()?;
        bundle.check_entries()?;
        bundle.check_unreferenced()?;
        bundle.find_forks();
        Ok(bundle)
    }

    /// Refuses blocks that are neither entries nor dependencies of their objects.
    fn check_unreferenced(&self) -> Result<(), Error> {
        let objects = self.entries.values().map(|entry| entry.value().object());
        let walk = dependencies::walk_dependencies(objects, &|id| self.block(id), usize::MAX);
        // The dependencies of a block that does not decode are not known; rule 10 finds that block.
        if !walk.broken.is_empty() {
            return Ok(());
        }
        let needed: BTreeSet<Cid> = walk.present.into_iter().collect();
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
        let genesis = publisher.genesis();
        if !self.blocks.contains_key(&publisher.cid()) {
            return Err(Error::Genesis(publisher));
        }
        // A genesis that is no valid entry is the fault of the log, not of this entry.
        match self.open_entry(genesis) {
            Err(Error::Entry(_, error)) if genesis != id => Err(Error::InvalidGenesis(publisher, error)),
            opened => opened,
        }
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
            self.check_entry_object(*id, entry)?;
        }
        Ok(())
    }

    /// Checks the object of an entry against the entry. Only that of a root must be in the file.
    fn check_entry_object(&self, id: EntryId, entry: &Sealed<Entry>) -> Result<(), Error> {
        let object = entry.value().object();
        let Some(bytes) = self.blocks.get(&object) else {
            return match self.roots.contains(&id) {
                true => Err(Error::Object(object, "it is not in the bundle".into())),
                false => Ok(()),
            };
        };
        let decoded = Object::decode(bytes).map_err(|error| Error::Object(object, error.to_string()))?;
        log::check_object(entry.value(), &decoded, bytes.len()).map_err(|error| Error::Log(id.cid(), error))
    }

    /// Records the sequence numbers for which a publisher signed two entries.
    fn find_forks(&mut self) {
        let mut signed: BTreeSet<(PublisherId, u64)> = BTreeSet::new();
        for entry in self.entries.values() {
            let (publisher, seq) = (entry.publisher(), entry.value().seq());
            if !signed.insert((publisher, seq)) {
                let lowest = self.forks.entry(publisher).or_insert(seq);
                *lowest = seq.min(*lowest);
            }
        }
    }

    /// The standing of an entry and its object among the entries of its publisher in this bundle
    /// (specs/bundle.md, section 3). An entry that is not in the bundle may change it.
    pub fn standing(&self, id: EntryId) -> RootStanding {
        let Some(entry) = self.entries.get(&id) else { return RootStanding::default() };
        let mut standing = RootStanding {
            forked_at: self.forks.get(&entry.publisher()).copied().filter(|seq| *seq <= entry.value().seq()),
            superseded: self.find_superseding(entry),
            ..RootStanding::default()
        };
        for later in self.entries.values().filter(|later| later.publisher() == entry.publisher()) {
            let Some(Object::Retraction(retraction)) = self.object(later) else { continue };
            if retraction.subject != entry.value().object() && retraction.subject != id.cid() {
                continue;
            }
            match retraction.scope {
                RetractionScope::Whole => {
                    standing.retracted.get_or_insert(RetractionNotice {
                        reason: retraction.reason.to_string(),
                        time: later.value().time,
                        replacement: retraction.replacement,
                    });
                }
                RetractionScope::Points(points) => {
                    let key = |key: Vec<Text<1024>>| key.iter().map(Text::to_string).collect();
                    standing.retracted_points.extend(points.into_iter().map(key));
                }
            }
        }
        standing
    }

    /// The last release of the same log and dataflow that supersedes the one of `entry`, directly or
    /// through others.
    fn find_superseding(&self, entry: &Sealed<Entry>) -> Option<SupersessionNotice> {
        let Some(Object::Release(own)) = self.object(entry) else { return None };
        let mut later: Vec<(u64, i64, Cid, Cid)> = Vec::new();
        for other in self.entries.values().filter(|other| other.publisher() == entry.publisher()) {
            let Some(Object::Release(release)) = self.object(other) else { continue };
            let Some(before) = release.supersedes else { continue };
            if other.value().seq() > entry.value().seq() && release.dataflow == own.dataflow {
                let (seq, time) = (other.value().seq(), other.value().time);
                later.push((seq, time, other.value().object(), before.release.cid()));
            }
        }
        // A release supersedes one with a lower number, so one pass in ascending order follows the chain.
        later.sort_unstable();
        let mut replaced = BTreeSet::from([entry.value().object()]);
        let mut last = None;
        for (seq, time, release, before) in later {
            if replaced.contains(&before) {
                replaced.insert(release);
                last = Some(SupersessionNotice { release, seq, time });
            }
        }
        last
    }

    /// The entries of the bundle that published an object.
    pub fn entries_of(&self, object: Cid) -> impl Iterator<Item = &Sealed<Entry>> {
        self.entries.values().filter(move |entry| entry.value().object() == object)
    }

    /// The data sets and releases that a root depends on and that are retracted, superseded or contested.
    pub fn contested_above(&self, root: EntryId) -> Vec<(Cid, RootStanding)> {
        let Some(entry) = self.entries.get(&root) else { return Vec::new() };
        let own = entry.value().object();
        let walk = dependencies::walk_dependencies([own], &|id| self.block(id), usize::MAX);
        let above: BTreeSet<Cid> = walk.present.into_iter().filter(|id| *id != own).collect();
        let entries = self.entries.iter().filter(|(_, entry)| above.contains(&entry.value().object()));
        let standings = entries.map(|(id, entry)| (entry.value().object(), self.standing(*id)));
        standings.filter(|(_, standing)| standing.is_contested()).collect()
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

/// Entries beside the roots of one bundle.
pub const BESIDE_MAX: usize = 1024;

/// Object types whose entries are included beside the roots without the dependencies of the object.
const BARE_TYPES: [&str; 4] = ["identity", "dataset", "recipe", "release"];

/// Writes the bundle of `roots`. `beside` are further entries, at most [`BESIDE_MAX`] of which are
/// included (specs/bundle.md, section 2): evidence of forks, retractions, later releases, entries that
/// published inputs, attestations. One whose own blocks are missing is left out.
///
/// # Errors
/// The walk, when a block is missing or undecodable.
pub fn write_bundle(
    roots: &[EntryId],
    beside: &[EntryId],
    fetch: BlockSource<'_>,
) -> Result<Vec<u8>, DependencyWalk> {
    let mut writer =
        BundleWriter { fetch, order: Vec::new(), known: BTreeSet::new(), inline: BTreeSet::new() };
    for id in roots {
        writer.add_entry(*id, true)?;
    }
    for id in beside.iter().filter(|id| !roots.contains(id)).take(BESIDE_MAX) {
        // Evidence that is not complete here does not keep the roots from being exported.
        let _ = writer.add_entry(*id, false);
    }
    let roots: Vec<Cid> = roots.iter().map(|id| id.cid()).collect();
    Ok(writer.encode(&roots))
}

/// Collects the blocks of a bundle, each once, in the order of the file.
struct BundleWriter<'a> {
    fetch: BlockSource<'a>,
    order: Vec<(Cid, Vec<u8>)>,
    known: BTreeSet<Cid>,
    /// Objects that an entry carries inline.
    inline: BTreeSet<Cid>,
}

impl BundleWriter<'_> {
    /// Adds an entry with its genesis and the blocks that its object depends on; nothing when one of them is
    /// missing.
    fn add_entry(&mut self, id: EntryId, is_root: bool) -> Result<(), DependencyWalk> {
        let absent = |id: Cid| DependencyWalk { missing: vec![id], ..DependencyWalk::default() };
        let bytes = (self.fetch)(id.cid()).ok_or_else(|| absent(id.cid()))?;
        let entry = Sealed::<Entry>::open(bytes.clone()).map_err(|_| absent(id.cid()))?;
        let genesis = entry.publisher().cid();
        let mut blocks =
            vec![(genesis, (self.fetch)(genesis).ok_or_else(|| absent(genesis))?), (id.cid(), bytes)];
        let object = entry.value().object();
        if is_root || !BARE_TYPES.contains(&entry.value().object_type.as_str()) {
            let inline = match &entry.value().payload {
                Payload::Inline(_, bytes) => Some(bytes.clone()),
                Payload::Linked(_) => None,
            };
            // An object that its entry carries need not be stored beside it.
            let fetch = |id: Cid| inline.clone().filter(|_| id == object).or_else(|| (self.fetch)(id));
            blocks.extend(dependencies::collect_blocks([object], &fetch)?);
        }
        if let Payload::Inline(..) = entry.value().payload {
            self.inline.insert(object);
        }
        for (id, bytes) in blocks {
            if self.known.insert(id) {
                self.order.push((id, bytes));
            }
        }
        Ok(())
    }

    fn encode(self, roots: &[Cid]) -> Vec<u8> {
        let mut file = car::encode_header(roots);
        for (id, bytes) in self.order.iter().filter(|(id, _)| !self.inline.contains(id)) {
            file.extend(car::encode_record(*id, bytes));
        }
        file
    }
}

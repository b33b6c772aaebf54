//! Queries on the storage, concurrent with the owner of the state: lists, single objects, bundles.
//!
//! All results serialise, so the command line and the HTTP API return the same documents.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ledger::standing::{RetractionNotice, RootStanding, SupersessionNotice};
use ledger::verify::Verification;
use ledger::{bundle, dependencies};
use schemas::address::{self, Address, Vintage};
use schemas::cid::{AttestationId, Cid, Codec, DatasetId, EntryId, PublisherId, RecipeId, ReleaseId};
use schemas::entry::{Entry, Payload};
use schemas::key::PublicKey;
use schemas::object::{Attestation, Dataset, Identity, Object, Recipe, Release, Retraction, RetractionScope};
use schemas::seal::Sealed;
use schemas::text::{Name, Text};
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use store::IndexTree;

use crate::core::Error;
use crate::index_rows::{self, HeadRow};
use crate::storage::{IndexRow, Storage};

/// Summary of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInfo {
    /// The publisher.
    pub publisher: PublisherId,
    /// Name as chosen by the publisher.
    pub name: String,
    /// Its root keys.
    pub roots: Vec<PublicKey>,
    /// Stored entries.
    pub length: u64,
    /// Entries from the start with all dependencies stored or skipped.
    pub complete: u64,
    /// The last entry.
    pub last: EntryId,
    /// Whether this node follows it.
    pub followed: bool,
    /// Whether it is the own publisher of this node.
    pub own: bool,
    /// Whether the publisher forked its log.
    pub forked: bool,
}

/// Position of an entry in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// The publisher.
    pub publisher: PublisherId,
    /// Name as chosen by the publisher.
    pub name: String,
    /// Its sequence number.
    pub seq: u64,
    /// The entry.
    pub entry: EntryId,
    /// Signing time as claimed by the publisher, in seconds since 1970.
    pub time: i64,
}

/// An attestation with its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationInfo {
    /// Its position in the log.
    pub position: LogPosition,
    /// The attestation.
    pub attestation: Attestation,
}

/// A release with its verdict and attestations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInfo {
    /// Its id.
    pub id: ReleaseId,
    /// Its position in the log.
    pub position: LogPosition,
    /// The object.
    pub release: Release,
    /// Title of the recipe.
    pub title: String,
    /// Indicator of the recipe.
    pub indicator: String,
    /// Its retraction, if its publisher retracted it as a whole.
    pub retracted: Option<RetractionNotice>,
    /// The verdict of this node, if it verified the release.
    pub verdict: Option<Verdict>,
    /// The attestations in all stored logs.
    pub attestations: Vec<AttestationInfo>,
}

/// A data set with its position and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// Its id.
    pub id: DatasetId,
    /// Its position in the log.
    pub position: LogPosition,
    /// The object.
    pub dataset: Dataset,
    /// Data points.
    pub rows: u64,
}

/// A recipe with its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeInfo {
    /// Its id.
    pub id: RecipeId,
    /// Its position in the log.
    pub position: LogPosition,
    /// The object.
    pub recipe: Recipe,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryInfo {
    /// Its sequence number.
    pub seq: u64,
    /// Its id.
    pub entry: EntryId,
    /// The type of its object.
    pub kind: String,
    /// The subject of its object.
    pub subject: String,
    /// Its object.
    pub object: Cid,
    /// Signing time as claimed by the publisher, in seconds since 1970.
    pub time: i64,
    /// The key that signed it.
    pub key: PublicKey,
}

/// A fork of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkInfo {
    /// The publisher.
    pub publisher: PublisherId,
    /// The first sequence number with two entries.
    pub seq: u64,
    /// The two entries: the one of the stored log first.
    pub entries: Vec<EntryId>,
}

/// Target of an id or address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedReference {
    /// An address with its release.
    Address(Address, ReleaseId),
    /// An object or entry by id.
    Id(Cid),
}

/// Queries on a storage.
#[derive(Debug)]
pub struct LedgerQuery<'a, K: Storage>(pub &'a K);

impl<K: Storage> LedgerQuery<'_, K> {
    /// All stored logs.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_logs(&self) -> Result<Vec<LogInfo>, Error> {
        let own = self.own_publisher()?;
        let mut logs = Vec::new();
        for (key, value) in self.0.rows(IndexTree::Heads, &[])? {
            let publisher = read_publisher_key(&key).ok_or(Error::CorruptRow("heads"))?;
            let head: HeadRow = schemas::cbor::decode(&value).map_err(|_| Error::CorruptRow("heads"))?;
            let identity = self.publisher_identity(publisher)?;
            logs.push(LogInfo {
                publisher,
                name: identity.name.to_string(),
                roots: identity.roots,
                length: head.length,
                complete: head.complete,
                last: head.last,
                followed: self.0.row(IndexTree::Follows, &key)?.is_some(),
                own: own == Some(publisher),
                forked: !self.0.rows(IndexTree::Forks, &key)?.is_empty(),
            });
        }
        Ok(logs)
    }

    /// The publisher that this node signs for.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn own_publisher(&self) -> Result<Option<PublisherId>, Error> {
        let row = self.0.row(IndexTree::Meta, index_rows::OWN)?;
        row.map(|key| read_publisher_key(&key).ok_or(Error::CorruptRow("own"))).transpose()
    }

    /// The identity of a publisher.
    ///
    /// # Errors
    /// [`Error::NotFound`] when its genesis is not stored.
    pub fn publisher_identity(&self, publisher: PublisherId) -> Result<Identity, Error> {
        let unknown = || Error::NotFound(format!("publisher {publisher}"));
        let genesis = Sealed::<Entry>::open(self.0.get(publisher.cid())?.ok_or_else(unknown)?)?;
        match &genesis.value().payload {
            Payload::Inline(object, _) => match object.as_ref() {
                Object::Identity(identity) => Ok(identity.clone()),
                _ => Err(unknown()),
            },
            Payload::Linked(_) => Err(unknown()),
        }
    }

    /// All complete releases, by publisher and sequence number.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_releases(&self) -> Result<Vec<ReleaseInfo>, Error> {
        self.list_objects(IndexTree::Releases, |id, placed| self.release_info(id, placed))
    }

    /// All complete data sets.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_datasets(&self) -> Result<Vec<DatasetInfo>, Error> {
        self.list_objects(IndexTree::Datasets, |id, placed| {
            let dataset: Dataset = self.read_object(id)?;
            let content: schemas::object::Content = self.read_object(dataset.content.cid())?;
            let id = DatasetId::try_from(id).map_err(|_| Error::CorruptRow("datasets"))?;
            Ok(DatasetInfo { id, position: placed, dataset, rows: content.rows })
        })
    }

    /// All recipes.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_recipes(&self) -> Result<Vec<RecipeInfo>, Error> {
        self.list_objects(IndexTree::Recipes, |id, placed| {
            let recipe = self.read_object(id)?;
            let id = RecipeId::try_from(id).map_err(|_| Error::CorruptRow("recipes"))?;
            Ok(RecipeInfo { id, position: placed, recipe })
        })
    }

    /// One release.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn find_release(&self, id: ReleaseId) -> Result<ReleaseInfo, Error> {
        let placed = self.find_positions(id.cid())?.into_iter().next();
        self.release_info(id.cid(), placed.ok_or_else(|| Error::NotFound(format!("release {id}")))?)
    }

    fn release_info(&self, id: Cid, placed: LogPosition) -> Result<ReleaseInfo, Error> {
        let release: Release = self.read_object(id)?;
        let recipe: Recipe = self.read_object(release.recipe.cid())?;
        let id = ReleaseId::try_from(id).map_err(|_| Error::CorruptRow("releases"))?;
        Ok(ReleaseInfo {
            id,
            retracted: self.find_retraction(placed.publisher, id.cid())?,
            position: placed,
            title: recipe.title.to_string(),
            indicator: recipe.indicator.to_string(),
            verdict: self.local_verdict(id)?,
            attestations: self.list_attestations(id)?,
            release,
        })
    }

    /// The verdict of this node on a release.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn local_verdict(&self, release: ReleaseId) -> Result<Option<Verdict>, Error> {
        Ok(self.local_attestation(release)?.map(|own| own.verdict))
    }

    /// The attestations of a release, by attestor and sequence number.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_attestations(&self, release: ReleaseId) -> Result<Vec<AttestationInfo>, Error> {
        let prefix = release.cid().to_bytes();
        let mut found = Vec::new();
        for (key, value) in self.0.rows(IndexTree::Attestations, &prefix)? {
            let place = key.get(prefix.len()..).and_then(index_rows::read_position_key);
            let (publisher, seq) = place.ok_or(Error::CorruptRow("attestations"))?;
            let id = Cid::from_bytes(&value).and_then(AttestationId::try_from);
            let attestation = self.read_object(id.map_err(|_| Error::CorruptRow("attestations"))?.cid())?;
            found.push(AttestationInfo { position: self.read_position(publisher, seq)?, attestation });
        }
        Ok(found)
    }

    /// The positions of an object in all logs that contain it: the own log and followed ones first, so that a
    /// stranger who signs the same object does not appear as its publisher.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn find_positions(&self, object: Cid) -> Result<Vec<LogPosition>, Error> {
        let prefix = index_rows::object_prefix(object);
        let mut places = Vec::new();
        for (key, _) in self.0.rows(IndexTree::Meta, &prefix)? {
            let place = key.get(prefix.len()..).and_then(index_rows::read_position_key);
            let (publisher, seq) = place.ok_or(Error::CorruptRow("meta"))?;
            let strange = self.own_publisher()? != Some(publisher);
            let stranger = strange && self.0.row(IndexTree::Follows, &publisher.cid().to_bytes())?.is_none();
            places.push((strange, stranger, self.read_position(publisher, seq)?));
        }
        places.sort_by_key(|(strange, stranger, _)| (*stranger, *strange));
        Ok(places.into_iter().map(|(.., placed)| placed).collect())
    }

    fn read_position(&self, publisher: PublisherId, seq: u64) -> Result<LogPosition, Error> {
        let row = self.0.row(IndexTree::Entries, &index_rows::position_key(publisher, seq))?;
        let (entry, _) =
            row.as_deref().and_then(index_rows::read_entry_value).ok_or(Error::CorruptRow("entries"))?;
        let sealed = Sealed::<Entry>::open(self.0.get(entry.cid())?.ok_or(Error::CorruptRow("entries"))?)?;
        let name = self.publisher_identity(publisher)?.name.to_string();
        Ok(LogPosition { publisher, name, seq, entry, time: sealed.value().time })
    }

    /// An object by id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not stored, [`Error::Object`] when it has another type.
    pub fn read_object<T: schemas::object::ObjectType>(&self, id: Cid) -> Result<T, Error> {
        let bytes = self.0.get(id)?.ok_or_else(|| Error::NotFound(format!("{} {id}", T::TYPE)))?;
        Ok(schemas::object::decode_object(&bytes)?)
    }

    /// An object of any type.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not stored.
    pub fn read_any_object(&self, id: Cid) -> Result<Object, Error> {
        let bytes = self.0.get(id)?.ok_or_else(|| Error::NotFound(format!("object {id}")))?;
        Ok(Object::decode(&bytes)?)
    }

    /// The stored entries of a log with these sequence numbers, ascending.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_entries(&self, publisher: PublisherId, places: Range<u64>) -> Result<Vec<EntryInfo>, Error> {
        let mut found = Vec::new();
        for seq in places {
            let Some(row) = self.0.row(IndexTree::Entries, &index_rows::position_key(publisher, seq))? else {
                break;
            };
            let (entry, object) = index_rows::read_entry_value(&row).ok_or(Error::CorruptRow("entries"))?;
            let sealed = self.read_entry(entry)?;
            let said = sealed.value();
            let (kind, subject) = (said.object_type.clone(), said.subject.clone());
            found.push(EntryInfo { seq, entry, kind, subject, object, time: said.time, key: said.key });
        }
        Ok(found)
    }

    /// An entry by id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not stored.
    pub fn read_entry(&self, id: EntryId) -> Result<Sealed<Entry>, Error> {
        let bytes = self.0.get(id.cid())?.ok_or_else(|| Error::NotFound(format!("entry {id}")))?;
        Ok(Sealed::<Entry>::open(bytes)?)
    }

    /// The earliest known fork of each publisher.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn list_forks(&self) -> Result<Vec<ForkInfo>, Error> {
        let mut found = Vec::new();
        for (key, value) in self.0.rows(IndexTree::Forks, &[])? {
            let (publisher, seq) = index_rows::read_position_key(&key).ok_or(Error::CorruptRow("forks"))?;
            let rival = Cid::from_bytes(&value)
                .and_then(EntryId::try_from)
                .map_err(|_| Error::CorruptRow("forks"))?;
            let row = self.0.row(IndexTree::Entries, &index_rows::position_key(publisher, seq))?;
            let held = row.as_deref().and_then(index_rows::read_entry_value).map(|(entry, _)| entry);
            found.push(ForkInfo { publisher, seq, entries: held.into_iter().chain([rival]).collect() });
        }
        Ok(found)
    }

    /// The rows of the heads of all logs, which change whenever a log grows, and of the followed publishers,
    /// who count for the standing of figures.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list_state_rows(&self) -> Result<Vec<IndexRow>, Error> {
        let mut rows = self.0.rows(IndexTree::Heads, &[])?;
        rows.extend(self.0.rows(IndexTree::Follows, &[])?);
        Ok(rows)
    }

    /// Verifies a release from stored blocks; nothing is stored or signed.
    pub fn rerun_release(&self, release: ReleaseId) -> Verification {
        ledger::verify::verify_release(release, &|id| self.0.get(id).ok().flatten())
    }

    fn list_objects<T>(
        &self,
        tree: IndexTree,
        read: impl Fn(Cid, LogPosition) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        for (key, value) in self.0.rows(tree, &[])? {
            let (publisher, seq) = index_rows::read_position_key(&key).ok_or(Error::CorruptRow("objects"))?;
            let id = Cid::from_bytes(&value).map_err(|_| Error::CorruptRow("objects"))?;
            found.push(read(id, self.read_position(publisher, seq)?)?);
        }
        Ok(found)
    }

    /// The releases of a dataflow by sequence number.
    fn list_vintages(
        &self,
        publisher: PublisherId,
        dataflow: &Name,
    ) -> Result<BTreeMap<u64, ReleaseId>, Error> {
        let mut vintages = BTreeMap::new();
        for (key, value) in self.0.rows(IndexTree::Releases, &publisher.cid().to_bytes())? {
            let (_, seq) = index_rows::read_position_key(&key).ok_or(Error::CorruptRow("releases"))?;
            let id = Cid::from_bytes(&value)
                .and_then(ReleaseId::try_from)
                .map_err(|_| Error::CorruptRow("releases"))?;
            if self.read_object::<Release>(id.cid())?.dataflow == *dataflow {
                vintages.insert(seq, id);
            }
        }
        Ok(vintages)
    }

    /// The last of some releases that was signed and not retracted before a time. If all are retracted it is
    /// the last one, so that its address leads to the retraction.
    fn latest_standing(
        &self,
        publisher: PublisherId,
        vintages: &BTreeMap<u64, ReleaseId>,
        before: Option<i64>,
    ) -> Result<Option<ReleaseId>, Error> {
        let past = |time: i64| before.is_none_or(|end| time < end);
        let mut fallen = None;
        for (seq, id) in vintages.iter().rev() {
            if before.is_some() && !past(self.read_position(publisher, *seq)?.time) {
                continue;
            }
            if !self.find_retraction(publisher, id.cid())?.is_some_and(|withdrawn| past(withdrawn.time)) {
                return Ok(Some(*id));
            }
            fallen = fallen.or(Some(*id));
        }
        Ok(fallen)
    }

    /// The retraction of a whole object by its publisher.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn find_retraction(
        &self,
        publisher: PublisherId,
        subject: Cid,
    ) -> Result<Option<RetractionNotice>, Error> {
        let retractions = self.list_retractions(publisher, &[subject])?;
        let whole = retractions.into_iter().find(|(_, said)| said.scope == RetractionScope::Whole);
        Ok(whole.map(|(position, said)| RetractionNotice {
            reason: said.reason.to_string(),
            time: position.time,
            replacement: said.replacement,
        }))
    }

    /// The retractions of some objects or entries by a publisher, by sequence number.
    fn list_retractions(
        &self,
        publisher: PublisherId,
        subjects: &[Cid],
    ) -> Result<Vec<(LogPosition, Retraction)>, Error> {
        let mut found = Vec::new();
        for subject in subjects {
            let prefix = index_rows::retraction_prefix(publisher, *subject);
            for (key, value) in self.0.rows(IndexTree::Meta, &prefix)? {
                let seq = key.get(prefix.len()..).and_then(|seq| seq.try_into().ok()).map(u64::from_be_bytes);
                let seq = seq.ok_or(Error::CorruptRow("meta"))?;
                let id = Cid::from_bytes(&value).map_err(|_| Error::CorruptRow("meta"))?;
                found.push((self.read_position(publisher, seq)?, self.read_object(id)?));
            }
        }
        Ok(found)
    }

    /// The standing of a release among the entries of its publisher: retracted, superseded, contested.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn release_standing(&self, info: &ReleaseInfo) -> Result<RootStanding, Error> {
        Ok(RootStanding { superseded: self.find_superseding(info)?, ..self.release_statements(info)? })
    }

    /// The standing of a release without later releases, which takes no look at other releases.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn release_statements(&self, info: &ReleaseInfo) -> Result<RootStanding, Error> {
        let LogPosition { publisher, seq, entry, .. } = info.position;
        let mut standing = RootStanding {
            retracted: info.retracted.clone(),
            forked_at: self.find_fork(publisher)?.filter(|fork| *fork <= seq),
            ..RootStanding::default()
        };
        for (position, said) in self.list_retractions(publisher, &[info.id.cid(), entry.cid()])? {
            match said.scope {
                RetractionScope::Whole => {
                    standing.retracted.get_or_insert(RetractionNotice {
                        reason: said.reason.to_string(),
                        time: position.time,
                        replacement: said.replacement,
                    });
                }
                RetractionScope::Points(points) => {
                    let key = |key: Vec<Text<1024>>| key.iter().map(Text::to_string).collect();
                    standing.retracted_points.extend(points.into_iter().map(key));
                }
            }
        }
        Ok(standing)
    }

    /// The lowest sequence number for which a publisher signed two entries.
    fn find_fork(&self, publisher: PublisherId) -> Result<Option<u64>, Error> {
        let rows = self.0.rows(IndexTree::Forks, &publisher.cid().to_bytes())?;
        let seqs = rows.iter().filter_map(|(key, _)| index_rows::read_position_key(key));
        Ok(seqs.map(|(_, seq)| seq).min())
    }

    /// The last release of the same dataflow that supersedes a release, directly or through others.
    fn find_superseding(&self, info: &ReleaseInfo) -> Result<Option<SupersessionNotice>, Error> {
        let publisher = info.position.publisher;
        let mut vintages = Vec::new();
        for (seq, id) in self.list_vintages(publisher, &info.release.dataflow)? {
            let supersedes = self.read_object::<Release>(id.cid())?.supersedes;
            vintages.push((seq, id, supersedes.map(|before| before.release)));
        }
        let last = last_superseding(info, vintages.into_iter());
        let notice = |(seq, id): (u64, ReleaseId)| {
            let time = self.read_position(publisher, seq)?.time;
            Ok(SupersessionNotice { release: id.cid(), seq, time })
        };
        last.map(notice).transpose()
    }

    /// Resolves a text from outside: an id, or an address.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is neither, [`Error::NotFound`] when no release is at the address.
    pub fn resolve(&self, text: &str) -> Result<ResolvedReference, Error> {
        if let Ok(id) = text.parse::<Cid>() {
            return Ok(ResolvedReference::Id(id));
        }
        let address: Address =
            text.parse().map_err(|error: address::Error| Error::Malformed(error.to_string()))?;
        let release = self.resolve_address(&address)?;
        Ok(ResolvedReference::Address(address, release))
    }

    /// The release that an address names.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the dataflow has no such release here.
    pub fn resolve_address(&self, address: &Address) -> Result<ReleaseId, Error> {
        let publisher = address.publisher();
        let vintages = self.list_vintages(publisher, address.dataflow())?;
        let found = match address.vintage() {
            Vintage::Latest => self.latest_standing(publisher, &vintages, None)?,
            Vintage::First => vintages.values().next().copied(),
            Vintage::Seq(seq) => vintages.get(&seq).copied(),
            Vintage::AsOf(day) => {
                self.latest_standing(publisher, &vintages, Some(address::end_of_day(day)))?
            }
        };
        found.ok_or_else(|| Error::NotFound(format!("a release at {address}")))
    }

    /// Exports the bundle of an object or entry: everything needed to verify it offline, with its stored
    /// attestations.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Missing`].
    pub fn export_bundle(&self, id: Cid) -> Result<Vec<u8>, Error> {
        let roots: Vec<EntryId> = match self.find_positions(id)? {
            places if places.is_empty() => self.as_entry(id)?.into_iter().collect(),
            places => places.into_iter().take(1).map(|placed| placed.entry).collect(),
        };
        let root = *roots.first().ok_or_else(|| Error::NotFound(id.to_string()))?;
        let beside = self.entries_beside(root)?;
        let fetch = |id| self.0.get(id).ok().flatten();
        bundle::write_bundle(&roots, &beside, &fetch).map_err(|reach| Error::Missing(reach.missing))
    }

    /// The entries that a bundle carries beside its root (specs/bundle.md, section 2): evidence of a fork,
    /// retractions, later releases, the entries of inputs, attestations.
    fn entries_beside(&self, root: EntryId) -> Result<Vec<EntryId>, Error> {
        let sealed = Sealed::<Entry>::open(self.0.get(root.cid())?.ok_or(Error::CorruptRow("entries"))?)?;
        let own = sealed.value().object();
        let walk = dependencies::walk_dependencies([own], &|id| self.0.get(id).ok().flatten(), usize::MAX);
        let mut positions = Vec::new();
        for id in walk.present.iter().filter(|id| id.codec() == Codec::DagCbor) {
            positions.extend(self.find_positions(*id)?.into_iter().map(|position| (*id, position)));
        }
        let publishers: BTreeSet<PublisherId> =
            positions.iter().map(|(_, position)| position.publisher).chain([sealed.publisher()]).collect();
        let mut beside: Vec<EntryId> = Vec::new();
        for fork in self.list_forks()?.into_iter().filter(|fork| publishers.contains(&fork.publisher)) {
            beside.extend(fork.entries);
        }
        for (id, position) in &positions {
            let retractions = self.list_retractions(position.publisher, &[*id, position.entry.cid()])?;
            beside.extend(retractions.into_iter().map(|(position, _)| position.entry));
        }
        let releases = walk.present.iter().filter_map(|id| ReleaseId::try_from(*id).ok());
        let releases: Vec<ReleaseId> =
            releases.filter(|id| self.read_object::<Release>(id.cid()).is_ok()).collect();
        for release in releases.iter().filter(|release| release.cid() == own) {
            let info = self.find_release(*release)?;
            beside.extend(self.superseding_entries(&info)?);
        }
        beside.extend(positions.iter().map(|(_, position)| position.entry));
        for release in releases {
            beside.extend(self.list_attestations(release)?.into_iter().map(|info| info.position.entry));
        }
        let mut known = BTreeSet::from([root]);
        beside.retain(|entry| known.insert(*entry));
        Ok(beside)
    }

    /// The entries of the releases through which the last superseding release leads to `info`.
    fn superseding_entries(&self, info: &ReleaseInfo) -> Result<Vec<EntryId>, Error> {
        let Some(last) = self.find_superseding(info)? else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        for (seq, id) in self.list_vintages(info.position.publisher, &info.release.dataflow)? {
            if seq > info.position.seq && seq <= last.seq {
                let supersedes = self.read_object::<Release>(id.cid())?.supersedes.is_some();
                let position = self.read_position(info.position.publisher, seq)?;
                entries.extend(supersedes.then_some(position.entry));
            }
        }
        Ok(entries)
    }

    fn as_entry(&self, id: Cid) -> Result<Option<EntryId>, Error> {
        let Ok(entry) = EntryId::try_from(id) else { return Ok(None) };
        let bytes = self.0.get(id)?;
        Ok(bytes.filter(|bytes| Sealed::<Entry>::open(bytes.as_slice()).is_ok()).map(|_| entry))
    }

    /// The stored addresses of peers, dialled at start.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list_peers(&self) -> Result<Vec<String>, Error> {
        let rows = self.0.rows(IndexTree::Peers, &[])?;
        Ok(rows.into_iter().filter_map(|(key, _)| String::from_utf8(key).ok()).collect())
    }

    /// The other data sets with the same content: independent imports that agree.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
    pub fn datasets_with_same_content(&self, dataset: DatasetId) -> Result<Vec<DatasetInfo>, Error> {
        let content = self.read_object::<Dataset>(dataset.cid())?.content;
        let same = |info: &DatasetInfo| info.dataset.content == content && info.id != dataset;
        Ok(self.list_datasets()?.into_iter().filter(same).collect())
    }
}

/// The last release that supersedes `info`, directly or through others, with its sequence number. `vintages`
/// are the releases of the dataflow, ascending: number, id, and the release that each supersedes.
pub fn last_superseding(
    info: &ReleaseInfo,
    vintages: impl Iterator<Item = (u64, ReleaseId, Option<ReleaseId>)>,
) -> Option<(u64, ReleaseId)> {
    let mut replaced = BTreeSet::from([info.id]);
    let mut last = None;
    // A release supersedes one with a lower number, so one pass in ascending order follows the chain.
    for (seq, id, before) in vintages {
        if seq > info.position.seq && before.is_some_and(|before| replaced.contains(&before)) {
            replaced.insert(id);
            last = Some((seq, id));
        }
    }
    last
}

fn read_publisher_key(key: &[u8]) -> Option<PublisherId> {
    PublisherId::try_from(Cid::from_bytes(key).ok()?).ok()
}

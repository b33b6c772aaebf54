//! Reading what is kept, beside the owner of the state: lists, single objects, bundles.
//!
//! Every answer is a value that serialises, so that the command line and the HTTP API show the
//! same.

use std::collections::BTreeMap;
use std::ops::Range;

use ledger::bundle;
use ledger::verify::Verification;
use schemas::address::{self, Address, Vintage};
use schemas::cid::{AttestationId, Cid, DatasetId, EntryId, PublisherId, RecipeId, ReleaseId};
use schemas::entry::{Entry, Payload};
use schemas::key::PublicKey;
use schemas::object::{Attestation, Dataset, Identity, Object, Provenance, Recipe, Release, Retraction};
use schemas::seal::Sealed;
use schemas::text::Name;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use store::IndexTree;

use crate::core::Error;
use crate::index_rows::{self, HeadRow};
use crate::storage::{IndexRow, Storage};

/// A publisher's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInfo {
    /// Whose.
    pub publisher: PublisherId,
    /// What the publisher calls itself.
    pub name: String,
    /// Its root keys.
    pub roots: Vec<PublicKey>,
    /// Entries held.
    pub length: u64,
    /// Entries from the start whose objects are whole here.
    pub complete: u64,
    /// The last entry.
    pub last: EntryId,
    /// Whether this node follows it.
    pub followed: bool,
    /// Whether this node signs it.
    pub own: bool,
    /// Whether the publisher signed two histories.
    pub forked: bool,
}

/// Where something stands in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// Whose log.
    pub publisher: PublisherId,
    /// What the publisher calls itself.
    pub name: String,
    /// Its sequence number.
    pub seq: u64,
    /// The entry.
    pub entry: EntryId,
    /// When it was signed, as the publisher claims: seconds since 1970.
    pub time: i64,
}

/// What somebody found who ran a release again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationInfo {
    /// Where it stands.
    pub position: LogPosition,
    /// What was found.
    pub attestation: Attestation,
}

/// A release with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInfo {
    /// Its id.
    pub id: ReleaseId,
    /// Where it stands.
    pub position: LogPosition,
    /// What it says.
    pub release: Release,
    /// Title of the recipe.
    pub title: String,
    /// Indicator of the recipe.
    pub indicator: String,
    /// Whether its publisher took it back.
    pub retracted: Option<RetractionInfo>,
    /// What this node found.
    pub verdict: Option<Verdict>,
    /// What others found.
    pub attestations: Vec<AttestationInfo>,
}

/// A data set with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// Its id.
    pub id: DatasetId,
    /// Where it stands.
    pub position: LogPosition,
    /// What it says.
    pub dataset: Dataset,
    /// Data points.
    pub rows: u64,
}

/// A recipe with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeInfo {
    /// Its id.
    pub id: RecipeId,
    /// Where it stands.
    pub position: LogPosition,
    /// What it says.
    pub recipe: Recipe,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryInfo {
    /// Its place.
    pub seq: u64,
    /// Its id.
    pub entry: EntryId,
    /// The kind of its object.
    pub kind: String,
    /// What that is about.
    pub subject: String,
    /// Its object.
    pub object: Cid,
    /// When it was signed, as the publisher claims: seconds since 1970.
    pub time: i64,
    /// The key that signed it.
    pub key: PublicKey,
}

/// Two histories of one publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkInfo {
    /// Whose.
    pub publisher: PublisherId,
    /// The first place at which they differ.
    pub seq: u64,
    /// What stands there: the entry of the log that is held, and the one that contradicts it.
    pub entries: Vec<EntryId>,
}

/// Something that its publisher took back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractionInfo {
    /// Why.
    pub reason: String,
    /// When that was signed, as the publisher claims: seconds since 1970.
    pub time: i64,
    /// What takes its place, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Cid>,
}

/// What a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedReference {
    /// An address, and the release that it leads to.
    Address(Address, ReleaseId),
    /// An object or entry by id.
    Id(Cid),
}

/// Reads what `keep` holds.
#[derive(Debug)]
pub struct LedgerQuery<'a, K: Storage>(pub &'a K);

impl<K: Storage> LedgerQuery<'_, K> {
    /// Every log.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
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
    /// [`Error::Store`], [`Error::Row`].
    pub fn own_publisher(&self) -> Result<Option<PublisherId>, Error> {
        let row = self.0.row(IndexTree::Meta, index_rows::OWN)?;
        row.map(|key| read_publisher_key(&key).ok_or(Error::CorruptRow("own"))).transpose()
    }

    /// Who a publisher says it is.
    ///
    /// # Errors
    /// [`Error::Unknown`] when its genesis is not held.
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

    /// Every release that is whole here, by publisher and place.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn list_releases(&self) -> Result<Vec<ReleaseInfo>, Error> {
        self.list_objects(IndexTree::Releases, |id, placed| self.release_info(id, placed))
    }

    /// Every data set that is whole here.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn list_datasets(&self) -> Result<Vec<DatasetInfo>, Error> {
        self.list_objects(IndexTree::Datasets, |id, placed| {
            let dataset: Dataset = self.read_object(id)?;
            let content: schemas::object::Content = self.read_object(dataset.content.cid())?;
            let id = DatasetId::try_from(id).map_err(|_| Error::CorruptRow("datasets"))?;
            Ok(DatasetInfo { id, position: placed, dataset, rows: content.rows })
        })
    }

    /// Every recipe that is held here.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
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
    /// [`Error::Unknown`].
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

    /// What this node found of a release.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn local_verdict(&self, release: ReleaseId) -> Result<Option<Verdict>, Error> {
        let Some(row) = self.0.row(IndexTree::Verdicts, &release.cid().to_bytes())? else { return Ok(None) };
        let id = Cid::from_bytes(&row).map_err(|_| Error::CorruptRow("verdicts"))?;
        Ok(Some(self.read_object::<Attestation>(id)?.verdict))
    }

    /// What is attested of a release, by attestor and place.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
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

    /// Where an object or entry was published, in every log that carries it: the own log and followed
    /// ones first, so that nobody takes the place of whom this node knows by signing the same.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
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
    /// [`Error::Unknown`] when it is not held, [`Error::Object`] when it is of another kind.
    pub fn read_object<T: schemas::object::ObjectType>(&self, id: Cid) -> Result<T, Error> {
        let bytes = self.0.get(id)?.ok_or_else(|| Error::NotFound(format!("{} {id}", T::TYPE)))?;
        Ok(schemas::object::decode_object(&bytes)?)
    }

    /// An object of whatever kind.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not held.
    pub fn read_any_object(&self, id: Cid) -> Result<Object, Error> {
        let bytes = self.0.get(id)?.ok_or_else(|| Error::NotFound(format!("object {id}")))?;
        Ok(Object::decode_object(&bytes)?)
    }

    /// The entries of a log at these places, ascending, as far as they are held.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
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
    /// [`Error::Unknown`] when it is not held.
    pub fn read_entry(&self, id: EntryId) -> Result<Sealed<Entry>, Error> {
        let bytes = self.0.get(id.cid())?.ok_or_else(|| Error::NotFound(format!("entry {id}")))?;
        Ok(Sealed::<Entry>::open(bytes)?)
    }

    /// Where each publisher that signed two histories parts from itself: the place, and both entries.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
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

    /// The heads of all logs as they are kept: they differ whenever a log has grown.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list_head_rows(&self) -> Result<Vec<IndexRow>, Error> {
        Ok(self.0.rows(IndexTree::Heads, &[])?)
    }

    /// Runs a release again, from what is held; nothing is kept or signed.
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

    /// The releases of a dataflow by their places in the log.
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

    /// The last of some releases that stood before a time: signed, and not taken back. Where all were
    /// taken back it is the last one, for an address must say what became of it.
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

    /// Whether a publisher took something of its own back as a whole.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn find_retraction(
        &self,
        publisher: PublisherId,
        subject: Cid,
    ) -> Result<Option<RetractionInfo>, Error> {
        let Some(row) = self.0.row(IndexTree::Meta, &index_rows::retraction_key(publisher, subject))? else {
            return Ok(None);
        };
        let (id, seq) = index_rows::read_retraction_value(&row).ok_or(Error::CorruptRow("meta"))?;
        let said: Retraction = self.read_object(id)?;
        let time = self.read_position(publisher, seq)?.time;
        Ok(Some(RetractionInfo { reason: said.reason.to_string(), time, replacement: said.replacement }))
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

    /// The bundle of an object or entry: all that is needed to verify it offline, and the
    /// attestations of it that are held.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Missing`].
    pub fn export_bundle(&self, id: Cid) -> Result<Vec<u8>, Error> {
        let roots: Vec<EntryId> = match self.find_positions(id)? {
            places if places.is_empty() => self.as_entry(id)?.into_iter().collect(),
            places => places.into_iter().take(1).map(|placed| placed.entry).collect(),
        };
        let root = *roots.first().ok_or_else(|| Error::NotFound(id.to_string()))?;
        let sealed = Sealed::<Entry>::open(self.0.get(root.cid())?.ok_or(Error::CorruptRow("entries"))?)?;
        let beside = match ReleaseId::try_from(sealed.value().object()) {
            Ok(release) if sealed.value().object_type == "release" => {
                self.list_attestations(release)?.into_iter().map(|info| info.position.entry).collect()
            }
            _ => Vec::new(),
        };
        let fetch = |id| self.0.get(id).ok().flatten();
        bundle::write_bundle(&roots, &beside, &fetch).map_err(|reach| Error::Missing(reach.missing))
    }

    fn as_entry(&self, id: Cid) -> Result<Option<EntryId>, Error> {
        let Ok(entry) = EntryId::try_from(id) else { return Ok(None) };
        let bytes = self.0.get(id)?;
        Ok(bytes.filter(|bytes| Sealed::<Entry>::open(bytes.as_slice()).is_ok()).map(|_| entry))
    }

    /// The addresses of peers that are dialled at start.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn list_peers(&self) -> Result<Vec<String>, Error> {
        let rows = self.0.rows(IndexTree::Peers, &[])?;
        Ok(rows.into_iter().filter_map(|(key, _)| String::from_utf8(key).ok()).collect())
    }

    /// Content ids that more than one data set here has: independent imports that agree.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn datasets_with_same_content(&self, dataset: DatasetId) -> Result<Vec<DatasetInfo>, Error> {
        let content = self.read_object::<Dataset>(dataset.cid())?.content;
        let same = |info: &DatasetInfo| info.dataset.content == content && info.id != dataset;
        Ok(self.list_datasets()?.into_iter().filter(same).collect())
    }
}

fn read_publisher_key(key: &[u8]) -> Option<PublisherId> {
    PublisherId::try_from(Cid::from_bytes(key).ok()?).ok()
}

/// Where the data of a data set come from, in a word and an id.
pub fn provenance_root(dataset: &Dataset) -> (&'static str, Cid) {
    match &dataset.provenance {
        Provenance::Import { snapshot, .. } => ("snapshot", snapshot.cid()),
        Provenance::Release { release, .. } => ("release", release.cid()),
    }
}

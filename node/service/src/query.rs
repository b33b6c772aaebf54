//! Reading what is kept, beside the owner of the state: lists, single objects, bundles.
//!
//! Every answer is a value that serialises, so that the command line and the HTTP API show the
//! same.

use std::collections::BTreeMap;
use std::ops::Range;

use ledger::address::{Address, Vintage, end_of};
use ledger::bundle;
use ledger::verify::Verification;
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
use crate::keep::{Keep, Row};
use crate::rows::{self, HeadRow};

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
pub struct Placed {
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
    pub placed: Placed,
    /// What was found.
    pub attestation: Attestation,
}

/// A release with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInfo {
    /// Its id.
    pub id: ReleaseId,
    /// Where it stands.
    pub placed: Placed,
    /// What it says.
    pub release: Release,
    /// Title of the recipe.
    pub title: String,
    /// Indicator of the recipe.
    pub indicator: String,
    /// Whether its publisher took it back.
    pub retracted: Option<Withdrawn>,
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
    pub placed: Placed,
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
    pub placed: Placed,
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
pub struct Withdrawn {
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
pub enum Target {
    /// An address, and the release that it leads to.
    Address(Address, ReleaseId),
    /// An object or entry by id.
    Id(Cid),
}

/// Reads what `keep` holds.
#[derive(Debug)]
pub struct Query<'a, K: Keep>(pub &'a K);

impl<K: Keep> Query<'_, K> {
    /// Every log.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn logs(&self) -> Result<Vec<LogInfo>, Error> {
        let own = self.own()?;
        let mut logs = Vec::new();
        for (key, value) in self.0.rows(IndexTree::Heads, &[])? {
            let publisher = publisher_key(&key).ok_or(Error::Row("heads"))?;
            let head: HeadRow = schemas::cbor::decode(&value).map_err(|_| Error::Row("heads"))?;
            let identity = self.identity(publisher)?;
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
    pub fn own(&self) -> Result<Option<PublisherId>, Error> {
        let row = self.0.row(IndexTree::Meta, rows::OWN)?;
        row.map(|key| publisher_key(&key).ok_or(Error::Row("own"))).transpose()
    }

    /// Who a publisher says it is.
    ///
    /// # Errors
    /// [`Error::Unknown`] when its genesis is not held.
    pub fn identity(&self, publisher: PublisherId) -> Result<Identity, Error> {
        let unknown = || Error::Unknown(format!("publisher {publisher}"));
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
    pub fn releases(&self) -> Result<Vec<ReleaseInfo>, Error> {
        self.objects(IndexTree::Releases, |id, placed| self.release_info(id, placed))
    }

    /// Every data set that is whole here.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn datasets(&self) -> Result<Vec<DatasetInfo>, Error> {
        self.objects(IndexTree::Datasets, |id, placed| {
            let dataset: Dataset = self.object(id)?;
            let content: schemas::object::Content = self.object(dataset.content.cid())?;
            let id = DatasetId::try_from(id).map_err(|_| Error::Row("datasets"))?;
            Ok(DatasetInfo { id, placed, dataset, rows: content.rows })
        })
    }

    /// Every recipe that is held here.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn recipes(&self) -> Result<Vec<RecipeInfo>, Error> {
        self.objects(IndexTree::Recipes, |id, placed| {
            let recipe = self.object(id)?;
            let id = RecipeId::try_from(id).map_err(|_| Error::Row("recipes"))?;
            Ok(RecipeInfo { id, placed, recipe })
        })
    }

    /// One release.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn release(&self, id: ReleaseId) -> Result<ReleaseInfo, Error> {
        let placed = self.places(id.cid())?.into_iter().next();
        self.release_info(id.cid(), placed.ok_or_else(|| Error::Unknown(format!("release {id}")))?)
    }

    fn release_info(&self, id: Cid, placed: Placed) -> Result<ReleaseInfo, Error> {
        let release: Release = self.object(id)?;
        let recipe: Recipe = self.object(release.recipe.cid())?;
        let id = ReleaseId::try_from(id).map_err(|_| Error::Row("releases"))?;
        Ok(ReleaseInfo {
            id,
            retracted: self.withdrawn(placed.publisher, id.cid())?,
            placed,
            title: recipe.title.to_string(),
            indicator: recipe.indicator.to_string(),
            verdict: self.verdict(id)?,
            attestations: self.attestations(id)?,
            release,
        })
    }

    /// What this node found of a release.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn verdict(&self, release: ReleaseId) -> Result<Option<Verdict>, Error> {
        let Some(row) = self.0.row(IndexTree::Verdicts, &release.cid().to_bytes())? else { return Ok(None) };
        let id = Cid::from_bytes(&row).map_err(|_| Error::Row("verdicts"))?;
        Ok(Some(self.object::<Attestation>(id)?.verdict))
    }

    /// What is attested of a release, by attestor and place.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn attestations(&self, release: ReleaseId) -> Result<Vec<AttestationInfo>, Error> {
        let prefix = release.cid().to_bytes();
        let mut found = Vec::new();
        for (key, value) in self.0.rows(IndexTree::Attestations, &prefix)? {
            let place = key.get(prefix.len()..).and_then(rows::read_place);
            let (publisher, seq) = place.ok_or(Error::Row("attestations"))?;
            let id = Cid::from_bytes(&value).and_then(AttestationId::try_from);
            let attestation = self.object(id.map_err(|_| Error::Row("attestations"))?.cid())?;
            found.push(AttestationInfo { placed: self.placed(publisher, seq)?, attestation });
        }
        Ok(found)
    }

    /// Where an object or entry was published, in every log that carries it: the own log and followed
    /// ones first, so that nobody takes the place of whom this node knows by signing the same.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn places(&self, object: Cid) -> Result<Vec<Placed>, Error> {
        let prefix = rows::object(object);
        let mut places = Vec::new();
        for (key, _) in self.0.rows(IndexTree::Meta, &prefix)? {
            let place = key.get(prefix.len()..).and_then(rows::read_place);
            let (publisher, seq) = place.ok_or(Error::Row("meta"))?;
            let strange = self.own()? != Some(publisher);
            let stranger = strange && self.0.row(IndexTree::Follows, &publisher.cid().to_bytes())?.is_none();
            places.push((strange, stranger, self.placed(publisher, seq)?));
        }
        places.sort_by_key(|(strange, stranger, _)| (*stranger, *strange));
        Ok(places.into_iter().map(|(.., placed)| placed).collect())
    }

    fn placed(&self, publisher: PublisherId, seq: u64) -> Result<Placed, Error> {
        let row = self.0.row(IndexTree::Entries, &rows::place(publisher, seq))?;
        let (entry, _) = row.as_deref().and_then(rows::read_pair).ok_or(Error::Row("entries"))?;
        let sealed = Sealed::<Entry>::open(self.0.get(entry.cid())?.ok_or(Error::Row("entries"))?)?;
        let name = self.identity(publisher)?.name.to_string();
        Ok(Placed { publisher, name, seq, entry, time: sealed.value().time })
    }

    /// An object by id.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not held, [`Error::Object`] when it is of another kind.
    pub fn object<T: schemas::object::Body>(&self, id: Cid) -> Result<T, Error> {
        let bytes = self.0.get(id)?.ok_or_else(|| Error::Unknown(format!("{} {id}", T::TYPE)))?;
        Ok(schemas::object::decode(&bytes)?)
    }

    /// An object of whatever kind.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not held.
    pub fn any(&self, id: Cid) -> Result<Object, Error> {
        let bytes = self.0.get(id)?.ok_or_else(|| Error::Unknown(format!("object {id}")))?;
        Ok(Object::decode(&bytes)?)
    }

    /// The entries of a log at these places, ascending, as far as they are held.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn entries(&self, publisher: PublisherId, places: Range<u64>) -> Result<Vec<EntryInfo>, Error> {
        let mut found = Vec::new();
        for seq in places {
            let Some(row) = self.0.row(IndexTree::Entries, &rows::place(publisher, seq))? else { break };
            let (entry, object) = rows::read_pair(&row).ok_or(Error::Row("entries"))?;
            let sealed = self.entry(entry)?;
            let said = sealed.value();
            let (kind, subject) = (said.kind.clone(), said.subject.clone());
            found.push(EntryInfo { seq, entry, kind, subject, object, time: said.time, key: said.key });
        }
        Ok(found)
    }

    /// An entry by id.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not held.
    pub fn entry(&self, id: EntryId) -> Result<Sealed<Entry>, Error> {
        let bytes = self.0.get(id.cid())?.ok_or_else(|| Error::Unknown(format!("entry {id}")))?;
        Ok(Sealed::<Entry>::open(bytes)?)
    }

    /// Where each publisher that signed two histories parts from itself: the place, and both entries.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn forks(&self) -> Result<Vec<ForkInfo>, Error> {
        let mut found = Vec::new();
        for (key, value) in self.0.rows(IndexTree::Forks, &[])? {
            let (publisher, seq) = rows::read_place(&key).ok_or(Error::Row("forks"))?;
            let rival =
                Cid::from_bytes(&value).and_then(EntryId::try_from).map_err(|_| Error::Row("forks"))?;
            let row = self.0.row(IndexTree::Entries, &rows::place(publisher, seq))?;
            let held = row.as_deref().and_then(rows::read_pair).map(|(entry, _)| entry);
            found.push(ForkInfo { publisher, seq, entries: held.into_iter().chain([rival]).collect() });
        }
        Ok(found)
    }

    /// The heads of all logs as they are kept: they differ whenever a log has grown.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn heads(&self) -> Result<Vec<Row>, Error> {
        Ok(self.0.rows(IndexTree::Heads, &[])?)
    }

    /// Runs a release again, from what is held; nothing is kept or signed.
    pub fn rerun(&self, release: ReleaseId) -> Verification {
        ledger::verify::verify(release, &|id| self.0.get(id).ok().flatten())
    }

    fn objects<T>(
        &self,
        tree: IndexTree,
        read: impl Fn(Cid, Placed) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        for (key, value) in self.0.rows(tree, &[])? {
            let (publisher, seq) = rows::read_place(&key).ok_or(Error::Row("objects"))?;
            let id = Cid::from_bytes(&value).map_err(|_| Error::Row("objects"))?;
            found.push(read(id, self.placed(publisher, seq)?)?);
        }
        Ok(found)
    }

    /// The releases of a dataflow by their places in the log.
    fn vintages(&self, publisher: PublisherId, dataflow: &Name) -> Result<BTreeMap<u64, ReleaseId>, Error> {
        let mut vintages = BTreeMap::new();
        for (key, value) in self.0.rows(IndexTree::Releases, &publisher.cid().to_bytes())? {
            let (_, seq) = rows::read_place(&key).ok_or(Error::Row("releases"))?;
            let id =
                Cid::from_bytes(&value).and_then(ReleaseId::try_from).map_err(|_| Error::Row("releases"))?;
            if self.object::<Release>(id.cid())?.dataflow == *dataflow {
                vintages.insert(seq, id);
            }
        }
        Ok(vintages)
    }

    /// The last of some releases that stood before a time: signed, and not taken back. Where all were
    /// taken back it is the last one, for an address must say what became of it.
    fn standing(
        &self,
        publisher: PublisherId,
        vintages: &BTreeMap<u64, ReleaseId>,
        before: Option<i64>,
    ) -> Result<Option<ReleaseId>, Error> {
        let past = |time: i64| before.is_none_or(|end| time < end);
        let mut fallen = None;
        for (seq, id) in vintages.iter().rev() {
            if before.is_some() && !past(self.placed(publisher, *seq)?.time) {
                continue;
            }
            if !self.withdrawn(publisher, id.cid())?.is_some_and(|withdrawn| past(withdrawn.time)) {
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
    pub fn withdrawn(&self, publisher: PublisherId, subject: Cid) -> Result<Option<Withdrawn>, Error> {
        let Some(row) = self.0.row(IndexTree::Meta, &rows::retraction(publisher, subject))? else {
            return Ok(None);
        };
        let (id, seq) = rows::read_retracted(&row).ok_or(Error::Row("meta"))?;
        let said: Retraction = self.object(id)?;
        let time = self.placed(publisher, seq)?.time;
        Ok(Some(Withdrawn { reason: said.reason.to_string(), time, replacement: said.replacement }))
    }

    /// What a text names: an address, or an id.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it names nothing here.
    pub fn resolve(&self, text: &str) -> Result<Target, Error> {
        if let Ok(id) = text.parse::<Cid>() {
            return Ok(Target::Id(id));
        }
        let address: Address =
            text.parse().map_err(|fault: ledger::address::Error| Error::Malformed(fault.to_string()))?;
        let vintages = self.vintages(address.publisher, &address.dataflow)?;
        let found = match address.vintage {
            Vintage::Latest => self.standing(address.publisher, &vintages, None)?,
            Vintage::First => vintages.values().next().copied(),
            Vintage::Seq(seq) => vintages.get(&seq).copied(),
            Vintage::Asof(day) => self.standing(address.publisher, &vintages, Some(end_of(day)))?,
        };
        match found {
            Some(release) => Ok(Target::Address(address, release)),
            None => Err(Error::Unknown(format!("a release at {address}"))),
        }
    }

    /// The bundle of an object or entry: all that is needed to verify it offline, and the
    /// attestations of it that are held.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Missing`].
    pub fn bundle(&self, id: Cid) -> Result<Vec<u8>, Error> {
        let roots: Vec<EntryId> = match self.places(id)? {
            places if places.is_empty() => self.as_entry(id)?.into_iter().collect(),
            places => places.into_iter().take(1).map(|placed| placed.entry).collect(),
        };
        let root = *roots.first().ok_or_else(|| Error::Unknown(id.to_string()))?;
        let sealed = Sealed::<Entry>::open(self.0.get(root.cid())?.ok_or(Error::Row("entries"))?)?;
        let beside = match ReleaseId::try_from(sealed.value().object()) {
            Ok(release) if sealed.value().kind == "release" => {
                self.attestations(release)?.into_iter().map(|info| info.placed.entry).collect()
            }
            _ => Vec::new(),
        };
        let fetch = |id| self.0.get(id).ok().flatten();
        bundle::write(&roots, &beside, &fetch).map_err(|reach| Error::Missing(reach.missing))
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
    pub fn peers(&self) -> Result<Vec<String>, Error> {
        let rows = self.0.rows(IndexTree::Peers, &[])?;
        Ok(rows.into_iter().filter_map(|(key, _)| String::from_utf8(key).ok()).collect())
    }

    /// Content ids that more than one data set here has: independent imports that agree.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn twins(&self, dataset: DatasetId) -> Result<Vec<DatasetInfo>, Error> {
        let content = self.object::<Dataset>(dataset.cid())?.content;
        let same = |info: &DatasetInfo| info.dataset.content == content && info.id != dataset;
        Ok(self.datasets()?.into_iter().filter(same).collect())
    }
}

fn publisher_key(key: &[u8]) -> Option<PublisherId> {
    PublisherId::try_from(Cid::from_bytes(key).ok()?).ok()
}

/// Where the data of a data set come from, in a word and an id.
pub fn source(dataset: &Dataset) -> (&'static str, Cid) {
    match &dataset.provenance {
        Provenance::Import { snapshot, .. } => ("snapshot", snapshot.cid()),
        Provenance::Release { release, .. } => ("release", release.cid()),
    }
}

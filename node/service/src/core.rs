//! The state of a node and its rules for inputs, without IO of its own but for [`Keep`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::log::Log;
use ledger::verify::Verification;
use replication::{Millis, Peer, RequestId, StreamOutcome, SyncAction, SyncEvent, SyncMachine, SyncRequest};
use schemas::cbor;
use schemas::cid::{Cid, EntryId, PublisherId, ReleaseId};
use schemas::entry::Entry;
use schemas::object::{self, Attestation, KeyUse};
use schemas::seal::Sealed;
use schemas::text::Text;
use store::{IndexTree, WriteBatch};

use crate::frontier::SyncFrontier;
use crate::index_rows::{self, HeadRow};
use crate::length_claims::LengthClaims;
use crate::publish::Signer;
use crate::storage::Storage;

/// Logs of strangers of which entries are kept, so that attestations reach everyone.
pub const STRANGERS_MAX: usize = 1024;
/// Entries kept of one stranger's log.
pub const STRANGER_ENTRIES_MAX: u64 = 16_384;
/// Bytes of delivered blocks held back to be committed together.
pub const PENDING_BYTES_MAX: usize = 4 << 20;
/// Entries whose missing blocks are sought at once.
pub const WINDOW_ENTRIES: u64 = 32;

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The entry does not fit its log.
    #[error(transparent)]
    Log(#[from] ledger::log::LogError),
    /// The bytes are no entry.
    #[error(transparent)]
    Entry(#[from] schemas::entry::Error),
    /// The bytes are no object.
    #[error(transparent)]
    Object(#[from] object::Error),
    /// The node has no identity to sign with.
    #[error("this data directory has no publisher identity")]
    NoIdentity,
    /// It has one already.
    #[error("this data directory has a publisher identity already: {0}")]
    HasIdentity(PublisherId),
    /// The object needs blocks that are neither held nor given.
    #[error("the object needs {} blocks that are not at hand, the first is {}", .0.len(), .0.first().map(Cid::to_string).unwrap_or_default())]
    Missing(Vec<Cid>),
    /// Peers hold more of the own log than this node does.
    #[error(
        "peers hold {told} entries of this publisher's log, this data directory {held}: \
         signing now would fork it"
    )]
    Behind {
        /// Entries here.
        held: u64,
        /// Entries that a peer told of.
        told: u64,
    },
    /// Nothing is known of it.
    #[error("{0} is not known here")]
    NotFound(String),
    /// A text that is neither an id nor an address.
    #[error("{0}")]
    Malformed(String),
    /// A row of the index does not read.
    #[error("the index row of `{0}` is damaged; `assay fsck --rebuild-index` makes it anew")]
    CorruptRow(&'static str),
}

/// What the core wants done, or others told.
#[derive(Debug)]
pub enum CoreOutput {
    /// For the network.
    Network(SyncAction),
    /// A release of somebody else is whole and wants to be run again.
    Verify(ReleaseId),
    /// An entry and all it needs is held, indexed and durable.
    Accepted {
        /// The log.
        publisher: PublisherId,
        /// Its place.
        seq: u64,
        /// The kind of its object.
        kind: String,
        /// The object.
        object: Cid,
    },
    /// An entry of a publisher contradicts one held.
    Forked {
        /// The log.
        publisher: PublisherId,
        /// The place.
        seq: u64,
    },
}

/// How a core is set up.
#[derive(Debug, Default)]
pub struct CoreSetup {
    /// The keys of the own publisher, if it has any.
    pub signer: Option<Signer>,
    /// Name and version of the program, for attestations.
    pub build: Text<64>,
    /// Whether releases of followed publishers are run again and attested.
    pub attest: bool,
}

/// A log as held.
#[derive(Debug)]
pub(crate) struct LogState {
    pub(crate) log: Log,
    /// Entries from the start whose objects are whole.
    pub(crate) complete: u64,
    /// The place and the entry by which the publisher contradicts itself, once that is known: the
    /// first such place.
    pub(crate) fork: Option<(u64, EntryId)>,
    pub(crate) frontier: Option<SyncFrontier>,
}

impl LogState {
    /// The contradiction, where everybody who holds as much of the log can check it: two entries for
    /// one place.
    pub(crate) fn proven_fork(&self) -> Option<(u64, EntryId)> {
        self.fork.filter(|(seq, _)| *seq < self.log.length())
    }
}

/// The state of a node.
pub struct Core<K: Storage> {
    pub(crate) storage: Arc<K>,
    pub(crate) logs: BTreeMap<PublisherId, LogState>,
    pub(crate) follows: BTreeSet<PublisherId>,
    pub(crate) own: Option<PublisherId>,
    pub(crate) claims: LengthClaims,
    /// Whether something found could not be signed, since peers claim more of the own log.
    unsigned: bool,
    pub(crate) setup: CoreSetup,
    pub(crate) outputs: Vec<CoreOutput>,
    /// Blocks delivered but not committed yet.
    pub(crate) pending: BTreeMap<Cid, Vec<u8>>,
    pub(crate) pending_bytes: usize,
    /// What each request under way is about, and who was asked.
    pub(crate) asked: BTreeMap<RequestId, (Peer, SyncRequest)>,
    machine: SyncMachine,
    pub(crate) now: Millis,
}

impl<K: Storage> Core<K> {
    /// The state as kept. Entries that became whole since are found; releases without a verdict
    /// are asked to be verified.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub fn open(keep: Arc<K>, setup: CoreSetup) -> Result<Self, Error> {
        let own = match keep.row(IndexTree::Meta, index_rows::OWN)? {
            None => None,
            Some(bytes) => Some(read_publisher(&bytes).ok_or(Error::CorruptRow("own"))?),
        };
        let mut follows = BTreeSet::new();
        for (key, _) in keep.rows(IndexTree::Follows, &[])? {
            follows.insert(read_publisher(&key).ok_or(Error::CorruptRow("follows"))?);
        }
        let mut core = Self {
            storage: keep,
            logs: BTreeMap::new(),
            follows,
            own,
            claims: LengthClaims::default(),
            unsigned: false,
            setup,
            outputs: Vec::new(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            asked: BTreeMap::new(),
            machine: SyncMachine::default(),
            now: Millis(0),
        };
        core.load_logs()?;
        for publisher in core.logs.keys().copied().collect::<Vec<_>>() {
            core.advance_complete(publisher)?;
        }
        core.queue_verifications()?;
        Ok(core)
    }

    fn load_logs(&mut self) -> Result<(), Error> {
        for (key, value) in self.storage.rows(IndexTree::Heads, &[])? {
            let publisher = read_publisher(&key).ok_or(Error::CorruptRow("heads"))?;
            let head: HeadRow = cbor::decode(&value).map_err(|_| Error::CorruptRow("heads"))?;
            let bytes = self.storage.get(publisher.cid())?.ok_or(Error::CorruptRow("heads"))?;
            let genesis = Sealed::<Entry>::open(bytes)?;
            let log = Log::resume(&genesis, head.length, head.last)?;
            let fork = self.load_fork(publisher)?;
            self.logs.insert(publisher, LogState { log, complete: head.complete, fork, frontier: None });
        }
        Ok(())
    }

    /// The evidence that a publisher signed two histories, as kept.
    fn load_fork(&self, publisher: PublisherId) -> Result<Option<(u64, EntryId)>, Error> {
        let rows = self.storage.rows(IndexTree::Forks, &publisher.cid().to_bytes())?;
        let Some((key, value)) = rows.first() else { return Ok(None) };
        let (_, seq) = index_rows::read_position_key(key).ok_or(Error::CorruptRow("forks"))?;
        let entry = Cid::from_bytes(value).and_then(EntryId::try_from);
        Ok(Some((seq, entry.map_err(|_| Error::CorruptRow("forks"))?)))
    }

    /// Asks for what is lacking on every release that is whole: a verdict, or the signature under it
    /// (the node stopped before it came to them, had no identity, or was behind).
    pub(crate) fn queue_verifications(&mut self) -> Result<(), Error> {
        for (key, value) in self.storage.rows(IndexTree::Releases, &[])? {
            let (publisher, _) = index_rows::read_position_key(&key).ok_or(Error::CorruptRow("releases"))?;
            let release = Cid::from_bytes(&value).and_then(ReleaseId::try_from);
            self.queue_verification(publisher, release.map_err(|_| Error::CorruptRow("list_releases"))?)?;
        }
        Ok(())
    }

    /// Asks for a verdict on a release of a followed publisher that has none here.
    pub(crate) fn queue_verification(
        &mut self,
        publisher: PublisherId,
        release: ReleaseId,
    ) -> Result<(), Error> {
        let foreign = self.own != Some(publisher) && self.follows.contains(&publisher);
        if !foreign || !self.setup.attest {
            return Ok(());
        }
        let found = self.storage.row(IndexTree::Verdicts, &release.cid().to_bytes())?.is_some();
        if !found || (self.may_attest() && !self.is_attested(release)?) {
            self.outputs.push(CoreOutput::Verify(release));
        }
        Ok(())
    }

    /// Whether the own publisher lets the key at hand sign attestations.
    fn may_attest(&self) -> bool {
        let held = self.own.and_then(|own| self.logs.get(&own));
        let key = self.setup.signer.as_ref().map(|Signer(key)| key.public());
        held.zip(key).is_some_and(|(held, key)| {
            let mut keys = held.log.identity().keys.iter();
            keys.any(|one| one.key == key && one.uses.contains(&KeyUse::Attest))
        })
    }

    /// Whether the own log speaks of a release already: it attests it, or carries it itself, for nobody
    /// is a witness of himself.
    fn is_attested(&self, release: ReleaseId) -> Result<bool, Error> {
        let Some(own) = self.own else { return Ok(false) };
        if self.find_published(own, release.cid())?.is_some() {
            return Ok(true);
        }
        let prefix = [release.cid().to_bytes(), own.cid().to_bytes()].concat();
        Ok(!self.storage.rows(IndexTree::Attestations, &prefix)?.is_empty())
    }

    /// What keeps the bytes, to read beside the owner.
    pub fn storage(&self) -> Arc<K> {
        Arc::clone(&self.storage)
    }

    /// The own publisher.
    pub fn own_publisher(&self) -> Option<PublisherId> {
        self.own
    }

    /// What came of the inputs so far, given away.
    pub fn take_outputs(&mut self) -> Vec<CoreOutput> {
        std::mem::take(&mut self.outputs)
    }

    /// Tells the sync machine something and takes its actions.
    pub(crate) fn drive_sync(&mut self, event: SyncEvent) {
        let mut machine = std::mem::take(&mut self.machine);
        let actions = machine.handle_event(self.now, event, self);
        self.machine = machine;
        for action in actions {
            match &action {
                SyncAction::SendRequest { peer, request_id, request } => {
                    self.asked.insert(*request_id, (peer.clone(), request.clone()));
                }
                SyncAction::CancelRequest { request_id } => {
                    self.asked.remove(request_id);
                }
                _ => {}
            }
            self.outputs.push(CoreOutput::Network(action));
        }
    }

    /// Something happened on the network at the time `now`, or time passed. Delivered blocks come
    /// by [`Core::accept_block`] instead.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn handle_event(&mut self, now: Millis, event: SyncEvent) -> Result<(), Error> {
        self.now = now;
        match (&event, self.own) {
            (SyncEvent::Connected(peer), _) => self.claims.connected(peer),
            (SyncEvent::Disconnected(peer), _) => self.claims.disconnected(peer),
            (SyncEvent::HeadsReceived { from, heads }, Some(own)) => {
                self.claims.record_heads(own, from, heads)
            }
            (SyncEvent::RequestFinished { request_id, outcome }, _) => {
                let asked = self.asked.remove(request_id);
                self.flush_pending()?;
                if let (Some((peer, request)), StreamOutcome::Complete) = (asked, outcome) {
                    self.note_request_finished(&peer, &request);
                }
            }
            _ => {}
        }
        self.retry_attestations()?;
        self.drive_sync(event);
        Ok(())
    }

    /// A peer has sent all that it has of what it was asked for.
    fn note_request_finished(&mut self, peer: &Peer, request: &SyncRequest) {
        if let SyncRequest::Entries { publisher, from, .. } = request
            && Some(*publisher) == self.own
            && self.logs.get(publisher).is_some_and(|held| held.log.length() <= *from)
        {
            self.claims.refute(peer);
        }
    }

    /// The length of the own log that peers claim, where it is more than is held.
    pub(crate) fn claimed_ahead(&self) -> Option<(u64, u64)> {
        let held = self.logs.get(&self.own?).map_or(0, |held| held.log.length());
        let told = self.claims.longest();
        (told > held).then_some((held, told))
    }

    /// Comes back to what could not be signed while peers claimed more of the own log.
    pub(crate) fn retry_attestations(&mut self) -> Result<(), Error> {
        if self.unsigned && self.claimed_ahead().is_none() {
            self.unsigned = false;
            self.queue_verifications()?;
        }
        Ok(())
    }

    /// Follows a publisher: its log is kept whole, its releases are run again.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn follow(&mut self, publisher: PublisherId) -> Result<(), Error> {
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Follows, &publisher.cid().to_bytes(), &[]);
        self.storage.commit(batch)?;
        self.follows.insert(publisher);
        self.advance_complete(publisher)?;
        self.queue_verifications()?;
        self.drive_sync(SyncEvent::Followed { publisher });
        Ok(())
    }

    /// No longer follows a publisher. What is held stays.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn unfollow(&mut self, publisher: PublisherId) -> Result<(), Error> {
        let mut batch = WriteBatch::new();
        batch.delete_row(IndexTree::Follows, &publisher.cid().to_bytes());
        self.storage.commit(batch)?;
        self.follows.remove(&publisher);
        if let Some(held) = self.logs.get_mut(&publisher) {
            held.frontier = None;
        }
        Ok(())
    }

    /// A verification is done: keep it, and attest it when the node has an identity and the release is
    /// not its own. Returns whether an attestation was signed.
    ///
    /// # Errors
    /// [`enum@Error`].
    pub fn record_verification(&mut self, found: &Verification, time: i64) -> Result<bool, Error> {
        if let schemas::verdict::Verdict::Missing { .. } = found.verdict {
            return Ok(false);
        }
        let attestation: Attestation = found.attestation(self.setup.build.clone());
        let (id, (cid, bytes)) = schemas::content::encode_block(&attestation)?;
        let mut batch = WriteBatch::new();
        batch.put_block(cid, bytes.clone());
        batch.put_row(IndexTree::Verdicts, &found.release.cid().to_bytes(), &id.cid().to_bytes());
        self.storage.commit(batch)?;
        let own = self.own.map(|own| self.find_published(own, found.release.cid())).transpose()?.flatten();
        if own.is_some() || !self.may_attest() {
            return Ok(false);
        }
        let signed = self.publish(&bytes, Vec::new(), time);
        self.unsigned |= matches!(signed, Err(Error::Behind { .. }));
        signed.map(|_| true)
    }

    /// The entry of a log at a place.
    pub(crate) fn entry_at(&self, publisher: PublisherId, seq: u64) -> Result<Option<(EntryId, Cid)>, Error> {
        let row = self.storage.row(IndexTree::Entries, &index_rows::position_key(publisher, seq))?;
        row.map(|row| index_rows::read_entry_value(&row).ok_or(Error::CorruptRow("entries"))).transpose()
    }

    /// A block, committed or pending.
    pub(crate) fn find_block(&self, id: Cid) -> Option<Vec<u8>> {
        if let Some(bytes) = self.pending.get(&id) {
            return Some(bytes.clone());
        }
        self.storage.get(id).ok().flatten()
    }

    /// Commits the pending blocks.
    pub(crate) fn flush_pending(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::new();
        for (id, bytes) in &self.pending {
            batch.put_block(*id, bytes.clone());
        }
        self.storage.commit(batch)?;
        self.pending.clear();
        self.pending_bytes = 0;
        Ok(())
    }
}

fn read_publisher(bytes: &[u8]) -> Option<PublisherId> {
    PublisherId::try_from(Cid::from_bytes(bytes).ok()?).ok()
}

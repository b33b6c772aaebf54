//! The state of a node and its rules for inputs. Its only IO goes through [`Storage`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::log::Log;
use ledger::verify::Verification;
use replication::{Millis, Peer, RequestId, StreamOutcome, SyncAction, SyncEvent, SyncMachine, SyncRequest};
use schemas::cbor;
use schemas::cid::{Cid, EntryId, PublisherId, ReleaseId};
use schemas::entry::Entry;
use schemas::key::SecretKey;
use schemas::object::{self, Attestation, KeyUse};
use schemas::seal::Sealed;
use schemas::text::Line;
use schemas::verdict::Verdict;
use store::{IndexTree, WriteBatch};

use crate::frontier::SyncFrontier;
use crate::index_rows::{self, HeadRow};
use crate::length_claims::LengthClaims;
use crate::storage::Storage;

/// Logs of unfollowed publishers whose entries are stored, so that attestations reach every node.
pub const STRANGERS_MAX: usize = 1024;
/// Stored entries of one unfollowed log.
pub const STRANGER_ENTRIES_MAX: u64 = 16_384;
/// Bytes of delivered blocks that are committed in one batch.
pub const PENDING_BYTES_MAX: usize = 4 << 20;
/// Entries whose missing blocks are requested at the same time.
pub const WINDOW_ENTRIES: u64 = 32;

/// Failure of a command or query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The rules of the log reject the entry.
    #[error(transparent)]
    Log(#[from] ledger::log::LogError),
    /// The bytes are not an entry.
    #[error(transparent)]
    Entry(#[from] schemas::entry::Error),
    /// The bytes are not an object.
    #[error(transparent)]
    Object(#[from] object::Error),
    /// The data directory has no publisher identity.
    #[error("this data directory has no publisher identity")]
    NoIdentity,
    /// The data directory has an identity already.
    #[error("this data directory has a publisher identity already: {0}")]
    HasIdentity(PublisherId),
    /// Dependencies of the object are neither stored nor given.
    #[error("{} dependencies of the object are missing, the first is {}", .0.len(), .0.first().map(Cid::to_string).unwrap_or_default())]
    Missing(Vec<Cid>),
    /// Peers have more entries of the own log than this node.
    #[error(
        "peers hold {told} entries of this publisher's log, this data directory {held}: \
         signing now would fork it"
    )]
    Behind {
        /// Local entries.
        held: u64,
        /// Entries claimed by a peer.
        told: u64,
    },
    /// The object, entry, publisher or release is not stored.
    #[error("{0} is not known here")]
    NotFound(String),
    /// A text that is neither an id nor an address.
    #[error("{0}")]
    Malformed(String),
    /// An index row does not decode.
    #[error("the index row of `{0}` is corrupt; run `assay fsck --rebuild-index`")]
    CorruptRow(&'static str),
}

/// An output of the core: an action or an event.
#[derive(Debug)]
pub enum CoreOutput {
    /// An action for the network.
    Network(SyncAction),
    /// A release of another publisher is complete and must be verified.
    Verify(ReleaseId),
    /// An entry and its dependencies are stored and indexed.
    Accepted {
        /// The log.
        publisher: PublisherId,
        /// Its sequence number.
        seq: u64,
        /// The type of its object.
        kind: String,
        /// The object.
        object: Cid,
    },
    /// An entry of a publisher proves a fork.
    Forked {
        /// The log.
        publisher: PublisherId,
        /// The sequence number.
        seq: u64,
    },
}

/// The operating key of the own publisher.
#[derive(Debug)]
pub struct Signer(pub SecretKey);

/// Configuration of a core.
#[derive(Debug, Default)]
pub struct CoreSetup {
    /// The operating key of the own publisher, if there is one.
    pub signer: Option<Signer>,
    /// Name and version of the program, for attestations.
    pub build: Line<64>,
    /// Whether releases of followed publishers are verified and attested.
    pub attest: bool,
}

/// A stored log.
#[derive(Debug)]
pub(crate) struct LogState {
    pub(crate) log: Log,
    /// Entries from the start with all dependencies stored or skipped.
    pub(crate) complete: u64,
    /// The earliest known fork: sequence number and id of the entry that is not in the log.
    pub(crate) fork: Option<(u64, EntryId)>,
    pub(crate) frontier: Option<SyncFrontier>,
}

impl LogState {
    /// The fork, if the log contains the other entry with this sequence number, so that the two prove it.
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
    /// Whether attestations could not be signed because peers claim a longer own log.
    attestation_pending: bool,
    pub(crate) setup: CoreSetup,
    pub(crate) outputs: Vec<CoreOutput>,
    /// Delivered blocks that are not committed yet.
    pub(crate) pending: BTreeMap<Cid, Vec<u8>>,
    pub(crate) pending_bytes: usize,
    /// The open requests with their peers.
    pub(crate) requests: BTreeMap<RequestId, (Peer, SyncRequest)>,
    sync_machine: SyncMachine,
    pub(crate) now: Millis,
}

impl<K: Storage> Core<K> {
    /// Opens the stored state, counts entries that are complete by now, and queues releases without a
    /// verdict for verification.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::CorruptRow`].
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
            attestation_pending: false,
            setup,
            outputs: Vec::new(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            requests: BTreeMap::new(),
            sync_machine: SyncMachine::default(),
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

    /// The stored evidence of a fork.
    fn load_fork(&self, publisher: PublisherId) -> Result<Option<(u64, EntryId)>, Error> {
        let rows = self.storage.rows(IndexTree::Forks, &publisher.cid().to_bytes())?;
        let Some((key, value)) = rows.first() else { return Ok(None) };
        let (_, seq) = index_rows::read_position_key(key).ok_or(Error::CorruptRow("forks"))?;
        let entry = Cid::from_bytes(value).and_then(EntryId::try_from);
        Ok(Some((seq, entry.map_err(|_| Error::CorruptRow("forks"))?)))
    }

    /// Queues every complete release that has no verdict or no attestation yet: the node may have stopped
    /// before, had no identity, or was behind.
    pub(crate) fn queue_verifications(&mut self) -> Result<(), Error> {
        for (key, value) in self.storage.rows(IndexTree::Releases, &[])? {
            let (publisher, _) = index_rows::read_position_key(&key).ok_or(Error::CorruptRow("releases"))?;
            let release = Cid::from_bytes(&value).and_then(ReleaseId::try_from);
            self.queue_verification(publisher, release.map_err(|_| Error::CorruptRow("list_releases"))?)?;
        }
        Ok(())
    }

    /// Queues a release of a followed publisher without a verdict or attestation.
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

    /// Whether the own identity allows the operating key to sign attestations.
    fn may_attest(&self) -> bool {
        let held = self.own.and_then(|own| self.logs.get(&own));
        let key = self.setup.signer.as_ref().map(|Signer(key)| key.public());
        held.zip(key).is_some_and(|(held, key)| {
            let mut keys = held.log.identity().keys.iter();
            keys.any(|one| one.key == key && one.uses.contains(&KeyUse::Attest))
        })
    }

    /// Whether the own log contains an attestation of a release, or the release itself: a publisher does not
    /// attest its own releases.
    fn is_attested(&self, release: ReleaseId) -> Result<bool, Error> {
        let Some(own) = self.own else { return Ok(false) };
        if self.find_published(own, release.cid())?.is_some() {
            return Ok(true);
        }
        let prefix = [release.cid().to_bytes(), own.cid().to_bytes()].concat();
        Ok(!self.storage.rows(IndexTree::Attestations, &prefix)?.is_empty())
    }

    /// The storage, for concurrent reads.
    pub fn storage(&self) -> Arc<K> {
        Arc::clone(&self.storage)
    }

    /// The own publisher.
    pub fn own_publisher(&self) -> Option<PublisherId> {
        self.own
    }

    /// Takes the outputs collected since the last call.
    pub fn take_outputs(&mut self) -> Vec<CoreOutput> {
        std::mem::take(&mut self.outputs)
    }

    /// Passes an event to the sync machine and collects its actions.
    pub(crate) fn drive_sync(&mut self, event: SyncEvent) {
        // The machine reads the stored logs through `self`, so it is moved out during the call.
        let mut machine = std::mem::take(&mut self.sync_machine);
        let actions = machine.handle_event(self.now, event, self);
        self.sync_machine = machine;
        for action in actions {
            match &action {
                SyncAction::SendRequest { peer, request_id, request } => {
                    self.requests.insert(*request_id, (peer.clone(), request.clone()));
                }
                SyncAction::CancelRequest { request_id } => {
                    self.requests.remove(request_id);
                }
                _ => {}
            }
            self.outputs.push(CoreOutput::Network(action));
        }
    }

    /// Handles a network event or a tick at the time `now`. Delivered blocks go to [`Core::accept_block`]
    /// instead.
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
                let asked = self.requests.remove(request_id);
                // No later block may arrive to trigger the commit of the last ones.
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

    /// Records that a request finished: a peer without further entries of the own log refutes its claim.
    fn note_request_finished(&mut self, peer: &Peer, request: &SyncRequest) {
        if let SyncRequest::Entries { publisher, from, .. } = request
            && Some(*publisher) == self.own
            && self.logs.get(publisher).is_some_and(|held| held.log.length() <= *from)
        {
            self.claims.refute(peer);
        }
    }

    /// The local and the claimed length of the own log, when the latter is larger.
    pub(crate) fn claimed_ahead(&self) -> Option<(u64, u64)> {
        let held = self.logs.get(&self.own?).map_or(0, |held| held.log.length());
        let told = self.claims.longest();
        (told > held).then_some((held, told))
    }

    /// Retries attestations that were postponed while peers claimed a longer own log.
    pub(crate) fn retry_attestations(&mut self) -> Result<(), Error> {
        if self.attestation_pending && self.claimed_ahead().is_none() {
            self.attestation_pending = false;
            self.queue_verifications()?;
        }
        Ok(())
    }

    /// Follows a publisher: its log is replicated and its releases are verified.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn follow(&mut self, publisher: PublisherId) -> Result<(), Error> {
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Follows, &publisher.cid().to_bytes(), &[]);
        self.storage.commit(batch)?;
        // Only after the commit, so that a failed write leaves memory and storage in agreement.
        self.follows.insert(publisher);
        self.advance_complete(publisher)?;
        self.queue_verifications()?;
        self.drive_sync(SyncEvent::Followed { publisher });
        Ok(())
    }

    /// Stops following a publisher. Stored blocks stay.
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

    /// Stores the address of a peer, to be dialled at every start.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn add_peer(&mut self, address: &str) -> Result<(), Error> {
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Peers, address.as_bytes(), &[]);
        Ok(self.storage.commit(batch)?)
    }

    /// Stores the result of a verification, and attests it when the node has an identity and the release is
    /// not its own. Returns whether an attestation was signed.
    ///
    /// # Errors
    /// [`enum@Error`].
    pub fn record_verification(&mut self, found: &Verification, time: i64) -> Result<bool, Error> {
        if let Verdict::Missing { .. } = found.verdict {
            return Ok(false);
        }
        let attestation: Attestation = found.attestation(self.setup.build.clone());
        let (id, (cid, bytes)) = schemas::content::encode_block(&attestation)?;
        let mut batch = WriteBatch::new();
        for (id, block) in &found.blocks {
            batch.put_block(*id, block.clone());
        }
        batch.put_block(cid, bytes.clone());
        batch.put_row(IndexTree::Verdicts, &found.release.cid().to_bytes(), &id.cid().to_bytes());
        self.storage.commit(batch)?;
        let own = self.own.map(|own| self.find_published(own, found.release.cid())).transpose()?.flatten();
        // Others learn nothing from a run that did not take place.
        let ran = !matches!(found.verdict, Verdict::NotRun { .. });
        if own.is_some() || !ran || !self.may_attest() {
            return Ok(false);
        }
        let signed = self.publish(&bytes, found.blocks.clone(), time);
        self.attestation_pending |= matches!(signed, Err(Error::Behind { .. }));
        signed.map(|_| true)
    }

    /// The entry with a sequence number, and its object.
    pub(crate) fn entry_at(&self, publisher: PublisherId, seq: u64) -> Result<Option<(EntryId, Cid)>, Error> {
        let row = self.storage.row(IndexTree::Entries, &index_rows::position_key(publisher, seq))?;
        row.map(|row| index_rows::read_entry_value(&row).ok_or(Error::CorruptRow("entries"))).transpose()
    }

    /// Reads a block, committed or pending.
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

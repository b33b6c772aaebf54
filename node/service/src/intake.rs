//! Intake of entries and blocks: from peers, bundles and commands, with the same checks.

use ledger::dependencies;
use ledger::log::{self, Log};
use replication::{BlockRefusal, LogView, Millis, RequestId, SyncEvent, SyncRequest};
use schemas::cbor;
use schemas::cid::{Cid, Codec, EntryId, PublisherId, ReleaseId};
use schemas::entry::{Entry, Payload};
use schemas::object::{self, Object};
use schemas::seal::Sealed;
use store::{IndexTree, WriteBatch};

use crate::core::{Core, CoreOutput, Error, LogState, PENDING_BYTES_MAX, WINDOW_ENTRIES};
use crate::frontier::SyncFrontier;
use crate::index_rows::{self, HeadRow};
use crate::storage::Storage;

impl<K: Storage> Core<K> {
    /// Accepts a block that a stream delivered for the request `request_id`: checks it, stores it if it was
    /// requested, and reports the outcome to the sync machine.
    ///
    /// # Errors
    /// [`Error::Store`]. An invalid block is no error here; the sync machine penalises the peer.
    pub fn accept_block(
        &mut self,
        now: Millis,
        request_id: RequestId,
        id: Cid,
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        self.now = now;
        let size = bytes.len();
        let verdict = match self.requests.get(&request_id).cloned() {
            None => Err(BlockRefusal::Unwanted),
            Some(_) if !id.matches(&bytes) => Err(BlockRefusal::HashMismatch),
            Some((_, SyncRequest::Entries { publisher, .. })) => self.receive_entry(publisher, bytes),
            Some((_, SyncRequest::Blocks { ids })) if ids.contains(&id) => self.receive_requested(id, bytes),
            Some((_, SyncRequest::Blocks { .. })) => Err(BlockRefusal::Unwanted),
        };
        self.drive_sync(SyncEvent::BlockReceived { request_id, id, bytes: size, verdict });
        Ok(())
    }

    fn receive_entry(&mut self, publisher: PublisherId, bytes: Vec<u8>) -> Result<(), BlockRefusal> {
        let entry = Sealed::<Entry>::open(bytes).map_err(|_| BlockRefusal::Invalid)?;
        if entry.publisher() != publisher {
            return Err(BlockRefusal::Invalid);
        }
        let (held, seq) =
            (self.logs.get(&publisher).map_or(0, |held| held.log.length()), entry.value().seq());
        if seq >= held && !self.accepts_entries(publisher) {
            return Err(BlockRefusal::Unwanted);
        }
        match self.accept_entry(entry) {
            Ok(()) => Ok(()),
            // Beyond the local end the fork is plausible, but the entry where the branches part is needed.
            Err(Error::Log(error)) if error.is_fork() && seq >= held => Err(BlockRefusal::Discontinuous),
            Err(Error::Log(error)) if error.is_fork() => Err(BlockRefusal::Forked),
            Err(Error::Log(log::LogError::Gap { .. })) => Err(BlockRefusal::Discontinuous),
            Err(Error::Store(_)) => Err(BlockRefusal::StorageFailed),
            Err(_) => Err(BlockRefusal::Invalid),
        }
    }

    /// Accepts a block requested by id: a missing block of a log, or an entry that proves a fork.
    fn receive_requested(&mut self, id: Cid, bytes: Vec<u8>) -> Result<(), BlockRefusal> {
        let waits = |held: &LogState| held.frontier.as_ref().is_some_and(|frontier| frontier.contains(id));
        if self.logs.values().any(waits) {
            return self.receive_missing(id, bytes);
        }
        // The bytes may be stored already under another role, such as a piece of a document.
        match Sealed::<Entry>::open(bytes.as_slice()) {
            Ok(entry) => self.receive_entry(entry.publisher(), bytes),
            Err(_) if self.find_block(id).is_some() => Ok(()),
            Err(_) => Err(BlockRefusal::Unwanted),
        }
    }

    /// Stores a missing block. A block that matches its id but does not decode is stored too, as evidence:
    /// entries that depend on it are not indexed, and the log continues.
    fn receive_missing(&mut self, id: Cid, bytes: Vec<u8>) -> Result<(), BlockRefusal> {
        let needs = object::block_dependencies(id, &bytes).ok();
        self.pending_bytes += bytes.len();
        self.pending.insert(id, bytes);
        if self.pending_bytes > PENDING_BYTES_MAX {
            self.flush_pending().map_err(|_| BlockRefusal::StorageFailed)?;
        }
        let done = match needs {
            Some(needs) => {
                let reach = dependencies::walk_dependencies(needs, &|id| self.find_block(id), usize::MAX);
                self.resolve_dependency(id, &reach.missing)
            }
            None => self.skip_undecodable(id),
        };
        done.map_err(|_| BlockRefusal::StorageFailed)
    }

    /// Continues the logs that waited for a block which does not decode.
    fn skip_undecodable(&mut self, id: Cid) -> Result<(), Error> {
        let waits = |held: &LogState| held.frontier.as_ref().is_some_and(|frontier| frontier.contains(id));
        let waiting: Vec<PublisherId> =
            self.logs.iter().filter(|(_, held)| waits(held)).map(|(publisher, _)| *publisher).collect();
        for publisher in waiting {
            self.set_frontier(publisher, None);
            self.advance_complete(publisher)?;
        }
        Ok(())
    }

    /// Updates every frontier that waits for a block with its missing dependencies, and advances the logs
    /// whose frontier became empty.
    fn resolve_dependency(&mut self, id: Cid, missing: &[Cid]) -> Result<(), Error> {
        let mut settled = Vec::new();
        for (publisher, held) in &mut self.logs {
            if let Some(frontier) = held.frontier.as_mut().filter(|frontier| frontier.contains(id)) {
                frontier.resolve(id, missing);
                settled.extend(Some(*publisher).filter(|_| frontier.is_empty()));
            }
        }
        for publisher in settled {
            self.flush_pending()?;
            self.advance_complete(publisher)?;
        }
        Ok(())
    }

    /// Updates the frontiers after blocks arrived by another way than a request.
    pub(crate) fn blocks_arrived(&mut self, ids: &[Cid]) -> Result<(), Error> {
        let waits =
            |held: &LogState, id| held.frontier.as_ref().is_some_and(|frontier| frontier.contains(id));
        for id in ids {
            if !self.logs.values().any(|held| waits(held, *id)) {
                continue;
            }
            match self.find_block(*id).map(|bytes| object::block_dependencies(*id, &bytes)) {
                Some(Ok(needs)) => {
                    let reach = dependencies::walk_dependencies(needs, &|id| self.find_block(id), usize::MAX);
                    self.resolve_dependency(*id, &reach.missing)?;
                }
                Some(Err(_)) => self.skip_undecodable(*id)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Appends the next entry of a log durably. An entry that proves a fork is stored as evidence.
    ///
    /// # Errors
    /// [`Error::Log`] when the log's rules refuse it (an entry that is stored already is accepted),
    /// [`Error::Store`].
    pub fn accept_entry(&mut self, entry: Sealed<Entry>) -> Result<(), Error> {
        let publisher = entry.publisher();
        let seq = entry.value().seq();
        if self.entry_at(publisher, seq)?.is_some_and(|(held, _)| held == entry.id()) {
            return Ok(());
        }
        self.append_entry(&entry, WriteBatch::new())
    }

    /// Appends an entry to its log in one batch with other rows.
    pub(crate) fn append_entry(&mut self, entry: &Sealed<Entry>, mut batch: WriteBatch) -> Result<(), Error> {
        let publisher = entry.publisher();
        let taken = match self.logs.get(&publisher) {
            None => Log::from_genesis(entry),
            Some(held) => {
                let mut log = held.log.clone();
                log.append(entry).map(|()| log)
            }
        };
        let log = match taken {
            Ok(log) => log,
            Err(error) => return self.record_fork(entry, error),
        };
        let complete = self.logs.get(&publisher).map_or(0, |held| held.complete);
        self.entry_rows(&mut batch, entry, &log, complete)?;
        self.storage.commit(batch)?;
        match self.logs.get_mut(&publisher) {
            Some(held) => held.log = log,
            None => {
                let held = LogState { log, complete: 0, fork: None, frontier: None };
                self.logs.insert(publisher, held);
            }
        }
        self.advance_complete(publisher)?;
        self.drive_sync(SyncEvent::LogGrown { publisher });
        Ok(())
    }

    /// Adds the rows and blocks of the last entry of `log` to a batch.
    pub(crate) fn entry_rows(
        &self,
        batch: &mut WriteBatch,
        entry: &Sealed<Entry>,
        log: &Log,
        complete: u64,
    ) -> Result<(), Error> {
        let publisher = log.publisher();
        let object = entry.value().object();
        batch.put_block(entry.id().cid(), entry.bytes());
        if let Payload::Inline(_, bytes) = &entry.value().payload {
            batch.put_block(object, bytes.clone());
        }
        let seq = entry.value().seq();
        batch.put_row(
            IndexTree::Entries,
            &index_rows::position_key(publisher, seq),
            &index_rows::entry_value(entry.id(), object),
        );
        batch.put_row(
            IndexTree::Meta,
            &[index_rows::object_prefix(object), index_rows::position_key(publisher, seq)].concat(),
            &[],
        );
        if let Payload::Inline(inline, _) = &entry.value().payload
            && let Object::Attestation(said) = inline.as_ref()
        {
            let key = index_rows::attestation_key(said.release.cid(), publisher, seq);
            batch.put_row(IndexTree::Attestations, &key, &object.to_bytes());
        }
        self.head_row(batch, log, complete)
    }

    fn head_row(&self, batch: &mut WriteBatch, log: &Log, complete: u64) -> Result<(), Error> {
        let head = HeadRow { length: log.length(), last: log.last(), complete };
        let value = cbor::encode(&head).map_err(|_| Error::CorruptRow("heads"))?;
        batch.put_row(IndexTree::Heads, &log.publisher().cid().to_bytes(), &value);
        Ok(())
    }

    /// Stores the evidence of a fork; returns any other error unchanged.
    fn record_fork(&mut self, entry: &Sealed<Entry>, error: log::LogError) -> Result<(), Error> {
        let publisher = entry.publisher();
        let Some(held) = self.logs.get_mut(&publisher).filter(|_| error.is_fork()) else {
            return Err(error.into());
        };
        // Only an entry signed by a key of the publisher proves a fork; anyone could make another.
        log::check_key(held.log.identity(), entry.value())?;
        let seq = entry.value().seq();
        // The earliest sequence number is the strongest proof: peers with a shorter log can check it.
        if held.fork.is_none_or(|(known, _)| seq < known) {
            held.fork = Some((seq, entry.id()));
            let mut batch = WriteBatch::new();
            batch.put_block(entry.id().cid(), entry.bytes());
            batch.put_row(
                IndexTree::Forks,
                &index_rows::position_key(publisher, seq),
                &entry.id().cid().to_bytes(),
            );
            self.storage.commit(batch)?;
            self.outputs.push(CoreOutput::Forked { publisher, seq });
        }
        Err(error.into())
    }

    /// Advances the count of complete entries as far as possible and refreshes the frontier.
    pub(crate) fn advance_complete(&mut self, publisher: PublisherId) -> Result<(), Error> {
        loop {
            let Some(held) = self.logs.get(&publisher) else { return Ok(()) };
            let (complete, length) = (held.complete, held.log.length());
            if complete >= length || !self.complete_entry(publisher, complete)? {
                break;
            }
        }
        self.refresh_frontier(publisher)
    }

    /// Marks the entry at `seq` complete and indexes its object; `false` when blocks are missing.
    fn complete_entry(&mut self, publisher: PublisherId, seq: u64) -> Result<bool, Error> {
        let Some((entry, object)) = self.entry_at(publisher, seq)? else { return Ok(false) };
        let reach = dependencies::walk_dependencies([object], &|id| self.find_block(id), 1);
        if !reach.broken.is_empty() {
            tracing::warn!(%publisher, seq, "skipped an entry whose object or dependency is invalid");
            self.flush_pending()?;
            return self.mark_complete(publisher, seq, WriteBatch::new()).map(|()| true);
        }
        if !reach.missing.is_empty() {
            return Ok(false);
        }
        // INVARIANT: an entry is marked complete only after its blocks are committed.
        self.flush_pending()?;
        let bytes = self.storage.get(object)?.ok_or(Error::CorruptRow("entries"))?;
        // An object that does not decode or match its entry is not indexed; the log continues.
        let Ok(value) = Object::decode(&bytes) else {
            tracing::warn!(%publisher, seq, "skipped an entry whose object or dependency is invalid");
            return self.mark_complete(publisher, seq, WriteBatch::new()).map(|()| true);
        };
        let sealed =
            Sealed::<Entry>::open(self.storage.get(entry.cid())?.ok_or(Error::CorruptRow("entries"))?)?;
        let mut batch = WriteBatch::new();
        let fits = log::check_object(sealed.value(), &value, bytes.len()).is_ok()
            && self.references_valid(&value)?;
        if fits {
            index_object(&mut batch, publisher, seq, &value, object);
        }
        self.mark_complete(publisher, seq, batch)?;
        if fits {
            self.outputs.push(CoreOutput::Accepted {
                publisher,
                seq,
                kind: value.object_type().into(),
                object,
            });
            if let (Object::Release(_), Ok(release)) = (&value, ReleaseId::try_from(object)) {
                self.queue_verification(publisher, release)?;
            }
        }
        Ok(true)
    }

    /// Counts the entry at `seq` as complete, in one batch with its index rows.
    fn mark_complete(
        &mut self,
        publisher: PublisherId,
        seq: u64,
        mut batch: WriteBatch,
    ) -> Result<(), Error> {
        let Some(held) = self.logs.get(&publisher) else { return Ok(()) };
        self.head_row(&mut batch, &held.log, seq + 1)?;
        self.storage.commit(batch)?;
        if let Some(held) = self.logs.get_mut(&publisher) {
            held.complete = seq + 1;
        }
        Ok(())
    }

    /// Rebuilds the frontier of a replicated log when it is empty or outdated.
    fn refresh_frontier(&mut self, publisher: PublisherId) -> Result<(), Error> {
        let wanted = self.is_replicated(publisher);
        let Some(held) = self.logs.get(&publisher) else { return Ok(()) };
        let (from, length) = (held.complete, held.log.length());
        if !wanted || from == length {
            self.set_frontier(publisher, None);
            return Ok(());
        }
        if held.frontier.as_ref().is_some_and(|frontier| !frontier.is_empty() && frontier.until > from) {
            return Ok(());
        }
        let until = length.min(from + WINDOW_ENTRIES);
        let mut roots = Vec::new();
        for seq in from..until {
            roots.extend(self.entry_at(publisher, seq)?.map(|(_, object)| object));
        }
        let reach = dependencies::walk_dependencies(roots, &|id| self.find_block(id), usize::MAX);
        self.set_frontier(publisher, Some(SyncFrontier::new(reach.missing, until)));
        Ok(())
    }

    fn set_frontier(&mut self, publisher: PublisherId, frontier: Option<SyncFrontier>) {
        if let Some(held) = self.logs.get_mut(&publisher) {
            held.frontier = frontier;
        }
    }

    /// Ids of `count` entries of a log from `from` on, for the request of a peer.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn entry_ids(&self, publisher: PublisherId, from: u64, count: u64) -> Result<Vec<EntryId>, Error> {
        let length = self.logs.get(&publisher).map_or(0, |held| held.log.length());
        let until = from.saturating_add(count).min(length);
        let entries = (from..until).map(|seq| self.entry_at(publisher, seq));
        Ok(entries.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().map(|(entry, _)| entry).collect())
    }
}

/// Adds the index rows of an object to a batch.
fn index_object(batch: &mut WriteBatch, publisher: PublisherId, seq: u64, object: &Object, id: Cid) {
    let tree = match object {
        Object::Release(_) => IndexTree::Releases,
        Object::Dataset(_) => IndexTree::Datasets,
        Object::Recipe(_) => IndexTree::Recipes,
        Object::Attestation(said) => {
            let key = index_rows::attestation_key(said.release.cid(), publisher, seq);
            batch.put_row(IndexTree::Attestations, &key, &id.to_bytes());
            return;
        }
        Object::Retraction(said) => {
            let key = index_rows::retraction_key(publisher, said.subject, seq);
            batch.put_row(IndexTree::Meta, &key, &id.to_bytes());
            return;
        }
        _ => return,
    };
    debug_assert!(id.codec() == Codec::DagCbor, "objects are dag-cbor");
    batch.put_row(tree, &index_rows::position_key(publisher, seq), &id.to_bytes());
}

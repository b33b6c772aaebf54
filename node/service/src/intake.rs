//! What comes in: entries and blocks from peers, files and commands, all through the same door.

use ledger::log::{self, Log};
use ledger::reach;
use replication::{BlockRefusal, LogView, Millis, RequestId, SyncEvent, SyncRequest};
use schemas::cbor;
use schemas::cid::{Cid, Codec, EntryId, PublisherId, ReleaseId};
use schemas::entry::{Entry, Payload};
use schemas::object::{self, Object, Scope};
use schemas::seal::Sealed;
use store::{IndexTree, WriteBatch};

use crate::core::{Core, Error, Held, Output, PENDING_BYTES_MAX, WINDOW};
use crate::frontier::Frontier;
use crate::keep::Keep;
use crate::rows::{self, HeadRow};

impl<K: Keep> Core<K> {
    /// A stream delivered a block for the request `request_id`. It is checked, kept if it was asked
    /// for, and the sync machine is told what became of it.
    ///
    /// # Errors
    /// [`Error::Store`]; everything wrong with the block itself is for the sync machine.
    pub fn received(
        &mut self,
        now: Millis,
        request_id: RequestId,
        id: Cid,
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        self.now = now;
        let size = bytes.len();
        let verdict = match self.asked.get(&request_id).cloned() {
            None => Err(BlockRefusal::Unwanted),
            Some(_) if !id.matches(&bytes) => Err(BlockRefusal::HashMismatch),
            Some((_, SyncRequest::Entries { publisher, .. })) => self.receive_entry(publisher, bytes),
            Some((_, SyncRequest::Blocks { ids })) if ids.contains(&id) => self.receive_asked(id, bytes),
            Some((_, SyncRequest::Blocks { .. })) => Err(BlockRefusal::Unwanted),
        };
        self.tell(SyncEvent::BlockReceived { request_id, id, bytes: size, verdict });
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
        match self.take(entry) {
            Ok(()) => Ok(()),
            // Beyond the end of what is held it may be told, but the place where they part is wanted.
            Err(Error::Log(fault)) if fault.is_fork() && seq >= held => Err(BlockRefusal::Discontinuous),
            Err(Error::Log(fault)) if fault.is_fork() => Err(BlockRefusal::Forked),
            Err(Error::Log(log::Fault::Gap { .. })) => Err(BlockRefusal::Discontinuous),
            Err(Error::Store(_)) => Err(BlockRefusal::StorageFailed),
            Err(_) => Err(BlockRefusal::Invalid),
        }
    }

    /// A block that was asked for by id: one that a log lacks, or an entry that contradicts one.
    fn receive_asked(&mut self, id: Cid, bytes: Vec<u8>) -> Result<(), BlockRefusal> {
        let waits = |held: &Held| held.frontier.as_ref().is_some_and(|frontier| frontier.wants(id));
        if self.logs.values().any(waits) {
            return self.receive_block(id, bytes);
        }
        // An entry may be held as something else: a piece of a document, say.
        match Sealed::<Entry>::open(bytes.as_slice()) {
            Ok(entry) => self.receive_entry(entry.publisher(), bytes),
            Err(_) if self.block(id).is_some() => Ok(()),
            Err(_) => Err(BlockRefusal::Unwanted),
        }
    }

    /// Keeps a block that was waited for. One that is what its id says but no sound object is kept
    /// too, as evidence: the entries that need it count for nothing, and the log goes on.
    fn receive_block(&mut self, id: Cid, bytes: Vec<u8>) -> Result<(), BlockRefusal> {
        let needs = object::needs(id, &bytes).ok();
        self.pending_bytes += bytes.len();
        self.pending.insert(id, bytes);
        if self.pending_bytes > PENDING_BYTES_MAX {
            self.flush().map_err(|_| BlockRefusal::StorageFailed)?;
        }
        let done = match needs {
            Some(needs) => {
                let reach = reach::walk(needs, &|id| self.block(id), usize::MAX);
                self.settle(id, &reach.missing)
            }
            None => self.unsound(id),
        };
        done.map_err(|_| BlockRefusal::StorageFailed)
    }

    /// Lets the logs go on that waited for a block which turned out to be no sound object.
    fn unsound(&mut self, id: Cid) -> Result<(), Error> {
        let waits = |held: &Held| held.frontier.as_ref().is_some_and(|frontier| frontier.wants(id));
        let waiting: Vec<PublisherId> =
            self.logs.iter().filter(|(_, held)| waits(held)).map(|(publisher, _)| *publisher).collect();
        for publisher in waiting {
            self.set_frontier(publisher, None);
            self.advance(publisher)?;
        }
        Ok(())
    }

    /// Tells every frontier that waits for a block that it came, and which blocks it needs that are
    /// absent; logs that it makes whole advance.
    fn settle(&mut self, id: Cid, missing: &[Cid]) -> Result<(), Error> {
        let mut settled = Vec::new();
        for (publisher, held) in &mut self.logs {
            if let Some(frontier) = held.frontier.as_mut().filter(|frontier| frontier.wants(id)) {
                frontier.settle(id, missing);
                settled.extend(Some(*publisher).filter(|_| frontier.settled()));
            }
        }
        for publisher in settled {
            self.flush()?;
            self.advance(publisher)?;
        }
        Ok(())
    }

    /// Blocks came by another way than by being asked for.
    pub(crate) fn came(&mut self, ids: &[Cid]) -> Result<(), Error> {
        let waits = |held: &Held, id| held.frontier.as_ref().is_some_and(|frontier| frontier.wants(id));
        for id in ids {
            if !self.logs.values().any(|held| waits(held, *id)) {
                continue;
            }
            match self.block(*id).map(|bytes| object::needs(*id, &bytes)) {
                Some(Ok(needs)) => {
                    let reach = reach::walk(needs, &|id| self.block(id), usize::MAX);
                    self.settle(*id, &reach.missing)?;
                }
                Some(Err(_)) => self.unsound(*id)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Takes the next entry of a log, durably. A contradiction is kept as evidence.
    ///
    /// # Errors
    /// [`Error::Log`] when the log's rules refuse it (an entry that is held already is accepted),
    /// [`Error::Store`].
    pub fn take(&mut self, entry: Sealed<Entry>) -> Result<(), Error> {
        let publisher = entry.publisher();
        let seq = entry.value().seq();
        if self.entry_at(publisher, seq)?.is_some_and(|(held, _)| held == entry.id()) {
            return Ok(());
        }
        self.append(&entry, WriteBatch::new())
    }

    /// Puts an entry at the end of its log, together with other rows.
    pub(crate) fn append(&mut self, entry: &Sealed<Entry>, mut batch: WriteBatch) -> Result<(), Error> {
        let publisher = entry.publisher();
        let taken = match self.logs.get(&publisher) {
            None => Log::begin(entry),
            Some(held) => {
                let mut log = held.log.clone();
                log.take(entry).map(|()| log)
            }
        };
        let log = match taken {
            Ok(log) => log,
            Err(fault) => return self.refuse(entry, fault),
        };
        let complete = self.logs.get(&publisher).map_or(0, |held| held.complete);
        self.entry_rows(&mut batch, entry, &log, complete)?;
        self.keep.commit(batch)?;
        match self.logs.get_mut(&publisher) {
            Some(held) => held.log = log,
            None => {
                let held = Held { log, complete: 0, fork: None, frontier: None };
                self.logs.insert(publisher, held);
            }
        }
        self.advance(publisher)?;
        self.tell(SyncEvent::LogGrown { publisher });
        Ok(())
    }

    /// The rows and blocks of an entry that is the last of `log`.
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
        batch.put_row(IndexTree::Entries, &rows::place(publisher, seq), &rows::pair(entry.id(), object));
        batch.put_row(IndexTree::Meta, &[rows::object(object), rows::place(publisher, seq)].concat(), &[]);
        if let Payload::Inline(inline, _) = &entry.value().payload
            && let Object::Attestation(said) = inline.as_ref()
        {
            let key = rows::attestation(said.release.cid(), publisher, seq);
            batch.put_row(IndexTree::Attestations, &key, &object.to_bytes());
        }
        self.head_row(batch, log, complete)
    }

    fn head_row(&self, batch: &mut WriteBatch, log: &Log, complete: u64) -> Result<(), Error> {
        let head = HeadRow { length: log.length(), last: log.last(), complete };
        let value = cbor::encode(&head).map_err(|_| Error::Row("heads"))?;
        batch.put_row(IndexTree::Heads, &log.publisher().cid().to_bytes(), &value);
        Ok(())
    }

    /// Keeps the evidence of a fork; any other fault is handed back.
    fn refuse(&mut self, entry: &Sealed<Entry>, fault: log::Fault) -> Result<(), Error> {
        let publisher = entry.publisher();
        let Some(held) = self.logs.get_mut(&publisher).filter(|_| fault.is_fork()) else {
            return Err(fault.into());
        };
        // A contradiction counts only when the publisher's own key signed it.
        log::authorised(held.log.identity(), entry.value())?;
        let seq = entry.value().seq();
        // The first place at which they part says most; others can check it who hold less.
        if held.fork.is_none_or(|(known, _)| seq < known) {
            held.fork = Some((seq, entry.id()));
            let mut batch = WriteBatch::new();
            batch.put_block(entry.id().cid(), entry.bytes());
            batch.put_row(IndexTree::Forks, &rows::place(publisher, seq), &entry.id().cid().to_bytes());
            self.keep.commit(batch)?;
            self.outputs.push(Output::Forked { publisher, seq });
        }
        Err(fault.into())
    }

    /// Moves the mark of whole entries as far as it goes and makes the frontier of what is
    /// missing behind it.
    pub(crate) fn advance(&mut self, publisher: PublisherId) -> Result<(), Error> {
        loop {
            let Some(held) = self.logs.get(&publisher) else { return Ok(()) };
            let (complete, length) = (held.complete, held.log.length());
            if complete >= length || !self.next_whole(publisher, complete)? {
                break;
            }
        }
        self.seek(publisher)
    }

    /// Marks the entry at `seq` whole if it is, with its index rows. `false` when it is not.
    fn next_whole(&mut self, publisher: PublisherId, seq: u64) -> Result<bool, Error> {
        let Some((entry, object)) = self.entry_at(publisher, seq)? else { return Ok(false) };
        let reach = reach::walk([object], &|id| self.block(id), 1);
        if !reach.broken.is_empty() {
            tracing::warn!(%publisher, seq, "an entry refers to what is no sound object, and counts for nothing");
            self.flush()?;
            return self.pass(publisher, seq, WriteBatch::new()).map(|()| true);
        }
        if !reach.missing.is_empty() {
            return Ok(false);
        }
        self.flush()?;
        let bytes = self.keep.get(object)?.ok_or(Error::Row("entries"))?;
        // What is no object at all, or not what its entry says, counts for nothing; the log goes on.
        let Ok(value) = Object::decode(&bytes) else {
            tracing::warn!(%publisher, seq, "an entry refers to what is no sound object, and counts for nothing");
            return self.pass(publisher, seq, WriteBatch::new()).map(|()| true);
        };
        let sealed = Sealed::<Entry>::open(self.keep.get(entry.cid())?.ok_or(Error::Row("entries"))?)?;
        let mut batch = WriteBatch::new();
        let fits = log::fits(sealed.value(), &value, bytes.len()).is_ok() && self.sound(&value)?;
        if fits {
            index(&mut batch, publisher, seq, &value, object);
        }
        self.pass(publisher, seq, batch)?;
        if fits {
            self.outputs.push(Output::Accepted { publisher, seq, kind: value.kind().into(), object });
            if let (Object::Release(_), Ok(release)) = (&value, ReleaseId::try_from(object)) {
                self.want_verdict(publisher, release)?;
            }
        }
        Ok(true)
    }

    /// Moves the mark of whole entries behind `seq`, with the rows of `batch`.
    fn pass(&mut self, publisher: PublisherId, seq: u64, mut batch: WriteBatch) -> Result<(), Error> {
        let Some(held) = self.logs.get(&publisher) else { return Ok(()) };
        self.head_row(&mut batch, &held.log, seq + 1)?;
        self.keep.commit(batch)?;
        if let Some(held) = self.logs.get_mut(&publisher) {
            held.complete = seq + 1;
        }
        Ok(())
    }

    /// Makes the frontier of a log that is kept whole.
    fn seek(&mut self, publisher: PublisherId) -> Result<(), Error> {
        let wanted = self.whole(publisher);
        let Some(held) = self.logs.get(&publisher) else { return Ok(()) };
        let (from, length) = (held.complete, held.log.length());
        if !wanted || from == length {
            self.set_frontier(publisher, None);
            return Ok(());
        }
        if held.frontier.as_ref().is_some_and(|frontier| !frontier.settled() && frontier.until > from) {
            return Ok(());
        }
        let until = length.min(from + WINDOW);
        let mut roots = Vec::new();
        for seq in from..until {
            roots.extend(self.entry_at(publisher, seq)?.map(|(_, object)| object));
        }
        let reach = reach::walk(roots, &|id| self.block(id), usize::MAX);
        self.set_frontier(publisher, Some(Frontier::new(reach.missing, until)));
        Ok(())
    }

    fn set_frontier(&mut self, publisher: PublisherId, frontier: Option<Frontier>) {
        if let Some(held) = self.logs.get_mut(&publisher) {
            held.frontier = frontier;
        }
    }

    /// Ids of the entries of a log, for a peer that asks.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn entries(&self, publisher: PublisherId, from: u64, count: u64) -> Result<Vec<EntryId>, Error> {
        let length = self.logs.get(&publisher).map_or(0, |held| held.log.length());
        let until = from.saturating_add(count).min(length);
        let entries = (from..until).map(|seq| self.entry_at(publisher, seq));
        Ok(entries.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().map(|(entry, _)| entry).collect())
    }
}

/// The rows by which an object is found.
fn index(batch: &mut WriteBatch, publisher: PublisherId, seq: u64, object: &Object, id: Cid) {
    let tree = match object {
        Object::Release(_) => IndexTree::Releases,
        Object::Dataset(_) => IndexTree::Datasets,
        Object::Recipe(_) => IndexTree::Recipes,
        Object::Attestation(said) => {
            let key = rows::attestation(said.release.cid(), publisher, seq);
            batch.put_row(IndexTree::Attestations, &key, &id.to_bytes());
            return;
        }
        Object::Retraction(said) if said.scope == Scope::Whole => {
            batch.put_row(
                IndexTree::Meta,
                &rows::retraction(publisher, said.subject),
                &rows::retracted(id, seq),
            );
            return;
        }
        _ => return,
    };
    debug_assert!(id.codec() == Codec::DagCbor, "objects are dag-cbor");
    batch.put_row(tree, &rows::place(publisher, seq), &id.to_bytes());
}

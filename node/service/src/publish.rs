//! Signing into the own log.

use ledger::dependencies;
use ledger::log::Log;
use replication::SyncEvent;
use schemas::cid::{Cid, Codec, EntryId, PublisherId};
use schemas::content::Block;
use schemas::entry::{self, Entry};
use schemas::object::Object;
use schemas::seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{IndexTree, WriteBatch};

use crate::core::{Core, Error, PENDING_BYTES_MAX, Signer};
use crate::index_rows;
use crate::storage::Storage;

/// Position of a published object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishReceipt {
    /// The log.
    pub publisher: PublisherId,
    /// The sequence number.
    pub seq: u64,
    /// The entry.
    pub entry: EntryId,
    /// The object.
    pub object: Cid,
}

impl<K: Storage> Core<K> {
    /// Makes a publisher the own one of this node, by the genesis entry of its log.
    ///
    /// # Errors
    /// [`Error::HasIdentity`], [`Error::Log`], [`Error::Store`].
    pub fn adopt_identity(&mut self, genesis: Sealed<Entry>) -> Result<PublisherId, Error> {
        if let Some(own) = self.own {
            return Err(Error::HasIdentity(own));
        }
        let publisher = genesis.publisher();
        Log::from_genesis(&genesis)?;
        let mut batch = WriteBatch::new();
        batch.put_row(IndexTree::Meta, index_rows::OWN, &publisher.cid().to_bytes());
        if self.logs.contains_key(&publisher) {
            self.storage.commit(batch)?;
            self.own = Some(publisher);
            // The log was not replicated so far; its missing blocks are requested from now on.
            self.advance_complete(publisher)?;
            self.drive_sync(SyncEvent::Followed { publisher });
        } else {
            self.own = Some(publisher);
            self.append_entry(&genesis, batch)?;
        }
        self.queue_verifications()?;
        Ok(publisher)
    }

    /// Signs an object into the own log. `blocks` are its dependencies that are not stored yet. Everything
    /// is durable when this returns. `time` is the claimed time in seconds since 1970. An object that the
    /// log contains already is not signed again.
    ///
    /// # Errors
    /// [`Error::NoIdentity`], [`Error::Missing`] when a dependency is neither stored nor
    /// given, [`Error::Behind`], [`Error::Store`].
    pub fn publish(&mut self, object: &[u8], blocks: Vec<Block>, time: i64) -> Result<PublishReceipt, Error> {
        let own = self.own.ok_or(Error::NoIdentity)?;
        let value = Object::decode(object)?;
        let id = Cid::of(Codec::DagCbor, object);
        if let Some(published) = self.find_published(own, id)? {
            return Ok(published);
        }
        let given: std::collections::BTreeMap<Cid, Vec<u8>> =
            blocks.into_iter().filter(|(id, bytes)| id.matches(bytes)).collect();
        let fetch = |id: Cid| given.get(&id).cloned().or_else(|| self.find_block(id));
        let reach =
            dependencies::walk_dependencies(value.dependencies(), &fetch, schemas::verdict::MISSING_MAX);
        if let Some((_, error)) = reach.broken.into_iter().next() {
            return Err(error.into());
        }
        if !reach.missing.is_empty() {
            return Err(Error::Missing(reach.missing));
        }
        let held = self.logs.get(&own).ok_or(Error::NoIdentity)?;
        if let Some((held, told)) = self.claimed_ahead() {
            return Err(Error::Behind { held, told });
        }
        let Signer(key) = self.setup.signer.as_ref().ok_or(Error::NoIdentity)?;
        let signed = entry::sign_entry(held.log.next_position(), time, object, key)?;
        held.log.check_entry(&signed)?;
        // Unreferenced blocks are invisible, so several batches are safe and bound the memory.
        let mut batch = WriteBatch::new();
        let mut size = 0;
        let ids: Vec<Cid> = given.keys().copied().chain([id]).collect();
        for (id, bytes) in given {
            size += bytes.len();
            batch.put_block(id, bytes);
            if size > PENDING_BYTES_MAX {
                self.storage.commit(std::mem::take(&mut batch))?;
                size = 0;
            }
        }
        batch.put_block(id, object);
        self.storage.commit(batch)?;
        let published =
            PublishReceipt { publisher: own, seq: signed.value().seq(), entry: signed.id(), object: id };
        self.accept_entry(signed)?;
        self.blocks_arrived(&ids)?;
        Ok(published)
    }

    /// The position of an object in the own log, if it is published.
    pub(crate) fn find_published(
        &self,
        own: PublisherId,
        object: Cid,
    ) -> Result<Option<PublishReceipt>, Error> {
        for (key, _) in self.storage.rows(IndexTree::Meta, &index_rows::object_prefix(object))? {
            let place =
                key.get(index_rows::object_prefix(object).len()..).and_then(index_rows::read_position_key);
            if let Some((publisher, seq)) = place.filter(|(publisher, _)| *publisher == own) {
                let (entry, _) = self.entry_at(own, seq)?.ok_or(Error::CorruptRow("entries"))?;
                return Ok(Some(PublishReceipt { publisher, seq, entry, object }));
            }
        }
        Ok(None)
    }
}

//! Storage of blocks and index rows: the store on disk, or memory in simulations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemas::cid::Cid;
use store::{Error, IndexTree, Store, WriteBatch};

/// A row: key and value.
pub type IndexRow = (Vec<u8>, Vec<u8>);

/// Storage of blocks and index rows.
pub trait Storage: Send + Sync + 'static {
    /// Whether a block is stored.
    ///
    /// # Errors
    /// Any error of the store.
    fn has(&self, id: Cid) -> Result<bool, Error>;
    /// A block, checked against its id.
    ///
    /// # Errors
    /// Any error of the store.
    fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, Error>;
    /// Commits a batch atomically and durably.
    ///
    /// # Errors
    /// Any error of the store.
    fn commit(&self, batch: WriteBatch) -> Result<(), Error>;
    /// A row.
    ///
    /// # Errors
    /// Any error of the store.
    fn row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;
    /// The rows whose keys begin with `prefix`, ascending.
    ///
    /// # Errors
    /// Any error of the store.
    fn rows(&self, tree: IndexTree, prefix: &[u8]) -> Result<Vec<IndexRow>, Error>;
}

impl Storage for Store {
    fn has(&self, id: Cid) -> Result<bool, Error> {
        Store::has_block(self, id)
    }

    fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, Error> {
        Store::get(self, id)
    }

    fn commit(&self, batch: WriteBatch) -> Result<(), Error> {
        Store::commit(self, batch)
    }

    fn row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Store::find_row(self, tree, key)
    }

    fn rows(&self, tree: IndexTree, prefix: &[u8]) -> Result<Vec<IndexRow>, Error> {
        Store::scan_rows(self, tree, prefix).collect()
    }
}

/// Storage in memory, for simulations and tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage(Arc<Mutex<MemoryContents>>);

#[derive(Debug, Default)]
struct MemoryContents {
    blocks: BTreeMap<Cid, Vec<u8>>,
    rows: BTreeMap<(IndexTree, Vec<u8>), Vec<u8>>,
}

impl MemoryStorage {
    fn lock_contents(&self) -> MutexGuard<'_, MemoryContents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn has(&self, id: Cid) -> Result<bool, Error> {
        Ok(self.lock_contents().blocks.contains_key(&id))
    }

    fn get(&self, id: Cid) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock_contents().blocks.get(&id).cloned())
    }

    fn commit(&self, batch: WriteBatch) -> Result<(), Error> {
        let mut held = self.lock_contents();
        let (blocks, rows) = batch.into_parts();
        held.blocks.extend(blocks);
        for row in rows {
            match row.value {
                Some(value) => held.rows.insert((row.tree, row.key), value),
                None => held.rows.remove(&(row.tree, row.key)),
            };
        }
        Ok(())
    }

    fn row(&self, tree: IndexTree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock_contents().rows.get(&(tree, key.to_vec())).cloned())
    }

    fn rows(&self, tree: IndexTree, prefix: &[u8]) -> Result<Vec<IndexRow>, Error> {
        let held = self.lock_contents();
        let from = held.rows.range((tree, prefix.to_vec())..);
        let matching = from.take_while(|((t, key), _)| *t == tree && key.starts_with(prefix));
        Ok(matching.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }
}

//! Write batches: blocks and index rows that are committed atomically.
//!
//! Owns the names of the trees and the sizes of rows. Refuses (in [`WriteBatch::check`]) blocks that
//! are not what their id says, and rows that the index must not hold.

use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;

use crate::error::Error;
use crate::limits::{BATCH_BLOCKS_MAX, BATCH_BYTES_MAX, KEY_BYTES_MAX, ROW_BYTES_MAX};

macro_rules! trees {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// A tree of index rows, ordered by key. The ledger defines keys and values.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum IndexTree {
            $($(#[$doc])* $name,)*
        }

        impl IndexTree {
            /// Every tree, in the order of their codes.
            pub const ALL: &'static [IndexTree] = &[$(IndexTree::$name),*];

            /// Name of the tree in the index, with the version of its rows.
            pub fn name(self) -> &'static str {
                match self { $(IndexTree::$name => $text,)* }
            }

            /// Code of the tree in the archive; never reused for another tree.
            pub(crate) fn code(self) -> u8 {
                match self { $(IndexTree::$name => $code,)* }
            }

            /// Returns the tree with this code.
            pub(crate) fn from_code(code: u8) -> Option<IndexTree> {
                match code { $($code => Some(IndexTree::$name),)* _ => None }
            }
        }
    };
}

trees! {
    /// Log entries by publisher and sequence number.
    Entries = 1, "entries/1";
    /// The newest head of each log.
    Heads = 2, "heads/1";
    /// Releases by dataflow, area and period.
    Releases = 3, "releases/1";
    /// Attestations by release.
    Attestations = 4, "attestations/1";
    /// Publishers that the operator follows.
    Follows = 5, "follows/1";
    /// Known peers.
    Peers = 6, "peers/1";
    /// Data sets by name.
    Datasets = 7, "datasets/1";
    /// Recipes by name.
    Recipes = 8, "recipes/1";
    /// Verdicts by recipe, inputs and semantics.
    Verdicts = 9, "verdicts/1";
    /// Single values of the node.
    Meta = 10, "meta/1";
    /// Proofs of forked logs.
    Forks = 11, "forks/1";
    /// Objects that the operator withholds.
    Blocked = 12, "blocked/1";
}

/// A change of one index row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Tree of the row.
    pub tree: IndexTree,
    /// Key of the row.
    pub key: Vec<u8>,
    /// New value; `None` deletes the row.
    pub value: Option<Vec<u8>>,
}

impl IndexRow {
    /// Bytes of the row in the archive: tree, two lengths, key, value.
    pub(crate) fn len(&self) -> usize {
        1 + 2 + 2 + self.key.len() + self.value.as_ref().map_or(0, Vec::len)
    }

    fn check(&self) -> Result<(), Error> {
        let tree = self.tree.name();
        if !(1..=KEY_BYTES_MAX).contains(&self.key.len()) {
            return Err(Error::KeyLength { tree, bytes: self.key.len() });
        }
        match &self.value {
            Some(value) if value.len() > ROW_BYTES_MAX => {
                Err(Error::ValueTooLarge { tree, bytes: value.len() })
            }
            _ => Ok(()),
        }
    }
}

/// Blocks and rows that become durable together. Rows are applied in order.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    pub(crate) blocks: Vec<(Cid, Vec<u8>)>,
    pub(crate) rows: Vec<IndexRow>,
}

impl WriteBatch {
    /// Creates an empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a block. A block that is stored already is skipped at commit.
    pub fn put_block(&mut self, id: Cid, bytes: impl Into<Vec<u8>>) {
        self.blocks.push((id, bytes.into()));
    }

    /// Sets a row: a key of 1 to [`KEY_BYTES_MAX`] bytes, a value of at most [`ROW_BYTES_MAX`].
    pub fn put_row(&mut self, tree: IndexTree, key: &[u8], value: &[u8]) {
        self.rows.push(IndexRow { tree, key: key.into(), value: Some(value.into()) });
    }

    /// Deletes a row; no error if it does not exist.
    pub fn delete_row(&mut self, tree: IndexTree, key: &[u8]) {
        self.rows.push(IndexRow { tree, key: key.into(), value: None });
    }

    /// Returns the blocks and rows, for other implementations of storage.
    pub fn into_parts(self) -> (Vec<(Cid, Vec<u8>)>, Vec<IndexRow>) {
        (self.blocks, self.rows)
    }

    /// Returns whether the batch has neither blocks nor rows.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.rows.is_empty()
    }

    /// Total bytes of blocks and rows, without framing.
    pub(crate) fn bytes(&self) -> u64 {
        let blocks: u64 = self.blocks.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        blocks + self.rows.iter().map(|row| row.len() as u64).sum::<u64>()
    }

    /// Checks the batch against all limits, before anything is written.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (blocks, bytes) = (self.blocks.len(), self.bytes());
        if blocks > BATCH_BLOCKS_MAX || bytes > BATCH_BYTES_MAX {
            return Err(Error::BatchTooLarge { blocks, bytes });
        }
        for (id, bytes) in &self.blocks {
            if bytes.len() > BLOCK_BYTES_MAX {
                return Err(Error::BlockTooLarge { id: *id, bytes: bytes.len() });
            }
            if !id.matches(bytes) {
                return Err(Error::HashMismatch { id: *id });
            }
        }
        self.rows.iter().try_for_each(IndexRow::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_one_to_one() {
        for tree in IndexTree::ALL {
            assert_eq!(IndexTree::from_code(tree.code()), Some(*tree));
            assert_eq!(IndexTree::ALL.iter().filter(|other| other.name() == tree.name()).count(), 1);
            assert!(tree.name().ends_with("/1"), "a name carries a version");
        }
        assert_eq!(IndexTree::from_code(0), None);
    }
}

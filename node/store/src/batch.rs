//! What is committed at once: blocks and index rows, all or nothing.
//!
//! Owns the names of the trees and the sizes of rows. Refuses (in [`Batch::check`]) blocks that
//! are not what their id says, and rows that the index must not hold.

use schemas::cid::Cid;
use schemas::limits::BLOCK_BYTES_MAX;

use crate::error::Error;

/// Bytes of a row's value. sled moves pages beyond 128 KiB into side files that it never syncs;
/// a page holds up to 20 rows, so 4 KiB a value (and [`KEY_BYTES_MAX`] a key) stays below.
pub const ROW_BYTES_MAX: usize = 4 << 10;

/// Bytes of a row's key. An inner page of sled holds up to 257 keys and must stay below the
/// 128 KiB at which sled begins a side file.
pub const KEY_BYTES_MAX: usize = 384;

/// Blocks in one batch, so that the list of a group's records fits in a few megabytes.
pub const BATCH_BLOCKS_MAX: usize = 1 << 16;

/// Bytes of blocks and rows in one batch: a whole source document, which is one segment.
pub const BATCH_BYTES_MAX: u64 = 256 << 20;

macro_rules! trees {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// A kind of index rows. What keys and values mean is the business of the ledger; the
        /// store keeps them in order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum IndexTree {
            $($(#[$doc])* $name,)*
        }

        impl IndexTree {
            /// Every tree, in the order of their codes.
            pub const ALL: &'static [IndexTree] = &[$(IndexTree::$name),*];

            /// The name in the index, with the version of its rows.
            pub fn name(self) -> &'static str {
                match self { $(IndexTree::$name => $text,)* }
            }

            /// The byte that names the tree in the archive; never given to another tree.
            pub(crate) fn code(self) -> u8 {
                match self { $(IndexTree::$name => $code,)* }
            }

            /// The tree of a code.
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
    /// Peers met before.
    Peers = 6, "peers/1";
    /// Data sets by name.
    Datasets = 7, "datasets/1";
    /// Recipes by name.
    Recipes = 8, "recipes/1";
    /// Verdicts by recipe, inputs and semantics.
    Verdicts = 9, "verdicts/1";
    /// Single facts of the node.
    Meta = 10, "meta/1";
    /// Proofs of forked logs.
    Forks = 11, "forks/1";
    /// What the operator withholds.
    Blocked = 12, "blocked/1";
}

/// One change of an index row; without a value the row goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// The kind of row.
    pub tree: IndexTree,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value from now on.
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

/// Blocks and rows that become durable together. Rows apply in the order given.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    pub(crate) blocks: Vec<(Cid, Vec<u8>)>,
    pub(crate) rows: Vec<IndexRow>,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a block. A block that the store holds already is skipped at commit.
    pub fn put_block(&mut self, id: Cid, bytes: impl Into<Vec<u8>>) {
        self.blocks.push((id, bytes.into()));
    }

    /// Sets a row: a key of 1 to [`KEY_BYTES_MAX`] bytes, a value of at most [`ROW_BYTES_MAX`].
    pub fn put_row(&mut self, tree: IndexTree, key: &[u8], value: &[u8]) {
        self.rows.push(IndexRow { tree, key: key.into(), value: Some(value.into()) });
    }

    /// Removes a row, if it is there.
    pub fn delete_row(&mut self, tree: IndexTree, key: &[u8]) {
        self.rows.push(IndexRow { tree, key: key.into(), value: None });
    }

    /// The blocks and rows, for another kind of keeping than the store.
    pub fn into_parts(self) -> (Vec<(Cid, Vec<u8>)>, Vec<IndexRow>) {
        (self.blocks, self.rows)
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.rows.is_empty()
    }

    /// Bytes of blocks and rows, without framing.
    pub(crate) fn bytes(&self) -> u64 {
        let blocks: u64 = self.blocks.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        blocks + self.rows.iter().map(|row| row.len() as u64).sum::<u64>()
    }

    /// Everything that can be refused before the archive is touched.
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

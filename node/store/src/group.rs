//! The records of one commit: an atomic *group* of CAR records.
//!
//! `begin`, the blocks, the row lists, `commit`; see `FORMAT.md`. `begin` states how many records of
//! each type follow, so the role of a record follows from its position and never from its bytes: a
//! published block that imitates one of our records stays a block.

use schemas::car;
use schemas::cid::{CID_BYTES, Cid, Codec};

use crate::batch::{IndexRow, IndexTree, WriteBatch};
use crate::limits::LIST_BYTES_MAX;

/// The first bytes of a begin record's block.
const BEGIN: &[u8; 16] = b"assay/begin/1\0\0\0";
/// The first bytes of a row list's block.
const ROWS: &[u8; 16] = b"assay/rows/1\0\0\0\0";
/// The first bytes of a commit record's block.
pub(crate) const COMMIT: &[u8; 16] = b"assay/commit/1\0\0";

/// Bytes of a begin record: a varint of one byte, the id, magic, number, two counts, length.
pub(crate) const BEGIN_BYTES: u64 = 1 + CID_BYTES as u64 + 40;
/// Bytes of a commit record: a varint of one byte, the id, magic, number, length, digest.
pub(crate) const COMMIT_BYTES: u64 = 1 + CID_BYTES as u64 + 64;

/// Value length that marks a deleted row.
const DELETED: u16 = u16::MAX;

/// Position of a block in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockLocation {
    pub(crate) id: Cid,
    /// Offset of its record in bytes.
    pub(crate) offset: u64,
    /// Size of the block in bytes.
    pub(crate) length: u32,
}

/// The first record of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BeginRecord {
    /// Number of the group in the archive, from 1.
    pub(crate) number: u64,
    /// Records that are blocks.
    pub(crate) blocks: u32,
    /// Records that are row lists.
    pub(crate) lists: u32,
    /// Total bytes of those records, with framing.
    pub(crate) length: u64,
}

/// The last record of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommitRecord {
    /// As in [`BeginRecord`].
    pub(crate) number: u64,
    /// Bytes of the group before this record.
    pub(crate) length: u64,
    /// BLAKE3-256 of the ids of all records before this one.
    pub(crate) digest: [u8; 32],
}

impl BeginRecord {
    /// Parses the block of a begin record.
    pub(crate) fn read(block: &[u8]) -> Option<Self> {
        let mut fields = FieldReader(block.strip_prefix(BEGIN)?);
        let begin = Self {
            number: fields.u64()?,
            blocks: fields.u32()?,
            lists: fields.u32()?,
            length: fields.u64()?,
        };
        fields.0.is_empty().then_some(begin)
    }

    fn block(&self) -> Vec<u8> {
        let mut block = BEGIN.to_vec();
        block.extend(self.number.to_be_bytes());
        block.extend(self.blocks.to_be_bytes());
        block.extend(self.lists.to_be_bytes());
        block.extend(self.length.to_be_bytes());
        block
    }
}

impl CommitRecord {
    /// Parses the block of a commit record.
    pub(crate) fn read(block: &[u8]) -> Option<Self> {
        let mut fields = FieldReader(block.strip_prefix(COMMIT)?);
        let commit = Self { number: fields.u64()?, length: fields.u64()?, digest: fields.array()? };
        fields.0.is_empty().then_some(commit)
    }

    fn block(&self) -> Vec<u8> {
        let mut block = COMMIT.to_vec();
        block.extend(self.number.to_be_bytes());
        block.extend(self.length.to_be_bytes());
        block.extend(self.digest);
        block
    }
}

/// Layout of a group that is about to be written.
#[derive(Debug)]
pub(crate) struct GroupLayout {
    begin: BeginRecord,
    lists: Vec<Vec<u8>>,
}

impl GroupLayout {
    /// Computes the layout of a batch as group `number`.
    pub(crate) fn new(number: u64, batch: &WriteBatch) -> Self {
        let lists = row_lists(&batch.rows);
        let sizes = batch.blocks.iter().map(|(_, bytes)| bytes.len());
        let length = sizes.chain(lists.iter().map(Vec::len)).map(record_bytes).sum();
        let begin =
            BeginRecord { number, blocks: batch.blocks.len() as u32, lists: lists.len() as u32, length };
        Self { begin, lists }
    }

    /// Size of the group in bytes.
    pub(crate) fn len(&self) -> u64 {
        BEGIN_BYTES + self.begin.length + COMMIT_BYTES
    }

    /// Returns the locations of the blocks if the group begins at offset `start`.
    pub(crate) fn block_locations(&self, start: u64, blocks: &[(Cid, Vec<u8>)]) -> Vec<BlockLocation> {
        let mut offset = start + BEGIN_BYTES;
        let place = |(id, block): &(Cid, Vec<u8>)| {
            let place = BlockLocation { id: *id, offset, length: block.len() as u32 };
            offset += record_bytes(block.len());
            place
        };
        blocks.iter().map(place).collect()
    }

    /// Passes the bytes of the group to `sink`, in order; returns the id of its commit record.
    pub(crate) fn write_records<E>(
        &self,
        blocks: &[(Cid, Vec<u8>)],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Cid, E> {
        let mut ids = Vec::with_capacity(CID_BYTES * (1 + blocks.len() + self.lists.len()));
        let mut record = |id: Cid, block: &[u8]| {
            ids.extend(id.to_bytes());
            sink(&car::encode_record_header(id, block.len()))?;
            sink(block)
        };
        let begin = self.begin.block();
        record(raw_cid(&begin), &begin)?;
        blocks.iter().try_for_each(|(id, block)| record(*id, block))?;
        self.lists.iter().try_for_each(|list| record(raw_cid(list), list))?;
        let commit = CommitRecord {
            number: self.begin.number,
            length: BEGIN_BYTES + self.begin.length,
            digest: *raw_cid(&ids).digest(),
        };
        let block = commit.block();
        // Not through `record`: the digest inside covers only the ids before this record.
        sink(&car::encode_record(raw_cid(&block), &block))?;
        Ok(raw_cid(&block))
    }
}

/// Returns the id of one of our own records.
pub(crate) fn raw_cid(bytes: &[u8]) -> Cid {
    Cid::of(Codec::Raw, bytes)
}

/// Size of the record of a block of `length` bytes.
pub(crate) fn record_bytes(length: usize) -> u64 {
    (car::encode_varint(CID_BYTES + length).len() + CID_BYTES + length) as u64
}

fn row_lists(rows: &[IndexRow]) -> Vec<Vec<u8>> {
    let mut lists: Vec<Vec<u8>> = Vec::new();
    for row in rows {
        let list = match lists.last_mut() {
            Some(list) if list.len() + row.len() <= LIST_BYTES_MAX => list,
            _ => lists.push_mut(ROWS.to_vec()),
        };
        write_row(list, row);
    }
    lists
}

fn write_row(list: &mut Vec<u8>, row: &IndexRow) {
    // INVARIANT: `IndexRow::check` bounds key and value far below the two bytes of a length.
    list.push(row.tree.code());
    list.extend((row.key.len() as u16).to_be_bytes());
    list.extend(row.value.as_ref().map_or(DELETED, |value| value.len() as u16).to_be_bytes());
    list.extend(&row.key);
    list.extend(row.value.iter().flatten());
}

/// Parses the block of a row list.
///
/// # Errors
/// A description of the record that this version cannot read.
pub(crate) fn read_rows(block: &[u8]) -> Result<Vec<IndexRow>, String> {
    let mut fields = FieldReader(block.strip_prefix(ROWS).ok_or("row list of an unknown version")?);
    let mut rows = Vec::new();
    while let [code, ..] = fields.0 {
        // Skipping an unknown tree would silently lose rows that a newer version wrote.
        let tree = IndexTree::from_code(*code).ok_or_else(|| format!("row of the unknown tree {code}"))?;
        rows.push(fields.row(tree).ok_or("truncated row")?);
    }
    Ok(rows)
}

/// Reads fixed-size fields from the front of a slice.
struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads the rest of a row of `tree`.
    fn row(&mut self, tree: IndexTree) -> Option<IndexRow> {
        self.take(1)?;
        let (key, value) = (self.u16()?, self.u16()?);
        let key = self.take(usize::from(key))?.to_vec();
        let value = match value {
            DELETED => None,
            length => Some(self.take(usize::from(length))?.to_vec()),
        };
        Some(IndexRow { tree, key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{KEY_BYTES_MAX, ROW_BYTES_MAX};

    fn written(batch: &WriteBatch) -> Vec<u8> {
        let mut bytes = Vec::new();
        let draft = GroupLayout::new(7, batch);
        let done: Result<_, ()> = draft.write_records(&batch.blocks, |part| {
            bytes.extend_from_slice(part);
            Ok(())
        });
        done.unwrap();
        assert_eq!(bytes.len() as u64, draft.len(), "the length that begin announces");
        bytes
    }

    #[test]
    fn a_group_is_a_valid_car_file() {
        let mut batch = WriteBatch::new();
        batch.put_block(raw_cid(b"one"), b"one".as_slice());
        batch.put_row(IndexTree::Heads, b"key", b"value");
        batch.delete_row(IndexTree::Meta, b"gone");
        let mut file = car::encode_header(&[]);
        file.extend(written(&batch));
        let (_, blocks) = car::open_archive(&file).unwrap();
        let blocks: Vec<_> = blocks.collect::<Result<_, _>>().unwrap();
        let begin = BeginRecord::read(blocks[0].1).unwrap();
        assert_eq!((begin.number, begin.blocks, begin.lists), (7, 1, 1));
        assert_eq!(blocks[1], (raw_cid(b"one"), b"one".as_slice()));
        assert_eq!(read_rows(blocks[2].1).unwrap(), batch.rows);
        assert_eq!(CommitRecord::read(blocks[3].1).unwrap().number, 7);
        assert_eq!(blocks.len(), 4);
    }

    #[test]
    fn long_row_lists_continue_in_the_next_record() {
        let mut batch = WriteBatch::new();
        for number in 0..300_u32 {
            let mut key = vec![7; KEY_BYTES_MAX];
            key[..4].copy_from_slice(&number.to_be_bytes());
            batch.put_row(IndexTree::Verdicts, &key, &[1; ROW_BYTES_MAX]);
        }
        let lists = row_lists(&batch.rows);
        assert!(lists.len() > 2 && lists.iter().all(|list| list.len() <= LIST_BYTES_MAX));
        let rows: Vec<IndexRow> = lists.iter().flat_map(|list| read_rows(list).unwrap()).collect();
        assert_eq!(rows, batch.rows);
        written(&batch);
    }

    #[test]
    fn unknown_row_lists_are_refused() {
        for (block, what) in [
            (b"assay/rows/2\0\0\0\0".to_vec(), "version"),
            ([ROWS.as_slice(), &[200, 0, 1, 0, 0, 9]].concat(), "unknown tree 200"),
            ([ROWS.as_slice(), &[1, 0, 9, 0, 0, 9]].concat(), "truncated"),
        ] {
            let text = read_rows(&block).unwrap_err();
            assert!(text.contains(what), "{text}");
        }
    }
}

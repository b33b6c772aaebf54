//! Reading of one segment file: groups and their defects.
//!
//! Owns the walk over records. Whether a defect is a torn tail or damage is decided by the archive.

use std::fs::File;
use std::io;

use schemas::car::{self, Varint};
use schemas::cid::{CID_BYTES, Cid};
use schemas::limits::BLOCK_BYTES_MAX;

use crate::batch::IndexRow;
use crate::disk::read_at;
use crate::group::{
    BEGIN_BYTES, BeginRecord, BlockLocation, COMMIT, COMMIT_BYTES, CommitRecord, raw_cid, read_rows,
};
use crate::limits::{GROUP_LENGTH_MAX, SEARCH_BYTES};

/// Maximum bytes before the block of a record: its length and its id.
const HEAD_BYTES: usize = 4 + CID_BYTES;

/// A defect of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordDefect {
    /// Offset of the record.
    pub(crate) offset: u64,
    /// Description.
    pub(crate) detail: String,
    /// The id that the record claims, if it could be read.
    pub(crate) id: Option<Cid>,
    /// Whether an interrupted write can cause this. A record with the right hash and unknown content
    /// was written completely, by another version.
    pub(crate) torn: bool,
}

/// A group, as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct GroupScan {
    pub(crate) number: u64,
    /// Offset behind the group if `begin` is intact; may lie beyond the end of the file.
    pub(crate) end: Option<u64>,
    /// Blocks whose hash matches their id.
    pub(crate) blocks: Vec<BlockLocation>,
    pub(crate) rows: Vec<IndexRow>,
    /// The id of the commit record.
    pub(crate) commit: Option<Cid>,
    /// Empty if the group is complete and intact.
    pub(crate) defects: Vec<RecordDefect>,
    /// Records read.
    pub(crate) records: u64,
}

impl GroupScan {
    /// Adds the defect of an intact group with an unexpected number: a segment was lost or exchanged.
    pub(crate) fn add_misnumbered(&mut self, at: u64, wanted: u64) {
        let what = format!("group {} where {wanted} is expected", self.number);
        self.defects.push(RecordDefect { offset: at, detail: what, id: None, torn: false });
    }
}

/// A segment file open for reading, up to its length at the time of opening.
#[derive(Debug)]
pub(crate) struct SegmentReader<'a> {
    pub(crate) file: &'a File,
    pub(crate) length: u64,
}

enum RecordRead {
    /// A complete record; its block is in the buffer.
    Record {
        id: Cid,
        end: u64,
    },
    Defect(RecordDefect),
}

impl SegmentReader<'_> {
    /// Checks the header.
    pub(crate) fn check_header(&self) -> io::Result<Result<(), RecordDefect>> {
        let wanted = car::encode_header(&[]);
        let mut found = vec![0; wanted.len().min(self.length as usize)];
        read_at(self.file, &mut found, 0)?;
        Ok(if found == wanted { Ok(()) } else { Err(defect_at(0, "invalid archive header")) })
    }

    /// Reads the group at offset `at`, which must lie before the end of the file.
    pub(crate) fn read_group(&self, at: u64) -> io::Result<GroupScan> {
        let mut group = GroupScan::default();
        let mut walk =
            GroupWalk { segment: self, offset: at, block: Vec::new(), ids: Vec::new(), group: &mut group };
        walk.run()?;
        Ok(group)
    }

    /// Returns whether an intact commit record follows the group `number` expected at `at`. Only one
    /// group at a time is not yet synced, so such a record proves that the group was acknowledged.
    pub(crate) fn has_later_commit(&self, at: u64, number: u64) -> io::Result<bool> {
        let mut window = Vec::new();
        let mut start = at;
        while start < self.length {
            // Windows overlap by one commit record, so none is missed at a boundary.
            let keep = SEARCH_BYTES + COMMIT_BYTES as usize;
            window.resize(keep.min((self.length - start) as usize), 0);
            read_at(self.file, &mut window, start)?;
            // The own commit at the end proves nothing: its page may reach the disk before others.
            if find_commits(&window).any(|(end, commit)| {
                commit.number > number || commit.number == number && start + (end as u64) < self.length
            }) {
                return Ok(true);
            }
            start += SEARCH_BYTES as u64;
        }
        Ok(false)
    }

    /// Returns the intact commit record that ends at `end`, and its id.
    pub(crate) fn commit_before(&self, end: u64) -> io::Result<Option<(Cid, CommitRecord)>> {
        let Some(start) = end.checked_sub(COMMIT_BYTES).filter(|_| end <= self.length) else {
            return Ok(None);
        };
        let mut bytes = [0; COMMIT_BYTES as usize];
        read_at(self.file, &mut bytes, start)?;
        Ok(commit_in(&bytes))
    }

    /// Reads the record at offset `at` into `block`.
    fn read_record(&self, at: u64, block: &mut Vec<u8>) -> io::Result<RecordRead> {
        let left = self.length.saturating_sub(at);
        let mut head = [0; HEAD_BYTES];
        let have = HEAD_BYTES.min(left as usize);
        let head = head.get_mut(..have).unwrap_or_default();
        read_at(self.file, head, at)?;
        let (length, start) = match car::read_varint(head) {
            Varint::Value(length, start) => (length, start),
            Varint::More => return Ok(RecordRead::Defect(defect_at(at, "the file ends inside a record"))),
            Varint::Bad => return Ok(RecordRead::Defect(defect_at(at, "malformed record length"))),
        };
        // Checked before the buffer grows: a damaged length must not decide the allocation.
        if !(CID_BYTES..=CID_BYTES + BLOCK_BYTES_MAX).contains(&length) {
            return Ok(RecordRead::Defect(defect_at(at, "record length out of bounds")));
        }
        let Some(id) = head.get(start..start + CID_BYTES) else {
            return Ok(RecordRead::Defect(defect_at(at, "the file ends inside a record")));
        };
        let Ok(id) = Cid::from_bytes(id) else {
            return Ok(RecordRead::Defect(defect_at(at, "foreign id")));
        };
        let end = at + (start + length) as u64;
        if end > self.length {
            return Ok(RecordRead::Defect(defect_at(at, "the file ends inside a record")));
        }
        block.resize(length - CID_BYTES, 0);
        read_at(self.file, block, at + (start + CID_BYTES) as u64)?;
        Ok(RecordRead::Record { id, end })
    }
}

/// Walk over the records of one group.
struct GroupWalk<'a> {
    segment: &'a SegmentReader<'a>,
    offset: u64,
    block: Vec<u8>,
    ids: Vec<u8>,
    group: &'a mut GroupScan,
}

impl GroupWalk<'_> {
    fn run(&mut self) -> io::Result<()> {
        let start = self.offset;
        let Some(begin) = self.read_begin()? else { return Ok(()) };
        self.group.number = begin.number;
        // INVARIANT: `read_begin` bounds the length by `GROUP_LENGTH_MAX`, so the sum does not overflow.
        let end = start + BEGIN_BYTES + begin.length + COMMIT_BYTES;
        self.group.end = Some(end);
        if end > self.segment.length {
            self.add_defect(defect_at(start, "the file ends inside a group"));
        }
        for _ in 0..begin.blocks {
            let at = self.offset;
            match self.next_record()? {
                None => return Ok(()),
                Some((id, true)) => {
                    let length = self.block.len() as u32;
                    self.group.blocks.push(BlockLocation { id, offset: at, length });
                }
                Some((id, false)) => self.add_hash_mismatch(at, id),
            }
        }
        for _ in 0..begin.lists {
            let at = self.offset;
            match self.next_record()? {
                None => return Ok(()),
                Some((_, true)) => self.read_row_list(at),
                Some((id, false)) => self.add_hash_mismatch(at, id),
            }
        }
        self.read_commit(start, &begin)
    }

    /// Returns the id of the next record, and whether the hash of its block matches.
    fn next_record(&mut self) -> io::Result<Option<(Cid, bool)>> {
        match self.segment.read_record(self.offset, &mut self.block)? {
            RecordRead::Record { id, end } => {
                self.offset = end;
                self.ids.extend(id.to_bytes());
                self.group.records += 1;
                Ok(Some((id, id.matches(&self.block))))
            }
            RecordRead::Defect(defect) => {
                self.add_defect(defect);
                Ok(None)
            }
        }
    }

    fn read_begin(&mut self) -> io::Result<Option<BeginRecord>> {
        let at = self.offset;
        match self.next_record()? {
            None => {}
            Some((id, false)) => self.add_hash_mismatch(at, id),
            Some((_, true)) => match BeginRecord::read(&self.block) {
                Some(begin) if begin.length <= GROUP_LENGTH_MAX => return Ok(Some(begin)),
                _ => self.add_foreign(at, "expected a begin record"),
            },
        }
        Ok(None)
    }

    fn read_row_list(&mut self, at: u64) {
        match read_rows(&self.block) {
            Ok(rows) => self.group.rows.extend(rows),
            Err(what) => self.add_foreign(at, &what),
        }
    }

    fn read_commit(&mut self, start: u64, begin: &BeginRecord) -> io::Result<()> {
        let at = self.offset;
        let digest = *raw_cid(&self.ids).digest();
        let wanted = CommitRecord { number: begin.number, length: at - start, digest };
        match self.next_record()? {
            None => {}
            Some((id, false)) => self.add_hash_mismatch(at, id),
            Some((id, true)) if CommitRecord::read(&self.block) == Some(wanted) => {
                self.group.commit = Some(id);
            }
            // A file system may replay old pages with valid records of another group, so this may be a
            // torn write.
            Some(_) => self.add_defect(defect_at(at, "commit record of another group")),
        }
        if self.group.commit.is_some() && begin.length + BEGIN_BYTES != wanted.length {
            self.add_foreign(start, "group length differs from its begin record");
        }
        Ok(())
    }

    fn add_hash_mismatch(&mut self, at: u64, id: Cid) {
        let what = format!("hash mismatch: block `{id}`");
        self.add_defect(RecordDefect { offset: at, detail: what, id: Some(id), torn: true });
    }

    fn add_foreign(&mut self, at: u64, what: &str) {
        self.add_defect(RecordDefect { offset: at, detail: what.into(), id: None, torn: false });
    }

    fn add_defect(&mut self, defect: RecordDefect) {
        self.group.defects.push(defect);
    }
}

fn defect_at(at: u64, what: &str) -> RecordDefect {
    RecordDefect { offset: at, detail: what.into(), id: None, torn: true }
}

/// Returns the intact commit records in `bytes`, with the offset behind each.
fn find_commits(bytes: &[u8]) -> impl Iterator<Item = (usize, CommitRecord)> {
    let magic_at = COMMIT_BYTES as usize - 64;
    let records = bytes.windows(COMMIT_BYTES as usize).enumerate();
    records.filter_map(move |(start, record)| {
        if record.get(magic_at..magic_at + COMMIT.len())? != COMMIT {
            return None;
        }
        Some((start + record.len(), commit_in(record)?.1))
    })
}

fn commit_in(record: &[u8]) -> Option<(Cid, CommitRecord)> {
    let found = car::read_record(record, 0)?.ok()?;
    let block = record.get(found.start..found.end)?;
    let whole = found.end == record.len() && found.id.matches(block);
    Some((found.id, CommitRecord::read(block).filter(|_| whole)?))
}

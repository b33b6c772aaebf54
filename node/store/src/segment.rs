//! Reading one segment file: groups, and what is wrong with them.
//!
//! Owns the walk over records. It decides nothing: whether a fault is a torn tail or damage is
//! the archive's question.

use std::fs::File;
use std::io;

use schemas::car::{self, Varint};
use schemas::cid::{CID_BYTES, Cid};
use schemas::limits::BLOCK_BYTES_MAX;

use crate::batch::{BATCH_BYTES_MAX, Row};
use crate::disk::read_at;
use crate::group::{BEGIN_BYTES, Begin, COMMIT, COMMIT_BYTES, Commit, raw, read_rows};

/// Bytes read before a record's block: its length and its id.
const HEAD_BYTES: usize = 4 + CID_BYTES;

/// Bytes of one step of the search for later commits.
const SEARCH_BYTES: usize = 1 << 20;

/// Where a block lies in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: Cid,
    /// Offset of its record.
    pub(crate) offset: u64,
    /// Bytes of the block.
    pub(crate) length: u32,
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Offset of the record.
    pub(crate) at: u64,
    /// In words.
    pub(crate) what: String,
    /// The id that the record claims, if it could be read.
    pub(crate) id: Option<Cid>,
    /// Whether an interrupted write can look like this. A record with the right hash that cannot
    /// be understood was written whole, by another version.
    pub(crate) torn: bool,
}

/// A group as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) number: u64,
    /// Offset after it, when `begin` was intact; it may lie beyond the end of the file.
    pub(crate) end: Option<u64>,
    /// The blocks that are what their ids say.
    pub(crate) blocks: Vec<Place>,
    pub(crate) rows: Vec<Row>,
    /// The id of the commit record.
    pub(crate) commit: Option<Cid>,
    /// Empty when the group is whole and intact.
    pub(crate) faults: Vec<Fault>,
    /// Records met.
    pub(crate) records: u64,
}

impl Group {
    /// Marks a whole group as out of its place: a segment was lost or exchanged.
    pub(crate) fn misnumbered(&mut self, at: u64, wanted: u64) {
        let what = format!("group {} where {wanted} should be", self.number);
        self.faults.push(Fault { at, what, id: None, torn: false });
    }
}

/// A segment file open for reading, as long as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) file: &'a File,
    pub(crate) length: u64,
}

enum Step {
    /// A record whose block is in the buffer.
    Record {
        id: Cid,
        end: u64,
    },
    Fault(Fault),
}

impl Segment<'_> {
    /// Checks the header.
    pub(crate) fn header(&self) -> io::Result<Result<(), Fault>> {
        let wanted = car::header(&[]);
        let mut found = vec![0; wanted.len().min(self.length as usize)];
        read_at(self.file, &mut found, 0)?;
        Ok(if found == wanted { Ok(()) } else { Err(fault(0, "not an archive header")) })
    }

    /// Reads the group at `at`, which lies before the end of the file.
    pub(crate) fn group(&self, at: u64) -> io::Result<Group> {
        let mut group = Group::default();
        let mut walk = Walk { segment: self, at, block: Vec::new(), ids: Vec::new(), group: &mut group };
        walk.run()?;
        Ok(group)
    }

    /// Whether an intact commit record shows that more was written after the group at `at`, which
    /// should have had this number. Only one group is ever not yet synced, so such a record means
    /// that the group at `at` was acknowledged.
    pub(crate) fn goes_on(&self, at: u64, number: u64) -> io::Result<bool> {
        let mut window = Vec::new();
        let mut start = at;
        while start < self.length {
            let keep = SEARCH_BYTES + COMMIT_BYTES as usize;
            window.resize(keep.min((self.length - start) as usize), 0);
            read_at(self.file, &mut window, start)?;
            if commits(&window).any(|(end, commit)| {
                commit.number > number || commit.number == number && start + (end as u64) < self.length
            }) {
                return Ok(true);
            }
            start += SEARCH_BYTES as u64;
        }
        Ok(false)
    }

    /// The id of the intact commit record that ends at `end`.
    pub(crate) fn commit_before(&self, end: u64) -> io::Result<Option<(Cid, Commit)>> {
        let Some(start) = end.checked_sub(COMMIT_BYTES).filter(|_| end <= self.length) else {
            return Ok(None);
        };
        let mut bytes = [0; COMMIT_BYTES as usize];
        read_at(self.file, &mut bytes, start)?;
        Ok(commit_in(&bytes))
    }

    /// Reads the record at `at` into `block`.
    fn record(&self, at: u64, block: &mut Vec<u8>) -> io::Result<Step> {
        let left = self.length.saturating_sub(at);
        let mut head = [0; HEAD_BYTES];
        let have = HEAD_BYTES.min(left as usize);
        let head = head.get_mut(..have).unwrap_or_default();
        read_at(self.file, head, at)?;
        let (length, start) = match car::read_varint(head) {
            Varint::Value(length, start) => (length, start),
            Varint::More => return Ok(Step::Fault(fault(at, "the file ends inside a record"))),
            Varint::Bad => return Ok(Step::Fault(fault(at, "a malformed record length"))),
        };
        if !(CID_BYTES..=CID_BYTES + BLOCK_BYTES_MAX).contains(&length) {
            return Ok(Step::Fault(fault(at, "a record length out of bounds")));
        }
        let Some(id) = head.get(start..start + CID_BYTES) else {
            return Ok(Step::Fault(fault(at, "the file ends inside a record")));
        };
        let Ok(id) = Cid::from_bytes(id) else {
            return Ok(Step::Fault(fault(at, "a foreign content id")));
        };
        let end = at + (start + length) as u64;
        if end > self.length {
            return Ok(Step::Fault(fault(at, "the file ends inside a record")));
        }
        block.resize(length - CID_BYTES, 0);
        read_at(self.file, block, at + (start + CID_BYTES) as u64)?;
        Ok(Step::Record { id, end })
    }
}

/// The walk over the records of one group.
struct Walk<'a> {
    segment: &'a Segment<'a>,
    at: u64,
    block: Vec<u8>,
    ids: Vec<u8>,
    group: &'a mut Group,
}

impl Walk<'_> {
    fn run(&mut self) -> io::Result<()> {
        let start = self.at;
        let Some(begin) = self.begin()? else { return Ok(()) };
        self.group.number = begin.number;
        let end = start + BEGIN_BYTES + begin.length + COMMIT_BYTES;
        self.group.end = Some(end);
        if end > self.segment.length {
            self.fault(fault(start, "the file ends inside a group"));
        }
        for _ in 0..begin.blocks {
            let at = self.at;
            match self.next()? {
                None => return Ok(()),
                Some((id, true)) => {
                    let length = self.block.len() as u32;
                    self.group.blocks.push(Place { id, offset: at, length });
                }
                Some((id, false)) => self.mismatch(at, id),
            }
        }
        for _ in 0..begin.lists {
            let at = self.at;
            match self.next()? {
                None => return Ok(()),
                Some((_, true)) => self.rows(at),
                Some((id, false)) => self.mismatch(at, id),
            }
        }
        self.commit(start, &begin)
    }

    /// The next record's id, and whether its block is what the id says.
    fn next(&mut self) -> io::Result<Option<(Cid, bool)>> {
        match self.segment.record(self.at, &mut self.block)? {
            Step::Record { id, end } => {
                self.at = end;
                self.ids.extend(id.to_bytes());
                self.group.records += 1;
                Ok(Some((id, id.matches(&self.block))))
            }
            Step::Fault(fault) => {
                self.fault(fault);
                Ok(None)
            }
        }
    }

    fn begin(&mut self) -> io::Result<Option<Begin>> {
        let at = self.at;
        match self.next()? {
            None => {}
            Some((id, false)) => self.mismatch(at, id),
            Some((_, true)) => match Begin::read(&self.block) {
                Some(begin) if begin.length <= LENGTH_MAX => return Ok(Some(begin)),
                _ => self.foreign(at, "expected the beginning of a group"),
            },
        }
        Ok(None)
    }

    fn rows(&mut self, at: u64) {
        match read_rows(&self.block) {
            Ok(rows) => self.group.rows.extend(rows),
            Err(what) => self.foreign(at, &what),
        }
    }

    fn commit(&mut self, start: u64, begin: &Begin) -> io::Result<()> {
        let at = self.at;
        let digest = *raw(&self.ids).digest();
        let wanted = Commit { number: begin.number, length: at - start, digest };
        match self.next()? {
            None => {}
            Some((id, false)) => self.mismatch(at, id),
            Some((id, true)) if Commit::read(&self.block) == Some(wanted) => {
                self.group.commit = Some(id);
            }
            // Records of another group with the right hashes can be left of a file system's
            // journal, so this may well be a torn write.
            Some(_) => self.fault(fault(at, "the commit record is not of this group")),
        }
        if self.group.commit.is_some() && begin.length + BEGIN_BYTES != wanted.length {
            self.foreign(start, "a group of another length than it says");
        }
        Ok(())
    }

    fn mismatch(&mut self, at: u64, id: Cid) {
        let what = format!("the bytes of block `{id}` are not what its id says");
        self.fault(Fault { at, what, id: Some(id), torn: true });
    }

    fn foreign(&mut self, at: u64, what: &str) {
        self.fault(Fault { at, what: what.into(), id: None, torn: false });
    }

    fn fault(&mut self, fault: Fault) {
        self.group.faults.push(fault);
    }
}

/// Bytes of a group's records at the most: a batch and generous framing. Guards the sums.
const LENGTH_MAX: u64 = 2 * BATCH_BYTES_MAX;

fn fault(at: u64, what: &str) -> Fault {
    Fault { at, what: what.into(), id: None, torn: true }
}

/// The intact commit records in some bytes, with the offset after each.
fn commits(bytes: &[u8]) -> impl Iterator<Item = (usize, Commit)> {
    let magic_at = COMMIT_BYTES as usize - 64;
    let records = bytes.windows(COMMIT_BYTES as usize).enumerate();
    records.filter_map(move |(start, record)| {
        if record.get(magic_at..magic_at + COMMIT.len())? != COMMIT {
            return None;
        }
        Some((start + record.len(), commit_in(record)?.1))
    })
}

fn commit_in(record: &[u8]) -> Option<(Cid, Commit)> {
    let found = car::read_record(record, 0)?.ok()?;
    let block = record.get(found.start..found.end)?;
    let whole = found.end == record.len() && found.id.matches(block);
    Some((found.id, Commit::read(block).filter(|_| whole)?))
}

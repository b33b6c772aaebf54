//! The truth: segment files of groups, appended to and never changed.
//!
//! Owns the files under `archive/`, the end at which writing goes on, and the question whether
//! bytes that cannot be read are a torn tail (cut) or damage (refused). A group is written whole
//! and synced before the next begins, so at most one group, the last, is ever unacknowledged.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::car;
use schemas::cid::Cid;

use crate::batch::WriteBatch;
use crate::disk::{Disk, read_at, sync_dir};
use crate::error::Error;
use crate::group::GroupLayout;
use crate::segment::{BlockLocation, GroupScan, SegmentReader};

/// Bytes of a segment file, after which the next is begun: small enough to check or copy in a
/// second, large enough that a terabyte is a few thousand files.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;

/// Bytes gathered before they are handed to the system.
const WRITE_BYTES: usize = 1 << 20;

/// Segment files kept open for reading; far below the usual limit of 1024 for a process.
const FILES_MAX: usize = 128;

/// Where a group ends: all that the index must know to go on from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ArchivePosition {
    /// Number of the segment; 0 before the first group.
    pub(crate) segment: u32,
    /// Offset after the group.
    pub(crate) offset: u64,
    /// Number of the group.
    pub(crate) number: u64,
    /// Block records in the archive up to here.
    pub(crate) blocks: u64,
    /// The digest in the id of the group's commit record.
    pub(crate) commit: [u8; 32],
}

/// Where a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArchiveCursor {
    pub(crate) segment: u32,
    /// Offset; 0 stands before the header.
    pub(crate) offset: u64,
    /// Number that the next group must have, unless unknown behind damage.
    pub(crate) number: Option<u64>,
}

impl From<&ArchivePosition> for ArchiveCursor {
    fn from(position: &ArchivePosition) -> Self {
        Self { segment: position.segment, offset: position.offset, number: Some(position.number + 1) }
    }
}

/// What a walk meets: a whole group, or one with faults.
#[derive(Debug)]
pub(crate) struct GroupVisit {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) group: GroupScan,
    /// Whether everything about it suggests an interrupted write: see [`Archive::walk`].
    pub(crate) torn: bool,
}

/// Whether a walk goes on behind a faulty group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkControl {
    Continue,
    Stop,
}

/// One segment on a walk.
struct SegmentWalk<'a> {
    segment: SegmentReader<'a>,
    /// Whether it is the last of the archive.
    last: bool,
    synced: Option<ArchivePosition>,
}

/// The segment files.
pub(crate) struct Archive {
    dir: PathBuf,
    disk: Box<dyn Disk>,
    segment_bytes: u64,
    files: Mutex<BTreeMap<u32, Arc<File>>>,
    bytes: AtomicU64,
    segments: AtomicU64,
}

/// The end of the archive, where one writer appends.
#[derive(Debug)]
pub(crate) struct ArchiveTail {
    segment: u32,
    file: Arc<File>,
    length: u64,
    number: u64,
    /// Why nothing more may be written.
    pub(crate) poisoned: Option<String>,
}

impl Archive {
    /// The archive in `dir`, which must exist, with segments of at most so many bytes.
    pub(crate) fn new(dir: PathBuf, disk: Box<dyn Disk>, segment_bytes: u64) -> Self {
        let (bytes, segments) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { dir, disk, segment_bytes, files: Mutex::default(), bytes, segments }
    }

    /// Bytes and number of all segments, as of the last commit.
    pub(crate) fn total_size(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.segments.load(Ordering::Relaxed))
    }

    /// The numbers of the segment files, ascending and without gaps.
    pub(crate) fn segment_numbers(&self) -> Result<Vec<u32>, Error> {
        let list = || -> io::Result<Vec<u32>> {
            let names = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name()));
            let names = names.collect::<io::Result<Vec<_>>>()?;
            Ok(names.iter().filter_map(|name| segment_number(name.to_str()?)).collect())
        };
        let mut numbers = list().map_err(Error::io("list", &self.dir))?;
        numbers.sort_unstable();
        match (1..).zip(&numbers).find(|(wanted, number)| wanted != *number) {
            Some((segment, _)) => Err(Error::MissingSegment { segment }),
            None => Ok(numbers),
        }
    }

    /// Why the archive is not the one that an index at `position` was made of.
    pub(crate) fn mismatch_reason(&self, position: &ArchivePosition) -> Result<Option<&'static str>, Error> {
        if !self.segment_numbers()?.contains(&position.segment) {
            return Ok(Some("the index was ahead of the archive"));
        }
        let (file, length) = self.open_segment(position.segment)?;
        if position.offset > length {
            return Ok(Some("the index was ahead of the archive"));
        }
        let found = SegmentReader { file: &file, length }
            .commit_before(position.offset)
            .map_err(|fault| self.read_error(position.segment, fault))?;
        let same = found
            .is_some_and(|(id, commit)| *id.digest() == position.commit && commit.number == position.number);
        Ok(if same { None } else { Some("the index was not of this archive") })
    }

    /// Reads groups from `from` to the end (or to `end`, a segment and an offset), in order.
    ///
    /// A faulty group is `torn` when it may be the remains of a write that never finished: it is
    /// in the last segment, nothing committed follows it, `synced` (where an index said the
    /// archive had been on disk) does not cover it, and no record in it was written whole by
    /// another version. Everything else is damage.
    pub(crate) fn walk_groups(
        &self,
        from: ArchiveCursor,
        end: Option<(u32, u64)>,
        synced: Option<&ArchivePosition>,
        visit: &mut dyn FnMut(&GroupVisit) -> Result<WalkControl, Error>,
    ) -> Result<ArchiveCursor, Error> {
        let mut cursor = from;
        let numbers = self.segment_numbers()?;
        for &number in numbers.iter().filter(|number| **number >= from.segment) {
            let (file, mut length) = self.open_segment(number)?;
            match end {
                Some((segment, _)) if number > segment => break,
                Some((segment, at)) if number == segment => length = length.min(at),
                _ => {}
            }
            if number > cursor.segment {
                cursor = ArchiveCursor { segment: number, offset: 0, number: cursor.number };
            }
            let last = numbers.last() == Some(&number);
            let stretch =
                SegmentWalk { segment: SegmentReader { file: &file, length }, last, synced: synced.copied() };
            if self.walk_segment(&stretch, &mut cursor, visit)? == WalkControl::Stop {
                break;
            }
        }
        Ok(cursor)
    }

    /// Walks through one segment.
    fn walk_segment(
        &self,
        stretch: &SegmentWalk<'_>,
        cursor: &mut ArchiveCursor,
        visit: &mut dyn FnMut(&GroupVisit) -> Result<WalkControl, Error>,
    ) -> Result<WalkControl, Error> {
        let length = stretch.segment.length;
        // Even an empty file has a place for a header.
        while cursor.offset < length || cursor.offset == 0 {
            let read = self.read_next(&stretch.segment, cursor);
            let Some(group) = read.map_err(|fault| self.read_error(cursor.segment, fault))? else {
                continue;
            };
            let torn = self.is_torn(stretch, cursor, &group)?;
            let met = GroupVisit { segment: cursor.segment, offset: cursor.offset, group, torn };
            let flow = visit(&met)?;
            if flow == WalkControl::Stop && !met.group.defects.is_empty() {
                return Ok(WalkControl::Stop);
            }
            // Behind a group whose beginning cannot be read, any number may follow.
            cursor.number = met.group.end.map(|_| met.group.number + 1);
            cursor.offset = met.group.end.map_or(length, |end| end.min(length)).max(1);
        }
        Ok(WalkControl::Continue)
    }

    /// Reads the header or the group at the cursor; nothing for an intact header.
    fn read_next(
        &self,
        segment: &SegmentReader<'_>,
        cursor: &mut ArchiveCursor,
    ) -> io::Result<Option<GroupScan>> {
        if cursor.offset == 0 {
            return Ok(match segment.check_header()? {
                Ok(()) => {
                    cursor.offset = car::encode_header(&[]).len() as u64;
                    None
                }
                Err(fault) => Some(GroupScan { defects: vec![fault], ..GroupScan::default() }),
            });
        }
        let mut group = segment.read_group(cursor.offset)?;
        if let (Some(wanted), true) = (cursor.number, group.defects.is_empty())
            && wanted != group.number
        {
            group.add_misnumbered(cursor.offset, wanted);
        }
        Ok(Some(group))
    }

    fn is_torn(
        &self,
        stretch: &SegmentWalk<'_>,
        cursor: &ArchiveCursor,
        group: &GroupScan,
    ) -> Result<bool, Error> {
        let faults = &group.defects;
        if !stretch.last || faults.is_empty() || !faults.iter().all(|fault| fault.torn) {
            return Ok(false);
        }
        let length = stretch.segment.length;
        let covered = stretch.synced.is_some_and(|synced| {
            let within = cursor.segment == synced.segment && cursor.offset < synced.offset;
            // A file shorter than the index knew it was cut by something else: nothing to save.
            within && length >= synced.offset
        });
        let followed = match group.end {
            Some(end) => end < length,
            None => stretch
                .segment
                .has_later_commit(cursor.offset, cursor.number.unwrap_or(0))
                .map_err(|fault| self.read_error(cursor.segment, fault))?,
        };
        Ok(!covered && !followed)
    }

    /// Opens the end for writing at `cursor`, cutting what lies behind it. Returns the bytes cut.
    pub(crate) fn open_tail(&self, cursor: ArchiveCursor, number: u64) -> Result<(ArchiveTail, u64), Error> {
        let numbers = self.segment_numbers()?;
        let Some(&segment) = numbers.last() else {
            return Ok((self.create_segment(1, number)?, 0));
        };
        let path = self.segment_path(segment);
        let open = OpenOptions::new().read(true).write(true).open(&path);
        let file = open.map_err(Error::io("open", &path))?;
        let length = file.metadata().map_err(Error::io("measure", &path))?.len();
        let header = car::encode_header(&[]);
        let repair = || -> io::Result<()> {
            if cursor.offset < length {
                self.disk.truncate(&file, cursor.offset)?;
            }
            if cursor.offset == 0 {
                self.disk.write(&file, &header, 0)?;
            }
            file.sync_all()
        };
        if cursor.offset < length || cursor.offset == 0 {
            repair().map_err(Error::io("repair", &path))?;
        }
        let cut = length.saturating_sub(cursor.offset);
        let length = cursor.offset.max(header.len() as u64);
        self.update_size()?;
        Ok((ArchiveTail { segment, file: Arc::new(file), length, number, poisoned: None }, cut))
    }

    /// Begins a new segment. `number` is that of the last group.
    pub(crate) fn create_segment(&self, segment: u32, number: u64) -> Result<ArchiveTail, Error> {
        let path = self.segment_path(segment);
        let header = car::encode_header(&[]);
        let make = || -> io::Result<File> {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
            self.disk.write(&file, &header, 0)?;
            self.disk.sync(&file)?;
            sync_dir(&self.dir)?;
            Ok(file)
        };
        let file = make().map_err(|fault| {
            // Nothing was promised about this file. If it stays, opening cuts it to a header.
            let _ = fs::remove_file(&path);
            Error::Write(Arc::new(fault))
        })?;
        self.update_size()?;
        let length = header.len() as u64;
        Ok(ArchiveTail { segment, file: Arc::new(file), length, number, poisoned: None })
    }

    /// Appends a group and syncs it. Returns where its blocks lie and where it ends.
    pub(crate) fn append_group(
        &self,
        tail: &mut ArchiveTail,
        batch: &WriteBatch,
        blocks: u64,
    ) -> Result<(Vec<BlockLocation>, ArchivePosition), Error> {
        if let Some(reason) = &tail.poisoned {
            return Err(Error::Poisoned(reason.clone()));
        }
        let draft = GroupLayout::new(tail.number + 1, batch);
        let empty = tail.length <= car::encode_header(&[]).len() as u64;
        if !empty && tail.length + draft.len() > self.segment_bytes {
            *tail = self.create_segment(tail.segment + 1, tail.number)?;
        }
        let commit = self.write_group(tail, &draft, batch)?;
        let places = draft.block_locations(tail.length, &batch.blocks);
        tail.length += draft.len();
        tail.number += 1;
        self.bytes.fetch_add(draft.len(), Ordering::Relaxed);
        let position = ArchivePosition {
            segment: tail.segment,
            offset: tail.length,
            number: tail.number,
            blocks: blocks + batch.blocks.len() as u64,
            commit: *commit.digest(),
        };
        Ok((places, position))
    }

    fn write_group(
        &self,
        tail: &mut ArchiveTail,
        draft: &GroupLayout,
        batch: &WriteBatch,
    ) -> Result<Cid, Error> {
        let mut out = WriteBuffer { archive: self, file: &tail.file, at: tail.length, bytes: Vec::new() };
        let written = draft.write_records(&batch.blocks, |part| out.put(part)).and_then(|id| {
            out.flush()?;
            Ok(id)
        });
        let id = match written {
            Ok(id) => id,
            Err(fault) => {
                if let Err(second) = self.disk.truncate(&tail.file, tail.length) {
                    tail.poisoned = Some(format!("a failed write could not be cut off ({second})"));
                }
                return Err(Error::Write(Arc::new(fault)));
            }
        };
        if let Err(fault) = self.disk.sync(&tail.file) {
            // After a failed sync the system may take the unwritten pages for clean, so a second
            // sync would succeed without having written them. Only reading the file anew tells
            // what is there. The bytes are cut so that the batch does not come back.
            let _ = self.disk.truncate(&tail.file, tail.length);
            tail.poisoned = Some(format!("the archive could not be synced ({fault})"));
            return Err(Error::Write(Arc::new(fault)));
        }
        Ok(id)
    }

    /// Reads a block, which must be what its id says.
    pub(crate) fn read_block(&self, segment: u32, place: &BlockLocation) -> Result<Vec<u8>, Error> {
        let head = car::encode_record_header(place.id, place.length as usize);
        let mut record = vec![0; head.len() + place.length as usize];
        let damaged = |what: &str| Error::Damaged { segment, offset: place.offset, detail: what.into() };
        let file = self.segment_file(segment)?;
        match read_at(&file, &mut record, place.offset) {
            Ok(()) => {}
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged("the file ends inside a record"));
            }
            Err(fault) => return Err(self.read_error(segment, fault)),
        }
        let block = record.split_off(head.len());
        if record != head {
            return Err(damaged("another record than the index says"));
        }
        if !place.id.matches(&block) {
            return Err(damaged(&format!("the bytes of block `{}` are not what its id says", place.id)));
        }
        Ok(block)
    }

    fn segment_path(&self, segment: u32) -> PathBuf {
        self.dir.join(format!("{segment:06}.car"))
    }

    fn read_error(&self, segment: u32, fault: io::Error) -> Error {
        Error::io("read", &self.segment_path(segment))(fault)
    }

    fn open_segment(&self, segment: u32) -> Result<(Arc<File>, u64), Error> {
        let file = self.segment_file(segment)?;
        let length = file.metadata().map_err(|fault| self.read_error(segment, fault))?.len();
        Ok((file, length))
    }

    fn segment_file(&self, segment: u32) -> Result<Arc<File>, Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&segment) {
            return Ok(file.clone());
        }
        let path = self.segment_path(segment);
        let file = File::open(&path).map(Arc::new).map_err(Error::io("open", &path))?;
        if files.len() >= FILES_MAX {
            files.pop_first();
        }
        files.insert(segment, file.clone());
        Ok(file)
    }

    fn update_size(&self) -> Result<(), Error> {
        let numbers = self.segment_numbers()?;
        let mut bytes = 0;
        for segment in &numbers {
            let path = self.segment_path(*segment);
            bytes += fs::metadata(&path).map_err(Error::io("measure", &path))?.len();
        }
        self.bytes.store(bytes, Ordering::Relaxed);
        self.segments.store(numbers.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl ArchiveTail {
    /// The end of what is on disk.
    pub(crate) fn end(&self) -> (u32, u64) {
        (self.segment, self.length)
    }
}

/// The number in the name of a segment file.
fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".car")?;
    let number = digits.parse().ok()?;
    (format!("{number:06}") == digits).then_some(number)
}

/// Gathers small parts into large writes.
struct WriteBuffer<'a> {
    archive: &'a Archive,
    file: &'a File,
    at: u64,
    bytes: Vec<u8>,
}

impl WriteBuffer<'_> {
    fn put(&mut self, part: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(part);
        if self.bytes.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.archive.disk.write(self.file, &self.bytes, self.at)?;
        self.at += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }
}

/// Makes the directories of a store.
pub(crate) fn create_directories(dir: &Path, archive: &Path) -> Result<(), Error> {
    fs::create_dir_all(archive).map_err(Error::io("create", archive))?;
    sync_dir(dir).map_err(Error::io("sync", dir))?;
    match dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_dir(parent).map_err(Error::io("sync", parent)),
        None => Ok(()),
    }
}

//! The archive: append-only segment files of groups, the source of truth.
//!
//! Owns the files under `archive/` and the position of the next write, and decides whether unreadable
//! bytes are a torn tail (truncated) or damage (refused). A group is written completely and synced
//! before the next begins, so at most the last group is unacknowledged.

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
use crate::group::{BlockLocation, GroupLayout};
use crate::limits::{OPEN_FILES_MAX, WRITE_BUFFER_BYTES};
use crate::segment::{GroupScan, SegmentReader};

/// End of a group, with everything that the index needs to continue from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ArchivePosition {
    /// Number of the segment; 0 before the first group.
    pub(crate) segment: u32,
    /// Offset behind the group.
    pub(crate) offset: u64,
    /// Number of the group.
    pub(crate) number: u64,
    /// Number of block records in the archive up to here.
    pub(crate) blocks: u64,
    /// Digest in the id of the group's commit record.
    pub(crate) commit: [u8; 32],
}

/// Position at which a walk continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArchiveCursor {
    pub(crate) segment: u32,
    /// Offset; 0 is before the header.
    pub(crate) offset: u64,
    /// Expected number of the next group; `None` behind damage.
    pub(crate) number: Option<u64>,
}

impl From<&ArchivePosition> for ArchiveCursor {
    fn from(position: &ArchivePosition) -> Self {
        Self { segment: position.segment, offset: position.offset, number: Some(position.number + 1) }
    }
}

/// A group visited by a walk, with its defects.
#[derive(Debug)]
pub(crate) struct GroupVisit {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) group: GroupScan,
    /// Whether the defects may result from an interrupted write: see [`Archive::walk_groups`].
    pub(crate) torn: bool,
}

/// Whether a walk continues behind a defective group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkControl {
    Continue,
    Stop,
}

/// One segment of a walk.
struct SegmentWalk<'a> {
    segment: SegmentReader<'a>,
    /// Whether it is the last segment of the archive.
    last: bool,
    synced: Option<ArchivePosition>,
}

/// The segment files of a store.
pub(crate) struct Archive {
    dir: PathBuf,
    disk: Box<dyn Disk>,
    segment_bytes: u64,
    files: Mutex<BTreeMap<u32, Arc<File>>>,
    bytes: AtomicU64,
    segments: AtomicU64,
}

/// The end of the archive, to which the writer appends.
#[derive(Debug)]
pub(crate) struct ArchiveTail {
    segment: u32,
    file: Arc<File>,
    length: u64,
    number: u64,
    /// Reason why writing is disabled.
    pub(crate) poisoned: Option<String>,
}

impl Archive {
    /// Creates the archive of an existing directory, with segments of at most `segment_bytes`.
    pub(crate) fn new(dir: PathBuf, disk: Box<dyn Disk>, segment_bytes: u64) -> Self {
        let (bytes, segments) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { dir, disk, segment_bytes, files: Mutex::default(), bytes, segments }
    }

    /// Returns total bytes and number of segments, as of the last commit.
    pub(crate) fn total_size(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.segments.load(Ordering::Relaxed))
    }

    /// Returns the numbers of the segment files, ascending. A gap is an error.
    pub(crate) fn segment_numbers(&self) -> Result<Vec<u32>, Error> {
        let list = || -> io::Result<Vec<u32>> {
            let names = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name()));
            let names = names.collect::<io::Result<Vec<_>>>()?;
            Ok(names.iter().filter_map(|name| segment_number(name.to_str()?)).collect())
        };
        let mut numbers = list().map_err(Error::io("list", &self.dir))?;
        numbers.sort_unstable();
        // The archive only grows, so a gap is lost data.
        match (1..).zip(&numbers).find(|(wanted, number)| wanted != *number) {
            Some((segment, _)) => Err(Error::MissingSegment { segment }),
            None => Ok(numbers),
        }
    }

    /// Returns why an index at `position` does not belong to this archive, if it does not.
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
            .map_err(|error| self.read_error(position.segment, error))?;
        // The number alone would match in another archive; the commit's digest covers its blocks.
        let same = found
            .is_some_and(|(id, commit)| *id.digest() == position.commit && commit.number == position.number);
        Ok(if same { None } else { Some("the index was not of this archive") })
    }

    /// Visits the groups from `from` to the end (or to `end`, a segment and an offset), in order.
    ///
    /// A defective group is `torn` if it may be the rest of an interrupted write: it is in the last
    /// segment, nothing committed follows, `synced` (up to which an index proves the archive to be on
    /// disk) does not cover it, and no record in it was completely written by another version.
    /// Everything else is damage.
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
            let walk =
                SegmentWalk { segment: SegmentReader { file: &file, length }, last, synced: synced.copied() };
            if self.walk_segment(&walk, &mut cursor, visit)? == WalkControl::Stop {
                break;
            }
        }
        Ok(cursor)
    }

    /// Visits the groups of one segment.
    fn walk_segment(
        &self,
        walk: &SegmentWalk<'_>,
        cursor: &mut ArchiveCursor,
        visit: &mut dyn FnMut(&GroupVisit) -> Result<WalkControl, Error>,
    ) -> Result<WalkControl, Error> {
        let length = walk.segment.length;
        // An empty file is visited once, for its missing header.
        while cursor.offset < length || cursor.offset == 0 {
            let read = self.read_next(&walk.segment, cursor);
            let Some(group) = read.map_err(|error| self.read_error(cursor.segment, error))? else {
                continue;
            };
            let torn = self.is_torn(walk, cursor, &group)?;
            let visited = GroupVisit { segment: cursor.segment, offset: cursor.offset, group, torn };
            let flow = visit(&visited)?;
            if flow == WalkControl::Stop && !visited.group.defects.is_empty() {
                return Ok(WalkControl::Stop);
            }
            // If the begin record cannot be read, the number of the next group is unknown.
            cursor.number = visited.group.end.map(|_| visited.group.number + 1);
            cursor.offset = visited.group.end.map_or(length, |end| end.min(length)).max(1);
        }
        Ok(WalkControl::Continue)
    }

    /// Reads the header or the group at the cursor; `None` for an intact header.
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
                Err(error) => Some(GroupScan { defects: vec![error], ..GroupScan::default() }),
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
        walk: &SegmentWalk<'_>,
        cursor: &ArchiveCursor,
        group: &GroupScan,
    ) -> Result<bool, Error> {
        let faults = &group.defects;
        if !walk.last || faults.is_empty() || !faults.iter().all(|error| error.torn) {
            return Ok(false);
        }
        let length = walk.segment.length;
        let covered = walk.synced.is_some_and(|synced| {
            let within = cursor.segment == synced.segment && cursor.offset < synced.offset;
            // A file shorter than the index knows was truncated by something else: nothing to rescue.
            within && length >= synced.offset
        });
        let followed = match group.end {
            Some(end) => end < length,
            None => walk
                .segment
                .has_later_commit(cursor.offset, cursor.number.unwrap_or(0))
                .map_err(|error| self.read_error(cursor.segment, error))?,
        };
        Ok(!covered && !followed)
    }

    /// Opens the archive for appending at `cursor` and truncates everything behind it. Returns the
    /// number of bytes removed.
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

    /// Creates a segment. `number` is the number of the last group.
    pub(crate) fn create_segment(&self, segment: u32, number: u64) -> Result<ArchiveTail, Error> {
        let path = self.segment_path(segment);
        let header = car::encode_header(&[]);
        let make = || -> io::Result<File> {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
            self.disk.write(&file, &header, 0)?;
            self.disk.sync(&file)?;
            // A synced file can still lose its name in a power failure if its directory is not synced.
            sync_dir(&self.dir)?;
            Ok(file)
        };
        let file = make().map_err(|error| {
            // Nothing in this file was acknowledged. If it remains, opening truncates it.
            let _ = fs::remove_file(&path);
            Error::Write(Arc::new(error))
        })?;
        self.update_size()?;
        let length = header.len() as u64;
        Ok(ArchiveTail { segment, file: Arc::new(file), length, number, poisoned: None })
    }

    /// Appends a batch as a group and syncs it. Returns the locations of its blocks and its end.
    pub(crate) fn append_group(
        &self,
        tail: &mut ArchiveTail,
        batch: &WriteBatch,
        blocks: u64,
    ) -> Result<(Vec<BlockLocation>, ArchivePosition), Error> {
        if let Some(reason) = &tail.poisoned {
            return Err(Error::Poisoned(reason.clone()));
        }
        let layout = GroupLayout::new(tail.number + 1, batch);
        // A group is never split: one beyond the segment size still goes into an empty segment.
        let empty = tail.length <= car::encode_header(&[]).len() as u64;
        if !empty && tail.length + layout.len() > self.segment_bytes {
            *tail = self.create_segment(tail.segment + 1, tail.number)?;
        }
        let commit = self.write_group(tail, &layout, batch)?;
        let locations = layout.block_locations(tail.length, &batch.blocks);
        tail.length += layout.len();
        tail.number += 1;
        self.bytes.fetch_add(layout.len(), Ordering::Relaxed);
        let position = ArchivePosition {
            segment: tail.segment,
            offset: tail.length,
            number: tail.number,
            blocks: blocks + batch.blocks.len() as u64,
            commit: *commit.digest(),
        };
        Ok((locations, position))
    }

    fn write_group(
        &self,
        tail: &mut ArchiveTail,
        layout: &GroupLayout,
        batch: &WriteBatch,
    ) -> Result<Cid, Error> {
        let mut out = WriteBuffer { archive: self, file: &tail.file, at: tail.length, bytes: Vec::new() };
        let written = layout.write_records(&batch.blocks, |part| out.put(part)).and_then(|id| {
            out.flush()?;
            Ok(id)
        });
        let id = match written {
            Ok(id) => id,
            Err(error) => {
                // The rest of this group could otherwise stay behind a shorter next one and read as damage.
                if let Err(second) = self.disk.truncate(&tail.file, tail.length) {
                    tail.poisoned = Some(format!("a failed write could not be truncated ({second})"));
                }
                return Err(Error::Write(Arc::new(error)));
            }
        };
        if let Err(error) = self.disk.sync(&tail.file) {
            // After a failed sync the system may mark the unwritten pages as clean, so a second sync
            // would succeed without writing them (the `fsync` behaviour of Linux). Only reopening
            // shows what is on disk. Truncating keeps the batch from reappearing.
            let _ = self.disk.truncate(&tail.file, tail.length);
            tail.poisoned = Some(format!("the archive could not be synced ({error})"));
            return Err(Error::Write(Arc::new(error)));
        }
        Ok(id)
    }

    /// Reads a block and verifies its hash.
    pub(crate) fn read_block(&self, segment: u32, location: &BlockLocation) -> Result<Vec<u8>, Error> {
        let head = car::encode_record_header(location.id, location.length as usize);
        let mut record = vec![0; head.len() + location.length as usize];
        let damaged = |what: &str| Error::Damaged { segment, offset: location.offset, detail: what.into() };
        let file = self.segment_file(segment)?;
        match read_at(&file, &mut record, location.offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged("the file ends inside a record"));
            }
            Err(error) => return Err(self.read_error(segment, error)),
        }
        let block = record.split_off(head.len());
        if record != head {
            return Err(damaged("record differs from its index entry"));
        }
        if !location.id.matches(&block) {
            return Err(damaged(&format!("hash mismatch: block `{}`", location.id)));
        }
        Ok(block)
    }

    fn segment_path(&self, segment: u32) -> PathBuf {
        self.dir.join(format!("{segment:06}.car"))
    }

    fn read_error(&self, segment: u32, error: io::Error) -> Error {
        Error::io("read", &self.segment_path(segment))(error)
    }

    fn open_segment(&self, segment: u32) -> Result<(Arc<File>, u64), Error> {
        let file = self.segment_file(segment)?;
        let length = file.metadata().map_err(|error| self.read_error(segment, error))?.len();
        Ok((file, length))
    }

    fn segment_file(&self, segment: u32) -> Result<Arc<File>, Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&segment) {
            return Ok(file.clone());
        }
        let path = self.segment_path(segment);
        let file = File::open(&path).map(Arc::new).map_err(Error::io("open", &path))?;
        if files.len() >= OPEN_FILES_MAX {
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
    /// Returns segment and offset of the end.
    pub(crate) fn end(&self) -> (u32, u64) {
        (self.segment, self.length)
    }
}

/// Returns the number in the name of a segment file.
fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".car")?;
    let number = digits.parse().ok()?;
    (format!("{number:06}") == digits).then_some(number)
}

/// Combines small parts into large writes.
struct WriteBuffer<'a> {
    archive: &'a Archive,
    file: &'a File,
    at: u64,
    bytes: Vec<u8>,
}

impl WriteBuffer<'_> {
    fn put(&mut self, part: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(part);
        if self.bytes.len() >= WRITE_BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.archive.disk.write(self.file, &self.bytes, self.at)?;
        self.at += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }
}

/// Creates the directories of a store.
pub(crate) fn create_directories(dir: &Path, archive: &Path) -> Result<(), Error> {
    fs::create_dir_all(archive).map_err(Error::io("create", archive))?;
    sync_dir(dir).map_err(Error::io("sync", dir))?;
    match dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_dir(parent).map_err(Error::io("sync", parent)),
        None => Ok(()),
    }
}

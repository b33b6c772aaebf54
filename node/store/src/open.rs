//! Opening of a store: lock, choice of the index, replay of the archive, torn tail.

use std::path::Path;

use crate::archive::{
    Archive, ArchiveCursor, ArchivePosition, ArchiveTail, GroupVisit, WalkControl, create_directories,
};
use crate::batch::WriteBatch;
use crate::disk::{Disk, SystemDisk};
use crate::error::Error;
use crate::fsck::{FsckReport, damage_finding};
use crate::index::StoreIndex;
use crate::limits::SEGMENT_BYTES_MAX;
use crate::lock::DirectoryLock;
use crate::store::Store;

/// Name of the archive's directory.
const ARCHIVE: &str = "archive";
/// Name of the index's directory.
const INDEX: &str = "index";
/// Name of the directory in which an index is rebuilt. It replaces the old index only when it is
/// complete: until then the old one still records how far the archive was on disk.
const REBUILD: &str = "rebuild";

/// Result of opening a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// Bytes of an unacknowledged batch that were truncated from the end of the archive.
    pub cut_bytes: u64,
    /// Reason for rebuilding the index from the whole archive, if it was rebuilt.
    pub rebuilt: Option<String>,
    /// Number of groups of the archive that were applied to the index.
    pub replayed: u64,
    /// Number of block records in the archive.
    pub blocks: u64,
}

/// Options for opening.
#[derive(Default)]
struct OpenPlan {
    /// Reason for rebuilding the index regardless of its state.
    rebuild: Option<String>,
    /// For a salvage: the damage found so far.
    salvage: Option<FsckReport>,
    /// Bytes of a segment, if not the default.
    segment_bytes: Option<u64>,
}

impl Store {
    /// Opens or creates the store in `dir`.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it; [`Error::Damaged`] and [`Error::MissingSegment`] when
    /// the archive cannot be replayed (see [`Store::salvage`]); [`Error::Io`], [`Error::Index`].
    pub fn open(dir: &Path) -> Result<(Store, OpenReport), Error> {
        open_store(dir, &mut OpenPlan::default(), Box::new(SystemDisk))
    }

    /// Opens as [`Store::open`] and rebuilds the index from the archive.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn rebuild_index(dir: &Path) -> Result<(Store, OpenReport), Error> {
        let rebuild = Some("it was asked for".into());
        open_store(dir, &mut OpenPlan { rebuild, ..OpenPlan::default() }, Box::new(SystemDisk))
    }

    /// Opens as [`Store::rebuild_index`], but continues behind damage: recovers every readable block and
    /// row and reports the others. Damaged blocks count as missing and may be committed again; rows in
    /// a damaged list keep their previous value.
    ///
    /// # Errors
    /// As [`Store::open`], without [`Error::Damaged`].
    pub fn salvage(dir: &Path) -> Result<(Store, OpenReport, FsckReport), Error> {
        let rebuild = Some("a salvage was asked for".into());
        let mut plan = OpenPlan { rebuild, salvage: Some(FsckReport::default()), ..OpenPlan::default() };
        let (store, opened) = open_store(dir, &mut plan, Box::new(SystemDisk))?;
        Ok((store, opened, plan.salvage.unwrap_or_default()))
    }

    /// Opens as [`Store::open`], on a given disk and with segments of `segment_bytes`.
    #[cfg(test)]
    pub(crate) fn open_on(
        dir: &Path,
        disk: Box<dyn Disk>,
        segment_bytes: u64,
    ) -> Result<(Store, OpenReport), Error> {
        open_store(dir, &mut OpenPlan { segment_bytes: Some(segment_bytes), ..OpenPlan::default() }, disk)
    }
}

fn open_store(dir: &Path, plan: &mut OpenPlan, disk: Box<dyn Disk>) -> Result<(Store, OpenReport), Error> {
    let archive = dir.join(ARCHIVE);
    create_directories(dir, &archive)?;
    let lock = DirectoryLock::acquire(dir)?;
    let archive = Archive::new(archive, disk, plan.segment_bytes.unwrap_or(SEGMENT_BYTES_MAX));
    if lock.machine_stopped {
        plan.rebuild.get_or_insert_with(|| "the machine stopped while the index was open".into());
    }
    let mut start = choose_index(dir, &archive, plan)?;
    let (replay, tail) = replay_archive(&archive, &start, &mut plan.salvage)?;
    if start.rebuilt.is_some() {
        start.index = start.index.move_to(&dir.join(INDEX))?;
    } else if replay.groups > 0 && start.from == ArchivePosition::default() {
        start.rebuilt = Some("the index was empty".into());
    }
    start.index.flush()?;
    let opened = OpenReport {
        cut_bytes: replay.cut_bytes,
        rebuilt: start.rebuilt,
        replayed: replay.groups,
        blocks: replay.end.blocks,
    };
    if opened.cut_bytes > 0 {
        tracing::warn!(bytes = opened.cut_bytes, "truncated an unfinished batch at the end of the archive");
    }
    if let Some(reason) = &opened.rebuilt {
        tracing::warn!(reason, groups = opened.replayed, "rebuilt the index");
    }
    Ok((Store::new(dir.into(), lock, archive, start.index, tail, opened.blocks), opened))
}

/// Result of a replay.
struct ReplayResult {
    end: ArchivePosition,
    groups: u64,
    cut_bytes: u64,
}

/// Applies the groups that are missing in the index, truncates a torn tail, and opens the archive for
/// appending.
fn replay_archive(
    archive: &Archive,
    start: &ReplayStart,
    salvage: &mut Option<FsckReport>,
) -> Result<(ReplayResult, ArchiveTail), Error> {
    let index = &start.index;
    let mut replay = ReplayResult { end: start.from, groups: 0, cut_bytes: 0 };
    let cursor = archive.walk_groups(
        ArchiveCursor::from(&start.from),
        None,
        start.synced.as_ref(),
        &mut |visited| {
            if visited.torn {
                return Ok(WalkControl::Stop);
            }
            check_group(visited, salvage)?;
            replay.groups += 1;
            replay.end = position_after(&replay.end, visited);
            index.apply_group(visited.segment, &visited.group.blocks, &visited.group.rows, &replay.end)?;
            Ok(WalkControl::Continue)
        },
    )?;
    let number = replay.end.number;
    let (mut tail, cut_bytes) = archive.open_tail(cursor, number)?;
    replay.cut_bytes = cut_bytes;
    if salvage.as_ref().is_some_and(|report| !report.is_clean()) {
        // Continue in a new segment, so that the damaged one stays unchanged, and begin it with an
        // empty group, so that the index has a valid position behind the damage.
        tail = archive.create_segment(tail.end().0 + 1, number)?;
        let (_, end) = archive.append_group(&mut tail, &WriteBatch::new(), replay.end.blocks)?;
        index.apply_group(end.segment, &[], &[], &end)?;
        replay.end = end;
    }
    Ok((replay, tail))
}

/// The index to replay into, and the position to start from.
struct ReplayStart {
    index: StoreIndex,
    from: ArchivePosition,
    /// Position up to which some index proves the archive to be on disk.
    synced: Option<ArchivePosition>,
    rebuilt: Option<String>,
}

fn choose_index(dir: &Path, archive: &Archive, plan: &mut OpenPlan) -> Result<ReplayStart, Error> {
    let (path, rebuild) = (dir.join(INDEX), dir.join(REBUILD));
    StoreIndex::remove_directory(&rebuild)?;
    let mut reason = plan.rebuild.take();
    let mut synced = None;
    let old = StoreIndex::open(&path);
    match &old {
        Err(error) => {
            reason.get_or_insert_with(|| format!("the index did not open: {error}"));
        }
        Ok(index) => match distrust_reason(index, archive, &mut synced) {
            Ok(Some(why)) => {
                reason.get_or_insert(why);
            }
            Ok(None) => {}
            Err(Error::Index(error)) => {
                reason.get_or_insert_with(|| format!("the index could not be read: {error}"));
            }
            Err(error) => return Err(error),
        },
    }
    match (old, reason) {
        (Ok(index), None) => {
            Ok(ReplayStart { index, from: synced.unwrap_or_default(), synced, rebuilt: None })
        }
        (old, rebuilt) => {
            drop(old);
            let index = StoreIndex::open(&rebuild).map_err(Error::Index)?;
            Ok(ReplayStart { index, from: ArchivePosition::default(), synced, rebuilt })
        }
    }
}

/// Returns why an index must be rebuilt although it opened, if it must.
fn distrust_reason(
    index: &StoreIndex,
    archive: &Archive,
    synced: &mut Option<ArchivePosition>,
) -> Result<Option<String>, Error> {
    if let Some(name) = index.unknown_tree()? {
        return Ok(Some(format!("the index has the unknown tree `{name}`")));
    }
    *synced = index.applied_position()?;
    match synced {
        Some(position) => Ok(archive.mismatch_reason(position)?.map(Into::into)),
        None if index.is_empty()? => Ok(None),
        None => Ok(Some("the index had lost its position".into())),
    }
}

/// Checks that a group may be applied: intact, or damaged during a salvage.
fn check_group(visited: &GroupVisit, salvage: &mut Option<FsckReport>) -> Result<(), Error> {
    let Some(first) = visited.group.defects.first() else { return Ok(()) };
    let Some(report) = salvage else {
        return Err(Error::Damaged {
            segment: visited.segment,
            offset: first.offset,
            detail: first.detail.clone(),
        });
    };
    for error in &visited.group.defects {
        report.add_finding(damage_finding(visited.segment, error));
    }
    Ok(())
}

/// Returns the position behind a visited group that begins at `end`.
fn position_after(end: &ArchivePosition, visited: &GroupVisit) -> ArchivePosition {
    ArchivePosition {
        segment: visited.segment,
        offset: visited.group.end.unwrap_or(visited.offset),
        number: visited.group.number.max(end.number),
        blocks: end.blocks + visited.group.blocks.len() as u64,
        commit: visited.group.commit.map_or([0; 32], |id| *id.digest()),
    }
}

//! Opening: the lock, the index as far as it can be trusted, the archive's tail, the replay.

use std::path::Path;

use crate::archive::{
    Archive, ArchiveCursor, ArchivePosition, ArchiveTail, GroupVisit, SEGMENT_BYTES_MAX, WalkControl,
    create_directories,
};
use crate::batch::WriteBatch;
use crate::disk::{Disk, SystemDisk};
use crate::error::Error;
use crate::fsck::{FsckReport, damage_finding};
use crate::index::StoreIndex;
use crate::lock::DirectoryLock;
use crate::store::Store;

/// Name of the archive's directory.
const ARCHIVE: &str = "archive";
/// Name of the index's directory.
const INDEX: &str = "index";
/// Name of the directory in which an index is made anew. It takes the place of the old one only
/// when it is whole: until then the old one still knows how far the archive had been on disk.
const ANEW: &str = "rebuild";

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// Bytes of a batch that was never acknowledged, cut from the end of the archive.
    pub cut_bytes: u64,
    /// Why the index was made again from the whole archive, if it was.
    pub rebuilt: Option<String>,
    /// Groups of the archive that were applied to the index.
    pub replayed: u64,
    /// Block records in the archive.
    pub blocks: u64,
}

/// How to open.
#[derive(Default)]
struct OpenPlan {
    /// Why the index is to be made anew, whatever its state.
    rebuild: Option<String>,
    /// Whether to go on behind damage, and what was met.
    salvage: Option<FsckReport>,
    /// Bytes of a segment, when not the usual ones.
    segment_bytes: Option<u64>,
}

impl Store {
    /// Opens or creates the store in `dir`.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it; [`Error::Damaged`] and [`Error::Missing`] when
    /// the archive cannot be replayed (see [`Store::salvage`]); [`Error::Io`], [`Error::Index`].
    pub fn open(dir: &Path) -> Result<(Store, OpenReport), Error> {
        open_store(dir, &mut OpenPlan::default(), Box::new(SystemDisk))
    }

    /// As [`Store::open`], but makes the index anew from the archive.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn rebuild_index(dir: &Path) -> Result<(Store, OpenReport), Error> {
        let rebuild = Some("it was asked for".into());
        open_store(dir, &mut OpenPlan { rebuild, ..OpenPlan::default() }, Box::new(SystemDisk))
    }

    /// As [`Store::rebuild_index`], but goes on behind damage: keeps every block and row that can
    /// be read, and reports what cannot. Damaged blocks are then not held and may be committed
    /// again; rows whose list is damaged keep the value they had before it.
    ///
    /// # Errors
    /// As [`Store::open`], without [`Error::Damaged`].
    pub fn salvage(dir: &Path) -> Result<(Store, OpenReport, FsckReport), Error> {
        let rebuild = Some("a salvage was asked for".into());
        let mut plan = OpenPlan { rebuild, salvage: Some(FsckReport::default()), ..OpenPlan::default() };
        let (store, opened) = open_store(dir, &mut plan, Box::new(SystemDisk))?;
        Ok((store, opened, plan.salvage.unwrap_or_default()))
    }

    /// As [`Store::open`], on a disk that may fail and with small segments.
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
    let mut settled = choose_index(dir, &archive, plan)?;
    let (replay, tail) = replay_archive(&archive, &settled, &mut plan.salvage)?;
    if settled.rebuilt.is_some() {
        settled.index = settled.index.move_to(&dir.join(INDEX))?;
    } else if replay.groups > 0 && settled.from == ArchivePosition::default() {
        settled.rebuilt = Some("the index was empty".into());
    }
    settled.index.flush()?;
    let opened = OpenReport {
        cut_bytes: replay.cut_bytes,
        rebuilt: settled.rebuilt,
        replayed: replay.groups,
        blocks: replay.end.blocks,
    };
    if opened.cut_bytes > 0 {
        tracing::warn!(bytes = opened.cut_bytes, "cut an unfinished batch from the end of the archive");
    }
    if let Some(reason) = &opened.rebuilt {
        tracing::warn!(reason, groups = opened.replayed, "made the index anew");
    }
    Ok((Store::new(dir.into(), lock, archive, settled.index, tail, opened.blocks), opened))
}

/// What a replay did.
struct ReplayResult {
    end: ArchivePosition,
    groups: u64,
    cut_bytes: u64,
}

/// Applies what the index lacks, cuts a torn tail, and finds where writing goes on.
fn replay_archive(
    archive: &Archive,
    settled: &ReplayStart,
    salvage: &mut Option<FsckReport>,
) -> Result<(ReplayResult, ArchiveTail), Error> {
    let index = &settled.index;
    let mut replay = ReplayResult { end: settled.from, groups: 0, cut_bytes: 0 };
    let cursor = archive.walk_groups(
        ArchiveCursor::from(&settled.from),
        None,
        settled.synced.as_ref(),
        &mut |met| {
            if met.torn {
                return Ok(WalkControl::Stop);
            }
            check_group(met, salvage)?;
            replay.groups += 1;
            replay.end = position_after(&replay.end, met);
            index.apply_group(met.segment, &met.group.blocks, &met.group.rows, &replay.end)?;
            Ok(WalkControl::Continue)
        },
    )?;
    let number = replay.end.number;
    let (mut tail, cut_bytes) = archive.open_tail(cursor, number)?;
    replay.cut_bytes = cut_bytes;
    if salvage.as_ref().is_some_and(|report| !report.is_clean()) {
        // Writing goes on in a segment of its own, so that the damage stays where it is, with an
        // empty group, so that the index has a sound position behind it.
        tail = archive.create_segment(tail.end().0 + 1, number)?;
        let (_, end) = archive.append_group(&mut tail, &WriteBatch::new(), replay.end.blocks)?;
        index.apply_group(end.segment, &[], &[], &end)?;
        replay.end = end;
    }
    Ok((replay, tail))
}

/// An index that can be trusted up to `from`.
struct ReplayStart {
    index: StoreIndex,
    from: ArchivePosition,
    /// Up to where some index said that the archive was on disk.
    synced: Option<ArchivePosition>,
    rebuilt: Option<String>,
}

fn choose_index(dir: &Path, archive: &Archive, plan: &mut OpenPlan) -> Result<ReplayStart, Error> {
    let (path, anew) = (dir.join(INDEX), dir.join(ANEW));
    StoreIndex::remove_directory(&anew)?;
    let mut reason = plan.rebuild.take();
    let mut synced = None;
    let old = StoreIndex::open(&path);
    match &old {
        Err(fault) => {
            reason.get_or_insert_with(|| format!("the index did not open: {fault}"));
        }
        Ok(index) => match distrust_reason(index, archive, &mut synced) {
            Ok(Some(why)) => {
                reason.get_or_insert(why);
            }
            Ok(None) => {}
            Err(Error::Index(fault)) => {
                reason.get_or_insert_with(|| format!("the index could not be read: {fault}"));
            }
            Err(fault) => return Err(fault),
        },
    }
    match (old, reason) {
        (Ok(index), None) => {
            Ok(ReplayStart { index, from: synced.unwrap_or_default(), synced, rebuilt: None })
        }
        (old, rebuilt) => {
            drop(old);
            let index = StoreIndex::open(&anew).map_err(Error::Index)?;
            Ok(ReplayStart { index, from: ArchivePosition::default(), synced, rebuilt })
        }
    }
}

/// Why an index that opened is not to be trusted, if it is not.
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

/// Whether a group that is not torn may be applied.
fn check_group(met: &GroupVisit, salvage: &mut Option<FsckReport>) -> Result<(), Error> {
    let Some(first) = met.group.defects.first() else { return Ok(()) };
    let Some(report) = salvage else {
        return Err(Error::Damaged {
            segment: met.segment,
            offset: first.offset,
            detail: first.detail.clone(),
        });
    };
    for fault in &met.group.defects {
        report.add_finding(damage_finding(met.segment, fault));
    }
    Ok(())
}

/// The position after a group that begins where `end` says.
fn position_after(end: &ArchivePosition, met: &GroupVisit) -> ArchivePosition {
    ArchivePosition {
        segment: met.segment,
        offset: met.group.end.unwrap_or(met.offset),
        number: met.group.number.max(end.number),
        blocks: end.blocks + met.group.blocks.len() as u64,
        commit: met.group.commit.map_or([0; 32], |id| *id.digest()),
    }
}

//! Full check: each record of the archive, and each index entry against the archive.
//!
//! The archive is replayed into a second index beside the first, and the two are compared. This needs
//! the disk space of an index, but memory for one group only.

use std::cmp::Ordering;
use std::iter::Peekable;

use schemas::cid::Cid;

use crate::archive::{ArchiveCursor, ArchivePosition, WalkControl};
use crate::error::Error;
use crate::index::{IndexPairs, StoreIndex, block_id_in_key};
use crate::limits::FINDINGS_MAX;
use crate::segment::RecordDefect;
use crate::store::Store;

/// Name of the second index's directory.
const INDEX: &str = "fsck";

/// Result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Groups read.
    pub groups: u64,
    /// Records read, including begin, row list and commit records.
    pub records: u64,
    /// Blocks whose hash matches their id.
    pub blocks: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The findings; empty if there are none.
    pub findings: Vec<FsckFinding>,
    /// Number of findings beyond those listed.
    pub unlisted: u64,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FsckFinding {
    /// Damaged bytes in the archive.
    Damaged {
        /// Number of the segment file.
        segment: u32,
        /// Offset of the record in it.
        offset: u64,
        /// The id that the record claims, if it can be read.
        id: Option<Cid>,
        /// Description of the damage.
        detail: String,
    },
    /// An entry of the archive is missing in the index.
    Missing {
        /// Name of the tree.
        tree: &'static str,
        /// Key of the entry.
        key: Vec<u8>,
    },
    /// An entry of the index has no intact counterpart in the archive.
    Orphaned {
        /// Name of the tree.
        tree: &'static str,
        /// Key of the entry.
        key: Vec<u8>,
    },
    /// The values of index and archive differ.
    Differs {
        /// Name of the tree.
        tree: &'static str,
        /// Key of the entry.
        key: Vec<u8>,
    },
}

impl FsckReport {
    /// Returns whether there are no findings.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn add_finding(&mut self, finding: FsckFinding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.unlisted += 1;
        }
    }
}

/// Converts a defect of a segment into a finding.
pub(crate) fn damage_finding(segment: u32, error: &RecordDefect) -> FsckFinding {
    FsckFinding::Damaged { segment, offset: error.offset, id: error.id, detail: error.detail.clone() }
}

impl Store {
    /// Checks every record and every index entry. Calls `progress` with the bytes done and the total.
    /// Commits continue while the archive is read and wait while the indexes are compared.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Index`] when the check itself cannot be done.
    pub fn fsck(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<FsckReport, Error> {
        let dir = self.dir.join(INDEX);
        StoreIndex::remove_directory(&dir)?;
        let second = StoreIndex::open(&dir).map_err(Error::Index)?;
        let report = self.compare_index(&second, progress);
        drop(second);
        StoreIndex::remove_directory(&dir)?;
        report
    }

    fn compare_index(
        &self,
        second: &StoreIndex,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<FsckReport, Error> {
        let mut report = FsckReport::default();
        let end = self.lock_writer().tail.end();
        let start = ArchiveCursor::from(&ArchivePosition::default());
        let cursor = self.replay_into(start, end, second, &mut report, progress)?;
        let writer = self.lock_writer();
        self.replay_into(cursor, writer.tail.end(), second, &mut report, progress)?;
        for ((name, first), (_, second)) in self.index.all_trees().zip(second.all_trees()) {
            compare_trees(name, IndexPairs::of(first), IndexPairs::of(second), &mut report)?;
        }
        for finding in &report.findings {
            if let FsckFinding::Orphaned { tree, key } = finding
                && let Some(id) = block_id_in_key(tree, key)
            {
                self.mark_damaged(id);
            }
        }
        Ok(report)
    }

    /// Replays the archive from `from` to `end` into the second index.
    fn replay_into(
        &self,
        from: ArchiveCursor,
        end: (u32, u64),
        second: &StoreIndex,
        report: &mut FsckReport,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ArchiveCursor, Error> {
        let mut last = (from.segment, from.offset);
        self.archive.walk_groups(from, Some(end), None, &mut |visited| {
            let group = &visited.group;
            report.groups += 1;
            report.records += group.records;
            report.blocks += group.blocks.len() as u64;
            let begin = if last.0 == visited.segment { last.1 } else { 0 };
            let after = group.end.unwrap_or(visited.offset);
            report.bytes += after.saturating_sub(begin);
            last = (visited.segment, after);
            for error in &group.defects {
                report.add_finding(damage_finding(visited.segment, error));
            }
            second.apply_group(visited.segment, &group.blocks, &group.rows, &ArchivePosition::default())?;
            progress(report.bytes, self.stats().bytes.max(report.bytes));
            Ok(WalkControl::Continue)
        })
    }
}

/// Compares two trees in key order: `first` is the index, `second` is rebuilt from the archive.
fn compare_trees(
    tree: &'static str,
    first: IndexPairs,
    second: IndexPairs,
    report: &mut FsckReport,
) -> Result<(), Error> {
    let (mut first, mut second) = (first.peekable(), second.peekable());
    loop {
        let order = match (peek_pair(&mut first)?, peek_pair(&mut second)?) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let left = if order.is_le() { first.next().transpose()? } else { None };
        let right = if order.is_ge() { second.next().transpose()? } else { None };
        match (left, right) {
            (Some((key, left)), Some((_, right))) if left != right => {
                report.add_finding(FsckFinding::Differs { tree, key });
            }
            (Some((key, _)), None) => report.add_finding(FsckFinding::Orphaned { tree, key }),
            (None, Some((key, _))) => report.add_finding(FsckFinding::Missing { tree, key }),
            _ => {}
        }
    }
}

type KeyValue = (Vec<u8>, Vec<u8>);

fn peek_pair<I>(pairs: &mut Peekable<I>) -> Result<Option<&KeyValue>, Error>
where
    I: Iterator<Item = Result<KeyValue, Error>>,
{
    match pairs.peek() {
        None => Ok(None),
        Some(Ok(pair)) => Ok(Some(pair)),
        Some(Err(error)) => Err(error.clone()),
    }
}

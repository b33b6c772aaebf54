//! Checking everything: each record of the archive, and each index entry against the archive.
//!
//! The archive is replayed into a second index beside the first, and the two are compared. That
//! takes the disk space of an index, but memory only for one group.

use std::cmp::Ordering;
use std::iter::Peekable;

use schemas::cid::Cid;

use crate::archive::{Cursor, Flow, Position};
use crate::error::Error;
use crate::index::{Index, Pairs, id_of};
use crate::segment::Fault;
use crate::store::Store;

/// Findings kept in a report; people read no more, and the rest is counted.
const FINDINGS_MAX: usize = 1000;

/// Name of the second index's directory.
const INDEX: &str = "fsck";

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Groups read.
    pub groups: u64,
    /// Records read, our own among them.
    pub records: u64,
    /// Blocks that are what their ids say.
    pub blocks: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong; empty when all is well.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub more: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The archive holds bytes that are not what they were.
    Damaged {
        /// Number of the segment file.
        segment: u32,
        /// Offset of the record in it.
        offset: u64,
        /// The id that the record claims, if it can be read.
        id: Option<Cid>,
        /// What was found.
        what: String,
    },
    /// The archive has an entry that the index lacks.
    Absent {
        /// Name of the tree.
        tree: &'static str,
        /// Key of the entry.
        key: Vec<u8>,
    },
    /// The index has an entry of which the archive knows nothing intact.
    Stray {
        /// Name of the tree.
        tree: &'static str,
        /// Key of the entry.
        key: Vec<u8>,
    },
    /// The index has another value than the archive.
    Differs {
        /// Name of the tree.
        tree: &'static str,
        /// Key of the entry.
        key: Vec<u8>,
    },
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// The finding for a fault in a segment.
pub(crate) fn damage(segment: u32, fault: &Fault) -> Finding {
    Finding::Damaged { segment, offset: fault.at, id: fault.id, what: fault.what.clone() }
}

impl Store {
    /// Checks every record and every index entry, telling `progress` the bytes done and the bytes
    /// in all. Commits go on while the archive is read and wait while the indexes are compared.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Index`] when the check itself cannot be done.
    pub fn fsck(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Error> {
        let dir = self.dir.join(INDEX);
        Index::remove(&dir)?;
        let second = Index::open(&dir).map_err(Error::Index)?;
        let report = self.check(&second, progress);
        drop(second);
        Index::remove(&dir)?;
        report
    }

    fn check(&self, second: &Index, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Error> {
        let mut report = Report::default();
        let end = self.writer().tail.end();
        let start = Cursor::from(&Position::default());
        let cursor = self.read(start, end, second, &mut report, progress)?;
        let writer = self.writer();
        self.read(cursor, writer.tail.end(), second, &mut report, progress)?;
        for ((name, first), (_, second)) in self.index.trees().zip(second.trees()) {
            compare(name, Pairs::of(first), Pairs::of(second), &mut report)?;
        }
        for finding in &report.findings {
            if let Finding::Stray { tree, key } = finding
                && let Some(id) = id_of(tree, key)
            {
                self.distrust(id);
            }
        }
        Ok(report)
    }

    /// Replays the archive from `from` to `end` into the second index.
    fn read(
        &self,
        from: Cursor,
        end: (u32, u64),
        second: &Index,
        report: &mut Report,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Cursor, Error> {
        let mut last = (from.segment, from.at);
        self.archive.walk(from, Some(end), None, &mut |met| {
            let group = &met.group;
            report.groups += 1;
            report.records += group.records;
            report.blocks += group.blocks.len() as u64;
            let begin = if last.0 == met.segment { last.1 } else { 0 };
            let after = group.end.unwrap_or(met.at);
            report.bytes += after.saturating_sub(begin);
            last = (met.segment, after);
            for fault in &group.faults {
                report.add(damage(met.segment, fault));
            }
            second.apply(met.segment, &group.blocks, &group.rows, &Position::default())?;
            progress(report.bytes, self.stats().bytes.max(report.bytes));
            Ok(Flow::On)
        })
    }
}

/// Walks two trees in step. `first` is the index, `second` what the archive says.
fn compare(tree: &'static str, first: Pairs, second: Pairs, report: &mut Report) -> Result<(), Error> {
    let (mut first, mut second) = (first.peekable(), second.peekable());
    loop {
        let order = match (head(&mut first)?, head(&mut second)?) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let left = if order.is_le() { first.next().transpose()? } else { None };
        let right = if order.is_ge() { second.next().transpose()? } else { None };
        match (left, right) {
            (Some((key, left)), Some((_, right))) if left != right => {
                report.add(Finding::Differs { tree, key });
            }
            (Some((key, _)), None) => report.add(Finding::Stray { tree, key }),
            (None, Some((key, _))) => report.add(Finding::Absent { tree, key }),
            _ => {}
        }
    }
}

type Pair = (Vec<u8>, Vec<u8>);

fn head<I>(pairs: &mut Peekable<I>) -> Result<Option<&Pair>, Error>
where
    I: Iterator<Item = Result<Pair, Error>>,
{
    match pairs.peek() {
        None => Ok(None),
        Some(Ok(pair)) => Ok(Some(pair)),
        Some(Err(fault)) => Err(fault.clone()),
    }
}

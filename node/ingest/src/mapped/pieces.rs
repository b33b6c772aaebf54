//! The rows of a large file, read in pieces by as many threads as it is worth.
//!
//! A piece is a run of whole lines. Each thread takes the next piece, reads it into columns of its
//! own and adds those to the columns of the file when all pieces before it are there: so the file
//! never lies in memory as a whole, and the result is that of one thread. Whatever is not plain (a
//! quote, a fault, a line longer than what is looked at behind a piece) ends the attempt, and the
//! file is read as one, which tells its first fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Plan;
use super::body::Body;
use super::rows::Rows;
use crate::document::ReadAt;
use crate::records::Reader;

/// Bytes of a piece: they and their columns stay near the processor.
const PIECE_BYTES: u64 = 1 << 18;
/// Bytes behind a piece in which its last line ends.
const BEHIND_BYTES: u64 = 1 << 14;
/// Bytes of a file below which one thread is done before others have begun.
const FILE_BYTES_MIN: u64 = 1 << 20;
/// More threads than this wait for memory.
const THREADS_MAX: u64 = 8;

/// A file below its header.
pub(super) struct Pieces<'a> {
    document: &'a dyn ReadAt,
    /// Where it begins.
    start: u64,
    plan: &'a Plan,
    width: usize,
    delimiter: u8,
    /// The piece that is to be read next.
    next: AtomicU64,
    /// Whether a thread has met what is not plain.
    broken: AtomicBool,
    whole: Mutex<Merged>,
}

/// The pieces that are there, up to the first one that is not, and those behind it.
struct Merged {
    rows: Rows,
    /// Lines before the next piece.
    lines: u64,
    next: u64,
    waiting: BTreeMap<u64, (Rows, u64)>,
}

impl<'a> Pieces<'a> {
    /// The file behind `start`, before which there are `lines` lines; `None` when it is small.
    pub(super) fn of(
        document: &'a dyn ReadAt,
        (start, lines): (u64, u64),
        plan: &'a Plan,
        width: usize,
        delimiter: u8,
    ) -> Option<Self> {
        if document.size().saturating_sub(start) < FILE_BYTES_MIN {
            return None;
        }
        let whole = Merged { rows: Rows::new(plan), lines, next: 0, waiting: BTreeMap::new() };
        let (next, broken) = (AtomicU64::new(0), AtomicBool::new(false));
        Some(Self { document, start, plan, width, delimiter, next, broken, whole: Mutex::new(whole) })
    }

    /// All rows, when all of the file is plain.
    pub(super) fn read(self, threads: usize, progress: &mut dyn FnMut(u64)) -> Option<Rows> {
        let threads = (threads as u64).min(THREADS_MAX).min(self.count());
        std::thread::scope(|scope| {
            let this = &self;
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| this.work(&mut |_| {}))).collect();
            self.work(progress);
            // A thread that ended in a panic leaves its piece out, which is noticed below.
            others.into_iter().for_each(|other| drop(other.join()));
        });
        let count = self.count();
        let broken = self.broken.into_inner();
        let whole = self.whole.into_inner().unwrap_or_else(PoisonError::into_inner);
        (!broken && whole.next == count).then_some(whole.rows)
    }

    fn count(&self) -> u64 {
        (self.document.size() - self.start).div_ceil(PIECE_BYTES)
    }

    /// Takes pieces until there are no more, or one is not plain.
    fn work(&self, progress: &mut dyn FnMut(u64)) {
        let (mut room, mut rows) = (Vec::new(), Rows::new(self.plan));
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at >= self.count() || self.broken.load(Ordering::Relaxed) {
                return;
            }
            let lines = self.piece(at, &mut room, &mut rows);
            if lines.and_then(|lines| self.merge(at, &mut rows, lines)).is_none() {
                return self.broken.store(true, Ordering::Relaxed);
            }
            progress(self.start + at * PIECE_BYTES);
        }
    }

    /// Adds the rows of a piece; says how many lines it has.
    fn piece(&self, at: u64, room: &mut Vec<u8>, rows: &mut Rows) -> Option<u64> {
        let text = self.text(at, room)?;
        if text.contains(&b'"') {
            return None;
        }
        let reader = Reader::new(std::str::from_utf8(text).ok()?, self.delimiter);
        let end = Body { reader, width: self.width }.rows(self.plan, rows, &mut |_| {}).ok()?;
        Some(end - 1)
    }

    /// The lines that begin in a piece: behind the line break before it, to the first one at its end.
    fn text<'r>(&self, at: u64, room: &'r mut Vec<u8>) -> Option<&'r [u8]> {
        let size = self.document.size();
        let from = self.start + at * PIECE_BYTES;
        let to = (from + PIECE_BYTES).min(size);
        // The first piece begins behind the line break of the header.
        let (from, to_last) = (from.saturating_sub(1), to.saturating_sub(1));
        let until = to.saturating_add(BEHIND_BYTES).min(size);
        room.resize(usize::try_from(until - from).ok()?, 0);
        self.document.read_at(from, room).ok()?;
        let line_end =
            |from: usize| Some(from + room.get(from..)?.iter().position(|byte| *byte == b'\n')? + 1);
        let first = line_end(0)?;
        let last = usize::try_from(to_last - from).ok()?;
        let end = line_end(last).or_else(|| (until == size).then_some(room.len()))?;
        room.get(first..end.max(first))
    }

    /// Adds the rows of a piece to those of the file, as soon as all before it are there.
    fn merge(&self, at: u64, rows: &mut Rows, lines: u64) -> Option<()> {
        let mut whole = self.whole.lock().ok()?;
        if at != whole.next {
            let rows = std::mem::replace(rows, Rows::new(self.plan));
            whole.waiting.insert(at, (rows, lines));
            return Some(());
        }
        if at == 0 {
            let expected = rows.read.saturating_mul(self.count());
            whole.rows.reserve(self.plan, usize::try_from(expected).ok()?);
        }
        whole.take(rows, lines);
        while let Some((mut rows, lines)) = {
            let next = whole.next;
            whole.waiting.remove(&next)
        } {
            whole.take(&mut rows, lines);
        }
        (whole.rows.lines.rows() <= self.plan.rows_max()).then_some(())
    }
}

impl Merged {
    /// Adds the next piece.
    fn take(&mut self, rows: &mut Rows, lines: u64) {
        self.rows.take(rows, self.lines);
        self.lines += lines;
        self.next += 1;
    }
}

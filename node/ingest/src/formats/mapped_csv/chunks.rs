//! Reads a large file in chunks, on several threads.
//!
//! A chunk is a sequence of complete lines. Each thread takes the next chunk, reads it into its own
//! columns, and merges these in the order of the file: the file is never fully in memory, and the result
//! is the same as on one thread. Anything that is not plain (a quote, an error, a line longer than
//! `OVERLAP_BYTES`) ends the attempt; the file is then read as a whole, which finds its first error.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::ReadPlan;
use super::body::CsvBody;
use super::row_buffer::RowBuffer;
use crate::csv::records::CsvReader;
use crate::read_at::ReadAt;

/// Bytes of a chunk: it and its columns fit into the cache of a core.
const CHUNK_BYTES: u64 = 1 << 18;
/// Bytes after a chunk within which its last line must end.
const OVERLAP_BYTES: u64 = 1 << 14;
/// Bytes of a file below which starting threads takes longer than reading.
const FILE_BYTES_MIN: u64 = 1 << 20;
/// Threads; more would only wait for memory.
const THREADS_MAX: u64 = 8;

/// The part of a file below its header, in chunks.
pub(super) struct ChunkedFile<'a> {
    document: &'a dyn ReadAt,
    /// Offset of its first byte.
    start: u64,
    plan: &'a ReadPlan,
    width: usize,
    delimiter: u8,
    /// The next chunk to read.
    next: AtomicU64,
    /// Whether a thread has found anything that is not plain.
    broken: AtomicBool,
    merged: Mutex<MergedChunks>,
}

/// The merged chunks, and later ones that wait for an earlier one.
struct MergedChunks {
    rows: RowBuffer,
    /// Lines before the next chunk.
    lines: u64,
    next: u64,
    waiting: BTreeMap<u64, (RowBuffer, u64)>,
}

impl<'a> ChunkedFile<'a> {
    /// Splits the file after offset `start` and `lines` lines; `None` if it is small.
    pub(super) fn split_file(
        document: &'a dyn ReadAt,
        (start, lines): (u64, u64),
        plan: &'a ReadPlan,
        width: usize,
        delimiter: u8,
    ) -> Option<Self> {
        if document.size().saturating_sub(start) < FILE_BYTES_MIN {
            return None;
        }
        let merged = MergedChunks { rows: RowBuffer::new(plan), lines, next: 0, waiting: BTreeMap::new() };
        let (next, broken) = (AtomicU64::new(0), AtomicBool::new(false));
        Some(Self { document, start, plan, width, delimiter, next, broken, merged: Mutex::new(merged) })
    }

    /// All rows; `None` if any part of the file is not plain.
    pub(super) fn read_all(self, threads: usize, progress: &mut dyn FnMut(u64)) -> Option<RowBuffer> {
        let threads = (threads as u64).min(THREADS_MAX).min(self.count());
        std::thread::scope(|scope| {
            let this = &self;
            let others: Vec<_> =
                (1..threads).map(|_| scope.spawn(|| this.read_chunks(&mut |_| {}))).collect();
            self.read_chunks(progress);
            // The chunk of a thread that panicked stays missing, which the count below detects.
            others.into_iter().for_each(|other| drop(other.join()));
        });
        let count = self.count();
        let broken = self.broken.into_inner();
        let merged = self.merged.into_inner().unwrap_or_else(PoisonError::into_inner);
        (!broken && merged.next == count).then_some(merged.rows)
    }

    fn count(&self) -> u64 {
        (self.document.size() - self.start).div_ceil(CHUNK_BYTES)
    }

    /// Reads chunks until there are no more, or one is not plain.
    fn read_chunks(&self, progress: &mut dyn FnMut(u64)) {
        let (mut buffer, mut rows) = (Vec::new(), RowBuffer::new(self.plan));
        loop {
            // Relaxed suffices: rows pass between threads through the mutex only.
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            // Another thread may have ended the attempt.
            if at >= self.count() || self.broken.load(Ordering::Relaxed) {
                return;
            }
            let lines = self.read_chunk(at, &mut buffer, &mut rows);
            if lines.and_then(|lines| self.merge_chunk(at, &mut rows, lines)).is_none() {
                return self.broken.store(true, Ordering::Relaxed);
            }
            progress(self.start + at * CHUNK_BYTES);
        }
    }

    /// Appends the rows of a chunk to `rows`; returns the number of its lines.
    fn read_chunk(&self, at: u64, buffer: &mut Vec<u8>, rows: &mut RowBuffer) -> Option<u64> {
        let text = self.chunk_text(at, buffer)?;
        // A quoted cell may contain line breaks, at which chunks must not be split.
        if text.contains(&b'"') {
            return None;
        }
        let reader = CsvReader::new(std::str::from_utf8(text).ok()?, self.delimiter);
        let end = CsvBody { reader, width: self.width }.read_into(self.plan, rows, &mut |_| {}).ok()?;
        Some(end - 1)
    }

    /// The lines that begin in a chunk: from the line break before it to the first one at its end.
    fn chunk_text<'r>(&self, at: u64, buffer: &'r mut Vec<u8>) -> Option<&'r [u8]> {
        let size = self.document.size();
        let from = self.start + at * CHUNK_BYTES;
        let to = (from + CHUNK_BYTES).min(size);
        // The first chunk starts at the line break of the header.
        let (from, to_last) = (from.saturating_sub(1), to.saturating_sub(1));
        let until = to.saturating_add(OVERLAP_BYTES).min(size);
        buffer.resize(usize::try_from(until - from).ok()?, 0);
        self.document.read_at(from, buffer).ok()?;
        let line_end =
            |from: usize| Some(from + buffer.get(from..)?.iter().position(|byte| *byte == b'\n')? + 1);
        let first = line_end(0)?;
        let last = usize::try_from(to_last - from).ok()?;
        let end = line_end(last).or_else(|| (until == size).then_some(buffer.len()))?;
        buffer.get(first..end.max(first))
    }

    /// Merges the rows of a chunk as soon as all earlier chunks are merged.
    fn merge_chunk(&self, at: u64, rows: &mut RowBuffer, lines: u64) -> Option<()> {
        let mut merged = self.merged.lock().ok()?;
        // An earlier chunk is still being read: the rows wait, and the thread goes on with the next one.
        if at != merged.next {
            let rows = std::mem::replace(rows, RowBuffer::new(self.plan));
            merged.waiting.insert(at, (rows, lines));
            return Some(());
        }
        if at == 0 {
            // The first chunk predicts the number of rows; growing the columns would copy them.
            let expected = rows.read.saturating_mul(self.count());
            merged.rows.reserve(self.plan, usize::try_from(expected).ok()?);
        }
        merged.append(rows, lines);
        while let Some((mut rows, lines)) = {
            let next = merged.next;
            merged.waiting.remove(&next)
        } {
            merged.append(&mut rows, lines);
        }
        (merged.rows.lines.rows() <= self.plan.rows_max()).then_some(())
    }
}

impl MergedChunks {
    /// Appends the next chunk.
    fn append(&mut self, rows: &mut RowBuffer, lines: u64) {
        self.rows.append(rows, self.lines);
        self.lines += lines;
        self.next += 1;
    }
}

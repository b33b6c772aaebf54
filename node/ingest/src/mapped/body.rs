//! What stands below the header, read by as many threads as it is worth.

use schemas::table::Column;

use super::Plan;
use super::rows::{Lines, Rows};
use crate::fault::Fault;
use crate::filling::Filling;
use crate::records::{Reader, Record};

/// Bytes of a file that are worth a thread.
const PART_BYTES: usize = 1 << 20;
/// More threads than this wait for memory.
const THREADS_MAX: usize = 8;
/// Records that are read at a time: their cells stay at hand while the columns take them in turn.
const BLOCK_ROWS: usize = 1 << 11;

/// What stands below the header.
#[derive(Clone)]
pub(super) struct Body<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) width: usize,
}

/// All rows of a file.
pub(super) struct Whole {
    pub(super) columns: Vec<Column>,
    pub(super) lines: Lines,
    pub(super) read: u64,
    pub(super) missing: Vec<u64>,
}

impl Body<'_> {
    /// All rows.
    ///
    /// # Errors
    /// The first fault of the file, however many threads read it.
    pub(super) fn read(
        self,
        plan: &Plan,
        threads: usize,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Whole, Fault> {
        if let Some(parts) = self.parts(plan, threads, progress) {
            return Ok(joined(parts));
        }
        let left = self.reader.left();
        let part = self.rows(plan, left, progress)?;
        Ok(joined(vec![part]))
    }

    /// The rows, with room for those of so many bytes, and the line after the last one.
    fn rows(
        mut self,
        plan: &Plan,
        bytes: usize,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Rows, u64), Fault> {
        let mut rows = Rows::new(plan);
        let (mut record, mut room) = (Record::default(), Vec::new());
        loop {
            self.reader.tick(progress);
            let before = self.reader.clone();
            let block = self.reader.plain(room, Some(self.width), BLOCK_ROWS);
            let mut single = 1;
            if block.rows() > 0 {
                if rows.read == 0 {
                    rows.reserve(plan, bytes / block.bytes().div_ceil(block.rows()));
                }
                if rows.block(plan, &block, before.line()) {
                    room = block.into_room();
                    continue;
                }
                // One of its rows has a fault, or is one too many: told by the row itself.
                (self.reader, single) = (before, block.rows());
            }
            room = block.into_room();
            for _ in 0..single {
                if !self.reader.read(&mut record)? {
                    return Ok((rows, self.reader.line()));
                }
                record.check_width(self.width)?;
                rows.add(plan, &record, record.line).map_err(|fault| fault.line(record.line))?;
            }
        }
    }

    /// The rows of parts that follow one another, read at the same time; `None` when the file has to
    /// be read as one: it is small, has quotes, or has a fault, of which the first is to be told.
    fn parts(&self, plan: &Plan, threads: usize, progress: &mut dyn FnMut(u64)) -> Option<Vec<(Rows, u64)>> {
        let count = threads.min(THREADS_MAX).min(self.reader.left() / PART_BYTES);
        if count < 2 {
            return None;
        }
        let mut readers = self.reader.split(count)?.into_iter();
        let body = |reader| Body { reader, width: self.width };
        let first = body(readers.next()?);
        // All others are added to the first.
        let left = self.reader.left();
        let parts: Option<Vec<(Rows, u64)>> = std::thread::scope(|scope| {
            let work = |body: Self| {
                let left = body.reader.left();
                body.rows(plan, left, &mut |_| {})
            };
            let others: Vec<_> = readers.map(|reader| scope.spawn(move || work(body(reader)))).collect();
            let first = first.rows(plan, left, progress);
            let others = others.into_iter().map(|part| part.join().ok()?.ok());
            std::iter::once(first.ok()).chain(others).collect()
        });
        let rows = |parts: &Vec<(Rows, u64)>| parts.iter().map(|(rows, _)| rows.lines.rows()).sum::<usize>();
        parts.filter(|parts| rows(parts) <= plan.rows_max())
    }
}

/// The rows of all parts, one behind the other: each column by a thread of its own.
fn joined(parts: Vec<(Rows, u64)>) -> Whole {
    let (mut lines, mut read, mut missing) = (Lines::default(), 0, Vec::new());
    let (mut columns, mut before): (Vec<Vec<Filling>>, u64) = (Vec::new(), 0);
    for (part, end) in parts {
        lines.take(&part.lines, before);
        before += end - 1;
        read += part.read;
        missing.resize(part.missing.len(), 0);
        missing.iter_mut().zip(part.missing).for_each(|(sum, more): (&mut u64, u64)| *sum += more);
        columns.resize_with(part.columns.len(), Vec::new);
        columns.iter_mut().zip(part.columns).for_each(|(column, more)| column.push(more));
    }
    let columns = match columns.iter().map(Vec::len).max() {
        Some(2..) => std::thread::scope(|scope| {
            let work: Vec<_> = columns.into_iter().map(|column| scope.spawn(|| column_of(column))).collect();
            let panicked = |panic| std::panic::resume_unwind(panic);
            work.into_iter().map(|column| column.join().unwrap_or_else(panicked)).collect()
        }),
        _ => columns.into_iter().map(column_of).collect(),
    };
    Whole { columns, lines, read, missing }
}

fn column_of(parts: Vec<Filling>) -> Column {
    let mut parts = parts.into_iter();
    let first = parts.next();
    let whole = first.map(|first| {
        parts.fold(first, |mut column, more| {
            column.take(more);
            column
        })
    });
    whole.map_or(Column::Boolean(Vec::new()), Filling::done)
}

//! Work on rows by several threads, with the result of one.
//!
//! Each thread has rows of its own and writes their places only; of several faults the one of the
//! first row is told. So nothing depends on how many threads there are, or which is faster.

use std::num::NonZeroUsize;

/// How many threads a run may use. It changes how long the run takes and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    count: NonZeroUsize,
    /// Rows that are worth a thread.
    rows: NonZeroUsize,
}

/// Rows that are worth a thread.
const ROWS_MIN: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 14) - 1);
/// More threads than this wait for memory.
const THREADS_MAX: usize = 16;

impl Threads {
    /// One thread.
    pub const ONE: Threads = Threads { count: NonZeroUsize::MIN, rows: ROWS_MIN };

    /// So many threads.
    pub fn new(count: NonZeroUsize) -> Self {
        Self { count, ..Self::ONE }
    }

    /// The same, each with at least so many rows: few make small tables a test of many threads.
    #[must_use]
    pub fn with_rows_min(self, rows: NonZeroUsize) -> Self {
        Self { rows, ..self }
    }

    /// As many as the machine offers.
    pub fn available() -> Self {
        std::thread::available_parallelism().map_or(Self::ONE, Self::new)
    }

    /// Parts that so many rows are cut into.
    fn part_count(self, rows: usize) -> usize {
        self.count.get().min(THREADS_MAX).min(rows / self.rows).max(1)
    }
}

/// Gives each slot its value; the fault is that of the first row that has one.
pub(super) fn fill_slots<T: Send, E: Send>(
    threads: Threads,
    slots: &mut [T],
    value: impl Fn(usize, &mut T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let size = slots.len().div_ceil(threads.part_count(slots.len())).max(1);
    let part = |from: usize, slots: &mut [T]| {
        slots.iter_mut().enumerate().try_for_each(|(at, slot)| value(from + at, slot))
    };
    let mut parts = slots.chunks_mut(size).enumerate();
    let Some((_, first)) = parts.next() else { return Ok(()) };
    std::thread::scope(|scope| {
        let part = &part;
        let others: Vec<_> = parts.map(|(at, slots)| scope.spawn(move || part(at * size, slots))).collect();
        let first = part(0, first);
        // All are waited for, then the first fault counts.
        let others: Vec<Result<(), E>> = others.into_iter().map(join_thread).collect();
        others.into_iter().fold(first, Result::and)
    })
}

/// One value for each of a few things, each of which is work on `rows` rows.
pub(super) fn map_items<T: Sync, R: Send>(
    threads: Threads,
    rows: usize,
    things: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let size = things.len().div_ceil(threads.part_count(rows)).max(1);
    let part = |things: &[T]| things.iter().map(&work).collect::<Vec<R>>();
    let mut parts = things.chunks(size);
    let Some(first) = parts.next() else { return Vec::new() };
    std::thread::scope(|scope| {
        let part = &part;
        let others: Vec<_> = parts.map(|things| scope.spawn(move || part(things))).collect();
        let mut made = part(first);
        made.extend(others.into_iter().flat_map(join_thread));
        made
    })
}

/// The result of a thread; its panic is ours.
fn join_thread<R>(thread: std::thread::ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_value_and_the_first_fault_is_told() {
        const LEAST: usize = ROWS_MIN.get();
        let rows = LEAST * 5 + 3;
        for count in [1, 2, 3, 100] {
            let threads = Threads::new(NonZeroUsize::new(count).unwrap());
            let mut slots = vec![0; rows];
            let faulty = |bad: &'static [usize]| {
                move |row: usize, slot: &mut usize| {
                    *slot += row;
                    if bad.contains(&row) { Err(row) } else { Ok(()) }
                }
            };
            assert_eq!(fill_slots(threads, &mut slots, faulty(&[])), Ok(()));
            assert!(slots.iter().enumerate().all(|(row, slot)| row == *slot));
            assert_eq!(fill_slots(threads, &mut slots, faulty(&[LEAST * 4, 70, LEAST * 2])), Err(70));
            assert_eq!(map_items(threads, rows, &[1, 2, 3], |thing| thing * 2), [2, 4, 6]);
        }
        assert_eq!(fill_slots(Threads::ONE, &mut [], |_, _: &mut u8| Err(())), Ok(()));
    }
}

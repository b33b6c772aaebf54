//! Deterministic data parallelism over rows.
//!
//! Each thread writes only its own range of rows, and of several errors the one of the first row is
//! returned. Results therefore do not depend on the number or the speed of threads.

use std::num::NonZeroUsize;

use crate::ceilings::RunGuard;

/// Number of threads that a run may use; affects its duration, never its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    count: NonZeroUsize,
    /// Least number of rows for each thread.
    rows: NonZeroUsize,
}

/// Default of the least number of rows for each thread: below it, starting a thread costs more than
/// it saves.
const ROWS_MIN: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 14) - 1);
/// Limit on threads: beyond it, memory bandwidth is the bottleneck.
const THREADS_MAX: usize = 16;

impl Threads {
    /// One thread.
    pub const ONE: Threads = Threads { count: NonZeroUsize::MIN, rows: ROWS_MIN };

    /// Allows `count` threads.
    pub fn new(count: NonZeroUsize) -> Self {
        Self { count, ..Self::ONE }
    }

    /// Sets the least number of rows for each thread; tests lower it to run small tables on many
    /// threads.
    #[must_use]
    pub fn with_rows_min(self, rows: NonZeroUsize) -> Self {
        Self { rows, ..self }
    }

    /// Allows as many threads as the machine offers.
    pub fn available() -> Self {
        std::thread::available_parallelism().map_or(Self::ONE, Self::new)
    }

    /// Returns the number of parts into which `rows` rows are split.
    fn part_count(self, rows: usize) -> usize {
        self.count.get().min(THREADS_MAX).min(rows / self.rows).max(1)
    }
}

/// Rows between two looks at the stop flag.
const ROWS_UNCHECKED: usize = 1 << 6;

/// Fills each slot; returns the error of the first failing row. A run that is to end leaves slots as they are.
pub(super) fn fill_slots<T: Send, E: Send>(
    threads: Threads,
    guard: &RunGuard,
    slots: &mut [T],
    value: impl Fn(usize, &mut T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let size = slots.len().div_ceil(threads.part_count(slots.len())).max(1);
    let part = |from: usize, slots: &mut [T]| {
        for (block, slots) in slots.chunks_mut(ROWS_UNCHECKED).enumerate() {
            if guard.is_stopped() {
                break;
            }
            let from = from + block * ROWS_UNCHECKED;
            slots.iter_mut().enumerate().try_for_each(|(at, slot)| value(from + at, slot))?;
        }
        Ok(())
    };
    // Parts are contiguous, so the first failing part contains the first failing row.
    let mut parts = slots.chunks_mut(size).enumerate();
    let Some((_, first)) = parts.next() else { return Ok(()) };
    std::thread::scope(|scope| {
        let part = &part;
        let others: Vec<_> = parts.map(|(at, slots)| scope.spawn(move || part(at * size, slots))).collect();
        let first = part(0, first);
        // Wait for all threads, then take the error of the first part that failed.
        let others: Vec<Result<(), E>> = others.into_iter().map(join_thread).collect();
        others.into_iter().fold(first, Result::and)
    })
}

/// Maps a few items in parallel, each of which is work on `rows` rows.
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

/// Joins a thread, propagating its panic.
fn join_thread<R>(thread: std::thread::ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceilings::RunCeilings;

    #[test]
    fn every_row_is_filled_and_the_first_error_is_returned() {
        const LEAST: usize = ROWS_MIN.get();
        let rows = LEAST * 5 + 3;
        let guard = RunGuard::new(&RunCeilings::READER);
        for count in [1, 2, 3, 100] {
            let threads = Threads::new(NonZeroUsize::new(count).unwrap());
            let mut slots = vec![0; rows];
            let faulty = |bad: &'static [usize]| {
                move |row: usize, slot: &mut usize| {
                    *slot += row;
                    if bad.contains(&row) { Err(row) } else { Ok(()) }
                }
            };
            assert_eq!(fill_slots(threads, &guard, &mut slots, faulty(&[])), Ok(()));
            assert!(slots.iter().enumerate().all(|(row, slot)| row == *slot));
            assert_eq!(fill_slots(threads, &guard, &mut slots, faulty(&[LEAST * 4, 70, LEAST * 2])), Err(70));
            assert_eq!(map_items(threads, rows, &[1, 2, 3], |thing| thing * 2), [2, 4, 6]);
        }
        assert_eq!(fill_slots(Threads::ONE, &guard, &mut [], |_, _: &mut u8| Err(())), Ok(()));
    }
}

//! Group commit: who comes while a write is under way shares the next one.
//!
//! Owns the order of committers. Whoever finds no leader leads: it takes what waits, writes it as
//! one group, answers everyone in it, and the next that waits leads on.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::batch::{BATCH_BLOCKS_MAX, WriteBatch};
use crate::error::Error;

/// Bytes after which no further batch joins a group: a sync costs milliseconds, so by then it is
/// paid for, and those who wait should not wait much longer.
const GROUP_BYTES_MAX: u64 = 16 << 20;

/// Committers waiting for their turn. Each is a thread that waits, so the callers bound it.
#[derive(Debug, Default)]
pub(crate) struct CommitQueue {
    state: Mutex<QueueState>,
    turn: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    tickets: u64,
    waiting: VecDeque<(u64, WriteBatch)>,
    done: BTreeMap<u64, Result<(), Error>>,
    leading: bool,
}

impl CommitQueue {
    /// Returns when `write` has dealt with the batch, alone or among others.
    pub(crate) fn submit(
        &self,
        batch: WriteBatch,
        write: impl Fn(WriteBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        let ticket = state.tickets;
        state.tickets += 1;
        state.waiting.push_back((ticket, batch));
        loop {
            if let Some(result) = state.done.remove(&ticket) {
                return result;
            }
            state = if state.leading {
                self.turn.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.write_group(state, &write)
            };
        }
    }

    /// Writes the oldest batches that wait. The leader's own may be among the next only.
    fn write_group<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState>,
        write: &impl Fn(WriteBatch) -> Result<(), Error>,
    ) -> MutexGuard<'a, QueueState> {
        state.leading = true;
        let (tickets, group) = state.take_group();
        drop(state);
        // A leader that unwound without a word would leave everyone else waiting for ever.
        let result = catch_unwind(AssertUnwindSafe(|| write(group)))
            .unwrap_or_else(|panic| Err(Error::Poisoned(panic_message(panic.as_ref()))));
        let mut state = self.lock();
        state.leading = false;
        state.done.extend(tickets.into_iter().map(|ticket| (ticket, result.clone())));
        self.turn.notify_all();
        state
    }

    /// Batches that wait for a leader.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// The batches that go together, in order, as one.
    fn take_group(&mut self) -> (Vec<u64>, WriteBatch) {
        let mut tickets = Vec::new();
        let mut group = WriteBatch::new();
        let mut bytes = 0;
        while let Some((ticket, batch)) = self.waiting.pop_front() {
            bytes += batch.bytes();
            let blocks = group.blocks.len() + batch.blocks.len();
            if !tickets.is_empty() && (bytes > GROUP_BYTES_MAX || blocks > BATCH_BLOCKS_MAX) {
                self.waiting.push_front((ticket, batch));
                break;
            }
            tickets.push(ticket);
            group.blocks.extend(batch.blocks);
            group.rows.extend(batch.rows);
        }
        (tickets, group)
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a fault in the program: {}", text.unwrap_or("unknown"))
}

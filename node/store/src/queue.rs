//! Group commit: batches that arrive during a write share the next one.
//!
//! Owns the order of committers. A committer that finds no leader becomes the leader: it takes the
//! waiting batches, writes them as one group and wakes their committers; then the next one leads.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::batch::WriteBatch;
use crate::error::Error;
use crate::limits::{BATCH_BLOCKS_MAX, GROUP_BYTES_MAX};

/// Waiting committers. Each is a blocked thread of the caller, so the callers bound the queue.
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
    /// Blocks until `write` has handled the batch, alone or in a group, and returns its result.
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

    /// Writes the oldest waiting batches. The leader's own batch may be in a later group.
    fn write_group<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState>,
        write: &impl Fn(WriteBatch) -> Result<(), Error>,
    ) -> MutexGuard<'a, QueueState> {
        state.leading = true;
        let (tickets, group) = state.take_group();
        // Released while writing, so that other committers queue for the next group meanwhile.
        drop(state);
        // If the leader unwound without a result, the other committers would wait forever.
        let result = catch_unwind(AssertUnwindSafe(|| write(group)))
            .unwrap_or_else(|panic| Err(Error::Poisoned(panic_message(panic.as_ref()))));
        let mut state = self.lock();
        state.leading = false;
        state.done.extend(tickets.into_iter().map(|ticket| (ticket, result.clone())));
        self.turn.notify_all();
        state
    }

    /// Number of batches that wait for a leader.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// Takes the batches of the next group, in order, and merges them.
    fn take_group(&mut self) -> (Vec<u64>, WriteBatch) {
        let mut tickets = Vec::new();
        let mut group = WriteBatch::new();
        let mut bytes = 0;
        while let Some((ticket, batch)) = self.waiting.pop_front() {
            bytes += batch.bytes();
            let blocks = group.blocks.len() + batch.blocks.len();
            // The first batch is always taken: one beyond the limits would otherwise never be written.
            if !tickets.is_empty() && (bytes > GROUP_BYTES_MAX || blocks > BATCH_BLOCKS_MAX) {
                // Back to the front, so that batches are written in the order of their tickets.
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

/// Returns the message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("internal error: {}", text.unwrap_or("unknown"))
}

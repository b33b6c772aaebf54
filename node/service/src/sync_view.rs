//! The read-only view of a core for the sync machine.

use replication::{LogHead, LogView};
use schemas::cid::{Cid, EntryId, PublisherId};

use crate::core::{Core, LogState, STRANGER_ENTRIES_MAX, STRANGERS_MAX};
use crate::frontier::SyncFrontier;
use crate::storage::Storage;

fn log_head(held: &LogState) -> LogHead {
    LogHead { publisher: held.log.publisher(), length: held.log.length(), last: held.log.last() }
}

impl<K: Storage> LogView for Core<K> {
    fn all_heads(&self) -> Vec<LogHead> {
        // A forked log has a second head, so that peers learn of the fork.
        let rival = |held: &LogState| {
            let publisher = held.log.publisher();
            held.proven_fork().map(|(seq, last)| LogHead { publisher, length: seq + 1, last })
        };
        self.logs.values().flat_map(|held| [Some(log_head(held)), rival(held)]).flatten().collect()
    }

    fn log_head(&self, publisher: PublisherId) -> Option<LogHead> {
        self.logs.get(&publisher).map(log_head)
    }

    fn entry_id(&self, publisher: PublisherId, sequence: u64) -> Option<EntryId> {
        self.entry_at(publisher, sequence).ok().flatten().map(|(entry, _)| entry)
    }

    fn has_fork(&self, publisher: PublisherId) -> bool {
        self.logs.get(&publisher).is_some_and(|held| held.proven_fork().is_some())
    }

    fn is_followed(&self, publisher: PublisherId) -> bool {
        self.is_replicated(publisher)
    }

    fn accepts_entries(&self, publisher: PublisherId) -> bool {
        if self.is_replicated(publisher) {
            return true;
        }
        match self.logs.get(&publisher) {
            Some(held) => held.log.length() < STRANGER_ENTRIES_MAX,
            None => self.logs.len() < self.follows.len() + STRANGERS_MAX,
        }
    }

    fn missing_blocks(&self, publisher: PublisherId, max: usize) -> Vec<Cid> {
        if !self.is_replicated(publisher) {
            return Vec::new();
        }
        let frontier = self.logs.get(&publisher).and_then(|held| held.frontier.as_ref());
        frontier.map_or_else(Vec::new, |frontier: &SyncFrontier| frontier.next_missing(max))
    }
}

impl<K: Storage> Core<K> {
    /// Whether a log is replicated with all dependencies: followed logs and the own one.
    pub(crate) fn is_replicated(&self, publisher: PublisherId) -> bool {
        self.follows.contains(&publisher) || self.own == Some(publisher)
    }
}

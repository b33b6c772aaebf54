//! What a log still lacks: the absent blocks behind the next entries, kept up to date as blocks
//! arrive, so that a large data set is not walked again for each of its blocks.

use std::collections::{BTreeSet, VecDeque};

use schemas::cid::Cid;

/// Absent blocks of a window of entries.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    /// In the order in which to ask.
    queue: VecDeque<Cid>,
    absent: BTreeSet<Cid>,
    /// Blocks that were delivered and are not what they must be: never asked for again.
    broken: BTreeSet<Cid>,
    /// Entries from the first incomplete one that this frontier covers.
    pub(crate) until: u64,
}

impl Frontier {
    pub(crate) fn new(missing: Vec<Cid>, broken: impl IntoIterator<Item = Cid>, until: u64) -> Self {
        let absent = missing.iter().copied().collect();
        Self { queue: missing.into(), absent, broken: broken.into_iter().collect(), until }
    }

    /// Whether the block is one of those waited for.
    pub(crate) fn wants(&self, id: Cid) -> bool {
        self.absent.contains(&id)
    }

    /// A block arrived that needs others, of which `missing` are absent.
    pub(crate) fn arrived(&mut self, id: Cid, missing: Vec<Cid>) {
        self.absent.remove(&id);
        while self.queue.front().is_some_and(|first| !self.absent.contains(first)) {
            self.queue.pop_front();
        }
        for need in missing {
            if !self.broken.contains(&need) && self.absent.insert(need) {
                self.queue.push_back(need);
            }
        }
    }

    /// A block arrived that nobody can use.
    pub(crate) fn spoiled(&mut self, id: Cid) {
        self.broken.insert(id);
    }

    /// The next ids to ask for.
    pub(crate) fn next(&self, max: usize) -> Vec<Cid> {
        let open = self.queue.iter().filter(|id| self.absent.contains(id) && !self.broken.contains(id));
        open.take(max).copied().collect()
    }

    /// Whether every block is there.
    pub(crate) fn whole(&self) -> bool {
        self.absent.is_empty() && self.broken.is_empty()
    }
}

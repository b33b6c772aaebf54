//! Missing blocks of the next entries of a log, updated as blocks arrive, so the dependencies of a large
//! data set are not walked again for every block.

use std::collections::{BTreeSet, VecDeque};

use schemas::cid::Cid;

/// Missing blocks of a window of entries.
#[derive(Debug, Default)]
pub(crate) struct SyncFrontier {
    /// In request order; may contain blocks that have arrived since.
    queue: VecDeque<Cid>,
    absent: BTreeSet<Cid>,
    /// Sequence number of the first entry beyond the window.
    pub(crate) until: u64,
}

impl SyncFrontier {
    pub(crate) fn new(missing: Vec<Cid>, until: u64) -> Self {
        let absent = missing.iter().copied().collect();
        Self { queue: missing.into(), absent, until }
    }

    /// Whether the block is missing.
    pub(crate) fn contains(&self, id: Cid) -> bool {
        self.absent.contains(&id)
    }

    /// Removes a block that arrived and adds its dependencies `missing`.
    pub(crate) fn resolve(&mut self, id: Cid, missing: &[Cid]) {
        self.absent.remove(&id);
        while self.queue.front().is_some_and(|first| !self.absent.contains(first)) {
            self.queue.pop_front();
        }
        for need in missing {
            if self.absent.insert(*need) {
                self.queue.push_back(*need);
            }
        }
    }

    /// The next ids to request.
    pub(crate) fn next_missing(&self, max: usize) -> Vec<Cid> {
        self.queue.iter().filter(|id| self.absent.contains(id)).take(max).copied().collect()
    }

    /// Whether no block is missing.
    pub(crate) fn is_empty(&self) -> bool {
        self.absent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::cid::Codec;

    #[test]
    fn needs_found_late_are_waited_for_and_nothing_is_asked_twice() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| Cid::of(Codec::Raw, bytes));
        let mut frontier = SyncFrontier::new(vec![a, b], 1);
        frontier.resolve(b, &[c]);
        frontier.resolve(b, &[c]);
        assert_eq!(frontier.next_missing(9), [a, c]);
        frontier.resolve(a, &[]);
        assert!(frontier.contains(c) && !frontier.is_empty());
        frontier.resolve(c, &[]);
        assert!(frontier.is_empty() && frontier.next_missing(9).is_empty());
    }
}

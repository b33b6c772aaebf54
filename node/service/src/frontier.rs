//! What a log still lacks: the absent blocks behind the next entries, kept up to date as blocks
//! arrive, so that a large data set is not walked again for each of its blocks.

use std::collections::{BTreeSet, VecDeque};

use schemas::cid::Cid;

/// Absent blocks of a window of entries.
#[derive(Debug, Default)]
pub(crate) struct SyncFrontier {
    /// In the order in which to ask; may name blocks that have come since.
    queue: VecDeque<Cid>,
    absent: BTreeSet<Cid>,
    /// The first entry that this frontier does not cover.
    pub(crate) until: u64,
}

impl SyncFrontier {
    pub(crate) fn new(missing: Vec<Cid>, until: u64) -> Self {
        let absent = missing.iter().copied().collect();
        Self { queue: missing.into(), absent, until }
    }

    /// Whether the block is one of those waited for.
    pub(crate) fn contains(&self, id: Cid) -> bool {
        self.absent.contains(&id)
    }

    /// A block is no longer waited for; it needs others, of which `missing` are absent.
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

    /// The next ids to ask for.
    pub(crate) fn next_missing(&self, max: usize) -> Vec<Cid> {
        self.queue.iter().filter(|id| self.absent.contains(id)).take(max).copied().collect()
    }

    /// Whether nothing is waited for any more.
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

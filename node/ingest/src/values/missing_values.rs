//! Counts of missing figures by their spelling.
//!
//! Each source has its own spellings. They are counted separately, since `.` on a holiday and `NA` in a
//! month without a survey mean different things.

use std::collections::BTreeMap;

/// Distinct spellings that are counted; no source has more than a handful.
const SPELLINGS_MAX: usize = 32;

/// Counts by spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MissingValues(BTreeMap<String, u64>);

impl MissingValues {
    /// Counts a cell.
    pub(crate) fn count(&mut self, spelling: &str) {
        self.add(spelling, 1);
    }

    /// Counts a cell if it is one of `words`; returns whether it is.
    pub(crate) fn count_if_missing(&mut self, cell: &str, words: &[&str]) -> bool {
        let gap = words.contains(&cell);
        if gap {
            self.count(cell);
        }
        gap
    }

    /// Counts `count` cells.
    pub(crate) fn add(&mut self, spelling: &str, count: u64) {
        if count == 0 {
            return;
        }
        let room = self.0.len() < SPELLINGS_MAX;
        match self.0.get_mut(spelling) {
            Some(known) => *known += count,
            None if room => drop(self.0.insert(spelling.to_owned(), count)),
            None => {}
        }
    }

    /// The counts by spelling; the empty text stands for an empty cell.
    pub(crate) fn into_counts(self) -> BTreeMap<String, u64> {
        self.0
    }
}

//! Cells that say that there is no figure, counted by how they are written.
//!
//! Each source has its own words for it. They are told apart, since `.` on a holiday and `NA` in a
//! month that nobody surveyed are not the same news.

use std::collections::BTreeMap;

/// Distinct spellings that are counted apart; no source has more than a handful.
const SPELLINGS_MAX: usize = 32;

/// Counts by spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gaps(BTreeMap<String, u64>);

impl Gaps {
    /// Counts a cell.
    pub(crate) fn count(&mut self, spelling: &str) {
        self.add(spelling, 1);
    }

    /// Counts a cell if it is one of these words; says whether it is.
    pub(crate) fn is(&mut self, cell: &str, words: &[&str]) -> bool {
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

    /// All of them, by spelling; the empty cell has the empty text.
    pub(crate) fn spellings(self) -> BTreeMap<String, u64> {
        self.0
    }
}

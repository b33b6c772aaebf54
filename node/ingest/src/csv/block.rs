//! Blocks of plain CSV records: finds the end of each cell, eight bytes at a time.
//!
//! A record is plain if it ends in a line feed, has no quote, no carriage return except before that line
//! feed, and does not begin like a blank line or a merge marker. Almost all records are plain. The first
//! other one ends the block and is read by `records`.

use crate::csv::records::{CELLS_MAX, RECORD_BYTES_MAX, trim_cell};

/// Bytes that are tested in one step.
const WORD_BYTES: usize = 8;
/// A word with a one in each byte.
const BYTES: u64 = u64::MAX / 0xff;
/// A word with the highest bit of each byte.
const BYTES_HIGH: u64 = BYTES << 7;
/// One more than a comma, the greatest byte among comma, quote, carriage return and line feed.
const ABOVE_COMMA: u8 = b',' + 1;

/// Plain records, which borrow from the text.
pub(crate) struct RecordBlock<'a> {
    text: &'a str,
    /// Offsets of the ends of the cells, record by record. A cell begins one byte after the end of the
    /// cell before it: a delimiter or a line feed.
    ends: Vec<u32>,
    rows: usize,
}

impl<'a> RecordBlock<'a> {
    /// Scans the plain records at the start of `text`: at most `rows`, each of `width` cells, or all as
    /// wide as the first one. `ends` is an allocation to reuse.
    pub(crate) fn scan(
        text: &'a str,
        delimiter: u8,
        width: Option<usize>,
        rows: usize,
        mut ends: Vec<u32>,
    ) -> Self {
        ends.clear();
        let mut scan =
            BlockScan { bytes: text.as_bytes(), delimiter, width, ends, rows: 0, kept: 0, from: 0 };
        scan.run(rows);
        let BlockScan { mut ends, rows, kept, from, .. } = scan;
        ends.truncate(kept);
        Self { text: text.get(..from).unwrap_or_default(), ends, rows }
    }

    /// Number of records.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of all records.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// All cells, untrimmed, record by record.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &'a str> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| *end as usize + 1));
        starts.zip(&self.ends).map(|(from, to)| {
            let cell = self.text.get(from..*to as usize).unwrap_or_default();
            cell.strip_suffix('\r').unwrap_or(cell)
        })
    }

    /// A cell of a record, trimmed; empty beyond the last one.
    #[inline]
    pub(crate) fn cell(&self, row: usize, column: usize) -> &'a str {
        trim_cell(self.range(row, column).and_then(|(from, to)| self.text.get(from..to)).unwrap_or_default())
    }

    /// The cells of a column from record `from` on, as bytes, trimmed.
    #[inline]
    pub(crate) fn column(&self, from: usize, column: usize) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.text.as_bytes();
        (from..self.rows).map(move |row| {
            let range = self.range(row, column);
            match range.and_then(|(from, to)| bytes.get(from..to)).unwrap_or_default() {
                [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => self.cell(row, column).as_bytes(),
                cell => cell,
            }
        })
    }

    #[inline]
    fn range(&self, row: usize, column: usize) -> Option<(usize, usize)> {
        let width = self.ends.len().checked_div(self.rows)?;
        let at = row * width + column;
        let to = *self.ends.get(at).filter(|_| column < width)? as usize;
        let from = match at.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize + 1,
            None => 0,
        };
        // A carriage return before the line feed is not part of the last cell.
        let returned = column + 1 == width && self.text.as_bytes().get(from..to)?.ends_with(b"\r");
        Some((from, to - usize::from(returned)))
    }

    /// The allocation, for the next block.
    pub(crate) fn into_allocation(self) -> Vec<u32> {
        self.ends
    }
}

/// The state of a scan.
struct BlockScan<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    width: Option<usize>,
    ends: Vec<u32>,
    /// Complete records found, and their cells and bytes.
    rows: usize,
    kept: usize,
    from: usize,
}

impl BlockScan<'_> {
    fn run(&mut self, rows: usize) {
        if rows == 0 || !self.begins_plain() {
            return;
        }
        // The remainder of less than a word is left to `records`, as is a last line without line feed.
        let (words, _) = self.bytes.as_chunks::<WORD_BYTES>();
        for (word, at) in words.iter().zip((0..).step_by(WORD_BYTES)) {
            let mut marks = self.marks(u64::from_le_bytes(*word));
            while marks != 0 {
                let at = at + marks.trailing_zeros() as usize / 8;
                // Clears the lowest set bit.
                marks &= marks - 1;
                if !self.mark(at) || self.rows == rows {
                    return;
                }
            }
        }
    }

    /// Handles a byte that may end a cell; `false` if the block ends before this record.
    #[inline]
    fn mark(&mut self, at: usize) -> bool {
        let byte = self.bytes.get(at).copied().unwrap_or(b'"');
        if byte == self.delimiter {
            self.ends.push(at as u32);
            return self.ends.len() - self.kept < self.width.unwrap_or(CELLS_MAX);
        }
        match byte {
            b'\n' => {
                self.ends.push(at as u32);
                self.ended(at)
            }
            // A carriage return alone is a line break too; `records` handles it.
            b'\r' => self.bytes.get(at + 1) == Some(&b'\n'),
            b'"' => false,
            _ => true,
        }
    }

    /// Ends a record; `false` if the next one is not plain, or this one differs in width.
    fn ended(&mut self, at: usize) -> bool {
        let cells = self.ends.len() - self.kept;
        if *self.width.get_or_insert(cells) != cells || at - self.from > RECORD_BYTES_MAX {
            return false;
        }
        self.rows += 1;
        self.kept = self.ends.len();
        self.from = at + 1;
        self.begins_plain()
    }

    fn begins_plain(&self) -> bool {
        !matches!(self.bytes.get(self.from), None | Some(b'<' | b'=' | b'>' | b'|' | b'\n' | b'\r'))
    }

    /// Sets the high bit of each byte that may end a cell or make a record not plain. A few other bytes
    /// may be set too: `mark` tests each one.
    #[inline]
    fn marks(&self, word: u64) -> u64 {
        // A byte below `limit` borrows into its high bit; `!word` excludes bytes above 0x7f (UTF-8).
        let below = |limit: u8| word.wrapping_sub(u64::from(limit) * BYTES) & !word & BYTES_HIGH;
        if self.delimiter < ABOVE_COMMA {
            return below(ABOVE_COMMA);
        }
        let other = word ^ (u64::from(self.delimiter) * BYTES);
        below(b'"' + 1) | (other.wrapping_sub(BYTES) & !other & BYTES_HIGH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, delimiter: u8, width: Option<usize>, expected: &[&[&str]]) {
        let block = RecordBlock::scan(text, delimiter, width, 3, vec![7]);
        assert_eq!(block.rows(), expected.len(), "{text:?}");
        for (row, cells) in expected.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                assert_eq!(block.cell(row, column), *cell, "{text:?} {row} {column}");
                assert_eq!(block.column(row, column).next(), Some(cell.as_bytes()));
            }
            assert_eq!(block.cell(row, cells.len()), "", "{text:?}");
        }
        let cells: Vec<&str> = block.cells().map(str::trim).collect();
        assert_eq!(cells, expected.concat());
    }

    #[test]
    fn a_block_ends_at_the_first_record_that_is_not_plain() {
        let rest = "123456789";
        for shift in 0..9 {
            let long = "é-".repeat(shift);
            let line = format!("{long},b\n c\t,\r\n");
            let both: &[&[&str]] = &[&[&long, "b"], &["c", ""]];
            for after in ["", "\n", "\r\n", "\"e\",f\n", "e,\"f\"\n", "e\n", "e,f,g\n", "e\rf,g\n", "<e,f\n"]
            {
                check(&format!("{line}{after}{rest}"), b',', Some(2), both);
                check(&format!("{line}{after}{rest}").replace(',', ";"), b';', Some(2), both);
                check(&format!("{line}{after}{rest}").replace(',', "\u{1f}"), 0x1f, None, both);
            }
            check(&format!("{line}e,f\ng,h\n{rest}"), b',', None, &[both[0], both[1], &["e", "f"]]);
            check(&format!("{line}{rest}"), b',', Some(3), &[]);
        }
    }
}

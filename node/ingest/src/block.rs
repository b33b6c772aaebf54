//! Plain records of a CSV text, many at a time: where each cell ends, and nothing else.
//!
//! A record is plain when it ends in a line feed, has no quote, no carriage return but before that
//! line feed, and does not begin as a blank line or the marker of a merge. Almost all are. The
//! first one that is not ends the block; `records` reads it with all care.

use crate::records::{CELLS_MAX, RECORD_BYTES_MAX, trimmed};

/// Bytes that are looked at in one step.
const WORD_BYTES: usize = 8;
/// A one in each byte of a word.
const BYTES: u64 = u64::MAX / 0xff;
/// The highest bit of each byte of a word.
const BYTES_HIGH: u64 = BYTES << 7;
/// One more than a comma, the greatest of the bytes that usually end a cell or need care.
const ABOVE_COMMA: u8 = b',' + 1;

/// Records in place.
pub(crate) struct Block<'a> {
    text: &'a str,
    /// Where each cell ends, record after record. A cell begins one byte behind the end of the one
    /// before it, be that a delimiter or a line feed.
    ends: Vec<u32>,
    rows: usize,
}

impl<'a> Block<'a> {
    /// The plain records at the start of `text`, up to `rows` of them and of `width` cells each;
    /// without a width, the first may have any, and the others have as many.
    pub(crate) fn scan(
        text: &'a str,
        delimiter: u8,
        width: Option<usize>,
        rows: usize,
        mut ends: Vec<u32>,
    ) -> Self {
        ends.clear();
        let mut scan = Scan { bytes: text.as_bytes(), delimiter, width, ends, rows: 0, kept: 0, from: 0 };
        scan.run(rows);
        let Scan { mut ends, rows, kept, from, .. } = scan;
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

    /// All cells as they stand there, record after record.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &'a str> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| *end as usize + 1));
        starts.zip(&self.ends).map(|(from, to)| {
            let cell = self.text.get(from..*to as usize).unwrap_or_default();
            cell.strip_suffix('\r').unwrap_or(cell)
        })
    }

    /// A cell of a record, without the spaces around it; empty when there is none.
    #[inline]
    pub(crate) fn cell(&self, row: usize, column: usize) -> &'a str {
        trimmed(self.range(row, column).and_then(|(from, to)| self.text.get(from..to)).unwrap_or_default())
    }

    /// The cells of a column from a record on, as bytes, without the spaces around them.
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
        let returned = column + 1 == width && self.text.as_bytes().get(from..to)?.ends_with(b"\r");
        Some((from, to - usize::from(returned)))
    }

    /// The room for the next block.
    pub(crate) fn into_room(self) -> Vec<u32> {
        self.ends
    }
}

/// A scan on its way.
struct Scan<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    width: Option<usize>,
    ends: Vec<u32>,
    /// Whole records found, the cells and the bytes of them.
    rows: usize,
    kept: usize,
    from: usize,
}

impl Scan<'_> {
    fn run(&mut self, rows: usize) {
        if rows == 0 || !self.begins_plain() {
            return;
        }
        let (words, _) = self.bytes.as_chunks::<WORD_BYTES>();
        for (word, at) in words.iter().zip((0..).step_by(WORD_BYTES)) {
            let mut marks = self.marks(u64::from_le_bytes(*word));
            while marks != 0 {
                let at = at + marks.trailing_zeros() as usize / 8;
                marks &= marks - 1;
                if !self.mark(at) || self.rows == rows {
                    return;
                }
            }
        }
    }

    /// Takes the byte at a place that may end a cell; `false` when the block ends before its record.
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
            b'\r' => self.bytes.get(at + 1) == Some(&b'\n'),
            b'"' => false,
            _ => true,
        }
    }

    /// Ends a record; `false` when the next one is not plain, or this one not as the others.
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

    /// The high bit of each byte of a word that ends a cell or needs care, and of some others.
    #[inline]
    fn marks(&self, word: u64) -> u64 {
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
        let block = Block::scan(text, delimiter, width, 3, vec![7]);
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
    fn plain_records_end_where_care_begins() {
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

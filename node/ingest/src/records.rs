//! The records of a CSV file (RFC 4180), read in place.
//!
//! Owns lines, quotes and encoding. It is stricter than the `csv` crate, which takes a quote that
//! never closes for the end of the file, and text after a closing quote for part of the cell: in a
//! file of figures either one shifts numbers into the wrong column without a word. Nothing is
//! buffered: a cell borrows from the file unless it holds a doubled quote.

use std::borrow::Cow;

use crate::block::Block;
use crate::error::ImportError;

/// Bytes of one record, the line breaks inside its quotes included.
pub(crate) const RECORD_BYTES_MAX: usize = 1 << 20;
/// Cells of one record: a day a column for ten years is still below it.
pub(crate) const CELLS_MAX: usize = 4096;
/// Records between two calls of the progress function.
const TICK_RECORDS: u64 = 1024;

/// One record.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    /// The line it begins in, from 1.
    pub(crate) line: u64,
    /// Its cells; never empty.
    pub(crate) cells: Vec<Cow<'a, str>>,
    /// Room for the ends of cells.
    ends: Vec<u32>,
}

impl Record<'_> {
    /// A cell without the spaces around it; empty when there is none.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> &str {
        trimmed(self.cells.get(column).map_or("", |cell| &**cell))
    }

    /// The position of a column of this name, whatever the case.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        (0..self.cells.len()).find(|column| self.cell(*column).eq_ignore_ascii_case(name))
    }

    /// The position of a column that the header must have.
    ///
    /// # Errors
    /// `column-missing`.
    pub(crate) fn place(&self, name: &str) -> Result<usize, ImportError> {
        self.position(name).ok_or_else(|| self.lacks(format!("the column `{name}`")))
    }

    /// The fault of a header that has not what it must have.
    pub(crate) fn lacks(&self, what: impl std::fmt::Display) -> ImportError {
        ImportError::new("column-missing", format!("expected {what}")).line(self.line).value(self.joined())
    }

    /// Each row has the cells of the header; only an empty one may follow.
    ///
    /// The World Bank ends each line with a comma, and not every tool that rewrites the file does.
    pub(crate) fn check_width(&self, width: usize) -> Result<(), ImportError> {
        let found = self.cells.len();
        let longer = found == width + 1 && self.cell(width).is_empty();
        if found == width || longer {
            return Ok(());
        }
        Err(ImportError::new(
            "row-ragged",
            format!("expected {width} cells as in the header, this row has {found}"),
        )
        .line(self.line)
        .value(self.joined())
        .hint("a cell with a comma inside stands in quotes; a short row may be the end of a broken download"))
    }

    /// All cells as one text, for faults.
    pub(crate) fn joined(&self) -> String {
        self.cells.iter().take(8).map(|cell| cell.trim()).collect::<Vec<_>>().join(",")
    }
}

/// A cell without the spaces around it.
#[inline]
pub(crate) fn trimmed(cell: &str) -> &str {
    match cell.as_bytes() {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => cell.trim_matches([' ', '\t']),
        _ => cell,
    }
}

/// A file and its first record.
///
/// # Errors
/// Those of [`text`] and of [`Reader::read`].
pub(crate) fn begin(bytes: &[u8], delimiter: u8) -> Result<(Reader<'_>, Record<'_>), ImportError> {
    let mut reader = Reader::new(text(bytes)?, delimiter);
    let mut record = Record::default();
    reader.read(&mut record)?;
    Ok((reader, record))
}

/// The bytes as text, without a byte order mark.
///
/// # Errors
/// `file-encoding` with the line of the first byte that is not UTF-8, `file-empty`.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
        let found = rest.first().map_or(String::new(), |byte| format!("byte 0x{byte:02x}"));
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        ImportError::new("file-encoding", "expected text in UTF-8")
            .line(line)
            .value(found)
            .hint("save the file with the encoding UTF-8, or take it from the source again")
    })?;
    if text.trim().is_empty() {
        return Err(ImportError::new("file-empty", "the file is empty").hint("download it again"));
    }
    Ok(text)
}

/// What ended a cell.
enum End {
    Delimiter,
    Line,
}

/// A position in the text.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    records: u64,
    delimiter: u8,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, at: 0, line: 1, records: 0, delimiter }
    }

    /// Leaves out `count` lines, whatever they hold.
    pub(crate) fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.at = self.rest().find('\n').map_or(self.text.len(), |found| self.at + found + 1);
            self.line += 1;
        }
    }

    /// The line that it is in.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes that it has not read.
    pub(crate) fn left(&self) -> usize {
        self.text.len() - self.at
    }

    /// Tells how far it is, now and then.
    pub(crate) fn tick(&self, progress: &mut dyn FnMut(u64)) {
        if self.records.is_multiple_of(TICK_RECORDS) {
            progress(self.at as u64);
        }
    }

    /// The next record that is not a blank line; `false` at the end.
    pub(crate) fn read(&mut self, record: &mut Record<'a>) -> Result<bool, ImportError> {
        while self.take_break() {}
        record.cells.clear();
        record.line = self.line;
        if self.rest().is_empty() {
            return Ok(false);
        }
        self.refuse_marker()?;
        if self.read_plain(record) {
            return Ok(true);
        }
        let end = self.at.saturating_add(RECORD_BYTES_MAX).min(self.text.len());
        loop {
            if record.cells.len() == CELLS_MAX {
                let message = format!("more than {CELLS_MAX} cells in one row");
                let fault = ImportError::new("row-wide", message).line(record.line);
                return Err(fault.hint("bring it into the long form: one figure a row"));
            }
            let (cell, ended) = self.take_cell(end)?;
            record.cells.push(cell);
            if matches!(ended, End::Line) {
                self.records += 1;
                return Ok(true);
            }
        }
    }

    /// The record, when it is a plain one; otherwise nothing is read.
    fn read_plain(&mut self, record: &mut Record<'a>) -> bool {
        let block = self.plain(std::mem::take(&mut record.ends), None, 1);
        record.cells.extend(block.cells().map(Cow::Borrowed));
        record.ends = block.into_room();
        !record.cells.is_empty()
    }

    /// The plain records that follow, up to so many, each of `width` cells; none when the next one
    /// is not plain. `room` is where the ends of their cells are kept.
    #[inline]
    pub(crate) fn plain(&mut self, room: Vec<u32>, width: Option<usize>, rows: usize) -> Block<'a> {
        let block = Block::scan(self.rest(), self.delimiter, width, rows, room);
        self.at += block.bytes();
        self.line += block.rows() as u64;
        self.records += block.rows() as u64;
        block
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over one line break: `\r\n`, `\n` or `\r`.
    fn take_break(&mut self) -> bool {
        let length = match self.rest().as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// A version control system leaves both sides of a conflict in the file: neither is the data.
    fn refuse_marker(&self) -> Result<(), ImportError> {
        let rest = self.rest();
        if !rest.starts_with(['<', '=', '>', '|']) {
            return Ok(());
        }
        let marked =
            ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| rest.starts_with(marker));
        if !marked {
            return Ok(());
        }
        let found = rest.lines().next().unwrap_or_default();
        Err(ImportError::new("merge-marker", "an unresolved merge is in the file")
            .line(self.line)
            .value(found)
            .hint("take the file from its source again"))
    }

    fn take_cell(&mut self, end: usize) -> Result<(Cow<'a, str>, End), ImportError> {
        let cell = if self.rest().starts_with('"') { self.take_quoted(end)? } else { self.take_bare(end)? };
        if self.rest().as_bytes().first() == Some(&self.delimiter) {
            self.at += 1;
            return Ok((cell, End::Delimiter));
        }
        if self.rest().is_empty() || self.take_break() {
            return Ok((cell, End::Line));
        }
        let found = self.rest().lines().next().unwrap_or_default();
        Err(ImportError::new(
            "quote-text",
            "expected a delimiter or the end of the line after a closing quote",
        )
        .line(self.line)
        .value(found)
        .hint("a quote inside a quoted cell is written twice: `\"\"`"))
    }

    fn take_bare(&mut self, end: usize) -> Result<Cow<'a, str>, ImportError> {
        let stop = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        let window = self.text.as_bytes().get(self.at..end).unwrap_or_default();
        let length = match window.iter().position(stop) {
            Some(length) => length,
            None if end == self.text.len() => window.len(),
            None => return Err(self.too_long()),
        };
        let cell = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        Ok(Cow::Borrowed(cell))
    }

    fn take_quoted(&mut self, end: usize) -> Result<Cow<'a, str>, ImportError> {
        let opened = self.line;
        let start = self.at + 1;
        let mut from = start;
        let mut doubled = false;
        loop {
            let window = self.text.as_bytes().get(from..end).unwrap_or_default();
            let Some(found) = window.iter().position(|byte| *byte == b'"') else {
                return Err(self.unclosed(opened));
            };
            from += found + 1;
            if self.text.as_bytes().get(from) != Some(&b'"') {
                break;
            }
            doubled = true;
            from += 1;
        }
        let cell = self.text.get(start..from - 1).unwrap_or_default();
        self.line += cell.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.at = from;
        Ok(if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) })
    }

    fn too_long(&self) -> ImportError {
        ImportError::new("line-long", format!("a row of more than {RECORD_BYTES_MAX} bytes"))
            .line(self.line)
            .hint("this is no table with one row a line; take the file from its source again")
    }

    fn unclosed(&self, opened: u64) -> ImportError {
        let found = self.rest().lines().next().unwrap_or_default();
        ImportError::new("quote-open", "a quote is opened here and never closed")
            .line(opened)
            .value(found)
            .hint("the file may be cut off; take it from its source again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(u64, Vec<String>)>, ImportError> {
        let (mut reader, mut record, mut out) = (Reader::new(text, b','), Record::default(), Vec::new());
        while reader.read(&mut record)? {
            out.push((record.line, record.cells.iter().map(|cell| cell.to_string()).collect()));
        }
        Ok(out)
    }

    fn check(text: &str, expected: &[(u64, &[&str])]) {
        let expected: Vec<(u64, Vec<String>)> = expected
            .iter()
            .map(|(line, cells)| (*line, cells.iter().map(|c| c.to_string()).collect()))
            .collect();
        assert_eq!(all(text).unwrap(), expected, "{text:?}");
    }

    #[test]
    fn records_and_their_lines() {
        check("a,b\r\n\r\nc,d\r\n", &[(1, &["a", "b"]), (3, &["c", "d"])]);
        check("a,b\nc", &[(1, &["a", "b"]), (2, &["c"])]);
        check("a\rb,", &[(1, &["a"]), (2, &["b", ""])]);
        check("\"x\ny\",\"1\"\"2\"\n\"\",z", &[(1, &["x\ny", "1\"2"]), (3, &["", "z"])]);
        check("5\" pipe,1", &[(1, &["5\" pipe", "1"])]);
        // Long enough to be read in place; the marks stand at every place of a word.
        for shift in 0..16 {
            let (first, last) = ("é".repeat(shift) + "!", "-".repeat(shift));
            let text =
                format!("{first},,b{last}\n{last}x,1,\r\n{first}, 2 ,\"q\"\n\n{last},y,{first}\n12345678");
            let second = [format!("b{last}"), format!("{last}x")];
            check(
                &text,
                &[
                    (1, &[&first, "", &second[0]]),
                    (2, &[&second[1], "1", ""]),
                    (3, &[&first, " 2 ", "q"]),
                    (5, &[&last, "y", &first]),
                    (6, &["12345678"]),
                ],
            );
        }
    }

    #[test]
    fn quotes_that_go_wrong_are_named_with_their_line() {
        for (text, code, line) in [
            ("a,b\n1,\"2\n3,4\n", "quote-open", 2),
            ("a\n\"x\"y,1\n", "quote-text", 2),
            ("\"Aruba,\"ABW\",\"1\"\n", "quote-text", 1),
            ("a\n<<<<<<< HEAD\n", "merge-marker", 2),
        ] {
            let fault = all(text).unwrap_err();
            assert_eq!((fault.code, fault.line), (code, Some(line)), "{text:?}");
        }
    }

    #[test]
    fn the_csv_crate_would_let_them_pass() {
        for text in ["a,\"b\n1,2\n3,4\n", "\"x\"y,1\n"] {
            let mut lenient = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            assert!(lenient.records().all(|record| record.is_ok()) && all(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn long_rows_are_refused() {
        let long = "a".repeat(RECORD_BYTES_MAX + 1);
        assert_eq!(all(&format!("a,b\n{long}\n")).unwrap_err().code, "line-long");
        assert_eq!(all(&format!("a,b\n\"{long}\"\n")).unwrap_err().code, "quote-open");
        assert_eq!(all(&",".repeat(CELLS_MAX)).unwrap_err().code, "row-wide");
    }

    #[test]
    fn bytes_that_are_no_text_have_a_line() {
        let fault = text(b"a\nb\xe9\n").unwrap_err();
        assert_eq!((fault.line, fault.value.as_deref()), (Some(2), Some("byte 0xe9")));
        assert_eq!(text(b"\xef\xbb\xbf \n").unwrap_err().code, "file-empty");
        assert_eq!(text(b"\xef\xbb\xbfa").unwrap(), "a");
    }
}

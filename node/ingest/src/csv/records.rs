//! Records of a CSV file (RFC 4180), read in place.
//!
//! Owns lines, quotes and encoding. It is stricter than the `csv` crate, which accepts a quote that is
//! never closed and text after a closing quote: in a file of figures both silently shift numbers into
//! the wrong column. Nothing is copied: a cell borrows from the file unless it has a doubled quote.

use std::borrow::Cow;

use crate::csv::block::RecordBlock;
use crate::error::ImportError;

/// Bytes of one record, including line breaks inside quotes.
pub(crate) const RECORD_BYTES_MAX: usize = 1 << 20;
/// Cells of one record; a column for each day of ten years fits.
pub(crate) const CELLS_MAX: usize = 4096;
/// Records between two calls of the progress function.
const TICK_RECORDS: u64 = 1024;

/// A record.
#[derive(Debug, Default)]
pub(crate) struct CsvRecord<'a> {
    /// The line in which it begins, from 1.
    pub(crate) line: u64,
    /// The cells, untrimmed; at least one after a successful read.
    pub(crate) cells: Vec<Cow<'a, str>>,
    /// Allocation for the ends of cells, reused from record to record.
    ends: Vec<u32>,
}

impl CsvRecord<'_> {
    /// A cell, trimmed; empty beyond the last one.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> &str {
        trim_cell(self.cells.get(column).map_or("", |cell| &**cell))
    }

    /// The position of a column with this title, ignoring case.
    pub(crate) fn find_column(&self, name: &str) -> Option<usize> {
        (0..self.cells.len()).find(|column| self.cell(*column).eq_ignore_ascii_case(name))
    }

    /// The position of a required column.
    ///
    /// # Errors
    /// `column-missing`.
    pub(crate) fn require_column(&self, name: &str) -> Result<usize, ImportError> {
        self.find_column(name).ok_or_else(|| self.missing_column(format!("the column `{name}`")))
    }

    /// The error for a header without a required column.
    pub(crate) fn missing_column(&self, what: impl std::fmt::Display) -> ImportError {
        ImportError::new("column-missing", format!("expected {what}"))
            .line(self.line)
            .value(self.joined_cells())
    }

    /// Checks that a row has as many cells as the header, or an empty one more: the World Bank ends each
    /// line with a comma, and some tools that rewrite its files drop the comma of the header.
    pub(crate) fn check_width(&self, width: usize) -> Result<(), ImportError> {
        let found = self.cells.len();
        // The extra cell must be empty: a figure there belongs to a column that the header lacks.
        let longer = found == width + 1 && self.cell(width).is_empty();
        if found == width || longer {
            return Ok(());
        }
        Err(ImportError::new("row-ragged", format!("expected {width} cells as in the header, found {found}"))
            .line(self.line)
            .value(self.joined_cells())
            .hint("quote cells that contain a comma; a short last row may be a truncated download"))
    }

    /// The first cells, joined, for an error.
    pub(crate) fn joined_cells(&self) -> String {
        self.cells.iter().take(8).map(|cell| cell.trim()).collect::<Vec<_>>().join(",")
    }
}

/// Removes spaces and tabs around a cell.
#[inline]
pub(crate) fn trim_cell(cell: &str) -> &str {
    match cell.as_bytes() {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => cell.trim_matches([' ', '\t']),
        _ => cell,
    }
}

/// Opens a CSV file and reads its first record.
///
/// # Errors
/// Those of [`decode_text`] and [`CsvReader::read_record`].
pub(crate) fn open_csv(bytes: &[u8], delimiter: u8) -> Result<(CsvReader<'_>, CsvRecord<'_>), ImportError> {
    let mut reader = CsvReader::new(decode_text(bytes)?, delimiter);
    let mut record = CsvRecord::default();
    reader.read_record(&mut record)?;
    Ok((reader, record))
}

/// Decodes UTF-8 and removes a byte order mark.
///
/// # Errors
/// `file-encoding` with the line of the first byte that is not UTF-8, `file-empty`.
pub(crate) fn decode_text(bytes: &[u8]) -> Result<&str, ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
        let found = rest.first().map_or(String::new(), |byte| format!("byte 0x{byte:02x}"));
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        ImportError::new("file-encoding", "expected text in UTF-8")
            .line(line)
            .value(found)
            .hint("save the file with the encoding UTF-8, or download it again")
    })?;
    if text.trim().is_empty() {
        return Err(ImportError::new("file-empty", "the file is empty").hint("download it again"));
    }
    Ok(text)
}

/// The end of a cell.
enum CellEnd {
    Delimiter,
    Line,
}

/// Reads records from a text.
#[derive(Clone)]
pub(crate) struct CsvReader<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    records: u64,
    delimiter: u8,
}

impl<'a> CsvReader<'a> {
    pub(crate) fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, at: 0, line: 1, records: 0, delimiter }
    }

    /// Skips `count` lines.
    pub(crate) fn skip_lines(&mut self, count: usize) {
        for _ in 0..count {
            self.at = self.rest().find('\n').map_or(self.text.len(), |found| self.at + found + 1);
            self.line += 1;
        }
    }

    /// The current line, from 1.
    pub(crate) fn current_line(&self) -> u64 {
        self.line
    }

    /// Bytes not yet read.
    pub(crate) fn bytes_left(&self) -> usize {
        self.text.len() - self.at
    }

    /// Reports the bytes read, once in `TICK_RECORDS` records.
    pub(crate) fn report_progress(&self, progress: &mut dyn FnMut(u64)) {
        if self.records.is_multiple_of(TICK_RECORDS) {
            progress(self.at as u64);
        }
    }

    /// Reads the next record, skipping blank lines; `false` at the end.
    pub(crate) fn read_record(&mut self, record: &mut CsvRecord<'a>) -> Result<bool, ImportError> {
        // RFC 4180 has no blank lines, but many exports have them between or after the rows.
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
        // The bound keeps an unclosed quote from scanning the rest of the file.
        let end = self.at.saturating_add(RECORD_BYTES_MAX).min(self.text.len());
        loop {
            if record.cells.len() == CELLS_MAX {
                let message = format!("row of more than {CELLS_MAX} cells");
                let error = ImportError::new("row-wide", message).line(record.line);
                return Err(error.hint("convert it to the long form, one figure in each row"));
            }
            let (cell, ended) = self.take_cell(end)?;
            record.cells.push(cell);
            if matches!(ended, CellEnd::Line) {
                self.records += 1;
                return Ok(true);
            }
        }
    }

    /// Reads a plain record; `false` if the next one is not plain.
    fn read_plain(&mut self, record: &mut CsvRecord<'a>) -> bool {
        let block = self.read_block(std::mem::take(&mut record.ends), None, 1);
        record.cells.extend(block.cells().map(Cow::Borrowed));
        record.ends = block.into_allocation();
        !record.cells.is_empty()
    }

    /// Reads up to `rows` plain records of `width` cells; none if the next record is not plain.
    /// `allocation` is reused.
    #[inline]
    pub(crate) fn read_block(
        &mut self,
        allocation: Vec<u32>,
        width: Option<usize>,
        rows: usize,
    ) -> RecordBlock<'a> {
        let block = RecordBlock::scan(self.rest(), self.delimiter, width, rows, allocation);
        self.at += block.bytes();
        self.line += block.rows() as u64;
        self.records += block.rows() as u64;
        block
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips a line break: `\r\n`, `\n` or `\r`.
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

    /// Refuses a merge marker: version control leaves both sides of a conflict in the file, and it is
    /// not known which one is the data.
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
        Err(ImportError::new("merge-marker", "the file contains an unresolved merge")
            .line(self.line)
            .value(found)
            .hint("take the file from its source again"))
    }

    fn take_cell(&mut self, end: usize) -> Result<(Cow<'a, str>, CellEnd), ImportError> {
        let cell = if self.rest().starts_with('"') { self.take_quoted(end)? } else { self.take_bare(end)? };
        if self.rest().as_bytes().first() == Some(&self.delimiter) {
            self.at += 1;
            return Ok((cell, CellEnd::Delimiter));
        }
        if self.rest().is_empty() || self.take_break() {
            return Ok((cell, CellEnd::Line));
        }
        let found = self.rest().lines().next().unwrap_or_default();
        Err(ImportError::new(
            "quote-text",
            "expected a delimiter or the end of the line after a closing quote",
        )
        .line(self.line)
        .value(found)
        .hint("double a quote inside a quoted cell: `\"\"`"))
    }

    fn take_bare(&mut self, end: usize) -> Result<Cow<'a, str>, ImportError> {
        let stop = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        let window = self.text.as_bytes().get(self.at..end).unwrap_or_default();
        let length = match window.iter().position(stop) {
            Some(length) => length,
            // The last line may have no line break.
            None if end == self.text.len() => window.len(),
            None => return Err(self.row_too_long()),
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
                return Err(self.unclosed_quote(opened));
            };
            from += found + 1;
            if self.text.as_bytes().get(from) != Some(&b'"') {
                break;
            }
            doubled = true;
            from += 1;
        }
        // Without the closing quote.
        let cell = self.text.get(start..from - 1).unwrap_or_default();
        // Line breaks inside quotes count, so that later errors have the right line.
        self.line += cell.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.at = from;
        Ok(if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) })
    }

    fn row_too_long(&self) -> ImportError {
        ImportError::new("line-long", format!("row of more than {RECORD_BYTES_MAX} bytes"))
            .line(self.line)
            .hint("expected one row in each line; take the file from its source again")
    }

    fn unclosed_quote(&self, opened: u64) -> ImportError {
        let found = self.rest().lines().next().unwrap_or_default();
        ImportError::new("quote-open", "unclosed quote")
            .line(opened)
            .value(found)
            .hint("the file may be truncated; take it from its source again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(u64, Vec<String>)>, ImportError> {
        let (mut reader, mut record, mut out) =
            (CsvReader::new(text, b','), CsvRecord::default(), Vec::new());
        while reader.read_record(&mut record)? {
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
        // Long enough to be read in blocks, with every alignment of the delimiters.
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
    fn quote_errors_have_their_line() {
        for (text, code, line) in [
            ("a,b\n1,\"2\n3,4\n", "quote-open", 2),
            ("a\n\"x\"y,1\n", "quote-text", 2),
            ("\"Aruba,\"ABW\",\"1\"\n", "quote-text", 1),
            ("a\n<<<<<<< HEAD\n", "merge-marker", 2),
        ] {
            let error = all(text).unwrap_err();
            assert_eq!((error.code, error.line), (code, Some(line)), "{text:?}");
        }
    }

    #[test]
    fn the_csv_crate_accepts_them() {
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
    fn encoding_errors_have_a_line() {
        let error = decode_text(b"a\nb\xe9\n").unwrap_err();
        assert_eq!((error.line, error.value.as_deref()), (Some(2), Some("byte 0xe9")));
        assert_eq!(decode_text(b"\xef\xbb\xbf \n").unwrap_err().code, "file-empty");
        assert_eq!(decode_text(b"\xef\xbb\xbfa").unwrap(), "a");
    }
}

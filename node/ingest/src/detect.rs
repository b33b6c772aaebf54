//! What a file is, from its first bytes: which format, or which other kind of file by mistake.

use crate::archive;
use crate::fault::Fault;
use crate::records::{Reader, Record};
use crate::{Format, fred};

/// Bytes looked at.
const PREFIX_BYTES: usize = 64 << 10;
/// Rows looked at: the World Bank has four lines before its header.
const ROWS: usize = 12;

/// The format of a file, if it is one of ours.
///
/// A World Bank file is known by its column `Country Code` (or its ZIP by its members), a FRED
/// file by its two columns of which the first is the date, a CSV by a column `TIME_PERIOD`. The
/// name of the file decides nothing.
pub fn detect(_name: &str, bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"PK") {
        return archive::data_name(bytes).ok().map(|_| Format::WorldBank);
    }
    if kind(bytes).is_some() {
        return None;
    }
    let text = prefix(bytes);
    let mut reader = Reader::new(text, b',');
    let mut record = Record::default();
    for row in 0..ROWS {
        if !reader.read(&mut record).unwrap_or(false) {
            return None;
        }
        if record.position("Country Code").is_some() {
            return Some(Format::WorldBank);
        }
        if row == 0 && record.cells.len() == 2 && fred::is_date_column(record.cell(0)) {
            return Some(Format::Fred);
        }
        if row == 0 && record.position("TIME_PERIOD").is_some() {
            return Some(Format::Csv);
        }
    }
    None
}

/// The first bytes as text; cut where they stop being text.
fn prefix(bytes: &[u8]) -> &str {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.get(..bytes.len().min(PREFIX_BYTES)).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

/// Refuses what is no table of text; says whether it is a ZIP archive.
pub(crate) fn check(bytes: &[u8]) -> Result<bool, Fault> {
    if bytes.is_empty() {
        return Err(Fault::new("file-empty", "the file is empty").hint("download it again"));
    }
    match kind(bytes) {
        None => Ok(bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")),
        Some((what, hint)) => {
            Err(Fault::new("file-type", format!("expected a CSV file, this is {what}")).hint(hint))
        }
    }
}

/// Other kinds of files that are given by mistake: what they are, and what to do.
fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const AGAIN: &str = "download the data as CSV";
    const SAVE: &str = "open it and save the sheet as CSV (UTF-8)";
    const PAGE: &str =
        "the address led to a page (an error, a login?), not to the data: download the CSV itself";
    let magic: [(&[u8], &str, &str); 9] = [
        (b"\x89PNG", "a PNG image", AGAIN),
        (b"\xff\xd8\xff", "a JPEG image", AGAIN),
        (b"GIF8", "a GIF image", AGAIN),
        (b"%PDF", "a PDF document", AGAIN),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook", SAVE),
        (b"\x1f\x8b", "a gzip file", "unpack it first"),
        (b"\xff\xfe", "text in UTF-16", "save it with the encoding UTF-8"),
        (b"\xfe\xff", "text in UTF-16", "save it with the encoding UTF-8"),
        (b"SQLite", "a database", AGAIN),
    ];
    if let Some((_, what, hint)) = magic.into_iter().find(|(start, _, _)| bytes.starts_with(start)) {
        return Some((what, hint));
    }
    let head = bytes.get(..bytes.len().min(PREFIX_BYTES)).unwrap_or_default();
    let holds = |word: &[u8]| head.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    if bytes.starts_with(b"PK") {
        return holds(b"[Content_Types].xml").then_some(("an Excel workbook", SAVE));
    }
    match prefix(bytes).trim_start().as_bytes() {
        [b'{' | b'[', ..] => Some(("JSON", AGAIN)),
        [b'<', b'<', ..] => None,
        [b'<', ..] if holds(b"<html") || holds(b"<!doctype") => Some(("an HTML page", PAGE)),
        [b'<', ..] => Some(("XML", AGAIN)),
        _ => None,
    }
}

/// The fault for a text of no known format.
pub(crate) fn unknown(bytes: &[u8]) -> Fault {
    if bytes.starts_with(b"PK") {
        return archive::data_name(bytes).err().unwrap_or_else(|| Fault::new("archive", "unknown archive"));
    }
    if let Err(fault) = crate::records::text(bytes) {
        return fault;
    }
    let mut record = Record::default();
    let read = Reader::new(prefix(bytes), b',').read(&mut record);
    match read {
        Err(fault) => fault,
        Ok(_) => Fault::new("format-unknown", "expected a World Bank file, a FRED file or SDMX column names")
            .line(record.line)
            .value(record.joined())
            .hint("say what the columns are: import it as `csv` with a mapping"),
    }
}

/// The fault for a file of format `found` that was given as `expected`.
pub(crate) fn other(expected: Format, found: Format) -> Fault {
    let title = |format| match format {
        Format::WorldBank => "a World Bank file",
        Format::Fred => "a FRED file",
        Format::Csv => "a CSV with SDMX column names",
    };
    Fault::new("format-other", format!("expected {}, this is {}", title(expected), title(found)))
        .hint(format!("import it as `{found}`"))
}

/// The fault for an archive where a bare file belongs.
pub(crate) fn not_zipped(expected: Format) -> Fault {
    Fault::new("file-type", format!("expected a `{expected}` file, this is a ZIP archive"))
        .hint("unpack it first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_the_format() {
        for (text, format) in [
            (
                "\u{feff}\"Data Source\",\"WDI\",\r\n\r\n\"Last Updated Date\",\"x\",\r\n\"Country Name\",\"Country Code\",\"1960\",",
                Some(Format::WorldBank),
            ),
            ("observation_date,GDP\n2010-01-01,1\n", Some(Format::Fred)),
            ("\"Date\",\"GDP\"\n", Some(Format::Fred)),
            ("REF_AREA,TIME_PERIOD,OBS_VALUE\n", Some(Format::Csv)),
            ("a,b\n1,2\n", None),
            ("", None),
            ("{}", None),
        ] {
            assert_eq!(detect("x", text.as_bytes()), format, "{text}");
        }
    }

    #[test]
    fn other_files_are_named() {
        for (bytes, word) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "PNG"),
            (b"<!DOCTYPE html><p>", "HTML"),
            (b"<?xml version='1.0'?><message/>", "XML"),
            (b" {\"a\":1}", "JSON"),
            (b"PK\x03\x04....[Content_Types].xml", "Excel"),
            (b"\xff\xfea\0", "UTF-16"),
        ] {
            let fault = check(bytes).unwrap_err();
            assert!(fault.message.contains(word), "{fault}");
        }
        assert_eq!(check(b"").unwrap_err().code, "file-empty");
        assert_eq!(check(b"PK\x05\x06"), Ok(true));
        assert_eq!(check(b"<<<<<<< HEAD\n"), Ok(false));
    }
}

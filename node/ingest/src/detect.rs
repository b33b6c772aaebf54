//! Detection: which format a file has by its first bytes, or which other type of file was given by
//! mistake.
//!
//! The recognisers belong to the formats (`registry`); this module owns the order in which they are
//! tried. The name of a file decides nothing.

use crate::csv::records::{CsvReader, CsvRecord, decode_text};
use crate::error::ImportError;
use crate::formats::sdmx;
use crate::formats::xlsx;
use crate::registry::{Format, HeaderTest, Recogniser};
use crate::sources::world_bank;
use crate::values::cell;

pub(crate) use xlsx::is_workbook;

/// Bytes that detection looks at.
pub(crate) const PREFIX_BYTES: usize = 64 << 10;
/// Rows in which a header is sought: the World Bank has four lines before it.
const PREAMBLE_ROWS: usize = 12;

/// The format of a file, if it is a known one.
pub(crate) fn detect_format(bytes: &[u8]) -> Option<Format> {
    // A ZIP archive is never tested as text.
    if bytes.starts_with(b"PK") {
        return first_format(|test| matches!(test, Recogniser::Archive(test) if test(bytes)));
    }
    // Before the CSV tests: the first line of a JSON document is also a valid CSV row.
    if let Some(format) = json_format(bytes).or_else(|| xml_format(bytes)) {
        return Some(format);
    }
    if foreign_file_type(bytes).is_some() {
        return None;
    }
    let text = text_prefix(bytes);
    first_format(|test| matches!(test, Recogniser::Text(test) if test(text)))
        .or_else(|| tab_separated_format(text))
        .or_else(|| sdmx_csv_format(text))
        .or_else(|| csv_format(text))
}

/// The first format with a recogniser for which `test` holds.
fn first_format(test: impl Fn(&Recogniser) -> bool) -> Option<Format> {
    Format::all().find(|format| format.registration().recognisers.iter().any(&test))
}

/// The format of a CSV file by its first rows.
fn csv_format(text: &str) -> Option<Format> {
    let mut reader = CsvReader::new(text, b',');
    let mut record = CsvRecord::default();
    for row in 0..PREAMBLE_ROWS {
        // A broken row recognises nothing here; the reader reports it with its line.
        if !reader.read_record(&mut record).unwrap_or(false) {
            return None;
        }
        let accepts = |test: HeaderTest| test(&record);
        let found = first_format(|test| match test {
            Recogniser::Header(test) => row == 0 && accepts(*test),
            Recogniser::HeaderBelowPreamble(test) => row > 0 && accepts(*test),
            _ => false,
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The format of a file whose cells are separated by tabs.
fn tab_separated_format(text: &str) -> Option<Format> {
    let mut record = CsvRecord::default();
    // A tab in a later line may be part of a cell of a comma-separated file.
    let tabs = text.lines().next().is_some_and(|line| line.contains('\t'));
    let read = tabs && CsvReader::new(text, b'\t').read_record(&mut record).unwrap_or(false);
    first_format(|test| matches!(test, Recogniser::TabHeader(test) if read && test(&record)))
}

/// The format of a file with the header of SDMX-CSV, under any delimiter.
fn sdmx_csv_format(text: &str) -> Option<Format> {
    let mut record = CsvRecord::default();
    let delimiter = sdmx::csv::detect_delimiter(text);
    let read = CsvReader::new(text, delimiter).read_record(&mut record).unwrap_or(false);
    first_format(|test| matches!(test, Recogniser::SdmxHeader(test) if read && test(&record)))
}

/// The format of a document in XML.
fn xml_format(bytes: &[u8]) -> Option<Format> {
    let text = text_prefix(bytes);
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    first_format(|test| matches!(test, Recogniser::Xml(test) if test(&lower)))
}

/// The format of a document in JSON.
fn json_format(bytes: &[u8]) -> Option<Format> {
    let text = text_prefix(bytes).trim_start();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let data_set = |text: &str| {
        first_format(
            |test| matches!(test, Recogniser::JsonDocument(test) if text.starts_with('{') && test(text)),
        )
    };
    let whole = || data_set(decode_text(bytes).ok()?.trim_start());
    // A data set may have megabytes of figures before the words that show its format.
    first_format(|test| matches!(test, Recogniser::Json(test) if test(text)))
        .or_else(|| data_set(text))
        .or_else(whole)
}

/// Whether a JSON text contains a string or key.
pub(crate) fn has_json_word(text: &str, word: &str) -> bool {
    text.contains(&format!("\"{word}\""))
}

/// The first bytes as text; cut before the first byte that is not UTF-8.
fn text_prefix(bytes: &[u8]) -> &str {
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

/// Refuses a file that is no data in text; returns whether the file is a ZIP archive.
pub(crate) fn check_file_type(bytes: &[u8], detected: Option<Format>) -> Result<bool, ImportError> {
    if bytes.is_empty() {
        return Err(ImportError::new("file-empty", "the file is empty").hint("download it again"));
    }
    // JSON and XML are foreign only while no format recognises them.
    match foreign_file_type(bytes).filter(|_| detected.is_none()) {
        None => Ok(bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")),
        Some((found, hint)) => {
            Err(ImportError::new("file-type", format!("expected a CSV file, found {found}")).hint(hint))
        }
    }
}

/// Other types of files that are given by mistake, with a hint.
fn foreign_file_type(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const AGAIN: &str = "download the data as CSV";
    const SAVE: &str = "open it and save the sheet as CSV (UTF-8)";
    const PAGE: &str =
        "the address returned a page (an error, a login?), not the data: download the CSV itself";
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
    if let Some((_, found, hint)) = magic.into_iter().find(|(start, _, _)| bytes.starts_with(start)) {
        return Some((found, hint));
    }
    let head = bytes.get(..bytes.len().min(PREFIX_BYTES)).unwrap_or_default();
    let contains = |word: &[u8]| head.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    match text_prefix(bytes).trim_start().as_bytes() {
        [b'{' | b'[', ..] => Some(("JSON", AGAIN)),
        // A merge marker: the CSV reader refuses it with its line.
        [b'<', b'<', ..] => None,
        [b'<', ..] if contains(b"<html") || contains(b"<!doctype") => Some(("an HTML page", PAGE)),
        [b'<', ..] => Some(("XML", AGAIN)),
        _ => None,
    }
}

/// The error for a text of no known format.
pub(crate) fn unrecognised_format(bytes: &[u8]) -> ImportError {
    if bytes.starts_with(b"PK") {
        let error = world_bank::archive::data_member_name(bytes).err();
        return error.unwrap_or_else(|| ImportError::new("archive", "unknown archive"));
    }
    if let Err(error) = decode_text(bytes) {
        return error;
    }
    let text = text_prefix(bytes);
    let tabs = text.lines().next().is_some_and(|line| line.contains('\t'));
    let mut record = CsvRecord::default();
    let read = CsvReader::new(text, if tabs { b'\t' } else { b',' }).read_record(&mut record);
    if let Some(error) = cell::time_of_day_error(record.cell(0)).filter(|_| read.is_ok()) {
        return error.line(record.line);
    }
    let error = match read {
        Err(error) => return error,
        Ok(_) if is_code_list(&record) => {
            ImportError::new("code-list", "expected data, found a list of codes and names without figures")
                .hint("pass it after the data file whose codes it names")
        }
        Ok(_) => {
            ImportError::new("format-unknown", "unrecognised format: the header has no SDMX column names")
                .hint("describe the columns: import it as `csv` with a mapping")
        }
    };
    error.line(record.line).value(record.joined_cells())
}

/// Whether a header is that of a code list: a code and its name, but neither time nor figures.
fn is_code_list(header: &CsvRecord<'_>) -> bool {
    let any = |words: &[&str]| {
        (0..header.cells.len()).any(|column| {
            let title = header.cell(column).to_ascii_lowercase();
            title.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
        })
    };
    // `alpha` stands for the titles `alpha-2` and `alpha-3` of lists of ISO 3166.
    let coded = any(&["code", "alpha", "id"]) && any(&["name", "title"]);
    coded && !any(&["year", "date", "time", "period", "value", "month", "quarter", "weight"])
}

/// The error for a file of format `found` that was given as `expected`.
pub(crate) fn other_format(expected: Format, found: Format) -> ImportError {
    ImportError::new("format-other", format!("expected {}, found {}", expected.title(), found.title()))
        .hint(format!("import it as `{found}`"))
}

/// The error for an archive where a bare file is expected.
pub(crate) fn unexpected_archive(expected: Format) -> ImportError {
    ImportError::new("file-type", format!("expected a `{expected}` file, found a ZIP archive"))
        .hint("unpack it first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised_by_their_header() {
        for (text, format) in [
            (
                "\u{feff}\"Data Source\",\"WDI\",\r\n\r\n\"Last Updated Date\",\"x\",\r\n\"Country Name\",\"Country Code\",\"1960\",",
                Some(Format::WorldBank),
            ),
            ("observation_date,GDP\n2010-01-01,1\n", Some(Format::Fred)),
            ("\"Date\",\"GDP\"\n", Some(Format::Fred)),
            ("REF_AREA,TIME_PERIOD,OBS_VALUE\n", Some(Format::Csv)),
            ("Country Code,TIME_PERIOD,OBS_VALUE\n", Some(Format::WorldBank)),
            ("TIME_PERIOD,OBS_VALUE\na,Country Code\n", Some(Format::Csv)),
            ("a,b\n1,2\n", None),
            ("", None),
            ("{}", None),
        ] {
            assert_eq!(detect_format(text.as_bytes()), format, "{text}");
        }
    }

    #[test]
    fn other_file_types_are_named() {
        for (bytes, word) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "PNG"),
            (b"<!DOCTYPE html><p>", "HTML"),
            (b"<?xml version='1.0'?><message/>", "XML"),
            (b" {\"a\":1}", "JSON"),
            (b"\xff\xfea\0", "UTF-16"),
        ] {
            let error = check_file_type(bytes, None).unwrap_err();
            assert!(error.message.contains(word), "{error}");
        }
        assert_eq!(check_file_type(b"", None).unwrap_err().code, "file-empty");
        assert_eq!(check_file_type(b"PK\x05\x06", None), Ok(true));
        assert_eq!(check_file_type(b"<<<<<<< HEAD\n", None), Ok(false));
    }
}

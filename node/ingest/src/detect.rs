//! What a file is, from its first bytes: which format, or which other kind of file by mistake.

use crate::archive;
use crate::error::ImportError;
use crate::records::{Reader, Record};
use crate::{
    Format, aat1, bea, bls, blscsv, eurostat, fedddp, fred, fredmd, oecddp, ons, sdmx, shiller, value,
};

/// Bytes looked at.
pub(crate) const PREFIX_BYTES: usize = 64 << 10;
/// Rows looked at: the World Bank has four lines before its header.
const ROWS: usize = 12;

/// The format of a file, if it is one of ours.
///
/// A World Bank file is known by its column `Country Code` (or its ZIP by its members), a FRED
/// file by its two columns of which the first is the date, a CSV by a column `TIME_PERIOD` or
/// `OBS_VALUE`, SDMX by its namespaces, its first column or its `dataSets`. The name of the file
/// decides nothing.
pub fn detect_format(_name: &str, bytes: &[u8]) -> Option<Format> {
    if is_workbook(bytes) {
        return Some(Format::Xlsx);
    }
    if bytes.starts_with(b"PK") {
        return archive::data_name(bytes).ok().map(|_| Format::WorldBank);
    }
    if let Some(format) = json(bytes).or_else(|| xml(bytes)) {
        return Some(format);
    }
    if kind(bytes).is_some() {
        return None;
    }
    let text = prefix(bytes);
    if aat1::is_table(text) {
        return Some(Format::BlsTable);
    }
    if let Some(format) = tabbed(text).or_else(|| sdmxcsv(text)) {
        return Some(format);
    }
    let mut reader = Reader::new(text, b',');
    let mut record = Record::default();
    for row in 0..ROWS {
        if !reader.read(&mut record).unwrap_or(false) {
            return None;
        }
        if record.position("Country Code").is_some() {
            return Some(Format::WorldBank);
        }
        if let Some(format) = headed(&record).filter(|_| row == 0) {
            return Some(format);
        }
    }
    None
}

/// Whether a header is that of a format.
type Sign = fn(&Record<'_>) -> bool;

/// The format of a file with this header on its first line.
fn headed(header: &Record<'_>) -> Option<Format> {
    let known: [(Sign, Format); 9] = [
        (ons::is_header, Format::Ons),
        (fedddp::is_header, Format::FedDdp),
        (oecddp::is_header, Format::OecdDp),
        (blscsv::is_header, Format::BlsCsv),
        (fred::is_header, Format::Fred),
        (fredmd::is_header, Format::FredMd),
        (bea::is_header, Format::Bea),
        (shiller::is_header, Format::Shiller),
        (|header| ["TIME_PERIOD", "OBS_VALUE"].iter().any(|id| header.position(id).is_some()), Format::Csv),
    ];
    known.into_iter().find(|(is, _)| is(header)).map(|(_, format)| format)
}

/// The format of a file whose cells are split by tabs.
fn tabbed(text: &str) -> Option<Format> {
    let mut record = Record::default();
    let tabs = text.lines().next().is_some_and(|line| line.contains('\t'));
    let read = tabs && Reader::new(text, b'\t').read(&mut record).unwrap_or(false);
    match record {
        _ if !read => None,
        record if bls::is_header(&record) => Some(Format::Bls),
        record => eurostat::is_header(&record).then_some(Format::Eurostat),
    }
}

/// The format of a file whose header is that of SDMX-CSV, whatever its delimiter.
fn sdmxcsv(text: &str) -> Option<Format> {
    let mut record = Record::default();
    let read = Reader::new(text, sdmx::csv::delimiter(text)).read(&mut record).unwrap_or(false);
    (read && sdmx::csv::is_header(&record)).then_some(Format::SdmxCsv)
}

/// The format of a document in XML, by its namespaces.
fn xml(bytes: &[u8]) -> Option<Format> {
    let text = prefix(bytes);
    let is =
        text.trim_start().starts_with('<') && text.to_ascii_lowercase().contains("sdmx.org/resources/sdmxml");
    is.then_some(Format::SdmxMl)
}

/// The format of an answer in JSON, by the words that only it has.
fn json(bytes: &[u8]) -> Option<Format> {
    let text = prefix(bytes).trim_start();
    let holds = |word: &str| text.contains(&format!("\"{word}\""));
    match text.as_bytes().first()? {
        b'[' if holds("per_page") && holds("page") => Some(Format::WorldBankJson),
        b'[' if holds("message") && holds("key") => Some(Format::WorldBankJson),
        b'{' if holds("seriesID") || holds("Results") && holds("responseTime") => Some(Format::BlsJson),
        b'{' if holds("observations") && holds("realtime_start") => Some(Format::FredJson),
        b'{' if holds("error_code") && holds("error_message") => Some(Format::FredJson),
        b'{' => cubes(text).or_else(|| cubes(std::str::from_utf8(bytes).ok()?)),
        _ => None,
    }
}

/// Whether these are the bytes of an Excel workbook.
pub(crate) fn is_workbook(bytes: &[u8]) -> bool {
    let member = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    bytes.starts_with(b"PK") && member(b"[Content_Types].xml") && member(b"xl/workbook.xml")
}

/// The format of a data set in JSON; figures may stand before what tells it.
fn cubes(text: &str) -> Option<Format> {
    let holds = |word: &str| text.contains(&format!("\"{word}\""));
    if holds("dataSets") || holds("keyPosition") || holds("errors") && (holds("meta") || holds("header")) {
        return Some(Format::SdmxJson);
    }
    let classed = holds("class") && (holds("dataset") || holds("collection") || holds("dimension"));
    (classed || holds("dimension") && holds("size")).then_some(Format::JsonStat)
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
pub(crate) fn check(bytes: &[u8]) -> Result<bool, ImportError> {
    if bytes.is_empty() {
        return Err(ImportError::new("file-empty", "the file is empty").hint("download it again"));
    }
    match kind(bytes).filter(|_| json(bytes).or_else(|| xml(bytes)).is_none()) {
        None => Ok(bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")),
        Some((what, hint)) => {
            Err(ImportError::new("file-type", format!("expected a CSV file, this is {what}")).hint(hint))
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
    match prefix(bytes).trim_start().as_bytes() {
        [b'{' | b'[', ..] => Some(("JSON", AGAIN)),
        [b'<', b'<', ..] => None,
        [b'<', ..] if holds(b"<html") || holds(b"<!doctype") => Some(("an HTML page", PAGE)),
        [b'<', ..] => Some(("XML", AGAIN)),
        _ => None,
    }
}

/// The fault for a text of no known format.
pub(crate) fn unknown(bytes: &[u8]) -> ImportError {
    if bytes.starts_with(b"PK") {
        return archive::data_name(bytes)
            .err()
            .unwrap_or_else(|| ImportError::new("archive", "unknown archive"));
    }
    if let Err(fault) = crate::records::text(bytes) {
        return fault;
    }
    let text = prefix(bytes);
    let tabs = text.lines().next().is_some_and(|line| line.contains('\t'));
    let mut record = Record::default();
    let read = Reader::new(text, if tabs { b'\t' } else { b',' }).read(&mut record);
    if let Some(fault) = value::timed(record.cell(0)).filter(|_| read.is_ok()) {
        return fault.line(record.line);
    }
    let fault = match read {
        Err(fault) => return fault,
        Ok(_) if is_list(&record) => {
            ImportError::new("code-list", "this is a list of codes and their names, and has no figures")
                .hint("give it after the file of data whose codes it names")
        }
        Ok(_) => ImportError::new(
            "format-unknown",
            "this is no format that is known, nor has it SDMX column names",
        )
        .hint("say what the columns are: import it as `csv` with a mapping"),
    };
    fault.line(record.line).value(record.joined())
}

/// Whether a header is that of a list of codes: a code, its name, and neither time nor figures.
fn is_list(header: &Record<'_>) -> bool {
    let any = |words: &[&str]| {
        (0..header.cells.len()).any(|column| {
            let title = header.cell(column).to_ascii_lowercase();
            title.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
        })
    };
    let coded = any(&["code", "alpha", "id"]) && any(&["name", "title"]);
    coded && !any(&["year", "date", "time", "period", "value", "month", "quarter", "weight"])
}

/// The fault for a file of format `found` that was given as `expected`.
pub(crate) fn other(expected: Format, found: Format) -> ImportError {
    ImportError::new("format-other", format!("expected {}, this is {}", expected.title(), found.title()))
        .hint(format!("import it as `{found}`"))
}

/// The fault for an archive where a bare file belongs.
pub(crate) fn not_zipped(expected: Format) -> ImportError {
    ImportError::new("file-type", format!("expected a `{expected}` file, this is a ZIP archive"))
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
            assert_eq!(detect_format("x", text.as_bytes()), format, "{text}");
        }
    }

    #[test]
    fn other_files_are_named() {
        for (bytes, word) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "PNG"),
            (b"<!DOCTYPE html><p>", "HTML"),
            (b"<?xml version='1.0'?><message/>", "XML"),
            (b" {\"a\":1}", "JSON"),
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

//! Excel workbooks: a sheet is read as a CSV under a mapping; spreadsheets of Eurostat's data browser need
//! none.
//!
//! `calamine` streams the cells, so a sheet that claims distant cells costs nothing. It gets a copy of
//! the archive with bounded members, without the counts that the file states. Excel stores figures as
//! binary floats: the figure is the shortest decimal that rounds to the float. Formulas are not computed:
//! the values that the workbook last stored are read.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use calamine::{DataRef, Reader as _, Xlsx};
use schemas::limits::SNAPSHOT_BYTES_MAX;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::csv::records::CELLS_MAX;
use crate::error::{ImportError, printable};
use crate::formats::mapped_csv;
use crate::formats::zip_archive;
use crate::import::ReadRequest;
use crate::sources::eurostat::spreadsheet;
use crate::{Format, ImportOptions, ImportedTable, SourceFile};

/// Cells of a sheet.
const SHEET_CELLS_MAX: usize = 8 << 20;
/// Rows of a sheet; the limit of Excel.
const SHEET_ROWS_MAX: u32 = 1 << 20;
/// Sheets that an error lists.
const NAMED_MAX: usize = 8;

/// The rows of a sheet from its first line, each from its first column.
pub(crate) type SheetRows = Vec<Vec<String>>;

/// Whether these are the bytes of an Excel workbook.
pub(crate) fn is_workbook(bytes: &[u8]) -> bool {
    let contains = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    bytes.starts_with(b"PK") && contains(b"[Content_Types].xml") && contains(b"xl/workbook.xml")
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let mut book =
        Xlsx::new(Cursor::new(copy_within_bounds(source.bytes)?)).map_err(|error| broken_workbook(&error))?;
    let names = book.sheet_names();
    if options.mapping.is_none() && spreadsheet::is_export(&names) {
        let sheet = spreadsheet::data_sheet(&names)?;
        let rows = read_rows(&mut book, sheet)?;
        return spreadsheet::read_sheet(source, &rows)
            .map_err(|error| error.in_file(&sheet_path(source.name, sheet)));
    }
    let sheet = choose_sheet(&names, options)?;
    let text = sheet_as_csv(&read_rows(&mut book, sheet)?);
    let mut options = options.clone();
    if let Some(mapping) = &mut options.mapping {
        // `sheet_as_csv` writes commas, whatever the mapping states for text files.
        mapping.delimiter = ',';
    }
    let member = SourceFile { name: source.name, bytes: text.as_bytes() };
    let (archive_size, size) = (source.bytes.len() as u64, text.len().max(1) as u64);
    let mut scaled = |done: u64| progress(done * archive_size / size);
    let request = ReadRequest { source: member, options: &options, detected: None, progress: &mut scaled };
    let read = mapped_csv::read_file(request);
    let imported = read.map_err(|error| error.in_file(&sheet_path(source.name, sheet)))?;
    Ok(ImportedTable { format: Format::Xlsx, importer: Format::Xlsx.importer(), ..imported })
}

/// File and sheet as in errors.
fn sheet_path(file: &str, sheet: &str) -> String {
    format!("{file}/{sheet}")
}

fn broken_workbook(error: &calamine::XlsxError) -> ImportError {
    let message = format!("damaged Excel workbook: {}", printable(&error.to_string()));
    ImportError::new("workbook", message).hint("save it again, or download it again")
}

/// Copies the archive, each member unpacked within bounds.
fn copy_within_bounds(bytes: &[u8]) -> Result<Vec<u8>, ImportError> {
    let mut archive = zip_archive::open_archive(bytes)?;
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    let mut left = SNAPSHOT_BYTES_MAX;
    for index in 0..archive.len() {
        let Some((name, data)) = read_member(&mut archive, index, left)? else { continue };
        left -= data.len() as u64;
        // The copy is read once from memory: compressing it would only take time.
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let written = copy.start_file(name, stored).map_err(zip_archive::broken_archive);
        written.and_then(|()| {
            copy.write_all(&data).map_err(|error| zip_archive::broken_archive(error.into()))
        })?;
    }
    Ok(copy.finish().map_err(zip_archive::broken_archive)?.into_inner())
}

/// Name and bytes of a member; `None` for images and other members that calamine does not read.
fn read_member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    left: u64,
) -> Result<Option<(String, Vec<u8>)>, ImportError> {
    let member = archive.by_index(index).map_err(zip_archive::broken_archive)?;
    let name = member.name().map_err(zip_archive::broken_archive)?.into_owned();
    // Images, fonts and printer settings may be large and are not read.
    if !name.ends_with(".xml") && !name.ends_with(".rels") {
        return Ok(None);
    }
    let mut data = Vec::new();
    member
        .take(left + 1)
        .read_to_end(&mut data)
        .map_err(|error| zip_archive::broken_archive(error.into()))?;
    if data.len() as u64 > left {
        return Err(ImportError::new(
            "archive-large",
            format!("the workbook unpacks to more than {SNAPSHOT_BYTES_MAX} bytes"),
        )
        .hint("save the sheet alone"));
    }
    // A member in UTF-16: only UTF-8 is supported.
    if data.contains(&0) {
        return Err(ImportError::new("workbook", format!("member `{}` is not in UTF-8", printable(&name)))
            .hint("save the workbook again with Excel or LibreOffice"));
    }
    mask_stated_counts(&mut data);
    Ok(Some((name, data)))
}

/// Masks the number of shared strings that a file states: calamine would allocate all of them.
fn mask_stated_counts(data: &mut [u8]) {
    const STATED: &[u8] = b"uniqueCount";
    let mut from = 0;
    while let Some(rest) = data.get_mut(from..) {
        let Some(found) = rest.windows(STATED.len()).position(|window| window == STATED) else { return };
        if let Some(first) = rest.get_mut(found) {
            *first = b'_';
        }
        from += found + STATED.len();
    }
}

/// The sheet that the mapping names, or the single one.
fn choose_sheet<'a>(names: &'a [String], options: &ImportOptions) -> Result<&'a str, ImportError> {
    let wanted = options.mapping.as_ref().and_then(|mapping| mapping.sheet.as_deref());
    let found = match (wanted, names) {
        (Some(wanted), _) => names.iter().find(|name| *name == wanted),
        (None, [one]) => Some(one),
        (None, _) => None,
    };
    found.map(String::as_str).ok_or_else(|| {
        let named: Vec<String> = names.iter().take(NAMED_MAX).map(|name| printable(name)).collect();
        let message = match wanted {
            Some(wanted) => format!("unknown sheet `{}`", printable(wanted)),
            None => format!("expected one sheet, found {} sheets", names.len()),
        };
        ImportError::new("sheet", message)
            .value(named.join(", "))
            .hint("name one in the mapping: `sheet = \"Data\"`")
    })
}

/// Reads the cells of a sheet as texts.
fn read_rows(book: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str) -> Result<SheetRows, ImportError> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| broken_workbook(&error))?;
    // Sparse: a sheet may consist of the single cell XFD1048576.
    let mut found: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    let mut count = 0;
    while let Some(cell) = cells.next_cell().map_err(|error| broken_workbook(&error))? {
        let (row, column) = cell.get_position();
        let text = cell_text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        count += 1;
        // A sheet may state any row and column, also beyond the limits of Excel.
        if count > SHEET_CELLS_MAX || row >= SHEET_ROWS_MAX || column as usize >= CELLS_MAX {
            let message =
                format!("more than {SHEET_CELLS_MAX} cells, {SHEET_ROWS_MAX} rows or {CELLS_MAX} columns");
            return Err(ImportError::new("sheet", message).line(u64::from(row) + 1));
        }
        found.entry(row).or_default().insert(column, text);
    }
    let height = found.last_key_value().map_or(0, |(row, _)| row + 1);
    let dense = |row: u32| {
        let Some(mut cells) = found.remove(&row) else { return Vec::new() };
        let width = cells.last_key_value().map_or(0, |(column, _)| column + 1);
        (0..width).map(|column| cells.remove(&column).unwrap_or_default()).collect()
    };
    Ok((0..height).map(dense).collect())
}

/// The text of a cell; a day as `2010-01-31`.
fn cell_text(value: &DataRef<'_>) -> String {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        // Rust prints the shortest decimal that parses to the same float: 0.1, not 0.1000000000000000055.
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(is) => is.to_string(),
        DataRef::String(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        // Other number formats of the same type are durations.
        DataRef::DateTime(day) if day.is_datetime() => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(other) => format!("{other}"),
        DataRef::DateTimeIso(text) => text.get(..10).unwrap_or(text).to_owned(),
        DataRef::Error(error) => error.to_string(),
    };
    // A line break inside a cell would break the row of the CSV.
    text.replace(['\r', '\n'], " ").trim().to_owned()
}

/// Writes a sheet as CSV, all rows as wide as the widest.
fn sheet_as_csv(rows: &SheetRows) -> String {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        for column in 0..width {
            if column > 0 {
                text.push(',');
            }
            let cell = row.get(column).map_or("", String::as_str);
            // The CSV reader takes a leading `<`, `=`, `>` or `|` for a possible merge marker.
            if cell.contains(['"', ',']) || cell.starts_with(['<', '=', '>', '|']) {
                text.push('"');
                text.push_str(&cell.replace('"', "\"\""));
                text.push('"');
            } else {
                text.push_str(cell);
            }
        }
        text.push('\n');
    }
    text
}

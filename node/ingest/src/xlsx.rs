//! Excel workbooks: a sheet is read as a CSV under a mapping; the spreadsheets of Eurostat's data
//! browser are known and need none.
//!
//! `calamine` reads the cells, one after the other: a sheet that claims cells far out costs
//! nothing. It is handed a copy of the archive in which every member is bounded, and no count that
//! the file states is believed. Excel keeps figures as binary numbers: the shortest decimal that
//! stands for one is its figure. Formulas are not computed: what the workbook last showed is read.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use calamine::{DataRef, Reader as _, Xlsx};
use schemas::limits::SNAPSHOT_BYTES_MAX;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::{ImportError, shown};
use crate::records::CELLS_MAX;
use crate::{Format, ImportOptions, ImportedTable, SourceFile, archive, eurosheet, mapped};

/// Cells of a sheet that are read.
const SHEET_CELLS_MAX: usize = 8 << 20;
/// Rows of a sheet: as many as Excel has.
const SHEET_ROWS_MAX: u32 = 1 << 20;
/// Sheets that are named in a fault.
const NAMED_MAX: usize = 8;

/// Rows from the first line of a sheet, cells from its first column.
pub(crate) type Rows = Vec<Vec<String>>;

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut book = Xlsx::new(Cursor::new(copied(source.bytes)?)).map_err(|error| broken(&error))?;
    let names = book.sheet_names();
    if options.mapping.is_none() && eurosheet::is_export(&names) {
        let sheet = eurosheet::sheet(&names)?;
        let rows = rows(&mut book, sheet)?;
        return eurosheet::read(source, &rows).map_err(|fault| fault.within(&inside(source.name, sheet)));
    }
    let sheet = chosen(&names, options)?;
    let text = text(&rows(&mut book, sheet)?);
    let mut options = options.clone();
    if let Some(mapping) = &mut options.mapping {
        mapping.delimiter = ',';
    }
    let member = SourceFile { name: source.name, bytes: text.as_bytes() };
    let (whole, size) = (source.bytes.len() as u64, text.len().max(1) as u64);
    let mut scaled = |done: u64| progress(done * whole / size);
    let read = mapped::read(member, &options, &mut scaled);
    let imported = read.map_err(|fault| fault.within(&inside(source.name, sheet)))?;
    Ok(ImportedTable { format: Format::Xlsx, importer: Format::Xlsx.importer(), ..imported })
}

/// File and sheet, as faults name them.
fn inside(file: &str, sheet: &str) -> String {
    format!("{file}/{sheet}")
}

fn broken(error: &calamine::XlsxError) -> ImportError {
    let message = format!("not a whole Excel workbook: {}", shown(&error.to_string()));
    ImportError::new("workbook", message).hint("save it again, or take it from its source again")
}

/// The archive again, each member unpacked within bounds.
fn copied(bytes: &[u8]) -> Result<Vec<u8>, ImportError> {
    let mut archive = archive::listed(bytes)?;
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    let mut left = SNAPSHOT_BYTES_MAX;
    for place in 0..archive.len() {
        let Some((name, data)) = member(&mut archive, place, left)? else { continue };
        left -= data.len() as u64;
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let written = copy.start_file(name, stored).map_err(archive::broken);
        written.and_then(|()| copy.write_all(&data).map_err(|error| archive::broken(error.into())))?;
    }
    Ok(copy.finish().map_err(archive::broken)?.into_inner())
}

/// Name and bytes of a member, unless it is no part of the tables.
fn member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    place: usize,
    left: u64,
) -> Result<Option<(String, Vec<u8>)>, ImportError> {
    let member = archive.by_index(place).map_err(archive::broken)?;
    let name = member.name().map_err(archive::broken)?.into_owned();
    if !name.ends_with(".xml") && !name.ends_with(".rels") {
        return Ok(None);
    }
    let mut data = Vec::new();
    member.take(left + 1).read_to_end(&mut data).map_err(|error| archive::broken(error.into()))?;
    if data.len() as u64 > left {
        return Err(ImportError::new(
            "archive-large",
            format!("the workbook unpacks to more than {SNAPSHOT_BYTES_MAX} bytes"),
        )
        .hint("save the sheet alone"));
    }
    if data.contains(&0) {
        return Err(ImportError::new("workbook", format!("member `{}` is not in UTF-8", shown(&name)))
            .hint("save the workbook again with Excel or LibreOffice"));
    }
    unbelieved(&mut data);
    Ok(Some((name, data)))
}

/// Takes away the number of texts that a file states: room would be made for all of them.
fn unbelieved(data: &mut [u8]) {
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

/// The sheet that the mapping names, or the only one.
fn chosen<'a>(names: &'a [String], options: &ImportOptions) -> Result<&'a str, ImportError> {
    let wanted = options.mapping.as_ref().and_then(|mapping| mapping.sheet.as_deref());
    let found = match (wanted, names) {
        (Some(wanted), _) => names.iter().find(|name| *name == wanted),
        (None, [one]) => Some(one),
        (None, _) => None,
    };
    found.map(String::as_str).ok_or_else(|| {
        let named: Vec<String> = names.iter().take(NAMED_MAX).map(|name| shown(name)).collect();
        let message = match wanted {
            Some(wanted) => format!("there is no sheet `{}`", shown(wanted)),
            None => format!("the workbook has {} sheets", names.len()),
        };
        ImportError::new("sheet", message)
            .value(named.join(", "))
            .hint("name one in the mapping: `sheet = \"Data\"`")
    })
}

/// The cells of a sheet as texts.
fn rows(book: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str) -> Result<Rows, ImportError> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| broken(&error))?;
    let mut found: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    let mut count = 0;
    while let Some(cell) = cells.next_cell().map_err(|error| broken(&error))? {
        let (row, column) = cell.get_position();
        let text = text_of(cell.get_value());
        if text.is_empty() {
            continue;
        }
        count += 1;
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

/// A cell as a text; a day as `2010-01-31`.
fn text_of(value: &DataRef<'_>) -> String {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(is) => is.to_string(),
        DataRef::String(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::DateTime(day) if day.is_datetime() => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(other) => format!("{other}"),
        DataRef::DateTimeIso(text) => text.get(..10).unwrap_or(text).to_owned(),
        DataRef::Error(error) => error.to_string(),
    };
    // A line of text is a row of the sheet.
    text.replace(['\r', '\n'], " ").trim().to_owned()
}

/// A sheet as CSV, a line a row, each as wide as the widest.
fn text(rows: &Rows) -> String {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        for column in 0..width {
            if column > 0 {
                text.push(',');
            }
            let cell = row.get(column).map_or("", String::as_str);
            // Quotes in every cell that has one, and around each that could be mistaken.
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

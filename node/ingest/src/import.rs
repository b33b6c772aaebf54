//! The entry point: which format a file has, and its reader.
//!
//! The format is detected once, here. A reader gets the result in its [`ReadRequest`] and never
//! detects anything itself.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemas::limits::SNAPSHOT_BYTES_MAX;
use schemas::period::{Frequency, Period};
use schemas::table::Table;
use schemas::text::Name;

use crate::detect;
use crate::error::ImportError;
use crate::formats::mapped_csv;
use crate::formats::mapping::Mapping;
use crate::read_at::{self, ReadAt};
use crate::registry::{Format, Packaging};
use crate::values::areas::Area;

/// The file to read.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// File name: named in errors, and the series id where the file itself has none.
    pub name: &'a str,
    /// The whole file as downloaded, at most `SNAPSHOT_BYTES_MAX` bytes.
    pub bytes: &'a [u8],
}

/// Knowledge of the caller about the file.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The format; detected when absent.
    pub format: Option<Format>,
    /// The frequency of the periods, where the file does not state it; inferred when absent.
    pub frequency: Option<Frequency>,
    /// The area of a series that names none (FRED); `USA` when absent.
    pub area: Option<String>,
    /// The columns of a general CSV.
    pub mapping: Option<Mapping>,
    /// Files that explain the data: the `Metadata_Country_*` of a bare World Bank CSV, the lists
    /// `cu.series`, `cu.area` and `cu.item` of a BLS file.
    pub companions: Vec<CompanionFile>,
    /// Threads that read a large file; one per core when absent. The result does not depend on it.
    pub threads: Option<NonZeroUsize>,
}

/// A file that explains another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionFile {
    /// File name, by which its content is recognised.
    pub name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

impl ImportOptions {
    /// The companion whose name contains `part`; a single companion under any name.
    pub(crate) fn companion(&self, part: &str) -> Option<&CompanionFile> {
        match self.companions.as_slice() {
            [one] => Some(one),
            more => more.iter().find(|companion| companion.name.contains(part)),
        }
    }
}

/// Joins documents that are read as one text, such as the pages of one response.
pub fn join_documents<'a>(documents: &[&'a [u8]]) -> std::borrow::Cow<'a, [u8]> {
    match documents {
        [one] => std::borrow::Cow::Borrowed(one),
        many => std::borrow::Cow::Owned(many.join(&b'\n')),
    }
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTable {
    /// The format that was read.
    pub format: Format,
    /// The file with the figures; `archive/member` for a member of an archive.
    pub file: String,
    /// The observations.
    pub table: Table,
    /// Suggested name: the indicator or series id of the source.
    pub dataflow: Name,
    /// Title as the source has it; the id where the file has no title.
    pub title: String,
    /// The agency that published the file, where the file or its format names it.
    pub publisher: Option<String>,
    /// The day of the last update, where the file states it.
    pub vintage: Option<Period>,
    /// Code list of REF_AREA, sorted by code.
    pub areas: Vec<Area>,
    /// Code lists of other dimensions, where the source names their codes: name by code.
    pub codes: BTreeMap<Name, BTreeMap<String, String>>,
    /// Counts.
    pub summary: ImportSummary,
    /// Name and version of the importer, such as `worldbank/1`.
    pub importer: String,
}

/// Counts and notes of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportSummary {
    /// Data rows of the file (not lines: no header, no preamble).
    pub rows: u64,
    /// Data points of the table.
    pub observations: u64,
    /// Cells without a figure.
    pub missing: u64,
    /// Cells without a figure by their spelling, such as `.` or `NA`; the empty text is an empty cell.
    pub missing_spellings: BTreeMap<String, u64>,
    /// Distinct keys without the time.
    pub series: u64,
    /// Earliest period.
    pub first: Option<Period>,
    /// Latest period.
    pub last: Option<Period>,
    /// The frequency, when all periods have the same.
    pub frequency: Option<Frequency>,
    /// Areas that are aggregates.
    pub aggregates: u64,
    /// The line of each data point, in the order of the table; 0 where it is not known.
    pub lines: Vec<u32>,
    /// Remarks that matter before the figures are used, such as `missing: page 2 of 5`.
    pub notes: Vec<String>,
}

/// Everything that a reader gets.
pub(crate) struct ReadRequest<'a> {
    pub(crate) source: SourceFile<'a>,
    pub(crate) options: &'a ImportOptions,
    /// The format that the bytes show; it may differ from the one that the caller named.
    pub(crate) detected: Option<Format>,
    /// Receives the number of bytes done.
    pub(crate) progress: &'a mut dyn FnMut(u64),
}

/// Reads a file. `progress` receives the number of bytes done, ascending, at last the size.
///
/// # Errors
/// [`ImportError`], always with the file, and with line, column and value where there is one.
pub fn import(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut imported = read_file(source, options, progress).map_err(|error| error.in_file(source.name))?;
    if imported.file.is_empty() {
        source.name.clone_into(&mut imported.file);
    }
    // Readers report now and then; the last report completes the bar.
    progress(source.bytes.len() as u64);
    Ok(imported)
}

/// Reads a document that need not lie in memory: a large CSV is read in chunks.
///
/// # Errors
/// Those of [`import`], and `file-read` when the document cannot be read.
pub fn import_document(
    name: &str,
    document: &dyn ReadAt,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let size = document.size();
    // A snapshot of a larger document could not be published: refused before it is read.
    if size > SNAPSHOT_BYTES_MAX {
        return Err(too_large(size).in_file(name));
    }
    // Only a general CSV is read in chunks; its header shows what it is.
    let head = read_at::read_range(document, 0, size.min(detect::PREFIX_BYTES as u64));
    if head.is_ok_and(|head| is_general_csv(&head, options))
        && let Some(mut imported) = mapped_csv::read_in_chunks(name, document, options, progress)
    {
        name.clone_into(&mut imported.file);
        progress(size);
        return Ok(imported);
    }
    let bytes = read_at::read_range(document, 0, size)
        .map_err(|error| ImportError::new("file-read", error.to_string()).in_file(name))?;
    import(SourceFile { name, bytes: &bytes }, options, progress)
}

/// Whether a file that begins with `head` is a bare CSV without an importer of its own.
fn is_general_csv(head: &[u8], options: &ImportOptions) -> bool {
    let detected = detect::detect_format(head);
    detect::check_file_type(head, detected).is_ok_and(|zipped| !zipped)
        && choose_format(head, options, detected).is_ok_and(|format| format == Format::Csv)
}

fn too_large(size: u64) -> ImportError {
    let message = format!("file too large: {size} bytes, at most {SNAPSHOT_BYTES_MAX} are allowed");
    ImportError::new("file-large", message).hint("take a smaller download, for example one indicator")
}

fn read_file(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    if source.bytes.len() as u64 > SNAPSHOT_BYTES_MAX {
        return Err(too_large(source.bytes.len() as u64));
    }
    let detected = detect::detect_format(source.bytes);
    let zipped = detect::check_file_type(source.bytes, detected)?;
    let format = choose_format(source.bytes, options, detected)?;
    let registration = format.registration();
    let request = ReadRequest { source, options, detected, progress };
    match registration.packaging {
        Packaging::Archive(unpack) if zipped => {
            read_member(request, unpack(source.bytes)?, registration.read_file)
        }
        Packaging::Workbook if !zipped => {
            Err(ImportError::new("file-type", "expected an Excel workbook (.xlsx)"))
        }
        Packaging::Bare if zipped => Err(detect::unexpected_archive(format)),
        _ => (registration.read_file)(request),
    }
}

/// The format that the caller named, or the one that the file shows.
fn choose_format(
    bytes: &[u8],
    options: &ImportOptions,
    detected: Option<Format>,
) -> Result<Format, ImportError> {
    match options.format {
        Some(format) => Ok(format),
        // A mapping describes a CSV or the sheet of a workbook.
        None if options.mapping.is_some() && !detect::is_workbook(bytes) => Ok(Format::Csv),
        None => detected.ok_or_else(|| detect::unrecognised_format(bytes)),
    }
}

/// The data of an archive.
#[derive(Debug)]
pub(crate) struct UnpackedFile {
    /// Name of the data member.
    pub(crate) name: String,
    /// Bytes of the data member.
    pub(crate) data: Vec<u8>,
    /// Another member that explains the data.
    pub(crate) companion: Option<CompanionFile>,
}

/// Reads the data member of an archive as if it were a bare file.
fn read_member(
    request: ReadRequest<'_>,
    unpacked: UnpackedFile,
    read_file: fn(ReadRequest<'_>) -> Result<ImportedTable, ImportError>,
) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let mut options = options.clone();
    // A companion that the caller gives has precedence over the one in the archive.
    if let Some(companion) = unpacked.companion.filter(|file| options.companion(&file.name).is_none()) {
        options.companions.push(companion);
    }
    let file = format!("{}/{}", source.name, unpacked.name);
    let (archive_size, size) = (source.bytes.len() as u64, unpacked.data.len().max(1) as u64);
    // Both factors are below SNAPSHOT_BYTES_MAX, so the product fits.
    let mut scaled = |done: u64| progress(done * archive_size / size);
    let member = SourceFile { name: &unpacked.name, bytes: &unpacked.data };
    let detected = detect::detect_format(member.bytes);
    let request = ReadRequest { source: member, options: &options, detected, progress: &mut scaled };
    detect::check_file_type(member.bytes, detected)
        .and_then(|_| read_file(request))
        .map(|imported| ImportedTable { file: file.clone(), ..imported })
        .map_err(|error| error.in_file(&file))
}

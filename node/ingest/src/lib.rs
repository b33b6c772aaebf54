//! Foreign formats in, a canonical table out: pure bytes → [`Table`].
//!
//! Owns the reading of every [`Format`], from the files of statistical offices to any CSV described
//! by a [`Mapping`], and the writing of a table as CSV. Refuses what it is not sure about: every fault
//! names file, line, column and value, and says what to do. It opens no file, asks no network,
//! knows no clock, and rounds nothing: a number keeps the digits that its source wrote.
//!
//! The same bytes under the same options give the same [`Imported`], on every machine.

// A fault ends the import: it is made once, and its size costs nothing.
#![allow(clippy::result_large_err)]

mod aat1;
mod alfred;
mod archive;
mod areas;
mod bea;
mod block;
mod bls;
mod blscsv;
mod blsjson;
mod cube;
mod detect;
mod document;
mod error;
mod eurosheet;
mod eurostat;
mod export;
mod fedddp;
mod filling;
mod format;
mod fred;
mod fredjson;
mod fredmd;
mod frequency;
mod gaps;
mod heading;
mod json;
mod jsonstat;
mod mapped;
mod mapping;
mod oecddp;
mod ons;
mod panel;
mod plausibility;
mod points;
mod records;
mod sdmx;
mod sheet;
mod shiller;
mod value;
mod worldbank;
mod worldbankjson;
mod xlsx;

pub use areas::{Area, AreaScheme};
pub use detect::detect_format;
pub use document::ReadAt;
pub use error::ImportError;
pub use export::export_csv;
pub use format::Format;
pub use mapping::{ColumnMapping, DateFormat, Mapping};
pub use plausibility::{PlausibilityWarning, check_plausibility};

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemas::limits::SNAPSHOT_BYTES_MAX;
use schemas::period::{Frequency, Period};
use schemas::table::Table;
use schemas::text::Name;

/// The bytes to read.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// File name: named in faults, and the series id where the file itself does not say it.
    pub name: &'a str,
    /// The whole file as downloaded, at most `SNAPSHOT_BYTES_MAX` of it.
    pub bytes: &'a [u8],
}

/// What the caller knows about the file.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The format; detected when absent.
    pub format: Option<Format>,
    /// The frequency of the periods, where the file does not say it; inferred when absent.
    pub frequency: Option<Frequency>,
    /// The area of a series that names none (FRED); `USA` when absent.
    pub area: Option<String>,
    /// The columns of a general CSV.
    pub mapping: Option<Mapping>,
    /// Files that came with it: the `Metadata_Country_*` of a bare World Bank CSV, the lists
    /// `cu.series`, `cu.area` and `cu.item` of a file of BLS.
    pub companions: Vec<CompanionFile>,
    /// Threads that read a large file; as many as the machine has when absent. The result is the
    /// same.
    pub threads: Option<NonZeroUsize>,
}

/// A file that explains another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionFile {
    /// Its name, which says what it is.
    pub name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

impl ImportOptions {
    /// The companion whose name holds `part`; a lone one whatever it is called.
    fn companion(&self, part: &str) -> Option<&CompanionFile> {
        match self.companions.as_slice() {
            [one] => Some(one),
            more => more.iter().find(|companion| companion.name.contains(part)),
        }
    }
}

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTable {
    /// The format that was read.
    pub format: Format,
    /// The observations.
    pub table: Table,
    /// Suggested name: the indicator or series id of the source.
    pub dataflow: Name,
    /// Title as the source has it; the id where the file has no title.
    pub title: String,
    /// Who published it, as far as the file says.
    pub publisher: Option<String>,
    /// The day that the file says it was updated.
    pub vintage: Option<Period>,
    /// Code list of REF_AREA: the codes in the table, sorted.
    pub areas: Vec<Area>,
    /// Code lists of other dimensions, as far as the source names their codes: name by code.
    pub codes: BTreeMap<Name, BTreeMap<String, String>>,
    /// Counts.
    pub summary: ImportSummary,
    /// Name and version of the importer, as in `worldbank/1`.
    pub importer: String,
}

/// What was in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportSummary {
    /// Data rows of the file (not lines: no header, no preamble).
    pub rows: u64,
    /// Data points of the table.
    pub observations: u64,
    /// Cells without a figure.
    pub missing: u64,
    /// The same by how the source writes it, as in `.` or `NA`; the empty text is an empty cell.
    pub missing_spellings: BTreeMap<String, u64>,
    /// Distinct keys without the time.
    pub series: u64,
    /// Earliest period.
    pub first: Option<Period>,
    /// Latest period.
    pub last: Option<Period>,
    /// The frequency, when all periods have one.
    pub frequency: Option<Frequency>,
    /// Areas that are aggregates.
    pub aggregates: u64,
    /// What a person should know before the figures are used, as in `page 2 of 5 is not here`.
    pub notes: Vec<String>,
}

/// Reads a file; `progress` is told the bytes done, ascending, the last time all of them.
///
/// # Errors
/// [`Fault`], always with the file, and with line, column and value where there is one.
pub fn import(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let imported = read(source, options, progress).map_err(|fault| fault.within(source.name))?;
    progress(source.bytes.len() as u64);
    Ok(imported)
}

/// As [`import`], of a document that need not lie in memory: a large CSV is read piece by piece.
///
/// # Errors
/// As [`import`], and `file-read` when it cannot be read.
pub fn import_document(
    name: &str,
    document: &dyn ReadAt,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let size = document.size();
    let head = document::bytes(document, 0, size.min(detect::PREFIX_BYTES as u64));
    let general = |head: Vec<u8>| {
        detect::check(&head).is_ok_and(|zipped| !zipped)
            && choose(SourceFile { name, bytes: &head }, options).is_ok_and(|format| format == Format::Csv)
    };
    if size > SNAPSHOT_BYTES_MAX {
        return Err(large(size).within(name));
    }
    if head.is_ok_and(general)
        && let Some(imported) = mapped::in_pieces(name, document, options, progress)
    {
        progress(size);
        return Ok(imported);
    }
    let bytes = document::bytes(document, 0, size)
        .map_err(|error| ImportError::new("file-read", error.to_string()).within(name))?;
    import(SourceFile { name, bytes: &bytes }, options, progress)
}

fn large(size: u64) -> ImportError {
    let message = format!("file of {size} bytes where at most {SNAPSHOT_BYTES_MAX} are allowed");
    ImportError::new("file-large", message).hint("take a smaller download, for example one indicator")
}

fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    if source.bytes.len() as u64 > SNAPSHOT_BYTES_MAX {
        return Err(large(source.bytes.len() as u64));
    }
    let zipped = detect::check(source.bytes)?;
    match choose(source, options)? {
        Format::Xlsx if zipped => xlsx::read(source, options, progress),
        Format::Xlsx => Err(ImportError::new("file-type", "expected an Excel workbook (.xlsx)")),
        Format::WorldBank if zipped => archived(source, options, progress),
        Format::WorldBank => worldbank::read(source, metadata(options), progress),
        other if zipped => Err(detect::not_zipped(other)),
        Format::Fred => fred::read(source, options, progress),
        Format::WorldBankJson => worldbankjson::read(source),
        Format::Bls => bls::read(source, options, progress),
        Format::BlsJson => blsjson::read(source),
        Format::BlsCsv => blscsv::read(source, progress),
        Format::FredJson => fredjson::read(source, options),
        Format::BlsTable => aat1::read(source, options),
        Format::Eurostat => eurostat::read(source, progress),
        Format::Ons => ons::read(source, options, progress),
        Format::FedDdp => fedddp::read(source, options, progress),
        Format::OecdDp => oecddp::read(source, progress),
        Format::FredMd => fredmd::read(source, options, progress),
        Format::Bea => bea::read(source, options, progress),
        Format::Shiller => shiller::read(source, options, progress),
        Format::SdmxMl => sdmx::ml::read(source, options, progress),
        Format::SdmxJson => sdmx::json::read(source, options, progress),
        Format::SdmxCsv => sdmx::csv::read(source, options, progress),
        Format::JsonStat => jsonstat::read(source, options, progress),
        Format::Csv => mapped::read(source, options, progress),
    }
}

/// The format asked for, or the one that the file shows.
fn choose(source: SourceFile<'_>, options: &ImportOptions) -> Result<Format, ImportError> {
    match options.format {
        Some(format) => Ok(format),
        None if options.mapping.is_some() && !detect::is_workbook(source.bytes) => Ok(Format::Csv),
        None => detect_format(source.name, source.bytes).ok_or_else(|| detect::unknown(source.bytes)),
    }
}

/// The country metadata beside a World Bank file.
fn metadata(options: &ImportOptions) -> Option<&[u8]> {
    options.companion("Metadata_Country").map(|companion| companion.bytes.as_slice())
}

/// The World Bank ZIP as served: the data member, with the country metadata beside it.
fn archived(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let archive = archive::open(source.bytes)?;
    let file = format!("{}/{}", source.name, archive.name);
    let metadata = metadata(options).or(archive.metadata.as_deref());
    let (whole, size) = (source.bytes.len() as u64, archive.data.len().max(1) as u64);
    // Both factors are below SNAPSHOT_BYTES_MAX, so the product fits.
    let mut scaled = |done: u64| progress(done * whole / size);
    let member = SourceFile { name: &archive.name, bytes: &archive.data };
    detect::check(member.bytes)
        .and_then(|_| worldbank::read(member, metadata, &mut scaled))
        .map_err(|fault| fault.within(&file))
}

//! Source documents and tables, loaded from files or from the network.

use std::collections::BTreeSet;
use std::path::Path;

use ingest::{ColumnMapping, CompanionFile, Format, ImportOptions, ImportedTable, Mapping};
use schemas::limits::SNAPSHOT_BYTES_MAX;
use schemas::object::Structure;
use schemas::period::Frequency;
use schemas::structure::{Component, ComponentList};
use submit::{DatasetDraft, DatasetRequest, SourceDocument};

use crate::args::{GlobalArgs, ImportArgs};
use crate::error::CommandError;
use crate::output::Printer;
use crate::remote_source::{self, DownloadRecord, FetchedDocument, ImportSource};

/// The documents that a command line names.
pub struct ImportInput {
    /// The source documents: one, or the pages of one response.
    pub documents: Vec<SourceDocument>,
    /// Its format, when the command line states it; detected otherwise.
    pub format: Option<Format>,
    /// Further files that explain its codes.
    pub companions: Vec<CompanionFile>,
    /// Record of the download; absent for a local file.
    pub download: Option<DownloadRecord>,
}

impl ImportInput {
    /// Reads a local file.
    ///
    /// # Errors
    /// As [`read_file`].
    pub fn from_file(format: Option<Format>, path: &Path) -> Result<Self, CommandError> {
        let document = SourceDocument { name: file_name(path), bytes: read_file(path)?, origin: None };
        Ok(Self { documents: vec![document], format, companions: Vec::new(), download: None })
    }

    /// Adds a file that belongs to the first one.
    fn add_file(&mut self, path: &Path) -> Result<(), CommandError> {
        let bytes = read_file(path)?;
        let is_json = |bytes: &[u8]| matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        let name = file_name(path);
        // Pages of a JSON API form one response; any other file explains the first one.
        if self.documents.first().is_some_and(|first| is_json(&first.bytes)) && is_json(&bytes) {
            self.documents.push(SourceDocument { name, bytes, origin: None });
        } else {
            self.companions.push(CompanionFile { name, bytes });
        }
        Ok(())
    }

    /// Returns the name to show: the path as typed, or the name at the source.
    pub fn display_name<'a>(&'a self, args: &'a ImportArgs) -> &'a str {
        let name = self.documents.first().map_or("", |document| &document.name);
        let typed = args.source.iter().find(|word| word.ends_with(name));
        match (&self.download, typed) {
            (None, Some(path)) => path,
            _ => name,
        }
    }

    /// Prepares the data set of the document, with the labels and options of the command line.
    ///
    /// # Errors
    /// As [`submit::draft_dataset`], and when a flag has an invalid value.
    pub fn draft(&self, args: &ImportArgs, printer: &Printer) -> Result<DatasetDraft, CommandError> {
        let request = DatasetRequest {
            options: importer_options(args, self.format, self.companions.clone())?,
            dataflow: args.dataflow.clone(),
            title: args.title.clone(),
            unit: args.unit.clone(),
            url: args.url.clone(),
            agency: args.agency.clone(),
            licence: args.licence.clone(),
            stated: args.stated,
        };
        let bar = documents_bar(&self.documents, printer);
        let draft = submit::draft_dataset(&self.documents, &request, &mut |done| bar.set_position(done));
        bar.finish_and_clear();
        Ok(draft?)
    }
}

/// Loads the documents that the command line names.
///
/// # Errors
/// When a file is missing, unreadable or too large, and each error of the fetcher.
pub fn load_import_input(
    global: &GlobalArgs,
    args: &ImportArgs,
    printer: &Printer,
) -> Result<ImportInput, CommandError> {
    match remote_source::parse_import_source(args)? {
        ImportSource::Remote(source) => {
            let fetched = remote_source::fetch_remote_source(global, args, &source, printer)?;
            let FetchedDocument { document, download } = fetched;
            Ok(ImportInput {
                documents: vec![document],
                format: None,
                companions: Vec::new(),
                download: Some(download),
            })
        }
        ImportSource::File { format, paths } => {
            let (first, more) = paths
                .split_first()
                .ok_or_else(|| CommandError::usage("usage", "expected a file to import"))?;
            let mut input = ImportInput::from_file(format, first)?;
            more.iter().chain(&args.metadata).try_for_each(|path| input.add_file(path))?;
            Ok(input)
        }
    }
}

/// Options of the importer, from the flags.
///
/// # Errors
/// When the frequency or the mapping is invalid.
pub fn importer_options(
    args: &ImportArgs,
    format: Option<Format>,
    companions: Vec<CompanionFile>,
) -> Result<ImportOptions, CommandError> {
    let frequency = args.frequency.as_deref().map(|code| {
        Frequency::from_code(code).ok_or_else(|| {
            CommandError::usage("frequency", format!("`{code}` is not a frequency"))
                .hint("frequencies: A (annual), S (half-yearly), Q (quarterly), M, W and D")
        })
    });
    Ok(ImportOptions {
        format,
        frequency: frequency.transpose()?,
        area: args.area.clone(),
        mapping: load_mapping(args)?,
        companions,
        threads: None,
    })
}

fn load_mapping(args: &ImportArgs) -> Result<Option<Mapping>, CommandError> {
    if let Some(path) = &args.mapping {
        let name = path.display().to_string();
        let text = String::from_utf8(read_file(path)?)
            .map_err(|_| CommandError::usage("mapping", format!("`{name}` is not UTF-8 text")))?;
        return Ok(Some(Mapping::parse(&name, &text)?));
    }
    if args.map.is_empty() {
        return Ok(None);
    }
    let columns = args.map.iter().map(|flag| flag.parse());
    let columns = columns.collect::<Result<Vec<ColumnMapping>, ingest::ImportError>>()?;
    Ok(Some(Mapping { columns, ..Mapping::default() }))
}

/// Reads a whole file within the bound of a source document, `SNAPSHOT_BYTES_MAX`.
///
/// # Errors
/// When the file is missing, unreadable or too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>, CommandError> {
    match node::data_directory::read_bounded(path, SNAPSHOT_BYTES_MAX) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            let message = format!("`{}` is larger than {SNAPSHOT_BYTES_MAX} bytes", path.display());
            Err(CommandError::usage("file-large", message).hint("split it by series or by period"))
        }
        Err(error) => Err(file_error(path, error)),
    }
}

/// The error of a file that cannot be opened.
fn file_error(path: &Path, error: node::data_directory::Error) -> CommandError {
    match error {
        node::data_directory::Error::Io { .. } if !path.exists() => {
            CommandError::not_found(error.to_string())
        }
        _ => CommandError::usage("file", error.to_string()),
    }
}

/// The name of a file without its folders.
fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Loads a local file as an input of a run that is not published. `expected` is the structure that the
/// recipe declares: it decides the types of columns where the file does not, such as whole numbers that
/// are identifiers.
///
/// # Errors
/// Each error of the importer.
pub fn load_input_table(
    path: &Path,
    expected: Option<&ComponentList>,
    printer: &Printer,
) -> Result<ledger::compute::InputData, CommandError> {
    let mut imported = import_file(path, &ImportOptions::default(), printer)?;
    if let Some(mapping) = expected.and_then(|expected| retype_columns(imported.table.shape(), expected)) {
        let options = ImportOptions { mapping: Some(mapping), ..ImportOptions::default() };
        // A file that does not fit these types stays as it was read: the run reports the mismatch.
        imported = import_file(path, &options, printer).unwrap_or(imported);
    }
    let codes = imported.code_lists()?;
    let structure = Structure { components: imported.table.shape().clone(), codes };
    Ok(ledger::compute::InputData { structure, table: imported.table })
}

/// A file that the importer reads in parts.
struct SeekableFile(node::data_directory::RandomAccessFile);

impl ingest::ReadAt for SeekableFile {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        self.0.read_at(at, into)
    }
}

/// Imports a file, a regular one in parts.
fn import_file(
    path: &Path,
    options: &ImportOptions,
    printer: &Printer,
) -> Result<ImportedTable, CommandError> {
    let name = file_name(path);
    // A pipe has no size and no offsets: it is read as a whole.
    if !path.is_file() {
        let document = SourceDocument { name, bytes: read_file(path)?, origin: None };
        return import_documents(&[document], options, printer);
    }
    let file = SeekableFile(
        node::data_directory::RandomAccessFile::open(path).map_err(|error| file_error(path, error))?,
    );
    let bar = printer.progress_bar(file.0.size(), &name);
    let imported = ingest::import_document(&name, &file, options, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(imported?)
}

/// The progress of reading documents.
fn documents_bar(documents: &[SourceDocument], printer: &Printer) -> indicatif::ProgressBar {
    let bytes = documents.iter().map(|document| document.bytes.len() as u64).sum();
    printer.progress_bar(bytes, documents.first().map_or("", |document| &document.name))
}

/// Imports documents without preparing a data set.
///
/// # Errors
/// Each error of the importer.
pub fn import_documents(
    documents: &[SourceDocument],
    options: &ImportOptions,
    printer: &Printer,
) -> Result<ImportedTable, CommandError> {
    let bar = documents_bar(documents, printer);
    let imported = submit::dataset::import_documents(documents, options, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(imported?)
}

/// A mapping that gives the columns of a file their expected types; none when the names differ, or the
/// types agree already.
fn retype_columns(found: &ComponentList, expected: &ComponentList) -> Option<Mapping> {
    let ids =
        |shape: &ComponentList| shape.components().iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>();
    // Missing or additional columns are not a question of types; the run reports them.
    if found == expected || ids(found) != ids(expected) {
        return None;
    }
    let column = |one: &Component| ColumnMapping {
        role: Some(one.role),
        value_type: Some(one.value_type),
        ..ColumnMapping::column(one.id.as_str(), one.id.clone())
    };
    Some(Mapping { columns: expected.components().iter().map(column).collect(), ..Mapping::default() })
}

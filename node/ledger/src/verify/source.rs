//! Data sets against their source: documents are read again, releases above are run again
//! (specs/bundle.md, section 3, rules 13 and 14).

use std::collections::BTreeSet;
use std::sync::Arc;

use ingest::{CompanionFile, Format, ImportOptions, ImportedTable, SourceFile};
use schemas::cid::{DatasetId, ReleaseId, SnapshotId};
use schemas::object::{Dataset, Import, Provenance, Reader, Release, Snapshot, Structure};
use schemas::table::Table;
use schemas::text::{Name, Text};
use schemas::verdict::{ComparedTable, Divergence, DocumentPosition};

use super::comparison::{Comparison, compare_tables, count_cells, form_divergence};
use super::{ChainLink, Stop, Verifier};
use crate::compute::{InputData, OutputFigures};

/// A data set compared with its source.
#[derive(Debug)]
pub(super) struct DatasetCheck {
    /// The data that its source gives; its own data when it has none.
    pub(super) data: Arc<InputData>,
    /// Its data beside those of its source.
    pub(super) comparison: Comparison,
    /// The documents that were read, with those of the releases above.
    pub(super) documents: BTreeSet<SnapshotId>,
    /// The data sets without a document, with those of the releases above.
    pub(super) stated: BTreeSet<DatasetId>,
}

/// The documents of an import in memory.
struct LoadedDocuments {
    /// Names of the documents and their lines.
    pages: Vec<(String, u64)>,
    /// All documents as one text.
    bytes: Vec<u8>,
    options: ImportOptions,
}

impl Verifier<'_> {
    /// Compares a data set with its source.
    ///
    /// # Errors
    /// Every verdict that is not a difference.
    pub(super) fn check_dataset(&mut self, id: DatasetId, depth: usize) -> Result<Arc<DatasetCheck>, Stop> {
        if let Some(check) = self.datasets.get(&id) {
            return Ok(Arc::clone(check));
        }
        let dataset: Dataset = self.read(id.cid())?;
        let own = self.unpack_content(dataset.content)?;
        let check = match &dataset.provenance {
            Provenance::Import(import) => self.check_import(id, import, &own)?,
            Provenance::Release { release, output } => {
                self.check_output(id, (*release, output), &own, depth)?
            }
            Provenance::Stated => DatasetCheck {
                data: own,
                comparison: Comparison::default(),
                documents: BTreeSet::new(),
                stated: BTreeSet::from([id]),
            },
        };
        let check = Arc::new(check);
        self.chain.push(ChainLink::Dataset { id, comparison: check.comparison.clone() });
        self.datasets.insert(id, Arc::clone(&check));
        Ok(check)
    }

    /// Reads the documents of a data set again and compares every cell.
    fn check_import(
        &self,
        id: DatasetId,
        import: &Import,
        own: &Arc<InputData>,
    ) -> Result<DatasetCheck, Stop> {
        self.check_stop()?;
        let documents = self.load_documents(import)?;
        let name = documents.pages.first().map_or("", |(name, _)| name);
        let source = SourceFile { name, bytes: &documents.bytes };
        let read = ingest::import(source, &documents.options, &mut |_| ());
        let imported = read.map_err(|error| reader_stop(id, &import.reader, &error.to_string()))?;
        let codes = imported.code_lists();
        let codes = codes.map_err(|error| reader_stop(id, &import.reader, &error.to_string()))?;
        let structure = Structure { components: imported.table.shape().clone(), codes };
        let name = ComparedTable::Dataset(id);
        let mut comparison = compare_data(&name, own, (&structure, &imported.table));
        if let Some(first) = comparison.first.as_mut() {
            first.position = locate_divergence(&documents, &imported, first);
        }
        // Another version of a reader may read otherwise: that says nothing about the data set.
        if comparison.count > 0 && !is_own_version(&import.reader) {
            let message = comparison.first.map(|first| first.to_string()).unwrap_or_default();
            return Err(reader_stop(id, &import.reader, &message));
        }
        let data = match comparison.count {
            0 => Arc::clone(own),
            _ => Arc::new(InputData { structure, table: imported.table }),
        };
        Ok(DatasetCheck {
            data,
            comparison,
            documents: import.snapshots().collect(),
            stated: BTreeSet::new(),
        })
    }

    /// Loads the documents of an import with the options for their reader.
    fn load_documents(&self, import: &Import) -> Result<LoadedDocuments, Stop> {
        let format = Format::from_code(import.reader.format.as_str());
        let mut companions = Vec::new();
        for id in &import.companions {
            let snapshot: Snapshot = self.read(id.cid())?;
            let bytes = self.read_document(&snapshot)?;
            companions.push(CompanionFile { name: snapshot.name.to_string(), bytes });
        }
        let options =
            format.and_then(|format| ImportOptions::from_reader_options(format, &import.options, companions));
        let Some(options) = options else {
            let message = format!(
                "this program cannot read the documents again: it has no reader `{}` for them",
                import.reader
            );
            return Err(Stop::not_run("reader", &message));
        };
        let mut pages = Vec::new();
        let mut texts = Vec::new();
        for id in &import.documents {
            let snapshot: Snapshot = self.read(id.cid())?;
            let text = self.read_document(&snapshot)?;
            let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count() as u64;
            pages.push((snapshot.name.to_string(), lines));
            texts.push(text);
        }
        let slices: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let bytes = ingest::join_documents(&slices).into_owned();
        Ok(LoadedDocuments { pages, bytes, options })
    }

    /// Runs the release above again and compares its output with the data set.
    fn check_output(
        &mut self,
        id: DatasetId,
        (release, output): (ReleaseId, &Name),
        own: &Arc<InputData>,
        depth: usize,
    ) -> Result<DatasetCheck, Stop> {
        let stated: Release = self.read(release.cid())?;
        if !stated.results.contains_key(output) {
            let message = format!("its release has no output `{output}`");
            return Err(Stop::invalid(id.cid(), "object", &message));
        }
        let above = self.check_release(release, depth + 1)?;
        let name = ComparedTable::Dataset(id);
        let (data, comparison) = match above.figures.get(output) {
            Some(figures) => {
                let OutputFigures { structure, table, .. } = figures;
                let comparison = compare_data(&name, own, (structure, table));
                let data = match comparison.count {
                    0 => Arc::clone(own),
                    _ => Arc::new(InputData { structure: structure.clone(), table: table.clone() }),
                };
                (data, comparison)
            }
            // The release above differs, and its recipe does not run on what its documents give.
            None => {
                let first = Some(form_divergence(&name));
                (Arc::clone(own), Comparison { first, count: 1, ..Comparison::default() })
            }
        };
        let (documents, stated) = (above.documents.clone(), above.stated.clone());
        Ok(DatasetCheck { data, comparison, documents, stated })
    }
}

/// Compares the structure and the rows of a data set with those of its source.
fn compare_data(
    name: &ComparedTable,
    own: &InputData,
    (structure, table): (&Structure, &Table),
) -> Comparison {
    if own.structure == *structure && own.table == *table {
        let cells = count_cells(&own.table);
        return Comparison { cells, same_shape: true, ..Comparison::default() };
    }
    let mut comparison = compare_tables(name, &own.table, table);
    // Equal cells under other code lists or with other digits are other data with another id.
    if comparison.count == 0 {
        comparison.count = 1;
        comparison.first = Some(form_divergence(name));
    }
    comparison
}

/// Whether this program has the version of a reader that a data set names.
fn is_own_version(reader: &Reader) -> bool {
    Format::from_code(reader.format.as_str()).is_some_and(|format| format.version() == reader.version)
}

/// The verdict on documents that cannot be read, or that another version of a reader reads otherwise.
fn reader_stop(id: DatasetId, reader: &Reader, message: &str) -> Stop {
    if is_own_version(reader) {
        return Stop::invalid(id.cid(), "reader", &format!("its documents cannot be read: {message}"));
    }
    let own = Format::from_code(reader.format.as_str()).map(Format::version).unwrap_or_default();
    Stop::not_run(
        "reader-version",
        &format!(
            "data set {id} was read by {reader}; this program has version {own} of this reader, which reads \
             its documents otherwise: {message}"
        ),
    )
}

/// The place of a differing cell in the documents. A data point that the documents lack has only their name.
fn locate_divergence(
    documents: &LoadedDocuments,
    imported: &ImportedTable,
    first: &Divergence,
) -> Option<DocumentPosition> {
    if first.key.is_empty() && first.component.is_none() {
        return None;
    }
    let component = first.component.as_ref().map(Name::as_str);
    let row = (0..imported.table.rows()).find(|row| imported.table.key(*row) == first.key);
    let Some(row) = row else {
        return Some(DocumentPosition {
            file: Text::new(imported.file.as_str()).ok()?,
            line: None,
            column: None,
        });
    };
    let found = imported.locate_cell(&documents.bytes, &documents.options, row, component);
    let (file, line) = documents.page_at(found.file, found.line);
    Some(DocumentPosition {
        file: Text::new(file).ok()?,
        line,
        column: found.column.and_then(|column| Text::new(column).ok()),
    })
}

impl LoadedDocuments {
    /// The document of several that has a line of the joined text, and the line in it.
    fn page_at(&self, file: String, line: Option<u64>) -> (String, Option<u64>) {
        let Some(mut rest) = line.filter(|_| self.pages.len() > 1) else { return (file, line) };
        for (name, lines) in &self.pages {
            if rest <= *lines {
                return (name.clone(), Some(rest));
            }
            rest -= lines;
        }
        (file, line)
    }
}

//! From a source document to the blocks of a data set.
//!
//! [`draft_dataset`] reads the document and makes the objects; [`DatasetDraft::review`] compares the
//! draft with the previous version and records what is implausible; [`DatasetDraft::encode`] gives the
//! bytes to sign.

use ingest::{ImportOptions, ImportedTable, PlausibilityWarning, SourceFile};
use ledger::revision::{Revision, compare_versions};
use schemas::cid::{ContentId, PieceId, SnapshotId};
use schemas::content::{self, Block, encode_block};
use schemas::digest::DocumentDigests;
use schemas::limits::PIECE_BYTES_MAX;
use schemas::object::{Dataset, Import, Provenance, Snapshot, encode_object};
use schemas::table::Table;
use schemas::text::{Line, Name, to_line};

use crate::SubmitError;

/// Characters of a plausibility warning before the count of further series. The field holds 512
/// bytes; a character takes at most four.
const WARNING_CHARS_MAX: usize = 110;

/// A source document and its origin.
#[derive(Debug, Clone)]
pub struct SourceDocument {
    /// File name, without folders.
    pub name: String,
    /// The whole document, at most `SNAPSHOT_BYTES_MAX` bytes.
    pub bytes: Vec<u8>,
    /// Origin of a document that was fetched; absent for a local file.
    pub origin: Option<DocumentOrigin>,
}

/// Origin of a fetched document, as the fetcher recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentOrigin {
    /// Address of the source, without API keys.
    pub url: String,
    /// Time of the fetch, in seconds since 1970-01-01T00:00:00Z.
    pub fetched: i64,
    /// Media type of the document.
    pub media_type: String,
    /// Agency that serves the source, when it is a known one.
    pub agency: Option<String>,
}

/// Statements of the publisher about a document. They take precedence over the document and its origin.
#[derive(Debug, Clone, Default)]
pub struct DatasetRequest {
    /// ImportOptions of the importer.
    pub options: ImportOptions,
    /// Name of the dataflow.
    pub dataflow: Option<String>,
    /// Title of the data set.
    pub title: Option<String>,
    /// Unit of the figures.
    pub unit: Option<String>,
    /// Address that the document was downloaded from.
    pub url: Option<String>,
    /// Agency that published the document.
    pub agency: Option<String>,
    /// Licence of the document.
    pub licence: Option<String>,
    /// Whether the publisher states the data itself: the document is then not published.
    pub stated: bool,
}

/// A data set before it is signed.
#[derive(Debug, Clone)]
pub struct DatasetDraft {
    /// The imported document.
    pub imported: ImportedTable,
    /// The object to sign.
    pub dataset: Dataset,
    /// The snapshots of the source documents, then those of their companions; none for stated data.
    pub snapshots: Vec<Snapshot>,
    /// Blocks that the object depends on: pieces of the documents, content, snapshots.
    pub blocks: Vec<Block>,
    /// Plausibility warnings, from [`DatasetDraft::review`].
    pub warnings: Vec<PlausibilityWarning>,
    /// Changes against the previous version; absent when there is none or it has other identifiers.
    pub revision: Option<Revision>,
}

/// Reads source documents and makes the objects of their data set. Several documents are pages of one
/// response, read as one text.
///
/// `progress` receives the number of bytes read so far.
///
/// # Errors
/// [`SubmitError::Import`] when the document cannot be read, [`SubmitError::Text`] and
/// [`SubmitError::Object`] when a name, a text or a code list is out of bounds.
pub fn draft_dataset(
    documents: &[SourceDocument],
    request: &DatasetRequest,
    progress: &mut dyn FnMut(u64),
) -> Result<DatasetDraft, SubmitError> {
    let imported = import_documents(documents, &request.options, progress)?;
    let (content, mut blocks) = content::pack_table(&imported.table, imported.code_lists()?)?;
    let mut snapshots = Vec::new();
    let provenance = if request.stated {
        Provenance::Stated
    } else {
        let import = build_import(documents, request, &imported, &mut snapshots, &mut blocks)?;
        Provenance::Import(import)
    };
    let dataset = Dataset {
        dataflow: request.dataflow.as_deref().map_or_else(|| Ok(imported.dataflow.clone()), Name::new)?,
        title: Line::new(request.title.as_deref().unwrap_or(&imported.title))?,
        unit: request.unit.as_deref().map(Line::new).transpose()?,
        content,
        provenance,
        plausibility_warnings: Vec::new(),
    };
    Ok(DatasetDraft { imported, dataset, snapshots, blocks, warnings: Vec::new(), revision: None })
}

/// Reads source documents without making objects, for example to compare them with signed ones.
///
/// # Errors
/// [`SubmitError::Import`].
pub fn import_documents(
    documents: &[SourceDocument],
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, SubmitError> {
    let name = documents.first().map_or("", |document| &document.name);
    let texts: Vec<&[u8]> = documents.iter().map(|document| document.bytes.as_slice()).collect();
    let bytes = ingest::join_documents(&texts);
    Ok(ingest::import(SourceFile { name, bytes: &bytes }, options, progress)?)
}

/// Builds the provenance of a data set: snapshots of the documents and companions, the reader and its
/// options, so that a verifier can read them again.
fn build_import(
    documents: &[SourceDocument],
    request: &DatasetRequest,
    imported: &ImportedTable,
    snapshots: &mut Vec<Snapshot>,
    blocks: &mut Vec<Block>,
) -> Result<Import, SubmitError> {
    let mut store = |document: &SourceDocument| -> Result<SnapshotId, SubmitError> {
        let (snapshot, pieces) = build_snapshot(document, request, imported)?;
        let (id, block) = encode_block(&snapshot)?;
        blocks.extend(pieces);
        blocks.push(block);
        snapshots.push(snapshot);
        Ok(id)
    };
    let documents = documents.iter().map(&mut store).collect::<Result<Vec<_>, _>>()?;
    let companions = request.options.companions.iter().map(|companion| {
        let (name, bytes) = (companion.name.clone(), companion.bytes.clone());
        store(&SourceDocument { name, bytes, origin: None })
    });
    Ok(Import {
        documents,
        companions: companions.collect::<Result<_, _>>()?,
        reader: imported.format.reader()?,
        options: request.options.reader_options()?,
    })
}

impl DatasetDraft {
    /// Compares the draft with the previous version of the data set, and records plausibility
    /// warnings in the object.
    ///
    /// # Errors
    /// [`SubmitError::Text`] when a warning does not fit its field.
    pub fn review(&mut self, previous: Option<&Table>) -> Result<(), SubmitError> {
        let areas = &self.imported.areas;
        let is_aggregate = |code: &str| areas.iter().any(|area| area.code == code && area.aggregate);
        let unit = self.dataset.unit.as_ref().map(ToString::to_string).unwrap_or_default();
        let labels = format!("{} {} {unit}", self.dataset.dataflow, self.dataset.title);
        self.warnings = ingest::check_plausibility(&self.imported.table, &labels, previous, is_aggregate);
        let texts = self.warnings.iter().map(|warning| Line::new(format_warning(warning)));
        self.dataset.plausibility_warnings = texts.collect::<Result<_, _>>()?;
        // A version with other identifiers is no revision: `revision` refuses to compare the two.
        self.revision = previous.and_then(|previous| compare_versions(previous, &self.imported.table).ok());
        Ok(())
    }

    /// Encodes the object to sign.
    ///
    /// # Errors
    /// [`SubmitError::Object`].
    pub fn encode(&self) -> Result<Vec<u8>, SubmitError> {
        Ok(encode_object(&self.dataset)?)
    }
}

/// Formats a plausibility warning as one line, as it stands in the data set.
pub fn format_warning(warning: &PlausibilityWarning) -> String {
    let more = match warning.series {
        0 | 1 => String::new(),
        series => format!(" (and {} more series)", series - 1),
    };
    // Keys of a foreign file have any length; the field has a bound.
    let text: String =
        to_line(&format!("{}: {}", warning.code, warning.message)).chars().take(WARNING_CHARS_MAX).collect();
    // Cut between words, the text ends with a blank, and a line does not.
    text.trim_end().to_owned() + &more
}

/// Computes the content id of an imported table, that is of its figures without their source.
///
/// # Errors
/// As [`draft_dataset`].
pub fn content_id(imported: &ImportedTable) -> Result<ContentId, SubmitError> {
    Ok(content::pack_table(&imported.table, imported.code_lists()?)?.0)
}

/// Builds the snapshot of a document and the blocks of its pieces.
fn build_snapshot(
    document: &SourceDocument,
    request: &DatasetRequest,
    imported: &ImportedTable,
) -> Result<(Snapshot, Vec<Block>), SubmitError> {
    let bytes = document.bytes.as_slice();
    let digests = DocumentDigests::of(bytes);
    let pieces: Vec<(PieceId, &[u8])> =
        bytes.chunks(PIECE_BYTES_MAX).map(|piece| (PieceId::of(piece), piece)).collect();
    let origin = document.origin.as_ref();
    let media_type = origin.map_or(guess_media_type(bytes, &document.name), |origin| &origin.media_type);
    let url = request.url.as_deref().or(origin.map(|origin| origin.url.as_str()));
    // The publisher knows best, then the document itself, then the host that served it.
    let agency = request.agency.as_deref().or(imported.publisher.as_deref());
    let agency = agency.or(origin.and_then(|origin| origin.agency.as_deref()));
    let snapshot = Snapshot {
        name: Line::new(to_line(&document.name))?,
        media_type: Line::new(to_line(media_type))?,
        size: bytes.len() as u64,
        blake3: digests.blake3,
        sha256: digests.sha256,
        pieces: pieces.iter().map(|(id, _)| *id).collect(),
        url: url.map(Line::new).transpose()?,
        fetched: origin.map(|origin| origin.fetched),
        agency: agency.map(Line::new).transpose()?,
        licence: request.licence.as_deref().map(Line::new).transpose()?,
    };
    let blocks = pieces.into_iter().map(|(id, piece)| (id.cid(), piece.to_vec())).collect();
    Ok((snapshot, blocks))
}

/// Guesses the media type of a local file from its first bytes.
fn guess_media_type(bytes: &[u8], name: &str) -> &'static str {
    match bytes.trim_ascii_start() {
        [b'P', b'K', ..] if name.ends_with(".xlsx") => {
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        }
        [b'P', b'K', ..] => "application/zip",
        [b'{' | b'[', ..] => "application/json",
        [b'<', ..] => "application/xml",
        text => match text.split(|byte| *byte == b'\n').next() {
            Some(line) if line.contains(&b'\t') => "text/tab-separated-values",
            _ => "text/csv",
        },
    }
}

#[cfg(test)]
mod tests {
    use ingest::Format;
    use schemas::object::decode_object;

    use super::*;

    const PRICES: &str = "REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2009,98.5\nFRA,2010,100\nDEU,2010,100\n";

    fn draft(origin: Option<DocumentOrigin>, request: &DatasetRequest) -> DatasetDraft {
        let document = SourceDocument { name: "prices.csv".into(), bytes: PRICES.into(), origin };
        draft_dataset(&[document], request, &mut |_| ()).unwrap()
    }

    #[test]
    fn a_local_file_becomes_a_data_set() {
        let draft = draft(None, &DatasetRequest::default());
        assert_eq!(draft.imported.format, Format::Csv);
        assert_eq!((draft.dataset.dataflow.as_str(), draft.dataset.title.as_str()), ("prices", "prices"));
        let snapshot = &draft.snapshots[0];
        assert_eq!((snapshot.media_type.as_str(), snapshot.fetched), ("text/csv", None));
        assert_eq!(content_id(&draft.imported), Ok(draft.dataset.content));
        let Provenance::Import(import) = &draft.dataset.provenance else { panic!("an import") };
        let (_, bytes) = draft.blocks.iter().find(|(id, _)| *id == import.documents[0].cid()).unwrap();
        assert_eq!(decode_object::<Snapshot>(bytes), Ok(snapshot.clone()));
        let pieces = snapshot.pieces.iter().map(|piece| piece.cid());
        assert!(pieces.into_iter().all(|piece| draft.blocks.iter().any(|(id, _)| *id == piece)));
    }

    #[test]
    fn the_publisher_takes_precedence_over_the_origin() {
        let origin = DocumentOrigin {
            url: "https://example.org/prices.csv".into(),
            fetched: 7,
            media_type: "text/plain".into(),
            agency: Some("Host".into()),
        };
        let request = DatasetRequest {
            dataflow: Some("CPI".into()),
            agency: Some("Statistics Office".into()),
            ..DatasetRequest::default()
        };
        let draft = draft(Some(origin), &request);
        let snapshot = &draft.snapshots[0];
        let agency = snapshot.agency.as_ref().map(Line::as_str);
        let url = snapshot.url.as_ref().map(Line::as_str);
        assert_eq!(draft.dataset.dataflow.as_str(), "CPI");
        assert_eq!(agency, Some("Statistics Office"));
        assert_eq!(url, Some("https://example.org/prices.csv"));
        assert_eq!((snapshot.media_type.as_str(), snapshot.fetched), ("text/plain", Some(7)));
    }

    #[test]
    fn a_review_records_warnings_and_the_revision() {
        let request = DatasetRequest { dataflow: Some("CPI".into()), ..DatasetRequest::default() };
        let rates = "REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2000,1.5\nUSA,2001,-0.4\nUSA,2002,2\n";
        let document = SourceDocument { name: "cpi.csv".into(), bytes: rates.into(), origin: None };
        let mut draft = draft_dataset(&[document], &request, &mut |_| ()).unwrap();
        let previous = draft.imported.table.clone();
        draft.review(Some(&previous)).unwrap();
        assert_eq!(draft.warnings.first().map(|warning| warning.code), Some("not-an-index"));
        assert!(draft.dataset.plausibility_warnings[0].as_str().starts_with("not-an-index: "));
        assert_eq!(draft.revision.map(|revision| (revision.revised, revision.same)), Some((0, 3)));
    }

    #[test]
    fn names_out_of_bounds_are_refused() {
        let document = SourceDocument { name: "prices.csv".into(), bytes: PRICES.into(), origin: None };
        let request = DatasetRequest { dataflow: Some("a/b".into()), ..DatasetRequest::default() };
        let refused = draft_dataset(&[document], &request, &mut |_| ()).unwrap_err();
        assert!(matches!(refused, SubmitError::Text(_)), "{refused:?}");
    }
}

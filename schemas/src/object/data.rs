//! Data and their provenance: source documents, structures, contents, data sets.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ObjectType;
use super::reader::{Reader, ReaderOptions};
use crate::cid::{ChunkId, Cid, ContentId, DatasetId, PieceId, ReleaseId, SnapshotId, StructureId};
use crate::structure::ComponentList;
use crate::text::{Line, Name};

/// Chunks of one content: as many links as fit into a block.
pub const CHUNKS_MAX: usize = 16_384;
/// Plausibility warnings of one data set: one for each check.
pub const PLAUSIBILITY_WARNINGS_MAX: usize = 16;
/// Documents and companions of one data set.
pub const DOCUMENTS_MAX: usize = 64;
/// Codes of all code lists of one structure.
pub const CODES_MAX: usize = 16_384;

/// A complete source document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The name of the file.
    pub name: Line<256>,
    /// Media type (RFC 6838), such as `text/csv`.
    pub media_type: Line<128>,
    /// Bytes of the whole document.
    pub size: u64,
    /// BLAKE3-256 of the whole document.
    #[serde(with = "serde_bytes")]
    pub blake3: [u8; 32],
    /// SHA-256 (FIPS 180-4) of the whole document, for comparison with digests that agencies publish.
    #[serde(with = "serde_bytes")]
    pub sha256: [u8; 32],
    /// The document in pieces of `PIECE_BYTES_MAX` bytes, the last one shorter.
    pub pieces: Vec<PieceId>,
    /// URL that it was fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Line<1024>>,
    /// Time of the fetch as claimed by the publisher: seconds since 1970-01-01T00:00:00Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched: Option<i64>,
    /// The agency that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Line<128>>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Line<128>>,
}

impl ObjectType for Snapshot {
    const TYPE: &'static str = "snapshot";
    type Id = SnapshotId;

    fn check_rules(&self) -> Result<(), String> {
        use crate::limits::{PIECE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
        let pieces = self.size.div_ceil(PIECE_BYTES_MAX as u64);
        if self.size > SNAPSHOT_BYTES_MAX || pieces != self.pieces.len() as u64 {
            return Err("the number of pieces does not fit the size of the document".into());
        }
        Ok(())
    }

    fn dependencies(&self) -> Vec<Cid> {
        self.pieces.iter().map(|piece| piece.cid()).collect()
    }
}

/// A code of a code list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code, as in the data.
    pub id: Line<64>,
    /// Its label.
    pub name: Line<256>,
    /// Whether it aggregates others (a region, a group of countries).
    pub aggregate: bool,
}

/// Meaning of the columns of a content: components and code lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// The components.
    pub components: ComponentList,
    /// Code lists by component; codes ascending.
    pub codes: BTreeMap<Name, Vec<Code>>,
}

impl ObjectType for Structure {
    const TYPE: &'static str = "structure";
    type Id = StructureId;

    fn check_rules(&self) -> Result<(), String> {
        if self.codes.values().map(Vec::len).sum::<usize>() > CODES_MAX {
            return Err(format!("a structure has at most {CODES_MAX} codes"));
        }
        for (component, codes) in &self.codes {
            if self.components.position(component.as_str()).is_none() {
                return Err(format!("code list for `{component}`, which is not a component"));
            }
            if !codes.windows(2).all(|pair| matches!(pair, [a, b] if a.id < b.id)) {
                return Err(format!("the codes of `{component}` are not strictly ascending"));
            }
        }
        Ok(())
    }
}

/// A link to a chunk, with its number of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkRef {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its rows.
    pub rows: u32,
}

/// The data of a data set, independent of the publisher: equal data have equal ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Meaning of the columns.
    pub structure: StructureId,
    /// Rows in all chunks.
    pub rows: u64,
    /// The chunks in order of their keys.
    pub chunks: Vec<ChunkRef>,
}

impl ObjectType for Content {
    const TYPE: &'static str = "content";
    type Id = ContentId;

    fn check_rules(&self) -> Result<(), String> {
        // INVARIANT: ITEMS_MAX bounds the list, so the sum of 32-bit counts fits 64 bits.
        let rows: u64 = self.chunks.iter().map(|chunk| u64::from(chunk.rows)).sum();
        if rows != self.rows || self.rows > crate::limits::ROWS_MAX as u64 {
            return Err("the rows of the chunks do not add up to the rows of the content".into());
        }
        if self.chunks.len() > CHUNKS_MAX || self.chunks.iter().any(|chunk| chunk.rows == 0) {
            return Err(format!("a content has at most {CHUNKS_MAX} chunks, none of them empty"));
        }
        Ok(())
    }

    fn dependencies(&self) -> Vec<Cid> {
        let chunks = self.chunks.iter().map(|chunk| chunk.chunk.cid());
        [self.structure.cid()].into_iter().chain(chunks).collect()
    }
}

/// Provenance of the data of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Provenance {
    /// Read from source documents.
    Import(Import),
    /// An output of a release.
    Release {
        /// The release.
        release: ReleaseId,
        /// The output.
        output: Name,
    },
    /// Stated by the publisher, without a document.
    Stated,
}

/// Documents, and how they were read: enough to read them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The documents with the figures, in the order in which they are read.
    pub documents: Vec<SnapshotId>,
    /// Documents that explain them: metadata, lists of codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<SnapshotId>,
    /// The reader.
    pub reader: Reader,
    /// Statements of the publisher to the reader.
    #[serde(default, skip_serializing_if = "ReaderOptions::is_empty")]
    pub options: ReaderOptions,
}

impl Import {
    fn check_rules(&self) -> Result<(), String> {
        let count = self.documents.len() + self.companions.len();
        if self.documents.is_empty() || count > DOCUMENTS_MAX {
            return Err(format!("an import has 1 to {DOCUMENTS_MAX} documents and companions"));
        }
        let distinct: BTreeSet<Cid> = self.snapshots().map(|id| id.cid()).collect();
        if distinct.len() != count {
            return Err("the documents and companions of an import are distinct".into());
        }
        self.reader.check_rules()?;
        self.options.check_rules()
    }

    /// The documents, then the companions.
    pub fn snapshots(&self) -> impl Iterator<Item = SnapshotId> {
        self.documents.iter().chain(&self.companions).copied()
    }
}

/// A published content with its title and provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// The dataflow that it is a vintage of.
    pub dataflow: Name,
    /// A title for people.
    pub title: Line<256>,
    /// Unit of the measures, as stated by the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Line<128>>,
    /// The data.
    pub content: ContentId,
    /// Their provenance.
    pub provenance: Provenance,
    /// Findings of the plausibility checks that the publisher signed all the same, as `code: message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plausibility_warnings: Vec<Line<512>>,
}

impl ObjectType for Dataset {
    const TYPE: &'static str = "dataset";
    type Id = DatasetId;

    fn check_rules(&self) -> Result<(), String> {
        if self.title.as_str().is_empty() {
            return Err("the title of a data set is empty".into());
        }
        if self.plausibility_warnings.len() > PLAUSIBILITY_WARNINGS_MAX {
            return Err(format!("a data set has at most {PLAUSIBILITY_WARNINGS_MAX} plausibility warnings"));
        }
        match &self.provenance {
            Provenance::Import(import) => import.check_rules(),
            _ => Ok(()),
        }
    }

    fn dependencies(&self) -> Vec<Cid> {
        let mut needs = vec![self.content.cid()];
        match &self.provenance {
            Provenance::Import(import) => needs.extend(import.snapshots().map(|id| id.cid())),
            Provenance::Release { release, .. } => needs.push(release.cid()),
            Provenance::Stated => {}
        }
        needs
    }
}

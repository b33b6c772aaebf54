//! The objects that a root depends on: present, of the right type, tables and documents as stated
//! (specs/bundle.md, section 3, rules 9 to 12).

use std::collections::BTreeSet;

use schemas::cid::{Cid, ContentId, DatasetId, RecipeId, ReleaseId, SnapshotId, StructureId};
use schemas::content;
use schemas::digest::DocumentDigests;
use schemas::limits::{PIECE_BYTES_MAX, SNAPSHOT_BYTES_MAX};
use schemas::object::{
    self, Content, Dataset, Object, ObjectType, Provenance, Recipe, Release, Snapshot, Structure,
};
use schemas::table::{Column, Table};

use super::{Stop, Verifier};
use crate::dependencies;

/// The objects of a root by type, each once, in the order of a depth-first walk.
#[derive(Debug, Default)]
struct Closure {
    contents: Vec<(ContentId, ContentUse)>,
    snapshots: Vec<SnapshotId>,
    imports: Vec<(DatasetId, Vec<SnapshotId>)>,
    seen: BTreeSet<Cid>,
}

/// Whether the numbers of a content must be normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ContentUse {
    Data,
    Result,
}

impl Verifier<'_> {
    /// Checks everything that `root` depends on, except what only a run can show.
    ///
    /// # Errors
    /// `Missing` and `Invalid`.
    pub(super) fn check_closure(&mut self, root: Cid) -> Result<(), Stop> {
        let walk = dependencies::walk_dependencies([root], self.fetch, usize::MAX);
        if !walk.missing.is_empty() {
            return Err(Stop::missing(walk.missing));
        }
        if let Some((id, error)) = walk.broken.first() {
            return Err(Stop::invalid(*id, "object", &error.to_string()));
        }
        let closure = self.collect_objects(root)?;
        for (id, use_of) in &closure.contents {
            let data = self.unpack_content(*id)?;
            if *use_of == ContentUse::Result && !is_normalised(&data.table) {
                return Err(Stop::invalid(id.cid(), "content", "a number of a result is not normalised"));
            }
        }
        for id in &closure.snapshots {
            self.check_document(*id)?;
        }
        for (dataset, documents) in &closure.imports {
            let sizes = documents.iter().map(|id| Ok(self.read::<Snapshot>(id.cid())?.size));
            if sizes.sum::<Result<u64, Stop>>()? > SNAPSHOT_BYTES_MAX {
                let message = format!("its documents have more than {SNAPSHOT_BYTES_MAX} bytes");
                return Err(Stop::invalid(dataset.cid(), "document", &message));
            }
        }
        Ok(())
    }

    /// Walks the typed links of a root.
    fn collect_objects(&self, root: Cid) -> Result<Closure, Stop> {
        let mut closure = Closure::default();
        let bytes = (self.fetch)(root).ok_or_else(|| Stop::missing(vec![root]))?;
        let object =
            Object::decode(&bytes).map_err(|error| Stop::invalid(root, "object", &error.to_string()))?;
        let (mut datasets, mut releases) = (Vec::new(), Vec::new());
        match object {
            Object::Release(_) => releases.extend(ReleaseId::try_from(root)),
            Object::Dataset(_) => datasets.extend(DatasetId::try_from(root)),
            Object::Attestation(attestation) => {
                for id in attestation.dependencies() {
                    self.collect_content(ContentId::try_from(id).ok(), ContentUse::Data, &mut closure)?;
                }
            }
            _ => {}
        }
        loop {
            if let Some(id) = datasets.pop() {
                if closure.seen.insert(DatasetId::cid(id)) {
                    releases.extend(self.collect_dataset(id, &mut closure)?);
                }
            } else if let Some(id) = releases.pop() {
                if closure.seen.insert(ReleaseId::cid(id)) {
                    datasets.extend(self.collect_release(id, &mut closure)?);
                }
            } else {
                return Ok(closure);
            }
        }
    }

    /// Collects the objects of a release; returns its data sets, the last one first.
    fn collect_release(&self, id: ReleaseId, closure: &mut Closure) -> Result<Vec<DatasetId>, Stop> {
        let release: Release = self.read(id.cid())?;
        self.read::<Recipe>(RecipeId::cid(release.recipe))?;
        for content in release.results.values() {
            self.collect_content(Some(*content), ContentUse::Result, closure)?;
        }
        Ok(release.inputs.into_values().rev().collect())
    }

    /// Collects the objects of a data set; returns the release that it comes from.
    fn collect_dataset(&self, id: DatasetId, closure: &mut Closure) -> Result<Option<ReleaseId>, Stop> {
        let dataset: Dataset = self.read(id.cid())?;
        self.collect_content(Some(dataset.content), ContentUse::Data, closure)?;
        match dataset.provenance {
            Provenance::Import(import) => {
                let snapshots: Vec<SnapshotId> = import.snapshots().collect();
                for snapshot in &snapshots {
                    self.read::<Snapshot>(snapshot.cid())?;
                    if closure.seen.insert(snapshot.cid()) {
                        closure.snapshots.push(*snapshot);
                    }
                }
                closure.imports.push((id, snapshots));
                Ok(None)
            }
            Provenance::Release { release, .. } => {
                self.read::<Release>(release.cid())?;
                Ok(Some(release))
            }
            Provenance::Stated => Ok(None),
        }
    }

    fn collect_content(
        &self,
        id: Option<ContentId>,
        use_of: ContentUse,
        closure: &mut Closure,
    ) -> Result<(), Stop> {
        let Some(id) = id else { return Ok(()) };
        let content: Content = self.read(id.cid())?;
        self.read::<Structure>(StructureId::cid(content.structure))?;
        if !closure.contents.contains(&(id, use_of)) {
            closure.contents.push((id, use_of));
        }
        Ok(())
    }

    /// Reads an object of a type.
    pub(super) fn read<T: ObjectType>(&self, id: Cid) -> Result<T, Stop> {
        let bytes = (self.fetch)(id).ok_or_else(|| Stop::missing(vec![id]))?;
        object::decode_object(&bytes)
            .map_err(|error| Stop::invalid(id, "object", &format!("{}: {error}", T::TYPE)))
    }

    /// Checks the pieces of a document against its size and digests.
    fn check_document(&self, id: SnapshotId) -> Result<(), Stop> {
        let snapshot: Snapshot = self.read(id.cid())?;
        let bytes = self.read_document(&snapshot)?;
        let invalid = |message: &str| Err(Stop::invalid(id.cid(), "document", message));
        if bytes.len() as u64 != snapshot.size {
            return invalid("the pieces of the document do not have its size");
        }
        let digests = DocumentDigests::of(&bytes);
        if digests.blake3 != snapshot.blake3 {
            return invalid("the document does not have the BLAKE3 digest that is stated");
        }
        if digests.sha256 != snapshot.sha256 {
            return invalid("the document does not have the SHA-256 digest that is stated");
        }
        // Pieces of other sizes give the same document under another id.
        let sizes =
            snapshot.pieces.iter().map(|piece| (self.fetch)(piece.cid()).map_or(0, |bytes| bytes.len()));
        let last = snapshot.pieces.len().saturating_sub(1);
        if sizes.enumerate().any(|(at, size)| at < last && size != PIECE_BYTES_MAX) {
            return invalid("a piece before the last one is shorter than a piece");
        }
        Ok(())
    }

    /// The bytes of a document.
    pub(super) fn read_document(&self, snapshot: &Snapshot) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::with_capacity(snapshot.size as usize);
        for piece in &snapshot.pieces {
            bytes.extend((self.fetch)(piece.cid()).ok_or_else(|| Stop::missing(vec![piece.cid()]))?);
        }
        Ok(bytes)
    }
}

/// Maps an error of a content to the rule that it breaks.
pub(super) fn content_error(id: ContentId, error: content::Error) -> Stop {
    match error {
        content::Error::Missing(ids) => Stop::missing(ids),
        // Contents and structures were read before, so the object is a chunk.
        content::Error::Object(
            id,
            error @ (object::Error::WrongType { .. } | object::Error::UnknownType(_)),
        ) => Stop::invalid(id, "object", &error.to_string()),
        other => Stop::invalid(id.cid(), "content", &other.to_string()),
    }
}

/// Whether no number has a trailing zero (specs/objects.md, section 5).
fn is_normalised(table: &Table) -> bool {
    table.columns().iter().all(|column| match column {
        Column::Number(values) => values.iter().flatten().all(|value| value.normalized() == *value),
        _ => true,
    })
}

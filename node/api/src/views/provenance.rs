//! Provenance of a release: recipe, data sets and source documents, recursively.

use schemas::cid::{Cid, SnapshotId};
use schemas::digest::format_hex;
use schemas::object::{Dataset, Provenance, Recipe, Snapshot};
use serde::Serialize;
use service::query::ReleaseInfo;
use service::{Error, Storage};

use crate::Problem;
use crate::state::State;

/// Nodes and depth of a provenance tree; inputs can be outputs of other releases.
pub(crate) const NODES_MAX: usize = 256;
pub(crate) const DEPTH_MAX: usize = 8;

/// A source document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SourceDocument {
    snapshot: SnapshotId,
    name: String,
    url: Option<String>,
    agency: Option<String>,
    licence: Option<String>,
    size: u64,
    /// SHA-256 of the document in hexadecimal, for comparison with digests that agencies publish.
    sha256: String,
    /// Whether the document is stored completely.
    stored: bool,
}

/// Node of the provenance tree.
#[derive(Debug, Serialize)]
pub(crate) struct ProvenanceNode {
    kind: &'static str,
    id: Cid,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plausibility_warnings: Vec<String>,
    children: Vec<ProvenanceNode>,
}

/// Returns the provenance tree of a release down to the source documents, which are added to `sources`.
pub(crate) fn release_provenance<K: Storage>(
    state: &State<K>,
    info: &ReleaseInfo,
    sources: &mut Vec<SourceDocument>,
    nodes: &mut usize,
    depth: usize,
) -> Result<ProvenanceNode, Problem> {
    let query = state.service.query();
    let recipe: Recipe = query.read_object(info.release.recipe.cid())?;
    let leaf = |kind, id, title: String| ProvenanceNode {
        kind,
        id,
        title,
        publisher: None,
        time: None,
        plausibility_warnings: Vec::new(),
        children: Vec::new(),
    };
    let mut children = vec![leaf("recipe", info.release.recipe.cid(), recipe.title.to_string())];
    for (name, id) in &info.release.inputs {
        // The budget is shared by the whole tree, because inputs multiply at each level.
        if *nodes == 0 {
            break;
        }
        *nodes -= 1;
        let dataset: Dataset = query.read_object(id.cid())?;
        let from = match &dataset.provenance {
            Provenance::Import(import) => {
                let mut documents = Vec::new();
                for snapshot in import.snapshots() {
                    let document = source_document(state, snapshot)?;
                    documents.push(leaf("snapshot", snapshot.cid(), document.name.clone()));
                    if sources.iter().all(|known| known.snapshot != snapshot) {
                        sources.push(document);
                    }
                }
                documents
            }
            Provenance::Release { release, .. } if depth > 0 => {
                let above = query.find_release(*release)?;
                vec![release_provenance(state, &above, sources, nodes, depth - 1)?]
            }
            Provenance::Release { .. } => Vec::new(),
            Provenance::Stated => {
                vec![leaf("stated", id.cid(), "stated by the publisher, without a document".into())]
            }
        };
        let placed = query.find_positions(id.cid())?.into_iter().next();
        children.push(ProvenanceNode {
            publisher: placed.as_ref().map(|placed| placed.name.clone()),
            time: placed.map(|placed| placed.time),
            plausibility_warnings: dataset
                .plausibility_warnings
                .iter()
                .map(|warning| warning.to_string())
                .collect(),
            children: from,
            ..leaf("dataset", id.cid(), format!("{name}: {}", dataset.title))
        });
    }
    Ok(ProvenanceNode {
        publisher: Some(info.position.name.clone()),
        time: Some(info.position.time),
        children,
        ..leaf("release", info.id.cid(), info.title.clone())
    })
}

fn source_document<K: Storage>(state: &State<K>, id: SnapshotId) -> Result<SourceDocument, Problem> {
    let snapshot: Snapshot = state.service.query().read_object(id.cid())?;
    let storage = state.service.storage();
    let mut stored = true;
    for piece in &snapshot.pieces {
        stored &= storage.has(piece.cid()).map_err(Error::from)?;
    }
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(SourceDocument {
        snapshot: id,
        name: snapshot.name.to_string(),
        url: text(snapshot.url.map(|url| url.to_string())),
        agency: text(snapshot.agency.map(|agency| agency.to_string())),
        licence: text(snapshot.licence.map(|licence| licence.to_string())),
        size: snapshot.size,
        sha256: format_hex(&snapshot.sha256),
        stored,
    })
}

//! One figure with all that is known of it.

use std::collections::BTreeMap;

use axum::extract::{Path, Query as Params, State as Shared};
use axum::response::Response;
use schemas::cid::{ChunkId, Cid, ContentId, EntryId, PublisherId, ReleaseId, SnapshotId};
use schemas::object::{Content, Dataset, Provenance, Recipe, Snapshot};
use schemas::period::Period;
use schemas::text::Name;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use service::query::{ReleaseInfo, ResolvedReference, RetractionInfo};
use service::{Error, Storage};

use super::{check_length, join_key, not_found, respond_json, split_key};
use crate::read::parse_id;
use crate::views::{Catalogue, FigureTable, Flow, comparable_units};
use crate::{Problem, State};

/// Nodes of a provenance tree, and how deep it goes: releases may be made of releases.
const NODES_MAX: usize = 256;
const DEPTH_MAX: usize = 8;
/// Vintages whose value is looked up.
const REVISIONS_MAX: usize = 50;

/// A figure.
#[derive(Debug, Serialize)]
struct FigureResponse {
    address: String,
    /// To the last digit.
    value: Option<String>,
    unit: String,
    flow: Flow,
    release: ReleaseId,
    output: Name,
    content: ContentId,
    /// The block that it stands in, and its row there, from 0.
    chunk: Option<ChunkId>,
    row: usize,
    /// The name of the measure.
    measure: Option<String>,
    components: BTreeMap<String, Option<String>>,
    badges: Standing,
    provenance: ProvenanceNode,
    revisions: Vec<Revision>,
    twins: Vec<Alternative>,
}

/// What holds of a figure, each for itself.
#[derive(Debug, Serialize)]
struct Standing {
    signed: SignatureInfo,
    logged: LogStatus,
    latest: bool,
    newer: Option<String>,
    sources: Vec<SourceDocument>,
    reproduced: Vec<Attestation>,
    own: Option<Verdict>,
    disputed: usize,
    forked: bool,
    retracted: Option<RetractionInfo>,
}

#[derive(Debug, Serialize)]
struct SignatureInfo {
    key: String,
    entry: EntryId,
    time: i64,
}

#[derive(Debug, Serialize)]
struct LogStatus {
    seq: u64,
    length: u64,
    complete: u64,
}

/// A source document.
#[derive(Debug, Clone, Serialize)]
struct SourceDocument {
    snapshot: SnapshotId,
    name: String,
    url: Option<String>,
    agency: Option<String>,
    licence: Option<String>,
    size: u64,
    /// Whether all of it is held here.
    kept: bool,
}

/// What somebody found who ran the release again.
#[derive(Debug, Serialize)]
struct Attestation {
    publisher: PublisherId,
    name: String,
    time: i64,
    verdict: Verdict,
    followed: bool,
    own: bool,
}

/// Something that a figure comes from.
#[derive(Debug, Serialize)]
struct ProvenanceNode {
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

/// The figure in one release of its dataflow.
#[derive(Debug, Serialize)]
struct Revision {
    seq: u64,
    release: ReleaseId,
    vintage: String,
    published: i64,
    value: Option<String>,
    reason: Option<schemas::object::RevisionReason>,
}

/// The same cell by another method or publisher.
#[derive(Debug, Serialize)]
struct Alternative {
    address: String,
    publisher: PublisherId,
    dataflow: Name,
    output: Name,
    title: String,
    output_title: String,
    /// Whether the title alone does not say which output it is.
    several: bool,
    official: bool,
    unit: String,
    value: Option<String>,
}

/// Which release is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FigureParams {
    vintage: Option<String>,
    /// Which output of a dataflow that has several; the first one that has the figure when absent.
    output: Option<String>,
}

/// A figure by the parts of its path.
pub(crate) fn figure_view<K: Storage>(
    state: &State<K>,
    place: [&str; 4],
    output: Option<&str>,
    vintage: Option<&str>,
) -> Result<impl Serialize + use<K>, Problem> {
    let [publisher, dataflow, key, period] = place.map(str::to_owned);
    let which = FigureParams { vintage: vintage.map(str::to_owned), output: output.map(str::to_owned) };
    find_figure(state, &(publisher, dataflow, key, period), &which)
}

type FigurePath = (String, String, String, String);

pub(crate) async fn show_figure<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(place): Path<FigurePath>,
    which: Result<Params<FigureParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    respond_json(state, move |state| {
        let which = which.map_err(Problem::invalid_query)?.0;
        find_figure(state, &place, &which)
    })
    .await
}

fn find_figure<K: Storage>(
    state: &State<K>,
    place: &FigurePath,
    which: &FigureParams,
) -> Result<FigureResponse, Problem> {
    let vintage = which.vintage.as_deref().unwrap_or("latest");
    let output = which.output.as_deref().map(check_length).transpose()?;
    let (publisher, dataflow, key, period) = place;
    let publisher: PublisherId = parse_id(check_length(publisher)?)?;
    let dataflow = Name::new(check_length(dataflow)?).map_err(|_| not_found("a dataflow of this name"))?;
    let key = split_key(check_length(key)?);
    let period: Period = parse_id(check_length(period)?)?;
    let path = format!("assay://{publisher}/{dataflow}/{}/{period}", key.join("."));
    let suffix = if vintage == "latest" { String::new() } else { format!("@{}", check_length(vintage)?) };
    let query = state.service.query();
    let flow = format!("assay://{publisher}/{dataflow}{suffix}");
    let ResolvedReference::Address(_, release) = query.resolve(&flow)? else { return Err(not_found(flow)) };
    let catalogue = state.views.catalogue()?;
    let info = query.find_release(release)?;
    let cell = find_cell(state, &info, output, &key, period)?
        .ok_or_else(|| not_found(format!("a figure at {path}{suffix}")))?;
    let listed = catalogue.find_flow(publisher, &dataflow, &cell.output);
    let listed = listed.ok_or_else(|| not_found("a dataflow with figures"))?;
    let (chunk, row) = locate_chunk(state, cell.content, cell.row)?;
    let recipe: Recipe = query.read_object(info.release.recipe.cid())?;
    let mut sources = Vec::new();
    let mut nodes = NODES_MAX;
    let provenance = release_provenance(state, &info, &mut sources, &mut nodes, DEPTH_MAX)?;
    let newer = (listed.release != release).then(|| path.clone());
    Ok(FigureResponse {
        value: cell.held.value(cell.row).map(|value| value.to_string()),
        unit: recipe.outputs.get(&cell.output).map(|said| said.unit.to_string()).unwrap_or_default(),
        flow: listed.clone(),
        release,
        output: cell.output.clone(),
        content: cell.content,
        chunk,
        row,
        measure: cell.held.measure_id(),
        components: component_values(&cell.held, cell.row),
        badges: figure_standing(state, &catalogue, &info, sources, newer)?,
        provenance,
        revisions: list_revisions(state, &catalogue, listed, &cell.output, &key, period)?,
        twins: list_alternatives(state, &catalogue, listed, &key, period)?,
        address: path + &suffix,
    })
}

/// A cell of an output.
struct CellLocation {
    output: Name,
    content: ContentId,
    held: std::sync::Arc<FigureTable>,
    row: usize,
}

/// The cell of a key and period in an output of a release, or in the first one that has it.
fn find_cell<K: Storage>(
    state: &State<K>,
    info: &ReleaseInfo,
    output: Option<&str>,
    key: &[String],
    period: Period,
) -> Result<Option<CellLocation>, Problem> {
    let named = |name: &Name| output.is_none_or(|output| name.as_str() == output);
    for (output, content) in info.release.results.iter().filter(|(name, _)| named(name)) {
        let held = state.views.table(*content)?;
        if let Some(row) = held.find_row(key, period) {
            return Ok(Some(CellLocation { output: output.clone(), content: *content, held, row }));
        }
    }
    Ok(None)
}

/// The chunk of a content that a row stands in, and the row there.
fn locate_chunk<K: Storage>(
    state: &State<K>,
    content: ContentId,
    row: usize,
) -> Result<(Option<ChunkId>, usize), Problem> {
    let content: Content = state.service.query().read_object(content.cid())?;
    let mut before = 0;
    for chunk in &content.chunks {
        let rows = chunk.rows as usize;
        if row < before + rows {
            return Ok((Some(chunk.chunk), row - before));
        }
        before += rows;
    }
    Ok((None, 0))
}

fn component_values(held: &FigureTable, row: usize) -> BTreeMap<String, Option<String>> {
    let parts = held.table.shape().components().iter().zip(held.table.columns());
    parts.map(|(part, column)| (part.id.to_string(), column.cell(row).map(|cell| cell.to_string()))).collect()
}

fn figure_standing<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    info: &ReleaseInfo,
    sources: Vec<SourceDocument>,
    newer: Option<String>,
) -> Result<Standing, Problem> {
    let entry = state.service.query().read_entry(info.position.entry)?;
    let log = catalogue.logs.get(&info.position.publisher);
    let vote = |found: &service::query::AttestationInfo| {
        let log = catalogue.logs.get(&found.position.publisher);
        Attestation {
            publisher: found.position.publisher,
            name: found.position.name.clone(),
            time: found.position.time,
            verdict: found.attestation.verdict.clone(),
            followed: log.is_some_and(|log| log.followed),
            own: log.is_some_and(|log| log.own),
        }
    };
    let mut votes: Vec<Attestation> = info.attestations.iter().map(vote).collect();
    // Those whom the reader of this node trusts come first.
    votes.sort_by_key(|vote| (!vote.own, !vote.followed, vote.time));
    Ok(Standing {
        signed: SignatureInfo {
            key: entry.value().key.to_string(),
            entry: info.position.entry,
            time: info.position.time,
        },
        logged: LogStatus {
            seq: info.position.seq,
            length: log.map_or(0, |log| log.length),
            complete: log.map_or(0, |log| log.complete),
        },
        latest: newer.is_none(),
        newer,
        sources,
        disputed: votes.iter().filter(|vote| vote.verdict.as_str() == "differs").count(),
        reproduced: votes,
        own: info.verdict.clone(),
        forked: log.is_some_and(|log| log.forked),
        retracted: info.retracted.clone(),
    })
}

/// What a release is made of, down to the documents.
fn release_provenance<K: Storage>(
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
        if *nodes == 0 {
            break;
        }
        *nodes -= 1;
        let dataset: Dataset = query.read_object(id.cid())?;
        let from = match &dataset.provenance {
            Provenance::Import { snapshot, .. } => {
                let document = source_document(state, *snapshot)?;
                let node = leaf("snapshot", snapshot.cid(), document.name.clone());
                if sources.iter().all(|known| known.snapshot != *snapshot) {
                    sources.push(document);
                }
                Some(node)
            }
            Provenance::Release { release, .. } if depth > 0 => {
                Some(release_provenance(state, &query.find_release(*release)?, sources, nodes, depth - 1)?)
            }
            Provenance::Release { .. } => None,
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
            children: from.into_iter().collect(),
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
    let keep = state.service.storage();
    let mut kept = true;
    for piece in &snapshot.pieces {
        kept &= keep.has(piece.cid()).map_err(Error::from)?;
    }
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(SourceDocument {
        snapshot: id,
        name: snapshot.name.to_string(),
        url: text(snapshot.url.map(|url| url.to_string())),
        agency: text(snapshot.agency.map(|agency| agency.to_string())),
        licence: text(snapshot.licence.map(|licence| licence.to_string())),
        size: snapshot.size,
        kept,
    })
}

/// The figure in every release of its dataflow, the newest first.
fn list_revisions<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    flow: &Flow,
    output: &Name,
    key: &[String],
    period: Period,
) -> Result<Vec<Revision>, Problem> {
    let releases = catalogue.vintages.get(&(flow.publisher, flow.dataflow.clone()));
    let mut found = Vec::new();
    for info in releases.into_iter().flatten().rev().take(REVISIONS_MAX) {
        let cell = find_cell(state, info, Some(output.as_str()), key, period)?;
        found.push(Revision {
            seq: info.position.seq,
            release: info.id,
            vintage: info.release.vintage.to_string(),
            published: info.position.time,
            value: cell.and_then(|cell| cell.held.value(cell.row)).map(|value| value.to_string()),
            reason: info.release.supersedes.as_ref().map(|before| before.reason),
        });
    }
    Ok(found)
}

/// The same key and period in the other flows of the measure whose unit is alike.
fn list_alternatives<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    flow: &Flow,
    key: &[String],
    period: Period,
) -> Result<Vec<Alternative>, Problem> {
    let others = catalogue.flows.iter().filter(|other| {
        let place = |flow: &Flow| (flow.publisher, flow.dataflow.clone(), flow.output.clone());
        other.indicator == flow.indicator
            && comparable_units(&other.unit, &flow.unit)
            && place(other) != place(flow)
    });
    let mut found = Vec::new();
    for other in others {
        let held = state.views.table(other.content)?;
        let Some(row) = held.find_row(key, period) else { continue };
        found.push(Alternative {
            address: format!("assay://{}/{}/{}/{period}", other.publisher, other.dataflow, join_key(key)),
            publisher: other.publisher,
            dataflow: other.dataflow.clone(),
            output: other.output.clone(),
            title: other.title.clone(),
            output_title: other.output_title.clone(),
            several: other.outputs > 1,
            official: other.official,
            unit: other.unit.clone(),
            value: held.value(row).map(|value| value.to_string()),
        });
    }
    Ok(found)
}

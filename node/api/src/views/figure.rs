//! A figure with its provenance and verification status.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::address::{Address, SeriesKey, Vintage};
use schemas::cid::{ChunkId, ContentId, EntryId, PublisherId, ReleaseId};
use schemas::object::{Content, Recipe};
use schemas::period::Period;
use schemas::text::Name;
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use service::query::ReleaseInfo;
use service::standing::RetractionNotice;
use service::standing::{CellReference, CellStanding, Standing, SupersessionNotice, cell_standing};
use service::{FigureStanding, Storage, Verification};

use super::provenance::{DEPTH_MAX, NODES_MAX, ProvenanceNode, SourceDocument, release_provenance};
use super::{Catalogue, FigureTable, Flow, comparable_units};
use crate::Problem;
use crate::routes::{check_length, not_found, parse_id, parse_vintage};
use crate::state::State;

/// Vintages listed as revisions.
const REVISIONS_MAX: usize = 50;

/// A figure with its provenance and verification status.
#[derive(Debug, Serialize)]
pub(crate) struct FigureResponse {
    address: Address,
    /// Address of this very release, by its sequence number.
    permanent_address: Address,
    /// Exact decimal; null if missing.
    value: Option<String>,
    unit: String,
    flow: Flow,
    release: ReleaseId,
    output: Name,
    content: ContentId,
    /// Chunk that holds the figure.
    chunk: Option<ChunkId>,
    row: usize,
    /// Id of the measure component.
    measure: Option<String>,
    components: BTreeMap<String, Option<String>>,
    standing: StandingView,
    provenance: ProvenanceNode,
    revisions: Vec<Revision>,
    alternatives: Vec<Alternative>,
}

/// Verification status of a figure.
#[derive(Debug, Serialize)]
struct StandingView {
    #[serde(flatten)]
    figure: FigureStanding,
    signature: SignatureInfo,
    log: LogStatus,
    latest: bool,
    newer: Option<Address>,
    sources: Vec<SourceDocument>,
    attestations: Vec<Attestation>,
    own_verdict: Option<Verdict>,
    forked: bool,
    superseded: Option<SupersessionNotice>,
    retracted: Option<RetractionNotice>,
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

/// Attestation by this node, or by a followed publisher.
#[derive(Debug, Serialize)]
struct Attestation {
    publisher: PublisherId,
    name: String,
    time: i64,
    verdict: Verdict,
    /// Result of its run for this figure.
    #[serde(flatten)]
    cell: CellStanding,
    followed: bool,
    own: bool,
}

/// The figure in one release of the dataflow.
#[derive(Debug, Serialize)]
struct Revision {
    seq: u64,
    release: ReleaseId,
    vintage: String,
    published: i64,
    value: Option<String>,
    word: Option<Standing>,
    reason: Option<schemas::object::RevisionReason>,
}

/// Figure for the same key and period by another method or publisher.
#[derive(Debug, Serialize)]
struct Alternative {
    address: Address,
    publisher: PublisherId,
    dataflow: Name,
    output: Name,
    title: String,
    output_title: String,
    /// Whether the dataflow has several outputs, so that the title does not identify one.
    several_outputs: bool,
    official: bool,
    unit: String,
    value: Option<String>,
    word: Standing,
}

/// Selection of a release and output.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FigureParams {
    vintage: Option<String>,
    /// Output of a dataflow with several; by default the first one that has the figure.
    output: Option<String>,
}

/// Returns a figure by its path segments: publisher, dataflow, key, period.
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

/// Output, key and period of a figure of a release.
pub(crate) type FigureSelection = (Name, SeriesKey, Period);

pub(crate) type FigurePath = (String, String, String, String);

pub(crate) fn find_figure<K: Storage>(
    state: &State<K>,
    path: &FigurePath,
    which: &FigureParams,
) -> Result<FigureResponse, Problem> {
    let output = which.output.as_deref().map(check_length).transpose()?;
    let (publisher, dataflow, key, period) = path;
    let publisher: PublisherId = parse_id(check_length(publisher)?)?;
    let dataflow = Name::new(check_length(dataflow)?).map_err(|_| not_found("dataflow"))?;
    let key: SeriesKey = parse_id(check_length(key)?)?;
    let period: Period = parse_id(check_length(period)?)?;
    let vintage = which.vintage.as_deref().map_or(Ok(Vintage::Latest), parse_vintage)?;
    let latest = Address::new(publisher, dataflow.clone()).with_figure(key.clone(), period);
    let address = latest.clone().with_vintage(vintage);
    let query = state.service.query();
    let release = query.resolve_address(&address)?;
    let catalogue = state.views.catalogue()?;
    let info = query.find_release(release)?;
    let cell = find_cell(state, &info, output, &key, period)?
        .ok_or_else(|| not_found(format!("figure {address}")))?;
    // A release whose outputs have no time or number is not listed.
    let listed = catalogue.find_flow(publisher, &dataflow, &cell.output);
    let listed = listed.ok_or_else(|| not_found("dataflow with figures"))?;
    let (chunk, row) = locate_chunk(state, cell.content, cell.row)?;
    let recipe: Recipe = query.read_object(info.release.recipe.cid())?;
    let mut sources = Vec::new();
    let mut nodes = NODES_MAX;
    let provenance = release_provenance(state, &info, &mut sources, &mut nodes, DEPTH_MAX)?;
    let newer = (listed.release != release).then_some(latest);
    Ok(FigureResponse {
        value: cell.figures.value(cell.row).map(|value| value.to_string()),
        unit: recipe.outputs.get(&cell.output).map(|output| output.unit.to_string()).unwrap_or_default(),
        flow: listed.clone(),
        release,
        output: cell.output.clone(),
        content: cell.content,
        chunk,
        row,
        measure: cell.figures.measure_id(),
        components: component_values(&cell.figures, cell.row),
        standing: standing_view(state, &catalogue, &info, &cell, sources, newer)?,
        provenance,
        revisions: list_revisions(state, &catalogue, listed, &cell.output, &key, period)?,
        alternatives: list_alternatives(state, &catalogue, listed, &key, period)?,
        permanent_address: address.clone().with_vintage(Vintage::Seq(info.position.seq)),
        address,
    })
}

/// Location of a figure in the output of a release.
struct CellLocation {
    output: Name,
    content: ContentId,
    figures: Arc<FigureTable>,
    row: usize,
}

/// Finds a key and period in the named output, or in the first output that has it.
fn find_cell<K: Storage>(
    state: &State<K>,
    info: &ReleaseInfo,
    output: Option<&str>,
    key: &SeriesKey,
    period: Period,
) -> Result<Option<CellLocation>, Problem> {
    let named = |name: &Name| output.is_none_or(|output| name.as_str() == output);
    for (output, content) in info.release.results.iter().filter(|(name, _)| named(name)) {
        let figures = state.views.table(*content)?;
        if let Some(row) = figures.find_row(key, period) {
            return Ok(Some(CellLocation { output: output.clone(), content: *content, figures, row }));
        }
    }
    Ok(None)
}

/// Returns what a verification that was just made says of a figure: output, key and period.
pub(crate) fn verified_cell<K: Storage>(
    state: &State<K>,
    found: &Verification,
    (output, key, period): &FigureSelection,
) -> Result<CellStanding, Problem> {
    let info = state.service.query().find_release(found.release)?;
    let location = find_cell(state, &info, Some(output.as_str()), key, *period)?;
    let location = location.ok_or_else(|| not_found("figure"))?;
    let component = location.figures.measure_id().and_then(|id| Name::new(id).ok());
    let component = component.ok_or_else(|| not_found("measure"))?;
    let key = location.figures.table.key(location.row);
    let cell = CellReference { output, key: &key, component: &component };
    let storage = state.service.storage();
    // Its tables of differences are not stored.
    let fetch = |id| {
        let made = found.blocks.iter().find(|(known, _)| *known == id).map(|(_, bytes)| bytes.clone());
        made.or_else(|| storage.get(id).ok().flatten())
    };
    Ok(cell_standing(&found.verdict, &found.results, cell, &fetch))
}

/// Returns the chunk that holds a row, and the row's index in that chunk.
fn locate_chunk<K: Storage>(
    state: &State<K>,
    content: ContentId,
    row: usize,
) -> Result<(Option<ChunkId>, usize), Problem> {
    let content: Content = state.service.query().read_object(content.cid())?;
    // Chunks are stored in row order, so the chunk is found by counting rows.
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

fn component_values(figures: &FigureTable, row: usize) -> BTreeMap<String, Option<String>> {
    let parts = figures.table.shape().components().iter().zip(figures.table.columns());
    parts.map(|(part, column)| (part.id.to_string(), column.cell(row).map(|cell| cell.to_string()))).collect()
}

fn standing_view<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    info: &ReleaseInfo,
    location: &CellLocation,
    sources: Vec<SourceDocument>,
    newer: Option<Address>,
) -> Result<StandingView, Problem> {
    let query = state.service.query();
    let entry = query.read_entry(info.position.entry)?;
    let key = location.figures.table.key(location.row);
    // A listed flow has a measure.
    let component = location.figures.measure_id().map(Name::new).transpose();
    let component = component.ok().flatten().ok_or_else(|| not_found("measure"))?;
    let cell = CellReference { output: &location.output, key: &key, component: &component };
    let standings = catalogue.output_standings(&query, info, &location.output, &component)?;
    let log = catalogue.logs.get(&info.position.publisher);
    let attestation = |found: &service::query::AttestationInfo| {
        let log = catalogue.logs.get(&found.position.publisher)?;
        // Attestations of strangers are free to make: they are neither shown nor read.
        (log.own || log.followed).then(|| Attestation {
            publisher: found.position.publisher,
            name: found.position.name.clone(),
            time: found.position.time,
            verdict: found.attestation.verdict.clone(),
            cell: query.attested_cell(&found.attestation, cell),
            followed: log.followed,
            own: log.own,
        })
    };
    let mut attestations: Vec<Attestation> = info.attestations.iter().filter_map(attestation).collect();
    attestations.sort_by_key(|attestation| (!attestation.own, attestation.time));
    Ok(StandingView {
        figure: standings.figure(&key),
        superseded: standings.root().superseded.clone(),
        signature: SignatureInfo {
            key: entry.value().key.to_string(),
            entry: info.position.entry,
            time: info.position.time,
        },
        log: LogStatus {
            seq: info.position.seq,
            length: log.map_or(0, |log| log.length),
            complete: log.map_or(0, |log| log.complete),
        },
        latest: newer.is_none(),
        newer,
        sources,
        attestations,
        own_verdict: info.verdict.clone(),
        forked: log.is_some_and(|log| log.forked),
        retracted: info.retracted.clone(),
    })
}

/// Returns the figure in each release of the dataflow, newest first.
fn list_revisions<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    flow: &Flow,
    output: &Name,
    key: &SeriesKey,
    period: Period,
) -> Result<Vec<Revision>, Problem> {
    let releases = catalogue.vintages.get(&(flow.publisher, flow.dataflow.clone()));
    let mut found = Vec::new();
    // Each revision reads a table, so their number is bounded.
    for info in releases.into_iter().flatten().rev().take(REVISIONS_MAX) {
        let cell = find_cell(state, info, Some(output.as_str()), key, period)?;
        let word = cell.as_ref().map(|cell| cell_word(state, catalogue, info, cell)).transpose()?.flatten();
        found.push(Revision {
            word,
            seq: info.position.seq,
            release: info.id,
            vintage: info.release.vintage.to_string(),
            published: info.position.time,
            value: cell.and_then(|cell| cell.figures.value(cell.row)).map(|value| value.to_string()),
            reason: info.release.supersedes.as_ref().map(|before| before.reason),
        });
    }
    Ok(found)
}

/// Returns the standing of the figure at a location; `None` for an output without a measure.
fn cell_word<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    info: &ReleaseInfo,
    location: &CellLocation,
) -> Result<Option<Standing>, Problem> {
    let measure = location.figures.measure_id().and_then(|id| Name::new(id).ok());
    let Some(measure) = measure else { return Ok(None) };
    let query = state.service.query();
    let standings = catalogue.output_standings(&query, info, &location.output, &measure)?;
    Ok(Some(standings.word(&location.figures.table.key(location.row))))
}

/// The same key and period in the other flows of the measure whose unit is alike.
fn list_alternatives<K: Storage>(
    state: &State<K>,
    catalogue: &Catalogue,
    flow: &Flow,
    key: &SeriesKey,
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
        let figures = state.views.table(other.content)?;
        let Some(row) = figures.find_row(key, period) else { continue };
        found.push(Alternative {
            address: Address::new(other.publisher, other.dataflow.clone()).with_figure(key.clone(), period),
            publisher: other.publisher,
            dataflow: other.dataflow.clone(),
            output: other.output.clone(),
            title: other.title.clone(),
            output_title: other.output_title.clone(),
            several_outputs: other.outputs > 1,
            official: other.official,
            unit: other.unit.clone(),
            value: figures.value(row).map(|value| value.to_string()),
            word: other.standings.word(&figures.table.key(row)),
        });
    }
    Ok(found)
}

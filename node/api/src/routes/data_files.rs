//! Data files at predictable URLs: `/data/<publisher>/<dataflow>/<key>.csv`, or `.json` for JSON-stat
//! 2.0.
//!
//! The key `all` selects every series; `?asOf=2026-01-31` selects the release that was the latest on
//! that day. A URL without a publisher redirects to the only publisher that has the dataflow.

use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::address::Address;
use schemas::cid::{PublisherId, ReleaseId};
use schemas::object::Release;
use schemas::text::Name;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use service::{OutputStandings, Storage};

use super::{check_length, not_found, parse_id, parse_vintage, run_blocking};
use crate::Problem;
use crate::state::State;
use crate::views::FigureTable;

/// Key that selects every series.
const ALL: &str = "all";

/// Selection of a release and output.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataFileParams {
    #[serde(rename = "asOf")]
    as_of: Option<String>,
    /// Output, if the recipe has several.
    output: Option<String>,
}

pub(crate) async fn download_file<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((publisher, dataflow, file)): Path<(String, String, String)>,
    when: Result<Params<DataFileParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let result = run_blocking(state, move |state| {
        let when = when.map_err(Problem::invalid_query)?.0;
        let publisher: PublisherId = parse_id(check_length(&publisher)?)?;
        let dataflow = Name::new(check_length(&dataflow)?).map_err(|_| not_found("dataflow"))?;
        let (key, kind) = check_length(&file)?.rsplit_once('.').ok_or_else(unknown_file)?;
        let as_of = when.as_of.map(|day| parse_vintage(&format!("asof={day}"))).transpose()?;
        let address = Address::new(publisher, dataflow.clone()).with_vintage(as_of.unwrap_or_default());
        let release = state.service.query().resolve_address(&address)?;
        let SelectedRows { figures, rows, output } =
            select_rows(state, release, when.output.as_deref(), key)?;
        let query = state.service.query();
        let measure = figures.measure_id().and_then(|id| Name::new(id).ok());
        let standings = match measure {
            Some(measure) => query.output_standings(&query.find_release(release)?, &output, &measure)?,
            None => OutputStandings::default(),
        };
        match kind {
            "csv" => Ok(("text/csv; charset=utf-8", write_csv(&figures, &rows, &standings))),
            "json" => {
                let document = write_json_stat(&figures, &rows, &standings, dataflow.as_str())?;
                Ok(("application/json", document))
            }
            _ => Err(unknown_file()),
        }
    });
    match result.await {
        Ok((kind, body)) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Redirects to the only publisher of a dataflow.
pub(crate) async fn redirect<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((dataflow, file)): Path<(String, String)>,
) -> Response {
    let found = run_blocking(state, move |state| {
        let dataflow = Name::new(check_length(&dataflow)?).map_err(|_| not_found("dataflow"))?;
        let catalogue = state.views.catalogue()?;
        let owners = catalogue.vintages.keys().filter(|(_, name)| *name == dataflow);
        let paths: Vec<String> = owners
            .map(|(publisher, _)| {
                format!("/data/{publisher}/{dataflow}/{}", check_length(&file).unwrap_or(ALL))
            })
            .collect();
        match paths.as_slice() {
            [] => Err(not_found("dataflow")),
            [path] => Ok(path.clone()),
            several => {
                let detail = format!("several publishers have this dataflow: {}", several.join(", "));
                Err(Problem::new(StatusCode::CONFLICT, "several", detail))
            }
        }
    });
    match found.await {
        // A temporary redirect, because a second publisher can add the dataflow later.
        Ok(path) => (StatusCode::FOUND, [(header::LOCATION, path)]).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn unknown_file() -> Problem {
    let detail = "file not found: expected <key>.csv or <key>.json";
    Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
}

/// Rows of one output.
struct SelectedRows {
    figures: std::sync::Arc<FigureTable>,
    rows: Vec<usize>,
    output: Name,
}

/// Returns the rows of a key in the named output, or in the first output that has the key.
fn select_rows<K: Storage>(
    state: &State<K>,
    release: ReleaseId,
    output: Option<&str>,
    key: &str,
) -> Result<SelectedRows, Problem> {
    let release: Release = state.service.query().read_object(release.cid())?;
    let results =
        release.results.iter().filter(|(name, _)| output.is_none_or(|requested| name.as_str() == requested));
    for (output, content) in results {
        let figures = state.views.table(*content)?;
        let rows = if key == ALL {
            Some((0..figures.table.rows()).collect())
        } else {
            figures.series.get(&parse_id(key)?).map(|rows| rows.iter().map(|row| *row as usize).collect())
        };
        if let Some(rows) = rows {
            return Ok(SelectedRows { figures, rows, output: output.clone() });
        }
    }
    Err(not_found("series"))
}

/// Column of the standing of each figure: `holds`, `does_not_hold`, `contested` or `unchecked`.
const STANDING: &str = "ASSAY_STANDING";

/// Writes all components of the rows as CSV (RFC 4180), with exact values, and the standing of each figure.
fn write_csv(figures: &FigureTable, rows: &[usize], standings: &OutputStandings) -> String {
    let names = figures.table.shape().components().iter().map(|part| part.id.to_string());
    let mut text = names.chain([STANDING.to_owned()]).collect::<Vec<_>>().join(",") + "\n";
    for row in rows {
        let cells = figures.table.columns().iter().map(|column| column.cell(*row));
        let cells: Vec<String> =
            cells.map(|cell| cell.map_or_else(String::new, |cell| quote_cell(&cell.to_string()))).collect();
        text += &cells.join(",");
        text.push(',');
        text += standings.word(&figures.table.key(*row)).as_str();
        text.push('\n');
    }
    text
}

/// Quotes a cell if necessary.
fn quote_cell(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Writes a JSON-stat 2.0 data set with exact values; `status` is the standing of each figure.
fn write_json_stat(
    figures: &FigureTable,
    rows: &[usize],
    standings: &OutputStandings,
    label: &str,
) -> Result<String, Problem> {
    let names = figures.dimension_ids();
    let codes = |row: usize| -> Option<Vec<String>> {
        let mut codes = figures.key(row).values().to_vec();
        codes.push(figures.period(row)?.to_string());
        Some(codes)
    };
    let mut lists: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for row in rows {
        for (list, code) in lists.iter_mut().zip(codes(*row).unwrap_or_default()) {
            list.push(code);
        }
    }
    lists.iter_mut().for_each(|list| {
        list.sort_unstable();
        list.dedup();
    });
    // JSON-stat lists one value for each combination of codes, in row-major order of `id`.
    let cells = lists.iter().try_fold(1_usize, |cells, list| cells.checked_mul(list.len()));
    let large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "large",
            "too many cells for JSON-stat; request the CSV file",
        )
    };
    let cells = cells.filter(|cells| *cells <= CELLS_MAX).ok_or_else(large)?;
    let mut values: Vec<Option<Box<RawValue>>> = vec![None; cells];
    let mut status = serde_json::Map::new();
    for row in rows {
        let codes_of_row = codes(*row).unwrap_or_default();
        let position = lists.iter().zip(&codes_of_row).try_fold(0, |position, (list, code)| {
            Some(position * list.len() + list.binary_search(code).ok()?)
        });
        // A raw value keeps all digits; a JSON number of serde_json would be rounded to f64.
        let value = figures.value(*row).and_then(|value| RawValue::from_string(value.to_string()).ok());
        let Some((position, slot)) = position.and_then(|at| Some((at, values.get_mut(at)?))) else {
            continue;
        };
        slot.clone_from(&value);
        let word = standings.word(&figures.table.key(*row)).as_str();
        status.insert(position.to_string(), word.into());
    }
    let dimension: serde_json::Map<String, Value> = names
        .iter()
        .zip(&lists)
        .map(|(name, list)| (name.clone(), json!({ "category": { "index": list } })))
        .collect();
    let head = json!({
        "version": "2.0", "class": "dataset", "label": label, "id": names,
        "size": lists.iter().map(Vec::len).collect::<Vec<_>>(), "dimension": dimension,
        "role": { "time": [names.last()] }, "status": status,
    });
    let values = serde_json::to_string(&values).map_err(|_| Problem::no_response())?;
    let head = head.to_string();
    Ok(format!("{},\"value\":{values}}}", head.strip_suffix('}').unwrap_or(&head)))
}

/// Cells of a JSON-stat document. The format is dense: a few series of many dimensions can span a large
/// cube.
const CELLS_MAX: usize = 1 << 20;

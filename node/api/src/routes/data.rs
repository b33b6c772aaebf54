//! Figures as files at addresses that can be guessed: `/data/<publisher>/<dataflow>/<key>.csv`, or
//! `.json` for JSON-stat 2.0; the key `all` is every series. `?asOf=2026-01-31` is the release of that
//! day. Without a publisher the address leads on to the one that has the dataflow.

use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::cid::{PublisherId, ReleaseId};
use schemas::object::Release;
use schemas::text::Name;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use service::Storage;
use service::query::ResolvedReference;

use super::{check_length, not_found, run_blocking, split_key};
use crate::read::parse_id;
use crate::views::FigureTable;
use crate::{Problem, State};

/// The key of every series.
const ALL: &str = "all";

/// Which release is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataFileParams {
    #[serde(rename = "asOf")]
    as_of: Option<String>,
    /// Which output of a recipe that has several.
    output: Option<String>,
}

pub(crate) async fn download_file<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((publisher, dataflow, file)): Path<(String, String, String)>,
    when: Result<Params<DataFileParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let made = run_blocking(state, move |state| {
        let when = when.map_err(Problem::invalid_query)?.0;
        let publisher: PublisherId = parse_id(check_length(&publisher)?)?;
        let dataflow =
            Name::new(check_length(&dataflow)?).map_err(|_| not_found("a dataflow of this name"))?;
        let (key, kind) = check_length(&file)?.rsplit_once('.').ok_or_else(unknown_file)?;
        let vintage = when.as_of.as_ref().map_or_else(String::new, |day| format!("@asof={day}"));
        let query = state.service.query();
        let address = format!("assay://{publisher}/{dataflow}{vintage}");
        let ResolvedReference::Address(_, release) = query.resolve(check_length(&address)?)? else {
            return Err(unknown_file());
        };
        let (held, rows) = select_rows(state, release, when.output.as_deref(), key)?;
        match kind {
            "csv" => Ok(("text/csv; charset=utf-8", write_csv(&held, &rows))),
            "json" => Ok(("application/json", write_json_stat(&held, &rows, dataflow.as_str())?)),
            _ => Err(unknown_file()),
        }
    });
    match made.await {
        Ok((kind, body)) => ([(header::CONTENT_TYPE, kind)], body).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Leads to the one publisher who has a dataflow.
pub(crate) async fn redirect<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((dataflow, file)): Path<(String, String)>,
) -> Response {
    let found = run_blocking(state, move |state| {
        let dataflow =
            Name::new(check_length(&dataflow)?).map_err(|_| not_found("a dataflow of this name"))?;
        let catalogue = state.views.catalogue()?;
        let owners = catalogue.vintages.keys().filter(|(_, name)| *name == dataflow);
        let paths: Vec<String> = owners
            .map(|(publisher, _)| {
                format!("/data/{publisher}/{dataflow}/{}", check_length(&file).unwrap_or(ALL))
            })
            .collect();
        match paths.as_slice() {
            [] => Err(not_found("a dataflow of this name")),
            [path] => Ok(path.clone()),
            several => {
                let detail = format!("several publishers have it: {}", several.join(", "));
                Err(Problem::new(StatusCode::CONFLICT, "several", detail))
            }
        }
    });
    match found.await {
        Ok(path) => (StatusCode::FOUND, [(header::LOCATION, path)]).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn unknown_file() -> Problem {
    not_found("a file of this name (expected <key>.csv or <key>.json)")
}

/// The rows of a key in an output of a release, or else in the first one that has it.
fn select_rows<K: Storage>(
    state: &State<K>,
    release: ReleaseId,
    output: Option<&str>,
    key: &str,
) -> Result<(std::sync::Arc<FigureTable>, Vec<usize>), Problem> {
    let release: Release = state.service.query().read_object(release.cid())?;
    let results =
        release.results.iter().filter(|(name, _)| output.is_none_or(|wanted| name.as_str() == wanted));
    for (_, content) in results {
        let held = state.views.table(*content)?;
        let rows = if key == ALL {
            Some((0..held.table.rows()).collect())
        } else {
            held.series.get(&split_key(key)).map(|rows| rows.iter().map(|row| *row as usize).collect())
        };
        if let Some(rows) = rows {
            return Ok((held, rows));
        }
    }
    Err(not_found("a series of this key"))
}

/// All components of the rows, to the last digit (RFC 4180).
fn write_csv(held: &FigureTable, rows: &[usize]) -> String {
    let names = held.table.shape().components().iter().map(|part| part.id.to_string());
    let mut text = names.collect::<Vec<_>>().join(",") + "\n";
    for row in rows {
        let cells = held.table.columns().iter().map(|column| column.cell(*row));
        let cells: Vec<String> =
            cells.map(|cell| cell.map_or_else(String::new, |cell| quote_cell(&cell.to_string()))).collect();
        text += &cells.join(",");
        text.push('\n');
    }
    text
}

/// A cell, in quotes where it needs them.
fn quote_cell(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A data set of JSON-stat 2.0, its values as they stand, to the last digit.
fn write_json_stat(held: &FigureTable, rows: &[usize], label: &str) -> Result<String, Problem> {
    let names = held.dimension_ids();
    let codes = |row: usize| -> Option<Vec<String>> {
        let mut codes = held.key(row);
        codes.push(held.period(row)?.to_string());
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
    let cells = lists.iter().try_fold(1_usize, |cells, list| cells.checked_mul(list.len()));
    let large = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "large", "too many cells; take the CSV file");
    let cells = cells.filter(|cells| *cells <= CELLS_MAX).ok_or_else(large)?;
    let mut values: Vec<Option<Box<RawValue>>> = vec![None; cells];
    for row in rows {
        let places = codes(*row).unwrap_or_default();
        let place = lists
            .iter()
            .zip(&places)
            .try_fold(0, |place, (list, code)| Some(place * list.len() + list.binary_search(code).ok()?));
        let value = held.value(*row).and_then(|value| RawValue::from_string(value.to_string()).ok());
        place.and_then(|place| values.get_mut(place)).into_iter().for_each(|slot| slot.clone_from(&value));
    }
    let dimension: serde_json::Map<String, Value> = names
        .iter()
        .zip(&lists)
        .map(|(name, list)| (name.clone(), json!({ "category": { "index": list } })))
        .collect();
    let head = json!({
        "version": "2.0", "class": "dataset", "label": label, "id": names,
        "size": lists.iter().map(Vec::len).collect::<Vec<_>>(), "dimension": dimension,
        "role": { "time": [names.last()] },
    });
    let values = serde_json::to_string(&values).map_err(|_| Problem::no_response())?;
    let head = head.to_string();
    Ok(format!("{},\"value\":{values}}}", head.strip_suffix('}').unwrap_or(&head)))
}

/// Cells of one JSON-stat document: it is dense, so that few series of many dimensions may be many.
const CELLS_MAX: usize = 1 << 20;

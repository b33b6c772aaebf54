//! Flows, areas, panels and series.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::response::Response;
use schemas::address::SeriesKey;
use schemas::cid::{ContentId, ReleaseId};
use schemas::object::{Recipe, Release};
use schemas::structure::Role;
use schemas::text::Name;
use serde::{Deserialize, Serialize};
use service::Storage;

use super::{check_length, not_found, parse_id, respond_immutable, respond_json};
use crate::Problem;
use crate::state::State;
use crate::views::areas::all_areas;
use crate::views::{FigureTable, plot_value};

pub(crate) async fn list_flows<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, |state| Ok(state.views.catalogue()?.flows.clone())).await
}

pub(crate) async fn list_areas<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, all_areas).await
}

/// Figures of an output as a matrix of series and periods.
#[derive(Debug, Serialize)]
struct PanelResponse {
    release: ReleaseId,
    output: Name,
    unit: String,
    dimensions: Vec<String>,
    /// Keys of the series.
    series: Vec<SeriesKey>,
    /// Codes of the keys, if there is more than one dimension besides time.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_codes: Option<Vec<Vec<String>>>,
    periods: Vec<String>,
    /// One array per series with one value per period.
    values: Vec<Vec<Option<f64>>>,
}

/// Restriction of a panel.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PanelParams {
    period: Option<String>,
    area: Option<String>,
}

pub(crate) async fn show_panel<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((release, output)): Path<(String, String)>,
    part: Result<Params<PanelParams>, QueryRejection>,
) -> Response {
    respond_immutable(state, move |state| {
        let part = part.map_err(Problem::invalid_query)?.0;
        let (release, output, figures) = load_output(state, &release, &output)?;
        let recipe: Recipe = state
            .service
            .query()
            .read_object(state.service.query().read_object::<Release>(release.cid())?.recipe.cid())?;
        let unit = recipe.outputs.get(&output).map(|output| output.unit.to_string()).unwrap_or_default();
        let area = figures.area_position();
        let wanted = |key: &&SeriesKey| {
            let code = area.and_then(|at| key.values().get(at));
            part.area.as_ref().is_none_or(|wanted| code == Some(wanted))
        };
        let keys: Vec<&SeriesKey> = figures.series.keys().filter(wanted).collect();
        let spelled = figures.periods.iter().map(|period| (*period, period.to_string()));
        let periods: Vec<_> =
            spelled.filter(|(_, text)| part.period.as_ref().is_none_or(|wanted| wanted == text)).collect();
        let columns: BTreeMap<_, usize> =
            periods.iter().enumerate().map(|(at, (period, _))| (*period, at)).collect();
        let values = keys.iter().map(|key| {
            let mut values = vec![None; periods.len()];
            for row in figures.series.get(*key).into_iter().flatten().map(|row| *row as usize) {
                let slot = figures.period(row).and_then(|period| values.get_mut(*columns.get(&period)?));
                slot.into_iter().for_each(|slot| *slot = figures.value(row).map(plot_value));
            }
            values
        });
        let values = values.collect();
        // With a single dimension besides time, the key is its code.
        let several = figures.key_columns.len() > 1;
        Ok(PanelResponse {
            release,
            output,
            unit,
            dimensions: figures.dimension_ids(),
            series: keys.iter().copied().cloned().collect(),
            key_codes: several.then(|| keys.iter().map(|key| key.values().to_vec()).collect()),
            periods: periods.into_iter().map(|(_, text)| text).collect(),
            values,
        })
    })
    .await
}

/// Returns the figures of a panel that stand otherwise than the others of their release.
pub(crate) async fn list_marks<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((release, output)): Path<(String, String)>,
) -> Response {
    respond_json(state, move |state| {
        let (release, output, figures) = load_output(state, &release, &output)?;
        let query = state.service.query();
        let measure = figures.measure_id().and_then(|id| Name::new(id).ok());
        let measure = measure.ok_or_else(|| not_found("measure"))?;
        let standings = query.output_standings(&query.find_release(release)?, &output, &measure)?;
        Ok(figures.marks(0..figures.table.rows(), &standings))
    })
    .await
}

/// Reads the table of an output.
fn load_output<K: Storage>(
    state: &State<K>,
    release: &str,
    output: &str,
) -> Result<(ReleaseId, Name, Arc<FigureTable>), Problem> {
    let id: ReleaseId = parse_id(check_length(release)?)?;
    let release: Release = state.service.query().read_object(id.cid())?;
    let name = Name::new(check_length(output)?).map_err(|_| not_found("output"))?;
    let content: ContentId = *release.results.get(&name).ok_or_else(|| not_found("output"))?;
    Ok((id, name, state.views.table(content)?))
}

/// A series with exact values.
#[derive(Debug, Serialize)]
struct SeriesResponse {
    dimensions: Vec<String>,
    key: SeriesKey,
    periods: Vec<String>,
    values: Vec<Option<String>>,
    attributes: BTreeMap<String, Vec<Option<String>>>,
}

pub(crate) async fn show_series<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((release, output, key)): Path<(String, String, String)>,
) -> Response {
    respond_immutable(state, move |state| {
        let (_, _, figures) = load_output(state, &release, &output)?;
        let key: SeriesKey = parse_id(check_length(&key)?)?;
        let rows = figures.series.get(&key).ok_or_else(|| not_found("series"))?;
        let rows: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let text =
            |column: &schemas::table::Column, row: usize| column.cell(row).map(|cell| cell.to_string());
        let parts = figures.table.shape().components().iter().zip(figures.table.columns());
        let attributes = parts
            .filter(|(part, _)| part.role == Role::Attribute)
            .map(|(part, column)| (part.id.to_string(), rows.iter().map(|row| text(column, *row)).collect()));
        Ok(SeriesResponse {
            dimensions: figures.dimension_ids(),
            key,
            periods: rows.iter().filter_map(|row| figures.period(*row)).map(|one| one.to_string()).collect(),
            values: rows.iter().map(|row| figures.value(*row).map(|value| value.to_string())).collect(),
            attributes: attributes.collect(),
        })
    })
    .await
}

//! Flows, areas, panels, countries, series.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, Query as Params, State as Shared};
use axum::response::Response;
use schemas::cid::{ContentId, ReleaseId};
use schemas::object::{Recipe, Release};
use schemas::structure::Role;
use schemas::text::Name;
use serde::{Deserialize, Serialize};
use service::Storage;

use super::{check_length, join_key, not_found, respond_immutable, respond_json, split_key};
use crate::read::parse_id;
use crate::views::{FigureTable, Flow, plot_value};
use crate::{Problem, State};

pub(crate) async fn list_flows<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, |state| Ok(state.views.catalogue()?.flows.clone())).await
}

/// An area by its code.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Area {
    code: String,
    name: String,
    alpha2: Option<&'static str>,
    m49: Option<String>,
    /// Whether it stands for several others.
    aggregate: bool,
}

impl Area {
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An area as the data sets here name it, or else as ISO 3166 does.
    fn describe(code: &str, said: Option<&schemas::object::Code>) -> Self {
        let country = rust_iso3166::from_alpha3(code);
        let named = said.map(|said| said.name.to_string()).filter(|name| name != code);
        Self {
            code: code.to_owned(),
            name: named.or_else(|| country.map(|one| one.name.to_owned())).unwrap_or_else(|| code.to_owned()),
            alpha2: country.map(|one| one.alpha2),
            m49: country.map(|one| format!("{:03}", one.numeric)),
            aggregate: said.is_some_and(|said| said.aggregate),
        }
    }
}

/// Every area of which there is a figure.
pub(crate) fn all_areas<K: Storage>(state: &State<K>) -> Result<Vec<Area>, Problem> {
    let said = state.views.areas()?;
    let catalogue = state.views.catalogue()?;
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for flow in &catalogue.flows {
        let held = state.views.table(flow.content)?;
        let Some(at) = held.area_position() else { continue };
        codes.extend(held.series.keys().filter_map(|key| key.get(at).cloned()));
    }
    Ok(codes.iter().map(|code| Area::describe(code, said.get(code))).collect())
}

pub(crate) async fn list_areas<K: Storage>(Shared(state): Shared<State<K>>) -> Response {
    respond_json(state, all_areas).await
}

/// The figures of an output, by area and period.
#[derive(Debug, Serialize)]
struct PanelResponse {
    release: ReleaseId,
    output: Name,
    unit: String,
    dimensions: Vec<String>,
    /// A series each: its key.
    areas: Vec<String>,
    /// The parts of these keys, where there are more dimensions than one beside time.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<Vec<String>>>,
    periods: Vec<String>,
    /// A row for each series, a place for each period.
    values: Vec<Vec<Option<f64>>>,
}

/// What part of a panel is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PanelParams {
    period: Option<String>,
    area: Option<String>,
}

pub(crate) async fn show_panel<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((release, output)): Path<(String, String)>,
    part: Result<Params<PanelParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    respond_immutable(state, move |state| {
        let part = part.map_err(Problem::invalid_query)?.0;
        let (release, output, held) = load_output(state, &release, &output)?;
        let recipe: Recipe = state
            .service
            .query()
            .read_object(state.service.query().read_object::<Release>(release.cid())?.recipe.cid())?;
        let unit = recipe.outputs.get(&output).map(|said| said.unit.to_string()).unwrap_or_default();
        let area = held.area_position();
        let wanted = |key: &&Vec<String>| {
            let code = area.and_then(|at| key.get(at));
            part.area.as_ref().is_none_or(|wanted| code == Some(wanted))
        };
        let keys: Vec<&Vec<String>> = held.series.keys().filter(wanted).collect();
        let spelled = held.periods.iter().map(|period| (*period, period.to_string()));
        let periods: Vec<_> =
            spelled.filter(|(_, text)| part.period.as_ref().is_none_or(|wanted| wanted == text)).collect();
        let places: BTreeMap<_, usize> =
            periods.iter().enumerate().map(|(at, (period, _))| (*period, at)).collect();
        let values = keys.iter().map(|key| {
            let mut values = vec![None; periods.len()];
            for row in held.series.get(*key).into_iter().flatten().map(|row| *row as usize) {
                let slot = held.period(row).and_then(|period| values.get_mut(*places.get(&period)?));
                slot.into_iter().for_each(|slot| *slot = held.value(row).map(plot_value));
            }
            values
        });
        let values = values.collect();
        let several = held.key_columns.len() > 1;
        Ok(PanelResponse {
            release,
            output,
            unit,
            dimensions: held.dimension_ids(),
            areas: keys.iter().map(|key| join_key(key)).collect(),
            keys: several.then(|| keys.into_iter().cloned().collect()),
            periods: periods.into_iter().map(|(_, text)| text).collect(),
            values,
        })
    })
    .await
}

/// The figures of an output of a release.
fn load_output<K: Storage>(
    state: &State<K>,
    release: &str,
    output: &str,
) -> Result<(ReleaseId, Name, Arc<FigureTable>), Problem> {
    let id: ReleaseId = parse_id(check_length(release)?)?;
    let release: Release = state.service.query().read_object(id.cid())?;
    let name = Name::new(check_length(output)?).map_err(|_| not_found("an output of this name"))?;
    let content: ContentId =
        *release.results.get(&name).ok_or_else(|| not_found("an output of this name"))?;
    Ok((id, name, state.views.table(content)?))
}

/// All that there is of an area.
#[derive(Debug, Serialize)]
struct CountryResponse {
    area: Area,
    flows: Vec<FlowSeries>,
}

/// The series of an area in a flow.
#[derive(Debug, Serialize)]
struct FlowSeries {
    flow: Flow,
    keys: Vec<PlotSeries>,
}

/// A series for drawing.
#[derive(Debug, Serialize)]
struct PlotSeries {
    key: String,
    periods: Vec<String>,
    values: Vec<Option<f64>>,
}

pub(crate) async fn show_country<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(code): Path<String>,
) -> Response {
    respond_json(state, move |state| country_view(state, &code)).await
}

/// All that there is of the area of a code.
pub(crate) fn country_view<K: Storage>(
    state: &State<K>,
    code: &str,
) -> Result<impl Serialize + use<K>, Problem> {
    let code = check_length(code)?.to_owned();
    let catalogue = state.views.catalogue()?;
    let mut flows = Vec::new();
    for flow in &catalogue.flows {
        let held = state.views.table(flow.content)?;
        let Some(at) = held.area_position() else { continue };
        let lines = held.series.iter().filter(|(key, _)| key.get(at) == Some(&code));
        let keys: Vec<PlotSeries> = lines
            .map(|(key, rows)| {
                let (periods, values) = held.plot_points(rows);
                PlotSeries { key: join_key(key), periods, values }
            })
            .collect();
        if !keys.is_empty() {
            flows.push(FlowSeries { flow: flow.clone(), keys });
        }
    }
    let said = state.views.areas()?;
    if flows.is_empty() && !said.contains_key(&code) && rust_iso3166::from_alpha3(&code).is_none() {
        return Err(not_found("an area of this code"));
    }
    Ok(CountryResponse { area: Area::describe(&code, said.get(&code)), flows })
}

/// A series to the last digit.
#[derive(Debug, Serialize)]
struct SeriesResponse {
    dimensions: Vec<String>,
    key: String,
    periods: Vec<String>,
    values: Vec<Option<String>>,
    attributes: BTreeMap<String, Vec<Option<String>>>,
}

pub(crate) async fn show_series<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path((release, output, key)): Path<(String, String, String)>,
) -> Response {
    respond_immutable(state, move |state| {
        let (_, _, held) = load_output(state, &release, &output)?;
        let key = split_key(check_length(&key)?);
        let rows = held.series.get(&key).ok_or_else(|| not_found("a series of this key"))?;
        let rows: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let text =
            |column: &schemas::table::Column, row: usize| column.cell(row).map(|cell| cell.to_string());
        let parts = held.table.shape().components().iter().zip(held.table.columns());
        let attributes = parts
            .filter(|(part, _)| part.role == Role::Attribute)
            .map(|(part, column)| (part.id.to_string(), rows.iter().map(|row| text(column, *row)).collect()));
        Ok(SeriesResponse {
            dimensions: held.dimension_ids(),
            key: join_key(&key),
            periods: rows.iter().filter_map(|row| held.period(*row)).map(|one| one.to_string()).collect(),
            values: rows.iter().map(|row| held.value(*row).map(|value| value.to_string())).collect(),
            attributes: attributes.collect(),
        })
    })
    .await
}

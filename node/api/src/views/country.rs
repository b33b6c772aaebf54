//! All series of an area.

use schemas::address::SeriesKey;
use serde::Serialize;
use service::Storage;

use super::areas::Area;
use super::{FigureMark, Flow};
use crate::Problem;
use crate::routes::{check_length, not_found};
use crate::state::State;

/// All series of an area.
#[derive(Debug, Serialize)]
struct CountryResponse {
    area: Area,
    flows: Vec<FlowSeries>,
}

/// Series of an area in one flow.
#[derive(Debug, Serialize)]
struct FlowSeries {
    flow: Flow,
    series: Vec<PlotSeries>,
}

/// A series with chart values.
#[derive(Debug, Serialize)]
struct PlotSeries {
    key: SeriesKey,
    periods: Vec<String>,
    values: Vec<Option<f64>>,
    marks: Vec<FigureMark>,
}

/// Returns all series of an area.
pub(crate) fn country_view<K: Storage>(
    state: &State<K>,
    code: &str,
) -> Result<impl Serialize + use<K>, Problem> {
    let code = check_length(code)?.to_owned();
    let catalogue = state.views.catalogue()?;
    let mut flows = Vec::new();
    for flow in &catalogue.flows {
        let figures = state.views.table(flow.content)?;
        let Some(at) = figures.area_position() else { continue };
        let lines = figures.series.iter().filter(|(key, _)| key.values().get(at) == Some(&code));
        let series: Vec<PlotSeries> = lines
            .map(|(key, rows)| {
                let (periods, values) = figures.plot_points(rows);
                let marks = figures.marks(rows.iter().map(|row| *row as usize), &flow.standings);
                PlotSeries { key: key.clone(), periods, values, marks }
            })
            .collect();
        if !series.is_empty() {
            flows.push(FlowSeries { flow: flow.clone(), series });
        }
    }
    let area_codes = state.views.areas()?;
    if flows.is_empty() && !area_codes.contains_key(&code) && rust_iso3166::from_alpha3(&code).is_none() {
        return Err(not_found("area"));
    }
    Ok(CountryResponse { area: Area::describe(&code, area_codes.get(&code)), flows })
}

//! Data as SDMX-ML 2.1, generic and structure-specific.
//!
//! The header names the structure by `Structure`, since `StructureUsage` breaks pandasdmx. A data
//! set stands there even when it is empty: sdmx1 and rsdmx do not read an answer without.

use crate::sdmx::cube::TIME;
use crate::sdmx::ids::VERSION;
use crate::sdmx::select::{Observation, View};
use crate::sdmx::xml::{self, escape};

/// The generic message.
pub(crate) fn generic(view: &View<'_>) -> String {
    let body: String = if view.keys_only() || !view.flat() {
        view.series().map(|series| generic_series(view, series)).collect()
    } else {
        view.rows.iter().map(|row| generic_flat(view, row)).collect()
    };
    format!(
        "{}<mes:GenericData xmlns:mes=\"{}\" xmlns:gen=\"{}\" xmlns:com=\"{}\">\n{}\n\
         <mes:DataSet structureRef=\"{}\" action=\"Information\">{}{body}</mes:DataSet>\n</mes:GenericData>\n",
        xml::HEAD,
        xml::MESSAGE,
        xml::GENERIC,
        xml::COMMON,
        header(view, ""),
        view.flow.id,
        parts("Attributes", view.origin().into_iter())
    )
}

fn header(view: &View<'_>, more: &str) -> String {
    let (agency, id) = (&view.flow.agency, &view.flow.id);
    format!(
        "<mes:Header>{}<mes:Structure structureID=\"{id}\"{more} dimensionAtObservation=\"{}\">\
         <com:Structure><Ref id=\"{id}\" agencyID=\"{agency}\" version=\"{VERSION}\" \
         class=\"DataStructure\"/></com:Structure></mes:Structure></mes:Header>",
        xml::header(view.flow.now, agency),
        at_observation(view)
    )
}

fn at_observation(view: &View<'_>) -> &'static str {
    if view.flat() { "AllDimensions" } else { TIME }
}

/// A list of values in an element; nothing where there are none.
fn parts<'a>(element: &str, values: impl Iterator<Item = (&'a str, String)>) -> String {
    let values: String =
        values.map(|(id, text)| format!("<gen:Value id=\"{id}\" value=\"{}\"/>", escape(&text))).collect();
    if values.is_empty() { values } else { format!("<gen:{element}>{values}</gen:{element}>") }
}

fn key<'a>(view: &'a View<'_>, row: &'a Observation) -> impl Iterator<Item = (&'a str, String)> {
    let ids = view.cube.dimensions.iter().map(|dimension| dimension.id.as_str());
    ids.zip(row.key.iter().cloned())
}

fn generic_series(view: &View<'_>, series: &[Observation]) -> String {
    let Some(first) = series.first() else { return String::new() };
    let key = parts("SeriesKey", key(view, first));
    let rows = if view.keys_only() { &[] } else { series };
    let rows: String = rows
        .iter()
        .map(|row| {
            let time = format!("<gen:ObsDimension value=\"{}\"/>", escape(&row.time));
            format!("<gen:Obs>{time}{}</gen:Obs>", figure(view, row))
        })
        .collect();
    format!("<gen:Series>{key}{rows}</gen:Series>\n")
}

fn figure(view: &View<'_>, row: &Observation) -> String {
    let value = row.value.as_deref().map(|value| format!("<gen:ObsValue value=\"{}\"/>", escape(value)));
    value.unwrap_or_default() + &parts("Attributes", view.attributes(row.row).into_iter())
}

fn generic_flat(view: &View<'_>, row: &Observation) -> String {
    let time = view.cube.timed().then(|| (TIME, row.time.clone()));
    let key = parts("ObsKey", key(view, row).chain(time));
    format!("<gen:Obs>{key}{}</gen:Obs>\n", figure(view, row))
}

/// The structure-specific message.
pub(crate) fn specific(view: &View<'_>) -> String {
    let body: String = if view.keys_only() || !view.flat() {
        view.series().map(|series| specific_series(view, series)).collect()
    } else {
        view.rows.iter().map(|row| observation(view, row, &named(key(view, row)))).collect()
    };
    let (agency, id) = (&view.flow.agency, &view.flow.id);
    let space = format!(
        "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={agency}:{id}({VERSION}):ObsLevelDim:{}",
        at_observation(view)
    );
    format!(
        "{}<mes:StructureSpecificData xmlns:mes=\"{}\" xmlns:ss=\"{}\" xmlns:com=\"{}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:ns1=\"{space}\">\n{}\n\
         <mes:DataSet ss:structureRef=\"{id}\" xsi:type=\"ns1:DataSetType\" ss:dataScope=\"DataStructure\" \
         action=\"Information\"{}>{body}</mes:DataSet>\n</mes:StructureSpecificData>\n",
        xml::HEAD,
        xml::MESSAGE,
        xml::SPECIFIC,
        xml::COMMON,
        header(view, &format!(" namespace=\"{space}\"")),
        named(view.origin().into_iter())
    )
}

fn named<'a>(values: impl Iterator<Item = (&'a str, String)>) -> String {
    values.map(|(id, text)| format!(" {id}=\"{}\"", escape(&text))).collect()
}

fn specific_series(view: &View<'_>, series: &[Observation]) -> String {
    let Some(first) = series.first() else { return String::new() };
    let rows = if view.keys_only() { &[] } else { series };
    let rows: String = rows.iter().map(|row| observation(view, row, "")).collect();
    format!("<Series{}>{rows}</Series>\n", named(key(view, first)))
}

fn observation(view: &View<'_>, row: &Observation, key: &str) -> String {
    let time = view.cube.timed().then(|| (TIME, row.time.clone()));
    let value = row.value.clone().map(|value| ("OBS_VALUE", value));
    let values = time.into_iter().chain(value).chain(view.attributes(row.row));
    format!("<Obs{key}{}/>", named(values))
}

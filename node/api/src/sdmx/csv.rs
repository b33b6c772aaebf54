//! Data as SDMX-CSV 1.0 (pysdmx reads it) and 2.0 (sdmx1 wants `ACTION`, pysdmx `STRUCTURE` first).

use crate::sdmx::cube::{FIGURE, TIME};
use crate::sdmx::ids;
use crate::sdmx::select::{Observation, View};
use crate::sdmx::wanted::Detail;

/// SDMX-CSV 1.0.
pub(crate) fn one(view: &View<'_>) -> String {
    let flow = format!("{}:{}({})", view.flow.agency, view.flow.id, ids::VERSION);
    write(view, &["DATAFLOW"], &[&flow])
}

/// SDMX-CSV 2.0.
pub(crate) fn two(view: &View<'_>) -> String {
    let flow = format!("{}:{}({})", view.flow.agency, view.flow.id, ids::VERSION);
    write(view, &["STRUCTURE", "STRUCTURE_ID", "ACTION"], &["dataflow", &flow, "I"])
}

fn write(view: &View<'_>, head: &[&str], first: &[&str]) -> String {
    let origin = view.origin();
    let time = view.cube.timed().then_some(TIME);
    let attributes = if view.wanted.detail == Detail::Full { view.cube.attributes.as_slice() } else { &[] };
    let ids = head.iter().copied();
    let ids = ids.chain(view.cube.dimensions.iter().map(|dimension| dimension.id.as_str()));
    let ids = ids.chain(time).chain([FIGURE]).chain(attributes.iter().map(|(id, _)| id.as_str()));
    let mut out = String::new();
    line(&mut out, ids.chain(origin.iter().map(|(id, _)| *id)));
    let mut row = |observation: &Observation| {
        let own: Vec<String> = attributes
            .iter()
            .map(|(_, at)| view.cube.attribute(*at, observation.row).unwrap_or_default())
            .collect();
        let bare = view.keys_only();
        let time = view.cube.timed().then_some(if bare { "" } else { observation.time.as_str() });
        let value = observation.value.as_deref().filter(|_| !bare).unwrap_or_default();
        let cells = first.iter().copied().chain(observation.key.iter().map(String::as_str));
        let cells = cells.chain(time).chain([value]).chain(own.iter().map(String::as_str));
        line(&mut out, cells.chain(origin.iter().map(|(_, text)| text.as_str())));
    };
    if view.keys_only() {
        view.series().filter_map(|series| series.first()).for_each(&mut row);
    } else {
        view.rows.iter().for_each(&mut row);
    }
    out
}

fn line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

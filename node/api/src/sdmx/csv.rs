//! Data as SDMX-CSV 1.0 (read by pysdmx) and 2.0 (sdmx1 needs `ACTION`, pysdmx needs `STRUCTURE` first).
//!
//! SDMX-CSV 1.0 has no actions, so it cannot express deletions.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::cube::{OBS_VALUE, Observation};
use crate::sdmx::data_set::{DataFormat, DataSetView, MessageContext};
use crate::sdmx::ids;

/// Version of SDMX-CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CsvFormat {
    V1,
    V2,
}

impl DataFormat for CsvFormat {
    fn write_start(&mut self, out: &mut dyn Write, head: &MessageContext) -> io::Result<()> {
        let first: &[&str] = match self {
            Self::V1 => &["DATAFLOW"],
            Self::V2 => &["STRUCTURE", "STRUCTURE_ID", "ACTION"],
        };
        let mut ids = first.to_vec();
        ids.extend(head.layout.dimensions());
        ids.extend(head.request.measures.then_some(OBS_VALUE));
        ids.extend(head.attributes.iter().map(String::as_str));
        ids.extend(head.provenance_ids());
        if head.request.history {
            ids.extend(["VALID_FROM", "VALID_TO"]);
        }
        write_cells(out, ids.into_iter())?;
        out.write_all(b"\r\n")
    }

    fn write_data_set(&mut self, out: &mut dyn Write, view: &DataSetView<'_>) -> io::Result<()> {
        // SDMX-CSV 1.0 cannot express deletions.
        if *self == Self::V1 && !view.has_values() {
            return Ok(());
        }
        let flow = format!("{}:{}({})", view.flow.agency, view.flow.id, ids::VERSION);
        let first: Vec<&str> = match self {
            Self::V1 => vec![&flow],
            Self::V2 => vec!["dataflow", &flow, view.action.letter()],
        };
        // The prefix and suffix are the same for all rows and make up most of the output, so they are
        // built once.
        let mut before = Vec::new();
        write_cells(&mut before, first.into_iter())?;
        let mut after = Vec::new();
        let last = data_set_cells(view);
        write_cells(&mut after, std::iter::once("").chain(last.iter().map(String::as_str)))?;
        for observation in view.observations {
            out.write_all(&before)?;
            out.write_all(b",")?;
            write_cells(out, observation_cells(view, *observation).iter().map(|cell| &**cell))?;
            out.write_all(&after)?;
            out.write_all(b"\r\n")?;
        }
        Ok(())
    }

    fn write_end(&mut self, _: &mut dyn Write, _: &MessageContext) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the data set attributes and, in a history, the validity times.
fn data_set_cells(view: &DataSetView<'_>) -> Vec<String> {
    let origin = view.provenance();
    let value_of = |id: &str| origin.iter().find(|(known, _)| *known == id).map(|(_, text)| text.clone());
    let mut cells: Vec<String> =
        view.head.provenance_ids().into_iter().map(|id| value_of(id).unwrap_or_default()).collect();
    if view.head.request.history {
        cells.extend(view.valid.date_times().map(|(_, text)| text.unwrap_or_default()));
    }
    cells
}

/// Returns the key, time, value and attributes of an observation.
fn observation_cells<'a>(view: &DataSetView<'a>, observation: Observation) -> Vec<Cow<'a, str>> {
    let (head, bare) = (view.head, view.head.request.keys_only());
    let mut cells: Vec<Cow<'a, str>> = view.key(observation).map(|(_, text)| text).collect();
    let unless_bare = |cell: Cow<'a, str>| if bare { Cow::Borrowed("") } else { cell };
    cells.extend(head.has_time().then(|| unless_bare(view.cube.time_text(observation))));
    cells.extend(head.request.measures.then(|| unless_bare(view.value(observation).unwrap_or_default())));
    let own = |id: &String| view.cube.attribute_value(id, observation).filter(|_| view.has_values() && !bare);
    cells.extend(head.attributes.iter().map(|id| own(id).unwrap_or_default()));
    cells
}

fn write_cells<'a>(out: &mut dyn Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    Ok(())
}

//! Data as SDMX-CSV 1.0 (pysdmx reads it) and 2.0 (sdmx1 wants `ACTION`, pysdmx `STRUCTURE` first).
//!
//! SDMX-CSV 1.0 has no actions: what disappeared cannot be told in it.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::sdmx::cube::{FIGURE, Place};
use crate::sdmx::ids;
use crate::sdmx::view::{Format, Head, View};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Csv {
    One,
    Two,
}

impl Format for Csv {
    fn begin(&mut self, out: &mut dyn Write, head: &Head) -> io::Result<()> {
        let first: &[&str] = match self {
            Self::One => &["DATAFLOW"],
            Self::Two => &["STRUCTURE", "STRUCTURE_ID", "ACTION"],
        };
        let mut ids = first.to_vec();
        ids.extend(head.layout.dimensions());
        ids.extend(head.wanted.figures.then_some(FIGURE));
        ids.extend(head.attributes.iter().map(String::as_str));
        ids.extend(head.origin());
        if head.wanted.history {
            ids.extend(["VALID_FROM", "VALID_TO"]);
        }
        joined(out, ids.into_iter())?;
        out.write_all(b"\r\n")
    }

    fn set(&mut self, out: &mut dyn Write, view: &View<'_>) -> io::Result<()> {
        if *self == Self::One && !view.told() {
            return Ok(());
        }
        let flow = format!("{}:{}({})", view.flow.agency, view.flow.id, ids::VERSION);
        let first: Vec<&str> = match self {
            Self::One => vec![&flow],
            Self::Two => vec!["dataflow", &flow, view.action.letter()],
        };
        // What every row begins and ends with is made once: it is most of what is written.
        let mut before = Vec::new();
        joined(&mut before, first.into_iter())?;
        let mut after = Vec::new();
        let last = last(view);
        joined(&mut after, std::iter::once("").chain(last.iter().map(String::as_str)))?;
        for place in view.rows {
            out.write_all(&before)?;
            out.write_all(b",")?;
            joined(out, cells(view, *place).iter().map(|cell| &**cell))?;
            out.write_all(&after)?;
            out.write_all(b"\r\n")?;
        }
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Write, _: &Head) -> io::Result<()> {
        Ok(())
    }
}

/// The attributes of the data set, and in a history its times.
fn last(view: &View<'_>) -> Vec<String> {
    let origin = view.origin();
    let told = |id: &str| origin.iter().find(|(held, _)| *held == id).map(|(_, text)| text.clone());
    let mut cells: Vec<String> =
        view.head.origin().into_iter().map(|id| told(id).unwrap_or_default()).collect();
    if view.head.wanted.history {
        cells.extend(view.valid.texts().map(|(_, text)| text.unwrap_or_default()));
    }
    cells
}

/// The key, the time, the figure and the attributes of an observation.
fn cells<'a>(view: &View<'a>, place: Place) -> Vec<Cow<'a, str>> {
    let (head, bare) = (view.head, view.head.wanted.keys_only());
    let mut cells: Vec<Cow<'a, str>> = view.key(place).map(|(_, text)| text).collect();
    let unless_bare = |cell: Cow<'a, str>| if bare { Cow::Borrowed("") } else { cell };
    cells.extend(head.timed().then(|| unless_bare(view.cube.time(place))));
    cells.extend(head.wanted.figures.then(|| unless_bare(view.value(place).unwrap_or_default())));
    let own = |id: &String| view.cube.attribute(id, place).filter(|_| view.told() && !bare);
    cells.extend(head.attributes.iter().map(|id| own(id).unwrap_or_default()));
    cells
}

fn joined<'a>(out: &mut dyn Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
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

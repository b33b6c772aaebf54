//! Downloads of the former data portal of the OECD (DP_LIVE): `LOCATION`, `INDICATOR`, `SUBJECT`,
//! `MEASURE`, `FREQUENCY`, `TIME`, `Value`, `Flag Codes`.
//!
//! Aggregates such as EA19 and OECD stand among the countries and are told from them.

use schemas::period::Period;

use crate::areas::{AreaScheme, Roll};
use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::Heading;
use crate::records::{self, Record};
use crate::{Format, ImportedTable, SourceFile, value};

/// The dimensions: their column, their id.
const DIMENSIONS: [(&str, &str); 5] = [
    ("LOCATION", "REF_AREA"),
    ("INDICATOR", "INDICATOR"),
    ("SUBJECT", "SUBJECT"),
    ("MEASURE", "MEASURE"),
    ("FREQUENCY", "FREQ"),
];
/// How it writes that there is no figure.
const MISSING: [&str; 3] = ["", "..", "NaN"];

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    DIMENSIONS
        .iter()
        .map(|(column, _)| *column)
        .chain(["TIME", "Value"])
        .all(|column| header.position(column).is_some())
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (mut reader, mut record) = records::begin(source.bytes, b',')?;
    let width = record.cells.len();
    let places: Result<Vec<usize>, ImportError> =
        DIMENSIONS.iter().map(|(column, _)| record.place(column)).collect();
    let (places, time, figure) = (places?, record.place("TIME")?, record.place("Value")?);
    let flags = record.position("Flag Codes");
    let mut cube = Cube::new(&DIMENSIONS.map(|(_, id)| id), &["OBS_STATUS"])?;
    let mut roll = Roll::new(AreaScheme::Oecd);
    while reader.read(&mut record)? {
        record.check_width(width)?;
        let line = record.line;
        let mut key: Vec<&str> = places.iter().map(|place| record.cell(*place)).collect();
        if let Some(code) = key.first_mut() {
            *code = roll.code(code, "");
        }
        let period = period(record.cell(time)).map_err(|fault| fault.line(line))?;
        let cell = record.cell(figure);
        let number = match cell {
            _ if cube.gaps.is(cell, &MISSING) => None,
            _ => Some(value::number(cell).map_err(|fault| fault.line(line).column("Value"))?),
        };
        let flags = flags.map_or("", |flags| record.cell(flags));
        cube.rows += 1;
        cube.push(&key, (period, number), (&[flags], !flags.is_empty()), line)?;
        reader.tick(progress);
    }
    let mut heading = Heading::new(Format::OecdDp, value::stem(source.name)).publisher("OECD");
    heading.notes.extend(roll.note());
    heading.areas = roll.areas();
    heading.over(cube.finish()?)
}

fn period(cell: &str) -> Result<Period, ImportError> {
    cell.parse().map_err(|_| {
        ImportError::new("period", "expected a period like `2003`, `2003-Q2` or `2003-06`")
            .column("TIME")
            .value(cell)
    })
}

//! Series of the data download of the Federal Reserve Board, as in H.15: rows about the series
//! (`Series Description`, `Unit:`, `Multiplier:` …), then `Time Period`, then figures. `ND` is no
//! figure.

use schemas::period::Period;

use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::{Heading, Names};
use crate::records::{self, Reader, Record};
use crate::{Format, ImportOptions, ImportedTable, SourceFile, panel, value};

/// How it writes that there is no figure: none at all, none computed, none available.
const MISSING: [&str; 4] = ["", "ND", "NC", "NA"];
/// Rows about the series; the real files have five.
const HEAD_ROWS_MAX: usize = 16;

/// Whether a first row is that of such a file.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    header.cell(0) == "Series Description" && header.cells.len() > 1
}

/// What stands above the figures, a text for each column.
#[derive(Default)]
struct Head {
    descriptions: Vec<String>,
    units: Vec<String>,
    multipliers: Vec<String>,
    series: Vec<String>,
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let mut reader = Reader::new(records::text(source.bytes)?, b',');
    let mut record = Record::default();
    let head = head(&mut reader, &mut record)?;
    let multipliers: Result<Vec<String>, ImportError> =
        head.multipliers.iter().map(|text| power(text)).collect();
    let (multipliers, area) = (multipliers?, panel::area(options, "USA")?);
    let mut cube = Cube::new(&["REF_AREA", "SERIES"], &["UNIT_MEASURE", "UNIT_MULT"])?;
    while reader.read(&mut record)? {
        record.check_width(head.series.len() + 1)?;
        let line = record.line;
        let period: Period = record.cell(0).parse().map_err(|_| {
            let fault = ImportError::new("period", "expected a period like `1953-04` or `1962-01-02`");
            fault.line(line).column("Time Period").value(record.cell(0))
        })?;
        cube.rows += 1;
        for (column, id) in (1..).zip(&head.series) {
            let cell = record.cell(column);
            let figure = match cell {
                _ if cube.gaps.is(cell, &MISSING) => None,
                _ => Some(value::number(cell).map_err(|fault| fault.line(line).column(id))?),
            };
            let text = |texts: &[String]| texts.get(column - 1).cloned().unwrap_or_default();
            let (unit, multiplier) = (text(&head.units), text(&multipliers));
            cube.push(&[&area.code, id], (period, figure), (&[&unit, &multiplier], false), line)?;
        }
        reader.tick(progress);
    }
    let (id, title) = match (head.series.as_slice(), head.descriptions.as_slice()) {
        ([id], [title]) => (id.as_str(), title.as_str()),
        _ => (value::stem(source.name), ""),
    };
    let names: Names = head.series.iter().cloned().zip(head.descriptions.iter().cloned()).collect();
    Heading::new(Format::FedDdp, id)
        .title(title)
        .publisher("Board of Governors of the Federal Reserve System")
        .named("SERIES", names)
        .over(cube.finish()?)
}

/// Reads up to the row `Time Period`.
fn head<'a>(reader: &mut Reader<'a>, record: &mut Record<'a>) -> Result<Head, ImportError> {
    let mut head = Head::default();
    for _ in 0..HEAD_ROWS_MAX {
        if !reader.read(record)? {
            break;
        }
        // Descriptions are filled with spaces.
        let squeezed = |column: usize| record.cell(column).split_whitespace().collect::<Vec<_>>().join(" ");
        let words = || (1..record.cells.len()).map(squeezed).collect::<Vec<_>>();
        match record.cell(0).trim_end_matches([':', ' ']) {
            "Series Description" => head.descriptions = words(),
            "Unit" => head.units = words(),
            "Multiplier" => head.multipliers = words(),
            "Time Period" => {
                head.series = words();
                return Ok(head);
            }
            _ => {}
        }
    }
    Err(ImportError::new("header-missing", "expected a row `Time Period` with the ids of the series")
        .line(record.line)
        .value(record.joined()))
}

/// The power of ten of a multiplier; none for one.
fn power(multiplier: &str) -> Result<String, ImportError> {
    match multiplier.strip_prefix('1').filter(|zeros| zeros.bytes().all(|byte| byte == b'0')) {
        Some("") => Ok(String::new()),
        Some(zeros) => Ok(zeros.len().to_string()),
        None => Err(ImportError::new("multiplier", "expected a power of ten")
            .column("Multiplier")
            .value(multiplier)),
    }
}

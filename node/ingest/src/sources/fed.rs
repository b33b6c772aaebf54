//! Federal Reserve Board: series of the data download programme, such as H.15.
//!
//! Rows of metadata (`Series Description`, `Unit:`, `Multiplier:` …) end with the row `Time Period`,
//! which has the ids of the series; the figures follow.

use schemas::period::Period;

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::{CodeNames, Metadata};
use crate::build::wide_table;
use crate::csv::records::{self, CsvReader, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Spellings of a missing figure: an empty cell, no data, not computed, not available.
const MISSING: [&str; 4] = ["", "ND", "NC", "NA"];
/// Rows of metadata; the published files have five before `Time Period`.
const HEAD_ROWS_MAX: usize = 16;

/// Whether a first row is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    header.cell(0) == "Series Description" && header.cells.len() > 1
}

/// The rows of metadata, a text for each column of figures.
#[derive(Default)]
struct SeriesMetadata {
    descriptions: Vec<String>,
    units: Vec<String>,
    multipliers: Vec<String>,
    series: Vec<String>,
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, progress, .. } = request;
    let mut reader = CsvReader::new(records::decode_text(source.bytes)?, b',');
    let mut record = CsvRecord::default();
    let head = read_metadata(&mut reader, &mut record)?;
    let multipliers: Result<Vec<String>, ImportError> =
        head.multipliers.iter().map(|text| power_of_ten(text)).collect();
    let (multipliers, area) = (multipliers?, wide_table::source_area(options, "USA")?);
    let mut builder = DimensionedBuilder::new(&["REF_AREA", "SERIES"], &["UNIT_MEASURE", "UNIT_MULT"])?;
    while reader.read_record(&mut record)? {
        record.check_width(head.series.len() + 1)?;
        let line = record.line;
        let period: Period = record.cell(0).parse().map_err(|_| {
            let error = ImportError::new("period", "expected a period like `1953-04` or `1962-01-02`");
            error.line(line).column("Time Period").value(record.cell(0))
        })?;
        builder.rows += 1;
        for (column, id) in (1..).zip(&head.series) {
            let cell = record.cell(column);
            let figure = match cell {
                _ if builder.missing.count_if_missing(cell, &MISSING) => None,
                _ => Some(cell::parse_number(cell).map_err(|error| error.line(line).column(id))?),
            };
            let text = |texts: &[String]| texts.get(column - 1).cloned().unwrap_or_default();
            let (unit, multiplier) = (text(&head.units), text(&multipliers));
            builder.push(&Observation {
                key: &[&area.code, id],
                period,
                figure,
                attributes: &[&unit, &multiplier],
                has_status: false,
                line,
            })?;
        }
        reader.report_progress(progress);
    }
    // A single series gives the file its name; a package of several is named after the file.
    let (id, title) = match (head.series.as_slice(), head.descriptions.as_slice()) {
        ([id], [title]) => (id.as_str(), title.as_str()),
        _ => (cell::file_stem(source.name), ""),
    };
    let names: CodeNames = head.series.iter().cloned().zip(head.descriptions.iter().cloned()).collect();
    Metadata::new(Format::FedDdp, id)
        .title(title)
        .publisher("Board of Governors of the Federal Reserve System")
        .with_code_names("SERIES", names)
        .with_table(builder.into_table()?)
}

/// Reads up to the row `Time Period`.
fn read_metadata<'a>(
    reader: &mut CsvReader<'a>,
    record: &mut CsvRecord<'a>,
) -> Result<SeriesMetadata, ImportError> {
    let mut head = SeriesMetadata::default();
    for _ in 0..HEAD_ROWS_MAX {
        if !reader.read_record(record)? {
            break;
        }
        // Descriptions are padded with spaces, also inside.
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
        .value(record.joined_cells()))
}

/// The power of ten of a multiplier such as `1000000`, as UNIT_MULT has it; empty for `1`.
fn power_of_ten(multiplier: &str) -> Result<String, ImportError> {
    // UNIT_MULT is a power of ten; other factors cannot be expressed.
    match multiplier.strip_prefix('1').filter(|zeros| zeros.bytes().all(|byte| byte == b'0')) {
        Some("") => Ok(String::new()),
        Some(zeros) => Ok(zeros.len().to_string()),
        None => Err(ImportError::new("multiplier", "expected a power of ten")
            .column("Multiplier")
            .value(multiplier)),
    }
}

//! OECD: downloads of the former data portal (DP_LIVE), with the columns `LOCATION`, `INDICATOR`,
//! `SUBJECT`, `MEASURE`, `FREQUENCY`, `TIME`, `Value` and `Flag Codes`.
//!
//! Aggregates such as EA19 and OECD are mixed with the countries; the area list marks them.

use schemas::period::Period;

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::csv::records::{self, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::areas::{AreaScheme, AreaTranslator};
use crate::values::cell;
use crate::{Format, ImportedTable};

/// The dimensions: title of the column, id of the component.
const DIMENSIONS: [(&str, &str); 5] = [
    ("LOCATION", "REF_AREA"),
    ("INDICATOR", "INDICATOR"),
    ("SUBJECT", "SUBJECT"),
    ("MEASURE", "MEASURE"),
    ("FREQUENCY", "FREQ"),
];
/// Spellings of a missing figure.
const MISSING: [&str; 3] = ["", "..", "NaN"];

/// Whether a header is that of such a file.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    DIMENSIONS
        .iter()
        .map(|(column, _)| *column)
        .chain(["TIME", "Value"])
        .all(|column| header.find_column(column).is_some())
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, progress, .. } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b',')?;
    let width = record.cells.len();
    let keys: Result<Vec<usize>, ImportError> =
        DIMENSIONS.iter().map(|(column, _)| record.require_column(column)).collect();
    let (keys, time, figure) = (keys?, record.require_column("TIME")?, record.require_column("Value")?);
    let flags = record.find_column("Flag Codes");
    let mut builder = DimensionedBuilder::new(&DIMENSIONS.map(|(_, id)| id), &["OBS_STATUS"])?;
    let mut translator = AreaTranslator::new(AreaScheme::Oecd);
    while reader.read_record(&mut record)? {
        record.check_width(width)?;
        let line = record.line;
        let mut key: Vec<&str> = keys.iter().map(|column| record.cell(*column)).collect();
        // REF_AREA is the first dimension.
        if let Some(code) = key.first_mut() {
            *code = translator.translate(code, "");
        }
        let period = parse_period(record.cell(time)).map_err(|error| error.line(line))?;
        let cell = record.cell(figure);
        let number = match cell {
            _ if builder.missing.count_if_missing(cell, &MISSING) => None,
            _ => Some(cell::parse_number(cell).map_err(|error| error.line(line).column("Value"))?),
        };
        let flags = flags.map_or("", |flags| record.cell(flags));
        builder.rows += 1;
        builder.push(&Observation {
            key: &key,
            period,
            figure: number,
            attributes: &[flags],
            has_status: !flags.is_empty(),
            line,
        })?;
        reader.report_progress(progress);
    }
    let mut metadata = Metadata::new(Format::OecdDp, cell::file_stem(source.name)).publisher("OECD");
    metadata.notes.extend(translator.untranslated_note());
    metadata.areas = translator.into_areas();
    metadata.with_table(builder.into_table()?)
}

fn parse_period(cell: &str) -> Result<Period, ImportError> {
    cell.parse().map_err(|_| {
        ImportError::new("period", "expected a period like `2003`, `2003-Q2` or `2003-06`")
            .column("TIME")
            .value(cell)
    })
}

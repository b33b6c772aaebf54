//! Tables of Eurostat as TSV, old (`unit,geo\time`, `2014Q1`) and new (`freq,unit,geo\TIME_PERIOD`,
//! `2014-Q1`).
//!
//! The first column packs the dimensions; every other one is a period, the latest first in old
//! tables. A figure may be followed by flags, which become OBS_STATUS unchanged; `:` is a missing
//! figure. `geo` becomes REF_AREA with ISO 3166 codes: Eurostat writes EL for Greece and UK for the
//! United Kingdom. Aggregates and regions keep their code.

use schemas::decimal::Decimal;
use schemas::period::Period;

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::csv::records::{self, CsvRecord};
use crate::error::ImportError;
use crate::import::ReadRequest;
use crate::values::areas::{AreaScheme, AreaTranslator};
use crate::values::cell;
use crate::{Format, ImportedTable};

/// Whether a header is that of such a table.
pub(crate) fn is_header(header: &CsvRecord<'_>) -> bool {
    packed_dimensions(header.cell(0)).is_some() && header.cells.len() > 1
}

/// The dimensions that the first column packs, in the order of the table.
fn packed_dimensions(cell: &str) -> Option<Vec<&str>> {
    let (dimensions, time) = cell.split_once('\\')?;
    ["time", "time_period"]
        .iter()
        .any(|name| time.eq_ignore_ascii_case(name))
        .then(|| dimensions.split(',').map(str::trim).collect())
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, progress, .. } = request;
    let (mut reader, mut record) = records::open_csv(source.bytes, b'\t')?;
    let dimensions = packed_dimensions(record.cell(0)).ok_or_else(|| {
        ImportError::new("header-missing", "expected a first column like `unit,geo\\time`")
            .line(record.line)
            .value(record.cell(0))
    })?;
    let ids: Vec<String> = dimensions.iter().map(|dimension| dimension_id(dimension)).collect();
    let periods = header_periods(&record)?;
    let width = record.cells.len();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut table = TsvTable {
        builder: DimensionedBuilder::new(&ids, &["OBS_STATUS"])?,
        area: ids.iter().position(|id| *id == "REF_AREA"),
        translator: AreaTranslator::new(AreaScheme::Eurostat),
        count: ids.len(),
    };
    while reader.read_record(&mut record)? {
        record.check_width(width)?;
        table.row(&record, &periods).map_err(|error| error.line(record.line))?;
        reader.report_progress(progress);
    }
    let id = cell::file_stem(source.name);
    let mut metadata = Metadata::new(Format::Eurostat, id).publisher("Eurostat");
    metadata.notes.extend(table.translator.untranslated_note());
    metadata.areas = table.translator.into_areas();
    metadata.with_table(table.builder.into_table()?)
}

/// The id of a dimension: REF_AREA for `geo`, capitals for the others.
fn dimension_id(dimension: &str) -> String {
    match dimension {
        "geo" | "GEO" => "REF_AREA".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

fn header_periods(header: &CsvRecord<'_>) -> Result<Vec<Period>, ImportError> {
    let period = |column: usize| {
        let cell = header.cell(column);
        parse_period(cell).ok_or_else(|| {
            ImportError::new("period", "expected a period like `2014`, `2014Q1`, `2014M01` or `2014-01`")
                .line(header.line)
                .column((column + 1).to_string())
                .value(cell)
        })
    };
    (1..header.cells.len()).map(period).collect()
}

/// Parses a period; old tables write a day as `2014M01D31`.
fn parse_period(cell: &str) -> Option<Period> {
    // Before the general forms: `2014M01D31` is in none of them.
    let day = cell.split_once('D').and_then(|(month, day)| {
        let (year, month) = month.split_once('M')?;
        format!("{year}-{month}-{day}").parse().ok()
    });
    day.or_else(|| cell.parse().ok())
}

/// A table while it is read.
struct TsvTable {
    builder: DimensionedBuilder,
    /// Position of REF_AREA among the dimensions.
    area: Option<usize>,
    translator: AreaTranslator,
    count: usize,
}

impl TsvTable {
    fn row(&mut self, record: &CsvRecord<'_>, periods: &[Period]) -> Result<(), ImportError> {
        self.builder.rows += 1;
        let mut key: Vec<&str> = record.cell(0).split(',').map(str::trim).collect();
        // A missing code would shift all later ones into the wrong dimension.
        if key.len() != self.count {
            let message = format!("expected {} codes in the first column, found {}", self.count, key.len());
            return Err(ImportError::new("row-ragged", message).column("1").value(record.cell(0)));
        }
        if let Some(code) = self.area.and_then(|area| key.get_mut(area)) {
            *code = self.translator.translate(code, "");
        }
        for (column, period) in (1..).zip(periods) {
            let (figure, flags) =
                self::split_flags(record.cell(column)).map_err(|error| error.column(period.to_string()))?;
            if figure.is_none() {
                self.builder.missing.count(":");
            }
            self.builder.push(&Observation {
                key: &key,
                period: *period,
                figure,
                attributes: &[flags],
                has_status: !flags.is_empty(),
                line: record.line,
            })?;
        }
        Ok(())
    }
}

/// Splits a cell into figure and flags, as in `12.3 bp`, `:` or `: c`.
fn split_flags(cell: &str) -> Result<(Option<Decimal>, &str), ImportError> {
    let (figure, flags) = match cell.strip_prefix(':') {
        Some(flags) => (None, flags.trim()),
        None => match cell.split_once(' ') {
            Some((figure, flags)) => (Some(cell::parse_number(figure)?), flags.trim()),
            None => (Some(cell::parse_number(cell)?), ""),
        },
    };
    // A digit or a point here belongs to a number with a space inside, not to a flag.
    if flags.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok((figure, flags));
    }
    Err(ImportError::new("number", "expected a figure and flags in lower case, as in `12.3 bp`").value(cell))
}

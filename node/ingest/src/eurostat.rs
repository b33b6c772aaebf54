//! Tables of Eurostat as TSV, old (`unit,geo\time`, `2014Q1`) and new (`freq,unit,geo\TIME_PERIOD`,
//! `2014-Q1`).
//!
//! The first column packs the dimensions, each other one is a period, the latest first. A figure may
//! be followed by flags, which become OBS_STATUS as they are written; `:` is no figure. `geo` becomes
//! REF_AREA under the codes of ISO 3166: Eurostat writes EL and UK. Aggregates and regions keep
//! their code.

use schemas::decimal::Decimal;
use schemas::period::Period;

use crate::areas::{AreaScheme, Roll};
use crate::cube::Cube;
use crate::error::ImportError;
use crate::heading::Heading;
use crate::records::{self, Record};
use crate::{Format, ImportedTable, SourceFile, value};

/// Whether a header is that of such a table.
pub(crate) fn is_header(header: &Record<'_>) -> bool {
    packed(header.cell(0)).is_some() && header.cells.len() > 1
}

/// The dimensions that the first column packs, in the order of the table.
fn packed(cell: &str) -> Option<Vec<&str>> {
    let (dimensions, time) = cell.split_once('\\')?;
    ["time", "time_period"]
        .iter()
        .any(|name| time.eq_ignore_ascii_case(name))
        .then(|| dimensions.split(',').map(str::trim).collect())
}

/// Reads a file.
pub(crate) fn read(
    source: SourceFile<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<ImportedTable, ImportError> {
    let (mut reader, mut record) = records::begin(source.bytes, b'\t')?;
    let dimensions = packed(record.cell(0)).ok_or_else(|| {
        ImportError::new("header-missing", "expected a first column like `unit,geo\\time`")
            .line(record.line)
            .value(record.cell(0))
    })?;
    let ids: Vec<String> = dimensions.iter().map(|dimension| id(dimension)).collect();
    let periods = periods(&record)?;
    let width = record.cells.len();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut table = Tsv {
        cube: Cube::new(&ids, &["OBS_STATUS"])?,
        area: ids.iter().position(|id| *id == "REF_AREA"),
        roll: Roll::new(AreaScheme::Eurostat),
        count: ids.len(),
    };
    while reader.read(&mut record)? {
        record.check_width(width)?;
        table.row(&record, &periods).map_err(|fault| fault.line(record.line))?;
        reader.tick(progress);
    }
    let id = value::stem(source.name);
    let mut heading = Heading::new(Format::Eurostat, id).publisher("Eurostat");
    heading.notes.extend(table.roll.note());
    heading.areas = table.roll.areas();
    heading.over(table.cube.finish()?)
}

/// The id of a dimension: `geo` is REF_AREA, the others are written in capitals.
fn id(dimension: &str) -> String {
    match dimension {
        "geo" | "GEO" => "REF_AREA".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

fn periods(header: &Record<'_>) -> Result<Vec<Period>, ImportError> {
    let period = |column: usize| {
        let cell = header.cell(column);
        period(cell).ok_or_else(|| {
            ImportError::new("period", "expected a period like `2014`, `2014Q1`, `2014M01` or `2014-01`")
                .line(header.line)
                .column((column + 1).to_string())
                .value(cell)
        })
    };
    (1..header.cells.len()).map(period).collect()
}

/// A period; the old tables write a day as `2014M01D31`.
fn period(cell: &str) -> Option<Period> {
    let day = cell.split_once('D').and_then(|(month, day)| {
        let (year, month) = month.split_once('M')?;
        format!("{year}-{month}-{day}").parse().ok()
    });
    day.or_else(|| cell.parse().ok())
}

/// What was read so far.
struct Tsv {
    cube: Cube,
    /// The place of REF_AREA among the dimensions.
    area: Option<usize>,
    roll: Roll,
    count: usize,
}

impl Tsv {
    fn row(&mut self, record: &Record<'_>, periods: &[Period]) -> Result<(), ImportError> {
        self.cube.rows += 1;
        let mut key: Vec<&str> = record.cell(0).split(',').map(str::trim).collect();
        if key.len() != self.count {
            let message = format!("expected {} codes in the first column, found {}", self.count, key.len());
            return Err(ImportError::new("row-ragged", message).column("1").value(record.cell(0)));
        }
        if let Some(code) = self.area.and_then(|area| key.get_mut(area)) {
            *code = self.roll.code(code, "");
        }
        for (column, period) in (1..).zip(periods) {
            let (figure, flags) =
                self::figure(record.cell(column)).map_err(|fault| fault.column(period.to_string()))?;
            if figure.is_none() {
                self.cube.gaps.count(":");
            }
            self.cube.push(&key, (*period, figure), (&[flags], !flags.is_empty()), record.line)?;
        }
        Ok(())
    }
}

/// A figure and its flags, as in `12.3 bp`, `:` or `: c`.
fn figure(cell: &str) -> Result<(Option<Decimal>, &str), ImportError> {
    let (figure, flags) = match cell.strip_prefix(':') {
        Some(flags) => (None, flags.trim()),
        None => match cell.split_once(' ') {
            Some((figure, flags)) => (Some(value::number(figure)?), flags.trim()),
            None => (Some(value::number(cell)?), ""),
        },
    };
    if flags.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok((figure, flags));
    }
    Err(ImportError::new("number", "expected a figure and flags of small letters, as in `12.3 bp`")
        .value(cell))
}

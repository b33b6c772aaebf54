//! Responses of the API of FRED and ALFRED (`series/observations`): observations with a date, a value
//! and the days on which it was known.
//!
//! A response names neither its series nor its area: the series id comes from the file name, the area
//! from the caller. Several values of one date are vintages; VINTAGE is the day from which a value was
//! known. The pages of a response may follow each other in one file.

use std::collections::{BTreeMap, BTreeSet};

use schemas::decimal::Decimal;
use schemas::period::Period;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AREA, PUBLISHER, series_id, split_vintage};
use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::build::metadata::Metadata;
use crate::build::summary::{self, OBSERVATIONS_MAX};
use crate::build::wide_table;
use crate::detect::has_json_word;
use crate::error::{ImportError, printable};
use crate::formats::json;
use crate::import::ReadRequest;
use crate::values::cell;
use crate::values::frequency;
use crate::values::missing_values::MissingValues;
use crate::{Format, ImportOptions, ImportedTable};

/// Spellings of a missing figure.
const MISSING: [&str; 4] = ["", ".", "NA", "null"];
/// Value of `units` for figures as the series has them, not transformed by the source.
const LEVELS: &str = "lin";

/// Whether the first bytes of a JSON document are those of a response.
pub(crate) fn is_response(text: &str) -> bool {
    let has = |word| has_json_word(text, word);
    text.starts_with('{')
        && (has("observations") && has("realtime_start") || has("error_code") && has("error_message"))
}

#[derive(Deserialize)]
struct FredResponse<'a> {
    units: Option<String>,
    count: Option<u64>,
    #[serde(borrow)]
    observations: Option<Vec<FredObservation<'a>>>,
    error_message: Option<String>,
}

/// The fields of an observation: `date`, `value`, `realtime_start`, or `GDP_20200130` where vintages
/// are columns.
type FredObservation<'a> = BTreeMap<String, &'a RawValue>;

/// A figure of an observation.
struct FredFigure {
    /// The series id, where the response has it.
    series: Option<String>,
    vintage: String,
    day: Period,
    figure: Option<Decimal>,
    line: u64,
}

/// Reads a file.
pub(crate) fn read_file(request: ReadRequest<'_>) -> Result<ImportedTable, ImportError> {
    let ReadRequest { source, options, .. } = request;
    let responses: Vec<FredResponse<'_>> = json::parse_documents(source.bytes)?;
    let notes = response_notes(&responses)?;
    let (mut known, mut missing, mut rows) = (Vec::new(), MissingValues::default(), 0);
    let mut lines = json::LineFinder::new(source.bytes);
    for observation in responses.iter().filter_map(|response| response.observations.as_ref()).flatten() {
        rows += 1;
        collect_figures(observation, &mut lines, &mut missing, &mut known)?;
    }
    let named = known.iter().find_map(|known: &FredFigure| known.series.clone());
    let id = named.unwrap_or_else(|| series_id(source.name));
    let mut builder = build_observations(&known, options)?;
    (builder.missing, builder.rows) = (missing, rows);
    let mut metadata = Metadata::new(Format::FredJson, id).publisher(PUBLISHER);
    metadata.notes = notes;
    metadata.with_table(builder.into_table()?)
}

/// Refuses error responses and pages of different responses; returns remarks on the others.
fn response_notes(responses: &[FredResponse<'_>]) -> Result<Vec<String>, ImportError> {
    let (mut notes, mut found, mut count) = (BTreeSet::new(), 0, None);
    for response in responses {
        if let Some(message) = &response.error_message {
            return Err(ImportError::new("source-error", "the source responded with an error and no data")
                .value(message)
                .hint("correct the request and fetch it again"));
        }
        // `pch` and other transformations are computed by FRED, not published by the agency.
        if let Some(units) = response.units.as_deref().filter(|units| *units != LEVELS) {
            notes.insert(format!(
                "the source transformed these figures: the units are `{}`",
                printable(units)
            ));
        }
        // All pages of a response have the same total.
        if count.is_some_and(|count| count != response.count) {
            return Err(ImportError::new(
                "page-other",
                "expected pages of one response, found pages of different requests",
            )
            .hint("fetch all pages again, one after the other"));
        }
        count = Some(response.count);
        found += response.observations.as_ref().map_or(0, Vec::len) as u64;
    }
    if let Some(count) = count.flatten().filter(|count| *count != found) {
        notes.insert(format!("{found} observations in the file, {count} according to the source"));
    }
    Ok(notes.into_iter().collect())
}

/// Appends the figures of an observation to `known`.
fn collect_figures(
    observation: &FredObservation<'_>,
    lines: &mut json::LineFinder<'_>,
    missing: &mut MissingValues,
    known: &mut Vec<FredFigure>,
) -> Result<(), ImportError> {
    let text = |raw: &&RawValue| json::scalar_text(raw).map(std::borrow::Cow::into_owned);
    let date = observation.get("date").ok_or_else(|| ImportError::new("json", "expected a `date`"))?;
    let line = lines.line_of(date);
    let at = |error: ImportError| error.line(line);
    let date = text(date).map_err(at)?;
    let day = cell::parse_iso_day(&date).ok_or_else(|| {
        at(ImportError::new("period", "expected a date like `2010-01-31`").column("date").value(&date))
    })?;
    let start = observation.get("realtime_start").map(text).transpose().map_err(at)?.unwrap_or_default();
    for (word, raw) in observation {
        let (series, vintage) = match split_vintage(word) {
            Some((series, vintage)) => (Some(series), vintage),
            None if word == "value" => (None, start.clone()),
            None => continue,
        };
        summary::check_row_count(known.len(), OBSERVATIONS_MAX, line)?;
        let cell = text(raw).map_err(at)?;
        let figure = match cell.as_str() {
            cell if missing.count_if_missing(cell, &MISSING) => None,
            cell => Some(cell::parse_number(cell).map_err(|error| at(error).column(word))?),
        };
        known.push(FredFigure { series, vintage, day, figure, line });
    }
    Ok(())
}

/// Builds the observations, with a VINTAGE if a date has several values.
fn build_observations(
    known: &[FredFigure],
    options: &ImportOptions,
) -> Result<DimensionedBuilder, ImportError> {
    let mut days: Vec<frequency::DayAndLine> = known.iter().map(|known| (known.day, known.line)).collect();
    days.sort_unstable();
    let dates = days.chunk_by(|a, b| a.0 == b.0).count();
    let vintages: BTreeSet<&str> = known.iter().map(|known| known.vintage.as_str()).collect();
    // One value for each date is the latest vintage only: no dimension is needed.
    let several = dates < known.len() && vintages.len() > 1;
    let frequency = options.frequency.map_or_else(|| frequency::infer_frequency(&days), Ok)?;
    let area = wide_table::source_area(options, AREA)?;
    let dimensions: &[&str] = if several { &["REF_AREA", "VINTAGE"] } else { &["REF_AREA"] };
    let mut builder = DimensionedBuilder::new(dimensions, &[])?;
    for known in known {
        let period =
            frequency::period_of_day(known.day, frequency).map_err(|error| error.line(known.line))?;
        builder.push(&Observation {
            key: &[&area.code, &known.vintage],
            period,
            figure: known.figure,
            attributes: &[],
            has_status: false,
            line: known.line,
        })?;
    }
    Ok(builder)
}

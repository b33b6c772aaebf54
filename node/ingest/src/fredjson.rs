//! Answers of the API of FRED and ALFRED (`series/observations`): observations with a date, a
//! value and the days on which it was known.
//!
//! An answer names neither its series nor its area: the name of the file stands for the one, the
//! caller says the other. Where a date has more than one value, they are vintages, and VINTAGE is
//! the day from which each was known. Pages of one answer may stand one after the other.

use std::collections::{BTreeMap, BTreeSet};

use schemas::decimal::Decimal;
use schemas::period::Period;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cube::Cube;
use crate::error::{ImportError, shown};
use crate::gaps::Gaps;
use crate::heading::Heading;
use crate::{Format, ImportOptions, ImportedTable, SourceFile, fred, frequency, json, panel, points, value};

/// How it writes that there is no figure.
const MISSING: [&str; 4] = ["", ".", "NA", "null"];
/// Units that are levels, as the series has them.
const LEVELS: &str = "lin";

#[derive(Deserialize)]
struct Answer<'a> {
    units: Option<String>,
    count: Option<u64>,
    #[serde(borrow)]
    observations: Option<Vec<Observation<'a>>>,
    error_message: Option<String>,
}

/// An observation by its words: `date`, `value`, `realtime_start`, or `GDP_20200130` where the
/// vintages are columns.
type Observation<'a> = BTreeMap<String, &'a RawValue>;

/// A figure: the id that the answer says, if it does, its vintage, its day, its line.
struct Known {
    series: Option<String>,
    vintage: String,
    day: Period,
    figure: Option<Decimal>,
    line: u64,
}

/// Reads a file.
pub(crate) fn read(source: SourceFile<'_>, options: &ImportOptions) -> Result<ImportedTable, ImportError> {
    let answers: Vec<Answer<'_>> = json::documents(source.bytes)?;
    let notes = notes(&answers)?;
    let (mut known, mut gaps, mut rows) = (Vec::new(), Gaps::default(), 0);
    let mut lines = json::Lines::new(source.bytes);
    for observation in answers.iter().filter_map(|answer| answer.observations.as_ref()).flatten() {
        rows += 1;
        figures(observation, &mut lines, &mut gaps, &mut known)?;
    }
    let named = known.iter().find_map(|known: &Known| known.series.clone());
    let id = named.unwrap_or_else(|| fred::series_id(source.name));
    let mut cube = cube(&known, options)?;
    (cube.gaps, cube.rows) = (gaps, rows);
    let mut heading = Heading::new(Format::FredJson, id).publisher(fred::PUBLISHER);
    heading.notes = notes;
    heading.over(cube.finish()?)
}

/// What is wrong with the answers, or only worth knowing.
fn notes(answers: &[Answer<'_>]) -> Result<Vec<String>, ImportError> {
    let (mut notes, mut found, mut count) = (BTreeSet::new(), 0, None);
    for answer in answers {
        if let Some(message) = &answer.error_message {
            return Err(ImportError::new("source-error", "the source answered with an error and no data")
                .value(message)
                .hint("correct the request and fetch it again"));
        }
        if let Some(units) = answer.units.as_deref().filter(|units| *units != LEVELS) {
            notes.insert(format!("the source computed these figures: its units are `{}`", shown(units)));
        }
        if count.is_some_and(|count| count != answer.count) {
            return Err(ImportError::new(
                "page-other",
                "an answer is of another request than the one before",
            )
            .hint("fetch all pages again, one after the other"));
        }
        count = Some(answer.count);
        found += answer.observations.as_ref().map_or(0, Vec::len) as u64;
    }
    if let Some(count) = count.flatten().filter(|count| *count != found) {
        notes.insert(format!("{found} observations where the source says that there are {count}"));
    }
    Ok(notes.into_iter().collect())
}

/// The figures of an observation.
fn figures(
    observation: &Observation<'_>,
    lines: &mut json::Lines<'_>,
    gaps: &mut Gaps,
    known: &mut Vec<Known>,
) -> Result<(), ImportError> {
    let text = |raw: &&RawValue| json::scalar(raw).map(std::borrow::Cow::into_owned);
    let date = observation.get("date").ok_or_else(|| ImportError::new("json", "expected a `date`"))?;
    let line = lines.of(date);
    let at = |fault: ImportError| fault.line(line);
    let date = text(date).map_err(at)?;
    let day = value::day(&date).ok_or_else(|| {
        at(ImportError::new("period", "expected a date like `2010-01-31`").column("date").value(&date))
    })?;
    let start = observation.get("realtime_start").map(text).transpose().map_err(at)?.unwrap_or_default();
    for (word, raw) in observation {
        let (series, vintage) = match fred::vintage(word) {
            Some((series, vintage)) => (Some(series), vintage),
            None if word == "value" => (None, start.clone()),
            None => continue,
        };
        points::bounded(known.len(), points::OBSERVATIONS_MAX, line)?;
        let cell = text(raw).map_err(at)?;
        let figure = match cell.as_str() {
            cell if gaps.is(cell, &MISSING) => None,
            cell => Some(value::number(cell).map_err(|fault| at(fault).column(word))?),
        };
        known.push(Known { series, vintage, day, figure, line });
    }
    Ok(())
}

/// The observations, with the day on which each was known where one date has several.
fn cube(known: &[Known], options: &ImportOptions) -> Result<Cube, ImportError> {
    let mut days: Vec<frequency::Dated> = known.iter().map(|known| (known.day, known.line)).collect();
    days.sort_unstable();
    let dates = days.chunk_by(|a, b| a.0 == b.0).count();
    let vintages: BTreeSet<&str> = known.iter().map(|known| known.vintage.as_str()).collect();
    let several = dates < known.len() && vintages.len() > 1;
    let frequency = options.frequency.map_or_else(|| frequency::infer(&days), Ok)?;
    let area = panel::area(options, fred::AREA)?;
    let dimensions: &[&str] = if several { &["REF_AREA", "VINTAGE"] } else { &["REF_AREA"] };
    let mut cube = Cube::new(dimensions, &[])?;
    for known in known {
        let period = frequency::period(known.day, frequency).map_err(|fault| fault.line(known.line))?;
        cube.push(&[&area.code, &known.vintage], (period, known.figure), (&[], false), known.line)?;
    }
    Ok(cube)
}

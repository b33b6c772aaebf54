//! Data messages of SDMX: ML 2.0, 2.1 and 3.0, JSON 1.0 and 2.0, CSV 1.0 and 2.0.
//!
//! Owns what the three have in common: the spelling of periods and figures, and the header of a
//! message. Ids and attributes of the agency are kept. Refuses messages that delete observations,
//! periods that are time ranges, and messages without data.

pub(crate) mod csv;
mod envelope;
pub(crate) mod json;
mod layout;
pub(crate) mod ml;
pub(crate) mod roles;

use std::collections::BTreeMap;

use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};
use schemas::table::Table;
use schemas::text::to_line;

use crate::build::metadata::{CodeNames, Metadata};
use crate::error::ImportError;
use crate::values::cell;
use crate::values::frequency;
use crate::{Format, ImportSummary, ImportedTable, SourceFile};

/// Ids of the status of an observation. A missing figure is kept only with a status.
pub(crate) const STATUS: [&str; 2] = ["OBS_STATUS", "OBS_FLAG"];
/// Ids of the time dimension: the present one, and that of SDMX-ML 2.0.
pub(crate) const TIME: [&str; 2] = ["TIME_PERIOD", "TIME"];
/// Id of the figure.
pub(crate) const FIGURE: &str = "OBS_VALUE";

/// Groups of one message; real ones have a few for each series.
const GROUPS_MAX: usize = 1 << 19;
/// Bytes of the name of a publisher in a snapshot.
const PUBLISHER_BYTES_MAX: usize = 128;

/// Metadata of a message.
#[derive(Debug, Default)]
pub(crate) struct SdmxHeader {
    /// The id of the dataflow or the structure.
    pub(crate) dataflow: String,
    /// Its title.
    pub(crate) title: String,
    /// The sender.
    pub(crate) publisher: Option<String>,
    /// The day of the extraction or preparation.
    pub(crate) vintage: Option<Period>,
    /// Names of codes, by dimension.
    pub(crate) names: BTreeMap<String, CodeNames>,
    /// Remarks that matter before the figures are used.
    pub(crate) notes: Vec<String>,
}

impl SdmxHeader {
    /// Sets the dataflow from a URN or a reference such as `ECB:EXR(1.0)`, unless it is set.
    pub(crate) fn set_reference(&mut self, text: &str) {
        if self.dataflow.is_empty() {
            let id = text.rsplit_once('=').map_or(text, |(_, id)| id);
            let id = id.split('(').next().unwrap_or_default();
            self.dataflow = id.rsplit(':').next().unwrap_or_default().trim().to_owned();
        }
    }

    /// Sets the vintage from a date and time, unless it is set.
    pub(crate) fn set_day(&mut self, text: &str) {
        self.vintage = self.vintage.or_else(|| cell::parse_iso_day(text.trim().get(..10)?));
    }

    /// Joins the metadata with a table.
    pub(crate) fn with_table(
        self,
        format: Format,
        source: SourceFile<'_>,
        read: (Table, ImportSummary),
    ) -> Result<ImportedTable, ImportError> {
        let named = cell::clean_name(&self.dataflow).filter(|_| !self.dataflow.is_empty());
        let id = named.map_or_else(|| cell::file_stem(source.name).to_owned(), |name| name.to_string());
        let publisher = self.publisher.filter(|name| is_publisher(name));
        let title = self.title.trim().to_owned();
        let metadata = Metadata {
            publisher,
            vintage: self.vintage,
            names: self.names,
            notes: self.notes,
            ..Metadata::new(format, id)
        };
        metadata.title(title).with_table(read)
    }
}

/// Whether a name fits into a snapshot.
pub(crate) fn is_publisher(name: &str) -> bool {
    (1..=PUBLISHER_BYTES_MAX).contains(&to_line(name).len())
}

/// Parses a period in any spelling of SDMX, and converts it to the frequency `wanted`.
#[inline]
pub(crate) fn parse_period(text: &str, wanted: Option<Frequency>) -> Result<Period, ImportError> {
    let found = match Period::from_ascii(text.as_bytes()) {
        Some(found) => found,
        None => midnight_day(text).ok_or_else(|| unreadable_period(text))?,
    };
    match wanted {
        Some(wanted) => frequency::period_of_day(found, wanted),
        None => Ok(found),
    }
}

/// The day of a date and time at midnight, as services write a day.
fn midnight_day(text: &str) -> Option<Period> {
    let (day, time) = text.split_once('T')?;
    // `00:00:00.000Z`: a time other than midnight would be an intraday figure.
    let zero = time.trim_end_matches('Z').bytes().all(|byte| matches!(byte, b'0' | b':' | b'.'));
    zero.then(|| cell::parse_iso_day(day))?
}

fn unreadable_period(text: &str) -> ImportError {
    let error = ImportError::new("period", "expected a period").value(text);
    if text.contains('/') {
        return error
            .hint("time ranges are not supported: request data by year, quarter, month, week or day");
    }
    if text.contains('T') {
        return error.hint("periods shorter than a day are not supported; for trimesters take the months");
    }
    error.hint("expected forms: 2010, 2010-S1, 2010-Q1, 2010-01, 2010-M01, 2010-W05, 2010-D031, 2010-01-31")
}

/// Parses a figure and keeps all its digits; `None` for an empty text or NaN.
#[inline]
pub(crate) fn parse_figure(text: &str) -> Result<Option<Decimal>, ImportError> {
    // The usual case first; this function is called for every figure.
    if let Some(number) = Decimal::from_plain(text.as_bytes()) {
        return Ok(Some(number));
    }
    match text.trim() {
        "" => Ok(None),
        word if word.eq_ignore_ascii_case("nan") => Ok(None),
        number => cell::parse_number(number).map(Some),
    }
}

/// The error for a message that deletes observations.
pub(crate) fn deletion_error() -> ImportError {
    ImportError::new("deletion", "a message that deletes observations has no figures")
        .hint("import a message with the current observations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_in_all_spellings() {
        for (text, expected) in [
            ("2010", "2010"),
            ("2010-A1", "2010"),
            ("2010-S2", "2010-S2"),
            ("2010-Q3", "2010-Q3"),
            ("2010-07", "2010-M07"),
            ("2010-M07", "2010-M07"),
            ("2010-W01", "2010-W01"),
            ("2010-D032", "2010-02-01"),
            ("2010-02-01", "2010-02-01"),
            ("2010-02-01T00:00:00", "2010-02-01"),
            ("2010-02-01T00:00:00.000Z", "2010-02-01"),
        ] {
            assert_eq!(parse_period(text, None).unwrap().to_string(), expected, "{text}");
        }
        assert_eq!(parse_period("2010-01-01", Some(Frequency::Q)).unwrap().to_string(), "2010-Q1");
        for (text, word) in [
            ("2010-01-01/P1M", "range"),
            ("2010-01-01T12:00:00", "shorter"),
            ("2010-T1", "trimester"),
            ("2010-001", "2010-D031"),
            ("", "2010"),
        ] {
            let error = parse_period(text, None).unwrap_err();
            assert!(error.code == "period" && error.hint.unwrap().contains(word), "{text}");
        }
    }

    #[test]
    fn figures_keep_their_digits() {
        assert_eq!(parse_figure("1.50").unwrap().unwrap().to_string(), "1.50");
        assert!(parse_figure("NaN").unwrap().is_none() && parse_figure(" ").unwrap().is_none());
        assert_eq!(
            parse_figure("1e3").unwrap().unwrap().to_string(),
            Decimal::new(1, 3).unwrap().to_string()
        );
        assert_eq!(parse_figure("x").unwrap_err().code, "number");
    }

    #[test]
    fn ids_are_taken_from_references() {
        for text in ["urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)", "ECB:EXR(1.0)", "EXR"]
        {
            let mut header = SdmxHeader::default();
            header.set_reference(text);
            header.set_reference("other");
            header.set_day("2010-01-04T16:21:49+01:00");
            assert_eq!(header.dataflow, "EXR");
            assert_eq!(header.vintage.unwrap().to_string(), "2010-01-04");
        }
    }
}

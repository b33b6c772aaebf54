//! Data messages of SDMX: ML 2.0, 2.1 and 3.0, JSON 1.0 and 2.0, CSV 1.0 and 2.0.
//!
//! Owns what the three have in common: periods and figures as SDMX spells them, and what a message
//! says about itself. The ids of the agency are kept; its attributes are kept. Refuses messages that
//! delete, periods that are ranges, and messages without data.

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

use crate::error::ImportError;
use crate::heading::{Heading, Names};
use crate::{Format, ImportSummary, ImportedTable, SourceFile, frequency, value};

/// The status of an observation: what a missing figure must have to be kept.
pub(crate) const STATUS: [&str; 2] = ["OBS_STATUS", "OBS_FLAG"];
/// Ids of the time dimension, today's and that of SDMX-ML 2.0.
pub(crate) const TIME: [&str; 2] = ["TIME_PERIOD", "TIME"];
/// The figure.
pub(crate) const FIGURE: &str = "OBS_VALUE";

/// Groups of one message: a few for each of its series.
const GROUPS_MAX: usize = 1 << 19;
/// Bytes of the name of an agency in a snapshot.
const PUBLISHER_BYTES_MAX: usize = 128;

/// What a message says about itself.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// The id of the dataflow or the structure.
    pub(crate) dataflow: String,
    /// Its title.
    pub(crate) title: String,
    /// Who sent it.
    pub(crate) publisher: Option<String>,
    /// The day of the data.
    pub(crate) vintage: Option<Period>,
    /// Names of codes, by dimension.
    pub(crate) names: BTreeMap<String, Names>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

impl Header {
    /// Takes the id out of a URN or a reference such as `ECB:EXR(1.0)`, unless there is one.
    pub(crate) fn reference(&mut self, text: &str) {
        if self.dataflow.is_empty() {
            let id = text.rsplit_once('=').map_or(text, |(_, id)| id);
            let id = id.split('(').next().unwrap_or_default();
            self.dataflow = id.rsplit(':').next().unwrap_or_default().trim().to_owned();
        }
    }

    /// Takes the day of a date and time, unless there is one.
    pub(crate) fn day(&mut self, text: &str) {
        self.vintage = self.vintage.or_else(|| value::day(text.trim().get(..10)?));
    }

    /// The file, read.
    pub(crate) fn over(
        self,
        format: Format,
        source: SourceFile<'_>,
        read: (Table, ImportSummary),
    ) -> Result<ImportedTable, ImportError> {
        let named = value::name(&self.dataflow).filter(|_| !self.dataflow.is_empty());
        let id = named.map_or_else(|| value::stem(source.name).to_owned(), |name| name.to_string());
        let publisher = self.publisher.filter(|name| is_publisher(name));
        let title = self.title.trim().to_owned();
        let heading = Heading {
            publisher,
            vintage: self.vintage,
            names: self.names,
            notes: self.notes,
            ..Heading::new(format, id)
        };
        heading.title(title).over(read)
    }
}

/// Whether a name fits the snapshot of a source.
pub(crate) fn is_publisher(name: &str) -> bool {
    (1..=PUBLISHER_BYTES_MAX).contains(&name.len()) && value::label(name).is_ok()
}

/// A period in any spelling of SDMX, at the frequency that the caller wants.
#[inline]
pub(crate) fn period(text: &str, wanted: Option<Frequency>) -> Result<Period, ImportError> {
    let found = match Period::from_ascii(text.as_bytes()) {
        Some(found) => found,
        None => midnight(text).ok_or_else(|| unreadable(text))?,
    };
    match wanted {
        Some(wanted) => frequency::period(found, wanted),
        None => Ok(found),
    }
}

/// The day of a date and time that says no time of the day.
fn midnight(text: &str) -> Option<Period> {
    let (day, time) = text.split_once('T')?;
    let zero = time.trim_end_matches('Z').bytes().all(|byte| matches!(byte, b'0' | b':' | b'.'));
    zero.then(|| value::day(day))?
}

fn unreadable(text: &str) -> ImportError {
    let fault = ImportError::new("period", "expected a period").value(text);
    if text.contains('/') {
        return fault.hint("a range of time is no period: ask for data by year, quarter, month, week or day");
    }
    if text.contains('T') {
        return fault.hint("periods shorter than a day are not read; for trimesters take the months");
    }
    fault.hint("expected forms: 2010, 2010-S1, 2010-Q1, 2010-01, 2010-M01, 2010-W05, 2010-D031, 2010-01-31")
}

/// A figure with every digit kept; nothing where the message says that there is none.
#[inline]
pub(crate) fn figure(text: &str) -> Result<Option<Decimal>, ImportError> {
    if let Some(number) = Decimal::from_plain(text.as_bytes()) {
        return Ok(Some(number));
    }
    match text.trim() {
        "" => Ok(None),
        word if word.eq_ignore_ascii_case("nan") => Ok(None),
        number => value::number(number).map(Some),
    }
}

/// The fault for a message that takes observations away.
pub(crate) fn deletion() -> ImportError {
    ImportError::new("deletion", "a message that deletes observations holds no figures")
        .hint("import the observations that hold today, in a message of its own")
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
            assert_eq!(period(text, None).unwrap().to_string(), expected, "{text}");
        }
        assert_eq!(period("2010-01-01", Some(Frequency::Q)).unwrap().to_string(), "2010-Q1");
        for (text, word) in [
            ("2010-01-01/P1M", "range"),
            ("2010-01-01T12:00:00", "shorter"),
            ("2010-T1", "trimester"),
            ("2010-001", "2010-D031"),
            ("", "2010"),
        ] {
            let fault = period(text, None).unwrap_err();
            assert!(fault.code == "period" && fault.hint.unwrap().contains(word), "{text}");
        }
    }

    #[test]
    fn figures_keep_their_digits() {
        assert_eq!(figure("1.50").unwrap().unwrap().to_string(), "1.50");
        assert!(figure("NaN").unwrap().is_none() && figure(" ").unwrap().is_none());
        assert_eq!(figure("1e3").unwrap().unwrap().to_string(), Decimal::new(1, 3).unwrap().to_string());
        assert_eq!(figure("x").unwrap_err().code, "number");
    }

    #[test]
    fn ids_come_out_of_references() {
        for text in ["urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)", "ECB:EXR(1.0)", "EXR"]
        {
            let mut header = Header::default();
            header.reference(text);
            header.reference("other");
            header.day("2010-01-04T16:21:49+01:00");
            assert_eq!(header.dataflow, "EXR");
            assert_eq!(header.vintage.unwrap().to_string(), "2010-01-04");
        }
    }
}

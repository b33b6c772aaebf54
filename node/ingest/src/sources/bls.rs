//! U.S. Bureau of Labor Statistics: flat files, responses of the API, the data viewer and `aat1.txt`.
//!
//! The first three write periods as a year and a code such as `M01`, and share their reading here.
//! A year has months, an annual average (`M13`), half years and their average (`S03`); each gets its
//! own frequency in FREQ, so that an average is never read as a thirteenth month.

pub(crate) mod aat1;
pub(crate) mod api_json;
pub(crate) mod data_viewer;
pub(crate) mod flat_file;

use schemas::period::{Frequency, Period};

use crate::build::dimensioned::{DimensionedBuilder, Observation};
use crate::error::ImportError;
use crate::values::cell;

/// Name of the agency.
const PUBLISHER: &str = "U.S. Bureau of Labor Statistics";
/// Spellings of a missing figure.
const MISSING: [&str; 4] = ["", "-", ".", "NA"];

/// The period of a code in a year: `M01` to `M12`, `Q01` to `Q04`, `S01`, `S02`, and the annual
/// averages `M13`, `Q05`, `S03` and `A01`.
fn parse_period(year: &str, code: &str) -> Result<Period, ImportError> {
    let error = |column: &str, found: &str, expected: &str| {
        ImportError::new("period", format!("expected {expected}")).column(column).value(found)
    };
    let number: i32 =
        cell::parse_year(year).map(Period::year).ok_or_else(|| error("year", year, "a year"))?;
    let wrong = || error("period", code, "a period like `M01`, `M13`, `Q01`, `S01` or `A01`");
    let (letter, index) = code.split_at_checked(1).ok_or_else(wrong)?;
    let index = Some(index).filter(|index| index.len() == 2).and_then(|index| index.parse().ok());
    let (frequency, index) = match (letter, index.ok_or_else(wrong)?) {
        ("M", 13) | ("Q", 5) | ("S", 3) | ("A", 1) => (Frequency::A, 1),
        ("M", index) => (Frequency::M, index),
        ("Q", index) => (Frequency::Q, index),
        ("S", index) => (Frequency::S, index),
        _ => return Err(wrong()),
    };
    Period::new(frequency, number, index).ok_or_else(wrong)
}

/// A builder of figures by series: FREQ, SERIES, and the footnote codes as OBS_STATUS.
fn series_builder() -> Result<DimensionedBuilder, ImportError> {
    DimensionedBuilder::new(&["FREQ", "SERIES"], &["OBS_STATUS"])
}

/// Adds a figure as it is written, with its footnote codes.
fn add_figure(
    builder: &mut DimensionedBuilder,
    series: &str,
    (year, code): (&str, &str),
    (figure, footnotes): (&str, &str),
    line: u64,
) -> Result<(), ImportError> {
    builder.rows += 1;
    let period = parse_period(year, code).map_err(|error| error.line(line))?;
    let figure = match figure {
        _ if builder.missing.count_if_missing(figure, &MISSING) => None,
        _ => Some(cell::parse_number(figure).map_err(|error| error.line(line).column("value"))?),
    };
    builder.push(&Observation {
        key: &[period.frequency().code(), series],
        period,
        figure,
        attributes: &[footnotes],
        has_status: !footnotes.is_empty(),
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annual_averages_have_their_own_frequency() {
        for (code, expected) in [
            ("M01", "2018-M01"),
            ("M12", "2018-M12"),
            ("M13", "2018"),
            ("Q04", "2018-Q4"),
            ("Q05", "2018"),
            ("S02", "2018-S2"),
            ("S03", "2018"),
            ("A01", "2018"),
        ] {
            assert_eq!(parse_period("2018", code).unwrap().to_string(), expected);
        }
        for code in ["M14", "M00", "S04", "A02", "W01", "M1", "", "é1"] {
            assert_eq!(parse_period("2018", code).unwrap_err().column.as_deref(), Some("period"), "{code}");
        }
        assert_eq!(parse_period("18", "M01").unwrap_err().column.as_deref(), Some("year"));
    }
}

//! FRED and ALFRED of the Federal Reserve Bank of St. Louis: series as CSV, vintages, the panel FRED-MD
//! and responses of the API.
//!
//! No file names the area: it is `USA` unless the caller says otherwise. Dates are first days of
//! periods: the frequency is the caller's, or inferred from all dates together.

pub(crate) mod api_json;
pub(crate) mod fred_md;
pub(crate) mod series_csv;
pub(crate) mod vintage_rows;

use schemas::period::Period;

use crate::build::wide_table::MissingWords;
use crate::values::cell;

/// Area of a series unless the caller says otherwise.
const AREA: &str = "USA";
/// Name of the publisher.
const PUBLISHER: &str = "Federal Reserve Bank of St. Louis (FRED)";
/// Spellings of a missing figure over the years; `#N/A` comes from Excel.
const MISSING: MissingWords = MissingWords { missing: &["", ".", "NA", "#N/A"], zero: false };

/// Splits the title of a vintage column into series id and day, as in `GDP_20200130`.
fn split_vintage(title: &str) -> Option<(String, String)> {
    let (id, day) = title.rsplit_once('_')?;
    let digits = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let number = |range: std::ops::Range<usize>| day.get(range)?.parse().ok();
    let day =
        if digits { Period::from_date(number(0..4)?, number(4..6)?, number(6..8)?)? } else { return None };
    (!id.is_empty()).then(|| (id.to_owned(), day.to_string()))
}

/// The series id in a file name: its leading capitals and digits, as in `DGS10_lowercase.csv`.
fn series_id(file: &str) -> String {
    let stem = cell::file_stem(file);
    let id = stem.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit()).next().unwrap_or_default();
    if id.is_empty() { stem.to_owned() } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vintage_titles_end_in_a_day() {
        assert_eq!(split_vintage("GDP_20200130"), Some(("GDP".into(), "2020-01-30".into())));
        for title in ["GDP_20101301", "_20100101", "GDP_2010"] {
            assert_eq!(split_vintage(title), None, "{title}");
        }
    }
}

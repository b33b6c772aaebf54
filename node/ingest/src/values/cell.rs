//! Parsers of cells: numbers, days, years and texts. Every error has a hint.

use schemas::decimal::{self, Decimal};
use schemas::limits::{CELL_BYTES_MAX, DIGITS_MAX, NAME_BYTES_MAX};
use schemas::period::Period;
use schemas::text::{Name, Text};

use crate::error::ImportError;

/// Parses a number and keeps all its digits: `9.800` stays `9.800`.
#[inline]
pub(crate) fn parse_number(cell: &str) -> Result<Decimal, ImportError> {
    Decimal::from_ascii(cell.as_bytes()).map_err(|error| match error {
        decimal::Error::Digits => {
            ImportError::new("number-digits", format!("a number of more than {DIGITS_MAX} digits"))
                .value(cell)
                .hint("no statistic is that precise: round it to its significant digits")
        }
        decimal::Error::Exponent => ImportError::new("number", "the exponent is out of range").value(cell),
        decimal::Error::Syntax(_) => {
            ImportError::new("number", "expected a number").value(cell).hint(number_hint(cell))
        }
    })
}

/// Parses a number with a decimal comma.
pub(crate) fn parse_comma_number(cell: &str) -> Result<Decimal, ImportError> {
    if cell.contains('.') {
        return Err(ImportError::new("number", "expected a number with a decimal comma")
            .value(cell)
            .hint("remove thousands separators, or leave out `decimal_comma`"));
    }
    // The error shows the cell as written, not with the comma replaced.
    parse_number(&cell.replacen(',', ".", 1)).map_err(|error| error.value(cell))
}

/// A hint for a text in place of a number, by the usual causes.
fn number_hint(cell: &str) -> &'static str {
    let lower = cell.trim_start_matches(['-', '+']).to_ascii_lowercase();
    let digit = cell.contains(|c: char| c.is_ascii_digit());
    match lower.as_str() {
        "nan" | "inf" | "infinity" => "a missing figure is an empty cell, not NaN or infinity",
        _ if digit && cell.contains([',', ' ', '\u{a0}', '\u{202f}', '\'']) => {
            "remove thousands separators; for decimal commas import it as `csv` with `decimal_comma`"
        }
        _ if digit && cell.contains('%') => "remove the percent sign",
        _ if digit && cell.contains(char::is_alphabetic) => "move footnote marks to a column of their own",
        _ => "a missing figure is an empty cell",
    }
}

/// Parses a day written as `2010-01-31`.
pub(crate) fn parse_iso_day(cell: &str) -> Option<Period> {
    match cell.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => cell.parse().ok(),
        _ => None,
    }
}

/// The error for an intraday time such as `20070330 01:00`; a period is at least a day.
pub(crate) fn time_of_day_error(cell: &str) -> Option<ImportError> {
    let (day, time) = cell.trim().split_once([' ', 'T'])?;
    // From `7/4/2020` to `20200704`.
    let digits = day.bytes().filter(u8::is_ascii_digit).count();
    let day =
        (6..=8).contains(&digits) && day.bytes().all(|byte| byte.is_ascii_digit() || b"-/.".contains(&byte));
    let hour =
        matches!(time.trim_start().as_bytes(), [a, b, b':', ..] if a.is_ascii_digit() && b.is_ascii_digit());
    (day && hour).then(|| {
        ImportError::new("time-of-day", "expected a day or a longer period, found a time of day")
            .value(cell)
            .hint("aggregate the figures to days first; remove the time where it has no meaning")
    })
}

/// Splits a date into three numbers of one to four digits.
pub(crate) fn split_date(cell: &str, separator: char) -> Option<[i32; 3]> {
    let mut parts = cell.split(separator).map(|part| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok())?
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// Parses a year of four digits.
pub(crate) fn parse_year(cell: &str) -> Option<Period> {
    (cell.len() == 4).then(|| cell.parse().ok())?
}

/// Refuses a text that a cell of a data set cannot hold: too long, or with control characters.
pub(crate) fn check_text(cell: &str) -> Result<&str, ImportError> {
    match Text::<CELL_BYTES_MAX>::new(cell) {
        Ok(_) => Ok(cell),
        Err(error @ schemas::text::Error::Forbidden(_)) => Err(ImportError::new("text", error.to_string())
            .value(cell)
            .hint("remove the character from the file: it cannot be seen, and cells are kept as published")),
        Err(error) => Err(ImportError::new("text", error.to_string()).value(cell)),
    }
}

/// Makes a name of a text: replaces invalid characters by `_`, prefixes a leading digit with `d`.
pub(crate) fn clean_name(text: &str) -> Option<Name> {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let clean: String = text.chars().map(|c| if kept(c) { c } else { '_' }).collect();
    // A name begins and ends with a letter or a digit.
    let clean = clean.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let cut = |length: usize| clean.get(..clean.len().min(length)).unwrap_or_default();
    Name::new(cut(NAME_BYTES_MAX)).or_else(|_| Name::new(format!("d{}", cut(NAME_BYTES_MAX - 1)))).ok()
}

/// The file name without folders and extension.
pub(crate) fn file_stem(file: &str) -> &str {
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    base.rsplit_once('.').map_or(base, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_errors_have_hints() {
        assert_eq!(parse_number("9.800").unwrap().to_string(), "9.800");
        assert_eq!(parse_comma_number("-9,80").unwrap().to_string(), "-9.80");
        for (cell, word) in [
            ("1,234", "thousands"),
            ("1 234.5", "thousands"),
            ("NaN", "NaN"),
            ("-inf", "NaN"),
            ("3%", "percent"),
            ("3.1 p", "thousands"),
            ("3.1p", "footnote"),
            ("n/a", "empty cell"),
        ] {
            assert!(parse_number(cell).unwrap_err().hint.unwrap().contains(word), "{cell}");
        }
        assert_eq!(parse_number(&"1".repeat(35)).unwrap_err().code, "number-digits");
        assert_eq!(parse_comma_number("1.234,5").unwrap_err().value.unwrap(), "1.234,5");
        assert_eq!(parse_comma_number("1,234,5").unwrap_err().value.unwrap(), "1,234,5");
    }

    #[test]
    fn dates_and_names() {
        assert_eq!(parse_iso_day("2010-02-28").unwrap().to_string(), "2010-02-28");
        assert!(parse_iso_day("2010-02-29").is_none() && parse_iso_day("2010").is_none());
        assert_eq!(split_date("5/1/1955", '/'), Some([5, 1, 1955]));
        assert!(
            split_date("5/1", '/').is_none()
                && split_date("5/1/2/3", '/').is_none()
                && split_date("a/1/2", '/').is_none()
        );
        assert_eq!(clean_name("wdi long: x").unwrap().as_str(), "wdi_long__x");
        assert_eq!(clean_name("2016").unwrap().as_str(), "d2016");
        assert!(clean_name("é").is_some_and(|name| name.as_str() == "d"));
        assert_eq!(file_stem("a/b\\API_X.Y.csv"), "API_X.Y");
    }
}

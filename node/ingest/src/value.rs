//! Cells to values: numbers, days and texts, each refusal with what to do about it.

use schemas::decimal::{self, Decimal};
use schemas::limits::{CELL_BYTES_MAX, DIGITS_MAX, NAME_BYTES_MAX};
use schemas::period::Period;
use schemas::text::{Name, Text};

use crate::error::ImportError;

/// A number with every digit kept.
#[inline]
pub(crate) fn number(cell: &str) -> Result<Decimal, ImportError> {
    Decimal::from_ascii(cell.as_bytes()).map_err(|error| match error {
        decimal::Error::Digits => {
            ImportError::new("number-digits", format!("a number of more than {DIGITS_MAX} digits"))
                .value(cell)
                .hint("no statistic is that precise: round it to the digits that mean something")
        }
        decimal::Error::Exponent => ImportError::new("number", "the exponent is out of range").value(cell),
        decimal::Error::Syntax(_) => {
            ImportError::new("number", "expected a number").value(cell).hint(advice(cell))
        }
    })
}

/// A number written with a decimal comma.
pub(crate) fn comma_number(cell: &str) -> Result<Decimal, ImportError> {
    if cell.contains('.') {
        return Err(ImportError::new("number", "expected a number with a decimal comma")
            .value(cell)
            .hint("a point is no part of it: remove thousands separators, or leave `decimal_comma` out"));
    }
    number(&cell.replacen(',', ".", 1)).map_err(|fault| fault.value(cell))
}

/// Why a text may stand where a number belongs.
fn advice(cell: &str) -> &'static str {
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

/// A day written as `2010-01-31`.
pub(crate) fn day(cell: &str) -> Option<Period> {
    match cell.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => cell.parse().ok(),
        _ => None,
    }
}

/// The fault for a day with a time of day, as in `20070330 01:00`; nothing here is finer than a day.
pub(crate) fn timed(cell: &str) -> Option<ImportError> {
    let (day, time) = cell.trim().split_once([' ', 'T'])?;
    let digits = day.bytes().filter(u8::is_ascii_digit).count();
    let day =
        (6..=8).contains(&digits) && day.bytes().all(|byte| byte.is_ascii_digit() || b"-/.".contains(&byte));
    let hour =
        matches!(time.trim_start().as_bytes(), [a, b, b':', ..] if a.is_ascii_digit() && b.is_ascii_digit());
    (day && hour).then(|| {
        ImportError::new(
            "time-of-day",
            "a figure belongs to a day or a longer period, these have a time of day",
        )
        .value(cell)
        .hint("make daily figures of them first; where the time means nothing, cut it off")
    })
}

/// Three numbers split by `separator`, of one to four digits each.
pub(crate) fn triple(cell: &str, separator: char) -> Option<[i32; 3]> {
    let mut parts = cell.split(separator).map(|part| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok())?
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// A year: four digits.
pub(crate) fn year(cell: &str) -> Option<Period> {
    (cell.len() == 4).then(|| cell.parse().ok())?
}

/// A text fit for a cell of a data set.
pub(crate) fn label(cell: &str) -> Result<&str, ImportError> {
    match Text::<CELL_BYTES_MAX>::new(cell) {
        Ok(_) => Ok(cell),
        Err(error) => Err(ImportError::new("text", error.to_string()).value(cell)),
    }
}

/// A name made of `text`: what may not stand in a name becomes `_`.
pub(crate) fn name(text: &str) -> Option<Name> {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let clean: String = text.chars().map(|c| if kept(c) { c } else { '_' }).collect();
    let clean = clean.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let cut = |length: usize| clean.get(..clean.len().min(length)).unwrap_or_default();
    Name::new(cut(NAME_BYTES_MAX)).or_else(|_| Name::new(format!("d{}", cut(NAME_BYTES_MAX - 1)))).ok()
}

/// The file name without folders and without its ending.
pub(crate) fn stem(file: &str) -> &str {
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    base.rsplit_once('.').map_or(base, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_refusals_advise() {
        assert_eq!(number("9.800").unwrap().to_string(), "9.800");
        assert_eq!(comma_number("-9,80").unwrap().to_string(), "-9.80");
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
            assert!(number(cell).unwrap_err().hint.unwrap().contains(word), "{cell}");
        }
        assert_eq!(number(&"1".repeat(35)).unwrap_err().code, "number-digits");
        assert_eq!(comma_number("1.234,5").unwrap_err().value.unwrap(), "1.234,5");
        assert_eq!(comma_number("1,234,5").unwrap_err().value.unwrap(), "1,234,5");
    }

    #[test]
    fn dates_and_names() {
        assert_eq!(day("2010-02-28").unwrap().to_string(), "2010-02-28");
        assert!(day("2010-02-29").is_none() && day("2010").is_none());
        assert_eq!(triple("5/1/1955", '/'), Some([5, 1, 1955]));
        assert!(
            triple("5/1", '/').is_none()
                && triple("5/1/2/3", '/').is_none()
                && triple("a/1/2", '/').is_none()
        );
        assert_eq!(name("wdi long: x").unwrap().as_str(), "wdi_long__x");
        assert_eq!(name("2016").unwrap().as_str(), "d2016");
        assert!(name("é").is_some_and(|name| name.as_str() == "d"));
        assert_eq!(stem("a/b\\API_X.Y.csv"), "API_X.Y");
    }
}

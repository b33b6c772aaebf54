//! Rounding to decimal places on the exact digits (reference manual, "Rounding", "Truncation",
//! "Ceiling", "Floor"). Ties round away from zero, as the manual's digit rule requires.

use std::cmp::Ordering;

use schemas::decimal::Decimal;

use super::{Error, pow10, round_small};

/// Rounding direction (IEEE 754-2008, 4.3).
#[derive(Clone, Copy)]
enum RoundingMode {
    /// To nearest, ties away from zero.
    TiesToAway,
    /// Toward zero.
    TowardZero,
    /// Toward positive infinity.
    TowardPositive,
    /// Toward negative infinity.
    TowardNegative,
}

/// Rounds `a` to `places` decimal places (to tens, hundreds, … when negative), ties away from zero.
///
/// # Errors
/// [`Error::Overflow`] when the rounded value leaves the range.
pub fn round(a: Decimal, places: i64) -> Result<Decimal, Error> {
    round_to_digits(a, places, RoundingMode::TiesToAway)
}

/// Truncates `a` to `places` decimal places.
///
/// # Errors
/// None in practice: truncation never grows a value.
pub fn trunc(a: Decimal, places: i64) -> Result<Decimal, Error> {
    round_to_digits(a, places, RoundingMode::TowardZero)
}

/// Returns the smallest integer that is not below `a`.
///
/// # Errors
/// [`Error::Overflow`].
pub fn ceil(a: Decimal) -> Result<Decimal, Error> {
    round_to_digits(a, 0, RoundingMode::TowardPositive)
}

/// Returns the largest integer that is not above `a`.
///
/// # Errors
/// [`Error::Overflow`].
pub fn floor(a: Decimal) -> Result<Decimal, Error> {
    round_to_digits(a, 0, RoundingMode::TowardNegative)
}

fn round_to_digits(a: Decimal, places: i64, mode: RoundingMode) -> Result<Decimal, Error> {
    let drop = places.saturating_neg().saturating_sub(a.exponent().into());
    if drop <= 0 || a.is_zero() {
        return Ok(a.normalized());
    }
    let (magnitude, negative) = (a.magnitude(), a.is_negative());
    // A coefficient has 34 digits: beyond 38 dropped digits nothing is left, and the dropped part is
    // less than half a unit.
    let unit = u32::try_from(drop).ok().filter(|drop| *drop <= 38).map(pow10);
    let (kept, rest, half) = match unit {
        Some(unit) => {
            let kept = magnitude / unit;
            let rest = magnitude - kept * unit;
            (kept, rest, rest.cmp(&(unit / 2)))
        }
        None => (0, magnitude, Ordering::Less),
    };
    let away = match mode {
        RoundingMode::TiesToAway => half != Ordering::Less,
        RoundingMode::TowardZero => false,
        RoundingMode::TowardPositive => rest != 0 && !negative,
        RoundingMode::TowardNegative => rest != 0 && negative,
    };
    round_small(negative, kept + u128::from(away), places.saturating_neg(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn ties_round_away_from_zero_on_the_exact_digits() {
        for (value, places, want) in [
            ("1.005", 2, "1.01"),
            ("0.285", 2, "0.29"),
            ("-2.5", 0, "-3"),
            ("12345.6", -1, "12350"),
            ("3.14159", 4, "3.1416"),
            ("0.5", 0, "1"),
            ("0.4999", 0, "0"),
            ("5", -1, "10"),
            ("5", -2, "0"),
            ("5", i64::MIN, "0"),
            ("5", i64::MAX, "5"),
            ("9.99", 1, "10"),
        ] {
            assert_eq!(round(d(value), places).unwrap(), d(want).normalized(), "{value} {places}");
        }
    }

    #[test]
    fn truncation_ceiling_and_floor() {
        assert_eq!(trunc(d("2.9999999999999999"), 0).unwrap(), d("2"));
        assert_eq!(trunc(d("-2.99"), 1).unwrap(), d("-2.9"));
        assert_eq!(ceil(d("-3.1415")).unwrap(), d("-3"));
        assert_eq!(ceil(d("1E-6000")).unwrap(), d("1"));
        assert_eq!(floor(d("-1E-6000")).unwrap(), d("-1"));
        assert_eq!(floor(d("3.7")).unwrap(), d("3"));
    }
}

//! Exact decimal numbers as published: a coefficient and a power of ten.
//!
//! `9.1` is `[91, -1]` and `9.10` is `[910, -2]`: the digits that the source wrote are kept. The
//! type holds values and compares them; arithmetic is the business of the engine (`node/vtl`).
//! It refuses more than [`DIGITS_MAX`] digits, infinities, NaN and negative zero.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::limits::{DIGITS_MAX, EXPONENT_MAX, EXPONENT_MIN, NUMBER_BYTES_MAX};

/// One more than the largest coefficient: 10^34.
pub const COEFFICIENT_LIMIT: i128 = 10_i128.pow(DIGITS_MAX);

/// A decimal of at most 34 digits: `coefficient × 10^exponent`.
///
/// `==` and `Hash` tell representations apart (`9.1 != 9.10`), because an id is made over the
/// representation; [`Decimal::compare`] and [`Decimal::same_value`] compare values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    coefficient: i128,
    exponent: i32,
}

/// Why a text or a pair is no [`Decimal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not a decimal number.
    #[error("`{0}` is not a number")]
    Syntax(String),
    /// More significant digits than a decimal128 holds.
    #[error("more than {DIGITS_MAX} digits")]
    Digits,
    /// The exponent is outside `EXPONENT_MIN..=EXPONENT_MAX`.
    #[error("exponent outside {EXPONENT_MIN}..={EXPONENT_MAX}")]
    Exponent,
}

impl Decimal {
    /// Zero with no decimals.
    pub const ZERO: Decimal = Decimal { coefficient: 0, exponent: 0 };

    /// The decimal `coefficient × 10^exponent`.
    ///
    /// # Errors
    /// [`Error::Digits`] and [`Error::Exponent`] when a part is out of range.
    pub fn new(coefficient: i128, exponent: i32) -> Result<Self, Error> {
        if coefficient <= -COEFFICIENT_LIMIT || coefficient >= COEFFICIENT_LIMIT {
            return Err(Error::Digits);
        }
        if !(EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent) {
            return Err(Error::Exponent);
        }
        Ok(Self { coefficient, exponent })
    }

    /// The digits, with sign.
    pub fn coefficient(self) -> i128 {
        self.coefficient
    }

    /// The power of ten of the last digit.
    pub fn exponent(self) -> i32 {
        self.exponent
    }

    /// Decimals written after the point (0 for whole numbers).
    pub fn decimals(self) -> u32 {
        self.exponent.min(0).unsigned_abs()
    }

    /// Whether the value is zero.
    pub fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// The one representation of this value without trailing zeros; zero is `[0, 0]`.
    pub fn normalized(self) -> Self {
        if self.coefficient == 0 {
            return Self::ZERO;
        }
        let (mut coefficient, mut exponent) = (self.coefficient, self.exponent);
        while exponent < EXPONENT_MAX && coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        Self { coefficient, exponent }
    }

    /// Whether both have the same value, whatever their trailing zeros.
    pub fn same_value(self, other: Self) -> bool {
        self.compare(other) == Ordering::Equal
    }

    /// Order by value.
    pub fn compare(self, other: Self) -> Ordering {
        let (a, b) = (self.coefficient, other.coefficient);
        if self.exponent == other.exponent {
            return a.cmp(&b);
        }
        match a.signum().cmp(&b.signum()) {
            Ordering::Equal if a == 0 => Ordering::Equal,
            Ordering::Equal => {
                let magnitudes = compare_magnitude(self, other);
                if a < 0 { magnitudes.reverse() } else { magnitudes }
            }
            unequal => unequal,
        }
    }

    /// Number of significant digits of the coefficient (1 for zero).
    pub fn digits(self) -> u32 {
        self.coefficient.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
    }
}

/// Orders two non-zero decimals by magnitude.
fn compare_magnitude(a: Decimal, b: Decimal) -> Ordering {
    let top = |d: Decimal| i64::from(d.exponent) + i64::from(d.digits());
    top(a).cmp(&top(b)).then_with(|| {
        // INVARIANT: equal leading positions and at most 34 digits each, so the exponents differ
        // by less than 34 and the aligned coefficient stays below 10^34.
        let (mut x, mut y) = (a.coefficient.unsigned_abs(), b.coefficient.unsigned_abs());
        let gap = a.exponent.abs_diff(b.exponent).min(DIGITS_MAX);
        let scale = 10_u128.pow(gap);
        if a.exponent > b.exponent {
            x *= scale
        } else {
            y *= scale
        }
        x.cmp(&y)
    })
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { coefficient: i128::from(value), exponent: 0 }
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Reads `-12.50`, `.5`, `7.`, `1.5E+3`. No spaces, no thousands separators, no `NaN`.
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text.as_bytes()).map_err(|fault| fault.unwrap_or_else(|| syntax(text)))
    }
}

fn syntax(text: &str) -> Error {
    Error::Syntax(text.chars().take(40).collect())
}

/// `Err(None)` is a fault of syntax.
fn parse(text: &[u8]) -> Result<Decimal, Option<Error>> {
    if text.len() > NUMBER_BYTES_MAX {
        return Err(Some(Error::Digits));
    }
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut coefficient: i128 = 0;
    let mut decimals: i32 = 0;
    let (mut seen_digit, mut seen_point) = (false, false);
    let mut bytes = rest.iter();
    let mut exponent: i32 = 0;
    while let Some(&byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                coefficient = coefficient * 10 + i128::from(byte - b'0');
                if coefficient >= COEFFICIENT_LIMIT {
                    return Err(Some(Error::Digits));
                }
                decimals += i32::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            b'e' | b'E' if seen_digit => {
                exponent = parse_exponent(bytes.as_slice()).ok_or(None)?;
                break;
            }
            _ => return Err(None),
        }
    }
    if !seen_digit {
        return Err(None);
    }
    let coefficient = if negative { -coefficient } else { coefficient };
    Decimal::new(coefficient, exponent - decimals).map_err(Some)
}

/// An optional sign and one to four digits.
fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(sign * digits.iter().fold(0, |sum, d| sum * 10 + i32::from(d - b'0')))
}

/// Zeros that are written out before scientific notation takes over.
const WRITTEN_ZEROS_MAX: i32 = 40;

impl fmt::Display for Decimal {
    /// Plain notation with every digit kept; `[1, 2]` is `100`. Scientific beyond 40 zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let digits = self.coefficient.unsigned_abs().to_string();
        let after = self.exponent;
        if after > WRITTEN_ZEROS_MAX || after < -(WRITTEN_ZEROS_MAX + DIGITS_MAX as i32) {
            return write!(f, "{sign}{digits}E{after:+}");
        }
        if after >= 0 {
            let zeros = if self.coefficient == 0 { 0 } else { after as usize };
            return write!(f, "{sign}{digits}{:0<zeros$}", "");
        }
        let places = after.unsigned_abs() as usize;
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.coefficient, self.exponent)
    }
}

impl Serialize for Decimal {
    /// `[int / bytes, int]`: the coefficient is a byte string (two's complement, big endian,
    /// shortest) only when it does not fit 64 bits. Text in formats for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let mut pair = serializer.serialize_tuple(2)?;
        match i64::try_from(self.coefficient) {
            Ok(small) => pair.serialize_element(&small)?,
            Err(_) => pair.serialize_element(serde_bytes::Bytes::new(&wide_bytes(self.coefficient)))?,
        }
        pair.serialize_element(&self.exponent)?;
        pair.end()
    }
}

/// Shortest big-endian two's complement of a coefficient that does not fit 64 bits.
fn wide_bytes(coefficient: i128) -> Vec<u8> {
    let bytes = coefficient.to_be_bytes();
    let fill = if coefficient < 0 { 0xff } else { 0 };
    let same_sign = |byte: u8| (byte & 0x80 != 0) == (coefficient < 0);
    let skip = bytes
        .windows(2)
        .take_while(|pair| matches!(pair, [first, next] if *first == fill && same_sign(*next)))
        .count();
    bytes.iter().skip(skip).copied().collect()
}

/// Reads what [`wide_bytes`] writes; other lengths and spellings give `None`.
fn wide_value(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    if bytes.len() > 16 {
        return None;
    }
    let start: i128 = if first & 0x80 != 0 { -1 } else { 0 };
    let value = bytes.iter().fold(start, |value, byte| (value << 8) | i128::from(*byte));
    (i64::try_from(value).is_err() && wide_bytes(value) == bytes).then_some(value)
}

/// The first element of the pair: a machine word or a byte string.
struct Coefficient(i128);

impl<'de> Deserialize<'de> for Coefficient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Coefficient;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer or a byte string")
            }
            fn visit_i64<E>(self, value: i64) -> Result<Coefficient, E> {
                Ok(Coefficient(value.into()))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Coefficient, E> {
                i64::try_from(value)
                    .map(|value| Coefficient(value.into()))
                    .map_err(|_| E::custom("a coefficient beyond 64 bits is a byte string"))
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Coefficient, E> {
                wide_value(bytes)
                    .map(Coefficient)
                    .ok_or_else(|| E::custom("not the shortest form of a coefficient"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[coefficient, exponent]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Decimal, A::Error> {
                let missing = || A::Error::custom("a decimal has two parts");
                let Coefficient(coefficient) = seq.next_element()?.ok_or_else(missing)?;
                let exponent: i32 = seq.next_element()?.ok_or_else(missing)?;
                Decimal::new(coefficient, exponent).map_err(A::Error::custom)
            }
        }
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom);
        }
        deserializer.deserialize_tuple(2, Pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn digits_of_the_source_are_kept() {
        for text in ["0", "9.1", "9.10", "-0.5", "0.000", "123456789012345678901234567890.1234"] {
            assert_eq!(d(text).to_string(), text);
        }
        assert_eq!(d("9.1"), Decimal::new(91, -1).unwrap());
        assert_eq!(d("1.5E+3").to_string(), "1500");
        assert_eq!(d("-.5").to_string(), "-0.5");
        assert_eq!(d("1E-7").to_string(), "0.0000001");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1,000", "NaN", "inf", "1e", "1e99999", " 1", "1 ", "--1", "0x1", "1.2.3"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!("1".repeat(35).parse::<Decimal>(), Err(Error::Digits));
        assert_eq!("1e6200".parse::<Decimal>(), Err(Error::Exponent));
    }

    #[test]
    fn values_compare_across_exponents() {
        let ascending =
            ["-1E+6000", "-10", "-9.10", "-0.1", "0", "1E-6000", "9.0999", "9.1", "1E+30", "9E+6000"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(d(a).compare(d(b)), i.cmp(&j), "{a} {b}");
            }
        }
        assert!(d("9.10").same_value(d("9.1")) && d("9.10") != d("9.1"));
        assert_eq!(d("100").normalized(), Decimal::new(1, 2).unwrap());
        assert_eq!(d("0.00").normalized(), Decimal::ZERO);
    }

    #[test]
    fn wide_coefficients_have_one_form() {
        for value in
            [1_i128 << 63, -(1_i128 << 63) - 1, COEFFICIENT_LIMIT - 1, 1 - COEFFICIENT_LIMIT, 1 << 71]
        {
            let bytes = wide_bytes(value);
            assert_eq!(wide_value(&bytes), Some(value));
            let mut longer = vec![if value < 0 { 0xff } else { 0 }];
            longer.extend(&bytes);
            assert_eq!(wide_value(&longer), None);
        }
        assert_eq!(wide_value(&[1]), None, "fits 64 bits, so it must be an integer");
    }
}

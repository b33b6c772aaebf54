//! Exact decimal numbers as published: a coefficient and a power of ten.
//!
//! `9.1` is `[91, -1]` and `9.10` is `[910, -2]`: the digits that the source wrote are kept. The
//! type holds values and compares them; arithmetic is part of the engine (`node/vtl`).
//! It refuses more than [`DIGITS_MAX`] digits, infinities, NaN and negative zero.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::digits;
use crate::limits::{DIGITS_MAX, EXPONENT_MAX, EXPONENT_MIN, NUMBER_BYTES_MAX};

/// One more than the largest coefficient: 10^34.
pub const COEFFICIENT_LIMIT: i128 = 10_i128.pow(DIGITS_MAX);

/// A decimal of at most 34 digits: `coefficient × 10^exponent`.
///
/// `==` and `Hash` tell representations apart (`9.1 != 9.10`), because an id is made over the
/// representation; [`Decimal::compare`] and [`Decimal::same_value`] compare values.
///
/// Sixteen bytes, with or without `Option`: columns of millions are read at the speed of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// From the top: the sign, the exponent counted from 1, the high digits.
    ///
    /// INVARIANT: the exponent so counted is at least 1, so the word is never zero; zero has no
    /// sign, so a value has one form.
    high: NonZeroU64,
    /// The low 64 bits of the magnitude.
    low: u64,
}

const _: () = assert!(size_of::<Option<Decimal>>() == 16);
const _: () = assert!(COEFFICIENT_LIMIT >> (64 + HIGH_BITS) == 0);
const _: () = assert!(EXPONENT_MAX + BIAS < 1 << 14 && EXPONENT_MIN + BIAS == 1);

/// Bits of the magnitude in the high word; 14 of the exponent and the sign are above.
const HIGH_BITS: u32 = 49;
/// Added to an exponent to count it from 1.
const BIAS: i32 = 1 - EXPONENT_MIN;

/// Rejection of a text or pair that should be a [`Decimal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not a decimal number.
    #[error("`{0}` is not a number")]
    Syntax(String),
    /// More significant digits than a decimal128.
    #[error("more than {DIGITS_MAX} digits")]
    Digits,
    /// The exponent is outside `EXPONENT_MIN..=EXPONENT_MAX`.
    #[error("exponent outside {EXPONENT_MIN}..={EXPONENT_MAX}")]
    Exponent,
}

impl Decimal {
    /// Zero with no decimals.
    pub const ZERO: Decimal = Decimal::pack_unchecked(false, 0, 0);

    /// The decimal `coefficient × 10^exponent`.
    ///
    /// # Errors
    /// [`Error::Digits`] and [`Error::Exponent`] when a part is out of range.
    #[inline]
    pub fn new(coefficient: i128, exponent: i32) -> Result<Self, Error> {
        Self::from_magnitude(coefficient < 0, coefficient.unsigned_abs(), exponent)
    }

    /// The decimal `±magnitude × 10^exponent`; the sign of zero is dropped.
    ///
    /// # Errors
    /// As [`Decimal::new`].
    #[inline]
    pub fn from_magnitude(negative: bool, magnitude: u128, exponent: i32) -> Result<Self, Error> {
        if magnitude >= COEFFICIENT_LIMIT.unsigned_abs() {
            return Err(Error::Digits);
        }
        if !(EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent) {
            return Err(Error::Exponent);
        }
        Ok(Self::pack_unchecked(negative && magnitude != 0, magnitude, exponent))
    }

    /// INVARIANT: callers have checked the ranges, and zero is not negative.
    const fn pack_unchecked(negative: bool, magnitude: u128, exponent: i32) -> Self {
        let counted = (exponent + BIAS) as u64;
        let high = ((negative as u64) << 63) | (counted << HIGH_BITS) | (magnitude >> 64) as u64;
        // INVARIANT: `counted` is at least 1, so the word is not zero and `None` is never taken.
        let high = match NonZeroU64::new(high) {
            Some(high) => high,
            None => NonZeroU64::MIN,
        };
        Self { high, low: magnitude as u64 }
    }

    /// The digits, with sign.
    #[inline]
    pub fn coefficient(self) -> i128 {
        // INVARIANT: a magnitude has at most 113 bits.
        let magnitude = self.magnitude() as i128;
        if self.is_negative() { -magnitude } else { magnitude }
    }

    /// The digits, without sign.
    #[inline]
    pub fn magnitude(self) -> u128 {
        let high = self.high.get() & ((1 << HIGH_BITS) - 1);
        (u128::from(high) << 64) | u128::from(self.low)
    }

    /// Whether the value is below zero.
    #[inline]
    pub fn is_negative(self) -> bool {
        self.high.get() >> 63 != 0
    }

    /// The power of ten of the last digit.
    #[inline]
    pub fn exponent(self) -> i32 {
        ((self.high.get() << 1) >> (HIGH_BITS + 1)) as i32 - BIAS
    }

    /// The value with the other sign; zero stays zero.
    #[inline]
    pub fn negated(self) -> Self {
        if self.is_zero() {
            return self;
        }
        let flipped = NonZeroU64::new(self.high.get() ^ (1 << 63));
        Self { high: flipped.unwrap_or(self.high), low: self.low }
    }

    /// Whether the value is zero.
    #[inline]
    pub fn is_zero(self) -> bool {
        self.low == 0 && self.high.get() << (64 - HIGH_BITS) == 0
    }

    /// Digits after the decimal point (0 for integers).
    pub fn decimal_places(self) -> u32 {
        self.exponent().min(0).unsigned_abs()
    }

    /// The one representation of this value without trailing zeros; zero is `[0, 0]`.
    #[inline]
    pub fn normalized(self) -> Self {
        // A multiple of ten is even, so odd values need no division.
        if self.low & 1 == 1 { self } else { self.strip_zeros() }
    }

    fn strip_zeros(self) -> Self {
        if self.is_zero() {
            return Self::ZERO;
        }
        let most = (EXPONENT_MAX - self.exponent()).unsigned_abs();
        let (magnitude, zeros) = digits::strip_zeros(self.magnitude(), most);
        Self::pack_unchecked(self.is_negative(), magnitude, self.exponent() + zeros as i32)
    }

    /// Whether both have the same value, regardless of trailing zeros.
    pub fn same_value(self, other: Self) -> bool {
        self.compare(other) == Ordering::Equal
    }

    /// Order by value.
    pub fn compare(self, other: Self) -> Ordering {
        if self.exponent() == other.exponent() {
            return self.coefficient().cmp(&other.coefficient());
        }
        // Signs first: zero has no leading digit, so `compare_magnitude` must not see it.
        match self.signum().cmp(&other.signum()) {
            Ordering::Equal if self.is_zero() => Ordering::Equal,
            Ordering::Equal => {
                let magnitudes = compare_magnitude(self, other);
                if self.is_negative() { magnitudes.reverse() } else { magnitudes }
            }
            unequal => unequal,
        }
    }

    fn signum(self) -> i32 {
        if self.is_zero() { 0 } else { 1 - 2 * i32::from(self.is_negative()) }
    }

    /// Number of significant digits of the coefficient (1 for zero).
    #[inline]
    pub fn digit_count(self) -> u32 {
        digits::count_digits(self.magnitude()).max(1)
    }

    /// Appends the plain notation with every digit kept; `[1, 2]` is `100`. Scientific beyond 40
    /// zeros.
    pub fn write_to(self, out: &mut Vec<u8>) {
        if self.is_negative() {
            out.push(b'-');
        }
        let after = self.exponent();
        // Bounds the text: the few bytes of `1E+6000` must not write thousands of zeros.
        if after > WRITTEN_ZEROS_MAX || after < -(WRITTEN_ZEROS_MAX + DIGITS_MAX as i32) {
            digits::write_digits(self.magnitude(), 1, out);
            out.push(b'E');
            out.push(if after < 0 { b'-' } else { b'+' });
            return digits::write_digits(after.unsigned_abs().into(), 1, out);
        }
        if after >= 0 {
            digits::write_digits(self.magnitude(), 1, out);
            let zeros = if self.is_zero() { 0 } else { after as usize };
            return out.resize(out.len() + zeros, b'0');
        }
        let places = after.unsigned_abs() as usize;
        let unit = u64::try_from(digits::power_of_ten(after.unsigned_abs()));
        // Division of 64-bit words is cheaper than of 128 bits, and most published numbers fit.
        if let (Ok(value), Ok(unit)) = (u64::try_from(self.magnitude()), unit) {
            digits::write_word(value / unit, 1, out);
            out.push(b'.');
            return digits::write_word(value % unit, places, out);
        }
        digits::write_digits(self.magnitude(), places + 1, out);
        out.insert(out.len() - places, b'.');
    }
}

/// Orders two non-zero decimals by magnitude.
fn compare_magnitude(a: Decimal, b: Decimal) -> Ordering {
    // Unequal leading positions decide alone: 1E+6000 is never scaled to meet 1E-6000.
    let top = |d: Decimal| i64::from(d.exponent()) + i64::from(d.digit_count());
    top(a).cmp(&top(b)).then_with(|| {
        // INVARIANT: equal leading positions and at most 34 digits each, so the exponents differ
        // by less than 34 and the aligned coefficient stays below 10^34.
        let (mut x, mut y) = (a.magnitude(), b.magnitude());
        let gap = a.exponent().abs_diff(b.exponent()).min(DIGITS_MAX);
        let scale = digits::power_of_ten(gap);
        if a.exponent() > b.exponent() {
            x *= scale
        } else {
            y *= scale
        }
        x.cmp(&y)
    })
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::pack_unchecked(value < 0, value.unsigned_abs().into(), 0)
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Reads `-12.50`, `.5`, `7.`, `1.5E+3`. No spaces, no thousands separators, no `NaN`.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_ascii(text.as_bytes())
    }
}

impl Decimal {
    /// As [`Decimal::from_str`], from bytes.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn from_ascii(text: &[u8]) -> Result<Self, Error> {
        match Self::from_plain(text) {
            Some(decimal) => Ok(decimal),
            None => parse_decimal(text).map_err(|error| error.unwrap_or_else(|| syntax_error(text))),
        }
    }

    /// Fast path for common numbers: an optional minus, up to eighteen digits, an optional point. `None`
    /// does not mean that the text is invalid: [`Decimal::from_ascii`] reads other spellings as well.
    #[inline]
    pub fn from_plain(text: &[u8]) -> Option<Decimal> {
        if text.len() > PLAIN_BYTES_MAX {
            return None;
        }
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if (WORD_BYTES_MIN..=WORD_BYTES_MAX).contains(&rest.len()) {
            let (value, decimals) = read_word(rest)?;
            return Some(Decimal::pack_unchecked(negative && value != 0, value.into(), -decimals));
        }
        let (mut value, mut digits, mut whole) = (0_u64, 0, None);
        for &byte in rest {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                // May wrap at 20 digits; `fits` refuses more than 18 below.
                value = value.wrapping_mul(10).wrapping_add(digit.into());
                digits += 1;
            } else if byte == b'.' && whole.is_none() {
                whole = Some(digits);
            } else {
                return None;
            }
        }
        let decimals = whole.map_or(0, |whole| digits - whole);
        let fits = (1..=18).contains(&digits);
        fits.then(|| Decimal::pack_unchecked(negative && value != 0, value.into(), -decimals))
    }
}

/// Characters of a number that is read in one word.
const WORD_BYTES_MAX: usize = 8;
/// Fewer are not read in two halves.
const WORD_BYTES_MIN: usize = 4;

/// Parses such a number, all bytes at once: the digits, and how many follow the point.
#[inline]
fn read_word(text: &[u8]) -> Option<(u64, i32)> {
    const ONES: u64 = u64::MAX / 0xff;
    let (head, tail) = (text.first_chunk::<4>()?, text.last_chunk::<4>()?);
    // Halves that overlap have the same bytes there.
    let tail = u64::from(u32::from_le_bytes(*tail)) << (8 * (text.len() - 4));
    let text_word = u64::from(u32::from_le_bytes(*head)) | tail;
    // A byte is zero where the text has a point; the next line sets the top bit of exactly those.
    let other = text_word ^ (ONES * u64::from(b'.'));
    let points = !(((other & (ONES * 0x7f)) + ONES * 0x7f) | other | (ONES * 0x7f));
    let (digits, count, decimals) = match points {
        0 => (text_word, text.len(), 0),
        _ => {
            let at = points.trailing_zeros() as usize / 8;
            let before = (1 << (8 * at)) - 1;
            let count = text.len() - 1;
            ((text_word & before) | ((text_word >> 8) & !before), count, count - at)
        }
    };
    // Zeros in front, the last digit in the highest byte.
    let gap = 8 * (WORD_BYTES_MAX - count);
    let values = (digits ^ ((ONES * u64::from(b'0')) >> gap)) << gap;
    // Adding 0x76 sets the top bit of any byte above 9: a letter, a sign or a second point.
    if (values.wrapping_add(ONES * 0x76) | values) & (ONES * 0x80) != 0 {
        return None;
    }
    // Neighbours join: digits to pairs, pairs to fours, fours to the whole.
    let pairs = (values * 10 + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let whole = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    Some((whole, decimals as i32))
}

/// Characters of a number whose digits surely fit 64 bits.
const PLAIN_BYTES_MAX: usize = 20;

fn syntax_error(text: &[u8]) -> Error {
    Error::Syntax(String::from_utf8_lossy(text).chars().take(40).collect())
}

/// Parses any spelling; `Err(None)` is a syntax error.
fn parse_decimal(text: &[u8]) -> Result<Decimal, Option<Error>> {
    // Keeps `zeros` and `decimals` far from overflow, whatever the text.
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
    let mut zeros: u32 = 0;
    let mut bytes = rest.iter();
    let mut exponent: i32 = 0;
    while let Some(&byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                // INVARIANT: `coefficient` is below 10^34, so ten times it stays far below 2^127.
                let longer = coefficient * 10 + i128::from(byte - b'0');
                if longer < COEFFICIENT_LIMIT && zeros == 0 {
                    coefficient = longer;
                    decimals += i32::from(seen_point);
                } else if byte == b'0' {
                    // Numbers are written with zeros behind their 34 digits, and read so.
                    zeros += 1;
                    decimals -= i32::from(!seen_point);
                } else {
                    return Err(Some(Error::Digits));
                }
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
/// Bytes that hold any number as it is written: a sign, a point, 34 digits and 40 zeros.
const WRITTEN_BYTES: usize = 80;

impl fmt::Display for Decimal {
    /// As [`Decimal::write_to`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(WRITTEN_BYTES);
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.coefficient(), self.exponent())
    }
}

impl Serialize for Decimal {
    /// `[int / bytes, int]`: the coefficient is a byte string (two's complement, big endian,
    /// shortest) only when it does not fit 64 bits. Text in human-readable formats.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let mut pair = serializer.serialize_tuple(2)?;
        match i64::try_from(self.coefficient()) {
            Ok(small) => pair.serialize_element(&small)?,
            Err(_) => pair.serialize_element(serde_bytes::Bytes::new(&wide_bytes(self.coefficient())))?,
        }
        pair.serialize_element(&self.exponent())?;
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

/// Inverse of [`wide_bytes`]; `None` for other lengths and spellings.
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
struct WireCoefficient(i128);

impl<'de> Deserialize<'de> for WireCoefficient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = WireCoefficient;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer or a byte string")
            }
            fn visit_i64<E>(self, value: i64) -> Result<WireCoefficient, E> {
                Ok(WireCoefficient(value.into()))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<WireCoefficient, E> {
                i64::try_from(value)
                    .map(|value| WireCoefficient(value.into()))
                    .map_err(|_| E::custom("a coefficient beyond 64 bits is a byte string"))
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<WireCoefficient, E> {
                wide_value(bytes)
                    .map(WireCoefficient)
                    .ok_or_else(|| E::custom("a coefficient that is not in its shortest form"))
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
                let WireCoefficient(coefficient) = seq.next_element()?.ok_or_else(missing)?;
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
    fn plain_numbers_are_read_as_all_are() {
        let characters = ["0", "7", "9", ".", "-", "+", "e", "/", ":", "\u{e9}", " "];
        let digits = ["", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789"];
        let mut texts: Vec<String> = digits.map(str::to_owned).to_vec();
        for (length, digits) in digits.iter().enumerate() {
            for (at, text) in (0..=length).flat_map(|at| characters.map(|character| (at, character))) {
                let (before, after) = digits.split_at(at);
                texts.push(format!("{before}{text}{after}"));
                texts.push(format!("-{before}{text}{after}.5"));
                texts.push(format!("{before}{text}.{after}"));
            }
        }
        let mut plain = 0;
        for text in &texts {
            let slow = parse_decimal(text.as_bytes()).ok();
            match Decimal::from_plain(text.as_bytes()) {
                None => {
                    assert!(slow.is_none() || text.starts_with('+') || text.contains('e'), "{text}");
                }
                fast => {
                    assert_eq!(fast, slow, "{text}");
                    plain += 1;
                }
            }
        }
        assert!(plain > 100);
    }

    #[test]
    fn sixteen_bytes_hold_every_part() {
        let coefficients = [0, 1, -1, 10, i128::from(u64::MAX), 1 << 64, -(1 << 64), COEFFICIENT_LIMIT - 1];
        for coefficient in coefficients.into_iter().flat_map(|c| [c, -c]) {
            for exponent in [EXPONENT_MIN, -34, -1, 0, 1, EXPONENT_MAX] {
                let decimal = Decimal::new(coefficient, exponent).unwrap();
                assert_eq!((decimal.coefficient(), decimal.exponent()), (coefficient, exponent));
                assert_eq!(decimal.is_zero(), coefficient == 0);
                assert_eq!(decimal.negated(), Decimal::new(-coefficient, exponent).unwrap());
                assert_eq!(decimal.digit_count(), coefficient.unsigned_abs().to_string().len() as u32);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1,000", "NaN", "inf", "1e", "1e99999", " 1", "1 ", "--1", "0x1", "1.2.3"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!("1".repeat(35).parse::<Decimal>(), Err(Error::Digits));
        for text in ["3E+40", "-1234567890123456789012345678901234E+40", "9E+33"] {
            let number: Decimal = text.parse().unwrap();
            let again: Decimal = number.to_string().parse().unwrap();
            assert_eq!(again.normalized(), number.normalized(), "what is written can be read: {number}");
        }
        assert_eq!(format!("{}.1", "10".repeat(20)).parse::<Decimal>(), Err(Error::Digits));
        assert_eq!(format!("2.{}", "0".repeat(40)).parse::<Decimal>().map(Decimal::normalized), "2".parse());
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

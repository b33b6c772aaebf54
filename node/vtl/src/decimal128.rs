//! Arithmetic of `number`: IEEE 754-2008 decimal128 (table 3.6: 34 digits) in the rounding mode
//! `roundTiesToEven` (4.3.1).
//!
//! Owns every operation on [`Decimal`] values. Each operation is correctly rounded, once, and its
//! result is normalised: trailing zeros are stripped and zero is `[0, 0]`, so a value has exactly
//! one representation. Departures from the standard: no NaN, no infinity, no negative zero.
//! Overflow (7.4) is [`Error::Overflow`]; underflow (7.5) rounds to the nearest multiple of
//! 10^[`EXPONENT_MIN`]. Nothing here uses binary floating point.

mod big_decimal;
mod constants;
mod correct_rounding;
mod exact_power;
mod exponential;
mod fixed_point;
mod logarithm;
mod power;
mod round;
mod sqrt;
mod sum;
mod u256;
mod variance;

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::digits::{self, power_of_ten as pow10};
use schemas::limits::{DIGITS_MAX, EXPONENT_MAX, EXPONENT_MIN};

pub use exponential::exp;
pub use logarithm::{ln, log};
pub use power::power;
pub use round::{ceil, floor, round, trunc};
pub use sqrt::sqrt;
pub use sum::ExactSum;
use u256::U256;
pub use variance::ExactVariance;

/// Reason why an operation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The result is beyond the range of decimal128 (or of a 64-bit integer).
    #[error("the result is too large for a number")]
    Overflow,
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// The operand lies outside the domain, such as the root of a negative number.
    #[error("the operation has no result for this number")]
    Domain,
    /// A number with a fraction where an integer is required.
    #[error("the number is not an integer")]
    NotInteger,
}

/// Largest coefficient plus one: 10^34.
const COEFFICIENT_LIMIT: u128 = 10_u128.pow(DIGITS_MAX);

/// Returns the sum, rounded once (IEEE 754-2008, 5.4.1).
///
/// # Errors
/// [`Error::Overflow`].
pub fn add(a: Decimal, b: Decimal) -> Result<Decimal, Error> {
    if let Some((sum, exponent)) = small_sum(a, b) {
        return round_signed(sum, exponent);
    }
    if a.exponent() == b.exponent() {
        // INVARIANT: both coefficients are below 10^34, so the sum fits 128 bits.
        return round_signed(a.coefficient() + b.coefficient(), a.exponent());
    }
    let (high, low) = if a.exponent() > b.exponent() { (a, b) } else { (b, a) };
    if high.is_zero() {
        return round_signed(low.coefficient(), low.exponent());
    }
    if low.is_zero() {
        return round_signed(high.coefficient(), high.exponent());
    }
    let gap = high.exponent().abs_diff(low.exponent());
    // Three ways, by the digits of the aligned operand: 128 bits, 256 bits, or a sticky unit.
    if high.digit_count() + gap <= SMALL_DIGITS {
        let scaled = high.coefficient() * pow10(gap) as i128;
        return round_signed(scaled + low.coefficient(), low.exponent());
    }
    if high.digit_count() + gap <= WIDE_DIGITS {
        return add_wide(high, low, gap);
    }
    add_far(high, low)
}

/// Returns the exact sum of two 64-bit coefficients whose exponents differ by at most
/// [`WORD_DIGITS`].
///
/// The code has no branch on signs or on the order of the exponents: both are close to random in
/// real data, and a mispredicted branch costs more than the addition.
#[inline]
fn small_sum(a: Decimal, b: Decimal) -> Option<(i128, i32)> {
    let exponent = a.exponent().min(b.exponent());
    let (up, other) = (a.exponent().abs_diff(exponent), b.exponent().abs_diff(exponent));
    if (a.magnitude() | b.magnitude()) >> 64 != 0 || up + other > WORD_DIGITS {
        return None;
    }
    // INVARIANT: 64 bits times 10^18 leave room in 128 bits for one addition.
    let aligned = |value: Decimal, gap: u32| {
        let magnitude = u128::from(value.magnitude() as u64) * u128::from(pow10(gap) as u64);
        let sign = -i128::from(value.is_negative());
        (magnitude as i128 ^ sign) - sign
    };
    Some((aligned(a, up) + aligned(b, other), exponent))
}

/// Digits of the largest power of ten that fits a signed 64-bit integer.
const WORD_DIGITS: u32 = 18;

/// Digits of an aligned operand that leave room in 128 bits for one addition.
const SMALL_DIGITS: u32 = 37;
/// Digits of an aligned operand that leave room in 256 bits for one addition.
const WIDE_DIGITS: u32 = 75;
/// Digits to which the large operand is scaled before a negligible one becomes a sticky unit: 34, a
/// guard digit and two to spare.
const FAR_DIGITS: u32 = 37;

/// Adds two operands aligned in 256 bits.
fn add_wide(high: Decimal, low: Decimal, gap: u32) -> Result<Decimal, Error> {
    let mut scaled = U256::from(high.coefficient().unsigned_abs());
    scaled = scaled.times_pow10(gap);
    let small = U256::from(low.coefficient().unsigned_abs());
    let (sign, other) = (high.coefficient() < 0, low.coefficient() < 0);
    if sign == other {
        return round_wide(sign, scaled.plus(small), low.exponent().into(), false);
    }
    match scaled.cmp(&small) {
        Ordering::Less => round_wide(other, small.minus(scaled), low.exponent().into(), false),
        _ => round_wide(sign, scaled.minus(small), low.exponent().into(), false),
    }
}

/// Adds an operand that lies below the last guard digit of the other: only its sign matters.
fn add_far(high: Decimal, low: Decimal) -> Result<Decimal, Error> {
    let shift = FAR_DIGITS.saturating_sub(high.digit_count());
    let scaled = high.coefficient().unsigned_abs() * pow10(shift);
    let same = (high.coefficient() < 0) == (low.coefficient() < 0);
    // `round_wide` expects a sticky value between the magnitude and the next integer, so a
    // subtraction starts one unit lower.
    let scaled = if same { scaled } else { scaled - 1 };
    round_wide(high.coefficient() < 0, scaled.into(), i64::from(high.exponent()) - i64::from(shift), true)
}

/// Returns the difference, rounded once.
///
/// # Errors
/// [`Error::Overflow`].
pub fn sub(a: Decimal, b: Decimal) -> Result<Decimal, Error> {
    add(a, negate(b))
}

/// Returns the value with the opposite sign; zero stays zero.
pub fn negate(a: Decimal) -> Decimal {
    a.negated()
}

/// Returns the magnitude.
pub fn abs(a: Decimal) -> Decimal {
    if a.is_negative() { a.negated() } else { a }
}

/// Returns the product, rounded once.
///
/// # Errors
/// [`Error::Overflow`].
pub fn mul(a: Decimal, b: Decimal) -> Result<Decimal, Error> {
    let exponent = i64::from(a.exponent()) + i64::from(b.exponent());
    let negative = a.is_negative() != b.is_negative();
    let (x, y) = (a.magnitude(), b.magnitude());
    if (x | y) >> 64 == 0 {
        return round_small(negative, u128::from(x as u64) * u128::from(y as u64), exponent, false);
    }
    match x.checked_mul(y) {
        Some(product) => round_small(negative, product, exponent, false),
        None => round_wide(negative, U256::product(x, y), exponent, false),
    }
}

/// Returns the quotient, rounded once.
///
/// # Errors
/// [`Error::DivisionByZero`] when `b` is zero, [`Error::Overflow`].
pub fn div(a: Decimal, b: Decimal) -> Result<Decimal, Error> {
    if b.is_zero() {
        return Err(Error::DivisionByZero);
    }
    if a.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let exponent = i64::from(a.exponent()) - i64::from(b.exponent());
    let negative = a.is_negative() != b.is_negative();
    if let (Ok(x), Ok(y)) = (u64::try_from(a.magnitude()), u64::try_from(b.magnitude()))
        && let Some(quotient) = divide_short(negative, x, y, exponent)
    {
        return Ok(quotient);
    }
    divide_long(negative, a, b, exponent)
}

/// Returns the quotient of two 64-bit coefficients when its exponent is in `EXPONENT_MIN..=0`.
///
/// The dividend is scaled so that the quotient has exactly 34 digits; the remainder alone then
/// decides the rounding.
fn divide_short(negative: bool, x: u64, y: u64, exponent: i64) -> Option<Decimal> {
    let (x_digits, y_digits) = (digits::count_digits(x.into()), digits::count_digits(y.into()));
    // The quotient has one digit more when the leading digits of `x` reach those of `y`.
    let aligned_x = u128::from(x) * pow10(y_digits.saturating_sub(x_digits));
    let aligned_y = u128::from(y) * pow10(x_digits.saturating_sub(y_digits));
    let scale = DIGITS_MAX + y_digits - x_digits - u32::from(aligned_x >= aligned_y);
    if scale > SMALL_DIGITS {
        return None;
    }
    // INVARIANT: the quotient has 34 digits, so it fits 113 bits, and each digit of the long
    // division in base 2^64 fits 64 bits.
    let (factor, divisor) = (pow10(scale), u128::from(y));
    let low = u128::from(x) * (factor & WORD);
    let high = u128::from(x) * (factor >> 64) + (low >> 64);
    let top = high / divisor;
    let middle = ((high - top * divisor) << 64) | (low & WORD);
    let bottom = middle / divisor;
    let (quotient, rest) = ((top << 64) | bottom, middle - bottom * divisor);
    let exponent = exponent - i64::from(scale);
    let up = match (2 * rest).cmp(&divisor) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => quotient & 1 == 1,
    };
    let plain = (i64::from(EXPONENT_MIN)..=0).contains(&exponent);
    plain.then(|| pack_decimal(negative, quotient + u128::from(up), exponent).ok()).flatten()
}

/// Mask of the low 64-bit word.
const WORD: u128 = (1 << 64) - 1;

/// Long division that produces several digits a step.
fn divide_long(negative: bool, a: Decimal, b: Decimal, exponent: i64) -> Result<Decimal, Error> {
    let (mut rest, divisor, mut exponent) = (a.magnitude(), b.magnitude(), exponent);
    let mut quotient = rest / divisor;
    rest -= quotient * divisor;
    // The remainder is below the divisor, so scaling it by this many digits stays within 128 bits.
    let step = SMALL_DIGITS - b.digit_count();
    let mut wanted = (QUOTIENT_DIGITS + b.digit_count()).saturating_sub(a.digit_count());
    while wanted > 0 && rest != 0 {
        let digits = step.min(wanted);
        let scaled = rest * pow10(digits);
        let more = scaled / divisor;
        quotient = quotient * pow10(digits) + more;
        rest = scaled - more * divisor;
        exponent -= i64::from(digits);
        wanted -= digits;
    }
    round_small(negative, quotient, exponent, rest != 0)
}

/// Digits of a quotient before rounding: 34, a guard digit, and one that the estimate may lack.
const QUOTIENT_DIGITS: u32 = 36;

/// Returns the remainder with the sign of the divisor; `a` when `b` is zero (reference manual,
/// "Modulo").
///
/// # Errors
/// [`Error::Overflow`].
pub fn modulo(a: Decimal, b: Decimal) -> Result<Decimal, Error> {
    if b.is_zero() {
        return Ok(a.normalized());
    }
    let rest = truncated_remainder(a, b);
    if rest.is_zero() || (rest.coefficient() < 0) == (b.coefficient() < 0) {
        return Ok(rest.normalized());
    }
    add(rest, b)
}

/// Returns the exact remainder of truncated division, with the sign of `a`.
fn truncated_remainder(a: Decimal, b: Decimal) -> Decimal {
    let (x, y) = (a.coefficient().unsigned_abs(), b.coefficient().unsigned_abs());
    let gap = a.exponent().abs_diff(b.exponent());
    let (rest, exponent) = if a.exponent() < b.exponent() {
        // The scaled divisor has more digits than the dividend: the quotient is zero.
        if gap + b.digit_count() > a.digit_count() {
            return a;
        }
        (x % (y * pow10(gap)), a.exponent())
    } else {
        let step = SMALL_DIGITS - b.digit_count();
        let (mut rest, mut left) = (x % y, gap);
        while left > 0 && rest != 0 {
            let digits = step.min(left);
            rest = rest * pow10(digits) % y;
            left -= digits;
        }
        (rest, b.exponent())
    };
    let signed = if a.coefficient() < 0 { -(rest as i128) } else { rest as i128 };
    Decimal::new(signed, exponent).unwrap_or(Decimal::ZERO)
}

/// Rounds and normalises a signed 128-bit coefficient.
fn round_signed(coefficient: i128, exponent: i32) -> Result<Decimal, Error> {
    round_small(coefficient < 0, coefficient.unsigned_abs(), exponent.into(), false)
}

/// [`round_wide`] for a magnitude that fits 128 bits: the fast path of almost every operation.
#[inline]
fn round_small(negative: bool, magnitude: u128, exponent: i64, sticky: bool) -> Result<Decimal, Error> {
    if exponent < i64::from(EXPONENT_MIN) || sticky {
        return round_wide(negative, magnitude.into(), exponent, sticky);
    }
    if magnitude < COEFFICIENT_LIMIT {
        return pack_decimal(negative, magnitude, exponent);
    }
    // INVARIANT: 128 bits hold at most 39 digits, so at most five are dropped and the unit is below
    // 2^32.
    let drop = digits::count_digits(magnitude) - DIGITS_MAX;
    let unit = pow10(drop) as u64;
    let (kept, rest) = divide_by_word(magnitude, unit);
    let up = 2 * rest > unit || (2 * rest == unit && kept & 1 == 1);
    pack_decimal(negative, kept + u128::from(up), exponent + i64::from(drop))
}

/// Returns quotient and remainder by a divisor below 2^32.
///
/// Three 64-bit divisions are several times faster than one of 128 bits.
fn divide_by_word(value: u128, divisor: u64) -> (u128, u64) {
    let (high, low) = ((value >> 64) as u64, value as u64);
    let middle = ((high % divisor) << 32) | (low >> 32);
    let last = ((middle % divisor) << 32) | (low & u64::from(u32::MAX));
    let quotient = (u128::from(high / divisor) << 64)
        | (u128::from(middle / divisor) << 32)
        | u128::from(last / divisor);
    (quotient, last % divisor)
}

/// Rounds `magnitude × 10^exponent` to a decimal128.
///
/// `sticky` means that the exact value lies strictly between `magnitude` and `magnitude + 1`.
fn round_wide(negative: bool, magnitude: U256, exponent: i64, sticky: bool) -> Result<Decimal, Error> {
    if magnitude.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let digits = i64::from(magnitude.decimal_digits());
    // One rounding serves both bounds: 34 digits, and subnormal exponents (IEEE 754-2008, 7.5).
    let precision = digits - i64::from(DIGITS_MAX);
    let range = i64::from(EXPONENT_MIN) - exponent;
    let drop = precision.max(range).max(0);
    if drop > digits {
        return Ok(Decimal::ZERO);
    }
    // INVARIANT: 0 <= drop <= digits <= 77.
    let (mut kept, up) = magnitude.drop_digits(drop as u32, sticky);
    kept += u128::from(up);
    pack_decimal(negative, kept, exponent + drop)
}

/// Strips trailing zeros and brings the exponent into range: normalisation of a rounded result.
#[inline]
fn pack_decimal(negative: bool, magnitude: u128, exponent: i64) -> Result<Decimal, Error> {
    // Only one value in ten ends in zero, so this branch predicts well; a test for evenness first
    // would not.
    let ends = match u64::try_from(magnitude) {
        Ok(small) => small.is_multiple_of(10),
        Err(_) => digits::ends_in_zero(magnitude),
    };
    if !ends && exponent <= i64::from(EXPONENT_MAX) {
        return Decimal::from_magnitude(negative, magnitude, exponent as i32).map_err(|_| Error::Overflow);
    }
    strip_zeros(negative, magnitude, exponent)
}

/// [`pack_decimal`] for a magnitude that ends in zeros, or whose exponent is too large but may be
/// lowered by appending zeros.
fn strip_zeros(negative: bool, magnitude: u128, exponent: i64) -> Result<Decimal, Error> {
    if magnitude == 0 {
        return Ok(Decimal::ZERO);
    }
    let (mut magnitude, zeros) = digits::strip_zeros(magnitude, u32::MAX);
    let mut exponent = exponent + i64::from(zeros);
    let over = exponent - i64::from(EXPONENT_MAX);
    if over > 0 {
        let over = u32::try_from(over).ok().filter(|over| *over < DIGITS_MAX).ok_or(Error::Overflow)?;
        magnitude = magnitude.checked_mul(pow10(over)).ok_or(Error::Overflow)?;
        exponent = EXPONENT_MAX.into();
    }
    let exponent = i32::try_from(exponent).map_err(|_| Error::Overflow)?;
    Decimal::from_magnitude(negative, magnitude, exponent).map_err(|_| Error::Overflow)
}

/// Returns the value as a 64-bit integer.
///
/// # Errors
/// [`Error::Overflow`] when it is out of range, [`Error::NotInteger`] when it has a fraction.
pub fn to_integer(a: Decimal) -> Result<i64, Error> {
    let a = a.normalized();
    let exponent = u32::try_from(a.exponent()).map_err(|_| Error::NotInteger)?;
    if a.digit_count() + exponent > SMALL_DIGITS {
        return Err(Error::Overflow);
    }
    i64::try_from(a.coefficient() * pow10(exponent) as i128).map_err(|_| Error::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn results_are_normalised() {
        assert_eq!(add(d("1.10"), d("0.90")).unwrap(), d("2"));
        assert_eq!(sub(d("9.10"), d("9.1")).unwrap(), Decimal::ZERO);
        assert_eq!(mul(d("2.5"), d("4")).unwrap(), Decimal::new(1, 1).unwrap());
        assert_eq!(div(d("1"), d("8")).unwrap(), d("0.125"));
        assert_eq!(mul(d("-0.0"), d("5")).unwrap(), Decimal::ZERO);
    }

    #[test]
    fn ties_round_to_even_and_a_sticky_unit_breaks_ties() {
        let tie = d("1000000000000000000000000000000000");
        assert_eq!(add(tie, d("0.5")).unwrap(), tie.normalized());
        let odd = d("1000000000000000000000000000000001");
        assert_eq!(add(odd, d("0.5")).unwrap(), d("1000000000000000000000000000000002"));
        assert_eq!(add(d("1"), d("1E-6000")).unwrap(), d("1"));
        assert_eq!(sub(d("1"), d("1E-6000")).unwrap(), d("1"));
        assert_eq!(sub(d("1"), d("9E-35")).unwrap(), d("0.9999999999999999999999999999999999"));
    }

    #[test]
    fn short_and_long_division_agree() {
        let mut seed = 88_172_645_463_325_252_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..20_000 {
            let (x, y) = (next() >> (next() % 63), (next() >> (next() % 63)).max(1));
            let exponent = (next() % 50) as i32 - 25;
            let a = Decimal::new(x.into(), exponent).unwrap();
            let b = Decimal::from_magnitude(next() % 2 == 0, y.into(), -3).unwrap();
            if x != 0 {
                let long = divide_long(b.is_negative(), a, b, i64::from(exponent) + 3);
                assert_eq!(div(a, b), long, "{a:?} / {b:?}");
            }
        }
    }

    #[test]
    fn overflow_is_an_error_and_underflow_is_zero() {
        let largest = Decimal::new(10_i128.pow(34) - 1, EXPONENT_MAX).unwrap();
        assert_eq!(add(largest, largest), Err(Error::Overflow));
        assert_eq!(mul(d("1E+6000"), d("1E+6000")), Err(Error::Overflow));
        assert_eq!(mul(d("1E-6000"), d("1E-6000")), Ok(Decimal::ZERO));
        assert_eq!(div(d("1"), Decimal::ZERO), Err(Error::DivisionByZero));
        let top = mul(d("1E+6111"), d("1E+33")).unwrap();
        assert_eq!((top.coefficient(), top.exponent()), (10_i128.pow(33), EXPONENT_MAX));
    }

    #[test]
    fn modulo_takes_the_sign_of_the_divisor() {
        for (a, b, want) in [
            ("5", "2", "1"),
            ("5", "-2", "-1"),
            ("-5", "2", "1"),
            ("9", "0", "9"),
            ("5.5", "0.1", "0"),
            ("7", "-3", "-2"),
            ("1E+30", "7", "1"),
            ("1", "1E+40", "1"),
        ] {
            assert_eq!(modulo(d(a), d(b)).unwrap(), d(want).normalized(), "{a} {b}");
        }
    }

    #[test]
    fn conversion_to_integer_checks_fraction_and_range() {
        assert_eq!(to_integer(d("12.0")), Ok(12));
        assert_eq!(to_integer(d("9223372036854775808")), Err(Error::Overflow));
        assert_eq!(to_integer(d("0.5")), Err(Error::NotInteger));
        assert_eq!(to_integer(d("1E+6000")), Err(Error::Overflow));
    }
}

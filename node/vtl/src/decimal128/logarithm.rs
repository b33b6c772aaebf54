//! Logarithms, correctly rounded (reference manual, "Natural logarithm", "Logarithm").
//!
//! A number is `m × 2^j × 10^e` with `m` near 1, and `ln m = 2 artanh((m - 1) / (m + 1))`, whose
//! series gains five bits a term. When the number itself is near 1 the parts cancel, and the next
//! precision decides.

use schemas::decimal::Decimal;

use super::Error;
use super::correct_rounding::{Approximation, ziv};
use super::fixed_point::{FixedPoint, LN_2, LN_10};

/// The natural logarithm.
///
/// # Errors
/// [`Error::Domain`] when `x` is not positive.
pub fn ln(x: Decimal) -> Result<Decimal, Error> {
    require_positive(x)?;
    if is_one(x) {
        return Ok(Decimal::ZERO);
    }
    ziv!(ln_at(x))
}

/// The logarithm of `x` to a base.
///
/// # Errors
/// [`Error::Domain`] when `x` or `base` is not positive, or when the base is 1.
pub fn log(x: Decimal, base: Decimal) -> Result<Decimal, Error> {
    require_positive(x)?;
    require_positive(base)?;
    if is_one(base) {
        return Err(Error::Domain);
    }
    if is_one(x) {
        return Ok(Decimal::ZERO);
    }
    ziv!(log_at(x, base))
}

fn require_positive(x: Decimal) -> Result<(), Error> {
    if x.is_zero() || x.is_negative() { Err(Error::Domain) } else { Ok(()) }
}

pub(super) fn is_one(x: Decimal) -> bool {
    let x = x.normalized();
    x.magnitude() == 1 && x.exponent() == 0 && !x.is_negative()
}

fn ln_at<const N: usize>(x: Decimal) -> Option<Result<Decimal, Error>> {
    let (negative, value) = ln_fixed::<N>(x);
    Approximation { value, error: LN_ERROR_BITS, twos: 0, tens: 0 }.round_if_certain(negative)
}

fn log_at<const N: usize>(x: Decimal, base: Decimal) -> Option<Result<Decimal, Error>> {
    let (negative, above) = ln_fixed::<N>(x);
    let (less, below) = ln_fixed::<N>(base);
    // The divisor is brought to 1 at least and below 2.
    let shift = 1 - below.bit_length();
    if shift > FixedPoint::<N>::BITS as i32 {
        return None;
    }
    let (twos, drop) = (shift.max(0).unsigned_abs(), shift.min(0).unsigned_abs());
    let divisor = below.shift_left(twos).shift_right(drop);
    let value = above.multiply(divisor.reciprocal()).shift_right(drop);
    // An error of the divisor counts as often as the dividend is large; the other one once.
    let error = LN_ERROR_BITS + twos + above.bit_length().max(0).unsigned_abs() + 3;
    Approximation { value, error, twos, tens: 0 }.round_if_certain(negative != less)
}

/// Bits of the error of [`natural`].
///
/// The series is short of at most 140 terms × (1 + `N` / 2) units, its parts of 30 `N`; 6,200 times
/// the logarithm of ten and 115 times that of two are short of a unit each.
pub(super) const LN_ERROR_BITS: u32 = 14;

/// The natural logarithm of a positive number: whether it is negative, and its magnitude.
pub(super) fn ln_fixed<const N: usize>(x: Decimal) -> (bool, FixedPoint<N>) {
    let (magnitude, exponent) = (x.magnitude(), x.exponent());
    let bits = u128::BITS - magnitude.leading_zeros();
    // Between 0.7 and 1.4, so that nothing but a number near 1 is lost to cancellation.
    let large = magnitude >> bits.saturating_sub(8) > (181 >> 8_u32.saturating_sub(bits));
    let twos = if large { bits } else { bits - 1 };
    let (down, series) = ln_near_one(FixedPoint::from_ratio(magnitude, twos));
    let (ln_2, _) = FixedPoint::from_constant(&LN_2).multiply_word(twos.into());
    let (ln_10, _) = FixedPoint::from_constant(&LN_10).multiply_word(exponent.unsigned_abs().into());
    let (mut gain, mut loss) = (ln_2, FixedPoint::ZERO);
    for (negative, part) in [(down, series), (exponent < 0, ln_10)] {
        if negative {
            loss = loss.plus(part);
        } else {
            gain = gain.plus(part);
        }
    }
    gain.abs_difference(loss)
}

/// `ln m` for `m` near 1: whether it is negative, and its magnitude.
fn ln_near_one<const N: usize>(m: FixedPoint<N>) -> (bool, FixedPoint<N>) {
    let one = FixedPoint::from_integer(1);
    let (negative, distance) = m.abs_difference(one);
    let ratio = distance.multiply(m.plus(one).reciprocal());
    let square = ratio.multiply(ratio);
    let (mut power, mut sum, mut odd) = (ratio, ratio, 1);
    // Each power is at most a thirtieth of the one before, so this ends.
    while !power.is_zero() {
        power = power.multiply(square);
        odd += 2;
        sum = sum.plus(power.divide_small(odd));
    }
    (negative, sum.plus(sum))
}

#[cfg(test)]
mod tests {
    use super::super::fixed_point::WORDS_MAX;
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_constants_are_what_they_are_called() {
        // ln 2 = 7 ln(16/15) + 5 ln(25/24) + 3 ln(81/80), by a way of its own.
        let artanh = |over: u32| {
            let mut power = FixedPoint::<WORDS_MAX>::from_integer(2).divide_small(over);
            let (mut sum, mut odd) = (power, 1);
            while !power.is_zero() {
                power = power.divide_small(over).divide_small(over);
                odd += 2;
                sum = sum.plus(power.divide_small(odd));
            }
            sum
        };
        let parts = [artanh(31), artanh(49), artanh(161)];
        let sum = |factors: [u64; 3]| {
            let terms = parts.iter().zip(factors).map(|(part, factor)| part.multiply_word(factor).0);
            terms.fold(FixedPoint::ZERO, FixedPoint::plus)
        };
        let ten = sum([7 + 16, 5 + 12, 3 + 7]);
        for (found, constant) in [(sum([7, 5, 3]).plus(sum([0, 0, 0])), LN_2), (ten, LN_10)] {
            let (_, error) = found.abs_difference(FixedPoint::from_constant(&constant));
            assert!(error.bit_length() < 16 - FixedPoint::<WORDS_MAX>::BITS as i32, "{error:?}");
        }
    }

    #[test]
    fn what_is_exact_and_what_is_refused() {
        assert_eq!(ln(d("1.00")), Ok(Decimal::ZERO));
        for x in ["0", "-1"] {
            assert_eq!(ln(d(x)), Err(Error::Domain));
            assert_eq!(log(d(x), d("2")), Err(Error::Domain));
            assert_eq!(log(d("2"), d(x)), Err(Error::Domain));
        }
        assert_eq!(log(d("5"), d("1.0")), Err(Error::Domain));
        for (x, base, want) in [
            ("1024", "2", "10"),
            ("1E-6176", "10", "-6176"),
            ("1E-6176", "0.1", "6176"),
            ("1", "7", "0"),
            ("0.125", "4", "-1.5"),
            ("1.21", "1.1", "2"),
        ] {
            assert_eq!(log(d(x), d(base)), Ok(d(want).normalized()), "{x} {base}");
        }
    }

    #[test]
    fn a_rounding_that_takes_a_hundred_digits_is_decided() {
        // The series is -1e-33 (1 + 5e-34 + 3e-67): a hair beyond the middle.
        let below = d("0.999999999999999999999999999999999");
        assert_eq!(ln(below), Ok(d("-1.000000000000000000000000000000001E-33")));
        assert_eq!(ln_at::<4>(below), None);
        assert!(ln_at::<7>(below).is_some());
    }
}

//! Logarithms, correctly rounded (reference manual, "Natural logarithm", "Logarithm").
//!
//! A number is written as `m × 2^j × 10^e` with `m` near 1, and
//! `ln m = 2 artanh((m - 1) / (m + 1))`, whose series gains five bits a term. For numbers near 1 the
//! parts cancel; the loss is detected and the next working precision is tried.

use schemas::decimal::Decimal;

use super::Error;
use super::constants::{LN_2, LN_10};
use super::correct_rounding::{Approximation, ziv};
use super::fixed_point::FixedPoint;

/// Returns the natural logarithm, correctly rounded.
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

/// Returns the logarithm of `x` to `base`, correctly rounded.
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
    // Scale the divisor into 1..2, the domain of `reciprocal`.
    let shift = 1 - below.bit_length();
    if shift > FixedPoint::<N>::BITS as i32 {
        return None;
    }
    let (twos, drop) = (shift.max(0).unsigned_abs(), shift.min(0).unsigned_abs());
    let divisor = below.shift_left(twos).shift_right(drop);
    let value = above.multiply(divisor.reciprocal()).shift_right(drop);
    // With a dividend below 2^b, the error of the divisor counts 1.15 × 2^(LN_ERROR_BITS + twos + b) ulp (the
    // divisor is above 0.87 wherever this bound is below one), that of its reciprocal 8 N × 2^b, that of the
    // dividend 2^LN_ERROR_BITS, and the product N: less than 8 times the first together.
    let error = LN_ERROR_BITS + twos + above.bit_length().max(0).unsigned_abs() + 3;
    Approximation { value, error, twos, tens: 0 }.round_if_certain(negative != less)
}

/// Error bound of [`ln_fixed`]: 2^14 ulp.
///
/// `m` is exact, `(m - 1) / (m + 1)` is below 0.175 and has an error below 1.5 `N` ulp, its powers below 1.4
/// `N`. Divided by the odd numbers and summed over `n` terms (below 300 at the largest precision) this is
/// below `5 N + n + 2` ulp, and twice that in the result. The truncated constants lose 1 ulp for each
/// multiple: at most 6,176 of ln 10 and 113 of ln 2. Together less than 2^13. The bound holds for the
/// signed value: a sign that the precision cannot tell belongs to a magnitude below the bound.
pub(super) const LN_ERROR_BITS: u32 = 14;

/// Returns sign (`true` is negative) and magnitude of the natural logarithm of a positive number.
pub(super) fn ln_fixed<const N: usize>(x: Decimal) -> (bool, FixedPoint<N>) {
    let (magnitude, exponent) = (x.magnitude(), x.exponent());
    let bits = u128::BITS - magnitude.leading_zeros();
    // Keep m between 0.7 and 1.4, so that only numbers near 1 suffer cancellation; 181 / 256 is
    // about 1 / √2.
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

/// Returns sign and magnitude of `ln m` for `m` near 1, by the series of artanh.
fn ln_near_one<const N: usize>(m: FixedPoint<N>) -> (bool, FixedPoint<N>) {
    let one = FixedPoint::from_integer(1);
    let (negative, distance) = m.abs_difference(one);
    let ratio = distance.multiply(m.plus(one).reciprocal());
    let square = ratio.multiply(ratio);
    let (mut power, mut sum, mut odd) = (ratio, ratio, 1);
    // Each power is at most a thirtieth of the previous one, so the loop ends.
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
    fn constants_match_an_independent_formula() {
        // ln 2 = 7 ln(16/15) + 5 ln(25/24) + 3 ln(81/80).
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
    fn exact_results_and_domain_errors() {
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
    fn rounding_that_needs_a_hundred_digits_is_decided() {
        // The logarithm is -1e-33 (1 + 5e-34 + 3e-67): just beyond a midpoint.
        let below = d("0.999999999999999999999999999999999");
        assert_eq!(ln(below), Ok(d("-1.000000000000000000000000000000001E-33")));
        assert_eq!(ln_at::<4>(below), None);
        assert!(ln_at::<7>(below).is_some());
    }
}

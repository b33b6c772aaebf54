//! Exponential function and powers with fractional exponents, correctly rounded (reference manual,
//! "Exponential", "Power").
//!
//! Argument reduction: `exp t = 10^k × exp(r)` with `0 <= r < ln 10`; the Taylor series is evaluated
//! at `r / 256` and its sum squared eight times.

use schemas::decimal::Decimal;

use super::Error;
use super::constants::LN_10;
use super::correct_rounding::{Approximation, ziv};
use super::exact_power::exact_power;
use super::fixed_point::FixedPoint;
use super::logarithm::{LN_ERROR_BITS, ln_fixed};

/// Returns e raised to `x`, correctly rounded.
///
/// # Errors
/// [`Error::Overflow`].
pub fn exp(x: Decimal) -> Result<Decimal, Error> {
    let lead = x.exponent() + x.digit_count() as i32;
    if x.is_zero() || lead < NEGLIGIBLE {
        return Ok(Decimal::from(1));
    }
    if lead > 5 {
        return beyond_range(x.is_negative());
    }
    ziv!(exp_at(x))
}

/// Returns `base` raised to a fractional exponent, correctly rounded.
///
/// # Errors
/// [`Error::Domain`] when `base` is negative, [`Error::DivisionByZero`] when it is zero and the exponent
/// negative, [`Error::Overflow`].
pub(super) fn root_power(base: Decimal, exponent: Decimal) -> Result<Decimal, Error> {
    if base.is_negative() {
        return Err(Error::Domain);
    }
    if base.is_zero() {
        return if exponent.is_negative() { Err(Error::DivisionByZero) } else { Ok(Decimal::ZERO) };
    }
    // Logarithms of decimal128 numbers are below 10^5, so the product is below 10^NEGLIGIBLE.
    if exponent.exponent() + (exponent.digit_count() as i32) < NEGLIGIBLE - 5 {
        return Ok(Decimal::from(1));
    }
    ziv!(power_at(base, exponent), known: exact_power(base.normalized(), exponent))
}

/// Power of ten below which an argument leaves `exp` at 1 after rounding to 34 digits.
const NEGLIGIBLE: i32 = -35;
/// Bound on the magnitude of the natural logarithm of any decimal128 number.
const LOGARITHM_MAX: u64 = 15_000;

/// Result of `exp` for an argument beyond [`LOGARITHM_MAX`].
fn beyond_range(negative: bool) -> Result<Decimal, Error> {
    if negative { Ok(Decimal::ZERO) } else { Err(Error::Overflow) }
}

fn exp_at<const N: usize>(x: Decimal) -> Option<Result<Decimal, Error>> {
    let (whole, rest) = FixedPoint::<N>::from_decimal(x.magnitude(), x.exponent().min(0).unsigned_abs());
    // INVARIANT: the caller bounds the magnitude by 10^5, so the integer part fits 64 bits.
    let whole = whole as u64 * 10_u64.pow(x.exponent().max(0).unsigned_abs());
    exp_fixed(x.is_negative(), FixedPoint::from_integer(whole).plus(rest), 1)
}

fn power_at<const N: usize>(base: Decimal, exponent: Decimal) -> Option<Result<Decimal, Error>> {
    let (negative, logarithm) = ln_fixed::<N>(base);
    let negative = negative != exponent.is_negative();
    let (whole, rest) = FixedPoint::from_decimal(exponent.magnitude(), exponent.exponent().unsigned_abs());
    let times = multiply_integer(logarithm, whole).filter(|times| times.integer_part() <= LOGARITHM_MAX);
    let Some(times) = times else { return Some(beyond_range(negative)) };
    // The error of the logarithm is multiplied by the exponent; that of the fraction of the exponent (2
    // ulp) by the logarithm, which is below 2^14; the product adds `N`.
    let error = LN_ERROR_BITS + 2 + (u128::BITS - whole.leading_zeros());
    exp_fixed(negative, times.plus(logarithm.multiply(rest)), error)
}

/// Returns the product with an integer, or `None` when it reaches 2^64.
fn multiply_integer<const N: usize>(value: FixedPoint<N>, factor: u128) -> Option<FixedPoint<N>> {
    let (low, over) = value.multiply_word(factor as u64);
    let (high, far) = value.multiply_word((factor >> 64) as u64);
    // Shifting the high part up by a word must not lose bits.
    (over == 0 && far == 0 && high.integer_part() == 0).then(|| low.plus(high.shift_left(64)))
}

/// Returns `exp ±t`, where `t` has an error below 2^`error` units of the last place.
///
/// The reduced argument `r = |k ln 10 - t|` takes over the error of `t`, and less than 2^13 ulp of the
/// truncated constant, because `k` is below 2^13. `r` is at most `ln 10 + 2^-50`, so `exp r` is below 10.1,
/// and multiplies that error by less than 11. The series and its squarings add [`SERIES_ERROR_BITS`]. With
/// `e = max(error, SERIES_ERROR_BITS - 3)` the sum is below `(11 + 1 + 8) × 2^e`, less than 2^(e + 5) ulp.
fn exp_fixed<const N: usize>(negative: bool, t: FixedPoint<N>, error: u32) -> Option<Result<Decimal, Error>> {
    if error >= FixedPoint::<N>::BITS {
        return None;
    }
    if t.integer_part() > LOGARITHM_MAX {
        return Some(beyond_range(negative));
    }
    let (tens, rest) = reduce_argument(negative, t);
    let value = taylor_series(rest);
    let error = error.max(SERIES_ERROR_BITS - 3) + 5;
    Approximation { value, error, twos: 0, tens }.round_if_certain(false)
}

/// Writes `±t` as `tens × ln 10 + rest` with `0 <= rest < ln 10 + 2^-50`.
fn reduce_argument<const N: usize>(negative: bool, t: FixedPoint<N>) -> (i64, FixedPoint<N>) {
    let ln_10 = FixedPoint::<N>::from_constant(&LN_10);
    let multiple = |count: u64| ln_10.multiply_word(count).0;
    // The quotient of the leading words is the true one or, just above a multiple of ln 10, one less.
    let quotient = (t.leading_words() / (ln_10.leading_words() + 1)) as u64;
    if !negative {
        return (quotient as i64, t.minus(multiple(quotient)));
    }
    // The first multiple from `t` upwards: the difference must not change its sign.
    let next = quotient + 1;
    let (below, rest) = multiple(next).abs_difference(t);
    let (count, rest) = if below { (next + 1, ln_10.minus(rest)) } else { (next, rest) };
    (-(count as i64), rest)
}

/// Error bound of [`taylor_series`]: 2^20 ulp.
///
/// With `n` terms the sum is too small by less than `1.02 (N H_n + n) + 2` ulp: each product loses `N`,
/// each quotient by `k` divides that and loses 1, the shifted argument 1, the terms left out 1. At the
/// largest precision `n` is below 150 and `H_n` below 6, so that this is below 302. Squaring multiplies an
/// error by twice the value and adds `N`; the eight values multiply to less than 10.1, so all squarings
/// multiply the error of the sum, and what they add, by less than 2^8 × 10.1 = 2,586 together:
/// `2,586 × (302 + 24) < 2^20`.
const SERIES_ERROR_BITS: u32 = 20;

/// Bits by which argument reduction scales down the argument of the series.
const HALVINGS: u32 = 8;

/// Returns the exponential of a number in `0..=ln 10 + 2^-50`; see [`SERIES_ERROR_BITS`].
fn taylor_series<const N: usize>(rest: FixedPoint<N>) -> FixedPoint<N> {
    let part = rest.shift_right(HALVINGS);
    let (mut term, mut sum, mut count) = (part, FixedPoint::from_integer(1), 1);
    // Each term is at most a hundredth of the previous one, so the loop ends.
    while !term.is_zero() {
        sum = sum.plus(term);
        count += 1;
        term = term.multiply(part).divide_small(count);
    }
    (0..HALVINGS).fold(sum, |value, _| value.multiply(value))
}

#[cfg(test)]
mod tests {
    use super::super::fixed_point::WORDS_MAX;
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn exp_at_the_ends_of_the_range() {
        for (x, want) in [
            ("0", Ok("1")),
            ("0.000", Ok("1")),
            ("1E-6176", Ok("1")),
            ("-1E-40", Ok("1")),
            ("14149.38539644841072829055748903541", Ok("9999999999999999999999999999919443E+6111")),
            ("14149.38539644841072829055748903542", Err(Error::Overflow)),
            ("1E+6111", Err(Error::Overflow)),
            ("-1E+6111", Ok("0")),
            ("-14220", Ok("2E-6176")),
            ("-14221.4", Ok("1E-6176")),
            ("-14222", Ok("0")),
        ] {
            let want = want.map(|want| {
                let (digits, exponent) = want.split_once('E').unwrap_or((want, "0"));
                let exponent: i32 = exponent.parse().unwrap();
                let digits = d(digits);
                Decimal::new(digits.coefficient(), digits.exponent() + exponent).unwrap()
            });
            assert_eq!(exp(d(x)), want, "{x}");
        }
    }

    #[test]
    fn rounding_near_a_midpoint_is_decided() {
        // 1 + 5e-34 + 1.25e-67: just above the midpoint of two neighbours.
        assert_eq!(exp(d("5E-34")), Ok(d("1.000000000000000000000000000000001")));
        assert_eq!(exp_at::<4>(d("5E-34")), None);
        // 1 + 5e-34 - 1.25e-67: just below.
        assert_eq!(root_power(d("1.000000000000000000000000000000001"), d("0.5")), Ok(d("1")));
        // An exact midpoint: 35 digits that end in five, which no precision decides.
        let square = d("200000000005").coefficient().pow(2);
        let square = Decimal::new(square, 0).unwrap();
        let cube = d("8000000000600000000015000000000125").coefficient();
        assert_eq!(root_power(square, d("1.5")), Ok(Decimal::new(cube, 0).unwrap()));
        let odd = d("300000000005").coefficient();
        let want = (odd.pow(3) - 5) / 10;
        let want = want + want % 2;
        let square = Decimal::new(odd.pow(2), 0).unwrap();
        assert_eq!(power_at::<12>(square, d("1.5")), None);
        assert_eq!(root_power(square, d("1.5")), Ok(Decimal::new(want, 1).unwrap().normalized()));
    }

    #[test]
    fn results_just_below_a_power_of_ten_keep_their_side() {
        for (x, want) in [
            // 3e-18 beyond ln 10, which the leading words cannot tell.
            ("-2.302585092994045684020991454684364", "0.09999999999999999999970000000000002"),
            ("-2.302585092994045684017991454684365", "0.09999999999999999999999999999999992"),
            ("-2.302585092994045684017991454684363", "0.1000000000000000000000000000000001"),
            ("-4.605170185988091368035982909368800", "0.009999999999999999999999999999999284"),
            ("2.302585092994045684017991454684364", "9.999999999999999999999999999999998"),
        ] {
            assert_eq!(exp(d(x)), Ok(d(want).normalized()), "{x}");
        }
        let root = root_power(d("0.0099999999999999999999"), d("0.5"));
        assert_eq!(root, Ok(d("0.0999999999999999999995")));
    }

    #[test]
    fn precisions_agree() {
        for text in
            ["-2.302585092994045684020991454684364", "-14155.7", "0.1", "9876.54321", "-1E-20", "14149"]
        {
            let want = exp_at::<7>(d(text));
            assert!(want.is_some(), "{text}");
            assert_eq!(exp_at::<12>(d(text)), want, "{text}");
            assert_eq!(exp_at::<WORDS_MAX>(d(text)), want, "{text}");
            let base = d("1.000000000000000000000000000000007");
            assert_eq!(power_at::<12>(base, d(text)), power_at::<WORDS_MAX>(base, d(text)), "{text}");
        }
    }

    #[test]
    fn a_huge_exponent_leaves_the_range_on_its_side() {
        // The integer part of the exponent times the logarithm is just below 2^64, the whole beyond it.
        let base = Decimal::new(1, 6000).unwrap();
        assert_eq!(root_power(base, d("1335219860048928.9999")), Err(Error::Overflow));
        assert_eq!(root_power(base, d("-1335219860048928.9999")), Ok(Decimal::ZERO));
    }

    #[test]
    fn powers_of_zero_and_of_negative_numbers() {
        assert_eq!(root_power(d("-8"), d("0.5")), Err(Error::Domain));
        assert_eq!(root_power(d("0"), d("0.5")), Ok(Decimal::ZERO));
        assert_eq!(root_power(d("0"), d("-0.5")), Err(Error::DivisionByZero));
        assert_eq!(root_power(d("9E+6111"), d("123456789.5")), Err(Error::Overflow));
        assert_eq!(root_power(d("9E+6111"), d("-123456789.5")), Ok(Decimal::ZERO));
        assert_eq!(root_power(d("7"), d("1E-6176")), Ok(d("1")));
        assert_eq!(root_power(d("4"), d("-0.5")), Ok(d("0.5")));
    }
}

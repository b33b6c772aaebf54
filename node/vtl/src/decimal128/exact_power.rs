//! Powers with fractional exponents whose value is a terminating decimal, found with integers.
//!
//! Let `x = 2^i × 5^j × s` with `s` not divisible by 2 or 5, and let the exponent be `p / q` in lowest
//! terms. The power is rational only when `x` is the `q`th power of a rational number: when `q` divides
//! `i` and `j`, and `s = u^q`. It then is `2^(pi/q) × 5^(pj/q) × u^p`, which terminates when `p > 0` or
//! `u = 1`. All other powers differ from every decimal number.

use schemas::decimal::Decimal;

use super::{COEFFICIENT_LIMIT, Error, round_small};

/// Returns `base` raised to `exponent`, rounded once, when its exact value is a decimal number of at most
/// 35 digits: a number or the midpoint of two. `None` when it is not.
///
/// `base` is positive, `exponent` has a fraction; both are normalised.
pub(super) fn exact_power(base: Decimal, exponent: Decimal) -> Option<Result<Decimal, Error>> {
    let (numerator, denominator) = lowest_terms(exponent)?;
    let (twos, rest) = split_factor(base.magnitude(), 2);
    let (fives, rest) = split_factor(rest, 5);
    let root = exact_root(rest, denominator)?;
    let degree = i128::from(denominator);
    let scale = |count: u32| {
        let count = i128::from(count) + i128::from(base.exponent());
        let whole = count % degree == 0;
        whole.then(|| i64::try_from(count / degree * numerator).ok()).flatten()
    };
    let (twos, fives) = (scale(twos)?, scale(fives)?);
    let power = match u32::try_from(numerator) {
        _ if root == 1 => 1,
        Ok(numerator) => root.checked_pow(numerator)?,
        // Negative, so that the value does not terminate, or far beyond 35 digits.
        Err(_) => return None,
    };
    let tens = twos.min(fives);
    let factor = |base: u128, count: i64| base.checked_pow(u32::try_from(count - tens).ok()?);
    let coefficient = power.checked_mul(factor(2, twos)?)?.checked_mul(factor(5, fives)?)?;
    (coefficient < 10 * COEFFICIENT_LIMIT).then(|| round_small(false, coefficient, tens, false))
}

/// Largest denominator of an exponent with a rational power: the magnitude of the exponents of 2 and 5 in
/// a decimal128 number is below 6,176 + 113.
const DENOMINATOR_MAX: u32 = 6_288;

/// Returns the exponent as a fraction in lowest terms, or `None` when its denominator is too large for any
/// power to be rational.
fn lowest_terms(exponent: Decimal) -> Option<(i128, u32)> {
    let (mut numerator, mut denominator) = (exponent.coefficient(), 1_u32);
    for _ in 0..exponent.exponent().unsigned_abs() {
        for factor in [2_u32, 5] {
            if numerator % i128::from(factor) == 0 {
                numerator /= i128::from(factor);
            } else {
                denominator *= factor;
            }
        }
        // INVARIANT: the denominator only grows, and tenfold at most in each round.
        if denominator > DENOMINATOR_MAX {
            return None;
        }
    }
    Some((numerator, denominator))
}

/// Returns how often a prime divides a positive number, and the quotient by all of them.
fn split_factor(mut value: u128, prime: u128) -> (u32, u128) {
    let mut count = 0;
    while value.is_multiple_of(prime) {
        value /= prime;
        count += 1;
    }
    (count, value)
}

/// Returns the root of a positive number, or `None` when it is no integer.
fn exact_root(value: u128, degree: u32) -> Option<u128> {
    let bits = u128::BITS - value.leading_zeros();
    let (mut low, mut high) = (1_u128, 1_u128 << (bits / degree + 1).min(127));
    // INVARIANT: the root, if it is an integer, is in `low..high`.
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if middle.checked_pow(degree).is_some_and(|power| power <= value) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low.checked_pow(degree) == Some(value)).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse::<Decimal>().unwrap().normalized()
    }

    #[test]
    fn exact_powers_are_found_and_rounded_once() {
        for (base, exponent, want) in [
            ("4", "0.5", Some("2")),
            ("4", "-0.5", Some("0.5")),
            ("9", "0.5", Some("3")),
            ("0.00032", "0.2", Some("0.2")),
            ("100", "2.5", Some("1E+5")),
            ("1E-6176", "0.5", Some("1E-3088")),
            ("1E+6000", "-0.001", Some("1E-6")),
            ("1", "0.3333333333333333333333333333333333", None),
            // A third has no terminating form.
            ("9", "-0.5", None),
            ("2", "0.5", None),
            ("10", "0.5", None),
            ("1024", "0.3", Some("8")),
            // 300000000005 cubed has 35 digits and ends in five: the tie goes to the even digit.
            ("90000000003000000000025", "1.5", Some("2.700000000135000000002250000000012E+34")),
            // A tie between two subnormal numbers.
            ("25E-4118", "1.5", Some("12E-6176")),
            ("35E-4118", "1.5", None),
        ] {
            let found = exact_power(d(base), d(exponent));
            assert_eq!(found, want.map(|want| Ok(d(want))), "{base} {exponent}");
        }
        assert_eq!(exact_power(d("1E+6000"), d("1.05")), Some(Err(Error::Overflow)));
        assert_eq!(exact_power(d("1E-6000"), d("1.05")), Some(Ok(Decimal::ZERO)));
    }

    #[test]
    fn roots_are_exact_or_none() {
        for (value, degree, want) in [
            (1, 2, Some(1)),
            (1, 6_000, Some(1)),
            (2, 6_000, None),
            (9, 2, Some(3)),
            (10, 2, None),
            (3_u128.pow(71), 71, Some(3)),
            ((10_u128.pow(17) - 1).pow(2), 2, Some(10_u128.pow(17) - 1)),
            ((10_u128.pow(17) - 1).pow(2) - 1, 2, None),
        ] {
            assert_eq!(exact_root(value, degree), want, "{value} {degree}");
        }
    }
}

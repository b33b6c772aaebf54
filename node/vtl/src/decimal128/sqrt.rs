//! Square root, correctly rounded (reference manual, "Square root"; IEEE 754-2008, 5.4.1), from the
//! integer square root of the scaled coefficient.

use schemas::decimal::Decimal;

use super::u256::U256;
use super::{Error, round_small};

/// Digits to which the coefficient is scaled (or one more): its root then has 35 digits, one guard
/// digit more than a result.
const ROOT_DIGITS: u32 = 69;

/// Returns the square root, correctly rounded.
///
/// # Errors
/// [`Error::Domain`] when `a` is negative.
pub fn sqrt(a: Decimal) -> Result<Decimal, Error> {
    if a.is_negative() {
        return Err(Error::Domain);
    }
    if a.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let mut shift = ROOT_DIGITS - a.digit_count();
    // Halving needs an even exponent.
    shift += (a.exponent().unsigned_abs() + shift) % 2;
    let square = U256::from(a.magnitude()).times_pow10(shift);
    let root = square.isqrt();
    let exact = U256::product(root, root) == square;
    round_small(false, root, (i64::from(a.exponent()) - i64::from(shift)) / 2, !exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_correctly_rounded() {
        for (value, want) in [
            ("0", "0"),
            ("4", "2"),
            ("0.25", "0.5"),
            ("1E-6176", "1E-3088"),
            ("1E+6111", "3.162277660168379331998893544432719E+3055"),
            ("2", "1.414213562373095048801688724209698"),
            ("252", "15.87450786638754354300969452183556"),
            // The root is just below 10^17: all 34 digits are nines.
            ("9999999999999999999999999999999999", "9.999999999999999999999999999999999E+16"),
            ("9999999999999999999999999999999998E-1", "3.162277660168379331998893544432718E+16"),
        ] {
            let value: Decimal = value.parse().unwrap();
            let want: Decimal = want.parse().unwrap();
            assert_eq!(sqrt(value).unwrap(), want.normalized(), "{value}");
        }
    }

    #[test]
    fn negative_operands_are_domain_errors() {
        assert_eq!(sqrt(Decimal::from(-1)), Err(Error::Domain));
        assert_eq!(sqrt(Decimal::ZERO.negated()), Ok(Decimal::ZERO));
    }
}

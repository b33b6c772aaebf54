//! `power`. With a whole exponent it is a stated sequence of roundings, the same on every machine;
//! with any other it is correctly rounded, in `exponential.rs`.
//!
//! The bits of the magnitude of the exponent are read from the most significant: the result starts
//! as 1; for each bit it is squared and rounded; when the bit is set it is multiplied by the base
//! and rounded. A negative exponent divides 1 by that result, rounded once more.

use schemas::decimal::Decimal;

use super::exponential::root_power;
use super::{Error, div, mul, to_integer};

/// `base` raised to `exponent`; 1 when the exponent is 0, whatever the base (reference manual,
/// "Power").
///
/// # Errors
/// [`Error::Domain`] for a negative number to an exponent that is not whole, [`Error::Zero`] for zero
/// to a negative exponent, [`Error::Overflow`] when any rounding of the sequence overflows.
pub fn power(base: Decimal, exponent: Decimal) -> Result<Decimal, Error> {
    match to_integer(exponent) {
        Ok(exponent) => whole_power(base, exponent),
        Err(Error::NotInteger) => root_power(base, exponent.normalized()),
        Err(error) => Err(error),
    }
}

fn whole_power(base: Decimal, exponent: i64) -> Result<Decimal, Error> {
    let one = Decimal::from(1);
    let magnitude = exponent.unsigned_abs();
    let mut result = one;
    for bit in (0..u64::BITS - magnitude.leading_zeros()).rev() {
        result = mul(result, result)?;
        if (magnitude >> bit) & 1 == 1 {
            result = mul(result, base)?;
        }
    }
    if exponent < 0 { div(one, result) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn examples_of_the_manual() {
        for (base, exponent, want) in
            [("5", "2", "25"), ("5", "1", "5"), ("5", "0", "1"), ("5", "-1", "0.2"), ("-5", "3", "-125")]
        {
            assert_eq!(power(d(base), d(exponent)).unwrap(), d(want));
        }
    }

    #[test]
    fn the_sequence_is_bounded_and_ends_in_faults() {
        assert_eq!(power(d("10"), d("7000")), Err(Error::Overflow));
        assert_eq!(power(d("2"), d("0.5")), Ok(d("1.414213562373095048801688724209698")));
        assert_eq!(power(d("0"), d("-1")), Err(Error::DivisionByZero));
        assert_eq!(power(d("0"), d("0")), Ok(d("1")));
        assert_eq!(power(d("-1"), d("9223372036854775807")), Ok(d("-1")));
        assert_eq!(power(d("1"), d("1E+40")), Err(Error::Overflow));
    }
}

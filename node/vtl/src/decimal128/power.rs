//! The operator `power`. An integer exponent gives a specified sequence of roundings, the same on
//! every machine; a fractional exponent is correctly rounded, in `exponential.rs`.
//!
//! Binary exponentiation from the most significant bit: the result starts at 1; each bit squares it
//! and rounds; a set bit then multiplies by the base and rounds. A negative exponent divides 1 by
//! that result, rounded once more.

use schemas::decimal::Decimal;

use super::exponential::root_power;
use super::{Error, div, mul, to_integer};

/// Returns `base` raised to `exponent`; 1 for exponent 0 and any base (reference manual, "Power").
///
/// # Errors
/// [`Error::Domain`] for a negative base with a fractional exponent, [`Error::DivisionByZero`] for zero
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
    fn examples_of_the_reference_manual() {
        for (base, exponent, want) in
            [("5", "2", "25"), ("5", "1", "5"), ("5", "0", "1"), ("5", "-1", "0.2"), ("-5", "3", "-125")]
        {
            assert_eq!(power(d(base), d(exponent)).unwrap(), d(want));
        }
    }

    #[test]
    fn overflow_and_domain_errors() {
        assert_eq!(power(d("10"), d("7000")), Err(Error::Overflow));
        assert_eq!(power(d("2"), d("0.5")), Ok(d("1.414213562373095048801688724209698")));
        assert_eq!(power(d("0"), d("-1")), Err(Error::DivisionByZero));
        assert_eq!(power(d("0"), d("0")), Ok(d("1")));
        assert_eq!(power(d("-1"), d("9223372036854775807")), Ok(d("-1")));
        assert_eq!(power(d("1"), d("1E+40")), Err(Error::Overflow));
    }
}

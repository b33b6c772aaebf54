//! Square roots: correctly rounded, from the exact integer root of the scaled coefficient.

use std::cmp::Ordering;

use schemas::decimal::Decimal;

use super::wide::Wide;
use super::{Error, finish_small, pow10};

/// Digits that the coefficient is brought to: their root has one more than a result.
const ROOT_DIGITS: u32 = 69;

/// The square root of the magnitude of a value, rounded once.
///
/// # Errors
/// Never, since the root of every number is a number; the type is that of its neighbours.
pub(crate) fn root(value: Decimal) -> Result<Decimal, Error> {
    let value = value.normalized();
    if value.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let mut shift = ROOT_DIGITS - value.digits();
    // The exponent must be even to be halved.
    shift += (value.exponent().unsigned_abs() + shift) % 2;
    let scaled = Wide::from(value.coefficient().unsigned_abs()).times_pow10(shift);
    let (root, exact) = whole_root(scaled);
    finish_small(false, root, (i64::from(value.exponent()) - i64::from(shift)) / 2, !exact)
}

/// The largest integer whose square is not above `square` (below 10^70), and whether it is equal.
fn whole_root(square: Wide) -> (u128, bool) {
    // INVARIANT: the root is at least `low` and below `high`.
    let (mut low, mut high) = (0, pow10(35));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match Wide::product(middle, middle).cmp(&square) {
            Ordering::Greater => high = middle,
            _ => low = middle,
        }
    }
    (low, Wide::product(low, low) == square)
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
            // The root is a hair below 10^17: all 34 digits are nines.
            ("9999999999999999999999999999999999", "9.999999999999999999999999999999999E+16"),
            ("9999999999999999999999999999999998E-1", "3.162277660168379331998893544432718E+16"),
        ] {
            let value: Decimal = value.parse().unwrap();
            let want: Decimal = want.parse().unwrap();
            assert_eq!(root(value).unwrap(), want.normalized(), "{value}");
        }
    }
}

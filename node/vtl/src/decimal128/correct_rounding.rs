//! Ziv's rounding test: correct rounding of an approximation with a known error bound (A. Ziv, "Fast
//! evaluation of elementary mathematical functions with correctly rounded last bit", 1991; the results
//! are those of IEEE 754-2008, 9.2, and of the General Decimal Arithmetic Specification for `exp` and
//! `ln`).
//!
//! Both ends of the error interval are rounded. Rounding is monotone, so when they agree, so does
//! every value between them, the true one included; otherwise the function is evaluated again at the
//! next working precision. A number that decimal128 represents exactly is no obstacle: its neighbours
//! round to it. Only a *tie*, the exact midpoint of two numbers, would never be decided:
//!
//! * `exp` and `ln` of a rational number other than 0 and 1 are transcendental (Lindemann), so they
//!   are no ties.
//! * `log` is rational only when both operands are powers of one number. Then it is `p / q` with `p` and
//!   `q` below 2^15, but a tie below 2^15 has a denominator that 2^29 divides.
//! * `power` has ties: `exact_power.rs` finds them with integers, before the second precision.
//!
//! So the loop ends for every operand, at the latest at 1,472 bits unless a value that is no tie agrees with
//! one in more than 400 digits. 34 digits in each operand can cancel the first terms of a Taylor series,
//! which makes about 140; for more, none of the 10^76 pairs of operands is known or likely.

use schemas::decimal::Decimal;

use super::fixed_point::{FixedPoint, WORDS_MAX};
use super::{Error, round_small};

/// Approximation `value × 2^twos × 10^tens` of a positive number; the error of `value` is below
/// 2^`error` ulp.
#[derive(Debug, Clone, Copy)]
pub(super) struct Approximation<const N: usize> {
    pub(super) value: FixedPoint<N>,
    pub(super) error: u32,
    pub(super) twos: u32,
    pub(super) tens: i64,
}

impl<const N: usize> Approximation<N> {
    /// Returns the correctly rounded number, or `None` when a higher precision is needed.
    ///
    /// The largest precision always decides, by rounding the approximation.
    pub(super) fn round_if_certain(self, negative: bool) -> Option<Result<Decimal, Error>> {
        let error = FixedPoint::<N>::from_bit(self.error);
        let (small, low) = self.value.abs_difference(error);
        if small || self.error >= FixedPoint::<N>::BITS {
            return None;
        }
        let high = self.value.plus(error);
        let places = scale_digits(high.bit_length() + self.twos as i32);
        let round = |value: FixedPoint<N>| {
            let (whole, rest) = value.scaled_integer(places, self.twos);
            round_small(negative, whole, self.tens - i64::from(places), !rest.is_zero())
        };
        let (low, high) = (round(low), round(high));
        if low == high {
            return Some(low);
        }
        (N == WORDS_MAX).then(|| round(self.value))
    }
}

/// Returns the power of ten that scales a number of `length` bits to 36 to 38 integer digits: 34
/// and at least two guard digits.
fn scale_digits(length: i32) -> u32 {
    // log10 2 is 0.30103.
    (37 - (length * 30_103).div_euclid(100_000)).max(0).unsigned_abs()
}

/// Evaluates a function at 4, 7, 12 and [`WORDS_MAX`] words until the rounding test decides. A result
/// that is `known` otherwise is asked for after the first test, which decides nearly every operand.
macro_rules! ziv {
    ($at:ident ( $($argument:expr),* )) => { ziv!($at($($argument),*), known: None) };
    ($at:ident ( $($argument:expr),* ), known: $known:expr) => {
        $at::<4>($($argument),*)
            .or_else(|| $known)
            .or_else(|| $at::<7>($($argument),*))
            .or_else(|| $at::<12>($($argument),*))
            .or_else(|| $at::<{ $crate::decimal128::fixed_point::WORDS_MAX }>($($argument),*))
            .unwrap_or(Err($crate::decimal128::Error::Overflow))
    };
}
pub(super) use ziv;

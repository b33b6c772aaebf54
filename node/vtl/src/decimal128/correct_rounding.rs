//! Ziv's rounding test: correct rounding of an approximation with a known error bound.
//!
//! Both ends of the error interval are rounded. When they agree, so does every value between them;
//! otherwise the function is evaluated again at the next working precision.

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
    /// The largest precision always decides: a value that is still indistinguishable from the
    /// midpoint of two numbers is taken to be the midpoint.
    pub(super) fn round_if_certain(self, negative: bool) -> Option<Result<Decimal, Error>> {
        let error = FixedPoint::<N>::from_bit(self.error);
        let (small, low) = self.value.abs_difference(error);
        if small || self.error >= FixedPoint::<N>::BITS {
            return None;
        }
        let high = self.value.plus(error);
        let places = scale_digits(high.bit_length() + self.twos as i32);
        let round = |value: FixedPoint<N>, nearest: bool| {
            let (whole, rest) = value.scaled_integer(places, self.twos);
            let up = nearest && rest.bit_length() == 0;
            let sticky = !nearest && !rest.is_zero();
            round_small(negative, whole + u128::from(up), self.tens - i64::from(places), sticky)
        };
        let (low, high) = (round(low, false), round(high, false));
        if low == high {
            return Some(low);
        }
        (N == WORDS_MAX).then(|| round(self.value, true))
    }
}

/// Returns the power of ten that scales a number of `length` bits to 36 to 38 integer digits: 34
/// and at least two guard digits.
fn scale_digits(length: i32) -> u32 {
    // log10 2 is 0.30103.
    (37 - (length * 30_103).div_euclid(100_000)).max(0).unsigned_abs()
}

/// Evaluates a function at 4, 7 and [`WORDS_MAX`] words until the rounding test decides.
macro_rules! ziv {
    ($at:ident ( $($argument:expr),* )) => {
        $at::<4>($($argument),*)
            .or_else(|| $at::<7>($($argument),*))
            .or_else(|| $at::<{ $crate::decimal128::fixed_point::WORDS_MAX }>($($argument),*))
            .unwrap_or(Err($crate::decimal128::Error::Overflow))
    };
}
pub(super) use ziv;

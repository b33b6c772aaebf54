//! From an approximation to the correctly rounded number, by Ziv's rule: both ends of what the true
//! value can be are rounded; when they agree, so does everything between them.

use schemas::decimal::Decimal;

use super::fixed_point::{FixedPoint, WORDS_MAX};
use super::{Error, round_small};

/// A positive number known within 2^`error` units of its last place: `value × 2^twos × 10^tens`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Approximation<const N: usize> {
    pub(super) value: FixedPoint<N>,
    pub(super) error: u32,
    pub(super) twos: u32,
    pub(super) tens: i64,
}

impl<const N: usize> Approximation<N> {
    /// The one number that it rounds to, or `None` when more precision must tell.
    ///
    /// At the largest precision the answer is always given: what lies so near to the middle of two
    /// numbers is taken to be the middle.
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

/// The power of ten that brings a number of so many bits to 36 to 38 whole digits, which are then 34
/// and a guard or more.
fn scale_digits(length: i32) -> u32 {
    (37 - (length * 30_103).div_euclid(100_000)).max(0).unsigned_abs()
}

/// Tries each working precision in turn.
macro_rules! ziv {
    ($at:ident ( $($argument:expr),* )) => {
        $at::<4>($($argument),*)
            .or_else(|| $at::<7>($($argument),*))
            .or_else(|| $at::<{ $crate::decimal128::fixed_point::WORDS_MAX }>($($argument),*))
            .unwrap_or(Err($crate::decimal128::Error::Overflow))
    };
}
pub(super) use ziv;

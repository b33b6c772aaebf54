//! Unsigned 256-bit integers: wide enough for an exact product or an exact aligned sum.
//!
//! Provides scaling by powers of ten and rounding off of decimal digits. Not a general big integer:
//! callers keep every value below 10^77.

use std::cmp::Ordering;

use schemas::digits::{count_digits as digits, power_of_ten as pow10};

/// Two 128-bit halves. The high half comes first, so that the derived order is the numeric order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct U256 {
    high: u128,
    low: u128,
}

const HALF: u128 = (1 << 64) - 1;
/// Digits dropped by one division by a 64-bit power of ten.
const CHUNK_DIGITS: u32 = 19;

impl From<u128> for U256 {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }
}

impl U256 {
    pub(super) fn is_zero(self) -> bool {
        self.high == 0 && self.low == 0
    }

    /// Returns the exact product.
    pub(super) fn product(a: u128, b: u128) -> Self {
        let (a_high, a_low) = (a >> 64, a & HALF);
        let (b_high, b_low) = (b >> 64, b & HALF);
        let low = a_low * b_low;
        let cross = a_high * b_low + (low >> 64);
        let (middle, carry) = (a_low * b_high).overflowing_add(cross);
        let high = a_high * b_high + (middle >> 64) + (u128::from(carry) << 64);
        Self { high, low: (middle << 64) | (low & HALF) }
    }

    /// Returns the sum, which callers keep below 2^256.
    pub(super) fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high.wrapping_add(other.high).wrapping_add(carry.into()), low }
    }

    /// Returns the difference; `other` must not be larger.
    pub(super) fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(borrow.into()), low }
    }

    /// Returns the product with 10^`exponent`, which callers keep below 2^256.
    pub(super) fn times_pow10(self, exponent: u32) -> Self {
        let mut value = self;
        let mut left = exponent;
        while left > 0 {
            let step = left.min(38);
            let low = Self::product(value.low, pow10(step));
            value = Self { high: low.high.wrapping_add(value.high.wrapping_mul(pow10(step))), low: low.low };
            left -= step;
        }
        value
    }

    /// Returns quotient and remainder by a 64-bit divisor.
    pub(super) fn divide_word(self, divisor: u64) -> (Self, u64) {
        let by = u128::from(divisor);
        let mut rest = 0_u128;
        let mut digit = |part: u128| {
            let value = (rest << 64) | part;
            rest = value % by;
            value / by
        };
        let high = (digit(self.high >> 64) << 64) | digit(self.high & HALF);
        let low = (digit(self.low >> 64) << 64) | digit(self.low & HALF);
        (Self { high, low }, rest as u64)
    }

    /// Returns the number of decimal digits (0 for zero).
    pub(super) fn decimal_digits(self) -> u32 {
        let (mut value, mut dropped) = (self, 0);
        while value.high != 0 {
            value = value.divide_word(10_u64.pow(CHUNK_DIGITS)).0;
            dropped += CHUNK_DIGITS;
        }
        digits(value.low) + dropped
    }

    /// Returns the integer square root, rounded down.
    pub(super) fn isqrt(self) -> u128 {
        if self.high == 0 {
            return self.low.isqrt();
        }
        // Normalise so that one of the two leading bits is set. The shift is even, so the root can
        // be shifted back by half of it.
        let shift = self.high.leading_zeros() & !1;
        let high = self.high << shift | (self.low >> 1) >> (127 - shift);
        let scaled = Self { high, low: self.low << shift };
        // Karatsuba square root (Zimmermann, 1999): the root of the leading half, one division for
        // the other half, then corrections downwards.
        let lead = high.isqrt();
        let rest = high - lead * lead;
        let next = ((rest << 63) + (scaled.low >> 65)) / lead;
        let mut root = (lead << 64) + next.min(HALF);
        while Self::product(root, root) > scaled {
            root -= 1;
        }
        root >> (shift / 2)
    }

    /// Drops the last `drop` digits; returns the rest, and whether rounding half to even adds one.
    ///
    /// `sticky` means that the exact value is slightly larger than `self`.
    pub(super) fn drop_digits(self, drop: u32, sticky: bool) -> (u128, bool) {
        if drop == 0 {
            return (self.low, false);
        }
        let (mut value, mut sticky, mut left) = (self, sticky, drop - 1);
        while left > 0 {
            let step = left.min(CHUNK_DIGITS);
            let (quotient, rest) = value.divide_word(10_u64.pow(step));
            value = quotient;
            sticky |= rest != 0;
            left -= step;
        }
        let (kept, last) = value.divide_word(10);
        let up = match last.cmp(&5) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => sticky || kept.low % 2 == 1,
        };
        (kept.low, up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_drop_digits_and_scale() {
        let (a, b) = (10_u128.pow(34) - 1, 10_u128.pow(34) - 3);
        let product = U256::product(a, b);
        assert_eq!(product.decimal_digits(), 68);
        let (kept, up) = product.drop_digits(34, false);
        assert_eq!((kept, up), (10_u128.pow(34) - 4, false));
        assert_eq!(U256::from(7).times_pow10(70).decimal_digits(), 71);
        assert_eq!(U256::product(u128::MAX, u128::MAX).high, u128::MAX - 1);
    }

    #[test]
    fn square_roots_round_down() {
        let mut root = 1_u128;
        for step in 0..2_000_u128 {
            root = root.wrapping_mul(0x2545_f491_4f6c_dd1d_2545_f491_4f6c_dd1d).wrapping_add(step) | 1;
            let root = root >> (step % 120);
            let square = U256::product(root, root);
            assert_eq!(square.isqrt(), root);
            assert_eq!(square.minus(1.into()).isqrt(), root - 1);
            assert_eq!(square.plus(root.into()).plus(root.into()).isqrt(), root);
        }
        assert_eq!(U256 { high: u128::MAX, low: u128::MAX }.isqrt(), u128::MAX);
    }
}

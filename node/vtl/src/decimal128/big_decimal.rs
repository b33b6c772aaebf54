//! Exact signed decimal numbers of any length: limbs in base 10^18 at fixed positions.
//!
//! Supports what a variance needs: sums, products with short numbers, and one division with one
//! rounding. Limbs are signed and may exceed the base until [`BigDecimal::normalize`] propagates the
//! carries.

use schemas::decimal::Decimal;
use schemas::digits::count_digits as digits;

use super::u256::U256;
use super::{Error, round_wide};

/// Decimal digits of one limb.
const LIMB_DIGITS: i32 = 18;
/// 10^18.
const LIMB_BASE: i128 = 10_i128.pow(18);
/// Digits of a quotient beyond which one more limb no longer fits 128 bits.
const KEPT_DIGITS: u32 = 20;

/// `Σ digits[i] × 10^(18 × (bottom + i))`.
#[derive(Debug, Clone, Default)]
pub(super) struct BigDecimal {
    bottom: i32,
    digits: Vec<i128>,
}

impl From<Decimal> for BigDecimal {
    /// INVARIANT: the result is normalised and has at most three limbs.
    fn from(value: Decimal) -> Self {
        Self::new(value.coefficient(), value.exponent())
    }
}

impl BigDecimal {
    /// Returns `coefficient × 10^exponent`, normalised.
    pub(super) fn new(coefficient: i128, exponent: i32) -> Self {
        let mut places = Self { bottom: exponent.div_euclid(LIMB_DIGITS), digits: Vec::new() };
        let scale = 10_i128.pow(exponent.rem_euclid(LIMB_DIGITS).unsigned_abs());
        let (mut rest, mut carry) = (coefficient, 0);
        while rest != 0 || carry != 0 {
            let digit = (rest % LIMB_BASE) * scale + carry;
            places.digits.push(digit % LIMB_BASE);
            carry = digit / LIMB_BASE;
            rest /= LIMB_BASE;
        }
        places
    }

    /// Adds `other × factor`.
    ///
    /// INVARIANT: `other` is normalised and `factor` below 2^50, so a limb of `self` has room for
    /// thousands of additions between two normalisations.
    pub(super) fn add_scaled(&mut self, other: &BigDecimal, factor: i128) {
        if other.digits.is_empty() {
            return;
        }
        if self.digits.is_empty() {
            self.bottom = other.bottom;
        }
        if other.bottom < self.bottom {
            let missing = self.bottom.abs_diff(other.bottom) as usize;
            self.digits.splice(0..0, std::iter::repeat_n(0, missing));
            self.bottom = other.bottom;
        }
        let skip = self.bottom.abs_diff(other.bottom) as usize;
        if self.digits.len() < skip + other.digits.len() {
            self.digits.resize(skip + other.digits.len(), 0);
        }
        for (slot, digit) in self.digits.iter_mut().skip(skip).zip(&other.digits) {
            *slot += digit * factor;
        }
    }

    /// Returns the exact product with a short normalised number, normalised.
    pub(super) fn multiply(&self, few: &BigDecimal) -> BigDecimal {
        let mut digits = vec![0_i128; self.digits.len() + few.digits.len()];
        for (at, a) in self.digits.iter().enumerate() {
            for (slot, b) in digits.iter_mut().skip(at).zip(&few.digits) {
                // INVARIANT: a limb receives at most one product for each limb of `few`: three
                // products of 10^36.
                *slot += a * b;
            }
        }
        let mut product = BigDecimal { bottom: self.bottom + few.bottom, digits };
        product.normalize();
        product
    }

    /// Propagates carries until every limb is below the base, and strips zero limbs at both ends.
    pub(super) fn normalize(&mut self) {
        let mut carry = 0;
        for digit in &mut self.digits {
            (carry, *digit) = split_limb(*digit + carry);
        }
        while carry != 0 {
            self.digits.push(carry % LIMB_BASE);
            carry /= LIMB_BASE;
        }
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.bottom += zeros as i32;
    }

    /// Returns the number divided by `divisor` (1 to 2^60), rounded once.
    pub(super) fn divide_rounded(&self, divisor: u128) -> Result<Decimal, Error> {
        let mut whole = self.clone();
        whole.normalize();
        let negative = whole.digits.last().is_some_and(|digit| *digit < 0);
        whole.take_magnitude(negative);
        let (mut kept, mut rest) = (0_u128, 0_u128);
        let mut position = whole.bottom + whole.digits.len() as i32;
        loop {
            let below = (position - whole.bottom).max(0) as usize;
            let more = whole.digits.iter().take(below).any(|digit| *digit != 0);
            if !more && rest == 0 {
                return round_wide(
                    negative,
                    kept.into(),
                    i64::from(position) * i64::from(LIMB_DIGITS),
                    false,
                );
            }
            position -= 1;
            let at = usize::try_from(position - whole.bottom).ok();
            let digit = at.and_then(|at| whole.digits.get(at)).copied().unwrap_or(0).unsigned_abs();
            let value = rest * LIMB_BASE.unsigned_abs() + digit;
            let step = value / divisor;
            rest = value % divisor;
            if digits(kept) > KEPT_DIGITS {
                let left = at.and_then(|at| whole.digits.get(..at)).unwrap_or_default();
                let sticky = rest != 0 || left.iter().any(|digit| *digit != 0);
                let wide = U256::product(kept, LIMB_BASE.unsigned_abs()).plus(step.into());
                return round_wide(negative, wide, i64::from(position) * i64::from(LIMB_DIGITS), sticky);
            }
            kept = kept * LIMB_BASE.unsigned_abs() + step;
        }
    }

    /// Makes all limbs non-negative, replacing a negative number by its magnitude.
    fn take_magnitude(&mut self, negative: bool) {
        let mut carry = 0;
        for digit in &mut self.digits {
            let (more, rest) = split_limb(if negative { -*digit } else { *digit } + carry);
            let borrow = i128::from(rest < 0);
            (carry, *digit) = (more - borrow, rest + borrow * LIMB_BASE);
        }
    }
}

/// Splits a value into carry and limb, both with the sign of the value.
///
/// A 128-bit division costs as much as many additions, and most limbs need none.
#[inline]
fn split_limb(value: i128) -> (i128, i128) {
    if value.unsigned_abs() < LIMB_BASE.unsigned_abs() {
        return (0, value);
    }
    let quotient = value / LIMB_BASE;
    (quotient, value - quotient * LIMB_BASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(values: &[&str]) -> BigDecimal {
        let mut sum = BigDecimal::default();
        for value in values {
            sum.add_scaled(&BigDecimal::from(value.parse::<Decimal>().unwrap()), 1);
        }
        sum
    }

    #[test]
    fn sums_products_and_quotients_round_once() {
        for (values, divisor, want) in [
            (&["1", "2"][..], 2, "1.5"),
            (&["-1E+100", "1"], 1, "-1E+100"),
            (&["1E+40", "-1E+40", "7E-50"], 7, "1E-50"),
            (&["2"], 3, "0.6666666666666666666666666666666667"),
            (&["-1E+60", "1E-60", "1E+60"], 1, "1E-60"),
            (
                &["1000000000000000000000000000000000", "0.5", "1E-60"],
                1,
                "1000000000000000000000000000000001",
            ),
            (&["1000000000000000000000000000000000", "0.5"], 1, "1E+33"),
            (&["-1", "0.5"], 1, "-0.5"),
            (&[], 5, "0"),
        ] {
            let want: Decimal = want.parse().unwrap();
            assert_eq!(places(values).divide_rounded(divisor).unwrap(), want.normalized(), "{values:?}");
        }
        let nines = places(&["9999999999999999999999999999999999E-17"]);
        let mut square = nines.multiply(&nines);
        square.add_scaled(&places(&["1E-34"]), -1);
        let want: Decimal = "9999999999999999999999999999999998E+0".parse().unwrap();
        assert_eq!(square.divide_rounded(1).unwrap(), want);
    }
}

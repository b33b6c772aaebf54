//! Exact sums for any order of values and any range of exponents.
//!
//! A compact accumulator (one 128-bit coefficient at one exponent) serves ordinary data; on overflow
//! the sum spills to limbs in base 10^18 at fixed positions. Both are exact, so the result depends
//! neither on the form nor on the order of the values. One rounding happens at the end.

use schemas::decimal::Decimal;
use schemas::digits::{count_digits as digits, power_of_ten as pow10};

use super::{Error, round_small, round_wide};

/// Decimal digits of one limb.
const LIMB_DIGITS: i32 = 18;
/// 10^18.
const LIMB_BASE: i128 = 10_i128.pow(18);
/// Largest difference of exponents that the compact accumulator bridges.
const SHIFT_MAX: u32 = 20;

/// An exact sum of decimals.
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    sum: i128,
    exponent: i32,
    /// Signed limbs below [`LIMB_BASE`] in magnitude, the first at position `bottom` (in units of
    /// [`LIMB_DIGITS`] digits). Signs avoid borrows, so the cost of an addition does not depend on
    /// earlier values.
    limbs: Vec<i64>,
    bottom: i32,
}

impl ExactSum {
    /// Adds a value.
    pub fn add(&mut self, value: Decimal) {
        if value.is_zero() {
            return;
        }
        if self.sum == 0 {
            (self.sum, self.exponent) = (value.coefficient(), value.exponent());
            return;
        }
        match self.try_add(value) {
            Some((sum, exponent)) => (self.sum, self.exponent) = (sum, exponent),
            None => {
                self.spill_to_limbs(self.sum, self.exponent);
                (self.sum, self.exponent) = (value.coefficient(), value.exponent());
            }
        }
    }

    /// Subtracts a value.
    pub fn remove(&mut self, value: Decimal) {
        self.add(super::negate(value));
    }

    /// Returns the compact sum with `value` added, or `None` when it does not fit.
    #[inline]
    fn try_add(&self, value: Decimal) -> Option<(i128, i32)> {
        let (coefficient, exponent) = (value.coefficient(), value.exponent());
        if self.exponent == exponent {
            return Some((self.sum.checked_add(coefficient)?, exponent));
        }
        let gap = self.exponent.abs_diff(exponent);
        if gap > SHIFT_MAX {
            return None;
        }
        if self.exponent < exponent {
            return Some((self.sum.checked_add(scale_checked(coefficient, gap)?)?, self.exponent));
        }
        Some((scale_checked(self.sum, gap)?.checked_add(coefficient)?, exponent))
    }

    /// Adds `coefficient × 10^exponent` to the limbs.
    fn spill_to_limbs(&mut self, coefficient: i128, exponent: i32) {
        let position = exponent.div_euclid(LIMB_DIGITS);
        let mut at = self.limb_index(position);
        let mut rest = coefficient;
        // Align limb by limb, so that no intermediate product exceeds 128 bits.
        let scale = pow10(exponent.rem_euclid(LIMB_DIGITS).unsigned_abs()) as i128;
        let mut carry = 0;
        while rest != 0 || carry != 0 {
            if self.limbs.len() <= at {
                self.limbs.push(0);
            }
            let Some(slot) = self.limbs.get_mut(at) else { return };
            let value = (rest % LIMB_BASE) * scale + carry + i128::from(*slot);
            // INVARIANT: a remainder modulo 10^18 fits 64 bits.
            *slot = (value % LIMB_BASE) as i64;
            carry = value / LIMB_BASE;
            rest /= LIMB_BASE;
            at += 1;
        }
    }

    /// Returns the index of the limb at a position, growing the limbs down or up to reach it.
    fn limb_index(&mut self, position: i32) -> usize {
        if self.limbs.is_empty() {
            self.bottom = position;
        }
        if position < self.bottom {
            let missing = self.bottom.abs_diff(position) as usize;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.bottom = position;
        }
        let at = position.abs_diff(self.bottom) as usize;
        if self.limbs.len() < at {
            self.limbs.resize(at, 0);
        }
        at
    }

    /// Returns the sum, rounded once.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn sum(&self) -> Result<Decimal, Error> {
        self.divide_rounded(1)
    }

    /// Returns the sum divided by `count` (at least 1), rounded once.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn mean(&self, count: u64) -> Result<Decimal, Error> {
        self.divide_rounded(count.max(1))
    }

    fn divide_rounded(&self, count: u64) -> Result<Decimal, Error> {
        if self.limbs.is_empty() {
            return small_quotient(self.sum, self.exponent, count.into());
        }
        let mut whole = self.clone();
        whole.spill_to_limbs(self.sum, self.exponent);
        let negative = normalize_limbs(&mut whole.limbs);
        whole.divide_limbs(negative, count)
    }

    /// Long division of normalised limbs, most significant first.
    fn divide_limbs(&self, negative: bool, count: u64) -> Result<Decimal, Error> {
        if self.limbs.is_empty() {
            return Ok(Decimal::ZERO);
        }
        let (mut kept, mut last, mut rest) = (0_u128, 0_i32, 0_u128);
        let mut position = self.bottom + self.limbs.len() as i32 - 1;
        // A limb that no longer fits 128 bits lies beyond 34 digits and a guard digit: it ends the
        // division.
        while position >= self.bottom || (rest != 0 && digits(kept) <= super::DIGITS_MAX + 1) {
            let at = usize::try_from(position - self.bottom).ok();
            let digit = at.and_then(|at| self.limbs.get(at)).copied().unwrap_or(0).unsigned_abs();
            let value = rest * LIMB_BASE.unsigned_abs() + u128::from(digit);
            let step = value / u128::from(count);
            rest = value % u128::from(count);
            if digits(kept) + LIMB_DIGITS.unsigned_abs() <= 38 {
                kept = kept * LIMB_BASE.unsigned_abs() + step;
                last = position;
            } else {
                let left = at.and_then(|at| self.limbs.get(..at)).unwrap_or_default();
                let below = rest != 0 || left.iter().any(|digit| *digit != 0);
                let wide = super::U256::product(kept, LIMB_BASE.unsigned_abs()).plus(step.into());
                return round_wide(negative, wide, i64::from(position) * i64::from(LIMB_DIGITS), below);
            }
            position -= 1;
        }
        round_wide(negative, kept.into(), i64::from(last) * i64::from(LIMB_DIGITS), rest != 0)
    }
}

/// Returns `value × 10^gap`, or `None` on overflow.
#[inline]
fn scale_checked(value: i128, gap: u32) -> Option<i128> {
    match i64::try_from(value) {
        // INVARIANT: a 64-bit value times 10^18 fits 128 bits.
        Ok(small) if gap <= LIMB_DIGITS.unsigned_abs() => Some(i128::from(small) * pow10(gap) as i128),
        _ => value.checked_mul(pow10(gap) as i128),
    }
}

/// Returns `sum × 10^exponent / count`, rounded once.
fn small_quotient(sum: i128, exponent: i32, count: u128) -> Result<Decimal, Error> {
    let (negative, magnitude) = (sum < 0, sum.unsigned_abs());
    let mut quotient = magnitude / count;
    let mut rest = magnitude - quotient * count;
    let mut exponent = i64::from(exponent);
    // The count has at most 20 digits, so a remainder scaled by 18 digits fits 128 bits.
    while rest != 0 && digits(quotient) + LIMB_DIGITS.unsigned_abs() <= 38 {
        let scaled = rest * LIMB_BASE.unsigned_abs();
        let more = scaled / count;
        quotient = quotient * LIMB_BASE.unsigned_abs() + more;
        rest = scaled - more * count;
        exponent -= i64::from(LIMB_DIGITS);
    }
    if rest == 0 {
        return round_small(negative, quotient, exponent, false);
    }
    let scaled = rest * LIMB_BASE.unsigned_abs();
    let wide = super::U256::product(quotient, LIMB_BASE.unsigned_abs()).plus((scaled / count).into());
    round_wide(negative, wide, exponent - i64::from(LIMB_DIGITS), !scaled.is_multiple_of(count))
}

/// Converts limbs to the non-negative limbs of the magnitude, without leading zeros; returns whether
/// the number was negative.
fn normalize_limbs(digits: &mut Vec<i64>) -> bool {
    while digits.last() == Some(&0) {
        digits.pop();
    }
    // Every limb is below the base in magnitude, so the leading limb has the sign of the number.
    let negative = digits.last().is_some_and(|digit| *digit < 0);
    let mut borrow = 0;
    for digit in digits.iter_mut() {
        let value = if negative { -*digit } else { *digit } - borrow;
        borrow = i64::from(value < 0);
        *digit = value + borrow * LIMB_BASE as i64;
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    negative
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(values: &[&str]) -> ExactSum {
        let mut total = ExactSum::default();
        for value in values {
            total.add(value.parse().unwrap());
        }
        total
    }

    fn d(text: &str) -> Decimal {
        text.parse::<Decimal>().unwrap().normalized()
    }

    #[test]
    fn sums_do_not_depend_on_order() {
        let far = ["1E+6000", "1", "-1E+6000", "1E-6000", "2.5", "-1E-6000"];
        assert_eq!(total(&far).sum().unwrap(), d("3.5"));
        let mut back = far;
        back.reverse();
        assert_eq!(total(&back).sum().unwrap(), d("3.5"));
        assert_eq!(total(&[]).sum().unwrap(), Decimal::ZERO);
        assert_eq!(total(&["1E+100", "-1E+100"]).sum().unwrap(), Decimal::ZERO);
        assert_eq!(total(&["-1E+100", "1"]).sum().unwrap(), d("-1E+100"));
        assert_eq!(total(&["1E+100", "-1E-100", "-1E+100"]).sum().unwrap(), d("-1E-100"));
        assert_eq!(total(&["9E+35", "-1E-1000", "1E+35", "1E-1000", "-1E+36"]).sum().unwrap(), Decimal::ZERO);
        assert_eq!(total(&["-7E+40", "1E-40", "-3E+40"]).sum().unwrap(), d("-1E+41"));
    }

    #[test]
    fn sums_and_means_round_once() {
        let tie = "1000000000000000000000000000000000";
        assert_eq!(total(&[tie, "0.5"]).sum().unwrap(), d(tie));
        let above = total(&[tie, "0.5", "1E-60"]).sum().unwrap();
        assert_eq!(above, d("1000000000000000000000000000000001"));
        assert_eq!(total(&["1", "1"]).mean(3).unwrap(), d("0.6666666666666666666666666666666667"));
        assert_eq!(total(&["1", "2"]).mean(2).unwrap(), d("1.5"));
        let wide = total(&["1E+60", "1", "1E+60"]);
        assert_eq!(wide.mean(3).unwrap(), d("6.666666666666666666666666666666667E+59"));
        let nearly = total(&["9999999999999999999999999999999999", "9999999999999999999999999999999998"]);
        assert_eq!(nearly.mean(2).unwrap(), d("9999999999999999999999999999999998"));
    }

    #[test]
    fn a_sum_beyond_the_range_overflows() {
        let top = Decimal::new(10_i128.pow(34) - 1, 6111).unwrap();
        let mut sum = ExactSum::default();
        sum.add(top);
        sum.add(top);
        assert_eq!(sum.sum(), Err(Error::Overflow));
        assert_eq!(sum.mean(2), Ok(top));
    }
}

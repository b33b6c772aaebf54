//! Exact sums, whatever the order and the spread of exponents.
//!
//! A small accumulator (one 128-bit coefficient at one exponent) serves all ordinary data; a value
//! that does not fit it moves the sum to digits in base 10^18 at fixed positions. Both are exact, so the result does not depend on which one was used, nor on the
//! order of the values. One rounding happens at the end.

use schemas::decimal::Decimal;
use schemas::digits::{count_digits as digits, power_of_ten as pow10};

use super::{Error, round_small, round_wide};

/// Decimal digits of one place of the wide accumulator.
const LIMB_DIGITS: i32 = 18;
/// 10^18.
const LIMB_BASE: i128 = 10_i128.pow(18);
/// Largest gap of exponents that the small accumulator bridges.
const SHIFT_MAX: u32 = 20;

/// An exact sum of decimals.
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    sum: i128,
    exponent: i32,
    /// Signed digits, each below [`PLACE`] in magnitude, from the place `bottom` (multiples of
    /// [`PLACE_DIGITS`]) on: so the work for a value does not grow with those before it.
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

    /// Takes a value away.
    pub fn remove(&mut self, value: Decimal) {
        self.add(super::negate(value));
    }

    /// The small sum with `value` added, when that fits.
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

    /// Moves `coefficient × 10^exponent` to the digits.
    fn spill_to_limbs(&mut self, coefficient: i128, exponent: i32) {
        let place = exponent.div_euclid(LIMB_DIGITS);
        let mut at = self.limb_index(place);
        let mut rest = coefficient;
        // Align to the place in two steps so that nothing exceeds 128 bits.
        let scale = pow10(exponent.rem_euclid(LIMB_DIGITS).unsigned_abs()) as i128;
        let mut carry = 0;
        while rest != 0 || carry != 0 {
            if self.limbs.len() <= at {
                self.limbs.push(0);
            }
            let Some(slot) = self.limbs.get_mut(at) else { return };
            let value = (rest % LIMB_BASE) * scale + carry + i128::from(*slot);
            // INVARIANT: a remainder of 10^18 fits 64 bits.
            *slot = (value % LIMB_BASE) as i64;
            carry = value / LIMB_BASE;
            rest /= LIMB_BASE;
            at += 1;
        }
    }

    /// Where the digit of a place stands, which there now is room for.
    fn limb_index(&mut self, place: i32) -> usize {
        if self.limbs.is_empty() {
            self.bottom = place;
        }
        if place < self.bottom {
            let missing = self.bottom.abs_diff(place) as usize;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.bottom = place;
        }
        let at = place.abs_diff(self.bottom) as usize;
        if self.limbs.len() < at {
            self.limbs.resize(at, 0);
        }
        at
    }

    /// The sum, rounded once.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn sum(&self) -> Result<Decimal, Error> {
        self.divide_rounded(1)
    }

    /// The sum divided by `count` (at least 1), rounded once.
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

    /// Long division of settled digits, most significant place first.
    fn divide_limbs(&self, negative: bool, count: u64) -> Result<Decimal, Error> {
        if self.limbs.is_empty() {
            return Ok(Decimal::ZERO);
        }
        let (mut kept, mut last, mut rest) = (0_u128, 0_i32, 0_u128);
        let mut place = self.bottom + self.limbs.len() as i32 - 1;
        // A place that no longer fits 128 bits is past the 34 digits and a guard: it ends the work.
        while place >= self.bottom || (rest != 0 && digits(kept) <= super::DIGITS_MAX + 1) {
            let at = usize::try_from(place - self.bottom).ok();
            let digit = at.and_then(|at| self.limbs.get(at)).copied().unwrap_or(0).unsigned_abs();
            let value = rest * LIMB_BASE.unsigned_abs() + u128::from(digit);
            let step = value / u128::from(count);
            rest = value % u128::from(count);
            if digits(kept) + LIMB_DIGITS.unsigned_abs() <= 38 {
                kept = kept * LIMB_BASE.unsigned_abs() + step;
                last = place;
            } else {
                let left = at.and_then(|at| self.limbs.get(..at)).unwrap_or_default();
                let below = rest != 0 || left.iter().any(|digit| *digit != 0);
                let wide = super::U256::product(kept, LIMB_BASE.unsigned_abs()).plus(step.into());
                return round_wide(negative, wide, i64::from(place) * i64::from(LIMB_DIGITS), below);
            }
            place -= 1;
        }
        round_wide(negative, kept.into(), i64::from(last) * i64::from(LIMB_DIGITS), rest != 0)
    }
}

/// `value × 10^gap`, when it fits.
#[inline]
fn scale_checked(value: i128, gap: u32) -> Option<i128> {
    match i64::try_from(value) {
        // INVARIANT: 64 bits times 10^18 fit 128 bits.
        Ok(small) if gap <= LIMB_DIGITS.unsigned_abs() => Some(i128::from(small) * pow10(gap) as i128),
        _ => value.checked_mul(pow10(gap) as i128),
    }
}

/// `sum × 10^exponent / count`, rounded once.
fn small_quotient(sum: i128, exponent: i32, count: u128) -> Result<Decimal, Error> {
    let (negative, magnitude) = (sum < 0, sum.unsigned_abs());
    let mut quotient = magnitude / count;
    let mut rest = magnitude - quotient * count;
    let mut exponent = i64::from(exponent);
    // The count has at most 20 digits, so the remainder takes 18 more in 128 bits.
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

/// Makes all digits not negative, those of the magnitude, without leading zeros; says whether the
/// number was negative.
fn normalize_limbs(digits: &mut Vec<i64>) -> bool {
    while digits.last() == Some(&0) {
        digits.pop();
    }
    // No digit reaches the base, so the first one has the sign of the number.
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
    fn sums_are_exact_in_any_order() {
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
    fn one_rounding_at_the_end() {
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
    fn too_large_a_sum_is_an_overflow() {
        let top = Decimal::new(10_i128.pow(34) - 1, 6111).unwrap();
        let mut sum = ExactSum::default();
        sum.add(top);
        sum.add(top);
        assert_eq!(sum.sum(), Err(Error::Overflow));
        assert_eq!(sum.mean(2), Ok(top));
    }
}

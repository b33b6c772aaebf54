//! Exact variance of a changing set of numbers: sums and sums of squares without rounding.
//!
//! Numbers of at most 15 digits at one scale use 128-bit accumulators. The first number that does not
//! fit promotes the state to limbs of any length. Both forms are exact, so the result depends neither
//! on the form nor on the order of the numbers.

use schemas::decimal::Decimal;

use super::big_decimal::BigDecimal;
use super::u256::U256;
use super::{Error, round_wide};

/// Count, sum and sum of squares of a set of values.
#[derive(Debug, Clone)]
pub struct ExactVariance {
    count: u64,
    form: MomentForm,
}

#[derive(Debug, Clone)]
enum MomentForm {
    Compact(CompactMoments),
    Big(BigMoments),
}

/// Moments of integers that share one exponent.
#[derive(Debug, Clone, Default)]
struct CompactMoments {
    exponent: i32,
    sum: i128,
    squares: i128,
    /// The largest magnitude so far, below [`SMALL_LIMIT`].
    peak: i128,
}

/// Moments in limbs of any length.
///
/// INVARIANT: `numerator` is `n·Σx² − (Σx)²`, exact. It is updated with each added or removed value,
/// so the cost of one update is bounded by the range of the exponents, not by the count.
#[derive(Debug, Clone, Default)]
struct BigMoments {
    sum: BigDecimal,
    squares: BigDecimal,
    numerator: BigDecimal,
}

/// Bound on scaled values: 2^26 squares below 2^100 fit 128 bits.
const SMALL_LIMIT: i128 = 1 << 50;
/// Count of values at which the compact form would overflow.
const SMALL_COUNT_MAX: u64 = 1 << 26;
/// Digits to which the numerator is scaled before the division: as many as 256 bits hold.
const NUMERATOR_DIGITS: u32 = 76;

impl Default for ExactVariance {
    fn default() -> Self {
        Self { count: 0, form: MomentForm::Compact(CompactMoments::default()) }
    }
}

impl ExactVariance {
    /// Adds a value; at most 2^40 values may be held.
    pub fn add(&mut self, value: Decimal) {
        if self.count >= SMALL_COUNT_MAX {
            self.promote();
        }
        if let MomentForm::Compact(small) = &mut self.form {
            if let Some(scaled) = small.rescale(value) {
                small.accumulate(scaled, 1);
                self.count += 1;
                return;
            }
            self.promote();
        }
        if let MomentForm::Big(long) = &mut self.form {
            long.add(value, self.count);
        }
        self.count += 1;
    }

    /// Removes a value that was added before.
    pub fn remove(&mut self, value: Decimal) {
        self.count = self.count.saturating_sub(1);
        match &mut self.form {
            MomentForm::Compact(small) => {
                // A value that was added fits the common scale, which only grows finer.
                let scaled = small.rescale(value).unwrap_or_default();
                small.accumulate(scaled, -1);
            }
            MomentForm::Big(long) => long.remove(value, self.count),
        }
    }

    /// Switches to limbs of any length.
    fn promote(&mut self) {
        if let MomentForm::Compact(small) = &self.form {
            self.form = MomentForm::Big(small.to_big(self.count));
        }
    }

    /// Returns the population variance `(n·Σx² − (Σx)²) / n²`, or with `sample` the sample variance
    /// over `n·(n − 1)`, rounded once. `None` without values, and for a sample of one value.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn variance(&self, sample: bool) -> Result<Option<Decimal>, Error> {
        let degrees = if sample { self.count.saturating_sub(1) } else { self.count };
        if degrees == 0 {
            return Ok(None);
        }
        let divisor = u128::from(self.count) * u128::from(degrees);
        match &self.form {
            MomentForm::Compact(small) => small.divide_rounded(self.count, divisor as u64).map(Some),
            MomentForm::Big(long) => long.numerator.divide_rounded(divisor).map(Some),
        }
    }
}

impl CompactMoments {
    /// Returns the value at the common exponent, lowering that exponent when all values still fit;
    /// `None` when they do not.
    fn rescale(&mut self, value: Decimal) -> Option<i128> {
        if value.is_zero() {
            return Some(0);
        }
        if self.peak == 0 {
            self.exponent = value.exponent();
        }
        let gap = self.exponent.abs_diff(value.exponent());
        let scale = i128::from(10_u64.checked_pow(gap)?);
        let fits = |number: i128| {
            number.checked_mul(scale).filter(|scaled| scaled.unsigned_abs() < SMALL_LIMIT.unsigned_abs())
        };
        let scaled = if value.exponent() >= self.exponent {
            fits(value.coefficient())?
        } else {
            let scaled = value.coefficient();
            self.peak = fits(self.peak).filter(|_| scaled.abs() < SMALL_LIMIT)?;
            // INVARIANT: no value exceeds the peak, which fits after scaling, so neither sum
            // overflows.
            (self.sum, self.squares) = (self.sum * scale, self.squares * scale * scale);
            self.exponent = value.exponent();
            scaled
        };
        self.peak = self.peak.max(scaled.abs());
        Some(scaled)
    }

    fn accumulate(&mut self, scaled: i128, sign: i128) {
        self.sum += sign * scaled;
        self.squares += sign * scaled * scaled;
    }

    fn to_big(&self, count: u64) -> BigMoments {
        let sum = BigDecimal::new(self.sum, self.exponent);
        let squares = BigDecimal::new(self.squares, 2 * self.exponent);
        let mut numerator = BigDecimal::default();
        numerator.add_scaled(&squares, i128::from(count));
        numerator.add_scaled(&sum.multiply(&sum), -1);
        numerator.normalize();
        BigMoments { sum, squares, numerator }
    }

    /// Returns `n·Σx² − (Σx)²` divided by `divisor` (at most 2^52), rounded once.
    fn divide_rounded(&self, count: u64, divisor: u64) -> Result<Decimal, Error> {
        let (sum, squares) = (self.sum.unsigned_abs(), self.squares.unsigned_abs());
        let gap = U256::product(squares, count.into()).minus(U256::product(sum, sum));
        if gap.is_zero() {
            return Ok(Decimal::ZERO);
        }
        let shift = NUMERATOR_DIGITS - gap.decimal_digits();
        let (quotient, rest) = gap.times_pow10(shift).divide_word(divisor);
        round_wide(false, quotient, i64::from(2 * self.exponent) - i64::from(shift), rest != 0)
    }
}

impl BigMoments {
    fn add(&mut self, value: Decimal, count: u64) {
        let value = BigDecimal::from(value);
        let square = value.multiply(&value);
        self.update_numerator(&value, &square, count, 1);
        self.sum.add_scaled(&value, 1);
        self.squares.add_scaled(&square, 1);
        self.normalize();
    }

    /// Removes a value; `count` is the number of values that remain.
    fn remove(&mut self, value: Decimal, count: u64) {
        let value = BigDecimal::from(value);
        let square = value.multiply(&value);
        self.sum.add_scaled(&value, -1);
        self.squares.add_scaled(&square, -1);
        self.normalize();
        self.update_numerator(&value, &square, count, -1);
    }

    /// Updates the numerator by `(n+1)(Q+x²) − (S+x)² = nQ − S² + Q + n·x² − 2·S·x`; `sign` is -1
    /// when the value is removed.
    fn update_numerator(&mut self, value: &BigDecimal, square: &BigDecimal, count: u64, sign: i128) {
        self.numerator.add_scaled(&self.squares, sign);
        self.numerator.add_scaled(square, sign * i128::from(count));
        self.numerator.add_scaled(&self.sum.multiply(value), -2 * sign);
        self.numerator.normalize();
    }

    fn normalize(&mut self) {
        self.sum.normalize();
        self.squares.normalize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse::<Decimal>().unwrap().normalized()
    }

    fn variances(values: &[&str]) -> (Option<Decimal>, Option<Decimal>) {
        let mut spread = ExactVariance::default();
        values.iter().for_each(|value| spread.add(d(value)));
        (spread.variance(false).unwrap(), spread.variance(true).unwrap())
    }

    #[test]
    fn variances_round_once() {
        assert_eq!(variances(&[]), (None, None));
        assert_eq!(variances(&["7"]), (Some(d("0")), None));
        assert_eq!(variances(&["3", "5", "7"]).0, Some(d("2.666666666666666666666666666666667")));
        assert_eq!(variances(&["3", "5", "7"]).1, Some(d("4")));
        // A large common part does not cancel the small differences.
        let far = ["1000000000000000000000000000000001", "1000000000000000000000000000000003"];
        assert_eq!(variances(&far), (Some(d("1")), Some(d("2"))));
        assert_eq!(variances(&["1E+3000", "1E-3000"]).0, Some(d("2.5E+5999")));
    }

    #[test]
    fn removed_values_leave_no_trace() {
        let mut spread = ExactVariance::default();
        for value in ["1E+3000", "3", "-1E-3000", "5", "7"] {
            spread.add(d(value));
        }
        spread.remove(d("-1E-3000"));
        spread.remove(d("1E+3000"));
        assert_eq!(spread.variance(true), Ok(Some(d("4"))));
        for value in ["3", "5", "7"] {
            spread.remove(d(value));
        }
        assert_eq!(spread.variance(false), Ok(None));
    }

    #[test]
    fn a_variance_beyond_the_range_overflows() {
        let mut spread = ExactVariance::default();
        spread.add(d("1E+6000"));
        assert_eq!(spread.variance(false), Ok(Some(Decimal::ZERO)));
        spread.add(d("-1E+6000"));
        assert_eq!(spread.variance(false), Err(Error::Overflow));
    }

    #[test]
    fn compact_and_big_forms_agree() {
        // Integers, then finer scales, then a number too long for the compact form.
        let values = ["1200", "-7", "0", "3.25", "0.001", "99999999999", "12345.678", "0.5"];
        let mut small = ExactVariance::default();
        let mut long = ExactVariance::default();
        long.promote();
        for value in values {
            small.add(d(value));
            long.add(d(value));
            assert_eq!(small.variance(true), long.variance(true), "{value}");
        }
        assert!(matches!(small.form, MomentForm::Compact(_)));
        for value in ["1234567890123456", "1E-20", "7E+30"] {
            small.add(d(value));
            long.add(d(value));
            assert_eq!(small.variance(false), long.variance(false), "{value}");
        }
        assert!(matches!(small.form, MomentForm::Big(_)));
        let mut back = ExactVariance::default();
        values.iter().for_each(|value| back.add(d(value)));
        for value in ["1200", "99999999999", "0.001", "0"] {
            back.remove(d(value));
        }
        let mut left = ExactVariance::default();
        ["0.5", "-7", "12345.678", "3.25"].iter().for_each(|value| left.add(d(value)));
        assert_eq!(back.variance(true), left.variance(true));
    }
}

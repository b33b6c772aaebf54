//! Exact moments of numbers that come and go: what variances are made of.
//!
//! Numbers of one scale and at most 15 digits are counted in 128 bits. One that does not fit moves
//! everything to digits of any length. Both are exact, so the result does not depend on which was
//! used, nor on the order of the numbers.

use schemas::decimal::Decimal;

use super::places::Places;
use super::wide::Wide;
use super::{Error, finish};

/// The number of values, their sum and the sum of their squares.
#[derive(Debug, Clone)]
pub struct Spread {
    count: u64,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Small(Small),
    Long(Long),
}

/// Whole numbers at one exponent.
#[derive(Debug, Clone, Default)]
struct Small {
    exponent: i32,
    sum: i128,
    squares: i128,
    /// The largest magnitude so far, below [`SMALL_LIMIT`].
    peak: i128,
}

/// INVARIANT: `gap` is `n·Σx² − (Σx)²`, exact. It is carried along with each number that comes or
/// goes, so the work for one is bounded by the spread of the exponents, not by how many there are.
#[derive(Debug, Clone, Default)]
struct Long {
    sum: Places,
    squares: Places,
    gap: Places,
}

/// Squares of smaller numbers, 2^26 of them, fit 128 bits.
const SMALL_LIMIT: i128 = 1 << 50;
/// Values after which the small form would have no room.
const SMALL_COUNT_MAX: u64 = 1 << 26;
/// Digits that a difference is brought to before it is divided: as many as 256 bits take.
const GAP_DIGITS: u32 = 76;

impl Default for Spread {
    fn default() -> Self {
        Self { count: 0, form: Form::Small(Small::default()) }
    }
}

impl Spread {
    /// Takes a value in; at most 2^40 of them.
    pub fn add(&mut self, value: Decimal) {
        if self.count >= SMALL_COUNT_MAX {
            self.lengthen();
        }
        if let Form::Small(small) = &mut self.form {
            if let Some(scaled) = small.scaled(value) {
                small.shift(scaled, 1);
                self.count += 1;
                return;
            }
            self.lengthen();
        }
        if let Form::Long(long) = &mut self.form {
            long.add(value, self.count);
        }
        self.count += 1;
    }

    /// Lets a value go that was taken in before.
    pub fn remove(&mut self, value: Decimal) {
        self.count = self.count.saturating_sub(1);
        match &mut self.form {
            Form::Small(small) => {
                // What was taken in fits the scale.
                let scaled = small.scaled(value).unwrap_or_default();
                small.shift(scaled, -1);
            }
            Form::Long(long) => long.remove(value, self.count),
        }
    }

    /// Moves to digits of any length.
    fn lengthen(&mut self) {
        if let Form::Small(small) = &self.form {
            self.form = Form::Long(small.long(self.count));
        }
    }

    /// The population variance `(n·Σx² − (Σx)²) / n²`, or with `sample` over `n·(n − 1)`, rounded
    /// once; `None` of no value, and of one value as a sample.
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
            Form::Small(small) => small.quotient(self.count, divisor as u64).map(Some),
            Form::Long(long) => long.gap.quotient(divisor).map(Some),
        }
    }
}

impl Small {
    /// The value at the common exponent, which goes down where that leaves room.
    fn scaled(&mut self, value: Decimal) -> Option<i128> {
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
            // INVARIANT: no value is above the peak, so the sums have room for this.
            (self.sum, self.squares) = (self.sum * scale, self.squares * scale * scale);
            self.exponent = value.exponent();
            scaled
        };
        self.peak = self.peak.max(scaled.abs());
        Some(scaled)
    }

    fn shift(&mut self, scaled: i128, sign: i128) {
        self.sum += sign * scaled;
        self.squares += sign * scaled * scaled;
    }

    fn long(&self, count: u64) -> Long {
        let sum = Places::new(self.sum, self.exponent);
        let squares = Places::new(self.squares, 2 * self.exponent);
        let mut gap = Places::default();
        gap.add(&squares, i128::from(count));
        gap.add(&sum.times(&sum), -1);
        gap.settle();
        Long { sum, squares, gap }
    }

    /// `n·Σx² − (Σx)²` divided by `divisor` (at most 2^52), rounded once.
    fn quotient(&self, count: u64, divisor: u64) -> Result<Decimal, Error> {
        let (sum, squares) = (self.sum.unsigned_abs(), self.squares.unsigned_abs());
        let gap = Wide::product(squares, count.into()).minus(Wide::product(sum, sum));
        if gap.is_zero() {
            return Ok(Decimal::ZERO);
        }
        let shift = GAP_DIGITS - gap.digits();
        let (quotient, rest) = gap.times_pow10(shift).divide(divisor);
        finish(false, quotient, i64::from(2 * self.exponent) - i64::from(shift), rest != 0)
    }
}

impl Long {
    fn add(&mut self, value: Decimal, count: u64) {
        let value = Places::from(value);
        let square = value.times(&value);
        self.shift(&value, &square, count, 1);
        self.sum.add(&value, 1);
        self.squares.add(&square, 1);
        self.settle();
    }

    /// `count` is that of the values that stay.
    fn remove(&mut self, value: Decimal, count: u64) {
        let value = Places::from(value);
        let square = value.times(&value);
        self.sum.add(&value, -1);
        self.squares.add(&square, -1);
        self.settle();
        self.shift(&value, &square, count, -1);
    }

    /// `(n+1)(Q+x²) − (S+x)² = nQ − S² + Q + n·x² − 2·S·x`, forwards or backwards.
    fn shift(&mut self, value: &Places, square: &Places, count: u64, sign: i128) {
        self.gap.add(&self.squares, sign);
        self.gap.add(square, sign * i128::from(count));
        self.gap.add(&self.sum.times(value), -2 * sign);
        self.gap.settle();
    }

    fn settle(&mut self) {
        self.sum.settle();
        self.squares.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse::<Decimal>().unwrap().normalized()
    }

    fn variances(values: &[&str]) -> (Option<Decimal>, Option<Decimal>) {
        let mut spread = Spread::default();
        values.iter().for_each(|value| spread.add(d(value)));
        (spread.variance(false).unwrap(), spread.variance(true).unwrap())
    }

    #[test]
    fn variances_are_exact_quotients() {
        assert_eq!(variances(&[]), (None, None));
        assert_eq!(variances(&["7"]), (Some(d("0")), None));
        assert_eq!(variances(&["3", "5", "7"]).0, Some(d("2.666666666666666666666666666666667")));
        assert_eq!(variances(&["3", "5", "7"]).1, Some(d("4")));
        // A large common part does not drown the small differences.
        let far = ["1000000000000000000000000000000001", "1000000000000000000000000000000003"];
        assert_eq!(variances(&far), (Some(d("1")), Some(d("2"))));
        assert_eq!(variances(&["1E+3000", "1E-3000"]).0, Some(d("2.5E+5999")));
    }

    #[test]
    fn what_comes_and_goes_leaves_nothing_behind() {
        let mut spread = Spread::default();
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
    fn the_range_ends_in_a_fault() {
        let mut spread = Spread::default();
        spread.add(d("1E+6000"));
        assert_eq!(spread.variance(false), Ok(Some(Decimal::ZERO)));
        spread.add(d("-1E+6000"));
        assert_eq!(spread.variance(false), Err(Error::Overflow));
    }

    #[test]
    fn both_forms_agree() {
        // Whole numbers, then finer ones, then one too long for the small form.
        let values = ["1200", "-7", "0", "3.25", "0.001", "99999999999", "12345.678", "0.5"];
        let mut small = Spread::default();
        let mut long = Spread::default();
        long.lengthen();
        for value in values {
            small.add(d(value));
            long.add(d(value));
            assert_eq!(small.variance(true), long.variance(true), "{value}");
        }
        assert!(matches!(small.form, Form::Small(_)));
        for value in ["1234567890123456", "1E-20", "7E+30"] {
            small.add(d(value));
            long.add(d(value));
            assert_eq!(small.variance(false), long.variance(false), "{value}");
        }
        assert!(matches!(small.form, Form::Long(_)));
        let mut back = Spread::default();
        values.iter().for_each(|value| back.add(d(value)));
        for value in ["1200", "99999999999", "0.001", "0"] {
            back.remove(d(value));
        }
        let mut left = Spread::default();
        ["0.5", "-7", "12345.678", "3.25"].iter().for_each(|value| left.add(d(value)));
        assert_eq!(back.variance(true), left.variance(true));
    }
}

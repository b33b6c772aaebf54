//! Exact moments of numbers that come and go: what variances are made of.
//!
//! INVARIANT: `gap` is `n·Σx² − (Σx)²`, exact. It is carried along with each number that comes or
//! goes, so the work for one is bounded by the spread of the exponents, not by how many there are.

use schemas::decimal::Decimal;

use super::Error;
use super::places::Places;

/// The number of values, their sum, the sum of their squares, and `n·Σx² − (Σx)²`.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    count: u64,
    sum: Places,
    squares: Places,
    gap: Places,
}

impl Spread {
    /// Takes a value in; at most 2^40 of them.
    pub fn add(&mut self, value: Decimal) {
        let value = Places::from(value);
        let square = value.times(&value);
        self.shift(&value, &square, 1);
        self.count += 1;
        self.sum.add(&value, 1);
        self.squares.add(&square, 1);
        self.settle();
    }

    /// Lets a value go that was taken in before.
    pub fn remove(&mut self, value: Decimal) {
        let value = Places::from(value);
        let square = value.times(&value);
        self.count = self.count.saturating_sub(1);
        self.sum.add(&value, -1);
        self.squares.add(&square, -1);
        self.settle();
        self.shift(&value, &square, -1);
    }

    /// `(n+1)(Q+x²) − (S+x)² = nQ − S² + Q + n·x² − 2·S·x`, forwards or backwards.
    fn shift(&mut self, value: &Places, square: &Places, sign: i128) {
        self.gap.add(&self.squares, sign);
        self.gap.add(square, sign * i128::from(self.count));
        self.gap.add(&self.sum.times(value), -2 * sign);
        self.gap.settle();
    }

    fn settle(&mut self) {
        self.sum.settle();
        self.squares.settle();
    }

    /// The population variance `(n·Σx² − (Σx)²) / n²`, or with `sample` over `n·(n − 1)`, rounded
    /// once; `None` of no value, and of one value as a sample.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn variance(&self, sample: bool) -> Result<Option<Decimal>, Error> {
        let count = u128::from(self.count);
        let degrees = if sample { count.saturating_sub(1) } else { count };
        if degrees == 0 {
            return Ok(None);
        }
        self.gap.quotient(count * degrees).map(Some)
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
        assert_eq!(spread.gap.quotient(1), Ok(d("24")));
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
}

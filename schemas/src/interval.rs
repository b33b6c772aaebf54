//! Time intervals, the VTL type `time` (user manual, "Time").
//!
//! An interval is a first and a last day, both inside. Its one spelling is
//! `2010-01-01/2010-12-31`, which sorts like the intervals: by first day, then by last.

use std::fmt;
use std::str::FromStr;

use crate::period::{Frequency, Period};

/// The days from a first to a last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// INVARIANT: both are days, `first <= last`.
    first: Period,
    last: Period,
}

/// Rejection of a text that should be an [`Interval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time interval (expected forms: 2010-01-01/2010-12-31, 2010-M01/2010-M12, 2010)")]
pub struct Error(String);

impl Interval {
    /// The days from `first` to `last`; `None` when one is not a day or `last` is before `first`.
    pub fn new(first: Period, last: Period) -> Option<Self> {
        let days = first.frequency() == Frequency::D && last.frequency() == Frequency::D;
        (days && first <= last).then_some(Self { first, last })
    }

    /// The first day.
    pub fn first(self) -> Period {
        self.first
    }

    /// The last day.
    pub fn last(self) -> Period {
        self.last
    }

    /// The coarsest period with exactly these days, if there is one.
    pub fn period(self) -> Option<Period> {
        let fits = |period: &Period| period.first_day() == self.first && period.last_day() == self.last;
        Frequency::ALL.into_iter().filter_map(|frequency| self.first.to_frequency(frequency)).find(fits)
    }

    /// Whether a text is the canonical spelling of an interval.
    pub fn is_canonical(text: &str) -> bool {
        text.parse().is_ok_and(|interval: Self| interval.to_string() == text)
    }
}

impl From<Period> for Interval {
    fn from(period: Period) -> Self {
        Self { first: period.first_day(), last: period.last_day() }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.last)
    }
}

impl FromStr for Interval {
    type Err = Error;

    /// Reads two days or periods around a slash, or one period.
    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error(text.chars().take(40).collect());
        let day = |text: &str| text.parse::<Period>().map_err(|_| error());
        let (first, last) = text.split_once('/').unwrap_or((text, text));
        Self::new(day(first)?.first_day(), day(last)?.last_day()).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_one_spelling() {
        for text in ["2010-01-01/2010-12-31", "2010M1/2010M12", "2010", "2010-Q1/2010-Q4"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), "2010-01-01/2010-12-31");
        }
        assert!(Interval::is_canonical("2010-01-01/2010-12-31"));
        for text in ["2010", "", "/", "2011/2010", "2010-01-01/2010-12-32", "a/b", "2010/2011/2012"] {
            assert!(!Interval::is_canonical(text), "{text}");
        }
    }

    #[test]
    fn an_interval_knows_its_period() {
        let period = |text: &str| text.parse::<Interval>().unwrap().period().map(|p| p.to_string());
        assert_eq!(period("2010-01-01/2010-12-31").as_deref(), Some("2010"));
        assert_eq!(period("2010-04-01/2010-06-30").as_deref(), Some("2010-Q2"));
        assert_eq!(period("2020-02-01/2020-02-29").as_deref(), Some("2020-M02"));
        assert_eq!(period("2020-12-28/2021-01-03").as_deref(), Some("2020-W53"));
        assert_eq!(period("2020-12-28/2021-01-04"), None);
    }
}

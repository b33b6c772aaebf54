//! Durations (VTL user manual, "Duration"): lengths of time in months and days.
//!
//! The duration of a frequency is spelled by its letter (`A`, `S`, `Q`, `M`, `W`, `D`); all others as
//! ISO 8601 without clock time. Years are twelve months, weeks seven days; months have no days.

use std::fmt;
use std::str::FromStr;

use crate::period::Frequency;

/// Largest number of months, and of days, of a duration.
pub const DURATION_PARTS_MAX: u32 = 1_000_000;

/// A length of time; ordered by months, then by days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    months: u32,
    days: u32,
}

/// Rejection of a text that should be a [`Duration`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration (expected forms: A, S, Q, M, W, D, P1Y6M, P10D)")]
pub struct Error(String);

impl Duration {
    /// The duration of `months` and `days`; `None` when one exceeds [`DURATION_PARTS_MAX`].
    pub fn new(months: u32, days: u32) -> Option<Self> {
        (months <= DURATION_PARTS_MAX && days <= DURATION_PARTS_MAX).then_some(Self { months, days })
    }

    /// Months, twelve to a year.
    pub fn months(self) -> u32 {
        self.months
    }

    /// Days beside the months.
    pub fn days(self) -> u32 {
        self.days
    }

    /// The frequency whose periods have this length.
    pub fn frequency(self) -> Option<Frequency> {
        Frequency::ALL.into_iter().find(|frequency| Self::from(*frequency) == self)
    }

    /// Whether a text is the canonical spelling of a duration.
    pub fn is_canonical(text: &str) -> bool {
        text.parse().is_ok_and(|duration: Self| duration.to_string() == text)
    }
}

impl From<Frequency> for Duration {
    fn from(frequency: Frequency) -> Self {
        let (months, days) = match frequency {
            Frequency::A => (12, 0),
            Frequency::S => (6, 0),
            Frequency::Q => (3, 0),
            Frequency::M => (1, 0),
            Frequency::W => (0, 7),
            Frequency::D => (0, 1),
        };
        Self { months, days }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(frequency) = self.frequency() {
            return f.write_str(frequency.code());
        }
        f.write_str("P")?;
        for (count, unit) in [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')] {
            // The empty duration is `P0D` (specs/objects.md, section 6a).
            if count > 0 || (unit == 'D' && self.months == 0) {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Duration {
    type Err = Error;

    /// Reads a letter, or `P` with years, months, weeks and days, each at most once, in that order.
    fn from_str(text: &str) -> Result<Self, Error> {
        let letter = Frequency::from_code(text).map(Self::from);
        letter.or_else(|| parse_iso(text)).ok_or_else(|| Error(text.chars().take(40).collect()))
    }
}

fn parse_iso(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let (mut months, mut days) = (0_u32, 0_u32);
    // ISO 8601 fixes the order of the units, and each occurs once at most.
    for unit in ['Y', 'M', 'W', 'D'] {
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = rest.split_at_checked(length)?;
        let Some(after) = after.strip_prefix(unit) else { continue };
        let count = digits.parse::<u32>().ok()?;
        let (part, each) = match unit {
            'Y' => (&mut months, 12),
            'M' => (&mut months, 1),
            'W' => (&mut days, 7),
            _ => (&mut days, 1),
        };
        *part = part.checked_add(count.checked_mul(each)?)?;
        rest = after;
    }
    if rest.is_empty() { Duration::new(months, days) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_one_spelling() {
        for (text, canonical) in [
            ("A", "A"),
            ("P1Y", "A"),
            ("P12M", "A"),
            ("P1W", "W"),
            ("P7D", "W"),
            ("P2Y230D", "P2Y230D"),
            ("P0Y240D", "P240D"),
            ("P18M", "P1Y6M"),
            ("P0D", "P0D"),
            ("P2W", "P14D"),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), canonical);
            assert_eq!(Duration::is_canonical(text), text == canonical);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "P", "PY", "P1", "1Y", "P1D1Y", "PT1H", "P1Y1Y", "a", "P-1D", "P99999999999D", "P9999999Y"]
        {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}

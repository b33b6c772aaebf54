//! Periods of a fixed frequency: annual, half-yearly, quarterly, monthly, weekly (ISO 8601), daily.
//!
//! A period is a frequency and an ordinal; arithmetic is on the ordinal, so a shift by twelve
//! months is exact for any data. Each period has one canonical spelling; the parser also
//! reads the other spellings of SDMX and VTL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digits;

/// Last year of the calendar; the first is 1.
pub const YEAR_MAX: i32 = 9999;

/// Frequency of observation (SDMX code list CL_FREQ).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Frequency {
    /// Annual.
    A,
    /// Half-yearly.
    S,
    /// Quarterly.
    Q,
    /// Monthly.
    M,
    /// Weekly, ISO 8601: weeks begin on Monday, week 1 contains the first Thursday.
    W,
    /// Daily.
    D,
}

impl Frequency {
    /// Every frequency, coarsest first.
    pub const ALL: [Frequency; 6] = [Self::A, Self::S, Self::Q, Self::M, Self::W, Self::D];

    /// The code of CL_FREQ.
    pub fn code(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::S => "S",
            Self::Q => "Q",
            Self::M => "M",
            Self::W => "W",
            Self::D => "D",
        }
    }

    /// The frequency of a code of CL_FREQ, if it is one of ours.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.code() == code)
    }

    fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'A' => Self::A,
            b'S' => Self::S,
            b'Q' => Self::Q,
            b'M' => Self::M,
            b'W' => Self::W,
            b'D' => Self::D,
            _ => return None,
        })
    }

    /// Periods in a year, for the frequencies that divide it.
    fn per_year(self) -> Option<i32> {
        match self {
            Self::A => Some(1),
            Self::S => Some(2),
            Self::Q => Some(4),
            Self::M => Some(12),
            Self::W | Self::D => None,
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A calendar period. Ordered by frequency (coarsest first), then by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    frequency: Frequency,
    /// Counted from the year 0 (A, S, Q, M) or from Monday 0001-01-01 (W, D).
    ordinal: i32,
}

/// Rejection of a text that should be a [`Period`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a period (expected forms: 2010, 2010-S1, 2010-Q1, 2010-M01, 2010-W05, 2010-01-31)")]
pub struct Error(String);

impl Period {
    /// The period of `frequency` with number `index` (from 1) in `year`; for days the day of the year.
    ///
    /// `None` when the year has no such period.
    pub fn new(frequency: Frequency, year: i32, index: i32) -> Option<Self> {
        if !(1..=YEAR_MAX).contains(&year) || index < 1 {
            return None;
        }
        let ordinal = match frequency.per_year() {
            Some(count) => (index <= count).then(|| year * count + index - 1)?,
            None if frequency == Frequency::W => {
                (index <= weeks_in(year)).then(|| first_week(year) + index - 1)?
            }
            None => {
                let days = days_before(year + 1) - days_before(year);
                (index <= days).then(|| days_before(year) + index - 1)?
            }
        };
        Some(Self { frequency, ordinal })
    }

    /// The day `year-month-day` of the Gregorian calendar.
    pub fn from_date(year: i32, month: i32, day: i32) -> Option<Self> {
        if !(1..=YEAR_MAX).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        if !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        Some(Self { frequency: Frequency::D, ordinal: date_ordinal(year, month, day) })
    }

    /// The frequency.
    pub fn frequency(self) -> Frequency {
        self.frequency
    }

    /// The position on the line of all periods of this frequency.
    pub fn ordinal(self) -> i32 {
        self.ordinal
    }

    /// The period with this position; `None` outside the years 1 to 9999.
    pub fn from_ordinal(frequency: Frequency, ordinal: i32) -> Option<Self> {
        let period = Self { frequency, ordinal };
        let (first, last) = match frequency.per_year() {
            Some(count) => (count, (YEAR_MAX + 1) * count - 1),
            // The last week ends beyond the calendar but exists (specs/objects.md, section 6).
            None if frequency == Frequency::W => (0, first_week(YEAR_MAX + 1) - 1),
            None => (0, days_before(YEAR_MAX + 1) - 1),
        };
        (first..=last).contains(&ordinal).then_some(period)
    }

    /// The period `count` periods later (earlier when negative); `None` outside the calendar.
    pub fn shift(self, count: i64) -> Option<Self> {
        // The count comes from a script and may be any 64-bit integer.
        let moved = i64::from(self.ordinal).checked_add(count)?;
        Self::from_ordinal(self.frequency, i32::try_from(moved).ok()?)
    }

    /// The year that the period belongs to (for weeks the ISO year).
    pub fn year(self) -> i32 {
        match self.frequency.per_year() {
            Some(count) => self.ordinal / count,
            None if self.frequency == Frequency::W => iso_year(self.ordinal),
            None => civil_date(self.ordinal).0,
        }
    }

    /// The number of the period within its year, from 1; for days the day of the year.
    pub fn index(self) -> i32 {
        match self.frequency.per_year() {
            Some(count) => self.ordinal % count + 1,
            None if self.frequency == Frequency::W => self.ordinal - first_week(self.year()) + 1,
            None => self.ordinal - days_before(self.year()) + 1,
        }
    }

    /// First day of the period, as a daily period.
    pub fn first_day(self) -> Period {
        let ordinal = match self.frequency.per_year() {
            Some(count) => {
                let months = 12 / count;
                date_ordinal(self.year(), (self.index() - 1) * months + 1, 1)
            }
            None if self.frequency == Frequency::W => self.ordinal * 7,
            None => self.ordinal,
        };
        Period { frequency: Frequency::D, ordinal }
    }

    /// Last day of the period, as a daily period.
    pub fn last_day(self) -> Period {
        let first = self.first_day();
        let ordinal = match self.frequency.per_year() {
            Some(count) => {
                let month = self.index() * (12 / count);
                date_ordinal(self.year(), month, days_in_month(self.year(), month))
            }
            None if self.frequency == Frequency::W => first.ordinal + 6,
            None => first.ordinal,
        };
        // INVARIANT: the calendar ends on the Friday 9999-12-31, within the last week.
        Period { frequency: Frequency::D, ordinal: ordinal.min(days_before(YEAR_MAX + 1) - 1) }
    }

    /// Year, month and day of the first day.
    pub fn start_date(self) -> (i32, i32, i32) {
        civil_date(self.first_day().ordinal)
    }

    /// The period of a coarser (or the same) frequency that this one begins in.
    ///
    /// A week belongs to the year of its Thursday for `A`; its first day decides for `S`, `Q`, `M`.
    /// `None` when `frequency` is finer.
    pub fn to_frequency(self, frequency: Frequency) -> Option<Self> {
        if let (Some(fine), Some(coarse)) = (self.frequency.per_year(), frequency.per_year()) {
            // A finer target makes the quotient 0; `max` avoids the division, and the next line refuses it.
            let ordinal = self.ordinal / (fine / coarse).max(1);
            return (frequency <= self.frequency).then_some(Self { frequency, ordinal });
        }
        // A week belongs to its ISO 8601 year, which may differ from the year of its first day.
        if frequency < self.frequency && frequency == Frequency::A {
            return Period::new(Frequency::A, self.year(), 1);
        }
        let (year, month, _) = self.start_date();
        match frequency {
            _ if frequency == self.frequency => Some(self),
            _ if frequency > self.frequency => None,
            // Only days are finer than weeks, and both count from Monday 0001-01-01.
            Frequency::W => Some(Self { frequency, ordinal: self.ordinal / 7 }),
            _ => {
                let count = frequency.per_year()?;
                Period::new(frequency, year, (month - 1) / (12 / count) + 1)
            }
        }
    }
}

impl Period {
    /// As [`Period::from_str`], from bytes; `None` when they are not a period.
    #[inline]
    pub fn from_ascii(text: &[u8]) -> Option<Self> {
        parse_period(text)
    }

    /// Appends the canonical spelling: `2010`, `2010-S1`, `2010-Q1`, `2010-M01`, `2010-W05`,
    /// `2010-01-31`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let write_number = |value: i32, width, out: &mut Vec<u8>| {
            digits::write_digits(value.unsigned_abs().into(), width, out)
        };
        write_number(self.year(), 4, out);
        let (letter, width) = match self.frequency {
            Frequency::A => return,
            Frequency::D => {
                let (_, month, day) = self.start_date();
                out.push(b'-');
                write_number(month, 2, out);
                out.push(b'-');
                return write_number(day, 2, out);
            }
            Frequency::S => (b'S', 1),
            Frequency::Q => (b'Q', 1),
            Frequency::M => (b'M', 2),
            Frequency::W => (b'W', 2),
        };
        out.extend([b'-', letter]);
        write_number(self.index(), width, out);
    }
}

impl fmt::Display for Period {
    /// As [`Period::write_to`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(SPELLING_BYTES_MAX);
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Bytes of the longest spelling, that of a day.
const SPELLING_BYTES_MAX: usize = 10;

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Period {
    type Err = Error;

    /// Reads the canonical spelling and those of SDMX and VTL: `2010-01` (a month), `2010M1`,
    /// `2010-A1`, `2010A`, `2010Q3`, `2010-D031`.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_ascii(text.as_bytes()).ok_or_else(|| Error(text.chars().take(40).collect()))
    }
}

fn parse_period(text: &[u8]) -> Option<Period> {
    if text.len() > SPELLING_BYTES_MAX {
        return None;
    }
    if let [years @ .., b'-', b'M', tens, ones] = text
        && let Ok(years) = <&[u8; 4]>::try_from(years)
    {
        return parse_month(years, [*tens, *ones]);
    }
    let (year, rest) = text.split_first_chunk::<4>()?;
    let year = parse_digits(year, 4)?;
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let plain = rest.len() == text.len() - 4;
    match rest {
        [] if plain => Period::new(Frequency::A, year, 1),
        [b'A'] => Period::new(Frequency::A, year, 1),
        [b'0'..=b'9', b'0'..=b'9'] if !plain => Period::new(Frequency::M, year, parse_digits(rest, 2)?),
        [_, _, b'-', _, _] if !plain => {
            Period::from_date(year, parse_digits(rest.get(..2)?, 2)?, parse_digits(rest.get(3..)?, 2)?)
        }
        [letter, index @ ..] if !index.is_empty() => {
            let frequency = Frequency::from_letter(*letter)?;
            let width = match frequency {
                Frequency::A | Frequency::S | Frequency::Q => 1,
                Frequency::M | Frequency::W => 2,
                Frequency::D => 3,
            };
            (index.len() <= width).then(|| Period::new(frequency, year, parse_digits(index, width)?))?
        }
        _ => None,
    }
}

/// Parses the most common spelling of a month, `2010-M01`, without branches per digit.
#[inline]
fn parse_month(year: &[u8; 4], month: [u8; 2]) -> Option<Period> {
    let digits = year.iter().chain(&month).map(|byte| byte.wrapping_sub(b'0'));
    let valid = digits.clone().fold(true, |valid, digit| valid & (digit <= 9));
    let all = digits.fold(0, |value, digit| value * 10 + i32::from(digit));
    valid.then(|| Period::new(Frequency::M, all / 100, all % 100))?
}

/// Parses one to `width` digits.
fn parse_digits(text: &[u8], width: usize) -> Option<i32> {
    let digits = text.len() <= width && !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |value, byte| value * 10 + i32::from(byte - b'0')))
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    /// Only the canonical spelling.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let period: Period = text.parse().map_err(serde::de::Error::custom)?;
        // Objects hold one spelling only, or equal data would have several ids (specs/objects.md, section 6).
        if period.to_string() != text {
            return Err(serde::de::Error::custom(format!("period `{text}` is spelled `{period}`")));
        }
        Ok(period)
    }
}

/// Days from 0001-01-01 to the first of January of `year`.
fn days_before(year: i32) -> i32 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

fn is_leap_year(year: i32) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 => 28 + i32::from(is_leap_year(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn date_ordinal(year: i32, month: i32, day: i32) -> i32 {
    let months: i32 = (1..month).map(|m| days_in_month(year, m)).sum();
    days_before(year) + months + day - 1
}

/// Year, month, day of a day counted from 0001-01-01.
fn civil_date(ordinal: i32) -> (i32, i32, i32) {
    // At most one too small: 146,097 days are 400 years.
    let mut year = (i64::from(ordinal) * 400 / 146_097).max(1) as i32;
    while days_before(year + 1) <= ordinal {
        year += 1;
    }
    let mut day = ordinal - days_before(year);
    let mut month = 1;
    while day >= days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

/// Ordinal of week 1: the week that contains 4 January (ISO 8601).
fn first_week(year: i32) -> i32 {
    (days_before(year) + 3) / 7
}

fn weeks_in(year: i32) -> i32 {
    first_week(year + 1) - first_week(year)
}

/// The ISO year of a week: the year of its Thursday.
fn iso_year(week: i32) -> i32 {
    civil_date(week * 7 + 3).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn spellings_lead_to_one_period() {
        for (text, canonical) in [
            ("2010", "2010"),
            ("2010A", "2010"),
            ("2010-A1", "2010"),
            ("2010S2", "2010-S2"),
            ("2010Q3", "2010-Q3"),
            ("2010-01", "2010-M01"),
            ("2010M1", "2010-M01"),
            ("2010-W5", "2010-W05"),
            ("2010-01-31", "2010-01-31"),
            ("2010-D031", "2010-01-31"),
        ] {
            assert_eq!(p(text).to_string(), canonical);
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "201",
            "20100",
            "2010-",
            "2010-13",
            "2010-Q5",
            "2010-M00",
            "2010-W54",
            "2010-02-29",
            "0000",
            "1960 [YR1960]",
            "2010-Q01",
            "2010-1-1",
            "٢٠١٠",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn weeks_follow_iso_8601() {
        assert!("2020-W53".parse::<Period>().is_ok());
        assert!("2021-W53".parse::<Period>().is_err());
        assert_eq!(p("2020-W53").shift(1), Some(p("2021-W01")));
        assert_eq!(p("2020-W53").first_day().to_string(), "2020-12-28");
        assert_eq!(p("2021-01-03").to_frequency(Frequency::W), Some(p("2020-W53")));
    }

    #[test]
    fn shifts_are_exact_and_end_with_the_calendar() {
        assert_eq!(p("2020-M01").shift(-1), Some(p("2019-M12")));
        assert_eq!(p("2020-02-29").shift(1), Some(p("2020-03-01")));
        assert_eq!(p("9999").shift(1), None);
        assert_eq!(p("0001-01-01").shift(-1), None);
        assert_eq!(p("2020").shift(i64::MAX), None);
    }

    #[test]
    fn every_day_of_four_centuries_survives_its_spelling() {
        let (first, last) = (p("1800-01-01").ordinal(), p("2200-12-31").ordinal());
        for ordinal in first..=last {
            let day = Period::from_ordinal(Frequency::D, ordinal).unwrap();
            assert_eq!(p(&day.to_string()), day);
        }
        for ordinal in p("1800-W01").ordinal()..p("2200-W01").ordinal() {
            let week = Period::from_ordinal(Frequency::W, ordinal).unwrap();
            assert_eq!(p(&week.to_string()), week);
        }
    }

    #[test]
    fn conversion_to_coarser_frequencies() {
        assert_eq!(p("2010-M05").to_frequency(Frequency::Q), Some(p("2010-Q2")));
        assert_eq!(p("2010-Q4").to_frequency(Frequency::S), Some(p("2010-S2")));
        assert_eq!(p("2010-Q4").to_frequency(Frequency::M), None);
        assert_eq!(p("2010-07-01").to_frequency(Frequency::A), Some(p("2010")));
    }
}

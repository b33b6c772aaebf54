//! Masks of dates, periods, intervals and durations: letters stand for digits of a unit of time, words
//! for names of months and days, and other characters for themselves.

use std::collections::BTreeMap;

use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::period::{Frequency, Period};
use schemas::structure::ValueType;
use schemas::table::Cell;

/// Limit on the digits of one part of a date.
const FIELD_DIGITS_MAX: usize = 6;

/// Parsed mask of time values.
pub(crate) struct TimeMask {
    parts: Vec<MaskPart>,
    /// Units within the year, coarsest first.
    chain: Vec<Frequency>,
}

#[derive(Debug, Clone, Copy)]
enum MaskPart {
    Literal(char),
    /// Least and greatest number of digits.
    Digits(TimeUnit, usize, usize),
    /// Name of a month or day, its letter case and number of letters.
    Name(TimeUnit, LetterCase, usize),
    /// Letter of a frequency.
    Indicator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TimeUnit {
    Century,
    Year,
    Within(Frequency),
    /// Number of a period in its year, or of units in a duration.
    Count,
}

#[derive(Debug, Clone, Copy)]
enum LetterCase {
    Upper,
    Lower,
    Title,
}

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];
const DAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/// Words for names, with unit and letter case.
const WORDS: [(&str, TimeUnit, LetterCase); 6] = [
    ("MONTH", TimeUnit::Within(Frequency::M), LetterCase::Upper),
    ("Month", TimeUnit::Within(Frequency::M), LetterCase::Title),
    ("month", TimeUnit::Within(Frequency::M), LetterCase::Lower),
    ("DAY", TimeUnit::Within(Frequency::D), LetterCase::Upper),
    ("Day", TimeUnit::Within(Frequency::D), LetterCase::Title),
    ("day", TimeUnit::Within(Frequency::D), LetterCase::Lower),
];

fn unit_of_letter(letter: char) -> Option<TimeUnit> {
    Some(match letter {
        'C' => TimeUnit::Century,
        'Y' => TimeUnit::Year,
        'p' => TimeUnit::Count,
        'S' => TimeUnit::Within(Frequency::S),
        'Q' => TimeUnit::Within(Frequency::Q),
        'M' => TimeUnit::Within(Frequency::M),
        'W' => TimeUnit::Within(Frequency::W),
        'D' => TimeUnit::Within(Frequency::D),
        _ => return None,
    })
}

/// Parts of a parsed text: numbers of units, frequency and day of the week.
#[derive(Default)]
struct ParsedTime {
    numbers: BTreeMap<TimeUnit, i32>,
    frequency: Option<Frequency>,
    weekday: Option<i32>,
}

impl TimeMask {
    pub(super) fn new(mask: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = mask;
        while let Some(next) = rest.chars().next() {
            let (part, behind) = parse_part(rest, next)?;
            parts.push(part);
            rest = behind;
        }
        let mut units: Vec<TimeUnit> = parts.iter().filter_map(|part| part.numbered_unit()).collect();
        // INVARIANT: units are ordered coarsest first; each is then resolved within the one before.
        units.sort_unstable();
        if units.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err("a unit of time occurs twice".to_owned());
        }
        let within =
            |unit: &TimeUnit| if let TimeUnit::Within(frequency) = unit { Some(*frequency) } else { None };
        Ok(Self { chain: units.iter().filter_map(within).collect(), parts })
    }

    fn has_unit(&self, unit: TimeUnit) -> bool {
        self.parts.iter().any(|part| part.numbered_unit() == Some(unit))
    }

    fn has_indicator(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, MaskPart::Indicator))
    }

    /// Returns whether the mask has the name of a day of the week.
    fn has_weekday(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, MaskPart::Name(TimeUnit::Within(Frequency::D), ..)))
    }

    /// Checks the mask as one of dates (`day`) or periods; `reading` requires it to determine a value.
    pub(super) fn for_dates(mut self, reading: bool, day: bool) -> Result<Self, String> {
        let weeks = self.chain.contains(&Frequency::W);
        if self.has_weekday() && weeks && !self.chain.contains(&Frequency::D) {
            // Within a week, the name of the day is its number.
            self.chain.push(Frequency::D);
        }
        // An ISO 8601 week may lie in two months or quarters, so it has no number within them.
        if weeks && self.chain.iter().any(|unit| !matches!(unit, Frequency::W | Frequency::D)) {
            return Err("weeks combine with years and days only".to_owned());
        }
        if self.has_indicator() && !self.chain.is_empty() {
            return Err("`P` replaces the unit within the year".to_owned());
        }
        if self.has_unit(TimeUnit::Count) && !self.has_indicator() {
            return Err("`p` requires `P`".to_owned());
        }
        if !reading {
            return Ok(self);
        }
        // Two digits do not determine a year: no century is assumed.
        let wide = |part: &MaskPart| matches!(part, MaskPart::Digits(TimeUnit::Year, _, most) if *most >= 4);
        if !self.has_unit(TimeUnit::Year)
            || !(self.has_unit(TimeUnit::Century) || self.parts.iter().any(wide))
        {
            return Err("the year is missing".to_owned());
        }
        let days = self.has_indicator() || self.chain.contains(&Frequency::D);
        if (day || self.has_weekday()) && !days {
            return Err("the day is missing".to_owned());
        }
        Ok(self)
    }

    /// Checks the mask as one of durations.
    pub(super) fn for_durations(self) -> Result<Self, String> {
        let plain = |part: &MaskPart| match part {
            MaskPart::Digits(TimeUnit::Within(unit), ..) => !matches!(unit, Frequency::S | Frequency::Q),
            MaskPart::Digits(unit, ..) => *unit != TimeUnit::Century,
            MaskPart::Name(..) => false,
            MaskPart::Literal(_) | MaskPart::Indicator => true,
        };
        let counts = self.has_unit(TimeUnit::Year) || !self.chain.is_empty();
        if !self.parts.iter().all(plain) || counts == self.has_indicator() {
            return Err("expected a mask of durations as in `P`, `\\PppP` or `\\PYY\\YMM\\MDD\\D`".to_owned());
        }
        Ok(self)
    }

    /// Parses the front of a text; returns its parts and the rest.
    fn scan<'t>(&self, text: &'t str) -> Option<(ParsedTime, &'t str)> {
        let mut found = ParsedTime::default();
        let mut rest = text;
        for part in &self.parts {
            rest = part.scan(rest, &mut found)?;
        }
        Some((found, rest))
    }

    fn scan_whole(&self, text: &str) -> Option<ParsedTime> {
        self.scan(text).filter(|(_, rest)| rest.is_empty()).map(|(found, _)| found)
    }

    pub(super) fn parse_period(&self, text: &str, value_type: ValueType) -> Option<Cell> {
        let period = self.resolve_period(&self.scan_whole(text)?)?;
        match value_type {
            ValueType::Time => Some(Cell::Text(Interval::from(period).to_string())),
            ValueType::Date if period.frequency() != Frequency::D => None,
            _ => Some(Cell::Period(period)),
        }
    }

    /// Resolves nested units to a period.
    fn resolve_period(&self, found: &ParsedTime) -> Option<Period> {
        let number = |unit: TimeUnit| found.numbers.get(&unit).copied();
        // Cannot overflow: a field has at most `FIELD_DIGITS_MAX` digits.
        let year = number(TimeUnit::Year)? + number(TimeUnit::Century).unwrap_or(0) * 100;
        if let Some(frequency) = found.frequency {
            return Period::new(frequency, year, number(TimeUnit::Count).unwrap_or(1));
        }
        let mut period = Period::new(Frequency::A, year, 1)?;
        for unit in &self.chain {
            let weekday = || found.weekday.filter(|_| *unit == Frequency::D).map(|day| day + 1);
            let index = number(TimeUnit::Within(*unit)).or_else(weekday)?;
            period = nth_within(period, *unit, index)?;
        }
        // The name of the day must agree with the date; days count from a Monday.
        let named = found.weekday.is_none_or(|day| period.first_day().ordinal() % 7 == day);
        named.then_some(period)
    }

    pub(super) fn parse_duration(&self, text: &str) -> Option<Cell> {
        let found = self.scan_whole(text)?;
        let number = |unit: TimeUnit| found.numbers.get(&unit).copied().and_then(|n| u32::try_from(n).ok());
        let within = |frequency| number(TimeUnit::Within(frequency)).unwrap_or(0);
        let (mut months, mut days) = (number(TimeUnit::Year).unwrap_or(0) * 12, within(Frequency::D));
        months += within(Frequency::M);
        days += within(Frequency::W) * 7;
        if let Some(frequency) = found.frequency {
            let (each, count) = (Duration::from(frequency), number(TimeUnit::Count).unwrap_or(1));
            // Cannot overflow: a count has at most `FIELD_DIGITS_MAX` digits, a frequency at most 12 months.
            (months, days) = (each.months() * count, each.days() * count);
        }
        Duration::new(months, days).map(|duration| Cell::Text(duration.to_string()))
    }

    pub(super) fn format_cell(&self, cell: &Cell) -> Option<String> {
        let period = match cell {
            Cell::Period(period) => *period,
            Cell::Text(text) => text.parse::<Interval>().ok()?.period()?,
            _ => return None,
        };
        self.format_period(period)
    }

    fn format_period(&self, period: Period) -> Option<String> {
        // The year is that of the coarsest unit: in ISO 8601 a day near New Year may be in a week of
        // another year.
        let base = self.chain.first().map_or(Some(period), |unit| period.to_frequency(*unit))?;
        let mut out = String::new();
        for part in &self.parts {
            match *part {
                MaskPart::Literal(character) => out.push(character),
                MaskPart::Indicator => out.push_str(period.frequency().code()),
                MaskPart::Name(TimeUnit::Within(Frequency::M), case, length) => {
                    let month = period.to_frequency(Frequency::M)?.index();
                    out.push_str(&apply_case(MONTHS.get(usize::try_from(month - 1).ok()?)?, case, length));
                }
                MaskPart::Name(_, case, length) => {
                    let day = period.to_frequency(Frequency::D)?.ordinal() % 7;
                    out.push_str(&apply_case(DAYS.get(usize::try_from(day).ok()?)?, case, length));
                }
                MaskPart::Digits(TimeUnit::Century, least, most) => {
                    out.push_str(&pad_number(base.year() / 100, least, most)?)
                }
                MaskPart::Digits(TimeUnit::Year, least, most) => {
                    let digits = u32::try_from(most).ok()?.min(4);
                    let digits = if self.has_unit(TimeUnit::Century) { 2 } else { digits };
                    out.push_str(&pad_number(base.year() % 10_i32.pow(digits), least, most)?);
                }
                // Annual periods have no number within their year.
                MaskPart::Digits(TimeUnit::Count, 0, _) if period.frequency() == Frequency::A => {}
                MaskPart::Digits(TimeUnit::Count, least, most) => {
                    out.push_str(&pad_number(period.index(), least, most)?)
                }
                MaskPart::Digits(TimeUnit::Within(unit), least, most) => {
                    out.push_str(&pad_number(self.unit_index(period, unit)?, least, most)?);
                }
            }
        }
        Some(out)
    }

    /// Returns the number of a unit within the next coarser unit of the mask.
    fn unit_index(&self, period: Period, unit: Frequency) -> Option<i32> {
        let fine = period.to_frequency(unit)?;
        match self.chain.iter().rev().find(|coarse| **coarse < unit) {
            None => Some(fine.index()),
            Some(coarse) => {
                let start = period.to_frequency(*coarse)?.first_day().to_frequency(unit)?;
                Some(fine.ordinal() - start.ordinal() + 1)
            }
        }
    }

    pub(super) fn format_duration(&self, cell: &Cell) -> Option<String> {
        let Cell::Text(text) = cell else { return None };
        let duration: Duration = text.parse().ok()?;
        let mut counts = self.unit_counts(duration)?;
        let mut out = String::new();
        for part in &self.parts {
            match *part {
                MaskPart::Literal(character) => out.push(character),
                MaskPart::Indicator => {
                    out.push_str(duration_in_frequency(duration, self.has_unit(TimeUnit::Count))?.0.code())
                }
                MaskPart::Digits(unit, least, most) => {
                    out.push_str(&pad_number(i32::try_from(counts.remove(&unit)?).ok()?, least, most)?);
                }
                MaskPart::Name(..) => return None,
            }
        }
        Some(out)
    }

    /// Expresses a duration in the units of the mask; `None` when a remainder is left.
    fn unit_counts(&self, duration: Duration) -> Option<BTreeMap<TimeUnit, u32>> {
        let mut counts = BTreeMap::new();
        if self.has_indicator() {
            counts
                .insert(TimeUnit::Count, duration_in_frequency(duration, self.has_unit(TimeUnit::Count))?.1);
            return Some(counts);
        }
        // Months and days stay apart, as a month has no fixed number of days.
        let (mut months, mut days) = (duration.months(), duration.days());
        for (unit, each) in [(TimeUnit::Year, 12), (TimeUnit::Within(Frequency::M), 1)] {
            if self.has_unit(unit) {
                counts.insert(unit, months / each);
                months %= each;
            }
        }
        for (unit, each) in [(TimeUnit::Within(Frequency::W), 7), (TimeUnit::Within(Frequency::D), 1)] {
            if self.has_unit(unit) {
                counts.insert(unit, days / each);
                days %= each;
            }
        }
        (months == 0 && days == 0).then_some(counts)
    }
}

/// Expresses a duration as a multiple of the coarsest possible frequency.
fn duration_in_frequency(duration: Duration, many: bool) -> Option<(Frequency, u32)> {
    if !many {
        return duration.frequency().map(|frequency| (frequency, 1));
    }
    let times = |frequency: Frequency| {
        let each = Duration::from(frequency);
        let count =
            // A frequency counts months or days; the other is zero, and the division by it `None`.
            duration.months().checked_div(each.months()).or(duration.days().checked_div(each.days()))?;
        let same = (each.months() * count, each.days() * count) == (duration.months(), duration.days());
        (same && count > 0).then_some((frequency, count))
    };
    Frequency::ALL.into_iter().find_map(times)
}

impl MaskPart {
    /// Returns the unit whose number this part gives.
    fn numbered_unit(&self) -> Option<TimeUnit> {
        match self {
            MaskPart::Digits(unit, ..) => Some(*unit),
            MaskPart::Name(unit @ TimeUnit::Within(Frequency::M), ..) => Some(*unit),
            _ => None,
        }
    }

    fn scan<'t>(&self, text: &'t str, found: &mut ParsedTime) -> Option<&'t str> {
        match *self {
            MaskPart::Literal(character) => text.strip_prefix(character),
            MaskPart::Indicator => {
                let (letter, rest) = text.split_at_checked(1)?;
                found.frequency = Some(Frequency::from_code(letter)?);
                Some(rest)
            }
            MaskPart::Digits(unit, least, most) => {
                let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
                let (digits, rest) = text.split_at_checked(count)?;
                if count < least {
                    return None;
                }
                // Fails only where optional digits are missing: a field is too short to overflow.
                if let Ok(number) = digits.parse() {
                    found.numbers.insert(unit, number);
                }
                Some(rest)
            }
            MaskPart::Name(unit, case, length) => {
                let names = if unit == TimeUnit::Within(Frequency::M) { &MONTHS[..] } else { &DAYS[..] };
                let mut spelled = names.iter().map(|name| apply_case(name, case, length)).enumerate();
                let (at, name) = spelled.find(|(_, name)| text.starts_with(name.as_str()))?;
                let at = i32::try_from(at).ok()?;
                if unit == TimeUnit::Within(Frequency::M) {
                    found.numbers.insert(unit, at + 1);
                } else {
                    found.weekday = Some(at);
                }
                text.strip_prefix(name.as_str())
            }
        }
    }
}

/// Parses the first part of a mask; returns the part and the rest.
fn parse_part(mask: &str, first: char) -> Result<(MaskPart, &str), String> {
    let behind = |bytes: usize| mask.get(bytes..).unwrap_or_default();
    if first == '\\' {
        let next = mask.chars().nth(1).ok_or("it ends with a reverse slash")?;
        return Ok((MaskPart::Literal(next), behind(1 + next.len_utf8())));
    }
    if let Some((word, unit, case)) = WORDS.into_iter().find(|(word, ..)| mask.starts_with(word)) {
        let rest = behind(word.len());
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (length, rest) = rest.split_at_checked(digits).unwrap_or(("", rest));
        let length = if length.is_empty() { Ok(usize::MAX) } else { length.parse() };
        let length =
            length.ok().filter(|length| *length >= 3).ok_or("a name requires at least three letters")?;
        return Ok((MaskPart::Name(unit, case, length), rest));
    }
    match first {
        'P' => Ok((MaskPart::Indicator, behind(1))),
        'h' | 'm' | 's' | 'd' => Err(format!(
            "`{first}` is a time of day, but time values end at days; write `\\{first}` for the letter"
        )),
        _ if first == '{' || unit_of_letter(first).is_some() => parse_field(mask),
        _ => Ok((MaskPart::Literal(first), behind(first.len_utf8()))),
    }
}

/// Parses the letters of one unit; digits for letters in braces are optional.
fn parse_field(mask: &str) -> Result<(MaskPart, &str), String> {
    let letter = mask.chars().find(|next| *next != '{').ok_or("unclosed `{`")?;
    let unit = unit_of_letter(letter).ok_or("braces may contain only letters of a unit of time")?;
    let (mut least, mut most, mut inside, mut end) = (0, 0, false, 0);
    for (at, next) in mask.char_indices() {
        match next {
            '{' if !inside => inside = true,
            '}' if inside => inside = false,
            _ if next == letter => {
                most += 1;
                least += usize::from(!inside);
            }
            _ if inside => return Err("braces may contain only letters of one unit of time".to_owned()),
            _ => break,
        }
        end = at + 1;
    }
    if inside || most > FIELD_DIGITS_MAX {
        return Err(format!("unclosed `{{`, or more than {FIELD_DIGITS_MAX} digits"));
    }
    Ok((MaskPart::Digits(unit, least, most), mask.get(end..).unwrap_or_default()))
}

/// Returns the n-th unit within a period; `None` when it does not lie within.
fn nth_within(period: Period, unit: Frequency, index: i32) -> Option<Period> {
    // Weeks are numbered within the year (ISO 8601).
    let found = if unit == Frequency::W {
        return Period::new(unit, period.year(), index);
    } else {
        period.first_day().to_frequency(unit)?.shift(i64::from(index) - 1)?
    };
    // The shift leads out of the period for a day such as 30 February, which is refused, not moved.
    let within =
        index > 0 && found.first_day() >= period.first_day() && found.last_day() <= period.last_day();
    within.then_some(found)
}

fn pad_number(number: i32, least: usize, most: usize) -> Option<String> {
    let text = format!("{number:0least$}");
    (text.len() <= most).then_some(text)
}

fn apply_case(name: &str, case: LetterCase, length: usize) -> String {
    let letters = name.chars().take(length).enumerate();
    let lower = |at: usize| match case {
        LetterCase::Upper => false,
        LetterCase::Lower => true,
        LetterCase::Title => at > 0,
    };
    letters.map(|(at, letter)| if lower(at) { letter.to_ascii_lowercase() } else { letter }).collect()
}

/// Parses an interval by the masks of its first and last day.
pub(super) fn parse_interval(first: &TimeMask, last: &TimeMask, text: &str) -> Option<Cell> {
    let (from, rest) = first.scan(text)?;
    let to = last.scan_whole(rest.strip_prefix('/')?)?;
    let interval =
        Interval::new(first.resolve_period(&from)?.first_day(), last.resolve_period(&to)?.last_day())?;
    Some(Cell::Text(interval.to_string()))
}

/// Formats the first and the last day of an interval.
pub(super) fn format_interval(first: &TimeMask, last: &TimeMask, cell: &Cell) -> Option<String> {
    let Cell::Text(text) = cell else { return None };
    let interval: Interval = text.parse().ok()?;
    Some(format!("{}/{}", first.format_period(interval.first())?, last.format_period(interval.last())?))
}

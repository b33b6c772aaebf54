//! What a request asks for: its path and its parameters, checked and bounded.
//!
//! Parameters that are not built answer 501, for a filter that is not applied would be a lie.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};

use crate::sdmx::cube::FIGURE;
use crate::sdmx::fault::Fault;

/// Bytes of a path and of a query.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Tests of one request, and keys.
const TESTS_MAX: usize = 512;

/// Sorts of one request.
const SORTS_MAX: usize = 64;

/// Which attributes are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// Those of the data set.
    pub(crate) set: bool,
    /// Those of observations.
    pub(crate) own: bool,
    /// Those that are named.
    pub(crate) named: BTreeSet<String>,
}

impl Attributes {
    const NONE: Self = Self { set: false, own: false, named: BTreeSet::new() };
    const ALL: Self = Self { set: true, own: true, named: BTreeSet::new() };

    /// Whether an attribute of the data set is told.
    pub(crate) fn of_set(&self, id: &str) -> bool {
        self.set || self.named.contains(id)
    }

    /// Whether an attribute of observations is told.
    pub(crate) fn of_observation(&self, id: &str) -> bool {
        self.own || self.named.contains(id)
    }

    /// Reads what REST 2 says: levels, or ids. Reference metadata and attributes of series are none here.
    fn parse(text: &str) -> Self {
        let mut told = Self::NONE;
        for word in text.split(',') {
            match word {
                "all" | "dsd" => (told.set, told.own) = (true, true),
                "dataset" => told.set = true,
                "obs" => told.own = true,
                "none" | "msd" | "series" | "" => {}
                id => drop(told.named.insert(id.to_owned())),
            }
        }
        told
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
    Lacks,
    Starts,
    Ends,
}

impl Operator {
    /// Whether it asks for an order, not for a part of a text.
    pub(crate) fn compares(self) -> bool {
        !matches!(self, Self::Contains | Self::Lacks | Self::Starts | Self::Ends)
    }

    /// Whether a value that stands so to the bound passes.
    pub(crate) fn fits(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Contains | Self::Lacks | Self::Starts | Self::Ends => false,
        }
    }
}

/// A comparison with a value.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) operator: Operator,
    pub(crate) text: String,
    /// The value, where it can be read as a number.
    pub(crate) number: Option<Decimal>,
    /// The value, where it can be read as a period.
    pub(crate) period: Option<Period>,
}

/// A test of a component: one of the alternatives, each of which is a list of tests that all hold.
pub(crate) type Filter = (String, Vec<Vec<Test>>);

/// A key: for each dimension the values that will do, none for any.
pub(crate) type Key = Vec<Vec<String>>;

/// A request for data or structures.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Keys of which one must match; none for any.
    pub(crate) keys: Vec<Key>,
    /// Whether keys may leave their ends out.
    pub(crate) short: bool,
    pub(crate) start: Option<Period>,
    pub(crate) end: Option<Period>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) first: Option<usize>,
    pub(crate) last: Option<usize>,
    /// Whether the figures are told.
    pub(crate) figures: bool,
    pub(crate) attributes: Attributes,
    /// Whether there are only keys of series.
    bare: bool,
    /// Whether observations stand alone instead of in series.
    pub(crate) flat: bool,
    pub(crate) references: String,
    /// Seconds since 1970.
    pub(crate) asof: Option<i64>,
    /// Seconds since 1970.
    pub(crate) updated_after: Option<i64>,
    /// Whether every vintage is told.
    pub(crate) history: bool,
    /// Observations, or series where only their keys are told, that are left out first.
    pub(crate) offset: usize,
    /// How many are told.
    pub(crate) limit: Option<usize>,
    /// Components, and whether they go down.
    pub(crate) sort: Vec<(String, bool)>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            short: false,
            start: None,
            end: None,
            filters: Vec::new(),
            first: None,
            last: None,
            figures: true,
            attributes: Attributes::ALL,
            bare: false,
            flat: false,
            references: String::new(),
            asof: None,
            updated_after: None,
            history: false,
            offset: 0,
            limit: None,
            sort: Vec::new(),
        }
    }
}

/// The parts of a path, decoded; empty ones at the end are left out.
pub(crate) fn path(tail: &str) -> Result<Vec<String>, Fault> {
    if tail.len() > TEXT_BYTES_MAX {
        return Err(Fault::syntax(format!("a path has at most {TEXT_BYTES_MAX} bytes")));
    }
    let tail = tail.trim_end_matches('/');
    tail.split('/').map(decode).collect()
}

/// Undoes percent-encoding; `+` stands for itself.
fn decode(text: &str) -> Result<String, Fault> {
    let bad = || Fault::syntax(format!("`{text}` is not encoded as a URL must be"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else { return Err(bad()) };
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(bad);
        bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
        rest = tail;
    }
    let decoded = String::from_utf8(bytes).map_err(|_| bad())?;
    if decoded.chars().any(char::is_control) { Err(bad()) } else { Ok(decoded) }
}

impl Wanted {
    /// Reads the parameters.
    pub(crate) fn parse(query: &str) -> Result<Self, Fault> {
        if query.len() > TEXT_BYTES_MAX {
            return Err(Fault::syntax(format!("a query has at most {TEXT_BYTES_MAX} bytes")));
        }
        let mut wanted = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            wanted.take(&decode(name)?, &decode(value)?)?;
        }
        if wanted.updated_after.zip(wanted.asof).is_some_and(|(after, asof)| after > asof) {
            return Err(Fault::meaning("`updatedAfter` is later than `asOf`"));
        }
        Ok(wanted)
    }

    /// Whether there are only keys of series.
    pub(crate) fn keys_only(&self) -> bool {
        self.bare || !self.figures && self.attributes == Attributes::NONE
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let wrong = || Fault::meaning(format!("`{name}` cannot be `{value}`"));
        match name {
            "startPeriod" => self.start = Some(period(value).ok_or_else(wrong)?),
            "endPeriod" => self.end = Some(period(value).ok_or_else(wrong)?),
            "firstNObservations" => self.first = Some(value.parse().map_err(|_| wrong())?),
            "lastNObservations" => self.last = Some(value.parse().map_err(|_| wrong())?),
            "asOf" => self.asof = Some(moment(value).ok_or_else(wrong)?),
            "updatedAfter" => self.updated_after = Some(moment(value).ok_or_else(wrong)?),
            "references" => self.references = value.to_owned(),
            "dimensionAtObservation" => match value {
                "TIME_PERIOD" => self.flat = false,
                "AllDimensions" => self.flat = true,
                _ => return Err(Fault::unbuilt(format!("`{name}={value}`"))),
            },
            "detail" => self.detail(value).ok_or_else(wrong)?,
            "attributes" => self.attributes = Attributes::parse(value),
            "measures" => match value {
                "all" | FIGURE => self.figures = true,
                "none" => self.figures = false,
                _ => return Err(wrong()),
            },
            "includeHistory" => self.history = value.parse().map_err(|_| wrong())?,
            "offset" => self.offset = value.parse().map_err(|_| wrong())?,
            "limit" => self.limit = Some(value.parse().map_err(|_| wrong())?),
            "sort" => self.sort = sort(value).ok_or_else(wrong)?,
            "mode" if matches!(value, "exact" | "available") => {}
            _ => match name.strip_prefix("c[").and_then(|rest| rest.strip_suffix(']')) {
                Some(component) => self.filter(component, value)?,
                None => return Err(Fault::unbuilt(format!("parameter `{name}={value}`"))),
            },
        }
        Ok(())
    }

    /// Takes what REST 1 calls `detail`, and what it says of structures.
    fn detail(&mut self, text: &str) -> Option<()> {
        let (bare, attributes) = match text {
            "dataonly" => (false, Attributes::NONE),
            "serieskeysonly" => (true, Attributes::NONE),
            "nodata" => (true, Attributes::ALL),
            "full"
            | "allstubs"
            | "allcompletestubs"
            | "referencestubs"
            | "referencecompletestubs"
            | "referencepartial"
            | "raw" => (false, Attributes::ALL),
            _ => return None,
        };
        (self.bare, self.attributes) = (bare, attributes);
        Some(())
    }

    fn filter(&mut self, component: &str, value: &str) -> Result<(), Fault> {
        let tests: Vec<Vec<Test>> =
            value.split(',').map(|either| either.split('+').map(test).collect()).collect();
        self.filters.push((component.to_owned(), tests));
        let count = self.filters.iter().flat_map(|(_, either)| either).map(Vec::len).sum::<usize>();
        if count > TESTS_MAX {
            return Err(Fault::large(format!("a request has at most {TESTS_MAX} tests")));
        }
        Ok(())
    }

    /// The same, for a key in a path, of which REST 2 lets the end be left out.
    pub(crate) fn keyed(self, key: Option<&str>, short: bool) -> Self {
        let one = |key: &str| {
            let part = |part: &str| match part {
                "" | "*" => Vec::new(),
                part => part.split('+').map(str::to_owned).collect(),
            };
            key.split('.').map(part).collect::<Key>()
        };
        let keys = match key {
            None | Some("all" | "*" | "") => Vec::new(),
            Some(keys) => keys.split(',').map(one).collect(),
        };
        Self { keys, short, ..self }
    }
}

fn test(text: &str) -> Test {
    let (word, rest) = text.split_once(':').unwrap_or(("", text));
    let operator = match word {
        "eq" => Some(Operator::Equal),
        "ne" => Some(Operator::Unequal),
        "lt" => Some(Operator::Less),
        "le" => Some(Operator::AtMost),
        "gt" => Some(Operator::Greater),
        "ge" => Some(Operator::AtLeast),
        "co" => Some(Operator::Contains),
        "nc" => Some(Operator::Lacks),
        "sw" => Some(Operator::Starts),
        "ew" => Some(Operator::Ends),
        _ => None,
    };
    let text = if operator.is_some() { rest } else { text };
    Test {
        operator: operator.unwrap_or(Operator::Equal),
        text: text.to_owned(),
        number: text.parse().ok(),
        period: period(text),
    }
}

/// Components joined by `+`, each with `:asc` or `:desc`.
fn sort(text: &str) -> Option<Vec<(String, bool)>> {
    let part = |part: &str| match part.split_once(':') {
        None | Some((_, "asc")) => Some((part.split(':').next()?.to_owned(), false)),
        Some((id, "desc")) => Some((id.to_owned(), true)),
        Some(_) => None,
    };
    let parts: Option<Vec<_>> = text.split('+').map(part).collect();
    parts.filter(|parts| parts.len() <= SORTS_MAX)
}

/// A period as SDMX spells it: ours, and months and days of the calendar.
pub(crate) fn period(text: &str) -> Option<Period> {
    let day = text.get(..10).filter(|_| text.as_bytes().get(10) == Some(&b'T'));
    let text = day.unwrap_or(text);
    if let Some((year, month)) = text.split_once('-')
        && year.len() == 4
        && month.len() == 2
        && month.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Period::new(Frequency::M, year.parse().ok()?, month.parse().ok()?);
    }
    text.parse().ok()
}

/// Seconds since 1970 of a time; a day stands for its end. Parts of a second are let fall.
fn moment(text: &str) -> Option<i64> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let day: Period = day.parse().ok().filter(|day: &Period| day.frequency() == Frequency::D)?;
    let start = i64::from(day.ordinal() - Period::day(1970, 1, 1)?.ordinal()) * 86_400;
    let Some(time) = time else { return Some(start + 86_399) };
    let (time, offset) = zoned(time)?;
    let (time, part) = time.split_once('.').unwrap_or((time, "0"));
    let seconds = match numbers(time)?.as_slice() {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => hour * 3600 + minute * 60 + second,
        _ => return None,
    };
    let fraction = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    fraction.then_some(start + seconds - offset)
}

/// A time of day without its zone, and the seconds by which that is ahead; none is UTC.
fn zoned(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-', ' ']) else { return Some((time, 0)) };
    let (time, zone) = time.split_at(at);
    // A plus that was not encoded arrives as a space from some.
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    match numbers(zone.get(1..)?)?.as_slice() {
        [hours @ 0..15, minutes @ 0..60] => Some((time, sign * (hours * 3600 + minutes * 60))),
        _ => None,
    }
}

/// Numbers of two digits, joined by colons.
fn numbers(text: &str) -> Option<Vec<i64>> {
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split(':').map(|part| part.parse().ok().filter(|_| two(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_xml_schema_spells_them() {
        let day = 14_379 * 86_400;
        let cases = [
            ("2009-05-15", Some(day + 86_399)),
            ("2009-05-15T14:15:00Z", Some(day + 51_300)),
            ("2009-05-15T14:15:00", Some(day + 51_300)),
            ("2009-05-15T14:15:00.123Z", Some(day + 51_300)),
            ("2009-05-15T14:15:00+01:00", Some(day + 47_700)),
            ("2009-05-15T14:15:00 01:00", Some(day + 47_700)),
            ("2009-05-15T14:15:00-02:30", Some(day + 60_300)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2009-05-15T24:00:00Z", None),
            ("2009-05-15T14:15Z", None),
            ("2009-05-15T14:15:00.Z", None),
            ("2009-05-15T14:15:00+1:00", None),
            ("2009-05-15T14:15:00+99:00", None),
            ("2009-05-15T+1:+2:+3", None),
            ("2009-13-15", None),
            ("2009-Q1", None),
            ("2009-05-15Té", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(moment(text), expected, "{text}");
        }
    }
}

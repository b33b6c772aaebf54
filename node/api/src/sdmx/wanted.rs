//! What a request asks for: its path and its parameters, checked and bounded.
//!
//! Parameters that are not built answer 501, for a filter that is not applied would be a lie.

use schemas::period::{Frequency, Period};

use crate::sdmx::fault::Fault;

/// Bytes of a path and of a query.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Tests of one request, and keys.
const TESTS_MAX: usize = 512;

/// How much of each series is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Detail {
    #[default]
    Full,
    DataOnly,
    SeriesKeysOnly,
    NoData,
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

/// A comparison with a value.
pub(crate) type Test = (Operator, String);

/// A test of a component: one of the alternatives, each of which is a list of tests that all hold.
pub(crate) type Filter = (String, Vec<Vec<Test>>);

/// A key: for each dimension the values that will do, none for any.
pub(crate) type Key = Vec<Vec<String>>;

/// A request for data or structures.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Keys of which one must match; none for any.
    pub(crate) keys: Vec<Key>,
    pub(crate) start: Option<Period>,
    pub(crate) end: Option<Period>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) first: Option<usize>,
    pub(crate) last: Option<usize>,
    pub(crate) detail: Detail,
    /// Whether observations stand alone instead of in series.
    pub(crate) flat: bool,
    pub(crate) references: String,
    /// Seconds since 1970.
    pub(crate) asof: Option<i64>,
    /// Seconds since 1970.
    pub(crate) updated_after: Option<i64>,
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
        Ok(wanted)
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
            "detail" => self.detail = detail(value).ok_or_else(wrong)?,
            "attributes" if value == "none" => self.detail = Detail::DataOnly,
            "attributes" if matches!(value, "all" | "dsd") => {}
            "measures" if value == "all" => {}
            "includeHistory" if value == "false" => {}
            "mode" if matches!(value, "exact" | "available") => {}
            _ => match name.strip_prefix("c[").and_then(|rest| rest.strip_suffix(']')) {
                Some(component) => self.filter(component, value)?,
                None => return Err(Fault::unbuilt(format!("parameter `{name}={value}`"))),
            },
        }
        Ok(())
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

    /// The same, for a key in a path.
    pub(crate) fn keyed(&self, key: Option<&str>) -> Self {
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
        Self { keys, ..self.clone() }
    }
}

fn test(text: &str) -> Test {
    let (word, rest) = text.split_once(':').unwrap_or(("", text));
    let operator = match word {
        "eq" => Operator::Equal,
        "ne" => Operator::Unequal,
        "lt" => Operator::Less,
        "le" => Operator::AtMost,
        "gt" => Operator::Greater,
        "ge" => Operator::AtLeast,
        "co" => Operator::Contains,
        "nc" => Operator::Lacks,
        "sw" => Operator::Starts,
        "ew" => Operator::Ends,
        _ => return (Operator::Equal, text.to_owned()),
    };
    (operator, rest.to_owned())
}

fn detail(text: &str) -> Option<Detail> {
    Some(match text {
        "dataonly" => Detail::DataOnly,
        "serieskeysonly" => Detail::SeriesKeysOnly,
        "nodata" => Detail::NoData,
        "full"
        | "allstubs"
        | "allcompletestubs"
        | "referencestubs"
        | "referencecompletestubs"
        | "referencepartial"
        | "raw" => Detail::Full,
        _ => return None,
    })
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

/// Seconds since 1970 of a time; a day stands for its end.
fn moment(text: &str) -> Option<i64> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let day: Period = day.parse().ok().filter(|day: &Period| day.frequency() == Frequency::D)?;
    let start = i64::from(day.ordinal() - Period::day(1970, 1, 1)?.ordinal()) * 86_400;
    let Some(time) = time else { return Some(start + 86_399) };
    let time = time.strip_suffix('Z').or_else(|| time.strip_suffix("+00:00")).unwrap_or(time);
    let parts: Vec<i64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => Some(start + hour * 3600 + minute * 60 + second),
        _ => None,
    }
}

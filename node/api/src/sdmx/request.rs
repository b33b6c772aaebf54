//! Parsing of request paths and query parameters, with bounds.
//!
//! Unsupported parameters get 501: silently ignoring a filter would return wrong data.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use schemas::decimal::Decimal;
use schemas::period::{Frequency, Period};

use crate::sdmx::cube::OBS_VALUE;
use crate::sdmx::error::SdmxError;

/// Bytes of a path, and of a query string.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Component tests per request.
const TESTS_MAX: usize = 512;

/// Sort keys per request.
const SORTS_MAX: usize = 64;

/// Attributes to include in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributeSelection {
    /// All data set attributes.
    pub(crate) data_set: bool,
    /// All observation attributes.
    pub(crate) observations: bool,
    /// Attributes selected by id.
    pub(crate) ids: BTreeSet<String>,
}

impl AttributeSelection {
    const NONE: Self = Self { data_set: false, observations: false, ids: BTreeSet::new() };
    const ALL: Self = Self { data_set: true, observations: true, ids: BTreeSet::new() };

    /// Whether a data set attribute is included.
    pub(crate) fn includes_data_set(&self, id: &str) -> bool {
        self.data_set || self.ids.contains(id)
    }

    /// Whether an observation attribute is included.
    pub(crate) fn includes_observation(&self, id: &str) -> bool {
        self.observations || self.ids.contains(id)
    }

    /// Parses the REST 2 parameter `attributes`: levels or ids. This node has no reference metadata and
    /// no series attributes.
    fn parse(text: &str) -> Self {
        let mut selection = Self::NONE;
        for word in text.split(',') {
            match word {
                "all" | "dsd" => (selection.data_set, selection.observations) = (true, true),
                "dataset" => selection.data_set = true,
                "obs" => selection.observations = true,
                "none" | "msd" | "series" | "" => {}
                id => drop(selection.ids.insert(id.to_owned())),
            }
        }
        selection
    }
}

/// Comparison operator of a component test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TestOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
}

impl TestOperator {
    /// Whether the operator compares values; the others match parts of a text.
    pub(crate) fn is_ordering(self) -> bool {
        !matches!(self, Self::Contains | Self::NotContains | Self::StartsWith | Self::EndsWith)
    }

    /// Whether the test passes for a value that compares to the bound as `order`.
    pub(crate) fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Contains | Self::NotContains | Self::StartsWith | Self::EndsWith => false,
        }
    }
}

/// A comparison of a component with a value.
#[derive(Debug, Clone)]
pub(crate) struct ComponentTest {
    pub(crate) operator: TestOperator,
    pub(crate) text: String,
    /// `text` as a number, if it is one.
    pub(crate) number: Option<Decimal>,
    /// `text` as a period, if it is one.
    pub(crate) period: Option<Period>,
}

/// Filter of a component: alternatives, each a list of tests that all have to pass.
pub(crate) type ComponentFilter = (String, Vec<Vec<ComponentTest>>);

/// Key pattern: the accepted values of each dimension; an empty list accepts any value.
pub(crate) type KeyPattern = Vec<Vec<String>>;

/// Parameters of a data or structure request.
#[derive(Debug, Clone)]
pub(crate) struct DataRequest {
    /// Key patterns; an observation matches one of them. Empty accepts any key.
    pub(crate) keys: Vec<KeyPattern>,
    /// Whether keys may omit trailing dimensions (REST 2).
    pub(crate) partial_keys: bool,
    pub(crate) start: Option<Period>,
    pub(crate) end: Option<Period>,
    pub(crate) filters: Vec<ComponentFilter>,
    pub(crate) first_observations: Option<usize>,
    pub(crate) last_observations: Option<usize>,
    /// Whether values are written.
    pub(crate) measures: bool,
    pub(crate) attributes: AttributeSelection,
    /// Whether only series keys are written.
    series_keys_only: bool,
    /// Whether observations are written flat instead of in series.
    pub(crate) flat: bool,
    pub(crate) references: String,
    /// Seconds since 1970.
    pub(crate) as_of: Option<i64>,
    /// Seconds since 1970.
    pub(crate) updated_after: Option<i64>,
    /// Whether all vintages are written.
    pub(crate) history: bool,
    /// Number of observations to skip; of series, if only series keys are written.
    pub(crate) offset: usize,
    /// Maximum number of observations, or series, to write.
    pub(crate) limit: Option<usize>,
    /// Sort keys: component id, and whether the order is descending.
    pub(crate) sort: Vec<(String, bool)>,
}

impl Default for DataRequest {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            partial_keys: false,
            start: None,
            end: None,
            filters: Vec::new(),
            first_observations: None,
            last_observations: None,
            measures: true,
            attributes: AttributeSelection::ALL,
            series_keys_only: false,
            flat: false,
            references: String::new(),
            as_of: None,
            updated_after: None,
            history: false,
            offset: 0,
            limit: None,
            sort: Vec::new(),
        }
    }
}

/// Splits a path into decoded segments, without trailing empty ones.
pub(crate) fn split_path(tail: &str) -> Result<Vec<String>, SdmxError> {
    if tail.len() > TEXT_BYTES_MAX {
        return Err(SdmxError::syntax(format!("the path is longer than {TEXT_BYTES_MAX} bytes")));
    }
    let tail = tail.trim_end_matches('/');
    tail.split('/').map(percent_decode).collect()
}

/// Decodes percent-encoding; `+` stays as it is.
fn percent_decode(text: &str) -> Result<String, SdmxError> {
    let bad = || SdmxError::syntax(format!("invalid percent-encoding in `{text}`"));
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
    // Control characters never occur in ids, and XML error messages cannot quote them.
    let decoded = String::from_utf8(bytes).map_err(|_| bad())?;
    if decoded.chars().any(char::is_control) { Err(bad()) } else { Ok(decoded) }
}

impl DataRequest {
    /// Parses the query parameters.
    pub(crate) fn parse(query: &str) -> Result<Self, SdmxError> {
        if query.len() > TEXT_BYTES_MAX {
            return Err(SdmxError::syntax(format!("the query is longer than {TEXT_BYTES_MAX} bytes")));
        }
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.apply_parameter(&percent_decode(name)?, &percent_decode(value)?)?;
        }
        if parameters.updated_after.zip(parameters.as_of).is_some_and(|(after, asof)| after > asof) {
            return Err(SdmxError::semantic("`updatedAfter` is later than `asOf`"));
        }
        Ok(parameters)
    }

    /// Whether only series keys are written.
    pub(crate) fn keys_only(&self) -> bool {
        self.series_keys_only || !self.measures && self.attributes == AttributeSelection::NONE
    }

    fn apply_parameter(&mut self, name: &str, value: &str) -> Result<(), SdmxError> {
        let wrong = || SdmxError::semantic(format!("invalid value `{value}` of parameter `{name}`"));
        match name {
            "startPeriod" => self.start = Some(parse_period(value).ok_or_else(wrong)?),
            "endPeriod" => self.end = Some(parse_period(value).ok_or_else(wrong)?),
            "firstNObservations" => self.first_observations = Some(value.parse().map_err(|_| wrong())?),
            "lastNObservations" => self.last_observations = Some(value.parse().map_err(|_| wrong())?),
            "asOf" => self.as_of = Some(parse_time(value).ok_or_else(wrong)?),
            "updatedAfter" => self.updated_after = Some(parse_time(value).ok_or_else(wrong)?),
            "references" => self.references = value.to_owned(),
            "dimensionAtObservation" => match value {
                "TIME_PERIOD" => self.flat = false,
                "AllDimensions" => self.flat = true,
                _ => return Err(SdmxError::not_implemented(format!("`{name}={value}`"))),
            },
            "detail" => self.apply_detail(value).ok_or_else(wrong)?,
            "attributes" => self.attributes = AttributeSelection::parse(value),
            "measures" => match value {
                "all" | OBS_VALUE => self.measures = true,
                "none" => self.measures = false,
                _ => return Err(wrong()),
            },
            "includeHistory" => self.history = value.parse().map_err(|_| wrong())?,
            "offset" => self.offset = value.parse().map_err(|_| wrong())?,
            "limit" => self.limit = Some(value.parse().map_err(|_| wrong())?),
            "sort" => self.sort = parse_sort(value).ok_or_else(wrong)?,
            "mode" if matches!(value, "exact" | "available") => {}
            _ => match name.strip_prefix("c[").and_then(|rest| rest.strip_suffix(']')) {
                Some(component) => self.add_filter(component, value)?,
                None => return Err(SdmxError::not_implemented(format!("parameter `{name}={value}`"))),
            },
        }
        Ok(())
    }

    /// Applies the REST 1 parameter `detail`. The values for structures are accepted without effect.
    fn apply_detail(&mut self, text: &str) -> Option<()> {
        let (bare, attributes) = match text {
            "dataonly" => (false, AttributeSelection::NONE),
            "serieskeysonly" => (true, AttributeSelection::NONE),
            "nodata" => (true, AttributeSelection::ALL),
            "full"
            | "allstubs"
            | "allcompletestubs"
            | "referencestubs"
            | "referencecompletestubs"
            | "referencepartial"
            | "raw" => (false, AttributeSelection::ALL),
            _ => return None,
        };
        (self.series_keys_only, self.attributes) = (bare, attributes);
        Some(())
    }

    fn add_filter(&mut self, component: &str, value: &str) -> Result<(), SdmxError> {
        let tests: Vec<Vec<ComponentTest>> =
            value.split(',').map(|either| either.split('+').map(parse_test).collect()).collect();
        self.filters.push((component.to_owned(), tests));
        let count = self.filters.iter().flat_map(|(_, either)| either).map(Vec::len).sum::<usize>();
        if count > TESTS_MAX {
            return Err(SdmxError::too_large(format!(
                "the request has more than {TESTS_MAX} component tests"
            )));
        }
        Ok(())
    }

    /// Returns the request with the key patterns of a path.
    pub(crate) fn with_key(self, key: Option<&str>, short: bool) -> Self {
        let one = |key: &str| {
            let part = |part: &str| match part {
                "" | "*" => Vec::new(),
                part => part.split('+').map(str::to_owned).collect(),
            };
            key.split('.').map(part).collect::<KeyPattern>()
        };
        let keys = match key {
            None | Some("all" | "*" | "") => Vec::new(),
            Some(keys) => keys.split(',').map(one).collect(),
        };
        Self { keys, partial_keys: short, ..self }
    }
}

fn parse_test(text: &str) -> ComponentTest {
    let (word, rest) = text.split_once(':').unwrap_or(("", text));
    let operator = match word {
        "eq" => Some(TestOperator::Equal),
        "ne" => Some(TestOperator::NotEqual),
        "lt" => Some(TestOperator::Less),
        "le" => Some(TestOperator::LessOrEqual),
        "gt" => Some(TestOperator::Greater),
        "ge" => Some(TestOperator::GreaterOrEqual),
        "co" => Some(TestOperator::Contains),
        "nc" => Some(TestOperator::NotContains),
        "sw" => Some(TestOperator::StartsWith),
        "ew" => Some(TestOperator::EndsWith),
        _ => None,
    };
    let text = if operator.is_some() { rest } else { text };
    ComponentTest {
        operator: operator.unwrap_or(TestOperator::Equal),
        text: text.to_owned(),
        number: text.parse().ok(),
        period: parse_period(text),
    }
}

/// Parses components joined by `+`, each with an optional `:asc` or `:desc`.
fn parse_sort(text: &str) -> Option<Vec<(String, bool)>> {
    let part = |part: &str| match part.split_once(':') {
        None | Some((_, "asc")) => Some((part.split(':').next()?.to_owned(), false)),
        Some((id, "desc")) => Some((id.to_owned(), true)),
        Some(_) => None,
    };
    let parts: Option<Vec<_>> = text.split('+').map(part).collect();
    parts.filter(|parts| parts.len() <= SORTS_MAX)
}

/// Parses a period in SDMX notation: ledger notation, calendar months (`2020-04`) and timestamps.
pub(crate) fn parse_period(text: &str) -> Option<Period> {
    // Some clients send timestamps as period bounds; their date is sufficient.
    let day = text.get(..10).filter(|_| text.as_bytes().get(10) == Some(&b'T'));
    let text = day.unwrap_or(text);
    // The ledger writes months as `2020-M04`; SDMX also allows `2020-04`.
    if let Some((year, month)) = text.split_once('-')
        && year.len() == 4
        && month.len() == 2
        && month.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Period::new(Frequency::M, year.parse().ok()?, month.parse().ok()?);
    }
    text.parse().ok()
}

/// Parses a time to seconds since 1970. A day stands for its last second; fractions of a second are
/// dropped.
fn parse_time(text: &str) -> Option<i64> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let day: Period = day.parse().ok().filter(|day: &Period| day.frequency() == Frequency::D)?;
    let start = i64::from(day.ordinal() - Period::from_date(1970, 1, 1)?.ordinal()) * 86_400;
    let Some(time) = time else { return Some(start + 86_399) };
    let (time, offset) = split_zone(time)?;
    let (time, part) = time.split_once('.').unwrap_or((time, "0"));
    let seconds = match two_digit_numbers(time)?.as_slice() {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => hour * 3600 + minute * 60 + second,
        _ => return None,
    };
    let fraction = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    fraction.then_some(start + seconds - offset)
}

/// Splits a time of day from its zone and returns the offset from UTC in seconds. No zone means UTC.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-', ' ']) else { return Some((time, 0)) };
    let (time, zone) = time.split_at(at);
    // Some clients send `+` unencoded, and it arrives as a space.
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    match two_digit_numbers(zone.get(1..)?)?.as_slice() {
        [hours @ 0..15, minutes @ 0..60] => Some((time, sign * (hours * 3600 + minutes * 60))),
        _ => None,
    }
}

/// Parses two-digit numbers joined by colons.
fn two_digit_numbers(text: &str) -> Option<Vec<i64>> {
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
            assert_eq!(parse_time(text), expected, "{text}");
        }
    }
}

//! Addresses of dataflows, series and figures:
//! `assay://<publisher>/<dataflow>/<key>/<period>@<vintage>`.
//!
//! The key and the period may be left out from the right; without a vintage the address names the
//! latest release. [`SeriesKey`] is the one spelling of a key, here, in paths of the HTTP API and on
//! the command line.
//!
//! Implements: specs/addresses.md.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cid::PublisherId;
use crate::period::{self, Frequency, Period};
use crate::structure::ValueType;
use crate::table::{Cell, Table};
use crate::text::Name;

/// Scheme of every address.
pub const SCHEME: &str = "assay://";

/// Spelling of the key of a data set that has no identifier besides time.
const EMPTY_KEY: &str = "_";

/// Rejection of a text that should be an address or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an address.
    #[error(
        "`{text}` is not an address: {reason} (form: assay://<publisher>/<dataflow>/<key>/<period>@latest)"
    )]
    Address {
        /// The text, cut to 120 characters.
        text: String,
        /// The part that is wrong.
        reason: String,
    },
    /// Not a series key: `%` without two hexadecimal digits, or escapes that are not UTF-8.
    #[error("`{0}` is not a series key: `%` is followed by two hexadecimal digits of UTF-8")]
    Key(String),
    /// Not a vintage.
    #[error("`@{0}` is not a vintage (latest, first, seq=<n>, asof=<date>)")]
    Vintage(String),
}

/// Selects one release of a dataflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Vintage {
    /// The last release that is not retracted.
    #[default]
    Latest,
    /// The first release.
    First,
    /// The release with this sequence number in the publisher's log.
    Seq(u64),
    /// The last release that the publisher signed on this day or before, by its own clock.
    AsOf(Period),
}

impl FromStr for Vintage {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "latest" => Ok(Self::Latest),
            "first" => Ok(Self::First),
            other => {
                let seq = other.strip_prefix("seq=").and_then(|seq| seq.parse().ok()).map(Self::Seq);
                let day = || other.strip_prefix("asof=").and_then(parse_day).map(Self::AsOf);
                seq.or_else(day).ok_or_else(|| Error::Vintage(truncate(other)))
            }
        }
    }
}

impl fmt::Display for Vintage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::First => f.write_str("first"),
            Self::Seq(seq) => write!(f, "seq={seq}"),
            Self::AsOf(day) => write!(f, "asof={day}"),
        }
    }
}

/// A day written as `2024-01-31`.
fn parse_day(text: &str) -> Option<Period> {
    // `2010-D031` is a period of a day too, but an address has one spelling of a day.
    text.parse::<Period>().ok().filter(|day| day.frequency() == Frequency::D && text.len() == 10)
}

/// The first second after a day, counted from 1970-01-01T00:00:00Z.
pub fn end_of_day(day: Period) -> i64 {
    let epoch = Period::from_date(1970, 1, 1).map_or(0, |epoch| i64::from(epoch.ordinal()));
    (i64::from(day.ordinal()) - epoch + 1) * 86_400
}

/// The values of the identifiers other than time, in the order of the structure.
///
/// As text the values are joined by dots; `%XX` escapes the characters that an address needs for
/// itself. The key without values is `_`, so a figure of a data set whose only identifier is time has
/// an address; the value `_` alone is written `%5F`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeriesKey(Vec<String>);

impl SeriesKey {
    /// The key with these values.
    pub fn new(values: Vec<String>) -> Self {
        Self(values)
    }

    /// The key of a row: its identifiers other than the time period.
    pub fn of_row(table: &Table, row: usize) -> Self {
        let columns = table.shape().components().iter().zip(table.columns());
        let identifiers = columns.take(table.shape().identifier_count());
        let others = identifiers.filter(|(component, _)| component.value_type != ValueType::TimePeriod);
        Self(others.filter_map(|(_, column)| column.cell(row)).map(|cell| cell.to_string()).collect())
    }

    /// The values.
    pub fn values(&self) -> &[String] {
        &self.0
    }

    /// Whether the key has no values: the data set has no identifier besides time.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key selects the data points whose other identifiers are `cells`.
    ///
    /// A key with fewer values than there are identifiers selects by the first ones; the empty key
    /// selects only where there are none.
    fn selects(&self, cells: &[Option<String>]) -> bool {
        // The empty key is that of a table without other identifiers; it does not select all series.
        let fits = if self.is_empty() { cells.is_empty() } else { self.0.len() <= cells.len() };
        fits && self.0.iter().zip(cells).all(|(value, cell)| cell.as_ref() == Some(value))
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => return f.write_str(EMPTY_KEY),
            // Unescaped, the value `_` would read as the empty key.
            [only] if only == EMPTY_KEY => return f.write_str("%5F"),
            _ => {}
        }
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char('.')?;
            }
            for c in value.chars() {
                match c {
                    // ASCII only, so one escape is one character.
                    '%' | '.' | '/' | '@' | '?' | '#' | ' ' | '\t' | '\n' => write!(f, "%{:02X}", c as u32)?,
                    _ => f.write_char(c)?,
                }
            }
        }
        Ok(())
    }
}

impl FromStr for SeriesKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == EMPTY_KEY {
            return Ok(Self::default());
        }
        let values = text.split('.').map(decode_value).collect::<Option<_>>();
        values.map(Self).ok_or_else(|| Error::Key(truncate(text)))
    }
}

/// Replaces `%XX` by the byte that it stands for.
fn decode_value(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        // from_str_radix would take a sign.
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Names a dataflow of a publisher, one of its series, or one figure, in one of its releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    publisher: PublisherId,
    dataflow: Name,
    /// INVARIANT: `None` when there is no key; a period needs a key.
    key: Option<SeriesKey>,
    period: Option<Period>,
    vintage: Vintage,
}

impl Address {
    /// The address of a whole dataflow, in its latest release.
    pub fn new(publisher: PublisherId, dataflow: Name) -> Self {
        Self { publisher, dataflow, key: None, period: None, vintage: Vintage::Latest }
    }

    /// The address of a series of the same dataflow.
    #[must_use]
    pub fn with_series(self, key: SeriesKey) -> Self {
        Self { key: Some(key), period: None, ..self }
    }

    /// The address of a figure of the same dataflow.
    #[must_use]
    pub fn with_figure(self, key: SeriesKey, period: Period) -> Self {
        Self { key: Some(key), period: Some(period), ..self }
    }

    /// The same in another release.
    #[must_use]
    pub fn with_vintage(self, vintage: Vintage) -> Self {
        Self { vintage, ..self }
    }

    /// The publisher.
    pub fn publisher(&self) -> PublisherId {
        self.publisher
    }

    /// The dataflow.
    pub fn dataflow(&self) -> &Name {
        &self.dataflow
    }

    /// The series; absent in the address of a whole dataflow.
    pub fn key(&self) -> Option<&SeriesKey> {
        self.key.as_ref()
    }

    /// The period; absent in the address of a series or a dataflow.
    pub fn period(&self) -> Option<Period> {
        self.period
    }

    /// The release.
    pub fn vintage(&self) -> Vintage {
        self.vintage
    }

    /// The rows of a table that the address selects, ascending: every row without a key, else those of
    /// the key and, where there is one, the period.
    pub fn select_rows(&self, table: &Table) -> Vec<usize> {
        let keys = table.shape().identifier_count();
        let components = table.shape().components().iter().zip(table.columns()).take(keys);
        let (times, others): (Vec<_>, Vec<_>) =
            components.partition(|(component, _)| component.value_type == ValueType::TimePeriod);
        let matches_key = |row: usize| {
            let cells = others.iter().map(|(_, column)| column.cell(row).map(|cell| cell.to_string()));
            self.key.as_ref().is_none_or(|key| key.selects(&cells.collect::<Vec<_>>()))
        };
        let matches_period = |row: usize| {
            self.period.is_none_or(|period| {
                times.iter().all(|(_, column)| column.cell(row) == Some(Cell::Period(period)))
            })
        };
        // The period comes first: it compares integers, the key makes texts of the cells.
        (0..table.rows()).filter(|row| matches_period(*row) && matches_key(*row)).collect()
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let reject = |reason: String| Error::Address { text: truncate(text), reason };
        let rest =
            text.strip_prefix(SCHEME).ok_or_else(|| reject(format!("it does not begin with `{SCHEME}`")))?;
        // A key escapes `@`, so the first one begins the vintage.
        let (path, vintage) = match rest.split_once('@') {
            None => (rest, Vintage::Latest),
            Some((path, vintage)) => {
                (path, vintage.parse().map_err(|error: Error| reject(error.to_string()))?)
            }
        };
        let mut parts = path.trim_end_matches('/').split('/');
        let publisher = parts.next().unwrap_or_default();
        let publisher =
            publisher.parse().map_err(|_| reject(format!("`{publisher}` is not a publisher id")))?;
        let dataflow = parts.next().ok_or_else(|| reject("the dataflow is missing".into()))?;
        let dataflow = Name::new(dataflow).map_err(|error| reject(error.to_string()))?;
        let key = parts.next().map(SeriesKey::from_str).transpose();
        let key = key.map_err(|error| reject(error.to_string()))?;
        let period = parts.next().map(Period::from_str).transpose();
        let period = period.map_err(|error: period::Error| reject(error.to_string()))?;
        match parts.next() {
            None => Ok(Self { publisher, dataflow, key, period, vintage }),
            Some(extra) => Err(reject(format!("`/{extra}` is too much"))),
        }
    }
}

impl fmt::Display for Address {
    /// Writes the one spelling; `@latest` is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.publisher, self.dataflow)?;
        if let Some(key) = &self.key {
            write!(f, "/{key}")?;
        }
        if let Some(period) = self.period {
            write!(f, "/{period}")?;
        }
        if self.vintage != Vintage::Latest {
            write!(f, "@{}", self.vintage)?;
        }
        Ok(())
    }
}

/// The beginning of a text from outside, for an error message.
fn truncate(text: &str) -> String {
    text.chars().take(120).collect()
}

macro_rules! serialise_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serialise_as_text!(Address, SeriesKey, Vintage);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cid::EntryId;
    use crate::structure::{Component, ComponentList, Role};
    use crate::table::{Column, TextColumn};

    fn publisher() -> PublisherId {
        PublisherId::from(EntryId::of(b"genesis"))
    }

    #[test]
    fn addresses_round_trip_and_errors_name_the_part() {
        let publisher = publisher();
        let tails =
            ["", "/USA", "/USA/2010", "/USA.A/2010-M01@first", "/_/2010", "@seq=7", "@asof=2024-02-29"];
        for tail in tails {
            let text = format!("assay://{publisher}/inflation{tail}");
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for (text, reason) in [
            ("inflation".to_owned(), "begin with"),
            ("assay://x/inflation".to_owned(), "publisher id"),
            (format!("assay://{publisher}"), "dataflow is missing"),
            (format!("assay://{publisher}/i/USA/20100"), "not a period"),
            (format!("assay://{publisher}/i/US%4/2010"), "not a series key"),
            (format!("assay://{publisher}/i@newest"), "not a vintage"),
            (format!("assay://{publisher}/i/USA/2010/x"), "too much"),
        ] {
            assert!(text.parse::<Address>().unwrap_err().to_string().contains(reason), "{text}");
        }
    }

    #[test]
    fn every_key_has_one_spelling() {
        for (values, text) in [
            (vec![], "_"),
            (vec!["_"], "%5F"),
            (vec!["_", "A"], "_.A"),
            (vec!["1.A", "50%"], "1%2EA.50%25"),
            (vec!["a/b@c?d#e f"], "a%2Fb%40c%3Fd%23e%20f"),
            (vec!["é", ""], "é."),
        ] {
            let key = SeriesKey::new(values.into_iter().map(str::to_owned).collect());
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key));
        }
        assert_eq!("a%2eb".parse::<SeriesKey>().unwrap().to_string(), "a%2Eb");
        for text in ["%", "%2", "%+1", "%zz", "%ff", "a.%"] {
            assert_eq!(text.parse::<SeriesKey>(), Err(Error::Key(text.into())));
        }
    }

    fn table(identifiers: &[(&str, ValueType)], columns: Vec<Column>) -> Table {
        let components = identifiers
            .iter()
            .map(|(id, value_type)| Component::new(Name::new(*id).unwrap(), Role::Identifier, *value_type));
        Table::new(ComponentList::new(components.collect()).unwrap(), columns).unwrap()
    }

    #[test]
    fn the_empty_key_selects_figures_without_other_identifiers_only() {
        let years = || Column::Period(vec!["2010".parse().ok(), "2011".parse().ok()]);
        let time = ("TIME_PERIOD", ValueType::TimePeriod);
        let only_time = table(&[time], vec![years()]);
        let areas = Column::Text(TextColumn::from_rows([Some("USA"), Some("USA")]));
        let by_area = table(&[("REF_AREA", ValueType::String), time], vec![areas, years()]);
        let flow = Address::new(publisher(), Name::new("i").unwrap());
        let at = |key: &str| flow.clone().with_figure(key.parse().unwrap(), "2011".parse().unwrap());
        assert_eq!(at("_").select_rows(&only_time), [1]);
        assert_eq!(at("USA").select_rows(&by_area), [1]);
        assert!(at("_").select_rows(&by_area).is_empty() && at("USA").select_rows(&only_time).is_empty());
        assert_eq!(flow.select_rows(&by_area), [0, 1]);
        assert_eq!(SeriesKey::of_row(&only_time, 0).to_string(), "_");
        assert_eq!(SeriesKey::of_row(&by_area, 0).to_string(), "USA");
    }
}

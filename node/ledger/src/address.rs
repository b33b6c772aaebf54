//! Addresses of figures: `assay://<publisher>/<dataflow>/<series key>/<period>@<vintage>`.
//!
//! The publisher is a publisher id; the series key is the identifiers other than time, joined by
//! dots in the order of the structure. The later parts may be left out from the right. The
//! vintage is `latest` (the default), `first`, `asof=<date>` or `seq=<n>`.

use std::fmt;
use std::str::FromStr;

use schemas::cid::PublisherId;
use schemas::period::{Frequency, Period};
use schemas::structure::ValueType;
use schemas::table::{Cell, Table};
use schemas::text::Name;

/// Which release of a dataflow is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Vintage {
    /// The last one.
    #[default]
    Latest,
    /// The first one.
    First,
    /// The one at this place of the publisher's log.
    Seq(u64),
    /// The last one that the publisher signed on this day or before, by its own clock.
    Asof(Period),
}

/// Where a figure is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whose.
    pub publisher: PublisherId,
    /// Of which dataflow.
    pub dataflow: Name,
    /// The identifiers other than time.
    pub key: Option<Vec<String>>,
    /// The period.
    pub period: Option<Period>,
    /// Which release.
    pub vintage: Vintage,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {reason} (form: assay://<publisher>/<dataflow>/<key>/<period>@latest)")]
pub struct Error {
    text: String,
    reason: String,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |reason: String| Error { text: text.chars().take(120).collect(), reason };
        let rest =
            text.strip_prefix("assay://").ok_or_else(|| fault("it does not begin with `assay://`".into()))?;
        let (path, vintage) = match rest.split_once('@') {
            None => (rest, Vintage::Latest),
            Some((path, vintage)) => (path, parse_vintage(vintage).map_err(fault)?),
        };
        let mut parts = path.trim_end_matches('/').split('/');
        let publisher = parts.next().unwrap_or_default();
        let publisher =
            publisher.parse().map_err(|_| fault(format!("`{publisher}` is not a publisher id")))?;
        let dataflow = parts.next().ok_or_else(|| fault("the dataflow is missing".into()))?;
        let dataflow = Name::new(dataflow).map_err(|error| fault(error.to_string()))?;
        let key = parts.next().map(|key| key.split('.').map(str::to_owned).collect());
        let period = match parts.next() {
            None => None,
            Some(period) => {
                Some(period.parse().map_err(|error: schemas::period::Error| fault(error.to_string()))?)
            }
        };
        match parts.next() {
            None => Ok(Self { publisher, dataflow, key, period, vintage }),
            Some(extra) => Err(fault(format!("`/{extra}` is too much"))),
        }
    }
}

impl Address {
    /// The rows of a table that the address names: those of its key and, when it has one, period.
    pub fn rows(&self, table: &Table) -> Vec<usize> {
        let keys = table.shape().identifier_count();
        let components = table.shape().components().iter().zip(table.columns()).take(keys);
        let (times, others): (Vec<_>, Vec<_>) =
            components.partition(|(component, _)| component.value_type == ValueType::TimePeriod);
        let wanted = self.key.as_deref().unwrap_or_default();
        if wanted.len() > others.len() {
            return Vec::new();
        }
        let named = |row: usize| {
            let cells = others.iter().map(|(_, column)| column.cell(row).map(|cell| cell.to_string()));
            wanted.iter().zip(cells).all(|(part, cell)| cell.as_ref() == Some(part))
        };
        let timed = |row: usize| {
            self.period.is_none_or(|period| {
                times.iter().all(|(_, column)| column.cell(row) == Some(Cell::Period(period)))
            })
        };
        (0..table.rows()).filter(|row| named(*row) && timed(*row)).collect()
    }
}

fn parse_vintage(text: &str) -> Result<Vintage, String> {
    match text {
        "latest" => Ok(Vintage::Latest),
        "first" => Ok(Vintage::First),
        other => {
            let seq = other.strip_prefix("seq=").and_then(|seq| seq.parse().ok()).map(Vintage::Seq);
            let day = || other.strip_prefix("asof=").and_then(day).map(Vintage::Asof);
            seq.or_else(day)
                .ok_or_else(|| format!("`@{other}` is not a vintage (latest, first, seq=<n>, asof=<date>)"))
        }
    }
}

/// A day written as `2024-01-31`.
fn day(text: &str) -> Option<Period> {
    text.parse::<Period>().ok().filter(|day| day.frequency() == Frequency::D && text.len() == 10)
}

/// The first second after a day, since 1970-01-01T00:00:00Z.
pub fn end_of(day: Period) -> i64 {
    let epoch = Period::from_date(1970, 1, 1).map_or(0, |epoch| i64::from(epoch.ordinal()));
    (i64::from(day.ordinal()) - epoch + 1) * 86_400
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "assay://{}/{}", self.publisher, self.dataflow)?;
        if let Some(key) = &self.key {
            write!(f, "/{}", key.join("."))?;
            if let Some(period) = self.period {
                write!(f, "/{period}")?;
            }
        }
        match self.vintage {
            Vintage::Latest => Ok(()),
            Vintage::First => f.write_str("@first"),
            Vintage::Seq(seq) => write!(f, "@seq={seq}"),
            Vintage::Asof(day) => write!(f, "@asof={day}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_back_and_faults_are_named() {
        let publisher = PublisherId::from(schemas::cid::EntryId::of(b"genesis"));
        for tail in ["", "/USA", "/USA/2010", "/USA.A/2010-M01@first", "@seq=7", "@asof=2024-02-29"] {
            let text = format!("assay://{publisher}/inflation{tail}");
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for (text, reason) in [
            ("inflation".to_owned(), "begin with"),
            ("assay://x/inflation".to_owned(), "publisher id"),
            (format!("assay://{publisher}"), "dataflow is missing"),
            (format!("assay://{publisher}/i/USA/20100"), "not a period"),
            (format!("assay://{publisher}/i@newest"), "not a vintage"),
            (format!("assay://{publisher}/i/USA/2010/x"), "too much"),
        ] {
            assert!(text.parse::<Address>().unwrap_err().to_string().contains(reason), "{text}");
        }
    }
}

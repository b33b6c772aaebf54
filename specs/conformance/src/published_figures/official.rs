//! Comparison of complete series with the official ones, over all periods that both have.
//!
//! A row of `published_checks.csv` is one figure; a series shows a method over decades. Equality is not
//! always expected: an alternative method differs on purpose, and a published total is rounded
//! differently from its parts. Each series therefore states the largest expected gap.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemas::decimal::Decimal;
use schemas::table::{Cell, Table};
use serde_json::{Value, json};
use vtl::decimal128;

use super::family::OfficialSeries;
use super::figure::round_half_up;
use super::pipeline::Pipeline;

/// Up to this number, figures are listed one by one; of longer series, only up to as many that differ.
const FEW: usize = 12;

/// Result of comparing a series.
#[derive(Debug, Clone)]
pub struct SeriesComparison {
    /// A short name.
    pub name: String,
    /// Title: both sides of the comparison.
    pub title: String,
    /// Largest expected gap, in the unit of the figures.
    pub within: Decimal,
    /// Pairs of figures by key, or the error of the run.
    pub pairs: Result<BTreeMap<String, FigurePair>, String>,
}

/// A computed and an official figure, both rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FigurePair {
    /// Computed figure.
    pub figure: Decimal,
    /// Official figure.
    pub official: Decimal,
    /// Computed less official figure.
    pub gap: Decimal,
}

impl SeriesComparison {
    pub(super) fn new(chain: &mut Pipeline, series: &OfficialSeries) -> Self {
        let OfficialSeries { name, title, within, .. } = series.clone();
        Self { name, title, within, pairs: compare_series(chain, series) }
    }

    /// Whether there are pairs and every gap is within the expected one.
    pub fn passes(&self) -> bool {
        let near = |pair: &FigurePair| !is_larger(pair.gap, self.within);
        // A series without a common period proves nothing.
        self.pairs.as_ref().is_ok_and(|pairs| !pairs.is_empty() && pairs.values().all(near))
    }

    /// Number of pairs, and number of equal pairs.
    pub fn counts(&self) -> (usize, usize) {
        let pairs = self.pairs.as_ref().map(BTreeMap::len).unwrap_or_default();
        let equal = self.pairs.iter().flat_map(BTreeMap::values).filter(|pair| pair.gap.is_zero()).count();
        (pairs, equal)
    }

    /// Pair with the largest gap; the first one of several.
    pub fn largest_gap(&self) -> Option<(&str, FigurePair)> {
        let pairs = self.pairs.iter().flatten();
        let found = pairs.reduce(|far, next| if is_larger(next.1.gap, far.1.gap) { next } else { far });
        found.map(|(key, pair)| (key.as_str(), *pair))
    }

    /// Report as text.
    pub fn text(&self) -> String {
        let mark = if self.passes() { " " } else { "!" };
        let mut text = format!("{mark} {}: {}\n", self.name, self.title);
        let (pairs, far) = match (&self.pairs, self.largest_gap()) {
            (Err(reason), _) => return text + &format!("      not run: {reason}\n"),
            (Ok(pairs), Some(far)) => (pairs, far),
            (Ok(_), None) => return text + "      no common period\n",
        };
        let (count, equal) = self.counts();
        let ends = [pairs.keys().next(), pairs.keys().next_back()].map(|key| key.map_or("", String::as_str));
        let _ = writeln!(
            text,
            "      {} to {}: {count} figures, {equal} as published; largest gap {} at {} (up to {} expected)",
            ends[0], ends[1], far.1.gap, far.0, self.within
        );
        // An alternative method differs everywhere, so only a few differences are listed.
        let shown = |pair: &FigurePair| count <= FEW || (count - equal <= FEW && !pair.gap.is_zero());
        for (key, pair) in pairs.iter().filter(|(_, pair)| shown(pair)) {
            let _ =
                writeln!(text, "      {key}: {}, official {}, {} off", pair.figure, pair.official, pair.gap);
        }
        text
    }

    /// Report as JSON.
    pub fn json(&self) -> Value {
        let ((count, equal), far) = (self.counts(), self.largest_gap());
        json!({
            "name": self.name, "title": self.title, "figures": count, "equal": equal,
            "largest_gap": far.map(|far| far.1.gap.to_string()), "at": far.map(|far| far.0),
            "expected_within": self.within.to_string(), "as_expected": self.passes(),
            "reason": self.pairs.as_ref().err(),
        })
    }
}

fn compare_series(
    chain: &mut Pipeline,
    series: &OfficialSeries,
) -> Result<BTreeMap<String, FigurePair>, String> {
    let (output, component) = series.run.figure_component();
    let figures = chain.compute_figures(&series.run)?;
    let ours = values_by_key(figures.output_table(output)?, component)?;
    let theirs = values_by_key(&chain.import_table(&series.official)?, "OBS_VALUE")?;
    let wanted = |key: &str| {
        let period = key.rsplit(' ').next().unwrap_or_default();
        series.years.is_empty() || series.years.iter().any(|year| period.starts_with(year.as_str()))
    };
    // Ordered by key, so that the report starts with the first period.
    let mut pairs = BTreeMap::new();
    for (key, figure) in ours.into_iter().filter(|(key, _)| wanted(key)) {
        let Some(official) = theirs.get(&key) else { continue };
        let (figure, official) =
            (round_half_up(figure, series.decimals), round_half_up(*official, series.decimals));
        let gap = decimal128::sub(figure, official).map_err(|error| error.to_string())?;
        pairs.insert(key, FigurePair { figure, official, gap });
    }
    Ok(pairs)
}

/// Figures of a table by their identifiers, joined by spaces.
fn values_by_key(table: &Table, component: &str) -> Result<BTreeMap<String, Decimal>, String> {
    let column = table.column(component).ok_or_else(|| format!("no component `{component}`"))?;
    let key = |row| table.key(row).iter().map(Cell::to_string).collect::<Vec<_>>().join(" ");
    let value = |row| match column.cell(row) {
        Some(Cell::Number(value)) => Some((key(row), value)),
        _ => None,
    };
    Ok((0..table.rows()).filter_map(value).collect())
}

/// Whether a gap is larger than another in absolute value.
fn is_larger(one: Decimal, other: Decimal) -> bool {
    decimal128::abs(one).compare(decimal128::abs(other)).is_gt()
}

//! Whole series against the official ones: every period that both have, and the gap.
//!
//! A row of `published_checks.csv` says one figure; here a method is seen at work over decades. What is
//! asked for is not always that nothing differs: an alternative is there to differ, and a total is
//! published with roundings that its parts do not have. So each series states how large a gap is expected.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemas::decimal::Decimal;
use schemas::table::{Cell, Table};
use serde_json::{Value, json};
use vtl::decimal128;

use super::family::OfficialSeries;
use super::figure::round_half_up;
use super::pipeline::Pipeline;

/// So few figures are shown one by one; of more, those that differ when they are so few.
const FEW: usize = 12;

/// A series and what came of it.
#[derive(Debug, Clone)]
pub struct SeriesComparison {
    /// A short name.
    pub name: String,
    /// What is compared with what.
    pub title: String,
    /// The largest gap that is as expected.
    pub within: Decimal,
    /// The figures of both by key, or why there are none.
    pub pairs: Result<BTreeMap<String, FigurePair>, String>,
}

/// A figure and the official one, rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FigurePair {
    /// Ours.
    pub figure: Decimal,
    /// The official one.
    pub official: Decimal,
    /// Ours less the official one.
    pub gap: Decimal,
}

impl SeriesComparison {
    pub(super) fn new(chain: &mut Pipeline, series: &OfficialSeries) -> Self {
        let OfficialSeries { name, title, within, .. } = series.clone();
        Self { name, title, within, pairs: compare_series(chain, series) }
    }

    /// Whether there are figures, and none is farther off than expected.
    pub fn passes(&self) -> bool {
        let near = |pair: &FigurePair| !is_larger(pair.gap, self.within);
        self.pairs.as_ref().is_ok_and(|pairs| !pairs.is_empty() && pairs.values().all(near))
    }

    /// How many figures there are, and how many of them are the official ones.
    pub fn counts(&self) -> (usize, usize) {
        let pairs = self.pairs.as_ref().map(BTreeMap::len).unwrap_or_default();
        let equal = self.pairs.iter().flat_map(BTreeMap::values).filter(|pair| pair.gap.is_zero()).count();
        (pairs, equal)
    }

    /// The figure that is farthest off, the first of several.
    pub fn largest_gap(&self) -> Option<(&str, FigurePair)> {
        let pairs = self.pairs.iter().flatten();
        let found = pairs.reduce(|far, next| if is_larger(next.1.gap, far.1.gap) { next } else { far });
        found.map(|(key, pair)| (key.as_str(), *pair))
    }

    /// For people.
    pub fn text(&self) -> String {
        let mark = if self.passes() { " " } else { "!" };
        let mut text = format!("{mark} {}: {}\n", self.name, self.title);
        let (pairs, far) = match (&self.pairs, self.largest_gap()) {
            (Err(reason), _) => return text + &format!("      not run: {reason}\n"),
            (Ok(pairs), Some(far)) => (pairs, far),
            (Ok(_), None) => return text + "      no period that both have\n",
        };
        let (count, equal) = self.counts();
        let ends = [pairs.keys().next(), pairs.keys().next_back()].map(|key| key.map_or("", String::as_str));
        let _ = writeln!(
            text,
            "      {} to {}: {count} figures, {equal} as published; largest gap {} at {} (up to {} expected)",
            ends[0], ends[1], far.1.gap, far.0, self.within
        );
        let shown = |pair: &FigurePair| count <= FEW || (count - equal <= FEW && !pair.gap.is_zero());
        for (key, pair) in pairs.iter().filter(|(_, pair)| shown(pair)) {
            let _ =
                writeln!(text, "      {key}: {}, official {}, {} off", pair.figure, pair.official, pair.gap);
        }
        text
    }

    /// For programs.
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
    let mut pairs = BTreeMap::new();
    for (key, figure) in ours.into_iter().filter(|(key, _)| wanted(key)) {
        let Some(official) = theirs.get(&key) else { continue };
        let (figure, official) =
            (round_half_up(figure, series.decimals), round_half_up(*official, series.decimals));
        let gap = decimal128::sub(figure, official).map_err(|fault| fault.to_string())?;
        pairs.insert(key, FigurePair { figure, official, gap });
    }
    Ok(pairs)
}

/// The figures of a table by the words of their identifiers.
fn values_by_key(table: &Table, component: &str) -> Result<BTreeMap<String, Decimal>, String> {
    let column = table.column(component).ok_or_else(|| format!("no component `{component}`"))?;
    let key = |row| table.key(row).iter().map(Cell::to_string).collect::<Vec<_>>().join(" ");
    let value = |row| match column.cell(row) {
        Some(Cell::Number(value)) => Some((key(row), value)),
        _ => None,
    };
    Ok((0..table.rows()).filter_map(value).collect())
}

/// Whether one gap is larger than another, whatever their signs.
fn is_larger(one: Decimal, other: Decimal) -> bool {
    decimal128::abs(one).compare(decimal128::abs(other)).is_gt()
}

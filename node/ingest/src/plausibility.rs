//! What is plausible and what is not, looked at before figures are signed: an index that looks like
//! rates, figures off by a power of ten, shifted by a period, given twice, suddenly cut short.
//!
//! A doubt is no fault: the file says what it says. Whoever signs decides, and what was doubted is
//! kept with the data set. Pure and exact; no statistics are guessed, each check is a rule that one
//! can look up here.

use std::collections::{BTreeMap, HashMap};

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::sort_key::{self, SortKeys};
use schemas::structure::{Role, ValueType};
use schemas::table::{Column, Table};

/// Common observations that a comparison with the version before needs.
const COMMON_MIN: usize = 8;
/// Observations of series that are compared with each other: shorter ones agree by chance.
const COPIES_MIN: usize = 16;
/// How many times its neighbours a figure is, when it stands out.
const SPIKE: i128 = 8;
/// How many times each other two neighbours of such a figure may be.
const CALM: i128 = 2;

/// Something that is not plausible, in one or more series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlausibilityWarning {
    /// Stable word: `not-an-index`, `scale`, `shift`, `copy`, `short`, `spike`.
    pub code: &'static str,
    /// What is odd, with the first series or figure where it is.
    pub message: String,
    /// Series of which this holds.
    pub series: u64,
}

/// Looks at a table and, where there is one, at the version of it that was published before.
///
/// `words` are what the data set calls itself: name, title, unit. `aggregate` tells the codes of
/// groups of areas, some of which have the same members and so the same figures.
pub fn check_plausibility(
    table: &Table,
    words: &str,
    before: Option<&Table>,
    aggregate: impl Fn(&str) -> bool,
) -> Vec<PlausibilityWarning> {
    let series = series(table);
    let mut found = Noted::default();
    if is_index(words) {
        not_an_index(&series, &mut found);
    }
    for (key, points) in &series {
        spikes(key, points, &mut found);
    }
    copies(&series, aggregate, &mut found);
    if let Some(before) = before.filter(|before| before.shape() == table.shape()) {
        against(&series, &self::series(before), &mut found);
    }
    found.0.into_values().collect()
}

/// Doubts by code, each with its first example.
#[derive(Default)]
struct Noted(BTreeMap<&'static str, PlausibilityWarning>);

impl Noted {
    fn note(&mut self, code: &'static str, message: impl FnOnce() -> String) {
        let doubt =
            self.0.entry(code).or_insert_with(|| PlausibilityWarning { code, message: message(), series: 0 });
        doubt.series += 1;
    }
}

/// Periods and figures of a series, in the order of time.
type Points = Vec<(Period, Decimal)>;

/// The series of a table by key: identifiers other than time, joined by dots.
fn series(table: &Table) -> BTreeMap<String, Points> {
    let components = table.shape().components();
    let place = |wanted: fn(ValueType) -> bool, role: Role| {
        components.iter().position(|component| component.role == role && wanted(component.value_type))
    };
    let time = place(|kind| kind == ValueType::TimePeriod, Role::Identifier);
    let figure = place(|kind| kind == ValueType::Number, Role::Measure);
    let (Some(time), Some(figure)) = (time, figure) else { return BTreeMap::new() };
    let (Some(Column::Period(periods)), Some(Column::Number(values))) =
        (table.columns().get(time), table.columns().get(figure))
    else {
        return BTreeMap::new();
    };
    let keys = table.shape().identifier_count();
    let others: Vec<&Column> =
        (0..keys).filter(|key| *key != time).filter_map(|key| table.columns().get(key)).collect();
    let SortKeys { sides: [ranks], .. } = sort_key::sort_keys([&others], [table.rows()]);
    let mut by_rank: BTreeMap<u64, (usize, Points)> = BTreeMap::new();
    for (row, rank) in ranks.iter().enumerate() {
        let points = by_rank.entry(*rank).or_insert_with(|| (row, Points::new()));
        if let (Some(Some(period)), Some(Some(value))) = (periods.get(row), values.get(row)) {
            points.1.push((*period, *value));
        }
    }
    let name = |row: usize| {
        let cells =
            others.iter().map(|column| column.cell(row).map_or(String::new(), |cell| cell.to_string()));
        cells.collect::<Vec<_>>().join(".")
    };
    by_rank
        .into_values()
        .map(|(row, mut points)| {
            points.sort_by_key(|(period, _)| *period);
            (name(row), points)
        })
        .collect()
}

/// Whether a data set says that it is an index, and not the change of one.
fn is_index(words: &str) -> bool {
    let lower = words.to_lowercase();
    let has = |wanted: &[&str]| wanted.iter().any(|word| lower.contains(word));
    let changes = [
        "%",
        "percent",
        "per cent",
        "rate",
        "growth",
        "change",
        "inflation",
        ".zg",
        "contribution",
        "balance",
    ];
    has(&["index", "cpi", "hicp", "ppi", "deflator"]) && !has(&changes)
}

/// An index is above zero: it is 100 in its base period and changes by factors.
fn not_an_index(series: &BTreeMap<String, Points>, found: &mut Noted) {
    for (key, points) in series {
        let low = points.iter().find(|(_, value)| value.is_negative() || value.is_zero());
        if let Some((period, value)) = low {
            found.note("not-an-index", || {
                format!(
                    "called an index, which is above 0, but [{key}, {period}] is {value}: are these rates?"
                )
            });
        }
    }
}

/// A single figure many times its neighbours, in a series that is calm but for it: a slipped
/// decimal point.
fn spikes(key: &str, points: &Points, found: &mut Noted) {
    if points.iter().any(|(_, value)| value.is_negative() || value.is_zero()) {
        return;
    }
    let far = |a: Decimal, b: Decimal, times| {
        exceeds(a, b, times) == Some(true) || exceeds(b, a, times) == Some(true)
    };
    let leaps = points.windows(2).filter(|pair| matches!(pair, [a, b] if far(a.1, b.1, CALM))).count();
    let stands_out = |window: &&[(Period, Decimal)]| matches!(window, [(_, a), (_, b), (_, c)] if far(*a, *b, SPIKE) && far(*b, *c, SPIKE) && !far(*a, *c, CALM));
    if leaps == 2
        && let Some([(_, a), (period, b), (_, c)]) = points.windows(3).find(stands_out)
    {
        found.note("spike", || format!("[{key}, {period}] is {b} between {a} and {c}"));
    }
}

/// Whether `a` is more than `times` as much as `b`; `None` when it takes too many digits to tell.
fn exceeds(a: Decimal, b: Decimal, times: i128) -> Option<bool> {
    let many = Decimal::new(b.coefficient().checked_mul(times)?, b.exponent()).ok()?;
    Some(a.compare(many).is_gt())
}

/// Series with the same figures in the same periods under two keys.
fn copies(series: &BTreeMap<String, Points>, aggregate: impl Fn(&str) -> bool, found: &mut Noted) {
    let mut first: HashMap<Points, &str> = HashMap::new();
    for (key, points) in series {
        let varied = points.windows(2).filter(|pair| matches!(pair, [a, b] if !a.1.same_value(b.1))).count();
        if points.len() < COPIES_MIN || varied * 2 < points.len() || key.split('.').any(&aggregate) {
            continue;
        }
        let normal: Points = points.iter().map(|(period, value)| (*period, value.normalized())).collect();
        match first.get(&normal) {
            None => drop(first.insert(normal, key)),
            Some(other) => {
                found.note("copy", || format!("[{key}] has the same {} figures as [{other}]", points.len()))
            }
        }
    }
}

/// What a version has otherwise than the one before, where that is no revision.
fn against(series: &BTreeMap<String, Points>, before: &BTreeMap<String, Points>, found: &mut Noted) {
    for (key, old) in before {
        let new = series.get(key).map_or(&[][..], Vec::as_slice);
        if old.len() >= COMMON_MIN && new.len() * 2 < old.len() {
            let (had, has) = (old.len(), new.len());
            found.note("short", || format!("[{key}] had {had} observations and now has {has}"));
            continue;
        }
        let earlier: BTreeMap<Period, Decimal> = old.iter().copied().collect();
        scaled(key, &earlier, new, found);
        shifted(key, &earlier, new, found);
    }
}

/// All common figures are the same power of ten of what they were.
fn scaled(key: &str, earlier: &BTreeMap<Period, Decimal>, new: &[(Period, Decimal)], found: &mut Noted) {
    let powers: Vec<Option<i32>> = new
        .iter()
        .filter_map(|(period, value)| Some((earlier.get(period)?, value)))
        .filter(|(old, value)| !old.is_zero() && !value.is_zero())
        .map(|(old, value)| {
            let (old, value) = (old.normalized(), value.normalized());
            (old.coefficient() == value.coefficient()).then(|| value.exponent() - old.exponent())
        })
        .collect();
    if let Some(Some(power)) = powers.first()
        && *power != 0
        && powers.len() >= COMMON_MIN
        && powers.iter().all(|other| *other == Some(*power))
    {
        let (size, common) = (power.unsigned_abs().min(99), powers.len());
        let times = if *power > 0 { "times" } else { "parts of" };
        let zeros = "0".repeat(size as usize);
        found.note("scale", || format!("[{key}] has all {common} figures 1{zeros} {times} what they were"));
    }
}

/// The figures are those of the period before or behind.
fn shifted(key: &str, earlier: &BTreeMap<Period, Decimal>, new: &[(Period, Decimal)], found: &mut Noted) {
    for by in [1, -1] {
        let moved = |(period, value): &(Period, Decimal)| {
            let old = earlier.get(&period.shift(by)?)?;
            Some((old.same_value(*value), earlier.get(period).is_some_and(|same| same.same_value(*value))))
        };
        let pairs: Vec<(bool, bool)> = new.iter().filter_map(moved).collect();
        let as_other = pairs.iter().filter(|(other, _)| *other).count();
        let as_same = pairs.iter().filter(|(_, same)| *same).count();
        if pairs.len() >= COMMON_MIN && as_other * 10 >= pairs.len() * 9 && as_same * 2 < pairs.len() {
            let (behind, of) = (if by > 0 { "next" } else { "last" }, pairs.len());
            found.note("shift", || {
                format!("[{key}] has in {as_other} of {of} periods the figure that the {behind} period had")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::structure::{Component, ComponentList};
    use schemas::table::TextColumn;
    use schemas::text::Name;

    use super::*;

    /// A table of years from 2000: one series a line, `KEY: v v v`, `-` for none.
    fn table(lines: &str) -> Table {
        let (mut keys, mut years, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines.lines() {
            let (key, figures) = line.split_once(':').unwrap();
            for (at, figure) in figures.split_whitespace().enumerate() {
                if figure != "-" {
                    keys.push(Some(key.trim()));
                    years.push(format!("{}", 2000 + at).parse().ok());
                    values.push(figure.parse().ok());
                }
            }
        }
        let component = |id: &str, role, kind| Component::new(Name::new(id).unwrap(), role, kind);
        let shape = ComponentList::new(vec![
            component("REF_AREA", Role::Identifier, ValueType::String),
            component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
            component("OBS_VALUE", Role::Measure, ValueType::Number),
        ])
        .unwrap();
        let columns =
            vec![Column::Text(TextColumn::from_rows(keys)), Column::Period(years), Column::Number(values)];
        Table::new(shape, columns).unwrap()
    }

    fn check(now: &str, words: &str, before: Option<&str>, expected: &[(&str, u64, &str)]) {
        let before = before.map(table);
        let found = check_plausibility(&table(now), words, before.as_ref(), |code| code == "WLD");
        let shown: Vec<(&str, u64)> = found.iter().map(|doubt| (doubt.code, doubt.series)).collect();
        let wanted: Vec<(&str, u64)> = expected.iter().map(|(code, series, _)| (*code, *series)).collect();
        assert_eq!(shown, wanted, "{now}");
        for (doubt, (_, _, text)) in found.iter().zip(expected) {
            assert!(doubt.message.contains(text), "{}", doubt.message);
        }
    }

    const LONG: &str = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
    const STEPS: &str = "A: 10 11 13 14 16 17 19 21 22 24";

    #[test]
    fn an_index_is_not_below_zero() {
        let rates = "USA: 1.6 -0.4 3.2\nFRA: 1 2 3\nITA: 0 1 2";
        check(rates, "CPI", None, &[("not-an-index", 2, "[ITA, 2000] is 0")]);
        check(rates, "FP.CPI.TOTL.ZG Inflation, consumer prices (annual %)", None, &[]);
        check("USA: 98 100 103", "CPI", None, &[]);
    }

    #[test]
    fn a_slipped_point_stands_out() {
        check(
            "A: 10 11 120 13\nB: 10 11 12",
            "GDP",
            None,
            &[("spike", 1, "[A, 2002] is 120 between 11 and 13")],
        );
        check("A: 10 11 1.2 13", "GDP", None, &[("spike", 1, "is 1.2 between")]);
        check("A: 1 100 10000\nB: 1 -9 1\nC: 0 9 0\nD: 2 0.2 2 5 2", "GDP", None, &[]);
    }

    #[test]
    fn a_series_given_twice() {
        let twice = format!("A: {LONG}\nB: {LONG}");
        check(&twice, "GDP", None, &[("copy", 1, "[B] has the same 16 figures as [A]")]);
        check(&format!("A: {LONG}\nWLD: {LONG}"), "GDP", None, &[]);
        check("A: 1 2 3\nB: 1 2 3", "GDP", None, &[]);
    }

    #[test]
    fn a_version_is_compared_with_the_one_before() {
        let thousands = "A: 10000 11000 13000 14000 16000 17000 19000 21000 22000 24000 26000";
        check(thousands, "GDP", Some(STEPS), &[("scale", 1, "10 figures 1000 times")]);
        check("A: 11 13 14 16 17 19 21 22 24 25", "GDP", Some(STEPS), &[("shift", 1, "the next period had")]);
        check("A: 9 10 11 13 14 16 17 19 21 22", "GDP", Some(STEPS), &[("shift", 1, "the last period had")]);
        check("A: 10 11 13 14", "GDP", Some(STEPS), &[("short", 1, "had 10 observations and now has 4")]);
        check("B: 1 2", "GDP", Some(STEPS), &[("short", 1, "now has 0")]);
        check("A: 10 11 13 14.5 16 17 19 21 22 25 26", "GDP", Some(STEPS), &[]);
        check("A: 1 1 1 1 1 1 1 1 1 1", "GDP", Some("A: 1 1 1 1 1 1 1 1 1 1"), &[]);
    }
}

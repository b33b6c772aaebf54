//! Plausibility checks before figures are signed: an index that looks like rates, figures off by a power
//! of ten, shifted by a period, duplicated under two keys, or suddenly cut short.
//!
//! A warning is no error: the file is read as it is. The publisher decides, and the warnings are kept
//! with the data set. The checks are pure and exact: each is a fixed rule without statistical
//! estimates.

use std::collections::{BTreeMap, HashMap};

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::sort_key::{self, SortKeys};
use schemas::structure::{Role, ValueType};
use schemas::table::{Column, Table};

/// Observations in common that a comparison with the previous version needs.
const COMMON_MIN: usize = 8;
/// Observations of a series that is compared with others: shorter series agree by chance.
const COPIES_MIN: usize = 16;
/// Ratio of a figure to both neighbours from which on it is a spike.
const SPIKE: i128 = 8;
/// Ratio of the neighbours of a spike to each other up to which the series is calm.
const CALM: i128 = 2;

/// An implausible property of one or more series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlausibilityWarning {
    /// Stable code: `not-an-index`, `scale`, `shift`, `copy`, `short`, `spike`.
    pub code: &'static str,
    /// Description, with the first series or figure concerned.
    pub message: String,
    /// Number of series concerned.
    pub series: u64,
}

/// Checks a table, and compares it with the previously published version, if there is one.
///
/// `words` has name, title and unit of the data set. `aggregate` returns whether a code is a group of
/// areas: some groups have the same members, and so the same figures.
pub fn check_plausibility(
    table: &Table,
    words: &str,
    before: Option<&Table>,
    aggregate: impl Fn(&str) -> bool,
) -> Vec<PlausibilityWarning> {
    let series = series_by_key(table);
    let mut found = WarningList::default();
    if is_index(words) {
        find_negative_index(&series, &mut found);
    }
    for (key, points) in &series {
        find_spikes(key, points, &mut found);
    }
    find_copies(&series, aggregate, &mut found);
    if let Some(before) = before.filter(|before| before.shape() == table.shape()) {
        compare_versions(&series, &self::series_by_key(before), &mut found);
    }
    found.0.into_values().collect()
}

/// Warnings by code, each with its first example.
#[derive(Default)]
struct WarningList(BTreeMap<&'static str, PlausibilityWarning>);

impl WarningList {
    fn note(&mut self, code: &'static str, message: impl FnOnce() -> String) {
        let warning =
            self.0.entry(code).or_insert_with(|| PlausibilityWarning { code, message: message(), series: 0 });
        warning.series += 1;
    }
}

/// Periods and figures of a series, sorted by period.
type SeriesPoints = Vec<(Period, Decimal)>;

/// The series of a table by key: all identifiers but the time, joined by dots.
fn series_by_key(table: &Table) -> BTreeMap<String, SeriesPoints> {
    let components = table.shape().components();
    let find = |wanted: fn(ValueType) -> bool, role: Role| {
        components.iter().position(|component| component.role == role && wanted(component.value_type))
    };
    let time = find(|kind| kind == ValueType::TimePeriod, Role::Identifier);
    let figure = find(|kind| kind == ValueType::Number, Role::Measure);
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
    let mut by_rank: BTreeMap<u64, (usize, SeriesPoints)> = BTreeMap::new();
    for (row, rank) in ranks.iter().enumerate() {
        let points = by_rank.entry(*rank).or_insert_with(|| (row, SeriesPoints::new()));
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

/// Whether a data set claims to be an index, not the change of an index.
fn is_index(words: &str) -> bool {
    let lower = words.to_lowercase();
    let has = |wanted: &[&str]| wanted.iter().any(|word| lower.contains(word));
    // Words of data sets that are the change of an index, and may be negative.
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

/// Finds figures of an index at or below zero. An index is 100 in its base period and changes by
/// factors, so it is always positive.
fn find_negative_index(series: &BTreeMap<String, SeriesPoints>, found: &mut WarningList) {
    for (key, points) in series {
        let low = points.iter().find(|(_, value)| value.is_negative() || value.is_zero());
        if let Some((period, value)) = low {
            found.note("not-an-index", || {
                format!("expected an index above 0, but [{key}, {period}] is {value}: are these rates?")
            });
        }
    }
}

/// Finds a single figure many times its neighbours in an otherwise calm series: a misplaced decimal
/// point.
fn find_spikes(key: &str, points: &SeriesPoints, found: &mut WarningList) {
    // Ratios mean nothing around zero: growth rates leap without a mistake.
    if points.iter().any(|(_, value)| value.is_negative() || value.is_zero()) {
        return;
    }
    let far = |a: Decimal, b: Decimal, times| {
        exceeds_multiple(a, b, times) == Some(true) || exceeds_multiple(b, a, times) == Some(true)
    };
    let leaps = points.windows(2).filter(|pair| matches!(pair, [a, b] if far(a.1, b.1, CALM))).count();
    let stands_out = |window: &&[(Period, Decimal)]| matches!(window, [(_, a), (_, b), (_, c)] if far(*a, *b, SPIKE) && far(*b, *c, SPIKE) && !far(*a, *c, CALM));
    // Exactly the leaps into and out of the spike.
    if leaps == 2
        && let Some([(_, a), (period, b), (_, c)]) = points.windows(3).find(stands_out)
    {
        found.note("spike", || format!("[{key}, {period}] is {b} between {a} and {c}"));
    }
}

/// Whether `a` is more than `times` times `b`; `None` if the product has too many digits.
fn exceeds_multiple(a: Decimal, b: Decimal, times: i128) -> Option<bool> {
    let many = Decimal::new(b.coefficient().checked_mul(times)?, b.exponent()).ok()?;
    Some(a.compare(many).is_gt())
}

/// Finds series with the same figures in the same periods under two keys.
fn find_copies(
    series: &BTreeMap<String, SeriesPoints>,
    aggregate: impl Fn(&str) -> bool,
    found: &mut WarningList,
) {
    let mut first: HashMap<SeriesPoints, &str> = HashMap::new();
    for (key, points) in series {
        // Constant series, such as a fixed exchange rate, agree by chance.
        let varied = points.windows(2).filter(|pair| matches!(pair, [a, b] if !a.1.same_value(b.1))).count();
        if points.len() < COPIES_MIN || varied * 2 < points.len() || key.split('.').any(&aggregate) {
            continue;
        }
        let normal: SeriesPoints =
            points.iter().map(|(period, value)| (*period, value.normalized())).collect();
        match first.get(&normal) {
            None => drop(first.insert(normal, key)),
            Some(other) => {
                found.note("copy", || format!("[{key}] and [{other}] have the same {} figures", points.len()))
            }
        }
    }
}

/// Finds differences from the previous version that a revision does not explain.
fn compare_versions(
    series: &BTreeMap<String, SeriesPoints>,
    before: &BTreeMap<String, SeriesPoints>,
    found: &mut WarningList,
) {
    for (key, old) in before {
        let new = series.get(key).map_or(&[][..], Vec::as_slice);
        // Half: agencies drop old years, but not most of a series.
        if old.len() >= COMMON_MIN && new.len() * 2 < old.len() {
            let (had, has) = (old.len(), new.len());
            found.note("short", || format!("[{key}] has {has} observations, the previous version had {had}"));
            continue;
        }
        let earlier: BTreeMap<Period, Decimal> = old.iter().copied().collect();
        find_scaling(key, &earlier, new, found);
        find_shift(key, &earlier, new, found);
    }
}

/// Finds figures that all changed by the same power of ten.
fn find_scaling(
    key: &str,
    earlier: &BTreeMap<Period, Decimal>,
    new: &[(Period, Decimal)],
    found: &mut WarningList,
) {
    let powers: Vec<Option<i32>> = new
        .iter()
        .filter_map(|(period, value)| Some((earlier.get(period)?, value)))
        .filter(|(old, value)| !old.is_zero() && !value.is_zero())
        .map(|(old, value)| {
            // With trailing zeros removed, equal coefficients mean equal digits.
            let (old, value) = (old.normalized(), value.normalized());
            (old.coefficient() == value.coefficient()).then(|| value.exponent() - old.exponent())
        })
        .collect();
    if let Some(Some(power)) = powers.first()
        && *power != 0
        && powers.len() >= COMMON_MIN
        && powers.iter().all(|other| *other == Some(*power))
    {
        // An exponent is bounded, but the message should not grow with it.
        let zeros = "0".repeat(power.unsigned_abs().min(99) as usize);
        let factor = if *power > 0 { format!("1{zeros}") } else { format!("1/1{zeros}") };
        let common = powers.len();
        found.note("scale", || {
            format!("all {common} figures of [{key}] are {factor} times the previous ones")
        });
    }
}

/// Finds figures that have moved to the previous or the next period.
fn find_shift(
    key: &str,
    earlier: &BTreeMap<Period, Decimal>,
    new: &[(Period, Decimal)],
    found: &mut WarningList,
) {
    for by in [1, -1] {
        let moved = |(period, value): &(Period, Decimal)| {
            let old = earlier.get(&period.shift(by)?)?;
            Some((old.same_value(*value), earlier.get(period).is_some_and(|same| same.same_value(*value))))
        };
        let pairs: Vec<(bool, bool)> = new.iter().filter_map(moved).collect();
        let as_other = pairs.iter().filter(|(other, _)| *other).count();
        let as_same = pairs.iter().filter(|(_, same)| *same).count();
        // Nine in ten: the last figures of a shifted series may also be revised. A constant series agrees both
        // ways, so the unshifted figures must mostly differ.
        if pairs.len() >= COMMON_MIN && as_other * 10 >= pairs.len() * 9 && as_same * 2 < pairs.len() {
            let (neighbour, of) = (if by > 0 { "next" } else { "last" }, pairs.len());
            found.note("shift", || {
                format!(
                    "{as_other} of {of} figures of [{key}] are the previous ones of the {neighbour} period"
                )
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
        let shown: Vec<(&str, u64)> = found.iter().map(|warning| (warning.code, warning.series)).collect();
        let wanted: Vec<(&str, u64)> = expected.iter().map(|(code, series, _)| (*code, *series)).collect();
        assert_eq!(shown, wanted, "{now}");
        for (warning, (_, _, text)) in found.iter().zip(expected) {
            assert!(warning.message.contains(text), "{}", warning.message);
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
        check(&twice, "GDP", None, &[("copy", 1, "[B] and [A] have the same 16 figures")]);
        check(&format!("A: {LONG}\nWLD: {LONG}"), "GDP", None, &[]);
        check("A: 1 2 3\nB: 1 2 3", "GDP", None, &[]);
    }

    #[test]
    fn a_version_is_compared_with_the_one_before() {
        let thousands = "A: 10000 11000 13000 14000 16000 17000 19000 21000 22000 24000 26000";
        check(thousands, "GDP", Some(STEPS), &[("scale", 1, "10 figures of [A] are 1000 times")]);
        check("A: 11 13 14 16 17 19 21 22 24 25", "GDP", Some(STEPS), &[("shift", 1, "of the next period")]);
        check("A: 9 10 11 13 14 16 17 19 21 22", "GDP", Some(STEPS), &[("shift", 1, "of the last period")]);
        check(
            "A: 10 11 13 14",
            "GDP",
            Some(STEPS),
            &[("short", 1, "has 4 observations, the previous version had 10")],
        );
        check("B: 1 2", "GDP", Some(STEPS), &[("short", 1, "has 0 observations")]);
        check("A: 10 11 13 14.5 16 17 19 21 22 25 26", "GDP", Some(STEPS), &[]);
        check("A: 1 1 1 1 1 1 1 1 1 1", "GDP", Some("A: 1 1 1 1 1 1 1 1 1 1"), &[]);
    }
}

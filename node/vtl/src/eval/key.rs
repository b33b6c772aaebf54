//! Keys as numbers: every column that identifies becomes a column of 64-bit codes in the order of
//! its values, so that sorting and merging compare integers.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::rank::{self, Ranks};
use schemas::table::{Column, Texts};

use super::column::Col;

/// The ranks of rows by these columns: equal keys have equal ranks, smaller keys smaller ones.
pub(super) fn ranks<'c>(columns: impl IntoIterator<Item = &'c Col>, rows: usize) -> Ranks<1> {
    let columns: Vec<&Column> = columns.into_iter().map(|column| &**column).collect();
    rank::ranks([&columns], [rows])
}

/// The order that sorts the rows; equal rows keep their order. `None` when they are sorted.
pub(super) fn arrange(ranks: &Ranks<1>) -> Option<Vec<u32>> {
    let Ranks { sides: [sides], size } = ranks;
    rank::order(sides, *size)
}

/// Ranges of equal ranks of rows in `order` (as they stand, when there is none).
pub(super) fn ranges(ranks: &Ranks<1>, order: Option<&[u32]>) -> Vec<(usize, usize)> {
    let Ranks { sides: [ranks], .. } = ranks;
    match order {
        None => breaks(ranks.len(), |place| ranks.get(place).copied()),
        Some(order) => breaks(order.len(), |place| ranks.get(*order.get(place)? as usize).copied()),
    }
}

fn breaks(rows: usize, rank: impl Fn(usize) -> Option<u64>) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let (mut start, mut last) = (0, rank(0));
    for place in 1..=rows {
        let next = if place == rows { None } else { rank(place) };
        if next != last {
            runs.push((start, place));
            (start, last) = (place, next);
        }
    }
    runs
}

/// One code a row; equal values have equal codes, smaller values smaller codes, null the smallest.
pub(super) type Codes = Vec<i64>;

/// The codes of one column.
pub(super) fn codes(column: &Column) -> Codes {
    match column {
        Column::Text(texts) => text_codes(texts, None),
        Column::Integer(rows) if rows.iter().all(Option::is_some) => {
            rows.iter().map(|value| value.unwrap_or_default()).collect()
        }
        Column::Integer(rows) => places(rows, &[], i64::cmp).0,
        Column::Number(rows) => places(rows, &[], compare).0,
        Column::Boolean(rows) => rows.iter().map(|value| value.map_or(-1, i64::from)).collect(),
        Column::Period(rows) => rows.iter().map(|value| value.map_or(-1, period_code)).collect(),
    }
}

/// The codes of two columns of one type on a common scale.
pub(super) fn common(a: &Column, b: &Column) -> (Codes, Codes) {
    match (a, b) {
        (Column::Text(a), Column::Text(b)) if a.dictionary() == b.dictionary() => {
            (text_codes(a, None), text_codes(b, None))
        }
        (Column::Text(a), Column::Text(b)) => {
            let (x, y) = merged(a.dictionary(), b.dictionary());
            (text_codes(a, Some(&x)), text_codes(b, Some(&y)))
        }
        (Column::Number(a), Column::Number(b)) => places(a, b, compare),
        (a, b) => (codes(a), codes(b)),
    }
}

fn compare(a: &Decimal, b: &Decimal) -> Ordering {
    a.compare(*b)
}

/// Frequency first, then time, as periods order.
fn period_code(period: Period) -> i64 {
    (i64::from(period.frequency() as u8) << 32) + i64::from(period.ordinal())
}

fn text_codes(texts: &Texts, scale: Option<&[i64]>) -> Codes {
    let place = |code: &u32| match scale {
        _ if *code == Texts::NULL => -1,
        None => i64::from(*code),
        Some(scale) => scale.get(*code as usize).copied().unwrap_or(-1),
    };
    texts.codes().iter().map(place).collect()
}

/// For each entry of two ascending dictionaries its place in their union.
pub(super) fn merged(a: &[String], b: &[String]) -> (Vec<i64>, Vec<i64>) {
    let (mut x, mut y) = (Vec::with_capacity(a.len()), Vec::with_capacity(b.len()));
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut place = 0;
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return (x, y),
        };
        if order.is_le() {
            x.push(place);
            left.next();
        }
        if order.is_ge() {
            y.push(place);
            right.next();
        }
        place += 1;
    }
}

/// Ranks of the values of two columns among all their distinct values; null is -1.
fn places<T: Copy>(a: &[Option<T>], b: &[Option<T>], compare: impl Fn(&T, &T) -> Ordering) -> (Codes, Codes) {
    let mut distinct: Vec<T> = a.iter().chain(b).flatten().copied().collect();
    distinct.sort_by(&compare);
    distinct.dedup_by(|x, y| compare(x, y).is_eq());
    let rank = |value: &Option<T>| -> i64 {
        let Some(value) = value else { return -1 };
        distinct.binary_search_by(|probe| compare(probe, value)).map_or(-1, |at| at as i64)
    };
    (a.iter().map(rank).collect(), b.iter().map(rank).collect())
}

/// Orders two rows by their codes, column by column.
pub(super) fn compare_rows(a: &[Codes], row: usize, b: &[Codes], other: usize) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let order = x.get(row).cmp(&y.get(other));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// The order that sorts the rows; equal rows keep their order. `None` when they are sorted.
pub(super) fn order(keys: &[Codes], rows: usize) -> Option<Vec<usize>> {
    if (1..rows).all(|row| compare_rows(keys, row - 1, keys, row).is_le()) {
        return None;
    }
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|a, b| compare_rows(keys, *a, keys, *b));
    Some(order)
}

/// Ranges of equal keys of rows in `order` (as they stand, when there is none).
pub(super) fn runs(keys: &[Codes], order: Option<&[usize]>, rows: usize) -> Vec<(usize, usize)> {
    let at = |place: usize| order.map_or(place, |order| order.get(place).copied().unwrap_or(place));
    let mut runs = Vec::new();
    let mut start = 0;
    for place in 1..=rows {
        if place == rows || compare_rows(keys, at(place - 1), keys, at(place)).is_ne() {
            runs.push((start, place));
            start = place;
        }
    }
    runs
}

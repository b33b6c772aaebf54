//! Order-preserving sort keys: the values of a row in several columns as one 64-bit integer.
//!
//! Equal rows have equal keys, smaller rows smaller ones, and null is the smallest value, so sorting,
//! grouping and merging work on integers. Several tables (the sides of a join) share one scale. Keys
//! depend on the data they were computed from and mean nothing elsewhere.

use crate::column::{Column, TextColumn};
use crate::decimal::Decimal;
use crate::period::{Frequency, Period};

/// The sort keys of the rows of each side, all below `size`.
#[derive(Debug, Clone)]
pub struct SortKeys<const N: usize> {
    /// For each side one key a row.
    pub sides: [Vec<u64>; N],
    /// Exclusive upper bound of the keys.
    pub size: u64,
}

/// Computes the keys of `rows` rows of each side by its columns, the first column most significant.
///
/// Columns at the same index have the same type; a column of another type counts as null.
pub fn sort_keys<const N: usize>(columns: [&[&Column]; N], rows: [usize; N]) -> SortKeys<N> {
    let mut ranks = SortKeys { sides: rows.map(|rows| vec![0; rows]), size: 1 };
    let width = columns.iter().map(|side| side.len()).min().unwrap_or(0);
    for at in 0..width {
        let place = columns.map(|side| side.get(at).copied());
        ranks.refine(&place.map(|column| column.unwrap_or(&NULL_COLUMN)), false);
    }
    ranks
}

/// Computes the keys of rows by columns; `true` sorts a column in descending order.
pub fn directed_sort_keys(columns: &[(&Column, bool)], rows: usize) -> SortKeys<1> {
    let mut ranks = SortKeys { sides: [vec![0; rows]], size: 1 };
    for (column, down) in columns {
        ranks.refine(&[*column], *down);
    }
    ranks
}

static NULL_COLUMN: Column = Column::Boolean(Vec::new());

impl<const N: usize> SortKeys<N> {
    /// Breaks ties by one more column.
    fn refine(&mut self, columns: &[&Column; N], down: bool) {
        let mut scale = KeyScale::of(columns);
        if self.size.checked_mul(scale.size()).is_none() {
            // INVARIANT: dense keys are below the number of rows of all sides, whose square fits 64 bits.
            self.condense();
            scale = KeyScale::dense(columns);
        }
        let size = scale.size();
        for (side, (ranks, column)) in self.sides.iter_mut().zip(columns).enumerate() {
            scale.add(column, side, ranks);
            if down {
                // A key is a multiple of the size plus a digit below it; only the digit is reversed.
                ranks.iter_mut().for_each(|rank| *rank = *rank / size * size + (size - 1 - *rank % size));
            }
        }
        self.size = self.size.saturating_mul(size);
    }

    /// Renumbers the keys without gaps.
    fn condense(&mut self) {
        let mut known: Vec<u64> = self.sides.iter().flatten().copied().collect();
        known.sort_unstable();
        known.dedup();
        for rank in self.sides.iter_mut().flatten() {
            *rank = known.binary_search(rank).unwrap_or(0) as u64;
        }
        self.size = (known.len() as u64).max(1);
    }
}

/// Mapping of the values of one column to digits of a key.
enum KeyScale {
    /// Codes of texts; for each side the index of each code in the union, when the dictionaries differ.
    Texts {
        places: Option<Vec<Vec<u32>>>,
        size: u64,
    },
    /// Integers, as their distance to the smallest one.
    From {
        least: i64,
        size: u64,
    },
    Booleans,
    /// For each frequency the smallest ordinal and the digit of its first period.
    Periods {
        starts: [(i32, u64); Frequency::ALL.len()],
        size: u64,
    },
    /// Indices among the distinct values.
    Integers(Vec<i64>),
    Decimals(Vec<Decimal>),
}

impl KeyScale {
    fn of(columns: &[&Column]) -> Self {
        match columns.first() {
            Some(Column::Text(_)) => text_scale(columns),
            Some(Column::Integer(_)) => integer_scale(columns),
            Some(Column::Period(_)) => period_scale(columns),
            Some(Column::Number(_)) => KeyScale::dense(columns),
            Some(Column::Boolean(_)) | None => KeyScale::Booleans,
        }
    }

    /// A scale with at most as many digits as rows, and one for null.
    fn dense(columns: &[&Column]) -> Self {
        match columns.first() {
            Some(Column::Integer(_)) => {
                let mut known: Vec<i64> = columns.iter().flat_map(|column| integer_values(column)).collect();
                known.sort_unstable();
                known.dedup();
                KeyScale::Integers(known)
            }
            Some(Column::Number(_)) => {
                let mut known: Vec<Decimal> =
                    columns.iter().flat_map(|column| decimal_values(column)).collect();
                known.sort_by(|a, b| a.compare(*b));
                // `1.0` and `1.00` are one value, hence one key.
                known.dedup_by(|a, b| a.same_value(*b));
                KeyScale::Decimals(known)
            }
            _ => KeyScale::of(columns),
        }
    }

    fn size(&self) -> u64 {
        match self {
            KeyScale::Texts { size, .. } | KeyScale::From { size, .. } | KeyScale::Periods { size, .. } => {
                *size
            }
            KeyScale::Booleans => 3,
            KeyScale::Integers(known) => known.len() as u64 + 1,
            KeyScale::Decimals(known) => known.len() as u64 + 1,
        }
    }

    /// Appends the digit of its value to each key.
    fn add(&self, column: &Column, side: usize, ranks: &mut [u64]) {
        let size = self.size();
        match (self, column) {
            (KeyScale::Texts { places: None, .. }, Column::Text(texts)) => {
                // NULL is `u32::MAX` and wraps to 0, below every text.
                append_digit(ranks, size, texts.codes(), |code| u64::from(code.wrapping_add(1)));
            }
            (KeyScale::Texts { places: Some(places), .. }, Column::Text(texts)) => {
                let places = places.get(side).map(Vec::as_slice).unwrap_or_default();
                let place = |code: u32| places.get(code as usize).map_or(0, |place| u64::from(*place) + 1);
                append_digit(ranks, size, texts.codes(), place);
            }
            (KeyScale::From { least, .. }, Column::Integer(rows)) => {
                append_digit(ranks, size, rows, |value| value.map_or(0, |value| value.abs_diff(*least) + 1));
            }
            (KeyScale::Booleans, Column::Boolean(rows)) => {
                append_digit(ranks, size, rows, |value| value.map_or(0, |value| 1 + u64::from(value)));
            }
            (KeyScale::Periods { starts, .. }, Column::Period(rows)) => {
                append_digit(ranks, size, rows, |period| {
                    period.map_or(0, |period| period_digit(starts, period))
                });
            }
            (KeyScale::Integers(known), Column::Integer(rows)) => append_digit(ranks, size, rows, |value| {
                value.map_or(0, |value| known.binary_search(&value).map_or(0, |at| at as u64 + 1))
            }),
            (KeyScale::Decimals(known), Column::Number(rows)) => append_digit(ranks, size, rows, |value| {
                let find = |value: Decimal| known.binary_search_by(|probe| probe.compare(value));
                value.map_or(0, |value| find(value).map_or(0, |at| at as u64 + 1))
            }),
            _ => ranks.iter_mut().for_each(|rank| *rank *= size),
        }
    }
}

fn append_digit<T: Copy>(ranks: &mut [u64], size: u64, values: &[T], number: impl Fn(T) -> u64) {
    for (rank, value) in ranks.iter_mut().zip(values) {
        *rank = *rank * size + number(*value);
    }
}

fn integer_values(column: &Column) -> impl Iterator<Item = i64> {
    let rows = if let Column::Integer(rows) = column { rows.as_slice() } else { &[] };
    rows.iter().flatten().copied()
}

fn decimal_values(column: &Column) -> impl Iterator<Item = Decimal> {
    let rows = if let Column::Number(rows) = column { rows.as_slice() } else { &[] };
    rows.iter().flatten().copied()
}

fn integer_scale(columns: &[&Column]) -> KeyScale {
    let values = || columns.iter().flat_map(|column| integer_values(column));
    let (least, most) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    // One more for null, one because both ends count; the full range of 64 bits overflows.
    match most.abs_diff(least).checked_add(2) {
        Some(size) => KeyScale::From { least, size },
        None => KeyScale::dense(columns),
    }
}

fn text_scale(columns: &[&Column]) -> KeyScale {
    let all =
        columns.iter().filter_map(|column| if let Column::Text(texts) = column { Some(texts) } else { None });
    let dictionaries: Vec<&[String]> = all.map(TextColumn::dictionary).collect();
    let Some((first, others)) = dictionaries.split_first() else { return KeyScale::Booleans };
    // Columns of one origin share a dictionary: equal pointers save the comparison of texts.
    let alike = |other: &&[String]| std::ptr::eq(*first, *other) || first == other;
    if others.iter().all(alike) && dictionaries.len() == columns.len() {
        return KeyScale::Texts { places: None, size: first.len() as u64 + 1 };
    }
    let mut union: Vec<&str> = dictionaries.iter().copied().flatten().map(String::as_str).collect();
    union.sort_unstable();
    union.dedup();
    let place = |text: &String| union.binary_search(&text.as_str()).unwrap_or(0) as u32;
    let places = columns.iter().map(|column| match column {
        Column::Text(texts) => texts.dictionary().iter().map(place).collect(),
        _ => Vec::new(),
    });
    KeyScale::Texts { places: Some(places.collect()), size: union.len() as u64 + 1 }
}

fn period_scale(columns: &[&Column]) -> KeyScale {
    let mut ends: [Option<(i32, i32)>; Frequency::ALL.len()] = Default::default();
    for column in columns {
        let Column::Period(rows) = column else { continue };
        for period in rows.iter().flatten() {
            let (frequency, ordinal) = (period.frequency() as usize, period.ordinal());
            if let Some(end) = ends.get_mut(frequency) {
                let (low, high) = end.unwrap_or((ordinal, ordinal));
                *end = Some((low.min(ordinal), high.max(ordinal)));
            }
        }
    }
    // Periods sort by frequency first, so each frequency has a range of digits of its own.
    let mut size = 1;
    let starts = ends.map(|end| {
        let start = size;
        size += end.map_or(0, |(low, high)| u64::from(high.abs_diff(low)) + 1);
        (end.map_or(0, |(low, _)| low), start)
    });
    KeyScale::Periods { starts, size }
}

fn period_digit(starts: &[(i32, u64)], period: Period) -> u64 {
    let start = starts.get(period.frequency() as usize);
    start.map_or(0, |(low, start)| start + u64::from(period.ordinal().abs_diff(*low)))
}

/// The permutation that sorts rows by their keys, stable; `None` when they are already sorted.
pub fn sort_order(ranks: &[u64], size: u64) -> Option<Vec<u32>> {
    if ranks.is_sorted() {
        return None;
    }
    if size <= (ranks.len() as u64).saturating_mul(COUNTED_PER_ROW) {
        return Some(counting_sort(ranks, size as usize));
    }
    let mut pairs: Vec<(u64, u32)> =
        ranks.iter().enumerate().map(|(row, rank)| (*rank, row as u32)).collect();
    pairs.sort_by_key(|pair| pair.0);
    Some(pairs.into_iter().map(|(_, row)| row).collect())
}

/// Keys per row up to which counting sort is cheaper than a comparison sort (measured).
const COUNTED_PER_ROW: u64 = 4;

/// Counting sort.
fn counting_sort(ranks: &[u64], size: usize) -> Vec<u32> {
    let mut ends = vec![0_u32; size + 1];
    for rank in ranks {
        if let Some(count) = ends.get_mut(*rank as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    // Each entry now is the position of the next row with its key.
    let mut order = vec![0_u32; ranks.len()];
    for (row, rank) in ranks.iter().enumerate() {
        if let Some(next) = ends.get_mut(*rank as usize) {
            if let Some(slot) = order.get_mut(*next as usize) {
                *slot = row as u32;
            }
            *next += 1;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    fn text_column(rows: &[&str]) -> Column {
        Column::Text(TextColumn::from_rows(rows.iter().map(|text| (!text.is_empty()).then_some(*text))))
    }

    fn period_column(rows: &[&str]) -> Column {
        Column::Period(rows.iter().map(|text| text.parse().ok()).collect())
    }

    /// The ranks order and equate all rows as the columns do.
    #[track_caller]
    fn check(columns: &[Column]) {
        let rows = columns.first().map_or(0, Column::len);
        let all: Vec<&Column> = columns.iter().collect();
        let SortKeys { sides: [ranks], size } = sort_keys([&all], [rows]);
        for a in 0..rows {
            assert!(ranks[a] < size);
            for b in 0..rows {
                let truth = columns.iter().map(|column| column.compare(a, b)).find(|order| order.is_ne());
                assert_eq!(ranks[a].cmp(&ranks[b]), truth.unwrap_or(Ordering::Equal), "{a} {b}");
            }
        }
        let mut expected: Vec<u32> = (0..rows as u32).collect();
        expected.sort_by_key(|row| ranks[*row as usize]);
        assert_eq!(sort_order(&ranks, size).unwrap_or_else(|| (0..rows as u32).collect()), expected);
        let turned: Vec<(&Column, bool)> = columns.iter().map(|column| (column, true)).collect();
        let SortKeys { sides: [down], .. } = directed_sort_keys(&turned, rows);
        for (a, b) in (0..rows).flat_map(|a| (0..rows).map(move |b| (a, b))) {
            assert_eq!(down[a].cmp(&down[b]), ranks[b].cmp(&ranks[a]), "{a} {b}");
        }
        assert_eq!(sort_order(&ranks, u64::MAX).unwrap_or_else(|| (0..rows as u32).collect()), expected);
    }

    #[test]
    fn ranks_order_rows_as_their_values_do() {
        let names = text_column(&["b", "", "a", "b", "é", "a"]);
        let times = period_column(&["2010-M02", "2010", "", "2009-M12", "2010-Q1", "2010-M02"]);
        let flags = Column::Boolean(vec![Some(true), None, Some(false), Some(true), None, Some(true)]);
        let far = Column::Integer(vec![Some(i64::MIN), Some(i64::MAX), None, Some(0), Some(-1), Some(0)]);
        let near = Column::Integer(vec![Some(3), Some(-2), None, Some(0), Some(3), Some(7)]);
        let numbers = ["9.1", "9.10", "1E+40", "-1", "0", "0.0"].map(|text| text.parse().ok());
        let numbers = Column::Number(numbers.to_vec());
        for column in [&names, &times, &flags, &far, &near, &numbers] {
            check(std::slice::from_ref(column));
        }
        check(&[names.clone(), times.clone(), flags.clone()]);
        check(&[flags, numbers, near]);
        check(&[far.clone(), names, far.clone(), times, far]);
        check(&[]);
    }

    #[test]
    fn two_sides_have_one_scale() {
        let (left, right) = (text_column(&["b", "c", ""]), text_column(&["a", "c", "b"]));
        let (early, late) = (
            period_column(&["2010-M02", "2010-M03", "2011"]),
            period_column(&["2011-M01", "2010-M03", "2010-M02"]),
        );
        let SortKeys { sides: [a, b], .. } = sort_keys([&[&left, &early], &[&right, &late]], [3, 3]);
        assert_eq!((a[0], a[1]), (b[2], b[1]));
        assert!(a[2] < b[0] && b[0] < a[0]);
    }
}

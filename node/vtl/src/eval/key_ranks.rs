//! Ranks of row keys: one integer for each row, so that sorting, grouping and merging compare
//! integers.

use schemas::duration::Duration;
use schemas::sort_key::{self, SortKeys};
use schemas::table::Column;

use super::column::set_row;
use super::relation::Relation;

/// Ranks rows by columns: equal keys get equal ranks, smaller keys smaller ranks, nulls first.
pub(super) fn rank_rows<'c>(columns: impl IntoIterator<Item = &'c Column>, rows: usize) -> SortKeys<1> {
    let columns: Vec<&Column> = columns.into_iter().collect();
    sort_key::sort_keys([&columns], [rows])
}

/// Ranks the rows of two relations by pairs of columns, on one common scale.
pub(super) fn rank_both(left: &Relation, right: &Relation, keys: &[(usize, usize)]) -> SortKeys<2> {
    let columns =
        keys.iter().filter_map(|(x, y)| Some((&**left.columns.get(*x)?, &**right.columns.get(*y)?)));
    let (a, b): (Vec<&Column>, Vec<&Column>) = columns.unzip();
    sort_key::sort_keys([&a, &b], [left.rows, right.rows])
}

/// Returns the stable sort permutation of the rows, or `None` when they are sorted.
pub(super) fn sort_order(ranks: &SortKeys<1>) -> Option<Vec<u32>> {
    let SortKeys { sides: [sides], size } = ranks;
    sort_key::sort_order(sides, *size)
}

/// Returns the ranges of equal rank among rows permuted by `order`.
pub(super) fn equal_runs(ranks: &SortKeys<1>, order: Option<&[u32]>) -> Vec<(usize, usize)> {
    let SortKeys { sides: [ranks], .. } = ranks;
    match order {
        None => split_runs(ranks.len(), |place| ranks.get(place).copied()),
        Some(order) => split_runs(order.len(), |place| ranks.get(*order.get(place)? as usize).copied()),
    }
}

fn split_runs(rows: usize, rank: impl Fn(usize) -> Option<u64>) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let (mut start, mut last) = (0, rank(0));
    for place in 1..=rows {
        // `None` differs from every rank, so it closes the last run.
        let next = if place == rows { None } else { rank(place) };
        if next != last {
            runs.push((start, place));
            (start, last) = (place, next);
        }
    }
    runs
}

/// Ranks a column of durations by length; null is -1.
pub(super) fn duration_ranks(column: &Column) -> Vec<i64> {
    let Column::Text(texts) = column else { return Vec::new() };
    let mut sorted: Vec<(Option<Duration>, usize)> =
        texts.dictionary().iter().enumerate().map(|(at, text)| (text.parse().ok(), at)).collect();
    sorted.sort_unstable();
    let mut places = vec![0; sorted.len()];
    sorted.iter().enumerate().for_each(|(place, (_, at))| set_row(&mut places, *at, place as i64));
    texts.codes().iter().map(|code| places.get(*code as usize).copied().unwrap_or(-1)).collect()
}

/// Returns the ranks of [`duration_ranks`] as a column, in which null stays null.
pub(super) fn duration_rank_column(column: &Column) -> Column {
    Column::Integer(duration_ranks(column).into_iter().map(|place| (place >= 0).then_some(place)).collect())
}

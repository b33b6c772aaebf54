//! Merge joins on key ranks (reference manual, "Inner join", and the matching of data sets in
//! "Operators applicable on two … Data Sets").

use std::ops::Range;

use schemas::sort_key::{self, SortKeys};
use schemas::structure::ValueType;
use schemas::table::{Cell, Column};

use super::column::{SharedColumn, column_from_cells};
use super::key_ranks::{rank_both, rank_rows, sort_order};
use super::relation::Relation;
use super::threads::{self, Threads};
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::{JoinColumn, JoinMode};

/// Keys, mode and result columns of a join.
pub(super) struct JoinSpec<'a> {
    pub(super) keys: &'a [(usize, usize)],
    pub(super) columns: &'a [(JoinColumn, Option<Cell>)],
    pub(super) matching: JoinMode,
    /// Number of leading columns that are identifiers.
    pub(super) identifiers: usize,
}

/// Row index of a missing partner.
const NO_ROW: u32 = u32::MAX;

/// Joins two relations. Counts the result rows first, so that the budget is charged before any of
/// them is built.
/// Joins two relations. Counts the result rows first, so that the budget is charged before any of
/// them is built.
pub(super) fn eval_join(
    left: &Relation,
    right: &Relation,
    spec: &JoinSpec<'_>,
    meter: &mut BudgetMeter,
    span: Span,
    threads: Threads,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows + right.rows, SORT_STEPS, span)?;
    let SortKeys { sides: [a, b], size } = rank_both(left, right, spec.keys);
    let (a, b) = (SortedKeys::new(a, size), SortedKeys::new(b, size));
    // First pass: count the result rows without building them.
    let mut rows = 0_usize;
    merge_keys(&a, &b, spec.matching, |left, right| {
        rows = rows.saturating_add(left.len().max(1).saturating_mul(right.len().max(1)));
    });
    meter.charge(rows, COPY_STEPS * spec.columns.len() as u64 + SORT_STEPS, span)?;
    meter.reserve(rows, spec.columns.len(), span)?;
    let pairs = expand_pairs(&a, &b, spec.matching, rows);
    // Free the ranks before gathering columns, which is the peak of memory use.
    drop((a, b));
    // Full joins and fallbacks mix cells of both sides; other joins gather whole columns.
    if spec.matching == JoinMode::Full || spec.columns.iter().any(|(_, fallback)| fallback.is_some()) {
        return Ok(join_with_fallbacks(&pairs, left, right, spec));
    }
    let pairs = sort_pairs(pairs, left, right, spec);
    Ok(Relation { columns: pairs.gather(spec.columns, left, right, threads), rows })
}

/// Left and right row of each data point of the result.
struct RowPairs {
    lefts: Vec<u32>,
    rights: Vec<u32>,
}

impl RowPairs {
    fn gather(
        &self,
        columns: &[(JoinColumn, Option<Cell>)],
        left: &Relation,
        right: &Relation,
        threads: Threads,
    ) -> Vec<SharedColumn> {
        // A side that keeps all its rows in order shares its columns instead of copying.
        let whole = |rows: &[u32], all: usize| rows.len() == all && rows.iter().copied().eq(0..all as u32);
        let (same_left, same_right) = (whole(&self.lefts, left.rows), whole(&self.rights, right.rows));
        let take = |column: &SharedColumn, rows: &[u32], same: bool| {
            if same { column.clone() } else { SharedColumn::new(column.gather(rows)) }
        };
        let pick = |(side, _): &(JoinColumn, Option<Cell>)| match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => {
                left.columns.get(*at).map(|column| take(column, &self.lefts, same_left))
            }
            JoinColumn::Right(at) => {
                right.columns.get(*at).map(|column| take(column, &self.rights, same_right))
            }
        };
        threads::map_items(threads, self.lefts.len(), columns, pick).into_iter().flatten().collect()
    }
}

/// Builds a full join or a join with fallback values cell by cell, in canonical order.
fn join_with_fallbacks(pairs: &RowPairs, left: &Relation, right: &Relation, spec: &JoinSpec<'_>) -> Relation {
    let cell = |side: JoinColumn, pair: (u32, u32)| {
        let of = |relation: &Relation, at: usize, row: u32| {
            relation.columns.get(at).and_then(|column| column.cell(row as usize))
        };
        match side {
            JoinColumn::Left(at) => of(left, at, pair.0),
            JoinColumn::Right(at) => of(right, at, pair.1),
            JoinColumn::Either(at, other) => of(left, at, pair.0).or_else(|| of(right, other, pair.1)),
        }
    };
    let columns = spec.columns.iter().map(|(side, fallback)| {
        let like = match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => left.columns.get(*at),
            JoinColumn::Right(at) => right.columns.get(*at),
        };
        let rows = pairs.lefts.iter().copied().zip(pairs.rights.iter().copied());
        let cells = rows.map(|pair| cell(*side, pair).or_else(|| fallback.clone()));
        column_like(cells.collect(), like)
    });
    let columns: Vec<SharedColumn> = columns.map(SharedColumn::new).collect();
    let rows = pairs.lefts.len();
    let columns =
        match sort_order(&rank_rows(columns.iter().take(spec.identifiers).map(|column| &**column), rows)) {
            None => columns,
            Some(order) => columns.iter().map(|column| SharedColumn::new(column.gather(&order))).collect(),
        };
    Relation { columns, rows }
}

/// Builds a column of the type of another column.
fn column_like(cells: Vec<Option<Cell>>, like: Option<&SharedColumn>) -> Column {
    match like.map(|column| &**column) {
        Some(Column::Text(_)) => column_from_cells(&cells, ValueType::String),
        Some(Column::Integer(_)) => column_from_cells(&cells, ValueType::Integer),
        Some(Column::Number(_)) | None => column_from_cells(&cells, ValueType::Number),
        Some(Column::Boolean(_)) => column_from_cells(&cells, ValueType::Boolean),
        Some(Column::Period(_)) => column_from_cells(&cells, ValueType::TimePeriod),
    }
}

/// Key ranks of one side in ascending order; `order` is the row permutation, `None` when the rows are
/// sorted already.
struct SortedKeys {
    ranks: Vec<u64>,
    order: Option<Vec<u32>>,
}

impl SortedKeys {
    fn new(ranks: Vec<u64>, size: u64) -> Self {
        match sort_key::sort_order(&ranks, size) {
            None => Self { ranks, order: None },
            Some(order) => {
                let sorted = order.iter().filter_map(|row| ranks.get(*row as usize).copied()).collect();
                Self { ranks: sorted, order: Some(order) }
            }
        }
    }

    fn rank(&self, place: usize) -> Option<u64> {
        self.ranks.get(place).copied()
    }

    /// Returns the run of equal keys that starts at `start`.
    fn run(&self, start: usize) -> Range<usize> {
        let key = self.rank(start);
        let mut end = start + 1;
        while end < self.ranks.len() && self.rank(end) == key {
            end += 1;
        }
        start..end
    }

    fn row(&self, place: usize) -> u32 {
        self.order.as_ref().map_or(place as u32, |order| order.get(place).copied().unwrap_or(NO_ROW))
    }
}

/// Merges both sides in key order and reports the runs of each key; a run is empty where `matching`
/// keeps a key without partner.
fn merge_keys(
    a: &SortedKeys,
    b: &SortedKeys,
    matching: JoinMode,
    mut found: impl FnMut(Range<usize>, Range<usize>),
) {
    let (mut at, mut other) = (0, 0);
    while let Some(key) = a.rank(at) {
        while b.rank(other).is_some_and(|rank| rank < key) {
            let alone = b.run(other);
            other = alone.end;
            if matching == JoinMode::Full {
                found(0..0, alone);
            }
        }
        let left = a.run(at);
        at = left.end;
        if b.rank(other) == Some(key) {
            let right = b.run(other);
            other = right.end;
            found(left, right);
        } else if matching != JoinMode::Inner {
            found(left, 0..0);
        }
    }
    while matching == JoinMode::Full && b.rank(other).is_some() {
        let alone = b.run(other);
        other = alone.end;
        found(0..0, alone);
    }
}

/// Lists all pairs of rows with equal keys.
fn expand_pairs(a: &SortedKeys, b: &SortedKeys, matching: JoinMode, rows: usize) -> RowPairs {
    let mut pairs = RowPairs { lefts: Vec::with_capacity(rows), rights: Vec::with_capacity(rows) };
    merge_keys(a, b, matching, |left, right| {
        if left.is_empty() {
            pairs.lefts.extend(right.clone().map(|_| NO_ROW));
            pairs.rights.extend(right.map(|place| b.row(place)));
            return;
        }
        for row in left.map(|place| a.row(place)) {
            if right.is_empty() {
                pairs.lefts.push(row);
                pairs.rights.push(NO_ROW);
            }
            for place in right.clone() {
                pairs.lefts.push(row);
                pairs.rights.push(b.row(place));
            }
        }
    });
    pairs
}

/// Sorts pairs by the identifiers of the result.
fn sort_pairs(pairs: RowPairs, left: &Relation, right: &Relation, spec: &JoinSpec<'_>) -> RowPairs {
    let identifiers = spec.columns.get(..spec.identifiers).unwrap_or_default();
    let of_left = |(at, (side, _)): (usize, &(JoinColumn, Option<Cell>))| match side {
        JoinColumn::Left(column) | JoinColumn::Either(column, _) => *column == at,
        JoinColumn::Right(_) => false,
    };
    // INVARIANT: the left is in canonical order, its identifiers first.
    if identifiers.iter().enumerate().all(of_left) && pairs.lefts.is_sorted() {
        return pairs;
    }
    let columns = pairs.gather(identifiers, left, right, Threads::ONE);
    let Some(order) = sort_order(&rank_rows(columns.iter().map(|column| &**column), pairs.lefts.len()))
    else {
        return pairs;
    };
    let sort =
        |rows: &[u32]| order.iter().map(|at| rows.get(*at as usize).copied().unwrap_or(NO_ROW)).collect();
    RowPairs { lefts: sort(&pairs.lefts), rights: sort(&pairs.rights) }
}

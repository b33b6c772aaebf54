//! Merge joins on key ranks (reference manual, "Inner join", and the matching of data sets in
//! "Operators applicable on two … Data Sets").

use std::ops::Range;

use schemas::sort_key::{self, SortKeys};
use schemas::structure::ValueType;
use schemas::table::{Cell, Column};

use super::column::{SharedColumn, column_from_cells, text_column};
use super::key_ranks::{rank_both, rank_rows, sort_order};
use super::relation::Relation;
use super::threads::{self, Threads};
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::ceilings::{CeilingExceeded, RunGuard, SORT_BYTES, column_type, row_bytes};
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
pub(super) fn eval_join(
    left: &Relation,
    right: &Relation,
    spec: &JoinSpec<'_>,
    meter: &mut BudgetMeter,
    span: Span,
    threads: Threads,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows + right.rows, SORT_STEPS, span)?;
    let guard = meter.guard();
    let ranks = guard.reserve_each(left.rows + right.rows, SORT_BYTES)?;
    let SortKeys { sides: [a, b], size } = rank_both(left, right, spec.keys);
    let (a, b) = (SortedKeys::new(a, size), SortedKeys::new(b, size));
    // First pass: count the result rows without building them.
    let mut rows = 0_usize;
    merge_keys(&a, &b, spec.matching, &guard, |left, right| {
        rows = rows.saturating_add(left.len().max(1).saturating_mul(right.len().max(1)));
    });
    meter.charge(rows, COPY_STEPS * spec.columns.len() as u64 + SORT_STEPS, span)?;
    meter.reserve(rows, spec.columns.len(), span)?;
    let _pairs = guard.reserve_each(rows, PAIR_BYTES)?;
    let pairs = expand_pairs(&a, &b, spec.matching, rows, &guard);
    // Free the ranks before gathering columns, which is the peak of memory use.
    drop((a, b, ranks));
    // Full joins and fallbacks mix cells of both sides; other joins gather whole columns.
    if spec.matching == JoinMode::Full || spec.columns.iter().any(|(_, fallback)| fallback.is_some()) {
        return Ok(join_with_fallbacks(&pairs, left, right, spec, &guard)?);
    }
    let pairs = sort_pairs(pairs, left, right, spec, &guard)?;
    Ok(Relation { columns: pairs.gather(spec.columns, left, right, threads, &guard)?, rows })
}

/// Working memory for each pair of rows, with a copy in another order.
const PAIR_BYTES: u64 = 4 * size_of::<u32>() as u64;

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
        guard: &RunGuard,
    ) -> Result<Vec<SharedColumn>, CeilingExceeded> {
        // A side that keeps all its rows in order shares its columns instead of copying.
        let whole = |rows: &[u32], all: usize| rows.len() == all && rows.iter().copied().eq(0..all as u32);
        let (same_left, same_right) = (whole(&self.lefts, left.rows), whole(&self.rights, right.rows));
        let source = |(side, _): &(JoinColumn, Option<Cell>)| match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => {
                left.columns.get(*at).map(|column| (column, &self.lefts, same_left))
            }
            JoinColumn::Right(at) => right.columns.get(*at).map(|column| (column, &self.rights, same_right)),
        };
        let sources: Vec<_> = columns.iter().filter_map(source).collect();
        let copied = sources.iter().filter(|(_, _, same)| !same);
        let reserved = guard.reserve(copied.map(|(column, rows, _)| row_bytes(column, rows.len())).sum())?;
        let made = threads::map_items(threads, self.lefts.len(), &sources, |(column, rows, same)| {
            (!same && !guard.is_stopped()).then(|| column.gather(rows))
        });
        drop(reserved);
        let pairs = sources.iter().zip(made);
        Ok(pairs
            .map(|((source, ..), made)| match made {
                Some(column) => source.derive(column, guard),
                None => (*source).clone(),
            })
            .collect())
    }
}

/// Builds a full join or a join with fallback values cell by cell, in canonical order.
fn join_with_fallbacks(
    pairs: &RowPairs,
    left: &Relation,
    right: &Relation,
    spec: &JoinSpec<'_>,
    guard: &RunGuard,
) -> Result<Relation, CeilingExceeded> {
    let columns: Result<Vec<SharedColumn>, CeilingExceeded> = spec
        .columns
        .iter()
        .map(|(side, fallback)| join_column(pairs, (left, right), *side, fallback.as_ref(), guard))
        .collect();
    let relation = Relation { columns: columns?, rows: pairs.lefts.len() };
    let _ranks = guard.reserve_each(relation.rows, SORT_BYTES)?;
    let identifiers = relation.columns.iter().take(spec.identifiers).map(|column| &**column);
    match sort_order(&rank_rows(identifiers, relation.rows)) {
        None => Ok(relation),
        Some(order) => relation.pick(&order, Threads::ONE, guard),
    }
}

/// Builds one column of a join from cells of both sides.
fn join_column(
    pairs: &RowPairs,
    (left, right): (&Relation, &Relation),
    side: JoinColumn,
    fallback: Option<&Cell>,
    guard: &RunGuard,
) -> Result<SharedColumn, CeilingExceeded> {
    let (first, second) = match side {
        JoinColumn::Left(at) => (left.columns.get(at), None),
        JoinColumn::Right(at) => (None, right.columns.get(at)),
        JoinColumn::Either(at, other) => (left.columns.get(at), right.columns.get(other)),
    };
    let rows = pairs.lefts.iter().zip(&pairs.rights).map(|(left, right)| (*left as usize, *right as usize));
    let like = first.or(second).map(|column| &**column);
    if let Some(Column::Text(_)) = like {
        let reserved = guard.reserve_each(pairs.lefts.len(), size_of::<u32>() as u64)?;
        let fallback = if let Some(Cell::Text(text)) = fallback { Some(text.as_str()) } else { None };
        let texts =
            rows.map(|(left, right)| text_at(first, left).or_else(|| text_at(second, right)).or(fallback));
        let column = text_column(texts, guard);
        drop(reserved);
        return Ok(SharedColumn::new(column, guard));
    }
    let cell = |column: Option<&SharedColumn>, row: usize| column.and_then(|column| column.cell(row));
    let cells = rows
        .map(|(left, right)| cell(first, left).or_else(|| cell(second, right)).or_else(|| fallback.cloned()));
    column_from_cells(cells, like.map_or(ValueType::Number, column_type), guard)
}

/// Returns a text of a column, if it is one of texts.
fn text_at(column: Option<&SharedColumn>, row: usize) -> Option<&str> {
    match &**column? {
        Column::Text(texts) => texts.get(row),
        _ => None,
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
    guard: &RunGuard,
    mut found: impl FnMut(Range<usize>, Range<usize>),
) {
    let (mut at, mut other) = (0, 0);
    while let Some(key) = a.rank(at) {
        if guard.is_stopped() {
            return;
        }
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
fn expand_pairs(
    a: &SortedKeys,
    b: &SortedKeys,
    matching: JoinMode,
    rows: usize,
    guard: &RunGuard,
) -> RowPairs {
    let mut pairs = RowPairs { lefts: Vec::with_capacity(rows), rights: Vec::with_capacity(rows) };
    merge_keys(a, b, matching, guard, |left, right| {
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
fn sort_pairs(
    pairs: RowPairs,
    left: &Relation,
    right: &Relation,
    spec: &JoinSpec<'_>,
    guard: &RunGuard,
) -> Result<RowPairs, CeilingExceeded> {
    let identifiers = spec.columns.get(..spec.identifiers).unwrap_or_default();
    let of_left = |(at, (side, _)): (usize, &(JoinColumn, Option<Cell>))| match side {
        JoinColumn::Left(column) | JoinColumn::Either(column, _) => *column == at,
        JoinColumn::Right(_) => false,
    };
    // INVARIANT: the left is in canonical order, its identifiers first.
    if identifiers.iter().enumerate().all(of_left) && pairs.lefts.is_sorted() {
        return Ok(pairs);
    }
    let columns = pairs.gather(identifiers, left, right, Threads::ONE, guard)?;
    let _ranks = guard.reserve_each(pairs.lefts.len(), SORT_BYTES)?;
    let Some(order) = sort_order(&rank_rows(columns.iter().map(|column| &**column), pairs.lefts.len()))
    else {
        return Ok(pairs);
    };
    let sort =
        |rows: &[u32]| order.iter().map(|at| rows.get(*at as usize).copied().unwrap_or(NO_ROW)).collect();
    Ok(RowPairs { lefts: sort(&pairs.lefts), rights: sort(&pairs.rights) })
}

//! Semi-joins and anti-joins by merging on key ranks (reference manual, "Exists in", "Intersection",
//! "Set difference").

use schemas::sort_key::{self, SortKeys};
use schemas::table::Column;

use super::column::SharedColumn;
use super::key_ranks::rank_both;
use super::relation::Relation;
use super::threads::Threads;
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::ceilings::SORT_BYTES;
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::PlanStep;

/// Keeps the left data points whose key occurs (`present`) or does not occur on the right.
pub(super) fn eval_semi_join(
    left: &Relation,
    right: &Relation,
    keys: &[(usize, usize)],
    present: bool,
    meter: &mut BudgetMeter,
    span: Span,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows.saturating_add(right.rows), SORT_STEPS, span)?;
    let guard = meter.guard();
    let ranks = guard.reserve_each(left.rows.saturating_add(right.rows), SORT_BYTES)?;
    let found = match_keys(left, right, keys);
    drop(ranks);
    let kept: Vec<u32> =
        found.iter().zip(0..).filter(|(found, _)| **found == present).map(|(_, row)| row).collect();
    meter.charge(kept.len() * left.columns.len(), COPY_STEPS, span)?;
    meter.reserve(kept.len(), left.columns.len(), span)?;
    Ok(left.pick(&kept, Threads::ONE, &guard)?)
}

/// Returns the identifiers of the left with a boolean: whether the key occurs on the right.
pub(super) fn eval_exists(
    left: &Relation,
    right: &Relation,
    keys: &[(usize, usize)],
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows.saturating_add(right.rows), SORT_STEPS, step.span)?;
    meter.reserve(left.rows, step.columns.len(), step.span)?;
    let guard = meter.guard();
    let _ranks = guard.reserve_each(left.rows.saturating_add(right.rows), SORT_BYTES)?;
    let flags = match_keys(left, right, keys).into_iter().map(Some).collect();
    // The measure is the last field; those before it are the identifiers.
    let mut columns: Vec<SharedColumn> =
        left.columns.iter().take(step.columns.len().saturating_sub(1)).cloned().collect();
    columns.push(SharedColumn::new(Column::Boolean(flags), &guard));
    Ok(Relation { columns, rows: left.rows })
}

/// Returns, for each left row, whether its key occurs on the right.
fn match_keys(left: &Relation, right: &Relation, keys: &[(usize, usize)]) -> Vec<bool> {
    let SortKeys { sides: [a, mut b], size } = rank_both(left, right, keys);
    // Only membership counts on the right, so its ranks are sorted without their rows.
    if !b.is_sorted() {
        b.sort_unstable();
    }
    let order = sort_key::sort_order(&a, size);
    let mut others = b.into_iter().peekable();
    let mut found = vec![false; left.rows];
    for place in 0..left.rows {
        let row = order.as_ref().and_then(|order| order.get(place)).map_or(place, |row| *row as usize);
        let key = a.get(row).copied().unwrap_or_default();
        // Both sides are ascending, so the right side is scanned once.
        while others.next_if(|other| *other < key).is_some() {}
        if let Some(slot) = found.get_mut(row) {
            *slot = others.peek() == Some(&key);
        }
    }
    found
}

//! Whether a data set has a key (reference manual, "Exists in", "Intersection", "Set difference"):
//! semi-joins by merging on key codes.

use schemas::sort_key::{self, SortKeys};
use schemas::table::Column;

use super::column::SharedColumn;
use super::key_ranks::rank_both;
use super::relation::Relation;
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::PlanStep;

/// The data points of the left whose key the right has, or has not.
pub(super) fn eval_semi_join(
    left: &Relation,
    right: &Relation,
    keys: &[(usize, usize)],
    present: bool,
    meter: &mut BudgetMeter,
    span: Span,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows.saturating_add(right.rows), SORT_STEPS, span)?;
    let found = match_keys(left, right, keys);
    let kept: Vec<u32> =
        found.iter().zip(0..).filter(|(found, _)| **found == present).map(|(_, row)| row).collect();
    meter.charge(kept.len() * left.columns.len(), COPY_STEPS, span)?;
    meter.reserve(kept.len(), left.columns.len(), span)?;
    let columns = left.columns.iter().map(|column| SharedColumn::new(column.gather(&kept))).collect();
    Ok(Relation { columns, rows: kept.len() })
}

/// The identifiers of the left, and whether the right has a data point of the same keys.
pub(super) fn eval_exists(
    left: &Relation,
    right: &Relation,
    keys: &[(usize, usize)],
    meter: &mut BudgetMeter,
    step: &PlanStep,
) -> Result<Relation, Diagnostic> {
    meter.charge(left.rows.saturating_add(right.rows), SORT_STEPS, step.span)?;
    meter.reserve(left.rows, step.columns.len(), step.span)?;
    let flags = match_keys(left, right, keys).into_iter().map(Some).collect(); // The measure is the last field; those before it are the identifiers.
    let mut columns: Vec<SharedColumn> =
        left.columns.iter().take(step.columns.len().saturating_sub(1)).cloned().collect();
    columns.push(SharedColumn::new(Column::Boolean(flags)));
    Ok(Relation { columns, rows: left.rows })
}

/// For each row of the left whether the right has its key.
fn match_keys(left: &Relation, right: &Relation, keys: &[(usize, usize)]) -> Vec<bool> {
    let SortKeys { sides: [a, mut b], size } = rank_both(left, right, keys);
    if !b.is_sorted() {
        b.sort_unstable();
    }
    let order = sort_key::sort_order(&a, size);
    let mut others = b.into_iter().peekable();
    let mut found = vec![false; left.rows];
    for place in 0..left.rows {
        let row = order.as_ref().and_then(|order| order.get(place)).map_or(place, |row| *row as usize);
        let key = a.get(row).copied().unwrap_or_default();
        while others.next_if(|other| *other < key).is_some() {}
        if let Some(slot) = found.get_mut(row) {
            *slot = others.peek() == Some(&key);
        }
    }
    found
}

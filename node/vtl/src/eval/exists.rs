//! Whether a data set has a key (reference manual, "Exists in", "Intersection", "Set difference"):
//! semi-joins by merging on key codes.

use std::cmp::Ordering;

use schemas::table::Column;

use super::Relation;
use super::column::Col;
use super::key::{common, compare_rows, order};
use crate::budget::{COPY_STEPS, Meter, SORT_STEPS};
use crate::fault::{Fault, Span};
use crate::plan::Step;

/// The data points of the left whose key the right has, or has not.
pub(super) fn semi(
    left: &Relation,
    right: &Relation,
    keys: &[(usize, usize)],
    present: bool,
    meter: &mut Meter,
    span: Span,
) -> Result<Relation, Fault> {
    meter.charge(left.rows.saturating_add(right.rows), SORT_STEPS, span)?;
    let found = found(left, right, keys);
    let kept: Vec<usize> =
        found.iter().enumerate().filter(|(_, found)| **found == present).map(|(row, _)| row).collect();
    meter.charge(kept.len() * left.columns.len(), COPY_STEPS, span)?;
    meter.hold(kept.len(), left.columns.len(), span)?;
    let columns = left.columns.iter().map(|column| Col::own(column.gather(&kept))).collect();
    Ok(Relation { columns, rows: kept.len() })
}

/// The identifiers of the left, and whether the right has a data point of the same keys.
pub(super) fn exists(
    left: &Relation,
    right: &Relation,
    keys: &[(usize, usize)],
    meter: &mut Meter,
    step: &Step,
) -> Result<Relation, Fault> {
    meter.charge(left.rows.saturating_add(right.rows), SORT_STEPS, step.span)?;
    meter.hold(left.rows, step.fields.len(), step.span)?;
    let flags = found(left, right, keys).into_iter().map(Some).collect();
    // The measure is the last field; those before it are the identifiers.
    let mut columns: Vec<Col> =
        left.columns.iter().take(step.fields.len().saturating_sub(1)).cloned().collect();
    columns.push(Col::own(Column::Boolean(flags)));
    Ok(Relation { columns, rows: left.rows })
}

/// For each row of the left whether the right has its key.
fn found(left: &Relation, right: &Relation, keys: &[(usize, usize)]) -> Vec<bool> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (x, y) in keys {
        if let (Some(x), Some(y)) = (left.columns.get(*x), right.columns.get(*y)) {
            let (x, y) = common(x, y);
            a.push(x);
            b.push(y);
        }
    }
    let sorted = |order: Option<Vec<usize>>, rows: usize| order.unwrap_or_else(|| (0..rows).collect());
    let (ours, theirs) = (sorted(order(&a, left.rows), left.rows), sorted(order(&b, right.rows), right.rows));
    let mut others = theirs.iter().peekable();
    let mut found = vec![false; left.rows];
    for row in ours {
        let against = |other: &usize| compare_rows(&b, *other, &a, row);
        while others.next_if(|other| against(other) == Ordering::Less).is_some() {}
        if let Some(slot) = found.get_mut(row) {
            *slot = others.peek().is_some_and(|other| against(other) == Ordering::Equal);
        }
    }
    found
}

//! Union of data sets of one structure (reference manual, "Union"). Of data points with equal keys,
//! that of the first operand is kept.

use schemas::table::Column;

use super::column::{SharedColumn, text_column};
use super::key_ranks::{equal_runs, rank_rows, sort_order};
use super::relation::Relation;
use super::threads::Threads;
use crate::budget::{BudgetMeter, COPY_STEPS, SORT_STEPS};
use crate::ceilings::{RunGuard, SORT_BYTES, row_bytes};
use crate::diagnostic::{Diagnostic, Span};

/// Returns the union; the first `identifiers` columns are the key.
pub(super) fn eval_union(
    operands: &[Relation],
    identifiers: usize,
    meter: &mut BudgetMeter,
    span: Span,
) -> Result<Relation, Diagnostic> {
    let rows: usize = operands.iter().map(|operand| operand.rows).sum();
    let width = operands.first().map_or(0, |operand| operand.columns.len());
    meter.charge(rows, SORT_STEPS + COPY_STEPS * width as u64, span)?;
    meter.reserve(rows, width, span)?;
    let guard = meter.guard();
    let stacked =
        operands.iter().flat_map(|operand| operand.columns.iter().map(|c| row_bytes(c, operand.rows)));
    let reserved = guard.reserve(stacked.sum())?;
    let columns: Vec<Column> = (0..width).map(|at| stack_column(operands, at, &guard)).collect();
    drop(reserved);
    let columns = columns.into_iter().map(|column| SharedColumn::new(column, &guard)).collect();
    let relation = Relation { columns, rows };
    let _ranks = guard.reserve_each(rows, SORT_BYTES)?;
    let columns = &relation.columns;
    let ranks = rank_rows(columns.iter().take(identifiers).map(|column| &**column), rows);
    // The sort is stable, so among equal keys the row of the first operand comes first.
    let order = sort_order(&ranks);
    let runs = equal_runs(&ranks, order.as_deref());
    // All operand rows were charged; give back the duplicates.
    meter.release(rows - runs.len(), width);
    if runs.len() == rows && order.is_none() {
        return Ok(relation);
    }
    let row = |place: usize| order.as_ref().map_or(Some(place as u32), |order| order.get(place).copied());
    let firsts: Vec<u32> = runs.iter().filter_map(|run| row(run.0)).collect();
    Ok(relation.pick(&firsts, Threads::ONE, &guard)?)
}

/// Concatenates one column of all operands.
fn stack_column(operands: &[Relation], at: usize, guard: &RunGuard) -> Column {
    let parts: Vec<&Column> =
        operands.iter().filter_map(|operand| operand.columns.get(at)).map(|column| &**column).collect();
    match parts.first() {
        Some(Column::Text(_)) => {
            let rows = parts.iter().flat_map(|part| {
                (0..part.len()).map(|row| match part {
                    Column::Text(texts) => texts.get(row),
                    _ => None,
                })
            });
            text_column(rows, guard)
        }
        Some(Column::Integer(_)) => Column::Integer(concat_rows(&parts, |part| match part {
            Column::Integer(rows) => rows,
            _ => &[],
        })),
        Some(Column::Number(_)) | None => Column::Number(concat_rows(&parts, |part| match part {
            Column::Number(rows) => rows,
            _ => &[],
        })),
        Some(Column::Boolean(_)) => Column::Boolean(concat_rows(&parts, |part| match part {
            Column::Boolean(rows) => rows,
            _ => &[],
        })),
        Some(Column::Period(_)) => Column::Period(concat_rows(&parts, |part| match part {
            Column::Period(rows) => rows,
            _ => &[],
        })),
    }
}

fn concat_rows<T: Copy>(parts: &[&Column], open: fn(&Column) -> &[T]) -> Vec<T> {
    parts.iter().flat_map(|part| open(part).iter().copied()).collect()
}

//! The union of data sets of one structure (reference manual, "Union"): of data points with one key
//! the one of the first operand stays.

use schemas::table::{Column, Texts};

use super::Relation;
use super::column::Col;
use super::key::{Codes, codes, compare_rows};
use crate::budget::{COPY_STEPS, Meter, SORT_STEPS};
use crate::fault::{Fault, Span};

/// The union; the first `identifiers` columns are the key.
pub(super) fn union(
    operands: &[Relation],
    identifiers: usize,
    meter: &mut Meter,
    span: Span,
) -> Result<Relation, Fault> {
    let rows: usize = operands.iter().map(|operand| operand.rows).sum();
    let width = operands.first().map_or(0, |operand| operand.columns.len());
    meter.charge(rows, SORT_STEPS + COPY_STEPS * width as u64, span)?;
    meter.hold(rows, width, span)?;
    let columns: Vec<Col> = (0..width).map(|at| Col::own(stacked(operands, at))).collect();
    let keys: Vec<Codes> = columns.iter().take(identifiers).map(|column| codes(column)).collect();
    let mut order: Vec<usize> = (0..rows).collect();
    // Stable: of equal keys the row of the first operand comes first.
    order.sort_by(|a, b| compare_rows(&keys, *a, &keys, *b));
    order.dedup_by(|later, first| compare_rows(&keys, *first, &keys, *later).is_eq());
    meter.release(rows - order.len(), width);
    if order.len() == rows && order.is_sorted() {
        return Ok(Relation { columns, rows });
    }
    let columns = columns.iter().map(|column| Col::own(column.gather(&order))).collect();
    Ok(Relation { columns, rows: order.len() })
}

/// One column of all operands, one operand after the other.
fn stacked(operands: &[Relation], at: usize) -> Column {
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
            Column::Text(Texts::from_rows(rows))
        }
        Some(Column::Integer(_)) => Column::Integer(gather(&parts, |part| match part {
            Column::Integer(rows) => rows,
            _ => &[],
        })),
        Some(Column::Number(_)) | None => Column::Number(gather(&parts, |part| match part {
            Column::Number(rows) => rows,
            _ => &[],
        })),
        Some(Column::Boolean(_)) => Column::Boolean(gather(&parts, |part| match part {
            Column::Boolean(rows) => rows,
            _ => &[],
        })),
        Some(Column::Period(_)) => Column::Period(gather(&parts, |part| match part {
            Column::Period(rows) => rows,
            _ => &[],
        })),
    }
}

fn gather<T: Copy>(parts: &[&Column], open: fn(&Column) -> &[T]) -> Vec<T> {
    parts.iter().flat_map(|part| open(part).iter().copied()).collect()
}

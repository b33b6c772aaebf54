//! Propagation of viral attributes when data points are combined (user manual, "The Attribute
//! Propagation rule"): values are folded in canonical order of the data points.

use std::cmp::Ordering;

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::structure::ValueType;
use schemas::table::Cell;

use crate::ast::PropagationRule;
use crate::decimal128::{self as decimal, Error, ExactSum};
use crate::op::AggregateOp;

/// Combines values of one type: null for no value, the value itself for one.
pub(super) fn propagate_attribute(
    rule: Option<&PropagationRule>,
    value_type: ValueType,
    cells: impl Iterator<Item = Option<Cell>>,
) -> Result<Option<Cell>, Error> {
    match rule {
        Some(PropagationRule::Aggregate(op)) => aggregate_cells(*op, value_type, cells),
        Some(PropagationRule::Enumerated { clauses, other }) => {
            let pair = |a: Option<Cell>, b: Option<Cell>| match_clauses(clauses, other.as_ref(), &a, &b);
            Ok(cells.reduce(pair).flatten())
        }
        None => Ok(cells.reduce(|a, b| smaller_or_null(value_type, a, b)).flatten()),
    }
}

/// Default without a rule: null when either value is null, otherwise the smaller value.
fn smaller_or_null(value_type: ValueType, a: Option<Cell>, b: Option<Cell>) -> Option<Cell> {
    let (a, b) = (a?, b?);
    Some(if compare_cells(value_type, &a, &b).is_le() { a } else { b })
}

fn compare_cells(value_type: ValueType, a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        // The text order of durations differs from the order of their lengths.
        (Cell::Text(a), Cell::Text(b)) if value_type == ValueType::Duration => {
            a.parse::<Duration>().ok().cmp(&b.parse::<Duration>().ok())
        }
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Boolean(a), Cell::Boolean(b)) => a.cmp(b),
        (Cell::Period(a), Cell::Period(b)) => a.cmp(b),
        (a, b) => cell_number(a).compare(cell_number(b)),
    }
}

fn cell_number(cell: &Cell) -> Decimal {
    match cell {
        Cell::Integer(value) => (*value).into(),
        Cell::Number(value) => *value,
        _ => Decimal::ZERO,
    }
}

/// Aggregates the values that are not null.
fn aggregate_cells(
    op: AggregateOp,
    value_type: ValueType,
    cells: impl Iterator<Item = Option<Cell>>,
) -> Result<Option<Cell>, Error> {
    // Cells are not collected: texts of many data points would be copied.
    let mut known = cells.flatten();
    Ok(match op {
        AggregateOp::Min => known.min_by(|a, b| compare_cells(value_type, a, b)),
        AggregateOp::Max => known.max_by(|a, b| compare_cells(value_type, a, b)),
        _ => {
            let Some(first) = known.next() else { return Ok(None) };
            let whole = matches!(first, Cell::Integer(_));
            let (mut total, mut count) = (ExactSum::default(), 0);
            for cell in std::iter::once(first).chain(known) {
                total.add(cell_number(&cell));
                count += 1;
            }
            match op {
                AggregateOp::Avg => Some(Cell::Number(total.mean(count)?)),
                _ if whole => Some(Cell::Integer(decimal::to_integer(total.sum()?)?)),
                _ => Some(Cell::Number(total.sum()?)),
            }
        }
    })
}

/// Returns the result of the first matching clause: binary clauses first, then unary ones, then the
/// default.
fn match_clauses(
    clauses: &[(Cell, Option<Cell>, Option<Cell>)],
    other: Option<&Cell>,
    a: &Option<Cell>,
    b: &Option<Cell>,
) -> Option<Cell> {
    let is = |value: &Option<Cell>, cell: &Cell| value.as_ref().is_some_and(|value| value.same_value(cell));
    let double = clauses.iter().find(|(first, second, _)| {
        // The two values of a binary clause match in either order.
        let pair = |x, y: &Cell| is(x, first) && is(if std::ptr::eq(x, a) { b } else { a }, y);
        second.as_ref().is_some_and(|second| pair(a, second) || pair(b, second))
    });
    let single =
        || clauses.iter().find(|(first, second, _)| second.is_none() && (is(a, first) || is(b, first)));
    double.or_else(single).map_or(other.cloned(), |(_, _, value)| value.clone())
}

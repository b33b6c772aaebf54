//! `cast` (reference manual, "Type conversion").
//!
//! Without a mask, text is parsed and formatted in the canonical form of its type. A number with a
//! fraction does not cast to an integer: no digits are dropped silently.

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::limits::CELL_BYTES_MAX;
use schemas::period::{Frequency, Period};
use schemas::structure::ValueType;
use schemas::table::{Cell, Column};

use super::column::{ColumnBuilder, ColumnarValue, RowMask};
use super::error::RowError;
use crate::cast_mask;
use crate::ceilings::RunGuard;
use crate::decimal128;
use crate::diagnostic::DiagnosticCode;

/// Casts the selected rows of `value`.
pub(super) fn eval_cast(
    value: &ColumnarValue,
    (from, to): (Option<ValueType>, ValueType),
    mask: Option<&str>,
    (rows, taken): (usize, RowMask<'_>),
    guard: &RunGuard,
) -> Result<Column, RowError> {
    let taken = |row: usize| taken.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
    // Integers widen to numbers without going through cells.
    if from == Some(ValueType::Integer) && to == ValueType::Number {
        let numbers = value.as_numbers();
        return Ok(Column::Number((0..rows).map(|row| numbers.at(row).filter(|_| taken(row))).collect()));
    }
    let mask = mask.map(|mask| cast_mask::CastMask::new(mask, from, to)).transpose();
    let mask = mask.map_err(|reason| ((DiagnosticCode::Cast, reason), 0))?;
    let mut made = ColumnBuilder::new(to, rows, guard);
    for row in (0..rows).take_while(|row| !guard.is_stopped_at(*row)) {
        let cell = if taken(row) { value.cell_at(row) } else { None };
        let Some(cell) = cell else {
            made.push(None);
            continue;
        };
        let cast = match &mask {
            None => cast_cell(&cell, from, to),
            Some(mask) => cast_with_mask(mask, &cell, to),
        };
        let failed = || ((DiagnosticCode::Cast, format!("cannot cast `{cell}` to {}", to.as_str())), row);
        made.push(Some(&cast.ok_or_else(failed)?));
    }
    Ok(made.finish())
}

/// Parses or formats one value with a mask.
fn cast_with_mask(mask: &cast_mask::CastMask, cell: &Cell, to: ValueType) -> Option<Cell> {
    match cell {
        Cell::Text(text) if to != ValueType::String => mask.parse(text.trim()),
        _ => mask.format(cell).filter(|text| text.len() <= CELL_BYTES_MAX).map(Cell::Text),
    }
}

/// Casts one value without a mask.
fn cast_cell(cell: &Cell, from: Option<ValueType>, to: ValueType) -> Option<Cell> {
    Some(match (cell, to) {
        (Cell::Text(text), ValueType::TimePeriod | ValueType::Date | ValueType::Time)
            if from == Some(ValueType::Time) =>
        {
            cast_interval(text, to)?
        }
        (Cell::Text(text), to) if to != ValueType::String => parse_cell(text.trim(), to)?,
        (Cell::Period(period), ValueType::Time) => Cell::Text(Interval::from(*period).to_string()),
        (Cell::Period(period), ValueType::Date) if period.frequency() != Frequency::D => return None,
        (Cell::Number(number), ValueType::Integer) => Cell::Integer(decimal128::to_integer(*number).ok()?),
        (Cell::Integer(number), ValueType::Number) => Cell::Number((*number).into()),
        (Cell::Integer(number), ValueType::Boolean) => Cell::Boolean(*number != 0),
        (Cell::Number(number), ValueType::Boolean) => Cell::Boolean(!number.is_zero()),
        (Cell::Boolean(truth), ValueType::Integer) => Cell::Integer(i64::from(*truth)),
        (Cell::Boolean(truth), ValueType::Number) => Cell::Number(i64::from(*truth).into()),
        (Cell::Number(number), ValueType::String) => Cell::Text(number.normalized().to_string()),
        (cell, ValueType::String) => Cell::Text(cell.to_string()),
        (cell, _) => cell.clone(),
    })
}

/// Parses a trimmed text as a value.
fn parse_cell(text: &str, to: ValueType) -> Option<Cell> {
    Some(match to {
        ValueType::Integer => Cell::Integer(text.parse().ok()?),
        ValueType::Number => Cell::Number(text.parse().map(|number: Decimal| number.normalized()).ok()?),
        ValueType::Boolean if text.eq_ignore_ascii_case("true") => Cell::Boolean(true),
        ValueType::Boolean if text.eq_ignore_ascii_case("false") => Cell::Boolean(false),
        ValueType::TimePeriod => Cell::Period(parse_period(text)?),
        ValueType::Date => Cell::Period(parse_period(text).filter(|day| day.frequency() == Frequency::D)?),
        ValueType::Time => Cell::Text(text.parse::<Interval>().ok()?.to_string()),
        ValueType::Duration => Cell::Text(text.parse::<Duration>().ok()?.to_string()),
        ValueType::Boolean | ValueType::String => return None,
    })
}

/// Parses a period in canonical form, with `H` for a half-year, or as an interval.
fn parse_period(text: &str) -> Option<Period> {
    if text.contains('/') {
        return text.parse::<Interval>().ok()?.period();
    }
    text.parse().or_else(|_| text.replacen('H', "S", 1).parse()).ok()
}

/// Casts an interval to the period or day that it covers exactly.
fn cast_interval(text: &str, to: ValueType) -> Option<Cell> {
    let interval: Interval = text.parse().ok()?;
    match to {
        ValueType::Time => Some(Cell::Text(text.to_owned())),
        ValueType::Date => (interval.first() == interval.last()).then(|| Cell::Period(interval.first())),
        _ => interval.period().map(Cell::Period),
    }
}

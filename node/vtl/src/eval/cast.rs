//! `cast` without a mask (reference manual, "Type conversion").
//!
//! Text is read and written in the canonical spelling of its type. A number becomes an integer only
//! when it is whole: nothing is lost in silence.

use schemas::decimal::Decimal;
use schemas::duration::Duration;
use schemas::interval::Interval;
use schemas::period::{Frequency, Period};
use schemas::structure::Type;
use schemas::table::{Cell, Column, Texts};

use super::column::Values;
use crate::decimal128;
use crate::fault::Code;

/// Code and message, and the row.
pub(super) type Failed = ((Code, String), usize);

pub(super) fn cast(
    value: &Values,
    from: Option<Type>,
    to: Type,
    rows: usize,
    mask: Option<&[bool]>,
) -> Result<Column, Failed> {
    let taken = |row: usize| mask.is_none_or(|mask| mask.get(row).copied().unwrap_or(false));
    if from == Some(Type::Integer) && to == Type::Number {
        let numbers = value.numbers();
        return Ok(Column::Number((0..rows).map(|row| numbers.at(row).filter(|_| taken(row))).collect()));
    }
    let mut cells = Vec::with_capacity(rows);
    for row in 0..rows {
        let cell = if taken(row) { value.cell(row) } else { None };
        cells.push(match cell {
            None => None,
            Some(cell) => Some(convert(&cell, to).map_err(|message| ((Code::Cast, message), row))?),
        });
    }
    Ok(gathered(&cells, to))
}

/// One value as another type.
fn convert(cell: &Cell, to: Type) -> Result<Cell, String> {
    let failed = || format!("`{cell}` is no {}", to.word());
    let cell = match (cell, to) {
        (Cell::Text(text), Type::Integer) => Cell::Integer(text.parse().map_err(|_| failed())?),
        (Cell::Text(text), Type::Number) => {
            Cell::Number(text.parse().map(|number: Decimal| number.normalized()).map_err(|_| failed())?)
        }
        (Cell::Text(text), Type::Boolean) => match text.as_str() {
            "true" => Cell::Boolean(true),
            "false" => Cell::Boolean(false),
            _ => return Err(failed()),
        },
        (Cell::Text(text), Type::TimePeriod) => Cell::Period(text.parse().map_err(|_| failed())?),
        (Cell::Text(text), Type::Date) => {
            let day = text.parse().ok().filter(|day: &Period| day.frequency() == Frequency::D);
            Cell::Period(day.ok_or_else(failed)?)
        }
        (Cell::Text(text), Type::Time) => {
            Cell::Text(text.parse::<Interval>().map_err(|_| failed())?.to_string())
        }
        (Cell::Period(period), Type::Time) => Cell::Text(Interval::from(*period).to_string()),
        (Cell::Text(text), Type::Duration) => {
            Cell::Text(text.parse::<Duration>().map_err(|_| failed())?.to_string())
        }
        (Cell::Number(number), Type::Integer) => {
            Cell::Integer(decimal128::integer(*number).map_err(|_| failed())?)
        }
        (Cell::Integer(number), Type::Number) => Cell::Number((*number).into()),
        (Cell::Number(number), Type::String) => Cell::Text(number.normalized().to_string()),
        (cell, Type::String) => Cell::Text(cell.to_string()),
        (cell, _) => cell.clone(),
    };
    Ok(cell)
}

/// Cells of one type as a column.
pub(super) fn gathered(cells: &[Option<Cell>], kind: Type) -> Column {
    let cells = cells.iter();
    match kind {
        Type::String | Type::Time | Type::Duration => {
            Column::Text(Texts::from_rows(cells.map(|cell| match cell {
                Some(Cell::Text(text)) => Some(text.as_str()),
                _ => None,
            })))
        }
        Type::Integer => Column::Integer(
            cells.map(|c| if let Some(Cell::Integer(v)) = c { Some(*v) } else { None }).collect(),
        ),
        Type::Number => Column::Number(
            cells.map(|c| if let Some(Cell::Number(v)) = c { Some(*v) } else { None }).collect(),
        ),
        Type::Boolean => Column::Boolean(
            cells.map(|c| if let Some(Cell::Boolean(v)) = c { Some(*v) } else { None }).collect(),
        ),
        Type::TimePeriod | Type::Date => Column::Period(
            cells.map(|c| if let Some(Cell::Period(v)) = c { Some(*v) } else { None }).collect(),
        ),
    }
}

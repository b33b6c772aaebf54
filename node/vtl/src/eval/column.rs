//! Shared columns, typed views of them, and values of component expressions.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::Type;
use schemas::table::{Cell, Column, Table, Texts};

use super::threads::{Threads, fill};

/// A column that costs nothing to pass on: made by a step, or of an input.
#[derive(Debug, Clone)]
pub(super) enum Col {
    Own(Arc<Column>),
    Of(Arc<Table>, usize),
}

static EMPTY: Column = Column::Integer(Vec::new());

impl Col {
    pub(super) fn own(column: Column) -> Self {
        Col::Own(Arc::new(column))
    }

    /// What stands where a column was taken away.
    pub(super) fn nothing() -> Self {
        Col::Own(Arc::new(Column::Integer(Vec::new())))
    }
}

impl Deref for Col {
    type Target = Column;

    fn deref(&self) -> &Column {
        match self {
            Col::Own(column) => column,
            Col::Of(table, at) => table.columns().get(*at).unwrap_or(&EMPTY),
        }
    }
}

/// The value of a component expression over rows: one for all, or one for each.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Constant(Option<Cell>),
    Column(Col),
}

impl Values {
    pub(super) fn cell(&self, row: usize) -> Option<Cell> {
        match self {
            Values::Constant(cell) => cell.clone(),
            Values::Column(column) => column.cell(row),
        }
    }

    /// Whether the row is true; null is not.
    pub(super) fn truth(&self, row: usize) -> bool {
        match self {
            Values::Constant(cell) => *cell == Some(Cell::Boolean(true)),
            Values::Column(column) => {
                matches!(&**column, Column::Boolean(rows) if rows.get(row).copied().flatten() == Some(true))
            }
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Values::Constant(cell) => cell.is_none(),
            Values::Column(column) => column.is_null(row),
        }
    }

    /// As a column of `rows` rows.
    pub(super) fn column(self, kind: Option<Type>, rows: usize) -> Col {
        match self {
            Values::Column(column) => column,
            Values::Constant(cell) => Col::own(repeat(cell, kind, rows)),
        }
    }
}

/// A column of one value.
fn repeat(cell: Option<Cell>, kind: Option<Type>, rows: usize) -> Column {
    match (cell, kind) {
        (Some(Cell::Integer(value)), Some(Type::Number)) => Column::Number(vec![Some(value.into()); rows]),
        (Some(Cell::Text(text)), _) => {
            Column::Text(Texts::from_parts(vec![text], vec![0; rows]).unwrap_or_default())
        }
        (Some(Cell::Integer(value)), _) => Column::Integer(vec![Some(value); rows]),
        (Some(Cell::Number(value)), _) => Column::Number(vec![Some(value); rows]),
        (Some(Cell::Boolean(value)), _) => Column::Boolean(vec![Some(value); rows]),
        (Some(Cell::Period(value)), _) => Column::Period(vec![Some(value); rows]),
        (None, Some(Type::String | Type::Time | Type::Duration) | None) => {
            Column::Text(Texts::from_parts(Vec::new(), vec![Texts::NULL; rows]).unwrap_or_default())
        }
        (None, Some(Type::Integer)) => Column::Integer(vec![None; rows]),
        (None, Some(Type::Number)) => Column::Number(vec![None; rows]),
        (None, Some(Type::Boolean)) => Column::Boolean(vec![None; rows]),
        (None, Some(Type::TimePeriod | Type::Date)) => Column::Period(vec![None; rows]),
    }
}

/// A view of values of one type.
pub(super) enum View<'a, T> {
    Constant(Option<T>),
    Rows(&'a [Option<T>]),
}

impl<T: Copy> View<'_, T> {
    pub(super) fn at(&self, row: usize) -> Option<T> {
        match self {
            View::Constant(value) => *value,
            View::Rows(rows) => rows.get(row).copied().flatten(),
        }
    }
}

/// A view of numbers, whole or not.
pub(super) enum Numbers<'a> {
    Whole(View<'a, i64>),
    Decimal(View<'a, Decimal>),
}

impl Numbers<'_> {
    pub(super) fn at(&self, row: usize) -> Option<Decimal> {
        match self {
            Numbers::Whole(view) => view.at(row).map(Decimal::from),
            Numbers::Decimal(view) => view.at(row),
        }
    }
}

/// A view of texts.
pub(super) enum Strings<'a> {
    Constant(Option<&'a str>),
    Rows(&'a Texts),
}

impl<'a> Strings<'a> {
    pub(super) fn at(&self, row: usize) -> Option<&'a str> {
        match self {
            Strings::Constant(text) => *text,
            Strings::Rows(texts) => texts.get(row),
        }
    }
}

impl Values {
    pub(super) fn numbers(&self) -> Numbers<'_> {
        match self {
            Values::Constant(Some(Cell::Integer(value))) => Numbers::Whole(View::Constant(Some(*value))),
            Values::Constant(Some(Cell::Number(value))) => Numbers::Decimal(View::Constant(Some(*value))),
            Values::Column(column) => match &**column {
                Column::Integer(rows) => Numbers::Whole(View::Rows(rows)),
                Column::Number(rows) => Numbers::Decimal(View::Rows(rows)),
                _ => Numbers::Whole(View::Constant(None)),
            },
            Values::Constant(_) => Numbers::Whole(View::Constant(None)),
        }
    }

    /// As numbers that are all decimal: a constant in its one representation, the shortest.
    pub(super) fn decimals(&self) -> Numbers<'_> {
        match self {
            Values::Constant(Some(Cell::Integer(value))) => {
                Numbers::Decimal(View::Constant(Some(Decimal::from(*value).normalized())))
            }
            Values::Constant(Some(Cell::Number(value))) => {
                Numbers::Decimal(View::Constant(Some(value.normalized())))
            }
            other => other.numbers(),
        }
    }

    /// The rows of a number column that nothing else reads, to be written over.
    pub(super) fn into_numbers(self) -> Result<Vec<Option<Decimal>>, Values> {
        match self {
            Values::Column(Col::Own(column)) if matches!(&*column, Column::Number(_)) => {
                match Arc::try_unwrap(column) {
                    Ok(Column::Number(rows)) => Ok(rows),
                    Ok(other) => Err(Values::Column(Col::own(other))),
                    Err(shared) => Err(Values::Column(Col::Own(shared))),
                }
            }
            other => Err(other),
        }
    }

    pub(super) fn integers(&self) -> View<'_, i64> {
        match self.numbers() {
            Numbers::Whole(view) => view,
            Numbers::Decimal(_) => View::Constant(None),
        }
    }

    pub(super) fn booleans(&self) -> View<'_, bool> {
        match self {
            Values::Constant(Some(Cell::Boolean(value))) => View::Constant(Some(*value)),
            Values::Column(column) => match &**column {
                Column::Boolean(rows) => View::Rows(rows),
                _ => View::Constant(None),
            },
            Values::Constant(_) => View::Constant(None),
        }
    }

    pub(super) fn periods(&self) -> View<'_, Period> {
        match self {
            Values::Constant(Some(Cell::Period(value))) => View::Constant(Some(*value)),
            Values::Column(column) => match &**column {
                Column::Period(rows) => View::Rows(rows),
                _ => View::Constant(None),
            },
            Values::Constant(_) => View::Constant(None),
        }
    }

    pub(super) fn strings(&self) -> Strings<'_> {
        match self {
            Values::Constant(Some(Cell::Text(text))) => Strings::Constant(Some(text)),
            Values::Column(column) => match &**column {
                Column::Text(texts) => Strings::Rows(texts),
                _ => Strings::Constant(None),
            },
            Values::Constant(_) => Strings::Constant(None),
        }
    }
}

/// A column as a result holds it: each number in its one representation, no text that no row has.
///
/// The dictionary is brought down to what is used, so that equal tables are equal in memory.
pub(super) fn normal(column: Col, threads: Threads) -> Column {
    let column = match column {
        Col::Own(column) => Arc::unwrap_or_clone(column),
        of => (*of).clone(),
    };
    match column {
        Column::Number(mut rows) => {
            let strip = |_, slot: &mut Option<Decimal>| {
                *slot = slot.map(Decimal::normalized);
                Ok::<(), Infallible>(())
            };
            let Ok(()) = fill(threads, &mut rows, strip);
            Column::Number(rows)
        }
        Column::Text(texts) => Column::Text(used(texts)),
        other => other,
    }
}

/// The same texts with a dictionary of those that rows have.
fn used(texts: Texts) -> Texts {
    let mut seen = vec![false; texts.dictionary().len()];
    for code in texts.codes() {
        if let Some(slot) = seen.get_mut(*code as usize) {
            *slot = true;
        }
    }
    if seen.iter().all(|seen| *seen) {
        return texts;
    }
    let mut next = 0;
    let places: Vec<u32> = seen
        .iter()
        .map(|seen| {
            let place = next;
            next += u32::from(*seen);
            place
        })
        .collect();
    let dictionary =
        texts.dictionary().iter().zip(&seen).filter(|(_, seen)| **seen).map(|(text, _)| text.clone());
    let codes = texts.codes().iter().map(|code| places.get(*code as usize).copied().unwrap_or(Texts::NULL));
    Texts::from_parts(dictionary.collect(), codes.collect()).unwrap_or_default()
}

//! Shared columns, typed views of them, values of component expressions, and helpers on columns.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::ValueType;
use schemas::table::{Cell, Column, Table, TextColumn};

use super::threads::{Threads, fill_slots};

/// Column that is cheap to clone: computed by a step, or part of an input table.
#[derive(Debug, Clone)]
pub(super) enum SharedColumn {
    Computed(Arc<Column>),
    OfTable(Arc<Table>, usize),
}

static EMPTY: Column = Column::Integer(Vec::new());

impl SharedColumn {
    pub(super) fn new(column: Column) -> Self {
        SharedColumn::Computed(Arc::new(column))
    }

    /// Placeholder for a column that was moved out.
    pub(super) fn empty() -> Self {
        SharedColumn::Computed(Arc::new(Column::Integer(Vec::new())))
    }
}

impl Deref for SharedColumn {
    type Target = Column;

    fn deref(&self) -> &Column {
        match self {
            SharedColumn::Computed(column) => column,
            SharedColumn::OfTable(table, at) => table.columns().get(*at).unwrap_or(&EMPTY),
        }
    }
}

/// Value of a component expression: one for all rows, or one for each row.
#[derive(Debug, Clone)]
pub(super) enum ColumnarValue {
    Constant(Option<Cell>),
    Column(SharedColumn),
}

impl ColumnarValue {
    pub(super) fn cell_at(&self, row: usize) -> Option<Cell> {
        match self {
            ColumnarValue::Constant(cell) => cell.clone(),
            ColumnarValue::Column(column) => column.cell(row),
        }
    }

    /// Returns whether the row is true; null is not true.
    pub(super) fn is_true(&self, row: usize) -> bool {
        match self {
            ColumnarValue::Constant(cell) => *cell == Some(Cell::Boolean(true)),
            ColumnarValue::Column(column) => {
                matches ! ( & * * column , Column :: Boolean ( rows ) if rows . get ( row ) . copied ( ) . flatten ( ) == Some ( true ) )
            }
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            ColumnarValue::Constant(cell) => cell.is_none(),
            ColumnarValue::Column(column) => column.is_null(row),
        }
    }

    /// Converts to a column of `rows` rows.
    pub(super) fn into_column(self, value_type: Option<ValueType>, rows: usize) -> SharedColumn {
        match self {
            ColumnarValue::Column(column) => column,
            ColumnarValue::Constant(cell) => SharedColumn::new(repeat_cell(cell, value_type, rows)),
        }
    }
}

/// Builds a column that repeats one value.
fn repeat_cell(cell: Option<Cell>, value_type: Option<ValueType>, rows: usize) -> Column {
    match (cell, value_type) {
        (Some(Cell::Integer(value)), Some(ValueType::Number)) => {
            Column::Number(vec![Some(value.into()); rows])
        }
        (Some(Cell::Text(text)), _) => {
            Column::Text(TextColumn::from_parts(vec![text], vec![0; rows]).unwrap_or_default())
        }
        (Some(Cell::Integer(value)), _) => Column::Integer(vec![Some(value); rows]),
        (Some(Cell::Number(value)), _) => Column::Number(vec![Some(value); rows]),
        (Some(Cell::Boolean(value)), _) => Column::Boolean(vec![Some(value); rows]),
        (Some(Cell::Period(value)), _) => Column::Period(vec![Some(value); rows]),
        (None, Some(ValueType::String | ValueType::Time | ValueType::Duration) | None) => {
            Column::Text(TextColumn::from_parts(Vec::new(), vec![TextColumn::NULL; rows]).unwrap_or_default())
        }
        (None, Some(ValueType::Integer)) => Column::Integer(vec![None; rows]),
        (None, Some(ValueType::Number)) => Column::Number(vec![None; rows]),
        (None, Some(ValueType::Boolean)) => Column::Boolean(vec![None; rows]),
        (None, Some(ValueType::TimePeriod | ValueType::Date)) => Column::Period(vec![None; rows]),
    }
}

/// Typed view of a value.
pub(super) enum TypedView<'a, T> {
    Constant(Option<T>),
    Rows(&'a [Option<T>]),
}

impl<T: Copy> TypedView<'_, T> {
    pub(super) fn at(&self, row: usize) -> Option<T> {
        match self {
            TypedView::Constant(value) => *value,
            TypedView::Rows(rows) => rows.get(row).copied().flatten(),
        }
    }
}

/// View of integers or numbers.
pub(super) enum NumberView<'a> {
    Integer(TypedView<'a, i64>),
    Decimal(TypedView<'a, Decimal>),
}

impl NumberView<'_> {
    pub(super) fn at(&self, row: usize) -> Option<Decimal> {
        match self {
            NumberView::Integer(view) => view.at(row).map(Decimal::from),
            NumberView::Decimal(view) => view.at(row),
        }
    }
}

/// View of texts.
pub(super) enum TextView<'a> {
    Constant(Option<&'a str>),
    Rows(&'a TextColumn),
}

impl<'a> TextView<'a> {
    pub(super) fn at(&self, row: usize) -> Option<&'a str> {
        match self {
            TextView::Constant(text) => *text,
            TextView::Rows(texts) => texts.get(row),
        }
    }
}

impl ColumnarValue {
    pub(super) fn as_numbers(&self) -> NumberView<'_> {
        match self {
            ColumnarValue::Constant(Some(Cell::Integer(value))) => {
                NumberView::Integer(TypedView::Constant(Some(*value)))
            }
            ColumnarValue::Constant(Some(Cell::Number(value))) => {
                NumberView::Decimal(TypedView::Constant(Some(*value)))
            }
            ColumnarValue::Column(column) => match &**column {
                Column::Integer(rows) => NumberView::Integer(TypedView::Rows(rows)),
                Column::Number(rows) => NumberView::Decimal(TypedView::Rows(rows)),
                _ => NumberView::Integer(TypedView::Constant(None)),
            },
            ColumnarValue::Constant(_) => NumberView::Integer(TypedView::Constant(None)),
        }
    }

    /// Views the value as numbers, a constant in normalised form.
    pub(super) fn as_decimals(&self) -> NumberView<'_> {
        match self {
            ColumnarValue::Constant(Some(Cell::Integer(value))) => {
                NumberView::Decimal(TypedView::Constant(Some(Decimal::from(*value).normalized())))
            }
            ColumnarValue::Constant(Some(Cell::Number(value))) => {
                NumberView::Decimal(TypedView::Constant(Some(value.normalized())))
            }
            other => other.as_numbers(),
        }
    }

    /// Takes the rows of a number column with no other owner, to be overwritten in place; returns the
    /// value unchanged otherwise.
    pub(super) fn into_numbers(self) -> Result<Vec<Option<Decimal>>, ColumnarValue> {
        match self {
            ColumnarValue::Column(SharedColumn::Computed(column))
                if matches!(&*column, Column::Number(_)) =>
            {
                match Arc::try_unwrap(column) {
                    Ok(Column::Number(rows)) => Ok(rows),
                    Ok(other) => Err(ColumnarValue::Column(SharedColumn::new(other))),
                    Err(shared) => Err(ColumnarValue::Column(SharedColumn::Computed(shared))),
                }
            }
            other => Err(other),
        }
    }

    pub(super) fn as_integers(&self) -> TypedView<'_, i64> {
        match self.as_numbers() {
            NumberView::Integer(view) => view,
            NumberView::Decimal(_) => TypedView::Constant(None),
        }
    }

    pub(super) fn as_booleans(&self) -> TypedView<'_, bool> {
        match self {
            ColumnarValue::Constant(Some(Cell::Boolean(value))) => TypedView::Constant(Some(*value)),
            ColumnarValue::Column(column) => match &**column {
                Column::Boolean(rows) => TypedView::Rows(rows),
                _ => TypedView::Constant(None),
            },
            ColumnarValue::Constant(_) => TypedView::Constant(None),
        }
    }

    pub(super) fn as_periods(&self) -> TypedView<'_, Period> {
        match self {
            ColumnarValue::Constant(Some(Cell::Period(value))) => TypedView::Constant(Some(*value)),
            ColumnarValue::Column(column) => match &**column {
                Column::Period(rows) => TypedView::Rows(rows),
                _ => TypedView::Constant(None),
            },
            ColumnarValue::Constant(_) => TypedView::Constant(None),
        }
    }

    pub(super) fn as_texts(&self) -> TextView<'_> {
        match self {
            ColumnarValue::Constant(Some(Cell::Text(text))) => TextView::Constant(Some(text)),
            ColumnarValue::Column(column) => match &**column {
                Column::Text(texts) => TextView::Rows(texts),
                _ => TextView::Constant(None),
            },
            ColumnarValue::Constant(_) => TextView::Constant(None),
        }
    }
}

/// Normalises a result column: numbers in their unique representation, dictionaries without unused
/// texts. Equal tables are then equal in memory.
pub(super) fn normalize_column(column: SharedColumn, threads: Threads) -> Column {
    let column = match column {
        SharedColumn::Computed(column) => Arc::unwrap_or_clone(column),
        of => (*of).clone(),
    };
    match column {
        Column::Number(mut rows) => {
            let strip = |_, slot: &mut Option<Decimal>| {
                *slot = slot.map(Decimal::normalized);
                Ok::<(), Infallible>(())
            };
            // The error type has no values, so this pattern always matches.
            let Ok(()) = fill_slots(threads, &mut rows, strip);
            Column::Number(rows)
        }
        Column::Text(texts) => Column::Text(prune_dictionary(texts)),
        other => other,
    }
}

/// Removes unused texts from a dictionary.
fn prune_dictionary(texts: TextColumn) -> TextColumn {
    let mut seen = vec![false; texts.dictionary().len()];
    for code in texts.codes() {
        if let Some(slot) = seen.get_mut(*code as usize) {
            *slot = true;
        }
    }
    // Common case: every text is used, nothing is copied.
    if seen.iter().all(|seen| *seen) {
        return texts;
    }
    let mut next = 0;
    // New code of each used text. Codes of unused texts are never looked up.
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
    let codes =
        texts.codes().iter().map(|code| places.get(*code as usize).copied().unwrap_or(TextColumn::NULL));
    TextColumn::from_parts(dictionary.collect(), codes.collect()).unwrap_or_default()
}

/// Builds a column from cells of one type.
pub(super) fn column_from_cells(cells: &[Option<Cell>], value_type: ValueType) -> Column {
    let cells = cells.iter();
    match value_type {
        ValueType::String | ValueType::Time | ValueType::Duration => {
            Column::Text(TextColumn::from_rows(cells.map(|cell| match cell {
                Some(Cell::Text(text)) => Some(text.as_str()),
                _ => None,
            })))
        }
        ValueType::Integer => Column::Integer(
            cells.map(|c| if let Some(Cell::Integer(v)) = c { Some(*v) } else { None }).collect(),
        ),
        ValueType::Number => Column::Number(
            cells.map(|c| if let Some(Cell::Number(v)) = c { Some(*v) } else { None }).collect(),
        ),
        ValueType::Boolean => Column::Boolean(
            cells.map(|c| if let Some(Cell::Boolean(v)) = c { Some(*v) } else { None }).collect(),
        ),
        ValueType::TimePeriod | ValueType::Date => Column::Period(
            cells.map(|c| if let Some(Cell::Period(v)) = c { Some(*v) } else { None }).collect(),
        ),
    }
}

/// Returns a value of an integer or number column as a number.
pub(super) fn number_at(column: &Column, row: usize) -> Option<Decimal> {
    match column {
        Column::Integer(rows) => rows.get(row).copied().flatten().map(Decimal::from),
        Column::Number(rows) => rows.get(row).copied().flatten(),
        _ => None,
    }
}

/// Sets the value of a row; an index out of range is ignored.
pub(super) fn set_row<T>(rows: &mut [T], row: usize, value: T) {
    if let Some(slot) = rows.get_mut(row) {
        *slot = value;
    }
}

/// Rows selected for evaluation, all when `None`; the other rows become null.
pub(super) type RowMask<'m> = Option<&'m [bool]>;

//! Shared columns, typed views of them, values of component expressions, and helpers on columns.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::ValueType;
use schemas::table::{Cell, Column, Table, TextColumn};

use super::threads::{Threads, fill_slots};
use crate::ceilings::{
    CeilingExceeded, Reservation, RunGuard, TextBuilder, dictionary_bytes, row_bytes, text_bytes, value_bytes,
};

/// Column that is cheap to clone: computed by a step, or part of an input table.
#[derive(Debug, Clone)]
pub(super) enum SharedColumn {
    Computed(Arc<ComputedColumn>),
    OfTable(Arc<Table>, usize),
    /// Column that was moved out.
    Empty,
}

/// Column that a step computed; its memory counts until it is dropped.
#[derive(Debug)]
pub(super) struct ComputedColumn {
    column: Column,
    _rows: Reservation,
    /// Memory of the dictionary, which columns that are made of one another share.
    dictionary: Option<Arc<Reservation>>,
}

static EMPTY: Column = Column::Integer(Vec::new());

impl SharedColumn {
    /// Counts the memory of a new column; the caller drops what it reserved for it before.
    pub(super) fn new(column: Column, guard: &RunGuard) -> Self {
        let dictionary = dictionary_bytes(&column);
        Self::computed(column, (dictionary > 0).then(|| Arc::new(guard.count(dictionary))), guard)
    }

    fn computed(column: Column, dictionary: Option<Arc<Reservation>>, guard: &RunGuard) -> Self {
        let rows = guard.count(row_bytes(&column, column.len()));
        SharedColumn::Computed(Arc::new(ComputedColumn { column, _rows: rows, dictionary }))
    }

    /// Counts the memory of a column made of rows of this one, whose dictionary it shares.
    pub(super) fn derive(&self, column: Column, guard: &RunGuard) -> Self {
        let dictionary = match self {
            SharedColumn::Computed(source) => source.dictionary.clone(),
            // Inputs count for the whole run.
            SharedColumn::OfTable(..) | SharedColumn::Empty => None,
        };
        Self::computed(column, dictionary, guard)
    }

    /// Returns the rows named by `rows`, in that order; rows that do not exist become null.
    pub(super) fn pick<R: Copy + TryInto<usize>>(
        &self,
        rows: &[R],
        guard: &RunGuard,
    ) -> Result<Self, CeilingExceeded> {
        let reserved = guard.reserve(row_bytes(self, rows.len()))?;
        let column = self.gather(rows);
        drop(reserved);
        Ok(self.derive(column, guard))
    }
}

impl Deref for SharedColumn {
    type Target = Column;

    fn deref(&self) -> &Column {
        match self {
            SharedColumn::Computed(computed) => &computed.column,
            SharedColumn::OfTable(table, at) => table.columns().get(*at).unwrap_or(&EMPTY),
            SharedColumn::Empty => &EMPTY,
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
    pub(super) fn into_column(
        self,
        value_type: Option<ValueType>,
        rows: usize,
        guard: &RunGuard,
    ) -> Result<SharedColumn, CeilingExceeded> {
        match self {
            ColumnarValue::Column(column) => Ok(column),
            ColumnarValue::Constant(cell) => {
                let reserved = guard.reserve_each(rows, value_bytes(value_type))?;
                let column = repeat_cell(cell, value_type, rows);
                drop(reserved);
                Ok(SharedColumn::new(column, guard))
            }
        }
    }
}

/// Builds a column that repeats one value.
pub(super) fn repeat_cell(cell: Option<Cell>, value_type: Option<ValueType>, rows: usize) -> Column {
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
            ColumnarValue::Column(SharedColumn::Computed(shared))
                if matches!(&shared.column, Column::Number(_)) =>
            {
                match Arc::try_unwrap(shared) {
                    // The caller has reserved the rows of its result.
                    Ok(ComputedColumn { column: Column::Number(rows), .. }) => Ok(rows),
                    Ok(other) => Err(ColumnarValue::Column(SharedColumn::Computed(Arc::new(other)))),
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
///
/// The memory of the result is reserved as long as its second part is kept.
pub(super) fn normalize_column(
    column: SharedColumn,
    threads: Threads,
    guard: &RunGuard,
) -> Result<(Column, Reservation), CeilingExceeded> {
    let size = row_bytes(&column, column.len()).saturating_add(dictionary_bytes(&column));
    let (column, reserved) = match column {
        SharedColumn::Computed(shared) => match Arc::try_unwrap(shared) {
            Ok(ComputedColumn { column, .. }) => (column, guard.reserve(size)?),
            Err(shared) => {
                let reserved = guard.reserve(size)?;
                (shared.column.clone(), reserved)
            }
        },
        of => {
            let reserved = guard.reserve(size)?;
            ((*of).clone(), reserved)
        }
    };
    let column = match column {
        Column::Number(mut rows) => {
            let strip = |_, slot: &mut Option<Decimal>| {
                *slot = slot.map(Decimal::normalized);
                Ok::<(), CeilingExceeded>(())
            };
            fill_slots(threads, guard, &mut rows, strip)?;
            Column::Number(rows)
        }
        Column::Text(texts) => Column::Text(prune_dictionary(texts)),
        other => other,
    };
    Ok((column, reserved))
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

/// Builds a column from cells of one type; distinct texts are stored once, and all memory is reserved before.
pub(super) enum ColumnBuilder {
    Text(TextBuilder),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<Decimal>>),
    Boolean(Vec<Option<bool>>),
    Period(Vec<Option<Period>>),
}

impl ColumnBuilder {
    /// Expects `rows` rows, which the caller has reserved.
    pub(super) fn new(value_type: ValueType, rows: usize, guard: &RunGuard) -> Self {
        match value_type {
            ValueType::String | ValueType::Time | ValueType::Duration => {
                Self::Text(TextBuilder::new(rows, guard))
            }
            ValueType::Integer => Self::Integer(Vec::with_capacity(rows)),
            ValueType::Number => Self::Number(Vec::with_capacity(rows)),
            ValueType::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            ValueType::TimePeriod | ValueType::Date => Self::Period(Vec::with_capacity(rows)),
        }
    }

    /// Appends a row; a cell of another type counts as null.
    pub(super) fn push(&mut self, cell: Option<&Cell>) {
        match (self, cell) {
            (Self::Text(texts), Some(Cell::Text(text))) => texts.push(Some(text)),
            (Self::Text(texts), _) => texts.push(None),
            (Self::Integer(rows), Some(Cell::Integer(value))) => rows.push(Some(*value)),
            (Self::Integer(rows), _) => rows.push(None),
            (Self::Number(rows), Some(Cell::Number(value))) => rows.push(Some(*value)),
            (Self::Number(rows), _) => rows.push(None),
            (Self::Boolean(rows), Some(Cell::Boolean(value))) => rows.push(Some(*value)),
            (Self::Boolean(rows), _) => rows.push(None),
            (Self::Period(rows), Some(Cell::Period(value))) => rows.push(Some(*value)),
            (Self::Period(rows), _) => rows.push(None),
        }
    }

    pub(super) fn finish(self) -> Column {
        match self {
            Self::Text(texts) => texts.finish(),
            Self::Integer(rows) => Column::Integer(rows),
            Self::Number(rows) => Column::Number(rows),
            Self::Boolean(rows) => Column::Boolean(rows),
            Self::Period(rows) => Column::Period(rows),
        }
    }
}

/// Builds a column from cells of one type.
pub(super) fn column_from_cells(
    cells: impl ExactSizeIterator<Item = Option<Cell>>,
    value_type: ValueType,
    guard: &RunGuard,
) -> Result<SharedColumn, CeilingExceeded> {
    let reserved = guard.reserve_each(cells.len(), value_bytes(Some(value_type)))?;
    let mut made = ColumnBuilder::new(value_type, cells.len(), guard);
    for (row, cell) in cells.enumerate() {
        if guard.is_stopped_at(row) {
            return Err(CeilingExceeded);
        }
        made.push(cell.as_ref());
    }
    let column = made.finish();
    drop(reserved);
    Ok(SharedColumn::new(column, guard))
}

/// Builds a column of texts that exist elsewhere; the caller has reserved the rows. A run that is to end gets an
/// incomplete column.
pub(super) fn text_column<'a>(rows: impl Iterator<Item = Option<&'a str>>, guard: &RunGuard) -> Column {
    let mut places = BTreeMap::new();
    let mut reserved = guard.count(0);
    let mut codes = Vec::with_capacity(rows.size_hint().0);
    for (row, text) in rows.enumerate() {
        if guard.is_stopped_at(row) {
            return Column::Text(TextColumn::default());
        }
        let next = places.len() as u32;
        codes.push(text.map_or(TextColumn::NULL, |text| {
            *places.entry(text).or_insert_with(|| {
                reserved.grow(text_bytes(text));
                next
            })
        }));
    }
    if guard.is_stopped() {
        return Column::Text(TextColumn::default());
    }
    let mut ranks = vec![0; places.len()];
    places
        .values()
        .enumerate()
        .for_each(|(rank, first_seen)| set_row(&mut ranks, *first_seen as usize, rank as u32));
    for code in &mut codes {
        *code = ranks.get(*code as usize).copied().unwrap_or(TextColumn::NULL);
    }
    let dictionary = places.into_keys().map(str::to_owned).collect();
    Column::Text(TextColumn::from_parts(dictionary, codes).unwrap_or_default())
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

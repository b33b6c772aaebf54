//! A data set in memory: typed columns, rows in canonical order.
//!
//! A [`Table`] is sorted by its identifiers (ascending, first identifier first), has no two rows
//! with the same key and no null in an identifier: the constructors check it. Text sorts by
//! Unicode code point, periods by frequency and time, numbers by value, false before true.

use std::cmp::Ordering;
use std::ops::Range;

/// The types that a [`Table`] is made of.
pub use crate::column::{Cell, Column, TextColumn};
use crate::duration::Duration;
use crate::interval::Interval;
use crate::limits::{CELL_BYTES_MAX, CELLS_MAX, ROWS_MAX};
use crate::sort_key::{self, SortKeys};
use crate::structure::{Component, ComponentList, ValueType};

/// Rejection of columns that should be a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Columns and components do not pair up by number, length or type.
    #[error("column `{0}` does not match its component in number, length or type")]
    Column(String),
    /// More rows than the bound.
    #[error("{0} rows where at most {ROWS_MAX} rows and {CELLS_MAX} cells are allowed")]
    Rows(usize),
    /// A null in an identifier.
    #[error("identifier `{component}` is null in row {row}")]
    Null {
        /// The identifier.
        component: String,
        /// The row, from 0, in the order given.
        row: usize,
    },
    /// Two rows with the same key.
    #[error("two data points have the key ({key})")]
    Duplicate {
        /// The identifiers of the key, as text.
        key: String,
        /// The first row, from 0, in the order given.
        first: usize,
        /// The second.
        second: usize,
    },
    /// The rows are not in canonical order.
    #[error("the rows are not in canonical order")]
    Order,
    /// A text cell longer than its bound, or with characters that text may not hold.
    #[error("a text in column `{0}` has more than {CELL_BYTES_MAX} bytes or contains control characters")]
    Text(String),
}

/// A data set whose rows are sorted by key, with distinct keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    shape: ComponentList,
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// Checks the columns against `shape` and brings the rows into canonical order.
    ///
    /// # Errors
    /// Each variant of [`enum@Error`].
    pub fn new(shape: ComponentList, columns: Vec<Column>) -> Result<Self, Error> {
        Self::sorted(shape, columns).map(|(table, _)| table)
    }

    /// As [`Table::new`], with the place that each row had in `columns`; absent when the rows were in order.
    ///
    /// # Errors
    /// Each variant of [`enum@Error`].
    pub fn sorted(shape: ComponentList, columns: Vec<Column>) -> Result<(Self, Option<Vec<u32>>), Error> {
        let rows = columns.first().map_or(0, Column::len);
        check_columns(&shape, &columns, rows)?;
        let keys = shape.identifier_count();
        let order = sorted_order(columns.get(..keys).unwrap_or_default(), rows);
        check_keys(&shape, &columns, order.as_deref())?;
        let columns = match &order {
            None => columns,
            Some(order) => columns.iter().map(|column| column.gather(order)).collect(),
        };
        Ok((Self { shape, columns, rows }, order))
    }

    /// As [`Table::new`], for rows that must be in canonical order already.
    ///
    /// # Errors
    /// Each variant of [`enum@Error`].
    pub fn from_sorted(shape: ComponentList, columns: Vec<Column>) -> Result<Self, Error> {
        let rows = columns.first().map_or(0, Column::len);
        check_columns(&shape, &columns, rows)?;
        check_keys(&shape, &columns, None)?;
        let keys = columns.get(..shape.identifier_count()).unwrap_or_default();
        match sorted_order(keys, rows) {
            None => Ok(Self { shape, columns, rows }),
            Some(_) => Err(Error::Order),
        }
    }

    /// The components, in the order of the columns.
    pub fn shape(&self) -> &ComponentList {
        &self.shape
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A column by the id of its component.
    pub fn column(&self, id: &str) -> Option<&Column> {
        self.columns.get(self.shape.position(id)?)
    }

    /// Number of data points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Consumes the table and returns its columns.
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The key of a row: the values of its identifiers.
    pub fn key(&self, row: usize) -> Vec<Cell> {
        let keys = self.columns.iter().take(self.shape.identifier_count());
        keys.filter_map(|column| column.cell(row)).collect()
    }

    /// Orders the key of a row here against the key of a row of another table of the same
    /// identifiers.
    pub fn compare_key(&self, row: usize, other: &Table, other_row: usize) -> Ordering {
        let keys = self.shape.identifier_count();
        let pairs = self.columns.iter().take(keys).zip(&other.columns);
        pairs.map(|(a, b)| compare_cells(a, row, b, other_row)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// Orders a cell of one column against a cell of another of the same type; null first.
fn compare_cells(a: &Column, row: usize, b: &Column, other: usize) -> Ordering {
    match (a, b) {
        (Column::Text(a), Column::Text(b)) => a.get(row).cmp(&b.get(other)),
        (Column::Integer(a), Column::Integer(b)) => a.get(row).cmp(&b.get(other)),
        (Column::Boolean(a), Column::Boolean(b)) => a.get(row).cmp(&b.get(other)),
        (Column::Period(a), Column::Period(b)) => a.get(row).cmp(&b.get(other)),
        (Column::Number(a), Column::Number(b)) => {
            match (a.get(row).copied().flatten(), b.get(other).copied().flatten()) {
                (Some(x), Some(y)) => x.compare(y),
                (x, y) => x.is_some().cmp(&y.is_some()),
            }
        }
        _ => Ordering::Equal,
    }
}

fn check_columns(shape: &ComponentList, columns: &[Column], rows: usize) -> Result<(), Error> {
    if rows > ROWS_MAX || rows.saturating_mul(columns.len()) > CELLS_MAX {
        return Err(Error::Rows(rows));
    }
    if columns.len() != shape.components().len() {
        return Err(Error::Column(format!("number {}", columns.len().min(shape.components().len()))));
    }
    for (component, column) in shape.components().iter().zip(columns) {
        let named = || component.id.as_str().to_owned();
        if column.len() != rows
            || !column.fits(component.value_type)
            || !has_canonical_spelling(component, column)
        {
            return Err(Error::Column(named()));
        }
        if let Column::Text(texts) = column
            && texts
                .dictionary
                .iter()
                .any(|text| text.len() > CELL_BYTES_MAX || !crate::text::is_readable(text))
        {
            return Err(Error::Text(named()));
        }
    }
    Ok(())
}

/// Whether dates are days, and times and durations have their canonical spelling.
fn has_canonical_spelling(component: &Component, column: &Column) -> bool {
    match column {
        Column::Text(texts) if component.value_type == ValueType::Time => {
            texts.dictionary.iter().all(|text| Interval::is_canonical(text))
        }
        Column::Text(texts) if component.value_type == ValueType::Duration => {
            texts.dictionary.iter().all(|text| Duration::is_canonical(text))
        }
        Column::Period(rows) if component.value_type == ValueType::Date => {
            rows.iter().flatten().all(|day| day.frequency() == crate::period::Frequency::D)
        }
        _ => true,
    }
}

/// The permutation that sorts the rows; `None` when they are strictly ascending already.
fn sorted_order(keys: &[Column], rows: usize) -> Option<Vec<u32>> {
    if rows <= 1 {
        return None;
    }
    if is_strictly_ascending(keys, rows) {
        return None;
    }
    let columns: Vec<&Column> = keys.iter().collect();
    let SortKeys { sides: [ranks], size } = sort_key::sort_keys([&columns], [rows]);
    // Sorted, but not strictly: the identity makes `check_keys` look for the duplicate.
    Some(sort_key::sort_order(&ranks, size).unwrap_or_else(|| (0..rows as u32).collect()))
}

/// Rows compared at a time, column by column, so the block stays in the cache.
const BLOCK_ROWS: usize = 1 << 12;

/// Whether each row has a greater key than the one before it.
fn is_strictly_ascending(keys: &[Column], rows: usize) -> bool {
    let mut orders = Vec::with_capacity(BLOCK_ROWS);
    (1..rows).step_by(BLOCK_ROWS).all(|from| {
        // Blocks overlap by a row, so that the pair across their border is compared too.
        let block = from - 1..(from + BLOCK_ROWS).min(rows);
        orders.clear();
        orders.resize(block.len() - 1, Ordering::Equal);
        for column in keys {
            match column {
                Column::Text(texts) => {
                    order_neighbours(&mut orders, &texts.codes, &block, |code| code.wrapping_add(1));
                }
                Column::Integer(rows) => order_neighbours(&mut orders, rows, &block, |value| value),
                Column::Boolean(rows) => order_neighbours(&mut orders, rows, &block, |value| value),
                Column::Period(rows) => order_neighbours(&mut orders, rows, &block, |value| value),
                Column::Number(_) => {
                    let undecided = orders.iter_mut().zip(block.clone()).filter(|(order, _)| order.is_eq());
                    undecided.for_each(|(order, row)| *order = column.compare(row, row + 1));
                }
            }
        }
        orders.iter().all(|order| order.is_lt())
    })
}

/// Compares the neighbours that the previous columns left equal.
fn order_neighbours<T: Copy, K: Ord>(
    orders: &mut [Ordering],
    rows: &[T],
    block: &Range<usize>,
    key: impl Fn(T) -> K,
) {
    let rows = rows.get(block.clone()).unwrap_or_default();
    for (order, pair) in orders.iter_mut().zip(rows.windows(2)) {
        if let ([a, b], Ordering::Equal) = (pair, *order) {
            *order = key(*a).cmp(&key(*b));
        }
    }
}

fn check_keys(shape: &ComponentList, columns: &[Column], order: Option<&[u32]>) -> Result<(), Error> {
    let count = shape.identifier_count();
    let keys = columns.get(..count).unwrap_or_default();
    for (component, column) in shape.components().iter().zip(keys) {
        if let Some(row) = column.first_null() {
            return Err(Error::Null { component: component.id.as_str().to_owned(), row });
        }
    }
    // Without a permutation the rows ascend strictly, or the caller refuses them as unsorted.
    let Some(order) = order else { return Ok(()) };
    let same = |a: usize, b: usize| keys.iter().all(|column| column.compare(a, b).is_eq());
    for pair in order.windows(2) {
        if let [a, b] = *pair
            && let (a, b) = (a as usize, b as usize)
            && same(a, b)
        {
            let cells: Vec<String> =
                keys.iter().filter_map(|column| column.cell(a)).map(|cell| cell.to_string()).collect();
            let (first, second) = (a.min(b), a.max(b));
            return Err(Error::Duplicate { key: cells.join(", "), first, second });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Role;
    use crate::text::Name;

    fn shape(parts: &[(&str, Role, ValueType)]) -> ComponentList {
        let components =
            parts.iter().map(|(id, role, kind)| Component::new(Name::new(*id).unwrap(), *role, *kind));
        ComponentList::new(components.collect()).unwrap()
    }

    fn texts(rows: &[&str]) -> Column {
        Column::Text(TextColumn::from_rows(rows.iter().map(|text| Some(*text))))
    }

    #[test]
    fn rows_come_into_canonical_order() {
        let shape = shape(&[
            ("REF_AREA", Role::Identifier, ValueType::String),
            ("OBS_VALUE", Role::Measure, ValueType::Integer),
        ]);
        let table =
            Table::new(shape, vec![texts(&["b", "é", "a"]), Column::Integer(vec![Some(2), None, Some(1)])])
                .unwrap();
        assert_eq!(table.columns()[1], Column::Integer(vec![Some(1), Some(2), None]));
        assert_eq!(table.key(0), [Cell::Text("a".into())]);
    }

    #[test]
    fn a_key_is_whole_and_single() {
        let one = shape(&[("REF_AREA", Role::Identifier, ValueType::String)]);
        let error = Table::new(one.clone(), vec![texts(&["a", "b", "a"])]).unwrap_err();
        assert_eq!(error, Error::Duplicate { key: "a".into(), first: 0, second: 2 });
        let holed = Column::Text(TextColumn::from_rows([Some("a"), None]));
        assert!(matches!(Table::new(one.clone(), vec![holed]), Err(Error::Null { row: 1, .. })));
        assert!(matches!(Table::new(one, vec![Column::Integer(vec![])]), Err(Error::Column(_))));
        let none = Table::new(shape(&[]), vec![]).unwrap();
        assert_eq!(none.rows(), 0);
    }
}

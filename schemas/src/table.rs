//! A data set in memory: typed columns, rows in canonical order.
//!
//! A [`Table`] is sorted by its identifiers (ascending, first identifier first), has no two rows
//! of one key and no null in an identifier: checking is the only way to make one. Text sorts by
//! Unicode code point, periods by frequency and time, numbers by value, false before true.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::duration::Duration;
use crate::interval::Interval;
use crate::limits::{CELL_BYTES_MAX, CELLS_MAX, ROWS_MAX};
use crate::period::Period;
use crate::sort_key::{self, SortKeys};
use crate::structure::{Component, ComponentList, ValueType};

/// One value of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Of type [`Type::String`], [`Type::Time`] or [`Type::Duration`]; the latter in canonical
    /// spelling.
    Text(String),
    /// Of type [`Type::Integer`].
    Integer(i64),
    /// Of type [`Type::Number`].
    Number(Decimal),
    /// Of type [`Type::Boolean`].
    Boolean(bool),
    /// Of type [`Type::TimePeriod`] or [`Type::Date`].
    Period(Period),
}

impl Cell {
    /// Whether both say the same: numbers by value, all else by identity.
    pub fn same_value(&self, other: &Cell) -> bool {
        match (self, other) {
            (Cell::Number(a), Cell::Number(b)) => a.same_value(*b),
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Text(text) => f.pad(text),
            Cell::Integer(value) => f.pad(&value.to_string()),
            Cell::Number(value) => f.pad(&value.to_string()),
            Cell::Boolean(value) => f.pad(if *value { "true" } else { "false" }),
            Cell::Period(value) => f.pad(&value.to_string()),
        }
    }
}

/// Text in dictionary form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextColumn {
    /// INVARIANT: strictly ascending, so that codes order as their texts do. Shared by the columns
    /// that are made of one another.
    dictionary: Arc<[String]>,
    /// For each row an index into the dictionary, or [`Texts::NULL`].
    codes: Vec<u32>,
}

impl TextColumn {
    /// The code of a null.
    pub const NULL: u32 = u32::MAX;

    /// The texts of `rows`, in order.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut places = std::collections::BTreeMap::new();
        let mut codes = Vec::new();
        for row in rows {
            let next = places.len() as u32;
            codes.push(row.map_or(Self::NULL, |text| *places.entry(text).or_insert(next)));
        }
        let mut rank = vec![0; places.len()];
        for (order, first_seen) in places.values().enumerate() {
            if let Some(slot) = rank.get_mut(*first_seen as usize) {
                *slot = order as u32;
            }
        }
        for code in &mut codes {
            *code = rank.get(*code as usize).copied().unwrap_or(Self::NULL);
        }
        let dictionary: Vec<String> = places.keys().map(|text| (*text).to_owned()).collect();
        Self { dictionary: dictionary.into(), codes }
    }

    /// From a strictly ascending dictionary and one code a row; `None` when that does not hold.
    pub fn from_parts(dictionary: Vec<String>, codes: Vec<u32>) -> Option<Self> {
        let ascending = dictionary.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let known = |code: &u32| *code == Self::NULL || (*code as usize) < dictionary.len();
        (ascending && codes.iter().all(known)).then(|| Self { dictionary: dictionary.into(), codes })
    }

    /// The distinct texts, strictly ascending; some may be unused.
    pub fn dictionary(&self) -> &[String] {
        &self.dictionary
    }

    /// The code of each row.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        self.dictionary.get(code as usize).map(String::as_str)
    }
}

/// One column; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Of type [`Type::String`], [`Type::Time`] or [`Type::Duration`].
    Text(TextColumn),
    /// Of type [`Type::Integer`].
    Integer(Vec<Option<i64>>),
    /// Of type [`Type::Number`].
    Number(Vec<Option<Decimal>>),
    /// Of type [`Type::Boolean`].
    Boolean(Vec<Option<bool>>),
    /// Of type [`Type::TimePeriod`] or [`Type::Date`].
    Period(Vec<Option<Period>>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Text(texts) => texts.codes.len(),
            Column::Integer(rows) => rows.len(),
            Column::Number(rows) => rows.len(),
            Column::Boolean(rows) => rows.len(),
            Column::Period(rows) => rows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row; `None` when it is null or there is no such row.
    pub fn cell(&self, row: usize) -> Option<Cell> {
        match self {
            Column::Text(texts) => texts.get(row).map(|text| Cell::Text(text.to_owned())),
            Column::Integer(rows) => rows.get(row).copied().flatten().map(Cell::Integer),
            Column::Number(rows) => rows.get(row).copied().flatten().map(Cell::Number),
            Column::Boolean(rows) => rows.get(row).copied().flatten().map(Cell::Boolean),
            Column::Period(rows) => rows.get(row).copied().flatten().map(Cell::Period),
        }
    }

    /// Whether the row is null (or absent).
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Text(texts) => texts.codes.get(row).is_none_or(|code| *code == TextColumn::NULL),
            Column::Integer(rows) => rows.get(row).is_none_or(Option::is_none),
            Column::Number(rows) => rows.get(row).is_none_or(Option::is_none),
            Column::Boolean(rows) => rows.get(row).is_none_or(Option::is_none),
            Column::Period(rows) => rows.get(row).is_none_or(Option::is_none),
        }
    }

    /// The first row that is null.
    pub fn first_null(&self) -> Option<usize> {
        match self {
            Column::Text(texts) => texts.codes.iter().position(|code| *code == TextColumn::NULL),
            Column::Integer(rows) => rows.iter().position(Option::is_none),
            Column::Number(rows) => rows.iter().position(Option::is_none),
            Column::Boolean(rows) => rows.iter().position(Option::is_none),
            Column::Period(rows) => rows.iter().position(Option::is_none),
        }
    }

    /// The rows named by `order`, in that order; rows that do not exist become null.
    pub fn gather<R: Copy + TryInto<usize>>(&self, order: &[R]) -> Column {
        let row = |row: &R| (*row).try_into().unwrap_or(usize::MAX);
        fn pick<T: Copy>(rows: &[Option<T>], order: impl Iterator<Item = usize>) -> Vec<Option<T>> {
            order.map(|row| rows.get(row).copied().flatten()).collect()
        }
        let order = order.iter().map(row);
        match self {
            Column::Text(texts) => Column::Text(TextColumn {
                dictionary: Arc::clone(&texts.dictionary),
                codes: order.map(|row| texts.codes.get(row).copied().unwrap_or(TextColumn::NULL)).collect(),
            }),
            Column::Integer(rows) => Column::Integer(pick(rows, order)),
            Column::Number(rows) => Column::Number(pick(rows, order)),
            Column::Boolean(rows) => Column::Boolean(pick(rows, order)),
            Column::Period(rows) => Column::Period(pick(rows, order)),
        }
    }

    /// The rows of a range, as far as there are.
    pub fn slice(&self, range: Range<usize>) -> Column {
        fn part<T: Copy>(rows: &[T], range: Range<usize>) -> Vec<T> {
            let to = range.end.min(rows.len());
            rows.get(range.start.min(to)..to).unwrap_or_default().to_vec()
        }
        match self {
            Column::Text(texts) => Column::Text(TextColumn {
                dictionary: Arc::clone(&texts.dictionary),
                codes: part(&texts.codes, range),
            }),
            Column::Integer(rows) => Column::Integer(part(rows, range)),
            Column::Number(rows) => Column::Number(part(rows, range)),
            Column::Boolean(rows) => Column::Boolean(part(rows, range)),
            Column::Period(rows) => Column::Period(part(rows, range)),
        }
    }

    /// Order of two rows of this column; null first.
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Column::Text(texts) => {
                let code = |row: usize| texts.codes.get(row).map(|code| code.wrapping_add(1));
                code(a).cmp(&code(b))
            }
            Column::Integer(rows) => rows.get(a).cmp(&rows.get(b)),
            Column::Boolean(rows) => rows.get(a).cmp(&rows.get(b)),
            Column::Period(rows) => rows.get(a).cmp(&rows.get(b)),
            Column::Number(rows) => match (rows.get(a).copied().flatten(), rows.get(b).copied().flatten()) {
                (Some(x), Some(y)) => x.compare(y),
                (x, y) => x.is_some().cmp(&y.is_some()),
            },
        }
    }

    /// Whether the column can hold what `kind` says.
    fn fits(&self, kind: ValueType) -> bool {
        match self {
            Column::Text(_) => matches!(kind, ValueType::String | ValueType::Time | ValueType::Duration),
            Column::Integer(_) => kind == ValueType::Integer,
            Column::Number(_) => kind == ValueType::Number,
            Column::Boolean(_) => kind == ValueType::Boolean,
            Column::Period(_) => matches!(kind, ValueType::TimePeriod | ValueType::Date),
        }
    }
}

/// Why columns are no [`Table`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Columns and components do not pair up by number, length or type.
    #[error("column `{0}` does not fit its component")]
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
    /// Two rows of one key.
    #[error("two data points have the key ({key})")]
    Duplicate {
        /// The identifiers of the key, as text.
        key: String,
        /// The first row, from 0, in the order given.
        first: usize,
        /// The second.
        second: usize,
    },
    /// Rows that should be in canonical order are not.
    #[error("the rows are not in canonical order")]
    Order,
    /// A text cell longer than its bound, or with characters that text may not hold.
    #[error("a text in column `{0}` has more than {CELL_BYTES_MAX} bytes or holds control characters")]
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
        let rows = columns.first().map_or(0, Column::len);
        check_columns(&shape, &columns, rows)?;
        let keys = shape.identifier_count();
        let order = sorted_order(columns.get(..keys).unwrap_or_default(), rows);
        check_keys(&shape, &columns, order.as_deref())?;
        let columns = match &order {
            None => columns,
            Some(order) => columns.iter().map(|column| column.gather(order)).collect(),
        };
        Ok(Self { shape, columns, rows })
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

    /// The columns, given away.
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

/// A date column holds days and nothing else; times and durations have their one spelling.
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

/// The order that sorts the rows, or `None` when they are strictly ascending already.
fn sorted_order(keys: &[Column], rows: usize) -> Option<Vec<u32>> {
    if rows <= 1 {
        return None;
    }
    if is_strictly_ascending(keys, rows) {
        return None;
    }
    let columns: Vec<&Column> = keys.iter().collect();
    let SortKeys { sides: [ranks], size } = sort_key::sort_keys([&columns], [rows]);
    Some(sort_key::sort_order(&ranks, size).unwrap_or_else(|| (0..rows as u32).collect()))
}

/// Rows that are compared at a time, column by column.
const BLOCK_ROWS: usize = 1 << 12;

/// Whether each row has a greater key than the one before it.
fn is_strictly_ascending(keys: &[Column], rows: usize) -> bool {
    let mut orders = Vec::with_capacity(BLOCK_ROWS);
    (1..rows).step_by(BLOCK_ROWS).all(|from| {
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

/// Orders the neighbours that the columns before left equal.
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
        let fault = Table::new(one.clone(), vec![texts(&["a", "b", "a"])]).unwrap_err();
        assert_eq!(fault, Error::Duplicate { key: "a".into(), first: 0, second: 2 });
        let holed = Column::Text(TextColumn::from_rows([Some("a"), None]));
        assert!(matches!(Table::new(one.clone(), vec![holed]), Err(Error::Null { row: 1, .. })));
        assert!(matches!(Table::new(one, vec![Column::Integer(vec![])]), Err(Error::Column(_))));
        let none = Table::new(shape(&[]), vec![]).unwrap();
        assert_eq!(none.rows(), 0);
    }
}

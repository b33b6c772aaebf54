//! Columns and cells of a data set in memory.
//!
//! A column is typed and nullable; text is in dictionary form, so equal texts are stored once and compare
//! by their code.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::period::Period;
use crate::structure::ValueType;

/// One value of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Of type [`ValueType::String`], [`ValueType::Time`] or [`ValueType::Duration`]; the latter in canonical
    /// spelling.
    Text(String),
    /// Of type [`ValueType::Integer`].
    Integer(i64),
    /// Of type [`ValueType::Number`].
    Number(Decimal),
    /// Of type [`ValueType::Boolean`].
    Boolean(bool),
    /// Of type [`ValueType::TimePeriod`] or [`ValueType::Date`].
    Period(Period),
}

impl Cell {
    /// Whether both have the same value: numbers by value, all others by equality.
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
    pub(crate) dictionary: Arc<[String]>,
    /// For each row an index into the dictionary, or [`TextColumn::NULL`].
    pub(crate) codes: Vec<u32>,
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
        // NULL lies beyond `rank`, so it stays NULL.
        for code in &mut codes {
            *code = rank.get(*code as usize).copied().unwrap_or(Self::NULL);
        }
        let dictionary: Vec<String> = places.keys().map(|text| (*text).to_owned()).collect();
        Self { dictionary: dictionary.into(), codes }
    }

    /// From a strictly ascending dictionary and one code a row; `None` for an unsorted dictionary or an unknown code.
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
    /// Of type [`ValueType::String`], [`ValueType::Time`] or [`ValueType::Duration`].
    Text(TextColumn),
    /// Of type [`ValueType::Integer`].
    Integer(Vec<Option<i64>>),
    /// Of type [`ValueType::Number`].
    Number(Vec<Option<Decimal>>),
    /// Of type [`ValueType::Boolean`].
    Boolean(Vec<Option<bool>>),
    /// Of type [`ValueType::TimePeriod`] or [`ValueType::Date`].
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
        // A row number that does not fit lies beyond every column and reads as null.
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
                // NULL wraps to 0, so null comes before every text.
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

    /// Whether the column can store values of a type.
    pub(crate) fn fits(&self, kind: ValueType) -> bool {
        match self {
            Column::Text(_) => matches!(kind, ValueType::String | ValueType::Time | ValueType::Duration),
            Column::Integer(_) => kind == ValueType::Integer,
            Column::Number(_) => kind == ValueType::Number,
            Column::Boolean(_) => kind == ValueType::Boolean,
            Column::Period(_) => matches!(kind, ValueType::TimePeriod | ValueType::Date),
        }
    }
}

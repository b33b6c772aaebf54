//! Columns of a table under construction: a typed vector for each column, texts as codes of a
//! dictionary.
//!
//! TextColumn come in repeating sequences, so a dictionary first tries the text that followed the current
//! one the last time, and only then the hash map.

use std::collections::HashMap;
use std::sync::Arc;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::ValueType;
use schemas::table::{Column, TextColumn};

/// A column under construction.
pub(crate) enum ColumnBuilder {
    Text(TextDictionary, Vec<u32>),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<Decimal>>),
    Boolean(Vec<Option<bool>>),
    Period(Vec<Option<Period>>),
}

impl ColumnBuilder {
    pub(crate) fn new(kind: ValueType) -> Self {
        match kind {
            ValueType::String | ValueType::Time | ValueType::Duration => {
                Self::Text(TextDictionary::default(), Vec::new())
            }
            ValueType::Integer => Self::Integer(Vec::new()),
            ValueType::Number => Self::Number(Vec::new()),
            ValueType::Boolean => Self::Boolean(Vec::new()),
            ValueType::TimePeriod | ValueType::Date => Self::Period(Vec::new()),
        }
    }

    /// Adds a missing value.
    pub(crate) fn push_missing(&mut self) {
        match self {
            Self::Text(_, rows) => rows.push(TextColumn::NULL),
            Self::Integer(rows) => rows.push(None),
            Self::Number(rows) => rows.push(None),
            Self::Boolean(rows) => rows.push(None),
            Self::Period(rows) => rows.push(None),
        }
    }

    /// Whether a row has a value.
    pub(crate) fn has_value(&self, row: usize) -> bool {
        match self {
            Self::Text(_, values) => values.get(row).is_some_and(|code| *code != TextColumn::NULL),
            Self::Integer(values) => values.get(row).is_some_and(Option::is_some),
            Self::Number(values) => values.get(row).is_some_and(Option::is_some),
            Self::Boolean(values) => values.get(row).is_some_and(Option::is_some),
            Self::Period(values) => values.get(row).is_some_and(Option::is_some),
        }
    }

    /// Reserves room for `rows` more rows.
    pub(crate) fn reserve(&mut self, rows: usize) {
        match self {
            Self::Text(_, values) => values.reserve(rows),
            Self::Integer(values) => values.reserve(rows),
            Self::Number(values) => values.reserve(rows),
            Self::Boolean(values) => values.reserve(rows),
            Self::Period(values) => values.reserve(rows),
        }
    }

    /// Removes the values after the first `rows`.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Text(_, values) => values.truncate(rows),
            Self::Integer(values) => values.truncate(rows),
            Self::Number(values) => values.truncate(rows),
            Self::Boolean(values) => values.truncate(rows),
            Self::Period(values) => values.truncate(rows),
        }
    }

    /// Removes those values after the first `rows` whose flag in `kept` is not set.
    pub(crate) fn keep_flagged(&mut self, rows: usize, kept: &[bool]) {
        match self {
            Self::Text(_, values) => keep_rows(values, rows, kept),
            Self::Integer(values) => keep_rows(values, rows, kept),
            Self::Number(values) => keep_rows(values, rows, kept),
            Self::Boolean(values) => keep_rows(values, rows, kept),
            Self::Period(values) => keep_rows(values, rows, kept),
        }
    }

    /// Appends the rows of a column of the same type, and leaves that column empty with its capacity.
    pub(crate) fn append(&mut self, other: &mut Self) {
        match (self, other) {
            (Self::Text(dictionary, rows), Self::Text(others, codes)) => {
                let others = std::mem::take(others);
                let translated: Vec<u32> = others.texts.iter().map(|text| dictionary.code(text)).collect();
                let translate =
                    |code: u32| translated.get(code as usize).copied().unwrap_or(TextColumn::NULL);
                rows.extend(codes.drain(..).map(translate));
            }
            (Self::Integer(rows), Self::Integer(others)) => rows.append(others),
            (Self::Number(rows), Self::Number(others)) => rows.append(others),
            (Self::Boolean(rows), Self::Boolean(others)) => rows.append(others),
            (Self::Period(rows), Self::Period(others)) => rows.append(others),
            // INVARIANT: both columns come from the same plan, so their types match.
            _ => {}
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Text(_, rows) => rows.len(),
            Self::Integer(rows) => rows.len(),
            Self::Number(rows) => rows.len(),
            Self::Boolean(rows) => rows.len(),
            Self::Period(rows) => rows.len(),
        }
    }

    pub(crate) fn finish(self) -> Column {
        match self {
            Self::Text(dictionary, rows) => Column::Text(dictionary.sorted(rows)),
            Self::Integer(rows) => Column::Integer(rows),
            Self::Number(rows) => Column::Number(rows),
            Self::Boolean(rows) => Column::Boolean(rows),
            Self::Period(rows) => Column::Period(rows),
        }
    }
}

/// Rows of texts from which on sorting the dictionary in a thread pays.
const ROWS_MIN: usize = 1 << 16;

/// Finishes all columns, long columns of text in a thread each.
pub(crate) fn finish_columns(columns: Vec<ColumnBuilder>) -> Vec<Column> {
    std::thread::scope(|scope| {
        let work: Vec<_> = columns
            .into_iter()
            .map(|column| match column {
                ColumnBuilder::Text(..) if column.rows() >= ROWS_MIN => Err(scope.spawn(|| column.finish())),
                other => Ok(other.finish()),
            })
            .collect();
        let panicked = |panic| std::panic::resume_unwind(panic);
        let joined = work.into_iter().map(|column| match column {
            Ok(done) => done,
            Err(thread) => thread.join().unwrap_or_else(panicked),
        });
        joined.collect()
    })
}

/// Keeps the first `rows` values, and of the others those whose flag in `kept` is set.
fn keep_rows<T: Copy>(values: &mut Vec<T>, rows: usize, kept: &[bool]) {
    let mut to = rows;
    for from in (rows..values.len()).zip(kept).filter(|(_, kept)| **kept).map(|(from, _)| from) {
        values.swap(to, from);
        to += 1;
    }
    values.truncate(to);
}

/// Distinct texts in the order of their first occurrence.
#[derive(Default)]
pub(crate) struct TextDictionary {
    texts: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    /// For each text the text that followed it the last time.
    next: Vec<u32>,
    last: u32,
}

impl TextDictionary {
    /// The code of a text, if the dictionary has it.
    #[inline]
    pub(crate) fn find(&mut self, text: &[u8]) -> Option<u32> {
        let is = |code: u32| self.texts.get(code as usize).is_some_and(|known| known.as_bytes() == text);
        // Sorted files repeat a text in runs.
        if is(self.last) {
            return Some(self.last);
        }
        // Others repeat a cycle, such as the same years for every area.
        let guess = self.next.get(self.last as usize).copied().unwrap_or(0);
        let look_up = || self.codes.get(std::str::from_utf8(text).ok()?).copied();
        let code = if is(guess) { guess } else { look_up()? };
        Some(self.follow(code))
    }

    /// The code of a text, which is added if it is new.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.find(text.as_bytes()) {
            return code;
        }
        let (code, text) = (self.texts.len() as u32, Arc::<str>::from(text));
        self.texts.push(Arc::clone(&text));
        self.next.push(code);
        self.codes.insert(text, code);
        self.follow(code)
    }

    /// All texts, in the order of their codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    fn follow(&mut self, code: u32) -> u32 {
        if let Some(next) = self.next.get_mut(self.last as usize) {
            *next = code;
        }
        self.last = code;
        code
    }

    /// The column of these codes. Its dictionary is sorted and has only texts that occur in rows.
    pub(crate) fn sorted(self, mut codes: Vec<u32>) -> TextColumn {
        // A text of dropped rows only must not stay: equal tables must have equal bytes.
        let mut used = vec![false; self.texts.len()];
        for code in &codes {
            if let Some(slot) = used.get_mut(*code as usize) {
                *slot = true;
            }
        }
        let all = self.texts.iter().zip(0_u32..).zip(&used);
        let mut kept: Vec<(&Arc<str>, u32)> = all.filter(|(_, used)| **used).map(|(pair, _)| pair).collect();
        // Tables are canonical: the dictionary is sorted, whatever the order of rows in the file.
        kept.sort_unstable();
        let mut sorted_codes = vec![TextColumn::NULL; self.texts.len()];
        for (sorted_code, (_, code)) in kept.iter().enumerate() {
            if let Some(slot) = sorted_codes.get_mut(*code as usize) {
                *slot = sorted_code as u32;
            }
        }
        for code in &mut codes {
            *code = sorted_codes.get(*code as usize).copied().unwrap_or(TextColumn::NULL);
        }
        let dictionary = kept.into_iter().map(|(text, _)| text.to_string()).collect();
        TextColumn::from_parts(dictionary, codes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_in_any_order_and_end_sorted() {
        let rows = ["b", "a", "b", "a", "c", "c", "a", "é", "b"];
        for cut in 0..rows.len() {
            let (mut first, mut second) =
                (ColumnBuilder::new(ValueType::String), ColumnBuilder::new(ValueType::String));
            for (at, text) in rows.iter().enumerate() {
                let filling = if at < cut { &mut first } else { &mut second };
                let ColumnBuilder::Text(dictionary, codes) = filling else { panic!("a column of texts") };
                let code = dictionary.code(text);
                assert_eq!(dictionary.find(text.as_bytes()), Some(code));
                let unused = dictionary.code("never a row");
                let rows = codes.len();
                codes.extend([unused, code, unused]);
                filling.keep_flagged(rows, &[false, true, true]);
                filling.truncate(rows + 1);
            }
            first.push_missing();
            first.append(&mut second);
            assert_eq!(second.finish().len(), 0);
            let mut expected: Vec<Option<&str>> = rows.iter().map(|text| Some(*text)).collect();
            expected.insert(cut, None);
            assert_eq!(first.finish(), Column::Text(TextColumn::from_rows(expected)));
        }
    }
}

//! The columns of a table while a file is read: one typed vector a column, texts by code.
//!
//! Knows nothing of files and formats. Texts repeat, so a column looks where the text before led to
//! the last time before it looks at all others.

use std::collections::HashMap;
use std::sync::Arc;

use schemas::decimal::Decimal;
use schemas::period::Period;
use schemas::structure::ValueType;
use schemas::table::{Column, TextColumn};

/// One column.
pub(crate) enum Filling {
    Text(Dictionary, Vec<u32>),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<Decimal>>),
    Boolean(Vec<Option<bool>>),
    Period(Vec<Option<Period>>),
}

impl Filling {
    pub(crate) fn new(kind: ValueType) -> Self {
        match kind {
            ValueType::String | ValueType::Time | ValueType::Duration => {
                Self::Text(Dictionary::default(), Vec::new())
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
    pub(crate) fn is_known(&self, row: usize) -> bool {
        match self {
            Self::Text(_, values) => values.get(row).is_some_and(|code| *code != TextColumn::NULL),
            Self::Integer(values) => values.get(row).is_some_and(Option::is_some),
            Self::Number(values) => values.get(row).is_some_and(Option::is_some),
            Self::Boolean(values) => values.get(row).is_some_and(Option::is_some),
            Self::Period(values) => values.get(row).is_some_and(Option::is_some),
        }
    }

    /// Makes room for so many more rows.
    pub(crate) fn reserve(&mut self, rows: usize) {
        match self {
            Self::Text(_, values) => values.reserve(rows),
            Self::Integer(values) => values.reserve(rows),
            Self::Number(values) => values.reserve(rows),
            Self::Boolean(values) => values.reserve(rows),
            Self::Period(values) => values.reserve(rows),
        }
    }

    /// Takes the values behind the first `rows` back.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Text(_, values) => values.truncate(rows),
            Self::Integer(values) => values.truncate(rows),
            Self::Number(values) => values.truncate(rows),
            Self::Boolean(values) => values.truncate(rows),
            Self::Period(values) => values.truncate(rows),
        }
    }

    /// Takes those of the values behind the first `rows` back that are not to be kept.
    pub(crate) fn keep(&mut self, rows: usize, kept: &[bool]) {
        match self {
            Self::Text(_, values) => keep(values, rows, kept),
            Self::Integer(values) => keep(values, rows, kept),
            Self::Number(values) => keep(values, rows, kept),
            Self::Boolean(values) => keep(values, rows, kept),
            Self::Period(values) => keep(values, rows, kept),
        }
    }

    /// Takes the rows of another column of the type, which was filled from what follows in the file,
    /// and leaves it empty, with its room.
    pub(crate) fn take(&mut self, other: &mut Self) {
        match (self, other) {
            (Self::Text(dictionary, rows), Self::Text(others, codes)) => {
                let others = std::mem::take(others);
                let places: Vec<u32> = others.texts.iter().map(|text| dictionary.code(text)).collect();
                let place = |code: u32| places.get(code as usize).copied().unwrap_or(TextColumn::NULL);
                rows.extend(codes.drain(..).map(place));
            }
            (Self::Integer(rows), Self::Integer(others)) => rows.append(others),
            (Self::Number(rows), Self::Number(others)) => rows.append(others),
            (Self::Boolean(rows), Self::Boolean(others)) => rows.append(others),
            (Self::Period(rows), Self::Period(others)) => rows.append(others),
            // INVARIANT: both are columns of one plan.
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

    pub(crate) fn done(self) -> Column {
        match self {
            Self::Text(dictionary, rows) => Column::Text(dictionary.sorted(rows)),
            Self::Integer(rows) => Column::Integer(rows),
            Self::Number(rows) => Column::Number(rows),
            Self::Boolean(rows) => Column::Boolean(rows),
            Self::Period(rows) => Column::Period(rows),
        }
    }
}

/// Rows of texts that are worth a thread.
const ROWS_MIN: usize = 1 << 16;

/// The columns, each by a thread of its own where that is worth it.
pub(crate) fn done(columns: Vec<Filling>) -> Vec<Column> {
    std::thread::scope(|scope| {
        let work: Vec<_> = columns
            .into_iter()
            .map(|column| match column {
                Filling::Text(..) if column.rows() >= ROWS_MIN => Err(scope.spawn(|| column.done())),
                other => Ok(other.done()),
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

/// Keeps the first `rows` values, and of the others those that `kept` says.
fn keep<T: Copy>(values: &mut Vec<T>, rows: usize, kept: &[bool]) {
    let mut to = rows;
    for from in (rows..values.len()).zip(kept).filter(|(_, kept)| **kept).map(|(from, _)| from) {
        values.swap(to, from);
        to += 1;
    }
    values.truncate(to);
}

/// Distinct texts in the order in which they were met.
#[derive(Default)]
pub(crate) struct Dictionary {
    texts: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
    /// For each text the one that followed it the last time.
    next: Vec<u32>,
    last: u32,
}

impl Dictionary {
    /// The code of a text that was met before.
    #[inline]
    pub(crate) fn find(&mut self, text: &[u8]) -> Option<u32> {
        let is = |code: u32| self.texts.get(code as usize).is_some_and(|known| known.as_bytes() == text);
        if is(self.last) {
            return Some(self.last);
        }
        let guess = self.next.get(self.last as usize).copied().unwrap_or(0);
        let place = || self.places.get(std::str::from_utf8(text).ok()?).copied();
        let code = if is(guess) { guess } else { place()? };
        Some(self.follow(code))
    }

    /// The code of a text, met before or not.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.find(text.as_bytes()) {
            return code;
        }
        let (code, text) = (self.texts.len() as u32, Arc::<str>::from(text));
        self.texts.push(Arc::clone(&text));
        self.next.push(code);
        self.places.insert(text, code);
        self.follow(code)
    }

    /// All texts, by code.
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

    /// The column of these codes: its dictionary has the texts that rows have, in their order.
    pub(crate) fn sorted(self, mut codes: Vec<u32>) -> TextColumn {
        let mut used = vec![false; self.texts.len()];
        for code in &codes {
            if let Some(slot) = used.get_mut(*code as usize) {
                *slot = true;
            }
        }
        let all = self.texts.iter().zip(0_u32..).zip(&used);
        let mut kept: Vec<(&Arc<str>, u32)> = all.filter(|(_, used)| **used).map(|(pair, _)| pair).collect();
        kept.sort_unstable();
        let mut places = vec![TextColumn::NULL; self.texts.len()];
        for (place, (_, code)) in kept.iter().enumerate() {
            if let Some(slot) = places.get_mut(*code as usize) {
                *slot = place as u32;
            }
        }
        for code in &mut codes {
            *code = places.get(*code as usize).copied().unwrap_or(TextColumn::NULL);
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
            let (mut first, mut second) = (Filling::new(ValueType::String), Filling::new(ValueType::String));
            for (at, text) in rows.iter().enumerate() {
                let filling = if at < cut { &mut first } else { &mut second };
                let Filling::Text(dictionary, codes) = filling else { panic!("a column of texts") };
                let code = dictionary.code(text);
                assert_eq!(dictionary.find(text.as_bytes()), Some(code));
                let unused = dictionary.code("never a row");
                let rows = codes.len();
                codes.extend([unused, code, unused]);
                filling.keep(rows, &[false, true, true]);
                filling.truncate(rows + 1);
            }
            first.push_missing();
            first.take(&mut second);
            assert_eq!(second.done().len(), 0);
            let mut expected: Vec<Option<&str>> = rows.iter().map(|text| Some(*text)).collect();
            expected.insert(cut, None);
            assert_eq!(first.done(), Column::Text(TextColumn::from_rows(expected)));
        }
    }
}

//! Observations whose columns are met on the way, as SDMX and JSON-stat give them.
//!
//! Owns the columns while a file is read: codes and attributes as text, the period, the figures.
//! What is a dimension and what an attribute is said at the end, since some formats do not say it
//! before. A code is never changed; an attribute longer than a cell is cut and says so.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use schemas::decimal::Decimal;
use schemas::limits::{CELL_BYTES_MAX, CELLS_MAX};
use schemas::period::Period;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::Name;

use crate::ImportSummary;
use crate::error::ImportError;
use crate::filling::Dictionary;
use crate::gaps::Gaps;
use crate::heading::Names;
use crate::{points, value};

/// Columns of text of a file: more than any data structure has dimensions and attributes.
pub(crate) const COLUMNS_MAX: usize = 128;
/// Kinds of groups, by the dimensions of their keys; each of them is one pass over the data.
const GROUPS_MAX: usize = 32;
/// The end of an attribute that was cut.
const CUT: &str = " […]";

/// A column of text.
struct Met {
    id: String,
    texts: Dictionary,
    codes: Vec<u32>,
    /// What the next observation has.
    now: u32,
}

/// Observations in the order of the file.
pub(crate) struct Sheet {
    columns: Vec<Met>,
    places: HashMap<String, usize>,
    measures: Vec<(String, Vec<Option<Decimal>>)>,
    periods: Vec<Option<Period>>,
    lines: Vec<u32>,
    /// Data rows read.
    pub(crate) rows: u64,
    missing: u64,
    /// Figures that are missing, by spelling.
    pub(crate) gaps: Gaps,
}

impl Sheet {
    /// No observation yet, and these figures in each.
    pub(crate) fn new(measures: &[&str]) -> Self {
        Self {
            columns: Vec::new(),
            places: HashMap::new(),
            measures: measures.iter().map(|id| ((*id).to_owned(), Vec::new())).collect(),
            periods: Vec::new(),
            lines: Vec::new(),
            rows: 0,
            missing: 0,
            gaps: Gaps::default(),
        }
    }

    /// The place of a column, which is new if nobody asked for it before.
    pub(crate) fn column(&mut self, id: &str) -> Result<usize, ImportError> {
        if let Some(place) = self.places.get(id) {
            return Ok(*place);
        }
        if self.columns.len() == COLUMNS_MAX {
            return Err(ImportError::new(
                "columns",
                format!("more than {COLUMNS_MAX} dimensions and attributes"),
            ));
        }
        let place = self.columns.len();
        self.columns.push(Met {
            id: id.to_owned(),
            texts: Dictionary::default(),
            codes: Vec::new(),
            now: TextColumn::NULL,
        });
        self.places.insert(id.to_owned(), place);
        Ok(place)
    }

    /// The ids of the columns, in the order in which they were met.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.id.as_str())
    }

    /// What the observations from here on have in a column; an empty text is nothing. What they had
    /// before, to [`Sheet::restore`].
    #[inline]
    pub(crate) fn set(&mut self, place: usize, text: &str) -> u32 {
        let Some(column) = self.columns.get_mut(place) else { return TextColumn::NULL };
        let code = if text.is_empty() { TextColumn::NULL } else { column.code(text) };
        std::mem::replace(&mut column.now, code)
    }

    /// Takes a `set` back.
    #[inline]
    pub(crate) fn restore(&mut self, place: usize, before: u32) {
        if let Some(column) = self.columns.get_mut(place) {
            column.now = before;
        }
    }

    /// Whether the next observation has something in a column.
    pub(crate) fn has(&self, place: usize) -> bool {
        self.columns.get(place).is_some_and(|column| column.now != TextColumn::NULL)
    }

    /// Adds an observation. One without any figure is counted as missing, and kept only if it is
    /// `remarked`, as by a status.
    pub(crate) fn push(
        &mut self,
        period: Option<Period>,
        figures: &[Option<Decimal>],
        remarked: bool,
        line: u64,
    ) -> Result<(), ImportError> {
        self.rows += 1;
        let missing = figures.iter().filter(|figure| figure.is_none()).count();
        self.missing += missing as u64;
        if missing == self.measures.len() && !remarked {
            return Ok(());
        }
        self.bounded(line)?;
        let rows = self.lines.len();
        for column in self.columns.iter_mut().filter(|column| column.now != TextColumn::NULL) {
            column.codes.resize(rows, TextColumn::NULL);
            column.codes.push(column.now);
        }
        for (at, (_, values)) in self.measures.iter_mut().enumerate() {
            values.push(figures.get(at).copied().flatten());
        }
        self.periods.push(period);
        // A file has fewer lines than bytes, which fit 32 bits.
        self.lines.push(line as u32);
        Ok(())
    }

    /// Refuses a row beyond what all columns together may hold.
    fn bounded(&self, line: u64) -> Result<(), ImportError> {
        let width = self.columns.len() + self.measures.len() + 1;
        points::bounded(self.lines.len(), CELLS_MAX / width, line)
    }

    /// Counts figures that the file leaves out.
    pub(crate) fn skip(&mut self, count: u64) {
        self.rows = self.rows.saturating_add(count);
        self.missing = self.missing.saturating_add(count);
        self.gaps.add("", count);
    }

    /// Whether each observation has something in a column.
    pub(crate) fn full(&self, place: usize) -> bool {
        self.columns.get(place).is_some_and(|column| {
            column.codes.len() == self.lines.len() && !column.codes.contains(&TextColumn::NULL)
        })
    }

    /// The distinct texts of a column.
    pub(crate) fn texts(&self, place: usize) -> impl Iterator<Item = &str> {
        self.columns.get(place).into_iter().flat_map(|column| column.texts.iter())
    }

    /// Whether no two observations have the same in these columns and the same period.
    pub(crate) fn unique(&self, places: &[usize]) -> bool {
        let key = |row: usize| {
            let codes = places.iter().map(move |place| self.code(*place, row));
            (self.periods.get(row).copied().flatten(), codes)
        };
        let compare = |a: usize, b: usize| {
            let ((before, these), (after, those)) = (key(a), key(b));
            before.cmp(&after).then_with(|| these.cmp(those))
        };
        // A file has fewer rows than bytes, which fit 32 bits.
        let mut rows: Vec<u32> = (0..self.lines.len() as u32).collect();
        rows.sort_unstable_by(|a, b| compare(*a as usize, *b as usize));
        rows.windows(2).all(|pair| match pair {
            [a, b] => compare(*a as usize, *b as usize).is_ne(),
            _ => true,
        })
    }

    fn code(&self, place: usize, row: usize) -> u32 {
        let codes = self.columns.get(place).map(|column| &column.codes);
        codes.and_then(|codes| codes.get(row).copied()).unwrap_or(TextColumn::NULL)
    }

    /// Writes attributes into all observations that have these codes, as groups of SDMX do; what an
    /// observation says itself stays.
    pub(crate) fn spread(&mut self, groups: &[Group]) -> Result<(), ImportError> {
        type Given<'a> = BTreeMap<usize, &'a str>;
        // Columns may have come behind the last observation.
        self.bounded(self.lines.last().copied().unwrap_or_default().into())?;
        let mut kinds: BTreeMap<&[usize], HashMap<Vec<u32>, Given<'_>>> = BTreeMap::new();
        for group in groups {
            let Some(codes) = group.key.iter().map(|(place, text)| self.find(*place, text)).collect() else {
                continue;
            };
            let given = kinds.entry(&group.places).or_default().entry(codes).or_default();
            for (place, text) in &group.attributes {
                if *given.entry(*place).or_insert(text) != text {
                    return Err(
                        ImportError::new("group", "an attribute of a group is given twice").value(text)
                    );
                }
            }
            if kinds.len() > GROUPS_MAX {
                return Err(ImportError::new("group", format!("more than {GROUPS_MAX} kinds of groups")));
            }
        }
        for (places, given) in kinds {
            for row in 0..self.lines.len() {
                let codes: Vec<u32> = places.iter().map(|place| self.code(*place, row)).collect();
                for (place, text) in given.get(&codes).into_iter().flatten() {
                    if let Some(column) = self.columns.get_mut(*place) {
                        column.give(row, text);
                    }
                }
            }
        }
        Ok(())
    }

    fn find(&mut self, place: usize, text: &str) -> Option<u32> {
        self.columns.get_mut(place)?.texts.find(text.as_bytes())
    }

    /// Splits `code: name` into codes; the names, unless the column holds free text.
    pub(crate) fn unlabel(&mut self, place: usize) -> Option<Names> {
        let column = self.columns.get_mut(place)?;
        let mut names = Names::new();
        for text in column.texts.iter() {
            let (code, name) = labelled(text)?;
            let known = names.entry(code.to_owned()).or_insert_with(|| name.to_owned());
            if known != name {
                return None;
            }
        }
        let old = std::mem::take(&mut column.texts);
        let places: Vec<u32> = old
            .iter()
            .map(|text| labelled(text).map_or(TextColumn::NULL, |(code, _)| column.texts.code(code)))
            .collect();
        for code in &mut column.codes {
            *code = places.get(*code as usize).copied().unwrap_or(TextColumn::NULL);
        }
        Some(names)
    }

    /// The table and its counts: these columns are dimensions, these attributes, others are left
    /// out, as are attributes that no observation has.
    pub(crate) fn finish(
        self,
        dimensions: &[usize],
        attributes: &[usize],
    ) -> Result<(Table, ImportSummary), ImportError> {
        let Self { columns, measures, periods, lines, rows, missing, gaps, .. } = self;
        if measures.iter().all(|(_, values)| values.iter().all(Option::is_none)) {
            return Err(points::empty(rows));
        }
        let count = lines.len();
        let mut columns: Vec<Option<Met>> = columns.into_iter().map(Some).collect();
        let mut parts: Vec<(Component, Column)> = Vec::new();
        let mut take = |places: &[usize], role: Role, parts: &mut Vec<(Component, Column)>| {
            for place in places {
                let Some(met) = columns.get_mut(*place).and_then(Option::take) else { continue };
                if role == Role::Attribute && met.codes.iter().all(|code| *code == TextColumn::NULL) {
                    continue;
                }
                parts.push((component(&met.id, role, ValueType::String)?, met.column(count)));
            }
            Ok::<(), ImportError>(())
        };
        take(dimensions, Role::Identifier, &mut parts)?;
        if periods.iter().any(Option::is_some) {
            let time = component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod)?;
            parts.push((time, Column::Period(periods)));
        }
        for (id, values) in measures {
            parts.push((component(&id, Role::Measure, ValueType::Number)?, Column::Number(values)));
        }
        take(attributes, Role::Attribute, &mut parts)?;
        let (components, columns) = parts.into_iter().unzip();
        let shape =
            ComponentList::new(components).map_err(|error| ImportError::new("columns", error.to_string()))?;
        if shape.identifier_count() == 0 {
            return Err(ImportError::new("columns", "expected a dimension, this has none"));
        }
        let table = Table::new(shape, columns)
            .map_err(|error| points::refused(&error, |row| lines.get(row).map(|line| u64::from(*line))))?;
        let summary =
            ImportSummary { rows, missing, missing_spellings: gaps.spellings(), ..points::counted(&table) };
        Ok((table, summary))
    }
}

/// Attributes of all observations that have these codes.
pub(crate) struct Group {
    /// The columns of the key.
    places: Vec<usize>,
    key: Vec<(usize, String)>,
    attributes: Vec<(usize, String)>,
}

impl Group {
    /// The same key in any order is the same key.
    pub(crate) fn new(mut key: Vec<(usize, String)>, attributes: Vec<(usize, String)>) -> Self {
        key.sort_unstable();
        Self { places: key.iter().map(|(place, _)| *place).collect(), key, attributes }
    }
}

impl Met {
    #[inline]
    fn code(&mut self, text: &str) -> u32 {
        match self.texts.find(text.as_bytes()) {
            Some(code) => code,
            None => self.texts.code(&cell(text)),
        }
    }

    /// Gives a row a text, unless it has one.
    fn give(&mut self, row: usize, text: &str) {
        let code = self.code(text);
        if self.codes.len() <= row {
            self.codes.resize(row + 1, TextColumn::NULL);
        }
        if let Some(slot) = self.codes.get_mut(row).filter(|slot| **slot == TextColumn::NULL) {
            *slot = code;
        }
    }

    fn column(mut self, rows: usize) -> Column {
        self.codes.resize(rows, TextColumn::NULL);
        Column::Text(self.texts.sorted(self.codes))
    }
}

/// A component of this id; what may not stand in a name becomes `_`.
fn component(id: &str, role: Role, kind: ValueType) -> Result<Component, ImportError> {
    let named = Name::new(id).ok().or_else(|| value::name(id));
    let named = named.ok_or_else(|| ImportError::new("name", "expected an id").value(id))?;
    Ok(Component::new(named, role, kind))
}

/// A text as it may stand in a cell: cut where it is too long, a space for what steers terminals.
fn cell(text: &str) -> Cow<'_, str> {
    if value::label(text).is_ok() {
        return Cow::Borrowed(text);
    }
    let kept = |c: char| value::label(c.encode_utf8(&mut [0; 4])).is_ok();
    let text: String = text.replace("\r\n", "\n").chars().map(|c| if kept(c) { c } else { ' ' }).collect();
    if text.len() <= CELL_BYTES_MAX {
        return Cow::Owned(text);
    }
    let end = (0..=CELL_BYTES_MAX - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
    Cow::Owned(format!("{}{CUT}", text.get(..end.unwrap_or_default()).unwrap_or_default()))
}

/// Code and name of `code: name`; a text that is code alone is its own name.
pub(crate) fn labelled(text: &str) -> Option<(&str, &str)> {
    let (code, name) = match text.split_once(": ") {
        Some((code, name)) => (code, name.trim()),
        None => (text, text),
    };
    is_code(code).then_some((code, name))
}

/// Whether a text could be a code of SDMX.
pub(crate) fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'$' | b'.' | b'*' | b'+')
    };
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> (Sheet, usize, usize) {
        let mut sheet = Sheet::new(&["OBS_VALUE"]);
        let (area, note) = (sheet.column("AREA").unwrap(), sheet.column("NOTE").unwrap());
        for (code, year, figure) in
            [("B: bb", "2010", Some(1)), ("A: aa", "2010", None), ("A: aa", "2011", Some(3))]
        {
            sheet.set(area, code);
            let figure = figure.map(|figure| Decimal::new(figure, 0).unwrap());
            sheet.push(year.parse().ok(), &[figure], false, 1).unwrap();
        }
        (sheet, area, note)
    }

    #[test]
    fn columns_become_dimensions_and_attributes() {
        let (mut sheet, area, note) = sheet();
        sheet
            .spread(&[Group::new(vec![(area, "A: aa".into())], vec![(note, "x\r\ny\u{7}".into())])])
            .unwrap();
        assert!(sheet.full(area) && !sheet.full(note) && sheet.unique(&[area]) && sheet.unique(&[]));
        assert_eq!(sheet.unlabel(note), None);
        let names = sheet.unlabel(area).unwrap();
        assert_eq!(names.get("A").map(String::as_str), Some("aa"));
        let (table, summary) = sheet.finish(&[area], &[note]).unwrap();
        assert_eq!((summary.rows, summary.missing, summary.observations, summary.series), (3, 1, 2, 2));
        let mut out = Vec::new();
        crate::export_csv(&table, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap().replace("\r\n", "|");
        assert_eq!(text, "AREA,TIME_PERIOD,OBS_VALUE,NOTE|A,2011,3,\"x\ny \"|B,2010,1,|");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let long = "é".repeat(CELL_BYTES_MAX);
        let cut = cell(&long);
        assert!(cut.len() <= CELL_BYTES_MAX && cut.ends_with(CUT));
        assert_eq!(cell("a: b"), "a: b");
    }

    #[test]
    fn free_text_keeps_its_colon() {
        assert_eq!(labelled("A: x: y"), Some(("A", "x: y")));
        assert_eq!(labelled("Any text: y"), None);
        assert_eq!(labelled("A"), Some(("A", "A")));
        let mut sheet = Sheet::new(&["OBS_VALUE"]);
        let at = sheet.column("NOTE").unwrap();
        sheet.set(at, "Note: one");
        sheet.set(at, "Note: two");
        assert_eq!(sheet.unlabel(at), None);
    }

    #[test]
    fn columns_are_bounded() {
        let mut sheet = Sheet::new(&["OBS_VALUE"]);
        for at in 0..COLUMNS_MAX {
            assert_eq!(sheet.column(&format!("C{at}")), Ok(at));
        }
        assert_eq!(sheet.column("more").unwrap_err().code, "columns");
        assert_eq!(sheet.column("C0"), Ok(0));
    }
}

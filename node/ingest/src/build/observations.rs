//! Builder for formats whose columns appear while the file is read, as in SDMX and JSON-stat.
//!
//! Stores codes and attributes as text, the period, the figures. The roles of the columns are fixed at
//! the end only, since some messages do not state them. A code is never changed; an attribute that is
//! too long for a cell is cut and marked.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use schemas::decimal::Decimal;
use schemas::limits::{CELL_BYTES_MAX, CELLS_MAX};
use schemas::period::Period;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::table::{Column, Table, TextColumn};
use schemas::text::Name;

use crate::ImportSummary;
use crate::build::column_builder::TextDictionary;
use crate::build::metadata::CodeNames;
use crate::build::summary;
use crate::error::ImportError;
use crate::positions;
use crate::values::cell;
use crate::values::missing_values::MissingValues;

/// Columns of text of a file; no data structure has as many dimensions and attributes.
pub(crate) const COLUMNS_MAX: usize = 128;
/// Distinct sets of dimensions in the keys of groups; each costs one pass over the data.
const GROUPS_MAX: usize = 32;
/// The mark at the end of a cut attribute.
const CUT: &str = " […]";

/// A column of text.
struct ColumnInProgress {
    id: String,
    texts: TextDictionary,
    codes: Vec<u32>,
    /// The code for the next observation.
    current: u32,
}

/// Observations in the order of the file.
pub(crate) struct ObservationBuilder {
    columns: Vec<ColumnInProgress>,
    positions: HashMap<String, usize>,
    measures: Vec<(String, Vec<Option<Decimal>>)>,
    periods: Vec<Option<Period>>,
    lines: Vec<u32>,
    /// Data rows read.
    pub(crate) rows: u64,
    missing_count: u64,
    /// Missing figures by spelling.
    pub(crate) missing: MissingValues,
}

impl ObservationBuilder {
    /// An empty builder; each observation has a figure for each of these measures.
    pub(crate) fn new(measures: &[&str]) -> Self {
        Self {
            columns: Vec::new(),
            positions: HashMap::new(),
            measures: measures.iter().map(|id| ((*id).to_owned(), Vec::new())).collect(),
            periods: Vec::new(),
            lines: Vec::new(),
            rows: 0,
            missing_count: 0,
            missing: MissingValues::default(),
        }
    }

    /// The index of a column, which is added if it is new.
    pub(crate) fn column_index(&mut self, id: &str) -> Result<usize, ImportError> {
        if let Some(position) = self.positions.get(id) {
            return Ok(*position);
        }
        // A message may have any number of attributes; each costs a vector.
        if self.columns.len() == COLUMNS_MAX {
            return Err(ImportError::new(
                "columns",
                format!("more than {COLUMNS_MAX} dimensions and attributes"),
            ));
        }
        let position = self.columns.len();
        self.columns.push(ColumnInProgress {
            id: id.to_owned(),
            texts: TextDictionary::default(),
            codes: Vec::new(),
            current: TextColumn::NULL,
        });
        self.positions.insert(id.to_owned(), position);
        Ok(position)
    }

    /// The ids of the columns, in the order in which they were added.
    pub(crate) fn column_ids(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.id.as_str())
    }

    /// Sets the text of a column for the observations from here on; an empty text is a null. Returns the
    /// previous code, for [`ObservationBuilder::restore_value`].
    #[inline]
    pub(crate) fn set_value(&mut self, position: usize, text: &str) -> u32 {
        let Some(column) = self.columns.get_mut(position) else { return TextColumn::NULL };
        let code = if text.is_empty() { TextColumn::NULL } else { column.code(text) };
        std::mem::replace(&mut column.current, code)
    }

    /// Undoes a [`ObservationBuilder::set_value`].
    #[inline]
    pub(crate) fn restore_value(&mut self, position: usize, before: u32) {
        if let Some(column) = self.columns.get_mut(position) {
            column.current = before;
        }
    }

    /// Whether the next observation has a text in a column.
    pub(crate) fn has_value(&self, position: usize) -> bool {
        self.columns.get(position).is_some_and(|column| column.current != TextColumn::NULL)
    }

    /// Adds an observation. Without any figure it is counted as missing, and kept only if `has_status`:
    /// an attribute then explains why the figure is missing.
    pub(crate) fn push(
        &mut self,
        period: Option<Period>,
        figures: &[Option<Decimal>],
        has_status: bool,
        line: u64,
    ) -> Result<(), ImportError> {
        self.rows += 1;
        let missing_count = figures.iter().filter(|figure| figure.is_none()).count();
        self.missing_count += missing_count as u64;
        // With several measures a row with any figure is kept.
        if missing_count == self.measures.len() && !has_status {
            return Ok(());
        }
        self.check_size(line)?;
        let rows = self.lines.len();
        for column in self.columns.iter_mut().filter(|column| column.current != TextColumn::NULL) {
            // Columns without a text fall behind and are filled with nulls only when they get one.
            column.codes.resize(rows, TextColumn::NULL);
            column.codes.push(column.current);
        }
        for (at, (_, values)) in self.measures.iter_mut().enumerate() {
            values.push(figures.get(at).copied().flatten());
        }
        self.periods.push(period);
        // A file has fewer lines than bytes, which fit 32 bits.
        self.lines.push(line as u32);
        Ok(())
    }

    /// Number of observations that were kept.
    pub(crate) fn observation_count(&self) -> usize {
        self.lines.len()
    }

    /// Refuses an observation beyond `CELLS_MAX` cells of all columns together.
    fn check_size(&self, line: u64) -> Result<(), ImportError> {
        // One more for the period.
        let width = self.columns.len() + self.measures.len() + 1;
        summary::check_row_count(self.lines.len(), CELLS_MAX / width, line)
    }

    /// Counts figures that the file omits.
    pub(crate) fn count_omitted(&mut self, count: u64) {
        self.rows = self.rows.saturating_add(count);
        self.missing_count = self.missing_count.saturating_add(count);
        self.missing.add("", count);
    }

    /// Whether every observation has a text in a column.
    pub(crate) fn is_complete(&self, position: usize) -> bool {
        self.columns.get(position).is_some_and(|column| {
            column.codes.len() == self.lines.len() && !column.codes.contains(&TextColumn::NULL)
        })
    }

    /// The distinct texts of a column.
    pub(crate) fn column_texts(&self, position: usize) -> impl Iterator<Item = &str> {
        self.columns.get(position).into_iter().flat_map(|column| column.texts.iter())
    }

    /// Whether these columns and the period identify the observations.
    pub(crate) fn is_unique_key(&self, positions: &[usize]) -> bool {
        let key = |row: usize| {
            let codes = positions.iter().map(move |position| self.code_at(*position, row));
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

    fn code_at(&self, position: usize, row: usize) -> u32 {
        let codes = self.columns.get(position).map(|column| &column.codes);
        codes.and_then(|codes| codes.get(row).copied()).unwrap_or(TextColumn::NULL)
    }

    /// Writes the attributes of groups into all observations with the codes of their keys, as SDMX
    /// defines it; an attribute of the observation itself has precedence.
    pub(crate) fn apply_groups(&mut self, groups: &[AttributeGroup]) -> Result<(), ImportError> {
        type AttributeTexts<'a> = BTreeMap<usize, &'a str>;
        // Columns may have been added after the last observation.
        self.check_size(self.lines.last().copied().unwrap_or_default().into())?;
        let mut kinds: BTreeMap<&[usize], HashMap<Vec<u32>, AttributeTexts<'_>>> = BTreeMap::new();
        for group in groups {
            let Some(codes) =
                group.key.iter().map(|(position, text)| self.find_code(*position, text)).collect()
            else {
                continue;
            };
            let given = kinds.entry(&group.positions).or_default().entry(codes).or_default();
            for (position, text) in &group.attributes {
                // Groups may repeat an attribute of a key, but not contradict each other.
                if *given.entry(*position).or_insert(text) != text {
                    return Err(ImportError::new("group", "duplicate attribute of a group").value(text));
                }
            }
            if kinds.len() > GROUPS_MAX {
                return Err(ImportError::new(
                    "group",
                    format!("more than {GROUPS_MAX} combinations of dimensions in groups"),
                ));
            }
        }
        for (positions, given) in kinds {
            for row in 0..self.lines.len() {
                let codes: Vec<u32> = positions.iter().map(|position| self.code_at(*position, row)).collect();
                for (position, text) in given.get(&codes).into_iter().flatten() {
                    if let Some(column) = self.columns.get_mut(*position) {
                        column.set_if_absent(row, text);
                    }
                }
            }
        }
        Ok(())
    }

    fn find_code(&mut self, position: usize, text: &str) -> Option<u32> {
        self.columns.get_mut(position)?.texts.find(text.as_bytes())
    }

    /// Splits texts `code: name` and keeps the codes; returns the names. `None`, and no change, if the
    /// column has free text.
    pub(crate) fn split_labels(&mut self, position: usize) -> Option<CodeNames> {
        let column = self.columns.get_mut(position)?;
        let mut names = CodeNames::new();
        for text in column.texts.iter() {
            let (code, name) = split_label(text)?;
            let known = names.entry(code.to_owned()).or_insert_with(|| name.to_owned());
            // The same code with two names: the column has free text with a colon.
            if known != name {
                return None;
            }
        }
        // Two labels may have the same code, so the codes are numbered again.
        let old = std::mem::take(&mut column.texts);
        let positions: Vec<u32> = old
            .iter()
            .map(|text| split_label(text).map_or(TextColumn::NULL, |(code, _)| column.texts.code(code)))
            .collect();
        for code in &mut column.codes {
            *code = positions.get(*code as usize).copied().unwrap_or(TextColumn::NULL);
        }
        Some(names)
    }

    /// The table with these columns as dimensions and attributes, and its counts. Other columns, and
    /// attributes without any text, are omitted.
    pub(crate) fn into_table(
        self,
        dimensions: &[usize],
        attributes: &[usize],
    ) -> Result<(Table, ImportSummary), ImportError> {
        let Self { columns, measures, periods, lines, rows, missing_count, missing, .. } = self;
        if measures.iter().all(|(_, values)| values.iter().all(Option::is_none)) {
            return Err(summary::no_data(rows));
        }
        let count = lines.len();
        let mut columns: Vec<Option<ColumnInProgress>> = columns.into_iter().map(Some).collect();
        let mut parts: Vec<(Component, Column)> = Vec::new();
        let mut take = |positions: &[usize], role: Role, parts: &mut Vec<(Component, Column)>| {
            for position in positions {
                let Some(met) = columns.get_mut(*position).and_then(Option::take) else { continue };
                // For example an attribute of groups that matched no observation.
                if role == Role::Attribute && met.codes.iter().all(|code| *code == TextColumn::NULL) {
                    continue;
                }
                parts.push((text_component(&met.id, role, ValueType::String)?, met.column(count)));
            }
            Ok::<(), ImportError>(())
        };
        take(dimensions, Role::Identifier, &mut parts)?;
        // Data without a time dimension are valid: a census, or a table of one year.
        if periods.iter().any(Option::is_some) {
            let time = text_component("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod)?;
            parts.push((time, Column::Period(periods)));
        }
        for (id, values) in measures {
            parts.push((text_component(&id, Role::Measure, ValueType::Number)?, Column::Number(values)));
        }
        take(attributes, Role::Attribute, &mut parts)?;
        let (components, columns) = parts.into_iter().unzip();
        let shape =
            ComponentList::new(components).map_err(|error| ImportError::new("columns", error.to_string()))?;
        if shape.identifier_count() == 0 {
            return Err(ImportError::new("columns", "expected at least one dimension, found none"));
        }
        let (table, order) = Table::sorted(shape, columns).map_err(|error| {
            summary::table_error(&error, |row| lines.get(row).map(|line| u64::from(*line)))
        })?;
        let summary = ImportSummary {
            lines: positions::order_lines(order, |row| lines.get(row).copied(), table.rows()),
            rows,
            missing: missing_count,
            missing_spellings: missing.into_counts(),
            ..summary::summarise(&table)
        };
        Ok((table, summary))
    }
}

/// Attributes of all observations with the codes of a key.
pub(crate) struct AttributeGroup {
    /// The columns of the key, sorted.
    positions: Vec<usize>,
    key: Vec<(usize, String)>,
    attributes: Vec<(usize, String)>,
}

impl AttributeGroup {
    /// Sorts the key: its order has no meaning.
    pub(crate) fn new(mut key: Vec<(usize, String)>, attributes: Vec<(usize, String)>) -> Self {
        key.sort_unstable();
        Self { positions: key.iter().map(|(position, _)| *position).collect(), key, attributes }
    }
}

impl ColumnInProgress {
    #[inline]
    fn code(&mut self, text: &str) -> u32 {
        match self.texts.find(text.as_bytes()) {
            Some(code) => code,
            None => self.texts.code(&cell_text(text)),
        }
    }

    /// Sets the text of a row that has none.
    fn set_if_absent(&mut self, row: usize, text: &str) {
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

/// A component of this id; characters that are invalid in a name become `_`.
fn text_component(id: &str, role: Role, kind: ValueType) -> Result<Component, ImportError> {
    let named = Name::new(id).ok().or_else(|| cell::clean_name(id));
    let named = named.ok_or_else(|| ImportError::new("name", "expected an id").value(id))?;
    Ok(Component::new(named, role, kind))
}

/// Makes a text fit for a cell: cuts it after `CELL_BYTES_MAX`, replaces control characters by spaces, and
/// omits other hidden characters.
fn cell_text(text: &str) -> Cow<'_, str> {
    if cell::check_text(text).is_ok() {
        return Cow::Borrowed(text);
    }
    let kept = |c: char| cell::check_text(c.encode_utf8(&mut [0; 4])).is_ok();
    let fit = |c: char| match c {
        c if kept(c) => Some(c),
        c => (c.is_control() || c.is_whitespace()).then_some(' '),
    };
    let text: String = text.replace("\r\n", "\n").chars().filter_map(fit).collect();
    if text.len() <= CELL_BYTES_MAX {
        return Cow::Owned(text);
    }
    let end = (0..=CELL_BYTES_MAX - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
    Cow::Owned(format!("{}{CUT}", text.get(..end.unwrap_or_default()).unwrap_or_default()))
}

/// Splits `code: name`; a code alone is its own name. `None` for free text.
pub(crate) fn split_label(text: &str) -> Option<(&str, &str)> {
    let (code, name) = match text.split_once(": ") {
        Some((code, name)) => (code, name.trim()),
        None => (text, text),
    };
    is_code(code).then_some((code, name))
}

/// Whether a text is a valid code of SDMX.
pub(crate) fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'$' | b'.' | b'*' | b'+')
    };
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> (ObservationBuilder, usize, usize) {
        let mut builder = ObservationBuilder::new(&["OBS_VALUE"]);
        let (area, note) = (builder.column_index("AREA").unwrap(), builder.column_index("NOTE").unwrap());
        for (code, year, figure) in
            [("B: bb", "2010", Some(1)), ("A: aa", "2010", None), ("A: aa", "2011", Some(3))]
        {
            builder.set_value(area, code);
            let figure = figure.map(|figure| Decimal::new(figure, 0).unwrap());
            builder.push(year.parse().ok(), &[figure], false, 1).unwrap();
        }
        (builder, area, note)
    }

    #[test]
    fn columns_become_dimensions_and_attributes() {
        let (mut builder, area, note) = builder();
        builder
            .apply_groups(&[AttributeGroup::new(
                vec![(area, "A: aa".into())],
                vec![(note, "x\r\ny\u{7}".into())],
            )])
            .unwrap();
        assert!(
            builder.is_complete(area)
                && !builder.is_complete(note)
                && builder.is_unique_key(&[area])
                && builder.is_unique_key(&[])
        );
        assert_eq!(builder.split_labels(note), None);
        let names = builder.split_labels(area).unwrap();
        assert_eq!(names.get("A").map(String::as_str), Some("aa"));
        let (table, summary) = builder.into_table(&[area], &[note]).unwrap();
        assert_eq!((summary.rows, summary.missing, summary.observations, summary.series), (3, 1, 2, 2));
        let mut out = Vec::new();
        crate::export_csv(&table, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap().replace("\r\n", "|");
        assert_eq!(text, "AREA,TIME_PERIOD,OBS_VALUE,NOTE|A,2011,3,\"x\ny \"|B,2010,1,|");
    }

    #[test]
    fn long_texts_are_cut_and_marked() {
        let long = "é".repeat(CELL_BYTES_MAX);
        let cut = cell_text(&long);
        assert!(cut.len() <= CELL_BYTES_MAX && cut.ends_with(CUT));
        assert_eq!(cell_text("a: b"), "a: b");
        assert_eq!(cell_text("soft\u{ad}ware\u{1b}\u{2028}b\r\nc\u{200c}"), "software  b\nc\u{200c}");
    }

    #[test]
    fn free_text_keeps_its_colon() {
        assert_eq!(split_label("A: x: y"), Some(("A", "x: y")));
        assert_eq!(split_label("Any text: y"), None);
        assert_eq!(split_label("A"), Some(("A", "A")));
        let mut builder = ObservationBuilder::new(&["OBS_VALUE"]);
        let at = builder.column_index("NOTE").unwrap();
        builder.set_value(at, "Note: one");
        builder.set_value(at, "Note: two");
        assert_eq!(builder.split_labels(at), None);
    }

    #[test]
    fn columns_are_bounded() {
        let mut builder = ObservationBuilder::new(&["OBS_VALUE"]);
        for at in 0..COLUMNS_MAX {
            assert_eq!(builder.column_index(&format!("C{at}")), Ok(at));
        }
        assert_eq!(builder.column_index("more").unwrap_err().code, "columns");
        assert_eq!(builder.column_index("C0"), Ok(0));
    }
}

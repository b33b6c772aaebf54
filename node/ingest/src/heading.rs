//! What an importer says about a file, beside its table.

use std::collections::BTreeMap;

use schemas::limits::CELL_BYTES_MAX;
use schemas::object::CODES_MAX;
use schemas::period::Period;
use schemas::table::{Column, Table};
use schemas::text::{Name, Text};

use crate::areas::{self, Area};
use crate::error::ImportError;
use crate::{Format, ImportSummary, ImportedTable, value};

/// Names by code of one dimension.
pub(crate) type Names = BTreeMap<String, String>;

/// The words of a file.
pub(crate) struct Heading {
    pub(crate) format: Format,
    /// The id of the source, or what the file is called.
    pub(crate) id: String,
    /// The title of the source; empty when it has none.
    pub(crate) title: String,
    pub(crate) publisher: Option<String>,
    pub(crate) vintage: Option<Period>,
    /// Areas that the file names; those of the table that are not among them come from the list.
    pub(crate) areas: Vec<Area>,
    /// Names of other codes, by dimension.
    pub(crate) names: BTreeMap<String, Names>,
    /// What a person should know before the figures are used.
    pub(crate) notes: Vec<String>,
}

impl Heading {
    pub(crate) fn new(format: Format, id: impl Into<String>) -> Self {
        Self {
            format,
            id: id.into(),
            title: String::new(),
            publisher: None,
            vintage: None,
            areas: Vec::new(),
            names: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    pub(crate) fn publisher(mut self, publisher: &str) -> Self {
        self.publisher = Some(publisher.to_owned());
        self
    }

    /// Names the codes of a dimension.
    pub(crate) fn named(mut self, dimension: &'static str, names: Names) -> Self {
        self.names.insert(dimension.to_owned(), names);
        self
    }

    /// The file, read.
    pub(crate) fn over(
        mut self,
        (table, mut summary): (Table, ImportSummary),
    ) -> Result<ImportedTable, ImportError> {
        let dataflow = value::name(&self.id).ok_or_else(|| {
            ImportError::new("name", "expected a file name that says what is in it").value(&self.id)
        })?;
        let title = if self.title.is_empty() { &self.id } else { &self.title };
        let title = Text::<CELL_BYTES_MAX>::new(title.as_str())
            .map_or_else(|_| dataflow.to_string(), |title| title.to_string());
        let areas = listed(&table, self.areas, self.names.remove("REF_AREA"));
        summary.aggregates = areas.iter().filter(|area| area.aggregate).count() as u64;
        summary.notes.extend(self.notes);
        let codes = codes(&table, self.names, areas.len());
        Ok(ImportedTable {
            format: self.format,
            table,
            dataflow,
            title,
            publisher: self.publisher,
            vintage: self.vintage,
            areas,
            codes,
            summary,
            importer: self.format.importer(),
        })
    }
}

/// The code list of REF_AREA: codes of the table, with the name of the file or of the list.
fn listed(table: &Table, named: Vec<Area>, names: Option<Names>) -> Vec<Area> {
    let Some(Column::Text(texts)) = table.column("REF_AREA") else { return Vec::new() };
    let named: BTreeMap<String, Area> = named.into_iter().map(|area| (area.code.clone(), area)).collect();
    let area = |code: &String| {
        let unnamed = || Area { code: code.clone(), name: code.clone(), aggregate: false };
        let mut area = named.get(code).cloned().or_else(|| areas::known(code)).unwrap_or_else(unnamed);
        if let Some(name) = names.as_ref().and_then(|names| names.get(code)).filter(|name| *name != code) {
            area.name = shortened(name);
        }
        area
    };
    texts.dictionary().iter().map(area).collect()
}

/// Bytes of a code and of its name in a code list of an object.
const CODE_BYTES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 256;

/// The names of those codes that the table has, where they may stand in an object.
fn codes(table: &Table, names: BTreeMap<String, Names>, areas: usize) -> BTreeMap<Name, Names> {
    let mut lists = BTreeMap::new();
    let mut room = CODES_MAX.saturating_sub(areas);
    for (dimension, names) in names {
        let (Some(Column::Text(texts)), Ok(id)) = (table.column(&dimension), Name::new(dimension.as_str()))
        else {
            continue;
        };
        let coded = texts.dictionary().iter().all(|code| code.len() <= CODE_BYTES_MAX);
        // A list that does not fit into the structure is left out, not the data.
        let coded = coded && texts.dictionary().len() <= room;
        let used = |code: &String| (code.clone(), shortened(names.get(code).unwrap_or(code)));
        if coded && names.iter().any(|(code, name)| code != name) {
            room -= texts.dictionary().len();
            lists.insert(id, texts.dictionary().iter().map(used).collect());
        }
    }
    lists
}

/// A name as it may stand in a code list: on one line, and cut where it is too long.
pub(crate) fn shortened(name: &str) -> String {
    let kept = |c: char| Text::<4>::new(c).is_ok() && !matches!(c, '\n' | '\t');
    let mut text: String = name.trim().chars().map(|c| if kept(c) { c } else { ' ' }).collect();
    if text.len() > NAME_BYTES_MAX {
        let end = (0..=NAME_BYTES_MAX - '…'.len_utf8()).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_do_not_fit_are_left_out() {
        let (mut sheet, mut names) = (crate::sheet::Sheet::new(&["OBS_VALUE"]), BTreeMap::new());
        let places = ["A", "B"].map(|id| sheet.column(id).unwrap());
        for at in 0..CODES_MAX {
            for place in places {
                sheet.set(place, &format!("c{at}"));
            }
            sheet.push(None, &[schemas::decimal::Decimal::new(1, 0).ok()], false, 1).unwrap();
        }
        for id in ["A", "B"] {
            names.insert(id.to_owned(), Names::from([("c1".to_owned(), "one".to_owned())]));
        }
        let (table, _) = sheet.finish(&places, &[]).unwrap();
        let kept =
            |areas| codes(&table, names.clone(), areas).keys().map(Name::to_string).collect::<Vec<_>>();
        assert_eq!((kept(0), kept(1)), (vec!["A".to_owned()], Vec::new()));
    }

    #[test]
    fn names_fit_a_code_list() {
        let long = shortened(&"é".repeat(200));
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("é…"));
        assert_eq!(shortened(" a\nb "), "a b");
    }
}

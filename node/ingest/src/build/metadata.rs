//! Metadata of a file beside its table: title, publisher, vintage, areas, code lists.

use std::collections::BTreeMap;

use schemas::limits::CELL_BYTES_MAX;
use schemas::object::CODES_MAX;
use schemas::period::Period;
use schemas::table::{Column, Table};
use schemas::text::{Line, Name, to_line};

use crate::error::ImportError;
use crate::values::areas::{self, Area};
use crate::values::cell;
use crate::{Format, ImportSummary, ImportedTable};

/// Names by code of one dimension.
pub(crate) type CodeNames = BTreeMap<String, String>;

/// Metadata that a reader collects, to be joined with the table.
pub(crate) struct Metadata {
    pub(crate) format: Format,
    /// The id in the source, or the file name.
    pub(crate) id: String,
    /// The title in the source; empty without one.
    pub(crate) title: String,
    pub(crate) publisher: Option<String>,
    pub(crate) vintage: Option<Period>,
    /// Areas that the file names; other areas of the table are taken from the built-in list.
    pub(crate) areas: Vec<Area>,
    /// Names of other codes, by dimension.
    pub(crate) names: BTreeMap<String, CodeNames>,
    /// Remarks that matter before the figures are used.
    pub(crate) notes: Vec<String>,
}

impl Metadata {
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

    /// Sets the names of the codes of a dimension.
    pub(crate) fn with_code_names(mut self, dimension: &'static str, names: CodeNames) -> Self {
        self.names.insert(dimension.to_owned(), names);
        self
    }

    /// Joins the metadata with a table.
    ///
    /// # Errors
    /// `name` if the id has no character of a name.
    pub(crate) fn with_table(
        mut self,
        (table, mut summary): (Table, ImportSummary),
    ) -> Result<ImportedTable, ImportError> {
        let dataflow = cell::clean_name(&self.id).ok_or_else(|| {
            ImportError::new("name", "expected a file name that describes the content").value(&self.id)
        })?;
        let title = to_line(if self.title.is_empty() { &self.id } else { &self.title });
        // A title that no data set can hold is replaced, not refused: it is no figure.
        let fits = (1..=CELL_BYTES_MAX).contains(&title.len());
        let title = if fits { title } else { dataflow.to_string() };
        let areas = area_list(&table, self.areas, self.names.remove("REF_AREA"));
        summary.aggregates = areas.iter().filter(|area| area.aggregate).count() as u64;
        summary.notes.extend(self.notes);
        let codes = code_lists(&table, self.names, areas.len());
        Ok(ImportedTable {
            format: self.format,
            file: String::new(),
            table,
            dataflow,
            title,
            publisher: self.publisher.as_deref().map(to_line).filter(|name| !name.is_empty()),
            vintage: self.vintage,
            areas,
            codes,
            summary,
            importer: self.format.importer(),
        })
    }
}

/// The code list of REF_AREA: the codes in the table, with names from the file or the built-in list.
fn area_list(table: &Table, named: Vec<Area>, names: Option<CodeNames>) -> Vec<Area> {
    let Some(Column::Text(texts)) = table.column("REF_AREA") else { return Vec::new() };
    let named: BTreeMap<String, Area> = named.into_iter().map(|area| (area.code.clone(), area)).collect();
    let area = |code: &String| {
        // A code in no list, such as the region AT11, is its own name.
        let unnamed = || Area { code: code.clone(), name: code.clone(), aggregate: false };
        // The name in the file has precedence over the built-in one.
        let mut area = named.get(code).cloned().or_else(|| areas::area_by_code(code)).unwrap_or_else(unnamed);
        if let Some(name) = names.as_ref().and_then(|names| names.get(code)).filter(|name| *name != code) {
            area.name.clone_from(name);
        }
        area.name = shorten_name(&area.name);
        area
    };
    texts.dictionary().iter().filter(|code| is_code(code)).map(area).collect()
}

/// Whether a text of a table has the form of a code in a code list of a data set.
fn is_code(text: &str) -> bool {
    Line::<CODE_BYTES_MAX>::new(text).is_ok()
}

/// Bytes of a code in a code list of a data set.
const CODE_BYTES_MAX: usize = 64;
/// Bytes of a name in a code list of a data set.
const NAME_BYTES_MAX: usize = 256;

/// The code lists of the other dimensions: the codes in the table with their names. A list beyond the
/// bounds of a data set is omitted.
fn code_lists(table: &Table, names: BTreeMap<String, CodeNames>, areas: usize) -> BTreeMap<Name, CodeNames> {
    let mut lists = BTreeMap::new();
    let mut room = CODES_MAX.saturating_sub(areas);
    for (dimension, names) in names {
        let (Some(Column::Text(texts)), Ok(id)) = (table.column(&dimension), Name::new(dimension.as_str()))
        else {
            continue;
        };
        let coded = texts.dictionary().iter().all(|code| is_code(code));
        // Rather a data set without this list than none.
        let coded = coded && texts.dictionary().len() <= room;
        let used = |code: &String| (code.clone(), shorten_name(names.get(code).unwrap_or(code)));
        // A list that only repeats its codes carries no information.
        if coded && names.iter().any(|(code, name)| code != name) {
            room -= texts.dictionary().len();
            lists.insert(id, texts.dictionary().iter().map(used).collect());
        }
    }
    lists
}

/// Makes a name fit for a code list: on one line, and cut after `NAME_BYTES_MAX`.
pub(crate) fn shorten_name(name: &str) -> String {
    let mut text = to_line(name);
    if text.len() > NAME_BYTES_MAX {
        let end = (0..=NAME_BYTES_MAX - '…'.len_utf8()).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_beyond_the_bound_are_omitted() {
        let (mut builder, mut names) =
            (crate::build::observations::ObservationBuilder::new(&["OBS_VALUE"]), BTreeMap::new());
        let positions = ["A", "B"].map(|id| builder.column_index(id).unwrap());
        for at in 0..CODES_MAX {
            for position in positions {
                builder.set_value(position, &format!("c{at}"));
            }
            builder.push(None, &[schemas::decimal::Decimal::new(1, 0).ok()], false, 1).unwrap();
        }
        for id in ["A", "B"] {
            names.insert(id.to_owned(), CodeNames::from([("c1".to_owned(), "one".to_owned())]));
        }
        let (table, _) = builder.into_table(&positions, &[]).unwrap();
        let kept =
            |areas| code_lists(&table, names.clone(), areas).keys().map(Name::to_string).collect::<Vec<_>>();
        assert_eq!((kept(0), kept(1)), (vec!["A".to_owned()], Vec::new()));
    }

    #[test]
    fn names_fit_a_code_list() {
        let long = shorten_name(&"é".repeat(200));
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("é…"));
        assert_eq!(shorten_name(" a\nb\u{200b} "), "a b");
    }
}

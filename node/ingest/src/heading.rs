//! What an importer says about a file, beside its table.

use std::collections::BTreeMap;

use schemas::limits::CELL_BYTES_MAX;
use schemas::period::Period;
use schemas::table::{Column, Table};
use schemas::text::{Name, Text};

use crate::areas::{self, Area};
use crate::fault::Fault;
use crate::{Format, Imported, Summary, value};

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
    pub(crate) names: BTreeMap<&'static str, Names>,
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
        self.names.insert(dimension, names);
        self
    }

    /// The file, read.
    pub(crate) fn over(self, (table, mut summary): (Table, Summary)) -> Result<Imported, Fault> {
        let dataflow = value::name(&self.id).ok_or_else(|| {
            Fault::new("name", "expected a file name that says what is in it").value(&self.id)
        })?;
        let title = if self.title.is_empty() { &self.id } else { &self.title };
        let title = Text::<CELL_BYTES_MAX>::new(title.as_str())
            .map_or_else(|_| dataflow.to_string(), |title| title.to_string());
        let areas = listed(&table, self.areas);
        summary.aggregates = areas.iter().filter(|area| area.aggregate).count() as u64;
        summary.notes.extend(self.notes);
        let codes = codes(&table, self.names);
        Ok(Imported {
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
fn listed(table: &Table, named: Vec<Area>) -> Vec<Area> {
    let Some(Column::Text(texts)) = table.column("REF_AREA") else { return Vec::new() };
    let named: BTreeMap<String, Area> = named.into_iter().map(|area| (area.code.clone(), area)).collect();
    let area = |code: &String| {
        let unnamed = || Area { code: code.clone(), name: code.clone(), aggregate: false };
        named.get(code).cloned().or_else(|| areas::known(code)).unwrap_or_else(unnamed)
    };
    texts.dictionary().iter().map(area).collect()
}

/// The names of those codes that the table has, where they may stand in an object.
fn codes(table: &Table, names: BTreeMap<&'static str, Names>) -> BTreeMap<Name, Names> {
    let mut lists = BTreeMap::new();
    for (dimension, names) in names {
        let (Some(Column::Text(texts)), Ok(id)) = (table.column(dimension), Name::new(dimension)) else {
            continue;
        };
        let used = |code: &String| {
            let name = names.get(code).filter(|name| value::label(name).is_ok() && !name.is_empty());
            (code.clone(), name.unwrap_or(code).clone())
        };
        if !names.is_empty() {
            lists.insert(id, texts.dictionary().iter().map(used).collect());
        }
    }
    lists
}

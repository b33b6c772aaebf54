//! `families.toml`: which recipe on which files gives the figures of which rows.

use std::collections::BTreeMap;
use std::path::Path;

use ingest::Mapping;
use schemas::object::Recipe;
use serde::Deserialize;

use super::row::Row;

/// The rows of one source and method.
#[derive(Debug, Clone)]
pub struct Family {
    /// As in the rows.
    pub name: String,
    /// The runs that give its figures: the first one that fits a row is taken.
    pub runs: Vec<Run>,
}

/// A recipe on files.
#[derive(Debug, Clone)]
pub struct Run {
    /// What is stated.
    stated: Stated,
    /// The recipe; that its files are sound is known when it is run.
    pub recipe: Recipe,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: Vec<StatedFamily>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatedFamily {
    name: String,
    run: Vec<Stated>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    /// Only rows of this measure.
    measure: Option<String>,
    /// Only rows of this area.
    area: Option<String>,
    /// Only rows whose `how` contains this.
    how: Option<String>,
    recipe: String,
    output: String,
    #[serde(default = "value")]
    component: String,
    /// What the data call the area of the rows.
    #[serde(default = "area")]
    area_is: String,
    /// What stands before the code of the area in the rows.
    #[serde(default)]
    area_prefix: String,
    /// The codes of areas in the data, where the table of checks has others.
    #[serde(default)]
    areas: BTreeMap<String, String>,
    /// Identifiers beside area and period.
    #[serde(default)]
    key: BTreeMap<String, String>,
    inputs: BTreeMap<String, Input>,
}

fn value() -> String {
    "OBS_VALUE".to_owned()
}

fn area() -> String {
    "REF_AREA".to_owned()
}

/// A file for an input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The file, in the folder of data.
    pub file: String,
    /// The format by its word; recognised when absent.
    pub format: Option<String>,
    /// How its columns are read, when it has no format of its own.
    pub mapping: Option<Mapping>,
}

impl Run {
    /// Whether a row is one of its figures.
    pub fn fits(&self, row: &Row) -> bool {
        let equal =
            |stated: &Option<String>, found: &str| stated.as_deref().is_none_or(|stated| stated == found);
        equal(&self.stated.measure, &row.measure)
            && equal(&self.stated.area, &row.ref_area)
            && self.stated.how.as_deref().is_none_or(|how| row.how.contains(how))
    }

    /// Whether two runs compute the same.
    pub fn same_work(&self, other: &Run) -> bool {
        self.stated.recipe == other.stated.recipe && self.stated.inputs == other.stated.inputs
    }

    /// The files by input.
    pub fn inputs(&self) -> &BTreeMap<String, Input> {
        &self.stated.inputs
    }

    /// The output and the component that hold the figure.
    pub fn place(&self) -> (&str, &str) {
        (&self.stated.output, &self.stated.component)
    }

    /// What an identifier must be in the data point of a row; a period is compared as a period.
    pub fn wanted<'r>(&'r self, identifier: &str, row: &'r Row) -> Option<&'r str> {
        match identifier {
            "TIME_PERIOD" => Some(&row.period),
            _ if identifier == self.stated.area_is => match self.stated.areas.get(&row.ref_area) {
                Some(code) => Some(code),
                None => row.ref_area.strip_prefix(self.stated.area_prefix.as_str()),
            },
            _ => self.stated.key.get(identifier).map(String::as_str),
        }
    }
}

/// Reads the families of a folder.
///
/// # Errors
/// When the file or a recipe that it names is broken.
pub fn read(folder: &Path) -> Result<Vec<Family>, String> {
    let path = folder.join("families.toml");
    let text = text(&path)?;
    let file: File = toml::from_str(&text).map_err(|fault| format!("{}: {fault}", path.display()))?;
    let run = |stated: Stated| Ok(Run { recipe: recipe(folder, &stated.recipe)?, stated });
    let family = |family: StatedFamily| {
        Ok(Family {
            name: family.name,
            runs: family.run.into_iter().map(run).collect::<Result<_, String>>()?,
        })
    };
    file.family.into_iter().map(family).collect()
}

/// A recipe of the library, or one beside the families.
fn recipe(folder: &Path, name: &str) -> Result<Recipe, String> {
    if let Some(entry) = recipes::find(name) {
        return entry.recipe().map_err(|fault| fault.to_string());
    }
    let toml = text(&folder.join(name).with_extension("toml"))?;
    let script = text(&folder.join(name).with_extension("vtl"))?;
    recipes::read(name, &toml, &script).map(|read| read.recipe).map_err(|fault| fault.to_string())
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

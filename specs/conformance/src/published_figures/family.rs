//! `families.toml`: the recipe and the files for each family of published figures.

use std::collections::BTreeMap;
use std::path::Path;

use ingest::Mapping;
use schemas::decimal::Decimal;
use schemas::object::Recipe;
use serde::Deserialize;

use super::figure::PublishedFigure;

/// The rows of one source and method.
#[derive(Debug, Clone)]
pub struct FigureFamily {
    /// Name, as in the rows.
    pub name: String,
    /// Runs of the family; the first one that covers a row is used.
    pub runs: Vec<RecipeRun>,
}

/// A computed series and the official one that it is compared with.
#[derive(Debug, Clone)]
pub struct OfficialSeries {
    /// A short name.
    pub name: String,
    /// Title: both sides of the comparison.
    pub title: String,
    /// Decimal places to which both are rounded.
    pub decimals: u32,
    /// Largest expected gap, in the unit of the figures.
    pub within: Decimal,
    /// Only periods of these years; all when empty.
    pub years: Vec<String>,
    /// The official series.
    pub official: InputFile,
    /// Run that computes the series.
    pub run: RecipeRun,
}

/// A recipe on files.
#[derive(Debug, Clone)]
pub struct RecipeRun {
    /// The run as written in the file.
    stated: RunSpec,
    /// The parsed recipe; its script is checked when it runs.
    pub recipe: Recipe,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamiliesFile {
    family: Vec<FamilySpec>,
    #[serde(default)]
    official: Vec<SeriesSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesSpec {
    name: String,
    title: String,
    decimals: u32,
    within: String,
    #[serde(default)]
    years: Vec<String>,
    official: InputFile,
    run: RunSpec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilySpec {
    name: String,
    run: Vec<RunSpec>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunSpec {
    /// Only rows of this measure.
    measure: Option<String>,
    /// Only rows of this area.
    area: Option<String>,
    /// Only rows whose `how` contains this.
    how: Option<String>,
    recipe: String,
    output: String,
    #[serde(default = "default_component")]
    component: String,
    /// Identifier of the data that holds the area of the rows.
    #[serde(default = "default_area")]
    area_is: String,
    /// Prefix of the area codes in the rows, which the data do not have.
    #[serde(default)]
    area_prefix: String,
    /// Area codes of the data by area code of the rows, where they differ.
    #[serde(default)]
    areas: BTreeMap<String, String>,
    /// Values of the identifiers other than area and period.
    #[serde(default)]
    key: BTreeMap<String, String>,
    inputs: BTreeMap<String, InputFile>,
}

fn default_component() -> String {
    "OBS_VALUE".to_owned()
}

fn default_area() -> String {
    "REF_AREA".to_owned()
}

/// A file that is imported for an input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Path in the folder of data.
    pub file: String,
    /// Content of the file, for figures that a source states in prose only.
    pub text: Option<String>,
    /// Format word; detected when absent.
    pub format: Option<String>,
    /// Column mapping, for files of the general format.
    pub mapping: Option<Mapping>,
}

impl RecipeRun {
    /// Whether a row is a figure of this run.
    pub fn covers(&self, row: &PublishedFigure) -> bool {
        let equal =
            |stated: &Option<String>, found: &str| stated.as_deref().is_none_or(|stated| stated == found);
        equal(&self.stated.measure, &row.measure)
            && equal(&self.stated.area, &row.ref_area)
            && self.stated.how.as_deref().is_none_or(|how| row.how.contains(how))
    }

    /// Whether two runs have the same recipe and inputs.
    pub fn same_work(&self, other: &RecipeRun) -> bool {
        self.stated.recipe == other.stated.recipe && self.stated.inputs == other.stated.inputs
    }

    /// Files by input.
    pub fn inputs(&self) -> &BTreeMap<String, InputFile> {
        &self.stated.inputs
    }

    /// Output and component of the figure.
    pub fn figure_component(&self) -> (&str, &str) {
        (&self.stated.output, &self.stated.component)
    }

    /// Expected value of an identifier in the data point of a row. Periods are compared by value, not as
    /// text.
    pub fn expected_key<'r>(&'r self, identifier: &str, row: &'r PublishedFigure) -> Option<&'r str> {
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
/// `families.toml` or one of its recipes cannot be read.
pub fn read_families(folder: &Path) -> Result<Vec<FigureFamily>, String> {
    let run = |stated: RunSpec| load_run(folder, stated);
    let family = |family: FamilySpec| {
        Ok(FigureFamily {
            name: family.name,
            runs: family.run.into_iter().map(run).collect::<Result<_, String>>()?,
        })
    };
    read_families_file(folder)?.family.into_iter().map(family).collect()
}

/// Reads the official series of a folder.
///
/// # Errors
/// As [`read_families`].
pub fn read_series(folder: &Path) -> Result<Vec<OfficialSeries>, String> {
    let series = |stated: SeriesSpec| {
        let SeriesSpec { name, title, decimals, years, official, .. } = stated;
        let within = stated.within.parse().map_err(|_| format!("`{}` is not a number", stated.within))?;
        Ok(OfficialSeries {
            name,
            title,
            decimals,
            within,
            years,
            official,
            run: load_run(folder, stated.run)?,
        })
    };
    read_families_file(folder)?.official.into_iter().map(series).collect()
}

fn read_families_file(folder: &Path) -> Result<FamiliesFile, String> {
    let path = folder.join("families.toml");
    toml::from_str(&read_text(&path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn load_run(folder: &Path, stated: RunSpec) -> Result<RecipeRun, String> {
    Ok(RecipeRun { recipe: load_recipe(folder, &stated.recipe)?, stated })
}

/// A recipe of the library, or one beside the families.
fn load_recipe(folder: &Path, name: &str) -> Result<Recipe, String> {
    if let Some(entry) = recipes::find_recipe(name) {
        return entry.recipe().map_err(|error| error.to_string());
    }
    let toml = read_text(&folder.join(name).with_extension("toml"))?;
    let script = read_text(&folder.join(name).with_extension("vtl"))?;
    recipes::read_recipe(name, &toml, &script).map(|read| read.recipe).map_err(|error| error.to_string())
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

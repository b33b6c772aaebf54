//! `families.toml`: which recipe on which files gives the figures of which rows.

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
    /// As in the rows.
    pub name: String,
    /// The runs that give its figures: the first one that fits a row is taken.
    pub runs: Vec<RecipeRun>,
}

/// A whole series and the official one that it is held against.
#[derive(Debug, Clone)]
pub struct OfficialSeries {
    /// A short name.
    pub name: String,
    /// What is compared with what.
    pub title: String,
    /// Decimals to which both are rounded.
    pub decimals: u32,
    /// The largest gap that is as expected, in the unit of the figures.
    pub within: Decimal,
    /// Only periods of these years; all when empty.
    pub years: Vec<String>,
    /// The official series.
    pub official: InputFile,
    /// What gives ours.
    pub run: RecipeRun,
}

/// A recipe on files.
#[derive(Debug, Clone)]
pub struct RecipeRun {
    /// What is stated.
    stated: RunSpec,
    /// The recipe; that its files are sound is known when it is run.
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
    /// What the data call the area of the rows.
    #[serde(default = "default_area")]
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
    inputs: BTreeMap<String, InputFile>,
}

fn default_component() -> String {
    "OBS_VALUE".to_owned()
}

fn default_area() -> String {
    "REF_AREA".to_owned()
}

/// A file for an input.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// The file, in the folder of data.
    pub file: String,
    /// What it says, when it is not in that folder: a figure that is stated in words somewhere.
    pub text: Option<String>,
    /// The format by its word; recognised when absent.
    pub format: Option<String>,
    /// How its columns are read, when it has no format of its own.
    pub mapping: Option<Mapping>,
}

impl RecipeRun {
    /// Whether a row is one of its figures.
    pub fn covers(&self, row: &PublishedFigure) -> bool {
        let equal =
            |stated: &Option<String>, found: &str| stated.as_deref().is_none_or(|stated| stated == found);
        equal(&self.stated.measure, &row.measure)
            && equal(&self.stated.area, &row.ref_area)
            && self.stated.how.as_deref().is_none_or(|how| row.how.contains(how))
    }

    /// Whether two runs compute the same.
    pub fn same_work(&self, other: &RecipeRun) -> bool {
        self.stated.recipe == other.stated.recipe && self.stated.inputs == other.stated.inputs
    }

    /// The files by input.
    pub fn inputs(&self) -> &BTreeMap<String, InputFile> {
        &self.stated.inputs
    }

    /// The output and the component that hold the figure.
    pub fn figure_component(&self) -> (&str, &str) {
        (&self.stated.output, &self.stated.component)
    }

    /// What an identifier must be in the data point of a row; a period is compared as a period.
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
/// When the file or a recipe that it names is broken.
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

/// Reads the whole series of a folder.
///
/// # Errors
/// As [`read`].
pub fn read_series(folder: &Path) -> Result<Vec<OfficialSeries>, String> {
    let series = |stated: SeriesSpec| {
        let SeriesSpec { name, title, decimals, years, official, .. } = stated;
        let within = stated.within.parse().map_err(|_| format!("`{}` is no number", stated.within))?;
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
    toml::from_str(&read_text(&path)?).map_err(|fault| format!("{}: {fault}", path.display()))
}

fn load_run(folder: &Path, stated: RunSpec) -> Result<RecipeRun, String> {
    Ok(RecipeRun { recipe: load_recipe(folder, &stated.recipe)?, stated })
}

/// A recipe of the library, or one beside the families.
fn load_recipe(folder: &Path, name: &str) -> Result<Recipe, String> {
    if let Some(entry) = recipes::find_recipe(name) {
        return entry.recipe().map_err(|fault| fault.to_string());
    }
    let toml = read_text(&folder.join(name).with_extension("toml"))?;
    let script = read_text(&folder.join(name).with_extension("vtl"))?;
    recipes::read_recipe(name, &toml, &script).map(|read| read.recipe).map_err(|fault| fault.to_string())
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

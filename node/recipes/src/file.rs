//! The recipe file: TOML next to a script.
//!
//! ```toml
//! title = "Inflation: 12-month change of a consumer price index"
//! indicator = "inflation"
//! description = "…"
//! licence = "CC0-1.0"
//! headline = true            # whether it is the default recipe of its indicator
//! references = ["a description of the official method"]
//! script = "my.vtl"          # the file of the same name with `.vtl` when absent
//!
//! [inputs.CPI]
//! title = "Consumer price index, monthly"
//! frequency = "M"            # of the periods, when the method needs a certain one
//! identifiers = ["REF_AREA", "TIME_PERIOD:time_period"]
//! measures = ["OBS_VALUE:number"]
//!
//! [outputs.INFLATION]
//! title = "Inflation"
//! unit = "per cent"
//!
//! [parameters.PLACES]        # a scalar that the script sets: `PLACES := 1;`
//! title = "decimals of the result"
//! value = "1"
//!
//! [deviates_from]
//! recipe = "inflation/cpi-12-month"   # name in the library, or id of a published recipe
//! reasons = ["why"]
//! ```

use std::collections::BTreeMap;

use schemas::cid::RecipeId;
use schemas::content::encode_block;
use schemas::object::{Deviation, Recipe, RecipeInput, RecipeOutput, RunLimits};
use schemas::period::Frequency;
use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::text::{Name, Text};
use serde::Deserialize;

/// Resource limits of a recipe whose file has none: many times a world panel of a century.
pub const DEFAULT_LIMITS: RunLimits = RunLimits { steps: 1_000_000_000, cells: 100_000_000 };

/// Version of the semantics of every recipe file.
const SEMANTICS: u32 = 1;

/// Rejection of a recipe file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Invalid TOML, or not the fields of a recipe.
    #[error("`{name}`: {message}")]
    Toml {
        /// The recipe.
        name: String,
        /// The message of the TOML parser, with line and column.
        message: String,
    },
    /// A name or text that objects do not allow.
    #[error("`{name}`: {message}")]
    Text {
        /// The recipe.
        name: String,
        /// Error message.
        message: String,
    },
    /// A component of unknown type, or an invalid list of components.
    #[error("`{name}`, input `{input}`: {message}")]
    Structure {
        /// The recipe.
        name: String,
        /// The input.
        input: String,
        /// Error message.
        message: String,
    },
    /// A parameter that the script does not set to the declared value.
    #[error("`{name}`: the script has no line `{parameter} := {value};`")]
    RecipeParameter {
        /// The recipe.
        name: String,
        /// The parameter.
        parameter: String,
        /// The declared value.
        value: String,
    },
    /// A requested value that the parameter cannot have.
    #[error("parameter `{parameter}`: {message}")]
    Setting {
        /// The parameter.
        parameter: String,
        /// Error message.
        message: String,
    },
    /// `deviates_from` names neither a recipe of the library nor an id.
    #[error("`{name}` deviates from `{base}`, which is neither a recipe of the library nor an id")]
    Base {
        /// The recipe.
        name: String,
        /// The unknown recipe.
        base: String,
    },
}

/// A recipe with the fields of its file that are not part of the published object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeFile {
    /// The recipe object.
    pub recipe: Recipe,
    /// The recipe it deviates from, as named in the file.
    pub deviates_from: Option<String>,
    /// The adjustable scalars of the script, by name.
    pub parameters: BTreeMap<String, RecipeParameter>,
    /// The frequency required by the method, by input.
    pub frequencies: BTreeMap<Name, Frequency>,
    /// Whether it is the default recipe of its indicator.
    pub headline: bool,
}

impl RecipeFile {
    /// A published recipe, whose file is not available.
    pub fn from_recipe(recipe: Recipe) -> Self {
        let (parameters, frequencies) = (BTreeMap::new(), BTreeMap::new());
        Self { recipe, deviates_from: None, parameters, frequencies, headline: false }
    }
}

/// An adjustable scalar of a script.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeParameter {
    /// Description of its effect.
    pub title: String,
    /// Its value in the script.
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlRecipe {
    title: String,
    indicator: String,
    description: String,
    licence: String,
    #[serde(default)]
    headline: bool,
    script: Option<String>,
    #[serde(default)]
    references: Vec<String>,
    limits: Option<TomlLimits>,
    inputs: BTreeMap<String, TomlInput>,
    outputs: BTreeMap<String, TomlOutput>,
    #[serde(default)]
    parameters: BTreeMap<String, RecipeParameter>,
    deviates_from: Option<TomlDeviation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlLimits {
    steps: u64,
    cells: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlInput {
    title: String,
    frequency: Option<String>,
    identifiers: Vec<String>,
    #[serde(default)]
    measures: Vec<String>,
    #[serde(default)]
    attributes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlOutput {
    title: String,
    unit: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlDeviation {
    recipe: String,
    reasons: Vec<String>,
}

/// The script file named by a recipe file, if any.
///
/// # Errors
/// [`Error::Toml`].
pub fn script_file_name(name: &str, toml: &str) -> Result<Option<String>, Error> {
    Ok(parse_toml(name, toml)?.script)
}

/// Reads the two files of a recipe; `name` is used in error messages. The script is not checked.
///
/// # Errors
/// [`Error`].
pub fn read_recipe(name: &str, toml: &str, script: &str) -> Result<RecipeFile, Error> {
    let file = parse_toml(name, toml)?;
    // The script is part of the id: a checkout with other line ends must not change it.
    let script = script.replace("\r\n", "\n");
    for (parameter, RecipeParameter { value, .. }) in &file.parameters {
        // Another value replaces exactly this line, so the script must have it in this spelling.
        if !script.lines().any(|line| line.starts_with(&format!("{parameter} := {value};"))) {
            let (parameter, value) = (parameter.clone(), value.clone());
            return Err(Error::RecipeParameter { name: name.to_owned(), parameter, value });
        }
    }
    let base =
        file.deviates_from.as_ref().map(|deviation| resolve_base(name, &deviation.recipe)).transpose()?;
    let deviates_from = file.deviates_from.as_ref().map(|deviation| deviation.recipe.clone());
    let parameters = file.parameters.clone();
    let inputs = read_inputs(name, &file.inputs)?;
    let (frequencies, headline) = (read_frequencies(name, &file.inputs)?, file.headline);
    let recipe = build_recipe(file, script, inputs, base)
        .map_err(|message| Error::Text { name: name.to_owned(), message: message.to_string() })?;
    Ok(RecipeFile { recipe, deviates_from, parameters, frequencies, headline })
}

fn parse_toml(name: &str, toml: &str) -> Result<TomlRecipe, Error> {
    toml::from_str(toml).map_err(|fault| Error::Toml { name: name.to_owned(), message: fault.to_string() })
}

/// Resolves `deviates_from` to an id.
fn resolve_base(name: &str, base: &str) -> Result<RecipeId, Error> {
    if let Ok(id) = base.parse() {
        return Ok(id);
    }
    let absent = || Error::Base { name: name.to_owned(), base: base.to_owned() };
    // Recipes of the library may deviate from each other, but not in a cycle; a test reads them all.
    let recipe = crate::find_recipe(base).filter(|entry| entry.name != name).ok_or_else(absent)?.recipe()?;
    encode_block(&recipe).map(|(id, _)| id).map_err(|_| absent())
}

fn read_inputs(
    name: &str,
    files: &BTreeMap<String, TomlInput>,
) -> Result<BTreeMap<String, ComponentList>, Error> {
    files.iter().map(|(id, input)| Ok((id.clone(), read_components(name, id, input)?))).collect()
}

fn read_frequencies(
    name: &str,
    files: &BTreeMap<String, TomlInput>,
) -> Result<BTreeMap<Name, Frequency>, Error> {
    let stated = files.iter().filter_map(|(id, input)| Some((id, input.frequency.as_ref()?)));
    stated
        .map(|(id, code)| {
            let fault = |message| Error::Structure { name: name.to_owned(), input: id.clone(), message };
            let frequency = Frequency::from_code(code);
            let frequency = frequency
                .ok_or_else(|| fault(format!("`{code}` is not a frequency (expected A, S, Q, M, W or D)")))?;
            Ok((Name::new(id.as_str()).map_err(|error| fault(error.to_string()))?, frequency))
        })
        .collect()
}

fn build_recipe(
    file: TomlRecipe,
    script: String,
    mut shapes: BTreeMap<String, ComponentList>,
    base: Option<RecipeId>,
) -> Result<Recipe, schemas::text::Error> {
    let mut inputs = BTreeMap::new();
    for (id, input) in file.inputs {
        // INVARIANT: `shapes` was read from the same inputs, so none is skipped.
        let Some(components) = shapes.remove(&id) else { continue };
        inputs.insert(Name::new(id)?, RecipeInput { title: Text::new(input.title)?, components });
    }
    let mut outputs = BTreeMap::new();
    for (id, output) in file.outputs {
        let output = RecipeOutput { title: Text::new(output.title)?, unit: Text::new(output.unit)? };
        outputs.insert(Name::new(id)?, output);
    }
    let deviation = file.deviates_from.zip(base).map(|(deviation, recipe)| {
        let reasons = deviation.reasons.into_iter().map(Text::new).collect::<Result<_, _>>()?;
        Ok(Deviation { recipe, reasons })
    });
    Ok(Recipe {
        title: Text::new(file.title)?,
        indicator: Name::new(file.indicator)?,
        script: Text::new(script)?,
        inputs,
        outputs,
        semantics: SEMANTICS,
        limits: file
            .limits
            .map_or(DEFAULT_LIMITS, |limits| RunLimits { steps: limits.steps, cells: limits.cells }),
        // A multi-line string of TOML ends in a line feed, which is not part of the text.
        description: Text::new(file.description.trim())?,
        references: file.references.into_iter().map(Text::new).collect::<Result<_, _>>()?,
        licence: Text::new(file.licence)?,
        deviates_from: deviation.transpose()?,
    })
}

fn read_components(name: &str, id: &str, input: &TomlInput) -> Result<ComponentList, Error> {
    let fault = |message: String| Error::Structure { name: name.to_owned(), input: id.to_owned(), message };
    let groups = [
        (Role::Identifier, &input.identifiers),
        (Role::Measure, &input.measures),
        (Role::Attribute, &input.attributes),
    ];
    let mut components = Vec::new();
    for (role, texts) in groups {
        for text in texts {
            let (component, kind) = text.split_once(':').unwrap_or((text, "string"));
            let kind = ValueType::from_name(kind).ok_or_else(|| fault(format!("`{kind}` is not a type")))?;
            let component = Name::new(component).map_err(|error| fault(error.to_string()))?;
            components.push(Component::new(component, role, kind));
        }
    }
    ComponentList::new(components).map_err(|error| fault(error.to_string()))
}

//! Recipe files: a TOML file beside a VTL script, and those that come with the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::vtl;
use schemas::object::{Input, Limits, Output, Recipe};
use schemas::structure::{Component, Role, Shape, Type};
use schemas::text::{Name, Text};
use serde::Deserialize;

use crate::fault::Fault;
use crate::source;

/// What a recipe may use when its file does not say it: a world panel of a century, many times.
const LIMITS: Limits = Limits { steps: 1_000_000_000, cells: 100_000_000 };

macro_rules! built_in {
    ($($name:literal),*) => {
        /// Name, TOML and script of each recipe that comes with the program.
        const BUILT_IN: &[(&str, &str, &str)] = &[$((
            $name,
            include_str!(concat!("../recipes/", $name, ".toml")),
            include_str!(concat!("../recipes/", $name, ".vtl")),
        )),*];
    };
}

built_in!("gdp-growth", "inflation-12-month", "inflation-annual", "unemployment-rate");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    measure: String,
    description: String,
    licence: String,
    script: String,
    #[serde(default)]
    references: Vec<String>,
    limits: Option<FileLimits>,
    inputs: BTreeMap<String, FileInput>,
    outputs: BTreeMap<String, FileOutput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLimits {
    steps: u64,
    cells: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileInput {
    title: String,
    identifiers: Vec<String>,
    #[serde(default)]
    measures: Vec<String>,
    #[serde(default)]
    attributes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOutput {
    title: String,
    unit: String,
}

/// Names and titles of the recipes that come with the program.
///
/// # Errors
/// When one of them is broken, which a test rules out.
pub fn built_in() -> Result<Vec<(&'static str, Recipe)>, Fault> {
    BUILT_IN.iter().map(|(name, toml, script)| Ok((*name, recipe(name, toml, script)?))).collect()
}

/// Reads a recipe by file or by the name of one that comes with the program.
///
/// # Errors
/// Where the file is wrong; the script is not checked yet.
pub fn open(name: &str) -> Result<Recipe, Fault> {
    if let Some((name, toml, script)) = BUILT_IN.iter().find(|(known, ..)| *known == name) {
        return recipe(name, toml, script);
    }
    let path = Path::new(name);
    if !path.exists() {
        let known: Vec<&str> = BUILT_IN.iter().map(|(name, ..)| *name).collect();
        let message = format!("`{name}` is neither a recipe file nor the name of a recipe");
        return Err(
            Fault::absent(message).hint(format!("recipes that come with the program: {}", known.join(", ")))
        );
    }
    if script(name) {
        let hint = "name the TOML file that describes the script's inputs and outputs, or give the inputs: `--input NAME=FILE`";
        return Err(Fault::usage("recipe", format!("`{name}` is a script, not a recipe file")).hint(hint));
    }
    let toml = text(path)?;
    let file: File = parse(name, &toml)?;
    let script = path.parent().unwrap_or(Path::new("")).join(&file.script);
    build(name, file, &text(&script)?)
}

/// Whether a name is that of a script.
pub fn script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "vtl")
}

/// A recipe by name or file; or a bare script, whose inputs are the files given and whose outputs are
/// what it assigns with `<-`.
///
/// # Errors
/// As [`open`]; a script without inputs is one.
pub fn opened(name: &str, inputs: &BTreeMap<Name, ledger::compute::Source>) -> Result<Recipe, Fault> {
    let path = Path::new(name);
    if !script(name) || inputs.is_empty() {
        return open(name);
    }
    let source = text(path)?;
    let output = || Ok::<Output, Fault>(Output { title: Text::new("")?, unit: Text::new("")? });
    // A script that cannot be read has no outputs; its check says why.
    let outputs: Vec<String> = vtl::Script::parse(&source)
        .map(|script| script.outputs().into_iter().map(str::to_owned).collect())
        .unwrap_or_default();
    let given = |source: &ledger::compute::Source| {
        Ok::<Input, Fault>(Input { title: Text::new("")?, components: source.table.shape().clone() })
    };
    Ok(Recipe {
        title: Text::new(
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        )?,
        measure: Name::new("draft")?,
        script: Text::new(source.replace("\r\n", "\n"))?,
        inputs: inputs
            .iter()
            .map(|(name, source)| Ok((name.clone(), given(source)?)))
            .collect::<Result<_, Fault>>()?,
        outputs: outputs
            .into_iter()
            .map(|name| Ok((Name::new(name)?, output()?)))
            .collect::<Result<_, Fault>>()?,
        semantics: vtl::SEMANTICS,
        limits: LIMITS,
        description: Text::new("")?,
        references: Vec::new(),
        licence: Text::new("")?,
        deviates_from: None,
    })
}

/// The script of a recipe file, or the script itself.
///
/// # Errors
/// When the file is not there or is no recipe file.
pub fn script_of(path: &Path) -> Result<PathBuf, Fault> {
    if path.extension().is_some_and(|extension| extension == "vtl") {
        return Ok(path.to_owned());
    }
    let file: File = parse(&path.display().to_string(), &text(path)?)?;
    Ok(path.parent().unwrap_or(Path::new("")).join(&file.script))
}

fn recipe(name: &str, toml: &str, script: &str) -> Result<Recipe, Fault> {
    build(name, parse(name, toml)?, script)
}

fn text(path: &Path) -> Result<String, Fault> {
    let bytes = source::read(path)?;
    String::from_utf8(bytes)
        .map_err(|_| Fault::usage("recipe", format!("`{}` is not UTF-8 text", path.display())))
}

fn parse(name: &str, toml: &str) -> Result<File, Fault> {
    toml::from_str(toml).map_err(|fault| Fault::usage("recipe", format!("`{name}`: {fault}")))
}

fn build(name: &str, file: File, script: &str) -> Result<Recipe, Fault> {
    let mut inputs = BTreeMap::new();
    for (id, input) in file.inputs {
        let components = shape(name, &id, &input)?;
        inputs.insert(Name::new(id)?, Input { title: Text::new(input.title)?, components });
    }
    let mut outputs = BTreeMap::new();
    for (id, output) in file.outputs {
        let output = Output { title: Text::new(output.title)?, unit: Text::new(output.unit)? };
        outputs.insert(Name::new(id)?, output);
    }
    Ok(Recipe {
        title: Text::new(file.title)?,
        measure: Name::new(file.measure)?,
        script: Text::new(script.replace("\r\n", "\n"))?,
        inputs,
        outputs,
        semantics: vtl::SEMANTICS,
        limits: file.limits.map_or(LIMITS, |limits| Limits { steps: limits.steps, cells: limits.cells }),
        description: Text::new(file.description.trim())?,
        references: file.references.into_iter().map(Text::new).collect::<Result<_, _>>()?,
        licence: Text::new(file.licence)?,
        deviates_from: None,
    })
}

fn shape(name: &str, id: &str, input: &FileInput) -> Result<Shape, Fault> {
    let groups = [
        (Role::Identifier, &input.identifiers),
        (Role::Measure, &input.measures),
        (Role::Attribute, &input.attributes),
    ];
    let mut components = Vec::new();
    for (role, texts) in groups {
        for text in texts {
            let (component, kind) = text.split_once(':').unwrap_or((text, "string"));
            let kind = Type::from_word(kind).ok_or_else(|| {
                let message = format!("`{name}`, input `{id}`: `{kind}` is no type");
                Fault::usage("recipe", message)
                    .hint("types: string, integer, number, boolean, time_period, date, time, duration")
            })?;
            components.push(Component::new(Name::new(component)?, role, kind));
        }
    }
    Shape::new(components).map_err(|fault| Fault::usage("recipe", format!("`{name}`, input `{id}`: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipes_of_the_program_check() {
        for (name, recipe) in built_in().unwrap() {
            if let Err(fault) = ledger::compute::check(&recipe) {
                panic!("{name}: {fault}");
            }
        }
    }
}

//! Recipes by name: from the library, from recipe files, and from bare scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::vtl;
use recipes::RecipeFile;
use schemas::object::{Recipe, RecipeInput, RecipeOutput};
use schemas::text::{Name, Text};

use crate::error::CommandError;
use crate::source_document;

impl From<recipes::Error> for CommandError {
    fn from(error: recipes::Error) -> Self {
        let hint = match &error {
            recipes::Error::Structure { .. } => {
                "types: string, integer, number, boolean, time_period, date, time, duration"
            }
            recipes::Error::Base { .. } => "`assay recipe list` lists the recipes of the library",
            recipes::Error::RecipeParameter { .. } => {
                "a parameter is a scalar that the script assigns on a line of its own"
            }
            recipes::Error::Setting { .. } => "`assay recipe show` lists the parameters with their values",
            recipes::Error::Toml { .. } | recipes::Error::Text { .. } => {
                return CommandError::usage("recipe", error.to_string());
            }
        };
        CommandError::usage("recipe", error.to_string()).hint(hint)
    }
}

/// Loads a recipe by its file or its name in the library. The script is not checked.
///
/// # Errors
/// When the recipe is missing or the file is invalid.
pub fn load_recipe(name: &str) -> Result<Recipe, CommandError> {
    Ok(load_recipe_file(name)?.recipe)
}

/// Loads a recipe with the fields of its file that are not part of the published object.
///
/// # Errors
/// As [`load_recipe`].
pub fn load_recipe_file(name: &str) -> Result<RecipeFile, CommandError> {
    // A library name takes precedence; `./name` selects a file of the same name.
    if let Some(entry) = recipes::find_recipe(name) {
        return Ok(entry.read()?);
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(unknown_recipe_error(name));
    }
    if is_script(name) {
        let hint = "name the TOML file that describes its inputs and outputs, or give the inputs with `--input NAME=FILE`";
        return Err(
            CommandError::usage("recipe", format!("`{name}` is a script, not a recipe file")).hint(hint)
        );
    }
    let toml = read_text(path)?;
    let script = read_text(&script_path(path, recipes::script_file_name(name, &toml)?))?;
    Ok(recipes::read_recipe(name, &toml, &script)?)
}

/// Sets parameters (`NAME=VALUE`) in the script of a recipe.
///
/// # Errors
/// When a flag has another form, or the recipe does not accept the value.
pub fn set_parameters(read: RecipeFile, flags: &[String]) -> Result<RecipeFile, CommandError> {
    let pair = |flag: &String| match flag.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(CommandError::usage("set", format!("`{flag}` does not have the form NAME=VALUE"))),
    };
    let values = flags.iter().map(pair).collect::<Result<Vec<_>, CommandError>>()?;
    Ok(read.with_parameters(&values)?)
}

/// The error for a name that is neither a file nor a library recipe.
fn unknown_recipe_error(name: &str) -> CommandError {
    let near = recipes::similar_names(name);
    let hint = match near.as_slice() {
        [] => "`assay recipe list` lists the recipes of the library".to_owned(),
        [only] => format!("did you mean `{only}`?"),
        near => format!("in the library: {}", near.join(", ")),
    };
    CommandError::not_found(format!("`{name}` is neither a recipe file nor a library recipe")).hint(hint)
}

/// Path of the script of a recipe file: the one that it names, or the file of the same stem.
fn script_path(path: &Path, named: Option<String>) -> PathBuf {
    named.map_or_else(|| path.with_extension("vtl"), |name| path.parent().unwrap_or(Path::new("")).join(name))
}

/// Returns whether a name is that of a script.
pub fn is_script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "vtl")
}

/// Loads a recipe by name or file, or makes one of a bare script: its inputs are the given files, its
/// outputs the names that it assigns with `<-`.
///
/// # Errors
/// As [`load_recipe`]; a script without inputs is refused.
pub fn load_recipe_or_script(
    name: &str,
    inputs: &BTreeMap<Name, ledger::compute::InputData>,
) -> Result<Recipe, CommandError> {
    let path = Path::new(name);
    if !is_script(name) || inputs.is_empty() {
        return load_recipe(name);
    }
    let source = read_text(path)?;
    let output =
        || Ok::<RecipeOutput, CommandError>(RecipeOutput { title: Text::new("")?, unit: Text::new("")? });
    // An invalid script gets no outputs here; the check of the recipe reports its errors.
    let outputs: Vec<String> = vtl::Script::parse(&source)
        .map(|script| script.outputs().into_iter().map(str::to_owned).collect())
        .unwrap_or_default();
    let given = |source: &ledger::compute::InputData| {
        Ok::<RecipeInput, CommandError>(RecipeInput {
            title: Text::new("")?,
            components: source.table.shape().clone(),
        })
    };
    Ok(Recipe {
        title: Text::new(
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        )?,
        indicator: Name::new("draft")?,
        // Line ends are normalised, so that the id of a script does not depend on the editor.
        script: Text::new(source.replace("\r\n", "\n"))?,
        inputs: inputs
            .iter()
            .map(|(name, source)| Ok((name.clone(), given(source)?)))
            .collect::<Result<_, CommandError>>()?,
        outputs: outputs
            .into_iter()
            .map(|name| Ok((Name::new(name)?, output()?)))
            .collect::<Result<_, CommandError>>()?,
        semantics: vtl::SEMANTICS_VERSION,
        limits: recipes::DEFAULT_LIMITS,
        description: Text::new("")?,
        references: Vec::new(),
        licence: Text::new("")?,
        deviates_from: None,
    })
}

/// Returns the path of the script of a recipe file, or the script itself.
///
/// # Errors
/// When the file is missing or is not a recipe file.
pub fn find_script(path: &Path) -> Result<PathBuf, CommandError> {
    if path.extension().is_some_and(|extension| extension == "vtl") {
        return Ok(path.to_owned());
    }
    Ok(script_path(path, recipes::script_file_name(&path.display().to_string(), &read_text(path)?)?))
}

fn read_text(path: &Path) -> Result<String, CommandError> {
    let bytes = source_document::read_file(path)?;
    String::from_utf8(bytes)
        .map_err(|_| CommandError::usage("recipe", format!("`{}` is not UTF-8 text", path.display())))
}

//! Recipes by name: those of the library, recipe files, and bare scripts.

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
            recipes::Error::Base { .. } => "`assay recipe list` shows the recipes of the library",
            recipes::Error::RecipeParameter { .. } => {
                "parameters are scalars that the script sets, each in a line of its own"
            }
            recipes::Error::Setting { .. } => "`assay recipe show` lists the parameters and their values",
            recipes::Error::Toml { .. } | recipes::Error::Text { .. } => {
                return CommandError::usage("recipe", error.to_string());
            }
        };
        CommandError::usage("recipe", error.to_string()).hint(hint)
    }
}

/// Reads a recipe by file or by the name of one of the library.
///
/// # Errors
/// Where the file is wrong; the script is not checked yet.
pub fn load_recipe(name: &str) -> Result<Recipe, CommandError> {
    Ok(load_recipe_file(name)?.recipe)
}

/// As [`open`], with what the file says that is not published.
///
/// # Errors
/// As [`open`].
pub fn load_recipe_file(name: &str) -> Result<RecipeFile, CommandError> {
    if let Some(entry) = recipes::find_recipe(name) {
        return Ok(entry.read()?);
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(unknown_recipe_error(name));
    }
    if is_script(name) {
        let hint = "name the TOML file that describes the script's inputs and outputs, or give the inputs: `--input NAME=FILE`";
        return Err(
            CommandError::usage("recipe", format!("`{name}` is a script, not a recipe file")).hint(hint)
        );
    }
    let toml = read_text(path)?;
    let script = read_text(&script_path(path, recipes::script_file_name(name, &toml)?))?;
    Ok(recipes::read_recipe(name, &toml, &script)?)
}

/// Other values for parameters, `NAME=VALUE`, written into the script.
///
/// # Errors
/// When a flag is not of that form, or the recipe cannot have the value.
pub fn set_parameters(read: RecipeFile, flags: &[String]) -> Result<RecipeFile, CommandError> {
    let pair = |flag: &String| match flag.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(CommandError::usage("set", format!("`{flag}` is not of the form NAME=VALUE"))),
    };
    let values = flags.iter().map(pair).collect::<Result<Vec<_>, CommandError>>()?;
    Ok(read.with_parameters(&values)?)
}

/// The error for a name that nothing has.
fn unknown_recipe_error(name: &str) -> CommandError {
    let near = recipes::similar_names(name);
    let hint = match near.as_slice() {
        [] => "`assay recipe list` shows the recipes of the library".to_owned(),
        [only] => format!("did you mean `{only}`?"),
        near => format!("in the library: {}", near.join(", ")),
    };
    CommandError::not_found(format!("`{name}` is neither a recipe file nor the name of a recipe")).hint(hint)
}

/// The script of a recipe file: the one that it names, or the file of the same name.
fn script_path(path: &Path, named: Option<String>) -> PathBuf {
    named.map_or_else(|| path.with_extension("vtl"), |name| path.parent().unwrap_or(Path::new("")).join(name))
}

/// Whether a name is that of a script.
pub fn is_script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "vtl")
}

/// A recipe by name or file; or a bare script, whose inputs are the files given and whose outputs are
/// what it assigns with `<-`.
///
/// # Errors
/// As [`open`]; a script without inputs is one.
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
    // A script that cannot be read has no outputs; its check says why.
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

/// The script of a recipe file, or the script itself.
///
/// # Errors
/// When the file is not there or is no recipe file.
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

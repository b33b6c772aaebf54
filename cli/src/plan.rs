//! Recipes by name: those of the library, recipe files, and bare scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::vtl;
use recipes::RecipeFile;
use schemas::object::{Recipe, RecipeInput, RecipeOutput};
use schemas::text::{Name, Text};

use crate::fault::Fault;
use crate::source;

impl From<recipes::Error> for Fault {
    fn from(fault: recipes::Error) -> Self {
        let hint = match &fault {
            recipes::Error::Structure { .. } => {
                "types: string, integer, number, boolean, time_period, date, time, duration"
            }
            recipes::Error::Base { .. } => "`assay recipe list` shows the recipes of the library",
            recipes::Error::RecipeParameter { .. } => {
                "parameters are scalars that the script sets, each in a line of its own"
            }
            recipes::Error::Setting { .. } => "`assay recipe show` lists the parameters and their values",
            recipes::Error::Toml { .. } | recipes::Error::Text { .. } => {
                return Fault::usage("recipe", fault.to_string());
            }
        };
        Fault::usage("recipe", fault.to_string()).hint(hint)
    }
}

/// Reads a recipe by file or by the name of one of the library.
///
/// # Errors
/// Where the file is wrong; the script is not checked yet.
pub fn open(name: &str) -> Result<Recipe, Fault> {
    Ok(read(name)?.recipe)
}

/// As [`open`], with what the file says that is not published.
///
/// # Errors
/// As [`open`].
pub fn read(name: &str) -> Result<RecipeFile, Fault> {
    if let Some(entry) = recipes::find_recipe(name) {
        return Ok(entry.read()?);
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(unknown(name));
    }
    if script(name) {
        let hint = "name the TOML file that describes the script's inputs and outputs, or give the inputs: `--input NAME=FILE`";
        return Err(Fault::usage("recipe", format!("`{name}` is a script, not a recipe file")).hint(hint));
    }
    let toml = text(path)?;
    let script = text(&beside(path, recipes::script_file_name(name, &toml)?))?;
    Ok(recipes::read_recipe(name, &toml, &script)?)
}

/// Other values for parameters, `NAME=VALUE`, written into the script.
///
/// # Errors
/// When a flag is not of that form, or the recipe cannot have the value.
pub fn set(read: RecipeFile, flags: &[String]) -> Result<RecipeFile, Fault> {
    let pair = |flag: &String| match flag.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(Fault::usage("set", format!("`{flag}` is not of the form NAME=VALUE"))),
    };
    let values = flags.iter().map(pair).collect::<Result<Vec<_>, Fault>>()?;
    Ok(read.with_parameters(&values)?)
}

/// The fault for a name that nothing has.
fn unknown(name: &str) -> Fault {
    let near = recipes::similar_names(name);
    let hint = match near.as_slice() {
        [] => "`assay recipe list` shows the recipes of the library".to_owned(),
        [only] => format!("did you mean `{only}`?"),
        near => format!("in the library: {}", near.join(", ")),
    };
    Fault::absent(format!("`{name}` is neither a recipe file nor the name of a recipe")).hint(hint)
}

/// The script of a recipe file: the one that it names, or the file of the same name.
fn beside(path: &Path, named: Option<String>) -> PathBuf {
    named.map_or_else(|| path.with_extension("vtl"), |name| path.parent().unwrap_or(Path::new("")).join(name))
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
pub fn opened(name: &str, inputs: &BTreeMap<Name, ledger::compute::InputData>) -> Result<Recipe, Fault> {
    let path = Path::new(name);
    if !script(name) || inputs.is_empty() {
        return open(name);
    }
    let source = text(path)?;
    let output = || Ok::<RecipeOutput, Fault>(RecipeOutput { title: Text::new("")?, unit: Text::new("")? });
    // A script that cannot be read has no outputs; its check says why.
    let outputs: Vec<String> = vtl::Script::parse(&source)
        .map(|script| script.outputs().into_iter().map(str::to_owned).collect())
        .unwrap_or_default();
    let given = |source: &ledger::compute::InputData| {
        Ok::<RecipeInput, Fault>(RecipeInput {
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
            .collect::<Result<_, Fault>>()?,
        outputs: outputs
            .into_iter()
            .map(|name| Ok((Name::new(name)?, output()?)))
            .collect::<Result<_, Fault>>()?,
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
pub fn script_of(path: &Path) -> Result<PathBuf, Fault> {
    if path.extension().is_some_and(|extension| extension == "vtl") {
        return Ok(path.to_owned());
    }
    Ok(beside(path, recipes::script_file_name(&path.display().to_string(), &text(path)?)?))
}

fn text(path: &Path) -> Result<String, Fault> {
    let bytes = source::read(path)?;
    String::from_utf8(bytes)
        .map_err(|_| Fault::usage("recipe", format!("`{}` is not UTF-8 text", path.display())))
}

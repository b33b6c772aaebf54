//! The library of recipes: the official methods of the field, and rivals that say what they do
//! otherwise.
//!
//! Each recipe is two files, `<indicator>/<name>.vtl` and a TOML beside it. This crate embeds them and
//! reads the file format ([`read`]), the same for a recipe of the library and one of your own. It
//! checks no script and runs nothing: that is the business of whoever has an engine.

mod file;
mod library;
mod parameter;

use schemas::object::Recipe;

pub use file::{DEFAULT_LIMITS, Error, RecipeFile, RecipeParameter, read_recipe, script_file_name};
pub use library::LIBRARY;

/// One recipe of the library: its name as in `inflation/cpi-12-month`, and its two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LibraryRecipe {
    /// Indicator and name.
    pub name: &'static str,
    /// What it is: title, inputs, outputs, parameters, references, what it deviates from.
    pub toml: &'static str,
    /// What it does.
    pub script: &'static str,
}

impl LibraryRecipe {
    /// The recipe with what its file says beside it.
    ///
    /// # Errors
    /// When the files are broken, which a test rules out.
    pub fn read(&self) -> Result<RecipeFile, Error> {
        read_recipe(self.name, self.toml, self.script)
    }

    /// The recipe as it is published.
    ///
    /// # Errors
    /// As [`Entry::read`].
    pub fn recipe(&self) -> Result<Recipe, Error> {
        Ok(self.read()?.recipe)
    }
}

/// The recipe of this name.
pub fn find_recipe(name: &str) -> Option<&'static LibraryRecipe> {
    LIBRARY.iter().find(|entry| entry.name == name)
}

/// Names that share their indicator or a word of three letters or more with what was asked for.
pub fn similar_names(name: &str) -> Vec<&'static str> {
    let words: Vec<&str> = name.split(['/', '-', '_', ' ']).filter(|word| word.len() > 2).collect();
    let alike = |entry: &&LibraryRecipe| words.iter().any(|word| entry.name.contains(word));
    LIBRARY.iter().filter(alike).map(|entry| entry.name).collect()
}

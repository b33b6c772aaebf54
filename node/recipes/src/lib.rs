//! The library of recipes: official methods, and alternative methods with their deviations.
//!
//! Each recipe is a pair of files, `<indicator>/<name>.vtl` and `<indicator>/<name>.toml`. This crate
//! embeds them and reads the file format ([`read_recipe`]), which user-written recipes share. It neither
//! checks nor runs scripts; that needs the engine.

mod file;
mod library;
mod parameter;

use schemas::object::Recipe;

pub use file::{DEFAULT_LIMITS, Error, RecipeFile, RecipeParameter, read_recipe, script_file_name};
pub use library::LIBRARY;

/// A recipe of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LibraryRecipe {
    /// Indicator and name, such as `inflation/cpi-12-month`.
    pub name: &'static str,
    /// The TOML file: title, inputs, outputs, parameters, references, deviation.
    pub toml: &'static str,
    /// The VTL script.
    pub script: &'static str,
}

impl LibraryRecipe {
    /// Reads the recipe and the other fields of its file.
    ///
    /// # Errors
    /// When the files are invalid, which a test rules out.
    pub fn read(&self) -> Result<RecipeFile, Error> {
        read_recipe(self.name, self.toml, self.script)
    }

    /// Reads the recipe object.
    ///
    /// # Errors
    /// As [`LibraryRecipe::read`].
    pub fn recipe(&self) -> Result<Recipe, Error> {
        Ok(self.read()?.recipe)
    }
}

/// Finds a recipe of the library by name.
pub fn find_recipe(name: &str) -> Option<&'static LibraryRecipe> {
    LIBRARY.iter().find(|entry| entry.name == name)
}

/// Suggestions for an unknown name: recipes that share the indicator or a word of at least three letters.
pub fn similar_names(name: &str) -> Vec<&'static str> {
    let words: Vec<&str> = name.split(['/', '-', '_', ' ']).filter(|word| word.len() > 2).collect();
    let alike = |entry: &&LibraryRecipe| words.iter().any(|word| entry.name.contains(word));
    LIBRARY.iter().filter(alike).map(|entry| entry.name).collect()
}

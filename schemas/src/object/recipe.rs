//! Recipes: complete computations with their inputs and outputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ObjectType;
use crate::cid::RecipeId;
use crate::structure::ComponentList;
use crate::text::{Line, Name, Text};

/// Inputs, and outputs, of one recipe.
pub const PORTS_MAX: usize = 32;
/// References to methodology, and reasons for deviation, in one recipe.
pub const NOTES_MAX: usize = 32;

/// Resource limits of a run. They are part of the recipe, so every machine applies the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLimits {
    /// Steps of the engine.
    pub steps: u64,
    /// Cells of all intermediate results in memory at one time.
    pub cells: u64,
}

/// Requirements on an input of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeInput {
    /// A title for people.
    pub title: Line<256>,
    /// The components that the data set must have (it may have more measures and attributes).
    pub components: ComponentList,
}

/// Description of an output of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeOutput {
    /// A title for people.
    pub title: Line<256>,
    /// Unit of the measures, such as `per cent`.
    pub unit: Line<128>,
}

/// Deviation of a recipe from another one, usually the official one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// The recipe that it deviates from.
    pub recipe: RecipeId,
    /// A reason for each deviation.
    pub reasons: Vec<Text<1024>>,
}

/// A complete computation in VTL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// A title for people.
    pub title: Line<256>,
    /// The indicator that it computes: `inflation`, `unemployment`, `gdp`, …
    pub indicator: Name,
    /// The script.
    pub script: Text<65_536>,
    /// The inputs by the name that the script uses.
    pub inputs: BTreeMap<Name, RecipeInput>,
    /// The persistent results by name.
    pub outputs: BTreeMap<Name, RecipeOutput>,
    /// Version of the engine's semantics.
    pub semantics: u32,
    /// Resource limits of a run.
    pub limits: RunLimits,
    /// Description of the method, for readers.
    pub description: Text<4096>,
    /// References to descriptions of the official method.
    pub references: Vec<Text<512>>,
    /// Licence of the script.
    pub licence: Line<64>,
    /// The recipe that it deviates from, with reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviates_from: Option<Deviation>,
}

impl ObjectType for Recipe {
    const TYPE: &'static str = "recipe";
    type Id = RecipeId;

    fn check_rules(&self) -> Result<(), String> {
        if self.title.as_str().is_empty() {
            return Err("the title of a recipe is empty".into());
        }
        let ports = 1..=PORTS_MAX;
        if !ports.contains(&self.inputs.len()) || !ports.contains(&self.outputs.len()) {
            return Err(format!("a recipe has 1 to {PORTS_MAX} inputs and as many outputs"));
        }
        // A recipe without a deviation needs no reasons; 1 passes the check below.
        let reasons = self.deviates_from.as_ref().map_or(1, |deviation| deviation.reasons.len());
        if self.references.len() > NOTES_MAX || !(1..=NOTES_MAX).contains(&reasons) {
            return Err(format!("a recipe has at most {NOTES_MAX} references, and a deviation has reasons"));
        }
        Ok(())
    }
}

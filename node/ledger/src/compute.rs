//! Computation of figures from a recipe and data sets, shared by publishers and verifiers.
//!
//! Each input is reduced to the components that the recipe declares, so other columns cannot change the
//! result. The code lists of a result are those of the inputs, for the codes that occur.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemas::cid::{Cid, ContentId, DatasetId};
use schemas::content::{self, Block};
use schemas::object::{self, Code, Dataset, Recipe, Structure};
use schemas::structure::{Component, ComponentList, Role};
use schemas::table::{Column, Table};
use schemas::text::Name;

use crate::BlockSource;

/// Failure to compute figures. `code` is stable; the message names the location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Blocks are missing.
    #[error("{} blocks are missing", .0.len())]
    Missing(Vec<Cid>),
    /// The recipe cannot run.
    #[error("{message}")]
    Failed {
        /// Stable error code.
        code: String,
        /// Error message with its location.
        message: String,
    },
    /// This machine did not finish the run: it costs more than the machine allows. Says nothing about the recipe.
    #[error("{message}")]
    TooCostly {
        /// Stable code of the ceiling.
        code: String,
        /// Error message with its location.
        message: String,
    },
}

impl RunError {
    fn failed(code: &str, message: impl Into<String>) -> Self {
        RunError::Failed { code: code.into(), message: message.into() }
    }
}

impl From<content::Error> for RunError {
    fn from(error: content::Error) -> Self {
        match error {
            content::Error::Missing(ids) => RunError::Missing(ids),
            other => RunError::failed("content", other.to_string()),
        }
    }
}

/// An input of a run: a data set in memory.
#[derive(Debug, Clone)]
pub struct InputData {
    /// Its structure, with code lists.
    pub structure: Structure,
    /// Its rows.
    pub table: Table,
}

/// The figures of one output.
#[derive(Debug, Clone)]
pub struct OutputFigures {
    /// Their components and code lists.
    pub structure: Structure,
    /// The rows.
    pub table: Table,
    /// Their id.
    pub content: ContentId,
    /// Their blocks.
    pub blocks: Vec<Block>,
}

/// Result of a run, packed for publishing.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The figures by output.
    pub figures: BTreeMap<Name, OutputFigures>,
    /// Steps that the run took.
    pub steps: u64,
}

/// Loads a data set and its data.
///
/// # Errors
/// [`RunError`].
pub fn load_dataset(id: DatasetId, fetch: BlockSource<'_>) -> Result<(Dataset, InputData), RunError> {
    let bytes = fetch(id.cid()).ok_or_else(|| RunError::Missing(vec![id.cid()]))?;
    let dataset: Dataset = object::decode_object(&bytes)
        .map_err(|error| RunError::failed("object", format!("data set {id}: {error}")))?;
    let (structure, table) = content::unpack_table(dataset.content, fetch)?;
    Ok((dataset, InputData { structure, table }))
}

/// Checks a recipe without data: the script, its inputs and its outputs.
///
/// # Errors
/// [`RunError::Failed`] with every diagnostic of the script.
pub fn check_recipe(recipe: &Recipe) -> Result<vtl::ExecutionPlan, RunError> {
    // First of all checks: under another version the script may have another meaning.
    if recipe.semantics != vtl::SEMANTICS_VERSION {
        let message = format!(
            "the recipe requires semantics version {}, this program implements version {}",
            recipe.semantics,
            vtl::SEMANTICS_VERSION
        );
        return Err(RunError::failed("semantics", message));
    }
    let source = recipe.script.as_str();
    let shapes = recipe
        .inputs
        .iter()
        .map(|(name, input)| (name.as_str().to_owned(), input.components.clone()))
        .collect();
    let (script, plan) =
        vtl::parse_and_check(source, &shapes).map_err(|faults| script_error(source, &faults))?;
    // The results of a release are contents, and a scalar has no components.
    if let Some((name, _)) = plan.scalars().first() {
        let message = format!("the result `{name}` is a scalar, expected a data set");
        return Err(RunError::failed("outputs", message));
    }
    let mut given: Vec<&str> = script.outputs();
    // The recipe declares its outputs in a map, sorted by name; the script has an order of its own.
    given.sort_unstable();
    let stated: Vec<&str> = recipe.outputs.keys().map(Name::as_str).collect();
    if given != stated {
        let message = format!(
            "the script produces the results {}, the recipe declares {}",
            quote_names(&given),
            quote_names(&stated)
        );
        return Err(RunError::failed("outputs", message));
    }
    Ok(plan)
}

/// Checks a recipe before publishing: as [`check_recipe`], and the script must not rely on defaults that
/// implementations may interpret differently.
///
/// # Errors
/// [`RunError`].
pub fn check_publishable(recipe: &Recipe) -> Result<vtl::ExecutionPlan, RunError> {
    let plan = check_recipe(recipe)?;
    let source = recipe.script.as_str();
    let script = vtl::Script::parse(source).map_err(|faults| script_error(source, &faults))?;
    let advice: Vec<vtl::Diagnostic> = script.lint().into_iter().chain(plan.lint()).collect();
    if advice.is_empty() { Ok(plan) } else { Err(script_error(source, &advice)) }
}

fn quote_names(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".into() } else { quoted.join(", ") }
}

/// Combines the diagnostics of a script, each with its location; the code is that of the first.
fn script_error(source: &str, faults: &[vtl::Diagnostic]) -> RunError {
    let code = faults.first().map_or("syntax", |error| error.code.as_str());
    let lines: Vec<String> = faults.iter().map(|error| vtl::render_diagnostic(source, error)).collect();
    RunError::failed(code, lines.join("\n"))
}

/// Classifies the diagnostic of a run: a ceiling of this machine is no fault of the recipe.
fn run_error(source: &str, error: &vtl::Diagnostic) -> RunError {
    if error.code.is_ceiling() {
        let message = vtl::render_diagnostic(source, error);
        return RunError::TooCostly { code: error.code.as_str().into(), message };
    }
    script_error(source, std::slice::from_ref(error))
}

/// Runs a recipe on its inputs, within the ceilings of this machine above the limits of the recipe.
///
/// # Errors
/// [`RunError`].
pub fn run_recipe(
    recipe: &Recipe,
    inputs: BTreeMap<Name, InputData>,
    ceilings: &vtl::RunCeilings,
) -> Result<RunOutcome, RunError> {
    let RunTables { tables, steps, structures } = compute_tables(recipe, inputs, ceilings)?;
    let mut figures = BTreeMap::new();
    for (name, table) in tables {
        let codes = code_lists(&table, &structures);
        let structure = Structure { components: table.shape().clone(), codes };
        let (content, blocks) = content::pack_table(&table, structure.codes.clone())
            .map_err(|error| RunError::failed("outputs", error.to_string()))?;
        figures.insert(name, OutputFigures { structure, table, content, blocks });
    }
    Ok(RunOutcome { figures, steps })
}

/// Result of a run, not packed for publishing.
#[derive(Debug, Clone)]
pub struct RunTables {
    /// The rows by output.
    pub tables: BTreeMap<Name, Table>,
    /// Steps that the run took.
    pub steps: u64,
    /// The structures of the inputs, by their names.
    structures: Vec<Structure>,
}

/// Runs a recipe on its inputs without packing the results.
///
/// # Errors
/// [`RunError`].
pub fn compute_tables(
    recipe: &Recipe,
    mut inputs: BTreeMap<Name, InputData>,
    ceilings: &vtl::RunCeilings,
) -> Result<RunTables, RunError> {
    let plan = check_recipe(recipe)?;
    let mut given = BTreeMap::new();
    // Inputs in the order of their names, which decides whose code list counts (`code_lists`).
    let mut structures = Vec::new();
    for (name, input) in &recipe.inputs {
        let source = inputs
            .remove(name)
            .ok_or_else(|| RunError::failed("inputs", format!("input `{name}` is missing")))?;
        given.insert(
            name.as_str().to_owned(),
            Arc::new(select_components(name, source.table, &input.components)?),
        );
        structures.push(source.structure);
    }
    if let Some(extra) = inputs.keys().next() {
        return Err(RunError::failed("inputs", format!("the recipe has no input `{extra}`")));
    }
    let limits = vtl::RunLimits { steps: recipe.limits.steps, cells: recipe.limits.cells };
    let outcome = vtl::run_plan(&plan, &given, limits, ceilings)
        .map_err(|error| run_error(recipe.script.as_str(), &error))?;
    let mut tables = BTreeMap::new();
    for (name, table) in outcome.tables {
        tables
            .insert(Name::new(name).map_err(|error| RunError::failed("outputs", error.to_string()))?, table);
    }
    Ok(RunTables { tables, steps: outcome.steps, structures })
}

/// Reduces a table to the declared components, in the declared order.
fn select_components(name: &Name, table: Table, declared: &ComponentList) -> Result<Table, RunError> {
    if table.shape() == declared {
        return Ok(table);
    }
    let structure_error =
        |message: String| RunError::failed("structure", format!("input `{name}`: {message}"));
    let held = table.shape();
    let mut columns: Vec<Column> = Vec::new();
    for component in declared.components() {
        let place = held.position(component.id.as_str());
        let found = place.and_then(|place| held.components().get(place).zip(table.columns().get(place)));
        let Some((actual, column)) = found else {
            return Err(structure_error(format!(
                "it has no component `{}` (it has {})",
                component.id,
                list_components(held)
            )));
        };
        if actual != component {
            return Err(structure_error(format!(
                "expected {}, found {}",
                describe_component(component),
                describe_component(actual)
            )));
        }
        columns.push(column.clone());
    }
    // An extra measure is dropped, an extra identifier would leave duplicate keys.
    let identifiers = held.components().iter().filter(|component| component.role == Role::Identifier);
    if let Some(extra) = identifiers.into_iter().find(|id| declared.position(id.id.as_str()).is_none()) {
        return Err(structure_error(format!(
            "it has the identifier `{}`, which the recipe does not declare",
            extra.id
        )));
    }
    // Sorted again, since the recipe may declare the identifiers in another order.
    Table::new(declared.clone(), columns).map_err(|error| structure_error(error.to_string()))
}

fn list_components(shape: &ComponentList) -> String {
    let names: Vec<String> =
        shape.components().iter().map(|component| format!("`{}`", component.id)).collect();
    names.join(", ")
}

fn describe_component(component: &Component) -> String {
    format!("{} `{}` of type {}", component.role.as_str(), component.id, component.value_type.as_str())
}

/// Collects, for each text component of a result, the codes that occur in it from the code lists of the
/// inputs. If several inputs define a code, the first input by name wins.
fn code_lists(table: &Table, structures: &[Structure]) -> BTreeMap<Name, Vec<Code>> {
    let mut lists = BTreeMap::new();
    for (component, column) in table.shape().components().iter().zip(table.columns()) {
        let Column::Text(texts) = column else { continue };
        // Equal codes of neighbours are one run, so few codes of a sorted column reach the set.
        let codes: BTreeSet<u32> =
            texts.codes().chunk_by(u32::eq).filter_map(|run| run.first()).copied().collect();
        // NULL lies beyond the dictionary and drops out.
        let text = |code: &u32| texts.dictionary().get(*code as usize).map(String::as_str);
        let used: BTreeSet<&str> = codes.iter().filter_map(text).collect();
        let mut codes: BTreeMap<&str, &Code> = BTreeMap::new();
        for code in structures.iter().filter_map(|structure| structure.codes.get(&component.id)).flatten() {
            if used.contains(code.id.as_str()) {
                codes.entry(code.id.as_str()).or_insert(code);
            }
        }
        if !codes.is_empty() {
            lists.insert(component.id.clone(), codes.into_values().cloned().collect());
        }
    }
    lists
}

//! `assay recipe`: list, show, check, explain, fmt, diff, run, publish.

mod authoring;
mod diff;
mod library;

use std::collections::BTreeMap;
use std::path::Path;

use schemas::object::encode_object;
use schemas::table::Cell;
use schemas::text::Name;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, RecipeCommand, RecipePublishArgs, RecipeRunArgs};
use crate::backend::{Backend, open_home};
use crate::error::CommandError;
use crate::format;
use crate::output::Printer;
use crate::recipe_source;
use crate::source_document;

pub(super) fn run(global: &GlobalArgs, verb: &RecipeCommand, printer: &Printer) -> Result<u8, CommandError> {
    match verb {
        RecipeCommand::List(args) => library::list_recipes(global, args, printer),
        RecipeCommand::Show(args) => library::show_recipe(global, args, printer),
        RecipeCommand::Check(args) => authoring::check_recipe(args, printer),
        RecipeCommand::Explain(args) => authoring::explain_recipe(args, printer),
        RecipeCommand::Fmt(args) => authoring::format_scripts(args, printer),
        RecipeCommand::Diff(args) => diff::run(args, printer),
        RecipeCommand::Run(args) => run_recipe(args, printer),
        RecipeCommand::Publish(args) => publish_recipe(global, args, printer),
    }
}

/// Loads local files as inputs (`NAME=FILE`). `recipe` gives the expected structures, if it is known.
fn load_input_files(
    flags: &[String],
    recipe: Option<&schemas::object::Recipe>,
    printer: &Printer,
) -> Result<BTreeMap<Name, ledger::compute::InputData>, CommandError> {
    let mut inputs = BTreeMap::new();
    for flag in flags {
        let (name, file) = flag.split_once('=').ok_or_else(|| {
            CommandError::usage("input", format!("`{flag}` does not have the form NAME=FILE"))
        })?;
        let name = Name::new(name)?;
        let wanted = recipe.and_then(|recipe| recipe.inputs.get(&name)).map(|input| &input.components);
        let source = source_document::load_input_table(Path::new(file), wanted, printer)?;
        inputs.insert(name, source);
    }
    Ok(inputs)
}

fn run_recipe(args: &RecipeRunArgs, printer: &Printer) -> Result<u8, CommandError> {
    let known = match recipe_source::is_script(&args.recipe) {
        true if args.set.is_empty() => None,
        true => {
            return Err(CommandError::usage("set", "a bare script declares no parameters")
                .hint("declare them in a recipe file (TOML), or edit the script"));
        }
        false => Some(
            recipe_source::set_parameters(recipe_source::load_recipe_file(&args.recipe)?, &args.set)?.recipe,
        ),
    };
    if let Some(recipe) = &known {
        // Report errors of the recipe before reading its files, which may be large.
        ledger::compute::check_recipe(recipe)?;
    }
    let inputs = load_input_files(&args.input, known.as_ref(), printer)?;
    let recipe = known.map_or_else(|| recipe_source::load_recipe_or_script(&args.recipe, &inputs), Ok)?;
    let outcome = ledger::compute::compute_tables(&recipe, inputs, &ledger::vtl::RunCeilings::default())?;
    if let Some(wanted) = &args.csv {
        let table = outcome.tables.iter().find(|(name, _)| name.as_str() == wanted);
        let (_, table) =
            table.ok_or_else(|| CommandError::not_found(format!("the recipe has no output `{wanted}`")))?;
        printer.write_stream(|out| ingest::export_csv(table, out));
        return Ok(0);
    }
    if printer.json {
        let outputs: BTreeMap<String, Value> =
            outcome.tables.iter().map(|(name, table)| (name.to_string(), table_json(table))).collect();
        printer.print_json(&json!({ "steps": outcome.steps, "outputs": outputs }));
    }
    format::print_figures(&recipe, &outcome.tables, printer);
    printer.print_field("steps", format::group_digits(outcome.steps));
    Ok(0)
}

/// A table as JSON: components and rows. Numbers are strings, because JSON readers round them.
fn table_json(table: &schemas::table::Table) -> Value {
    let shown = |cell: Option<Cell>| match cell {
        None => Value::Null,
        Some(Cell::Boolean(value)) => value.into(),
        // Numbers are texts: many readers of JSON would round them to doubles.
        Some(cell) => cell.to_string().into(),
    };
    let rows: Vec<Vec<Value>> = (0..table.rows())
        .map(|row| table.columns().iter().map(|column| shown(column.cell(row))).collect())
        .collect();
    json!({ "components": table.shape(), "rows": rows })
}

/// Formats a table as CSV.
pub(super) fn format_csv(table: &schemas::table::Table) -> Result<String, CommandError> {
    let mut bytes = Vec::new();
    ingest::export_csv(table, &mut bytes)
        .map_err(|error| CommandError::new(crate::error::ErrorCategory::Failure, "csv", error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn publish_recipe(
    global: &GlobalArgs,
    args: &RecipePublishArgs,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let recipe =
        recipe_source::set_parameters(recipe_source::load_recipe_file(&args.recipe)?, &args.set)?.recipe;
    // Checked before the data directory is opened, which an invalid recipe does not need.
    ledger::compute::check_publishable(&recipe)?;
    let mut backend = Backend::open(&open_home(global)?)?;
    let published = backend.publish_object(&encode_object(&recipe)?, Vec::new())?;
    printer.print_json(&json!({ "recipe": published.object, "published": published }));
    printer.print_field("recipe", published.object);
    printer.print_field("title", &recipe.title);
    printer.print_field("signed", format!("entry {} of {}", published.seq, published.publisher));
    let inputs: Vec<String> = recipe.inputs.keys().map(|name| format!("--input {name}=<data set>")).collect();
    printer.suggest_commands(&[format!(
        "assay publish {} {} --dataflow <name>",
        published.object,
        inputs.join(" ")
    )]);
    Ok(0)
}

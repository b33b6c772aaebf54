//! `assay recipe`: list, show, check, explain, fmt, diff, run, publish.

mod author;
mod diff;
mod library;

use std::collections::BTreeMap;
use std::path::Path;

use schemas::object::encode_object;
use schemas::table::Cell;
use schemas::text::Name;
use serde_json::{Value, json};

use crate::args::{Global, Recipe, RecipePublish, RecipeRun};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::plan;
use crate::screen::Screen;
use crate::source;
use crate::view;

pub(super) fn run(global: &Global, verb: &Recipe, screen: &Screen) -> Result<u8, Fault> {
    match verb {
        Recipe::List(args) => library::list(global, args, screen),
        Recipe::Show(args) => library::show(global, args, screen),
        Recipe::Check(args) => author::check(args, screen),
        Recipe::Explain(args) => author::explain(args, screen),
        Recipe::Fmt(args) => author::fmt(args, screen),
        Recipe::Diff(args) => diff::run(args, screen),
        Recipe::Run(args) => compute(args, screen),
        Recipe::Publish(args) => publish(global, args, screen),
    }
}

/// Local files as inputs of a recipe, where it is known already: `NAME=FILE`.
fn files(
    flags: &[String],
    recipe: Option<&schemas::object::Recipe>,
    screen: &Screen,
) -> Result<BTreeMap<Name, ledger::compute::InputData>, Fault> {
    let mut inputs = BTreeMap::new();
    for flag in flags {
        let (name, file) = flag
            .split_once('=')
            .ok_or_else(|| Fault::usage("input", format!("`{flag}` is not of the form NAME=FILE")))?;
        let name = Name::new(name)?;
        let wanted = recipe.and_then(|recipe| recipe.inputs.get(&name)).map(|input| &input.components);
        let source = source::local(Path::new(file), wanted, screen)?;
        inputs.insert(name, source);
    }
    Ok(inputs)
}

fn compute(args: &RecipeRun, screen: &Screen) -> Result<u8, Fault> {
    let known = match plan::script(&args.recipe) {
        true if args.set.is_empty() => None,
        true => {
            return Err(Fault::usage("set", "a script alone does not say what its parameters are")
                .hint("describe it in a recipe file (TOML), or change its text"));
        }
        false => Some(plan::set(plan::read(&args.recipe)?, &args.set)?.recipe),
    };
    if let Some(recipe) = &known {
        // What is wrong with a recipe is told before its files are read.
        ledger::compute::check_recipe(recipe)?;
    }
    let inputs = files(&args.input, known.as_ref(), screen)?;
    let recipe = known.map_or_else(|| plan::opened(&args.recipe, &inputs), Ok)?;
    let outcome = ledger::compute::compute_tables(&recipe, inputs)?;
    if let Some(wanted) = &args.csv {
        let table = outcome.tables.iter().find(|(name, _)| name.as_str() == wanted);
        let (_, table) =
            table.ok_or_else(|| Fault::absent(format!("the recipe has no output `{wanted}`")))?;
        screen.stream(|out| ingest::export_csv(table, out));
        return Ok(0);
    }
    if screen.json {
        let outputs: BTreeMap<String, Value> =
            outcome.tables.iter().map(|(name, table)| (name.to_string(), points(table))).collect();
        screen.document(&json!({ "steps": outcome.steps, "outputs": outputs }));
    }
    view::figures(&recipe, &outcome.tables, screen);
    screen.field("steps", view::grouped(outcome.steps));
    Ok(0)
}

/// A table for programs: its components and its data points, numbers as text so that no digit is
/// lost.
fn points(table: &schemas::table::Table) -> Value {
    let shown = |cell: Option<Cell>| match cell {
        None => Value::Null,
        Some(Cell::Boolean(value)) => value.into(),
        Some(cell) => cell.to_string().into(),
    };
    let rows: Vec<Vec<Value>> = (0..table.rows())
        .map(|row| table.columns().iter().map(|column| shown(column.cell(row))).collect())
        .collect();
    json!({ "components": table.shape(), "rows": rows })
}

/// A table as CSV text.
pub(super) fn csv(table: &schemas::table::Table) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    ingest::export_csv(table, &mut bytes)
        .map_err(|fault| Fault::new(crate::fault::Kind::Failure, "csv", fault.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn publish(global: &Global, args: &RecipePublish, screen: &Screen) -> Result<u8, Fault> {
    let recipe = plan::set(plan::read(&args.recipe)?, &args.set)?.recipe;
    ledger::compute::check_publishable(&recipe)?;
    let mut backend = Backend::open(&home(global)?)?;
    let published = backend.publish(&encode_object(&recipe)?, Vec::new())?;
    screen.document(&json!({ "recipe": published.object, "published": published }));
    screen.field("recipe", published.object);
    screen.field("title", &recipe.title);
    screen.field("signed", format!("entry {} of {}", published.seq, published.publisher));
    let inputs: Vec<String> = recipe.inputs.keys().map(|name| format!("--input {name}=<data set>")).collect();
    screen.next(&[format!("assay publish {} {} --dataflow <name>", published.object, inputs.join(" "))]);
    Ok(0)
}

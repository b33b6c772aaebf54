//! `assay recipe`: list, check, explain, fmt, diff, run, publish.

mod author;
mod diff;

use std::collections::BTreeMap;
use std::path::Path;

use schemas::object::{Recipe as Plan, encode};
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
        Recipe::List => list(global, screen),
        Recipe::Check(args) => author::check(args, screen),
        Recipe::Explain(args) => author::explain(args, screen),
        Recipe::Fmt(args) => author::fmt(args, screen),
        Recipe::Diff(args) => diff::run(args, screen),
        Recipe::Run(args) => compute(args, screen),
        Recipe::Publish(args) => publish(global, args, screen),
    }
}

fn list(global: &Global, screen: &Screen) -> Result<u8, Fault> {
    let built_in = plan::built_in()?;
    let held = Backend::open(&home(global)?)?.recipes()?;
    screen.document(&json!({
        "built_in": built_in.iter().map(|(name, recipe)| json!({
            "name": name, "title": recipe.title, "measure": recipe.measure,
            "inputs": recipe.inputs.keys().collect::<Vec<_>>(), "outputs": recipe.outputs.keys().collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "held": held,
    }));
    let row = |name: String, recipe: &Plan| {
        let inputs: Vec<&str> = recipe.inputs.keys().map(Name::as_str).collect();
        vec![name, recipe.measure.to_string(), inputs.join(", "), recipe.title.to_string()]
    };
    let mut rows = vec![["name or id", "measure", "inputs", "title"].map(str::to_owned).to_vec()];
    rows.extend(built_in.iter().map(|(name, recipe)| row((*name).to_owned(), recipe)));
    rows.extend(held.iter().map(|info| row(info.id.to_string(), &info.recipe)));
    for line in view::columns(&rows, |_| false) {
        screen.say(line);
    }
    Ok(0)
}

/// Local files as inputs: `NAME=FILE`.
fn files(flags: &[String], screen: &Screen) -> Result<BTreeMap<Name, ledger::compute::Source>, Fault> {
    let mut inputs = BTreeMap::new();
    for flag in flags {
        let (name, file) = flag
            .split_once('=')
            .ok_or_else(|| Fault::usage("input", format!("`{flag}` is not of the form NAME=FILE")))?;
        inputs.insert(Name::new(name)?, source::local(Path::new(file), screen)?);
    }
    Ok(inputs)
}

fn compute(args: &RecipeRun, screen: &Screen) -> Result<u8, Fault> {
    if !plan::script(&args.recipe) {
        // What is wrong with a recipe is told before its files are read.
        ledger::compute::check(&plan::open(&args.recipe)?)?;
    }
    let inputs = files(&args.input, screen)?;
    let recipe = plan::opened(&args.recipe, &inputs)?;
    let outcome = ledger::compute::tables(&recipe, inputs)?;
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
    let recipe = plan::open(&args.recipe)?;
    ledger::compute::publishable(&recipe)?;
    let mut backend = Backend::open(&home(global)?)?;
    let published = backend.publish(&encode(&recipe)?, Vec::new())?;
    screen.document(&json!({ "recipe": published.object, "published": published }));
    screen.field("recipe", published.object);
    screen.field("title", &recipe.title);
    screen.field("signed", format!("entry {} of {}", published.seq, published.publisher));
    let inputs: Vec<String> = recipe.inputs.keys().map(|name| format!("--input {name}=<data set>")).collect();
    screen.next(&[format!("assay publish {} {} --dataflow <name>", published.object, inputs.join(" "))]);
    Ok(0)
}

//! `assay recipe list` and `assay recipe show`.

use ledger::compute;
use recipes::RecipeFile;
use schemas::cid::RecipeId;
use schemas::object::{Recipe as Plan, decode_object};
use schemas::structure::{ComponentList, Role};
use schemas::text::Name;
use serde_json::{Value, json};

use crate::args::{GlobalArgs, RecipeList, RecipeShowArgs};
use crate::backend::{Backend, open_home};
use crate::error::CommandError;
use crate::format;
use crate::output::{Printer, TextStyle};
use crate::recipe_source;

/// Lists the recipes of the library and those stored here.
pub(super) fn list_recipes(
    global: &GlobalArgs,
    args: &RecipeList,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let wanted =
        |recipe: &Plan| args.indicator.as_deref().is_none_or(|measure| recipe.indicator.as_str() == measure);
    let mut library = Vec::new();
    for entry in recipes::LIBRARY {
        let read = entry.read()?;
        if wanted(&read.recipe) {
            library.push((entry.name, read));
        }
    }
    let mut held = Backend::open(&open_home(global)?)?.list_recipes()?;
    held.retain(|info| wanted(&info.recipe));
    printer.print_json(&json!({
        "library": library.iter().map(|(name, read)| json!({
            "name": name, "title": read.recipe.title, "indicator": read.recipe.indicator,
            "inputs": input_names(&read.recipe), "outputs": read.recipe.outputs.keys().collect::<Vec<_>>(),
            "deviates_from": read.deviates_from,
        })).collect::<Vec<_>>(),
        "held": held,
    }));
    let row =
        |name: String, recipe: &Plan| vec![name, input_names(recipe).join(", "), recipe.title.to_string()];
    let mut rows = vec![["name or id", "inputs", "title"].map(str::to_owned).to_vec()];
    rows.extend(library.iter().map(|(name, read)| row((*name).to_owned(), &read.recipe)));
    rows.extend(held.iter().map(|info| row(info.id.to_string(), &info.recipe)));
    for line in format::align_columns(&rows, |_| false) {
        printer.print_line(line);
    }
    if rows.len() == 1 {
        let measures: std::collections::BTreeSet<&str> = recipes::LIBRARY
            .iter()
            .filter_map(|entry| entry.name.split_once('/'))
            .map(|(first, _)| first)
            .collect();
        let measures: Vec<&str> = measures.into_iter().collect();
        printer.print_line(format_args!("indicators of the library: {}", measures.join(", ")));
        return Ok(0);
    }
    printer.suggest_commands(&["assay recipe show <recipe>".to_owned()]);
    Ok(0)
}

fn input_names(recipe: &Plan) -> Vec<&str> {
    recipe.inputs.keys().map(Name::as_str).collect()
}

/// Shows the description and the script of a recipe.
pub(super) fn show_recipe(
    global: &GlobalArgs,
    args: &RecipeShowArgs,
    printer: &Printer,
) -> Result<u8, CommandError> {
    let read = find_recipe(global, &args.recipe)?;
    let recipe = &read.recipe;
    let plan = compute::check_recipe(recipe)?;
    printer.print_json(&recipe_json(&args.recipe, &read, &plan.outputs()));
    printer.print_field("title", printer.style_text(TextStyle::Bold, &recipe.title));
    printer.print_quoted("description", recipe.description.as_str());
    for (name, input) in &recipe.inputs {
        printer.print_field(
            "input",
            format!("{} {}", printer.style_text(TextStyle::Bold, name), format_components(&input.components)),
        );
        printer.print_field("", format!("  {}", input.title));
    }
    for (name, shape) in plan.outputs() {
        printer.print_field(
            "output",
            format!("{} {}", printer.style_text(TextStyle::Bold, name), format_components(shape)),
        );
        let output = recipe.outputs.iter().find(|(known, _)| known.as_str() == name);
        if let Some((_, output)) = output {
            printer.print_field("", format!("  {}, {}", output.title, output.unit));
        }
    }
    for (name, parameter) in &read.parameters {
        printer.print_field("parameter", format!("{name} = {}: {}", parameter.value, parameter.title));
    }
    for reference in &recipe.references {
        printer.print_quoted("method", reference.as_str());
    }
    if let Some(deviation) = &recipe.deviates_from {
        let base = read.deviates_from.clone().unwrap_or_else(|| deviation.recipe.to_string());
        printer.print_field("deviates", format!("from {base}"));
        for reason in &deviation.reasons {
            printer.print_quoted("", reason.as_str());
        }
    }
    printer.print_field("licence", &recipe.licence);
    printer.print_quoted("script", recipe.script.as_str());
    suggest_next_steps(&args.recipe, &read, printer);
    Ok(0)
}

/// Finds a recipe by id, by name in the library, or by file.
fn find_recipe(global: &GlobalArgs, name: &str) -> Result<RecipeFile, CommandError> {
    let Ok(id) = name.parse::<RecipeId>() else { return recipe_source::load_recipe_file(name) };
    let absent = || CommandError::not_found(format!("recipe {id} is not stored here"));
    let bytes = Backend::open(&open_home(global)?)?.load_block(id.cid())?.ok_or_else(absent)?;
    Ok(RecipeFile::from_recipe(decode_object(&bytes)?))
}

/// Formats components as `REF_AREA*:string TIME_PERIOD*:time_period OBS_VALUE:number`.
fn format_components(shape: &ComponentList) -> String {
    let part = |component: &schemas::structure::Component| {
        let star = if component.role == Role::Identifier { "*" } else { "" };
        format!("{}{star}:{}", component.id, component.value_type.as_str())
    };
    let parts: Vec<String> = shape.components().iter().map(part).collect();
    parts.join(" ")
}

fn suggest_next_steps(name: &str, read: &RecipeFile, printer: &Printer) {
    let inputs = |word: &str| {
        let inputs: Vec<String> =
            input_names(&read.recipe).iter().map(|name| format!("--input {name}={word}")).collect();
        inputs.join(" ")
    };
    let mut lines = vec![format!("assay recipe run {name} {}", inputs("<file>"))];
    lines.extend(read.deviates_from.as_ref().map(|base| format!("assay recipe diff {base} {name}")));
    printer.suggest_commands(&lines);
}

fn recipe_json(name: &str, read: &RecipeFile, outputs: &[(&str, &ComponentList)]) -> Value {
    let recipe = &read.recipe;
    let shapes: Vec<Value> = outputs
        .iter()
        .map(|(name, shape)| {
            let stated = recipe.outputs.iter().find(|(known, _)| known.as_str() == *name).map(|(_, output)| output);
            json!({ "name": name, "components": shape, "title": stated.map(|o| &o.title), "unit": stated.map(|o| &o.unit) })
        })
        .collect();
    let parameters: Vec<Value> = read
        .parameters
        .iter()
        .map(|(name, parameter)| json!({ "name": name, "value": parameter.value, "title": parameter.title }))
        .collect();
    json!({
        "name": name, "recipe": recipe, "results": shapes, "parameters": parameters,
        "deviates_from": read.deviates_from,
    })
}

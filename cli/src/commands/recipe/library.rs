//! `assay recipe list` and `assay recipe show`: what there is, and what one recipe says of itself.

use ledger::compute;
use recipes::RecipeFile;
use schemas::cid::RecipeId;
use schemas::object::{Recipe as Plan, decode_object};
use schemas::structure::{ComponentList, Role};
use schemas::text::Name;
use serde_json::{Value, json};

use crate::args::{Global, RecipeList, RecipeShow};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::plan;
use crate::screen::{Screen, Tone};
use crate::view;

/// Lists the recipes of the library and those held here.
pub(super) fn list(global: &Global, args: &RecipeList, screen: &Screen) -> Result<u8, Fault> {
    let wanted =
        |recipe: &Plan| args.measure.as_deref().is_none_or(|measure| recipe.indicator.as_str() == measure);
    let mut library = Vec::new();
    for entry in recipes::LIBRARY {
        let read = entry.read()?;
        if wanted(&read.recipe) {
            library.push((entry.name, read));
        }
    }
    let mut held = Backend::open(&home(global)?)?.recipes()?;
    held.retain(|info| wanted(&info.recipe));
    screen.document(&json!({
        "library": library.iter().map(|(name, read)| json!({
            "name": name, "title": read.recipe.title, "indicator": read.recipe.indicator,
            "inputs": names(&read.recipe), "outputs": read.recipe.outputs.keys().collect::<Vec<_>>(),
            "deviates_from": read.deviates_from,
        })).collect::<Vec<_>>(),
        "held": held,
    }));
    let row = |name: String, recipe: &Plan| vec![name, names(recipe).join(", "), recipe.title.to_string()];
    let mut rows = vec![["name or id", "inputs", "title"].map(str::to_owned).to_vec()];
    rows.extend(library.iter().map(|(name, read)| row((*name).to_owned(), &read.recipe)));
    rows.extend(held.iter().map(|info| row(info.id.to_string(), &info.recipe)));
    for line in view::columns(&rows, |_| false) {
        screen.say(line);
    }
    if rows.len() == 1 {
        let measures: std::collections::BTreeSet<&str> = recipes::LIBRARY
            .iter()
            .filter_map(|entry| entry.name.split_once('/'))
            .map(|(first, _)| first)
            .collect();
        let measures: Vec<&str> = measures.into_iter().collect();
        screen.say(format_args!("measures of the library: {}", measures.join(", ")));
        return Ok(0);
    }
    screen.next(&["assay recipe show <recipe>".to_owned()]);
    Ok(0)
}

fn names(recipe: &Plan) -> Vec<&str> {
    recipe.inputs.keys().map(Name::as_str).collect()
}

/// Shows one recipe: what it says of itself, and its script.
pub(super) fn show(global: &Global, args: &RecipeShow, screen: &Screen) -> Result<u8, Fault> {
    let read = found(global, &args.recipe)?;
    let recipe = &read.recipe;
    let plan = compute::check_recipe(recipe)?;
    screen.document(&document(&args.recipe, &read, &plan.outputs()));
    screen.say(screen.paint(Tone::Bold, &recipe.title));
    screen.say(format_args!("\n{}\n", view::wrapped(recipe.description.as_str(), "")));
    for (name, input) in &recipe.inputs {
        screen.field("input", format!("{} {}", screen.paint(Tone::Bold, name), parts(&input.components)));
        screen.field("", format!("  {}", input.title));
    }
    for (name, shape) in plan.outputs() {
        screen.field("output", format!("{} {}", screen.paint(Tone::Bold, name), parts(shape)));
        let output = recipe.outputs.iter().find(|(known, _)| known.as_str() == name);
        if let Some((_, output)) = output {
            screen.field("", format!("  {}, {}", output.title, output.unit));
        }
    }
    for (name, parameter) in &read.parameters {
        screen.field("parameter", format!("{name} = {}: {}", parameter.value, parameter.title));
    }
    for reference in &recipe.references {
        screen.field("method", wrapped(reference.as_str()));
    }
    if let Some(deviation) = &recipe.deviates_from {
        let base = read.deviates_from.clone().unwrap_or_else(|| deviation.recipe.to_string());
        screen.field("deviates", format!("from {base}"));
        for reason in &deviation.reasons {
            screen.field("", format!("  {}", wrapped(reason.as_str())));
        }
    }
    screen.field("licence", &recipe.licence);
    screen.say(format_args!("\n{}", recipe.script.as_str().trim_end()));
    next(&args.recipe, &read, screen);
    Ok(0)
}

/// A text in the right column of a field.
fn wrapped(text: &str) -> String {
    view::wrapped(text, "              ")
}

/// A recipe by its id, by name, or by file.
fn found(global: &Global, name: &str) -> Result<RecipeFile, Fault> {
    let Ok(id) = name.parse::<RecipeId>() else { return plan::read(name) };
    let absent = || Fault::absent(format!("recipe {id} is not held here"));
    let bytes = Backend::open(&home(global)?)?.block(id.cid())?.ok_or_else(absent)?;
    Ok(RecipeFile::from_recipe(decode_object(&bytes)?))
}

/// Components as `REF_AREA* TIME_PERIOD*:time_period OBS_VALUE:number`.
fn parts(shape: &ComponentList) -> String {
    let part = |component: &schemas::structure::Component| {
        let star = if component.role == Role::Identifier { "*" } else { "" };
        format!("{}{star}:{}", component.id, component.value_type.as_str())
    };
    let parts: Vec<String> = shape.components().iter().map(part).collect();
    parts.join(" ")
}

fn next(name: &str, read: &RecipeFile, screen: &Screen) {
    let inputs = |word: &str| {
        let inputs: Vec<String> =
            names(&read.recipe).iter().map(|name| format!("--input {name}={word}")).collect();
        inputs.join(" ")
    };
    let mut lines = vec![format!("assay recipe run {name} {}", inputs("<file>"))];
    lines.extend(read.deviates_from.as_ref().map(|base| format!("assay recipe diff {base} {name}")));
    screen.next(&lines);
}

fn document(name: &str, read: &RecipeFile, outputs: &[(&str, &ComponentList)]) -> Value {
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

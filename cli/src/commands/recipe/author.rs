//! What authors use: `check` with every fault, `fmt`, `explain`.

use std::path::{Path, PathBuf};

use ledger::vtl;
use schemas::object::Recipe;
use serde_json::{Value, json};

use crate::args::{RecipeCheck, RecipeExplain, RecipeFmt};
use crate::fault::{Fault, Kind};
use crate::plan;
use crate::screen::{Screen, Tone};
use crate::{source, view};

/// Exit code of a script that is wrong, or of files that `fmt --check` would change.
const WRONG: u8 = 2;

/// Checks a recipe without data.
pub(super) fn check(args: &RecipeCheck, screen: &Screen) -> Result<u8, Fault> {
    let recipe = plan::opened(&args.recipe, &super::files(&args.input, None, screen)?)?;
    if screen.json
        && let Err(faults) = planned(&recipe)
    {
        let source = recipe.script.as_str();
        let faults: Vec<Value> = faults.iter().map(|fault| place(source, fault)).collect();
        screen.document(&json!({ "ok": false, "title": recipe.title, "faults": faults }));
        return Ok(WRONG);
    }
    let plan = ledger::compute::check_recipe(&recipe)?;
    let parts = |shape: &schemas::structure::ComponentList| -> Vec<Value> {
        let components = shape.components().iter();
        components.map(|part| json!({ "id": part.id, "role": part.role, "type": part.value_type })).collect()
    };
    let outputs: Vec<Value> = plan
        .outputs()
        .into_iter()
        .map(|(name, shape)| json!({ "name": name, "components": parts(shape) }))
        .collect();
    let source = recipe.script.as_str();
    let advice = vtl::Script::parse(source).map(|script| script.lint()).unwrap_or_default();
    let places: Vec<Value> = advice.iter().map(|fault| place(source, fault)).collect();
    screen.document(&json!({
        "ok": true, "title": recipe.title, "outputs": outputs, "faults": [], "before_publishing": places,
    }));
    screen.say(format_args!("{} {}", screen.paint(Tone::Good, "ok"), recipe.title));
    for (name, input) in &recipe.inputs {
        screen.field("input", format!("{name}: {}", input.title));
    }
    for (name, shape) in plan.outputs() {
        let parts: Vec<String> = shape.components().iter().map(|part| part.id.to_string()).collect();
        screen.field("output", format!("{name} ({})", parts.join(", ")));
    }
    for fault in &advice {
        screen.say(format_args!(
            "\n{} {}",
            screen.paint(Tone::Bad, "before publishing:"),
            vtl::render_diagnostic(source, fault)
        ));
    }
    Ok(0)
}

/// The plan of a recipe, or every fault of its script.
fn planned(recipe: &Recipe) -> Result<vtl::ExecutionPlan, Vec<vtl::Diagnostic>> {
    let shapes = recipe.inputs.iter().map(|(name, input)| (name.to_string(), input.components.clone()));
    vtl::parse_and_check(recipe.script.as_str(), &shapes.collect()).map(|(_, plan)| plan)
}

/// A fault for an editor: lines and columns from 1, columns in characters.
fn place(source: &str, fault: &vtl::Diagnostic) -> Value {
    let (line, column) = fault.span.line_and_column(source);
    let (end_line, end_column) =
        vtl::Span { start: fault.span.end, end: fault.span.end }.line_and_column(source);
    json!({
        "code": fault.code.as_str(),
        "category": fault.code.category(),
        "message": fault.message,
        "hint": fault.hint,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    })
}

/// Brings scripts into their one layout.
pub(super) fn fmt(args: &RecipeFmt, screen: &Screen) -> Result<u8, Fault> {
    let mut changed = Vec::new();
    for file in &args.files {
        let path = plan::script_of(file)?;
        let bytes = source::read(&path)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Fault::usage("recipe", format!("`{}` is not UTF-8 text", path.display())))?;
        let layout = vtl::format_script(&text).map_err(|faults| broken(&path, &text, &faults))?;
        if layout == text {
            continue;
        }
        if !args.check {
            replace(&path, &layout)?;
        }
        changed.push(path.display().to_string());
    }
    screen.document(&json!({ "check": args.check, "changed": changed }));
    for path in &changed {
        let word = if args.check {
            screen.paint(Tone::Bad, "differs")
        } else {
            screen.paint(Tone::Good, "formatted")
        };
        screen.say(format_args!("{word} {path}"));
    }
    if changed.is_empty() {
        screen.say(view::count(args.files.len() as u64, "script is", "scripts are") + " in layout");
    }
    Ok(if args.check && !changed.is_empty() { WRONG } else { 0 })
}

fn broken(path: &Path, text: &str, faults: &[vtl::Diagnostic]) -> Fault {
    let lines: Vec<String> = faults.iter().map(|fault| vtl::render_diagnostic(text, fault)).collect();
    Fault::usage("syntax", format!("`{}`\n{}", path.display(), lines.join("\n")))
}

/// Writes beside the file first, so that a full disk leaves the old one whole.
fn replace(path: &Path, text: &str) -> Result<(), Fault> {
    let fault = |error: std::io::Error| {
        Fault::new(Kind::Failure, "file", format!("cannot write `{}`: {error}", path.display()))
    };
    let beside: PathBuf = path.with_extension("vtl.new");
    std::fs::write(&beside, text).map_err(fault)?;
    std::fs::rename(&beside, path).map_err(fault)
}

/// Shows the steps that a recipe runs as.
pub(super) fn explain(args: &RecipeExplain, screen: &Screen) -> Result<u8, Fault> {
    let recipe = plan::opened(&args.recipe, &super::files(&args.input, None, screen)?)?;
    let steps = ledger::compute::check_recipe(&recipe)?.explain();
    let document: Vec<Value> = steps
        .iter()
        .map(|step| {
            let components: Vec<Value> = step
                .components
                .iter()
                .map(|(name, role, kind)| json!({ "id": name, "role": role, "type": kind }))
                .collect();
            json!({
                "step": step.number, "results": step.results, "action": step.action, "reads": step.reads,
                "components": components, "line": step.place.line_and_column(recipe.script.as_str()).0,
            })
        })
        .collect();
    screen.document(&json!({ "title": recipe.title, "steps": document }));
    screen.say(&recipe.title);
    let mut rows = vec![["step", "result", "what it does", "structure"].map(str::to_owned).to_vec()];
    for step in &steps {
        let parts: Vec<String> = step
            .components
            .iter()
            .map(|(name, role, kind)| match role {
                schemas::structure::Role::Identifier => format!("{name}*"),
                _ => format!("{name}:{}", kind.as_str()),
            })
            .collect();
        rows.push(vec![
            step.number.to_string(),
            step.results.join(", "),
            step.action.clone(),
            parts.join(" "),
        ]);
    }
    for line in view::columns(&rows, |column| column == 0) {
        screen.say(line);
    }
    screen.say(screen.paint(Tone::Dim, "* identifier"));
    Ok(0)
}

//! `assay recipe check`, `fmt` and `explain`, for authors of recipes.

use std::path::{Path, PathBuf};

use ledger::vtl;
use schemas::object::Recipe;
use serde_json::{Value, json};

use crate::args::{RecipeCheckArgs, RecipeExplainArgs, RecipeFmtArgs};
use crate::error::{CommandError, ErrorCategory};
use crate::output::{Printer, TextStyle};
use crate::recipe_source;
use crate::{format, source_document};

/// Exit code for an invalid script, and for files that `fmt --check` would change.
const EXIT_INVALID: u8 = 2;

/// Checks a recipe without data.
pub(super) fn check_recipe(args: &RecipeCheckArgs, printer: &Printer) -> Result<u8, CommandError> {
    let recipe = recipe_source::load_recipe_or_script(
        &args.recipe,
        &super::load_input_files(&args.input, None, printer)?,
    )?;
    // An editor that reads the JSON needs the place of every error, not one message.
    if printer.json
        && let Err(faults) = diagnose_script(&recipe)
    {
        let source = recipe.script.as_str();
        let faults: Vec<Value> = faults.iter().map(|error| diagnostic_json(source, error)).collect();
        printer.print_json(&json!({ "ok": false, "title": recipe.title, "faults": faults }));
        return Ok(EXIT_INVALID);
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
    // INVARIANT: the check above has parsed the same script.
    let advice = vtl::Script::parse(source).map(|script| script.lint()).unwrap_or_default();
    let places: Vec<Value> = advice.iter().map(|error| diagnostic_json(source, error)).collect();
    printer.print_json(&json!({
        "ok": true, "title": recipe.title, "outputs": outputs, "faults": [], "before_publishing": places,
    }));
    printer.print_line(format_args!("{} {}", printer.style_text(TextStyle::Good, "ok"), recipe.title));
    for (name, input) in &recipe.inputs {
        printer.print_field("input", format!("{name}: {}", input.title));
    }
    for (name, shape) in plan.outputs() {
        let parts: Vec<String> = shape.components().iter().map(|part| part.id.to_string()).collect();
        printer.print_field("output", format!("{name} ({})", parts.join(", ")));
    }
    for error in &advice {
        printer.print_line("");
        printer.print_line(printer.style_text(TextStyle::Bad, "before publishing:"));
        printer.print_quoted("", &vtl::render_diagnostic(source, error));
    }
    Ok(0)
}

/// Returns the execution plan of a recipe, or all diagnostics of its script.
fn diagnose_script(recipe: &Recipe) -> Result<vtl::ExecutionPlan, Vec<vtl::Diagnostic>> {
    let shapes = recipe.inputs.iter().map(|(name, input)| (name.to_string(), input.components.clone()));
    vtl::parse_and_check(recipe.script.as_str(), &shapes.collect()).map(|(_, plan)| plan)
}

/// A error for an editor: lines and columns from 1, columns in characters.
fn diagnostic_json(source: &str, error: &vtl::Diagnostic) -> Value {
    let (line, column) = error.span.line_and_column(source);
    let (end_line, end_column) =
        vtl::Span { start: error.span.end, end: error.span.end }.line_and_column(source);
    json!({
        "code": error.code.as_str(),
        "category": error.code.category(),
        "message": error.message,
        "hint": error.hint,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    })
}

/// Formats scripts in the standard layout.
pub(super) fn format_scripts(args: &RecipeFmtArgs, printer: &Printer) -> Result<u8, CommandError> {
    let mut changed = Vec::new();
    for file in &args.files {
        let path = recipe_source::find_script(file)?;
        let bytes = source_document::read_file(&path)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| CommandError::usage("recipe", format!("`{}` is not UTF-8 text", path.display())))?;
        let layout = vtl::format_script(&text).map_err(|faults| syntax_error(&path, &text, &faults))?;
        if layout == text {
            continue;
        }
        if !args.check {
            replace_file(&path, &layout)?;
        }
        changed.push(path.display().to_string());
    }
    printer.print_json(&json!({ "check": args.check, "changed": changed }));
    for path in &changed {
        let word = if args.check {
            printer.style_text(TextStyle::Bad, "differs")
        } else {
            printer.style_text(TextStyle::Good, "formatted")
        };
        printer.print_line(format_args!("{word} {path}"));
    }
    if changed.is_empty() {
        printer.print_line(
            format::format_count(args.files.len() as u64, "script is", "scripts are") + " formatted",
        );
    }
    Ok(if args.check && !changed.is_empty() { EXIT_INVALID } else { 0 })
}

fn syntax_error(path: &Path, text: &str, faults: &[vtl::Diagnostic]) -> CommandError {
    let lines: Vec<String> = faults.iter().map(|error| vtl::render_diagnostic(text, error)).collect();
    CommandError::usage("syntax", format!("`{}`\n{}", path.display(), lines.join("\n")))
}

/// Replaces a file by a rename, so that a full disk leaves the old one intact.
fn replace_file(path: &Path, text: &str) -> Result<(), CommandError> {
    let error = |error: std::io::Error| {
        CommandError::new(
            ErrorCategory::Failure,
            "file",
            format!("cannot write `{}`: {error}", path.display()),
        )
    };
    // Beside the script: a rename is atomic within one file system only.
    let beside: PathBuf = path.with_extension("vtl.new");
    std::fs::write(&beside, text).map_err(error)?;
    std::fs::rename(&beside, path).map_err(error)
}

/// Shows the execution plan of a recipe.
pub(super) fn explain_recipe(args: &RecipeExplainArgs, printer: &Printer) -> Result<u8, CommandError> {
    let recipe = recipe_source::load_recipe_or_script(
        &args.recipe,
        &super::load_input_files(&args.input, None, printer)?,
    )?;
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
                "components": components, "line": step.span.line_and_column(recipe.script.as_str()).0,
            })
        })
        .collect();
    printer.print_json(&json!({ "title": recipe.title, "steps": document }));
    printer.print_field("recipe", &recipe.title);
    let mut rows = vec![["step", "result", "action", "structure"].map(str::to_owned).to_vec()];
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
    for line in format::align_columns(&rows, |column| column == 0) {
        printer.print_line(line);
    }
    printer.print_line(printer.style_text(TextStyle::Dim, "* identifier"));
    Ok(0)
}

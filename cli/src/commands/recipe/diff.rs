//! `assay recipe diff`: compares two recipes, and the figures that they compute.

use std::collections::BTreeMap;
use std::path::Path;

use ledger::compute::InputData;
use ledger::vtl::{self, ScriptDifference, decimal128};
use schemas::content::encode_block;
use schemas::decimal::Decimal;
use schemas::object::Recipe;
use schemas::structure::Role;
use schemas::table::{Cell, Column, Table};
use schemas::text::{Name, Text};
use serde_json::{Value, json};

use crate::args::RecipeDiffArgs;
use crate::error::CommandError;
use crate::output::{Printer, TextStyle};
use crate::recipe_source;
use crate::{format, source_document};

/// Figures that are shown without `--figure`: the largest differences.
const FIGURES_SHOWN: usize = 10;

/// A figure computed by both recipes.
struct FigureDifference {
    key: String,
    before: Option<Decimal>,
    after: Option<Decimal>,
}

impl FigureDifference {
    fn difference(&self) -> Option<Decimal> {
        decimal128::sub(self.after?, self.before?).ok()
    }

    fn magnitude(&self) -> Decimal {
        // A figure of one recipe only has no difference; it is counted, but not listed.
        self.difference().map_or(Decimal::ZERO, decimal128::abs)
    }
}

pub(super) fn run(args: &RecipeDiffArgs, printer: &Printer) -> Result<u8, CommandError> {
    let (before, after) =
        (recipe_source::load_recipe(&args.before)?, recipe_source::load_recipe(&args.after)?);
    ledger::compute::check_recipe(&before)?;
    ledger::compute::check_recipe(&after)?;
    let difference =
        vtl::compare_scripts(before.script.as_str(), after.script.as_str()).map_err(|faults| {
            CommandError::usage(
                "syntax",
                faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            )
        })?;
    print_script_difference(&before, &after, &difference, printer);
    let effects =
        if args.on.is_empty() { None } else { Some(compare_figures(args, &before, &after, printer)?) };
    printer.print_json(&diff_json(&before, &after, &difference, effects.as_deref()));
    if let Some(compare_figures) = effects {
        print_figure_differences(args, &compare_figures, printer);
    }
    Ok(0)
}

/// Prints the differences of the scripts.
fn print_script_difference(
    before: &Recipe,
    after: &Recipe,
    difference: &ScriptDifference,
    printer: &Printer,
) {
    let (minus, plus) = (printer.style_text(TextStyle::Bad, "-"), printer.style_text(TextStyle::Good, "+"));
    printer.print_line(format_args!("{minus} {}", before.title));
    printer.print_line(format_args!("{plus} {}", after.title));
    for reason in deviation_reasons(before, after) {
        printer.print_quoted("reason", reason);
    }
    if difference.is_empty() {
        printer.print_line("the scripts are equivalent");
        return;
    }
    let title = |recipe: &Recipe, name: &str| {
        let found = recipe.inputs.iter().find(|(id, _)| id.as_str() == name);
        found.map_or_else(String::new, |(_, input)| format!(": {}", input.title))
    };
    for name in &difference.inputs_before {
        printer.print_line(format_args!("{minus} input {name}{}", title(before, name)));
    }
    for name in &difference.inputs_after {
        printer.print_line(format_args!("{plus} input {name}{}", title(after, name)));
    }
    for step in &difference.steps {
        printer.print_line("");
        printer.print_field("step", printer.style_text(TextStyle::Bold, &step.name));
        for (mark, text) in [(&minus, &step.before), (&plus, &step.after)] {
            if let Some(text) = text {
                printer.print_line(format_args!("  {mark} {text}"));
            }
        }
        for (old, new) in &step.parts {
            printer.print_line(format_args!("    {old}  \u{2192}  {new}"));
        }
    }
}

/// Stated reasons of `after` for deviating from `before`; empty when it deviates from another recipe.
fn deviation_reasons<'r>(before: &Recipe, after: &'r Recipe) -> Vec<&'r str> {
    let Some(deviation) = &after.deviates_from else { return Vec::new() };
    // The reasons are about the recipe that they name, not about any other.
    let same = encode_block(before).is_ok_and(|(id, _)| id == deviation.recipe);
    deviation.reasons.iter().filter(|_| same).map(Text::as_str).collect()
}

/// Runs both recipes and pairs their figures by key.
fn compare_figures(
    args: &RecipeDiffArgs,
    before: &Recipe,
    after: &Recipe,
    printer: &Printer,
) -> Result<Vec<FigureDifference>, CommandError> {
    let mut files = BTreeMap::new();
    for input in &args.on {
        let (name, file) = input.split_once('=').ok_or_else(|| {
            CommandError::usage("input", format!("`{input}` does not have the form NAME=FILE"))
        })?;
        files.insert(Name::new(name)?, file);
    }
    // The recipes may have different inputs: each takes the files that it names.
    let figures = |recipe: &Recipe| -> Result<Table, CommandError> {
        let mut inputs: BTreeMap<Name, InputData> = BTreeMap::new();
        for (name, input) in &recipe.inputs {
            let file = files.get(name).ok_or_else(|| {
                CommandError::usage("input", format!("`{}` requires the input `{name}`", recipe.title))
                    .hint(format!("add `--on {name}=FILE`"))
            })?;
            inputs.insert(
                name.clone(),
                source_document::load_input_table(Path::new(file), Some(&input.components), printer)?,
            );
        }
        let outcome = ledger::compute::compute_tables(recipe, inputs, &ledger::vtl::RunCeilings::default())?;
        let wanted = args.output.as_deref();
        let found =
            outcome.tables.into_iter().find(|(name, _)| wanted.is_none_or(|wanted| name.as_str() == wanted));
        let missing = || {
            CommandError::not_found(format!(
                "`{}` has no output `{}`",
                recipe.title,
                wanted.unwrap_or_default()
            ))
        };
        found.map(|(_, table)| table).ok_or_else(missing)
    };
    let (old, new) = (measure_by_key(&figures(before)?), measure_by_key(&figures(after)?));
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let pair = |key: &String| FigureDifference {
        key: key.clone(),
        before: old.get(key).copied().flatten(),
        after: new.get(key).copied().flatten(),
    };
    Ok(keys.into_iter().map(pair).collect())
}

/// The first numeric measure of a table by key.
fn measure_by_key(table: &Table) -> BTreeMap<String, Option<Decimal>> {
    let components = table.shape().components().iter().zip(table.columns());
    let measure = components
        .filter(|(component, _)| component.role == Role::Measure)
        .find(|(_, column)| matches!(column, Column::Number(_) | Column::Integer(_)));
    let Some((_, column)) = measure else { return BTreeMap::new() };
    let value = |row: usize| match column.cell(row) {
        Some(Cell::Number(value)) => Some(value),
        Some(Cell::Integer(value)) => Some(value.into()),
        _ => None,
    };
    let key = |row: usize| {
        let cells: Vec<String> = table.key(row).iter().map(ToString::to_string).collect();
        cells.join("/")
    };
    (0..table.rows()).map(|row| (key(row), value(row))).collect()
}

/// Selects the figures to show: those of `--figure`, or the largest differences.
fn select_figures<'e>(args: &RecipeDiffArgs, effects: &'e [FigureDifference]) -> Vec<&'e FigureDifference> {
    if !args.figure.is_empty() {
        let wanted =
            |effect: &&FigureDifference| args.figure.iter().any(|key| effect.key.starts_with(key.as_str()));
        return effects.iter().filter(wanted).collect();
    }
    let mut most: Vec<&FigureDifference> =
        effects.iter().filter(|effect| !effect.magnitude().is_zero()).collect();
    // Equal differences are in the order of their keys, so that every run lists the same ones.
    most.sort_by(|a, b| b.magnitude().compare(a.magnitude()).then_with(|| a.key.cmp(&b.key)));
    most.truncate(FIGURES_SHOWN);
    most
}

fn print_figure_differences(args: &RecipeDiffArgs, effects: &[FigureDifference], printer: &Printer) {
    let (same, differ, one) = count_differences(effects);
    printer.print_line("");
    printer.print_line(format_args!(
        "{} figures: {} equal, {} differ, {} in one recipe only",
        format::group_digits(effects.len() as u64),
        format::group_digits(same),
        format::group_digits(differ),
        format::group_digits(one)
    ));
    let shown = |value: Option<Decimal>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let mut rows = vec![["figure", "before", "after", "difference"].map(str::to_owned).to_vec()];
    for effect in select_figures(args, effects) {
        rows.push(vec![
            effect.key.clone(),
            shown(effect.before),
            shown(effect.after),
            shown(effect.difference()),
        ]);
    }
    if rows.len() > 1 {
        for line in format::align_columns(&rows, |column| column > 0) {
            printer.print_line(format_args!("  {line}"));
        }
    } else if !args.figure.is_empty() {
        printer.print_line("no key begins with the given text");
    }
}

/// Counts the figures that are equal, that differ, and that only one recipe computes.
fn count_differences(effects: &[FigureDifference]) -> (u64, u64, u64) {
    effects.iter().fold((0, 0, 0), |(same, differ, one), effect| match (effect.before, effect.after) {
        (Some(a), Some(b)) if a.same_value(b) => (same + 1, differ, one),
        (Some(_), Some(_)) => (same, differ + 1, one),
        (None, None) => (same + 1, differ, one),
        _ => (same, differ, one + 1),
    })
}

fn diff_json(
    before: &Recipe,
    after: &Recipe,
    difference: &ScriptDifference,
    effects: Option<&[FigureDifference]>,
) -> Value {
    let steps: Vec<Value> = difference
        .steps
        .iter()
        .map(|step| {
            let parts: Vec<Value> =
                step.parts.iter().map(|(old, new)| json!({ "before": old, "after": new })).collect();
            json!({ "name": step.name, "before": step.before, "after": step.after, "parts": parts })
        })
        .collect();
    let figures = effects.map(|effects| {
        let shown = |value: Option<Decimal>| value.map(|value| value.to_string());
        let rows: Vec<Value> = effects
            .iter()
            .map(|effect| {
                json!({
                    "key": effect.key, "before": shown(effect.before), "after": shown(effect.after),
                    "difference": shown(effect.difference()),
                })
            })
            .collect();
        rows
    });
    json!({
        "before": before.title, "after": after.title, "same": difference.is_empty(),
        "reasons": deviation_reasons(before, after),
        "inputs_before": difference.inputs_before, "inputs_after": difference.inputs_after,
        "steps": steps, "figures": figures,
    })
}

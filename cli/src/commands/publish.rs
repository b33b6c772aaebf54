//! `assay publish`: runs a recipe on published data sets and signs the figures.

use std::collections::BTreeMap;
use std::path::Path;

use recipes::RecipeFile;
use schemas::address::Address;
use schemas::cid::RecipeId;
use schemas::content::Block;
use schemas::object::{Recipe, RevisionReason, Supersession, decode_object};
use schemas::text::{Name, Text};
use serde_json::{Value, json};
use service::query::ReleaseInfo;
use submit::release::publishable_recipe;
use submit::{CandidateDataset, InputDataset, ReleaseFigures, ReleaseLabels};

use crate::args::{GlobalArgs, PublishArgs};
use crate::backend::{Backend, open_home};
use crate::commands::{dataset, import};
use crate::dataset_versions;
use crate::error::CommandError;
use crate::format;
use crate::output::{Printer, TextStyle};
use crate::recipe_source;

/// Revised figures that are shown.
const CHANGES_SHOWN: usize = 5;
/// Reasons for superseding a release, for hints and questions.
const REASONS: &str = "reasons: source-revision, publisher-error, method, rebase, seasonal";

pub(super) fn run(global: &GlobalArgs, args: &PublishArgs, printer: &Printer) -> Result<u8, CommandError> {
    let mut backend = Backend::open(&open_home(global)?)?;
    let own = backend.own_publisher()?.ok_or(service::Error::NoIdentity)?;
    let ReleasePlan { recipe: ChosenRecipe { name, id, file, unpublished }, inputs } =
        plan_release(global, &mut backend, args, printer)?;
    let recipe = file.recipe;
    let dataflow = choose_dataflow(args, &name, &recipe)?;
    let releases = backend.list_releases()?.into_iter();
    let previous = releases
        .filter(|info| info.position.publisher == own && info.release.dataflow == dataflow)
        .max_by_key(|info| info.position.seq);
    let figures = submit::compute_figures(&recipe, inputs)?;
    printer.print_field("recipe", format!("{name}: {}", recipe.title));
    format::print_figures(&recipe, figures.tables(), printer);
    let revisions = print_revisions(&backend, previous.as_ref(), &figures, printer)?;
    let labels = ReleaseLabels {
        dataflow: dataflow.clone(),
        vintage: Text::new(args.vintage.clone().unwrap_or_else(|| format::format_day(node::unix_seconds())))?,
        // A dry run signs nothing, so it asks for no reason.
        supersedes: if args.dry_run {
            None
        } else {
            build_supersedes(args, &dataflow, previous.as_ref(), &figures, printer)?
        },
    };
    let draft = figures.into_release(id, labels);
    if args.dry_run {
        printer.print_json(
            &json!({ "dry_run": true, "recipe": name, "release": draft.release, "revisions": revisions }),
        );
        printer.print_line(printer.style_text(TextStyle::Dim, "nothing was signed or stored (--dry-run)"));
        return Ok(0);
    }
    // The recipe comes first: a node accepts a release only when everything that it refers to is stored.
    if let Some((_, recipe)) = unpublished {
        backend.publish_object(&recipe, Vec::new())?;
    }
    let object = draft.encode()?;
    let published = backend.publish_object(&object, draft.blocks)?;
    let address = Address::new(own, dataflow.clone());
    let steps = draft.release.steps;
    printer.print_json(&json!({
        "release": published.object, "address": address, "recipe": name, "published": published,
        "steps": steps, "revisions": revisions,
    }));
    printer.print_field("release", published.object);
    printer.print_field("address", &address);
    printer.print_field(
        "signed",
        format!("entry {} of {own}, {} steps", published.seq, format::group_digits(steps)),
    );
    printer.suggest_commands(&[
        format!("assay verify {address}"),
        format!("assay export {address} -o {dataflow}.car"),
    ]);
    Ok(0)
}

/// A recipe and its inputs.
struct ReleasePlan {
    recipe: ChosenRecipe,
    inputs: BTreeMap<Name, InputDataset>,
}

/// The recipe that is run.
struct ChosenRecipe {
    /// Its name, file or id, as typed or as chosen for an indicator.
    name: String,
    id: RecipeId,
    file: RecipeFile,
    /// The block of a recipe that is not published yet.
    unpublished: Option<Block>,
}

/// Finds the recipe and its inputs: named one by one (`--input`), or matched among candidates (`--from`).
fn plan_release(
    global: &GlobalArgs,
    backend: &mut Backend,
    args: &PublishArgs,
    printer: &Printer,
) -> Result<ReleasePlan, CommandError> {
    let mut datasets = load_candidates(global, backend, &args.from, printer)?;
    let candidates: Vec<CandidateDataset> = datasets
        .iter()
        .flatten()
        .map(|input| CandidateDataset::new(input.dataflow.as_str(), &input.source.table))
        .collect();
    // A file with the name of an indicator takes precedence over the indicator.
    let is_indicator = submit::is_indicator(&args.recipe) && !Path::new(&args.recipe).exists();
    let (name, chosen) = if is_indicator {
        let (name, inputs) = choose_recipe(&args.recipe, &candidates)?;
        (name.to_owned(), Some(inputs))
    } else {
        (args.recipe.clone(), None)
    };
    let recipe = resolve_recipe(backend, name, &args.set)?;
    let expected = &recipe.file.recipe.inputs;
    let mut inputs = load_named_inputs(backend, &recipe.file.recipe, &args.input)?;
    let matched = match chosen {
        Some(matched) => matched,
        None => {
            let open = expected.iter().filter(|(name, _)| !inputs.contains_key(*name));
            submit::match_inputs(open, &recipe.file.frequencies, &candidates)?
        }
    };
    for (input, position) in matched {
        // Each candidate is one input at most, so it moves out of the list.
        if let Some(dataset) = datasets.get_mut(position).and_then(Option::take) {
            inputs.insert(input, dataset);
        }
    }
    if let Some((name, input)) = expected.iter().find(|(name, _)| !inputs.contains_key(*name)) {
        let message = format!("input `{name}` ({}) is missing", input.title);
        return Err(CommandError::usage("input", message).hint(format!("add `--input {name}=<data set>`")));
    }
    Ok(ReleasePlan { recipe, inputs })
}

/// Chooses the library recipe of an indicator, with the candidate of each input.
fn choose_recipe(
    indicator: &str,
    candidates: &[CandidateDataset],
) -> Result<(&'static str, BTreeMap<Name, usize>), CommandError> {
    if candidates.is_empty() {
        let message = format!("`{indicator}` is an indicator: its recipe is chosen by the data");
        return Err(CommandError::usage("inputs", message)
            .hint("add `--from` with a data set or a file, or name a recipe"));
    }
    Ok(submit::choose_recipe(indicator, candidates)?)
}

/// Loads the data sets of `--from`; files are imported and published first.
fn load_candidates(
    global: &GlobalArgs,
    backend: &mut Backend,
    from: &[String],
    printer: &Printer,
) -> Result<Vec<Option<InputDataset>>, CommandError> {
    let load = |name: &String| {
        let path = Path::new(name);
        let id = if path.is_file() {
            import::import_file(global, backend, path, printer)?
        } else {
            dataset_versions::find_dataset(backend, name)?
        };
        Ok(Some(InputDataset::load(id, &backend.block_reader())?))
    };
    from.iter().map(load).collect()
}

/// Returns the name of the dataflow: from the flag, otherwise derived from the recipe.
fn choose_dataflow(args: &PublishArgs, name: &str, recipe: &Recipe) -> Result<Name, CommandError> {
    match &args.dataflow {
        Some(dataflow) => Ok(Name::new(dataflow.as_str())?),
        // Under the name of the unchanged recipe, the figures would look like its next vintage.
        None if !args.set.is_empty() => {
            let message = "a recipe with changed parameters needs a dataflow of its own";
            let hint = format!("add `--dataflow {}-other`", name.replace('/', "-"));
            Err(CommandError::usage("dataflow", message).hint(hint))
        }
        // Several methods share an indicator, so a named recipe gets a dataflow of its own.
        None if recipes::find_recipe(&args.recipe).is_some() => Ok(Name::new(name.replace('/', "-"))?),
        None => Ok(recipe.indicator.clone()),
    }
}

/// Compares the figures with the previous release; prints the changes and returns them as JSON.
fn print_revisions(
    backend: &Backend,
    previous: Option<&ReleaseInfo>,
    figures: &ReleaseFigures,
    printer: &Printer,
) -> Result<BTreeMap<Name, Value>, CommandError> {
    let Some(previous) = previous else { return Ok(BTreeMap::new()) };
    let mut documents = BTreeMap::new();
    for (name, revision) in figures.revisions(&previous.release, &backend.block_reader())? {
        dataset::print_revision(&revision, CHANGES_SHOWN, printer);
        documents.insert(name, dataset::revision_json(&revision, None, CHANGES_SHOWN));
    }
    Ok(documents)
}

/// Loads the recipe by its id, its file, or its name in the library.
fn resolve_recipe(backend: &Backend, name: String, set: &[String]) -> Result<ChosenRecipe, CommandError> {
    if let Ok(id) = name.parse::<RecipeId>() {
        let bytes = backend
            .load_block(id.cid())?
            .ok_or_else(|| CommandError::not_found(format!("recipe {id} is not stored here")))?;
        if !set.is_empty() {
            let message = "the parameters of a published recipe are not recorded";
            return Err(CommandError::usage("set", message)
                .hint("use the recipe by its file, or by its name in the library"));
        }
        return Ok(ChosenRecipe {
            name,
            id,
            file: RecipeFile::from_recipe(decode_object(&bytes)?),
            unpublished: None,
        });
    }
    let file = recipe_source::set_parameters(recipe_source::load_recipe_file(&name)?, set)?;
    let (id, block) = publishable_recipe(&file.recipe)?;
    let unpublished = backend.load_block(id.cid())?.is_none().then_some(block);
    Ok(ChosenRecipe { name, id, file, unpublished })
}

/// Loads the data sets of `--input`, by id or by dataflow and vintage.
fn load_named_inputs(
    backend: &Backend,
    recipe: &Recipe,
    flags: &[String],
) -> Result<BTreeMap<Name, InputDataset>, CommandError> {
    let names = || recipe.inputs.keys().map(Name::as_str).collect::<Vec<_>>().join(", ");
    let mut inputs = BTreeMap::new();
    for flag in flags {
        // `CPI@seq=3` is a data set with a vintage; in `PRICES=CPI@seq=3` the first `=` ends the input.
        let pair = flag.split_once('=').filter(|(name, _)| !name.contains('@'));
        let (name, dataset) = match (pair, recipe.inputs.keys().next()) {
            (Some((name, dataset)), _) => (Name::new(name)?, dataset),
            (None, Some(only)) if recipe.inputs.len() == 1 => (only.clone(), flag.as_str()),
            _ => {
                let message = format!("`--input {flag}` does not name an input");
                return Err(CommandError::usage("input", message)
                    .hint(format!("expected NAME=DATASET; inputs of the recipe: {}", names())));
            }
        };
        if !recipe.inputs.contains_key(&name) {
            let message = format!("the recipe has no input `{name}`");
            return Err(
                CommandError::usage("input", message).hint(format!("inputs of the recipe: {}", names()))
            );
        }
        let id = dataset_versions::find_dataset(backend, dataset)?;
        inputs.insert(name, InputDataset::load(id, &backend.block_reader())?);
    }
    Ok(inputs)
}

/// Returns the release that the new one supersedes, with the reason; asks for it on a terminal.
fn build_supersedes(
    args: &PublishArgs,
    dataflow: &Name,
    previous: Option<&ReleaseInfo>,
    figures: &ReleaseFigures,
    printer: &Printer,
) -> Result<Option<Supersession>, CommandError> {
    let Some(previous) = previous else {
        return match &args.reason {
            None => Ok(None),
            Some(_) => {
                let message = format!("`{dataflow}` has no earlier release to supersede");
                Err(CommandError::usage("reason", message).hint("omit `--reason`"))
            }
        };
    };
    let asked = || printer.ask_user(&format!("reason for a new release? {REASONS}"));
    let Some(reason) = args.reason.clone().or_else(asked) else {
        let same = if figures.same_as(&previous.release) { " with the same figures" } else { "" };
        let (seq, vintage) = (previous.position.seq, &previous.release.vintage);
        let message = format!("`{dataflow}` already has a release (entry {seq}, vintage {vintage}){same}");
        return Err(CommandError::usage("reason", message)
            .hint(format!("state why this one supersedes it with `--reason`; {REASONS}")));
    };
    // The words on the command line are those of the object format.
    let reason: RevisionReason = serde_json::from_value(json!(reason.trim()))
        .map_err(|_| CommandError::usage("reason", format!("`{reason}` is not a reason")).hint(REASONS))?;
    Ok(Some(Supersession { release: previous.id, reason }))
}

//! `assay publish`: run a recipe on published data sets and sign the figures.

use std::collections::BTreeMap;

use ledger::compute::{self, InputData};
use ledger::revision::compare_versions;
use node::service::query::ReleaseInfo;
use recipes::RecipeFile;
use schemas::cid::{DatasetId, RecipeId};
use schemas::content::{self, Block, encode_block};
use schemas::object::{Recipe, Release, RevisionReason, Supersession, decode_object, encode_object};
use schemas::text::{Name, Text};
use serde_json::{Value, json};

use crate::args::{Global, Publish};
use crate::backend::{Backend, home};
use crate::commands::{dataset, import};
use crate::fault::Fault;
use crate::pick::{self, Offer};
use crate::plan;
use crate::screen::{Screen, Tone};
use crate::versions;
use crate::view;

/// Revised figures that are shown.
const CHANGES: usize = 5;

pub(super) fn run(global: &Global, args: &Publish, screen: &Screen) -> Result<u8, Fault> {
    let mut backend = Backend::open(&home(global)?)?;
    let own = backend.own()?.ok_or(node::service::Error::NoIdentity)?;
    let Work { name, id, recipe, new, inputs } = work(global, &mut backend, args, screen)?;
    let dataflow = dataflow(args, &name, &recipe)?;
    let earlier = backend.releases()?.into_iter();
    let before = earlier
        .filter(|info| info.position.publisher == own && info.release.dataflow == dataflow)
        .max_by_key(|info| info.position.seq);
    let datasets = inputs.iter().map(|(name, input)| (name.clone(), input.id)).collect();
    let outcome =
        compute::run_recipe(&recipe, inputs.into_iter().map(|(name, input)| (name, input.source)).collect())?;
    let tables = outcome.figures.iter().map(|(name, figures)| (name, &figures.table));
    screen.field("recipe", format!("{name}: {}", recipe.title));
    view::figures(&recipe, tables, screen);
    let revisions = revisions(&backend, before.as_ref(), &outcome, screen)?;
    let release = Release {
        dataflow: dataflow.clone(),
        vintage: Text::new(args.vintage.clone().unwrap_or_else(|| view::day(node::unix_seconds())))?,
        recipe: id,
        inputs: datasets,
        results: outcome.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect(),
        steps: outcome.steps,
        supersedes: if args.dry_run {
            None
        } else {
            supersedes(args, &dataflow, before.as_ref(), &outcome, screen)?
        },
    };
    if args.dry_run {
        screen.document(
            &json!({ "dry_run": true, "recipe": name, "release": release, "revisions": revisions }),
        );
        screen.say(screen.paint(Tone::Dim, "nothing was signed or kept (--dry-run)"));
        return Ok(0);
    }
    if new {
        backend.publish(&encode_object(&recipe)?, Vec::new())?;
    }
    let blocks: Vec<Block> = outcome.figures.into_values().flat_map(|figures| figures.blocks).collect();
    let published = backend.publish(&encode_object(&release)?, blocks)?;
    let address = format!("assay://{own}/{dataflow}");
    screen.document(&json!({
        "release": published.object, "address": address, "recipe": name, "published": published,
        "steps": release.steps, "revisions": revisions,
    }));
    screen.field("release", published.object);
    screen.field("address", &address);
    screen
        .field("signed", format!("entry {} of {own}, {} steps", published.seq, view::grouped(release.steps)));
    screen.next(&[format!("assay verify {address}"), format!("assay export {address} -o {dataflow}.car")]);
    Ok(0)
}

/// What is to be run, on what.
struct Work {
    /// The recipe as it was named or picked.
    name: String,
    id: RecipeId,
    recipe: Recipe,
    /// Whether it has to be published first.
    new: bool,
    inputs: BTreeMap<Name, Given>,
}

/// A data set that is held.
struct Given {
    id: DatasetId,
    dataflow: Name,
    source: InputData,
}

/// The recipe and its inputs: named one by one (`--input`), or found among what is offered (`--from`).
fn work(global: &Global, backend: &mut Backend, args: &Publish, screen: &Screen) -> Result<Work, Fault> {
    let mut offered = offered(global, backend, &args.from, screen)?;
    let offers: Vec<Offer> = offered
        .iter()
        .flatten()
        .map(|given| Offer::new(given.dataflow.as_str(), &given.source.table))
        .collect();
    let (name, picked) = if pick::is_measure(&args.recipe) && !std::path::Path::new(&args.recipe).exists() {
        if offers.is_empty() {
            let message = format!("`{}` is a measure: its recipe is picked by the data", args.recipe);
            return Err(
                Fault::usage("inputs", message).hint("add `--from` a data set or a file, or name a recipe")
            );
        }
        let (name, mapped) = pick::recipe(&args.recipe, &offers)?;
        (name.to_owned(), Some(mapped))
    } else {
        (args.recipe.clone(), None)
    };
    let (id, RecipeFile { recipe, frequencies, .. }, new) = recipe(backend, &name, &args.set)?;
    let mut inputs = named(backend, &recipe, &args.input)?;
    let mapped = match picked {
        Some(mapped) => mapped,
        None => {
            let open = recipe.inputs.iter().filter(|(name, _)| !inputs.contains_key(*name));
            pick::inputs(open, &frequencies, &offers)?
        }
    };
    for (input, at) in mapped {
        if let Some(given) = offered.get_mut(at).and_then(Option::take) {
            inputs.insert(input, given);
        }
    }
    if let Some((name, input)) = recipe.inputs.iter().find(|(name, _)| !inputs.contains_key(*name)) {
        let message = format!("input `{name}` is not given ({})", input.title);
        return Err(Fault::usage("input", message).hint(format!("add `--input {name}=<data set>`")));
    }
    Ok(Work { name, id, recipe, new, inputs })
}

/// What `--from` names: data sets that are held, and files, which become data sets first.
fn offered(
    global: &Global,
    backend: &mut Backend,
    from: &[String],
    screen: &Screen,
) -> Result<Vec<Option<Given>>, Fault> {
    from.iter()
        .map(|wanted| {
            let path = std::path::Path::new(wanted);
            let id = if path.is_file() {
                import::file(global, backend, path, screen)?
            } else {
                versions::find(backend, wanted)?
            };
            given(backend, id).map(Some)
        })
        .collect()
}

fn given(backend: &Backend, id: DatasetId) -> Result<Given, Fault> {
    let (dataset, source) = compute::load_dataset(id, &backend.fetch())?;
    Ok(Given { id, dataflow: dataset.dataflow, source })
}

/// The dataflow: as the flag says, else after what was typed.
fn dataflow(args: &Publish, name: &str, recipe: &Recipe) -> Result<Name, Fault> {
    match &args.dataflow {
        Some(dataflow) => Ok(Name::new(dataflow.as_str())?),
        // Under the name of the unchanged recipe they would look like its next vintage.
        None if !args.set.is_empty() => {
            let message = "figures of another value of a parameter are another dataflow, and it has no name";
            let hint = format!("add `--dataflow {}-other`", name.replace('/', "-"));
            Err(Fault::usage("dataflow", message).hint(hint))
        }
        None if recipes::find_recipe(&args.recipe).is_some() => Ok(Name::new(name.replace('/', "-"))?),
        None => Ok(recipe.indicator.clone()),
    }
}

/// What each output has otherwise than in the release before.
fn revisions(
    backend: &Backend,
    before: Option<&ReleaseInfo>,
    outcome: &compute::RunOutcome,
    screen: &Screen,
) -> Result<BTreeMap<Name, Value>, Fault> {
    let mut said = BTreeMap::new();
    for (name, figures) in &outcome.figures {
        let Some(content) = before.and_then(|before| before.release.results.get(name)) else { continue };
        let (_, table) = content::unpack_table(*content, backend.fetch()).map_err(compute::RunError::from)?;
        // Figures of other identifiers are no revision: the reason, `method`, says so.
        if let Ok(found) = compare_versions(&table, &figures.table) {
            dataset::tell(&found, CHANGES, screen);
            said.insert(name.clone(), dataset::document(&found, None, CHANGES));
        }
    }
    Ok(said)
}

/// The recipe by id, by file, or by the name of one that comes with the program; and whether it
/// has to be published first.
fn recipe(backend: &Backend, text: &str, set: &[String]) -> Result<(RecipeId, RecipeFile, bool), Fault> {
    if let Ok(id) = text.parse::<RecipeId>() {
        let bytes =
            backend.block(id.cid())?.ok_or_else(|| Fault::absent(format!("recipe {id} is not held here")))?;
        if !set.is_empty() {
            return Err(Fault::usage(
                "set",
                "what is signed does not say which of its values are parameters",
            )
            .hint("publish the recipe from its file, or by its name in the library"));
        }
        return Ok((id, RecipeFile::from_recipe(decode_object(&bytes)?), false));
    }
    let read = plan::set(plan::read(text)?, set)?;
    compute::check_publishable(&read.recipe)?;
    let (id, _) = encode_block(&read.recipe)?;
    let new = backend.block(id.cid())?.is_none();
    Ok((id, read, new))
}

/// The data sets of the inputs that are named, by id or by dataflow and vintage.
fn named(backend: &Backend, recipe: &Recipe, flags: &[String]) -> Result<BTreeMap<Name, Given>, Fault> {
    let mut found = BTreeMap::new();
    for flag in flags {
        // `CPI@seq=3` is a data set and a vintage, `PRICES=CPI@seq=3` an input and these.
        let pair = flag.split_once('=').filter(|(name, _)| !name.contains('@'));
        let (name, wanted) = match (pair, recipe.inputs.keys().next()) {
            (Some((name, wanted)), _) => (Name::new(name)?, wanted),
            (None, Some(only)) if recipe.inputs.len() == 1 => (only.clone(), flag.as_str()),
            _ => {
                let names: Vec<&str> = recipe.inputs.keys().map(Name::as_str).collect();
                let message = format!("`{flag}` does not say for which input it is");
                return Err(Fault::usage("input", message)
                    .hint(format!("inputs of the recipe: {}", names.join(", "))));
            }
        };
        if !recipe.inputs.contains_key(&name) {
            let names: Vec<&str> = recipe.inputs.keys().map(Name::as_str).collect();
            let message = format!("the recipe has no input `{name}`");
            return Err(Fault::usage("input", message).hint(format!("its inputs are: {}", names.join(", "))));
        }
        found.insert(name, given(backend, versions::find(backend, wanted)?)?);
    }
    Ok(found)
}

/// What the release takes the place of, and why; the same figures again are no release.
fn supersedes(
    args: &Publish,
    dataflow: &Name,
    before: Option<&ReleaseInfo>,
    outcome: &compute::RunOutcome,
    screen: &Screen,
) -> Result<Option<Supersession>, Fault> {
    let Some(before) = before else {
        return match &args.reason {
            None => Ok(None),
            Some(_) => Err(Fault::usage(
                "reason",
                format!("`{dataflow}` has no earlier release to take the place of"),
            )
            .hint("leave `--reason` out")),
        };
    };
    let known = "reasons: source-revision, publisher-error, method, rebase, seasonal";
    let Some(reason) = args.reason.clone().or_else(|| screen.ask(&format!("why a new release? {known}")))
    else {
        let same = outcome
            .figures
            .iter()
            .all(|(name, figures)| before.release.results.get(name) == Some(&figures.content));
        let message = format!(
            "`{dataflow}` has a release already (entry {}, vintage {}){}",
            before.position.seq,
            before.release.vintage,
            if same { " with the same figures" } else { "" }
        );
        return Err(Fault::usage("reason", message)
            .hint(format!("say why this one takes its place with `--reason`; {known}")));
    };
    let reason: RevisionReason = serde_json::from_value(json!(reason.trim()))
        .map_err(|_| Fault::usage("reason", format!("`{reason}` is no reason")).hint(known))?;
    Ok(Some(Supersession { release: before.id, reason }))
}

//! `assay publish`: run a recipe on published data sets and sign the figures.

use std::collections::BTreeMap;

use ledger::compute;
use node::service::query::ReleaseInfo;
use schemas::cid::{DatasetId, RecipeId};
use schemas::content::{Block, block};
use schemas::object::{Reason, Recipe, Release, Supersedes, decode, encode};
use schemas::text::{Name, Text};
use serde_json::json;

use crate::args::{Global, Publish};
use crate::backend::{Backend, home};
use crate::fault::Fault;
use crate::plan;
use crate::screen::{Screen, Tone};
use crate::versions;
use crate::view;

pub(super) fn run(global: &Global, args: &Publish, screen: &Screen) -> Result<u8, Fault> {
    let mut backend = Backend::open(&home(global)?)?;
    let own = backend.own()?.ok_or(node::service::Error::NoIdentity)?;
    let (recipe_id, recipe, new) = recipe(&backend, &args.recipe)?;
    let datasets = inputs(&backend, &recipe, &args.input)?;
    let dataflow = Name::new(args.dataflow.as_str())?;
    let earlier: Vec<ReleaseInfo> = backend
        .releases()?
        .into_iter()
        .filter(|info| info.placed.publisher == own && info.release.dataflow == dataflow)
        .collect();
    let before = earlier.iter().max_by_key(|info| info.placed.seq);
    let mut sources = BTreeMap::new();
    for (name, id) in &datasets {
        let (_, source) = compute::load(*id, &backend.fetch())?;
        sources.insert(name.clone(), source);
    }
    let outcome = compute::run(&recipe, sources)?;
    let release = Release {
        dataflow: dataflow.clone(),
        vintage: Text::new(args.vintage.clone().unwrap_or_else(|| view::day(node::system())))?,
        recipe: recipe_id,
        inputs: datasets,
        results: outcome.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect(),
        steps: outcome.steps,
        supersedes: supersedes(args, before, &outcome)?,
    };
    let tables = outcome.figures.iter().map(|(name, figures)| (name, &figures.table));
    view::figures(&recipe, tables, screen);
    if args.dry_run {
        screen.document(&json!({ "dry_run": true, "release": release }));
        screen.say(screen.paint(Tone::Dim, "nothing was signed or kept (--dry-run)"));
        return Ok(0);
    }
    if new {
        backend.publish(&encode(&recipe)?, Vec::new())?;
    }
    let blocks: Vec<Block> = outcome.figures.into_values().flat_map(|figures| figures.blocks).collect();
    let published = backend.publish(&encode(&release)?, blocks)?;
    let address = format!("assay://{own}/{dataflow}");
    screen.document(&json!({ "release": published.object, "address": address, "published": published, "steps": release.steps }));
    screen.field("release", published.object);
    screen.field("address", &address);
    screen
        .field("signed", format!("entry {} of {own}, {} steps", published.seq, view::grouped(release.steps)));
    screen.next(&[format!("assay verify {address}"), format!("assay export {address} -o {dataflow}.car")]);
    Ok(0)
}

/// The recipe by id, by file, or by the name of one that comes with the program; and whether it
/// has to be published first.
fn recipe(backend: &Backend, text: &str) -> Result<(RecipeId, Recipe, bool), Fault> {
    if let Ok(id) = text.parse::<RecipeId>() {
        let bytes =
            backend.block(id.cid())?.ok_or_else(|| Fault::absent(format!("recipe {id} is not held here")))?;
        return Ok((id, decode(&bytes)?, false));
    }
    let recipe = plan::open(text)?;
    compute::publishable(&recipe)?;
    let (id, _) = block(&recipe)?;
    let new = backend.block(id.cid())?.is_none();
    Ok((id, recipe, new))
}

/// A data set for each input, by id or by the dataflow of the latest one.
fn inputs(backend: &Backend, recipe: &Recipe, flags: &[String]) -> Result<BTreeMap<Name, DatasetId>, Fault> {
    let mut found = BTreeMap::new();
    for flag in flags {
        let (name, wanted) = match (flag.split_once('='), recipe.inputs.keys().next()) {
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
        found.insert(name, versions::find(backend, wanted)?);
    }
    if let Some(absent) = recipe.inputs.iter().find(|(name, _)| !found.contains_key(*name)) {
        let message = format!("input `{}` is not given ({})", absent.0, absent.1.title);
        return Err(Fault::usage("input", message).hint(format!("add `--input {}=<data set>`", absent.0)));
    }
    Ok(found)
}

/// What the release takes the place of, and why; the same figures again are no release.
fn supersedes(
    args: &Publish,
    before: Option<&ReleaseInfo>,
    outcome: &compute::Outcome,
) -> Result<Option<Supersedes>, Fault> {
    let Some(before) = before else {
        return match &args.reason {
            None => Ok(None),
            Some(_) => Err(Fault::usage(
                "reason",
                format!("`{}` has no earlier release to take the place of", args.dataflow),
            )
            .hint("leave `--reason` out")),
        };
    };
    let known = "reasons: source-revision, publisher-error, method, rebase, seasonal";
    let Some(reason) = &args.reason else {
        let same = outcome
            .figures
            .iter()
            .all(|(name, figures)| before.release.results.get(name) == Some(&figures.content));
        let message = format!(
            "`{}` has a release already (entry {}, vintage {}){}",
            args.dataflow,
            before.placed.seq,
            before.release.vintage,
            if same { " with the same figures" } else { "" }
        );
        return Err(Fault::usage("reason", message)
            .hint(format!("say why this one takes its place with `--reason`; {known}")));
    };
    let reason: Reason = serde_json::from_value(json!(reason))
        .map_err(|_| Fault::usage("reason", format!("`{reason}` is no reason")).hint(known))?;
    Ok(Some(Supersedes { release: before.id, reason }))
}

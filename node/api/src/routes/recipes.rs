//! Recipes, and how they differ.

use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use schemas::cid::{PublisherId, RecipeId};
use schemas::object::Recipe;
use serde::{Deserialize, Serialize};
use service::Storage;

use super::{check_length, respond_immutable, respond_json};
use crate::read::parse_id;
use crate::views::Flow;
use crate::{Problem, State};

/// A recipe.
#[derive(Debug, Serialize)]
struct RecipeResponse {
    id: RecipeId,
    publisher: Option<PublisherId>,
    publisher_name: Option<String>,
    #[serde(flatten)]
    recipe: Recipe,
    used_by: Vec<Flow>,
}

pub(crate) async fn show_recipe<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Response {
    respond_json(state, move |state| recipe_view(state, &id)).await
}

/// A recipe by its id.
pub(crate) fn recipe_view<K: Storage>(
    state: &State<K>,
    id: &str,
) -> Result<impl Serialize + use<K>, Problem> {
    let id: RecipeId = parse_id(check_length(id)?)?;
    let query = state.service.query();
    let recipe: Recipe = query.read_object(id.cid())?;
    let placed = query.find_positions(id.cid())?.into_iter().next();
    let catalogue = state.views.catalogue()?;
    let used_by = catalogue.flows.iter().filter(|flow| flow.recipe == id).cloned().collect();
    let (publisher, publisher_name) = placed.map(|placed| (placed.publisher, placed.name)).unzip();
    Ok(RecipeResponse { id, publisher, publisher_name, recipe, used_by })
}

/// The recipe to compare with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DifferenceParams {
    from: String,
}

/// What differs between two recipes.
#[derive(Debug, Serialize)]
struct RecipeDifference {
    /// Inputs that only the first, and only the second reads.
    inputs_from: Vec<String>,
    inputs_to: Vec<String>,
    steps: Vec<StepDifference>,
    /// Why, as the second says it of the first.
    reasons: Vec<String>,
}

/// A step that differs.
#[derive(Debug, Serialize)]
struct StepDifference {
    name: String,
    kind: &'static str,
    from: Option<String>,
    to: Option<String>,
    /// The smallest parts that differ.
    parts: Vec<(String, String)>,
    note: Option<String>,
}

pub(crate) async fn show_difference<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
    from: Result<Params<DifferenceParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    respond_immutable(state, move |state| {
        let from: RecipeId = parse_id(check_length(&from.map_err(Problem::invalid_query)?.0.from)?)?;
        let id: RecipeId = parse_id(check_length(&id)?)?;
        let query = state.service.query();
        let (before, after): (Recipe, Recipe) =
            (query.read_object(from.cid())?, query.read_object(id.cid())?);
        let unread = |_| Problem::new(StatusCode::CONFLICT, "script", "a script of these cannot be read");
        let found =
            service::compare_scripts(before.script.as_str(), after.script.as_str()).map_err(unread)?;
        let steps = found.steps.into_iter().map(|step| {
            let kind = match (&step.before, &step.after) {
                (Some(_), Some(_)) => "changed",
                (Some(_), None) => "removed",
                (None, _) => "added",
            };
            let parts = step.parts.iter().map(|(from, to)| format!("`{from}` became `{to}`"));
            let note = parts.collect::<Vec<_>>().join("; ");
            StepDifference {
                name: step.name,
                kind,
                from: step.before,
                to: step.after,
                parts: step.parts,
                note: Some(note).filter(|note| !note.is_empty()),
            }
        });
        let why = after.deviates_from.filter(|deviation| deviation.recipe == from);
        Ok(RecipeDifference {
            inputs_from: found.inputs_before,
            inputs_to: found.inputs_after,
            steps: steps.collect(),
            reasons: why.map_or_else(Vec::new, |why| why.reasons.iter().map(|one| one.to_string()).collect()),
        })
    })
    .await
}

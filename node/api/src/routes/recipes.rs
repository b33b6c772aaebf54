//! Recipes and the differences between two of them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use schemas::cid::RecipeId;
use schemas::object::Recipe;
use serde::{Deserialize, Serialize};
use service::Storage;

use super::{check_length, parse_id, respond_immutable, respond_json};
use crate::Problem;
use crate::state::State;
use crate::views::recipe::recipe_view;

pub(crate) async fn show_recipe<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Response {
    respond_json(state, move |state| recipe_view(state, &id)).await
}

/// The recipe to compare with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DifferenceParams {
    from: String,
}

/// Differences between two recipes.
#[derive(Debug, Serialize)]
struct RecipeDifference {
    /// Inputs read by only one of the recipes: the first, the second.
    inputs_from: Vec<String>,
    inputs_to: Vec<String>,
    steps: Vec<StepDifference>,
    /// Reasons for deviating from the first recipe, as stated by the second.
    reasons: Vec<String>,
}

/// A step that differs.
#[derive(Debug, Serialize)]
struct StepDifference {
    name: String,
    kind: &'static str,
    from: Option<String>,
    to: Option<String>,
    /// Smallest differing expressions, before and after.
    parts: Vec<(String, String)>,
    note: Option<String>,
}

pub(crate) async fn show_difference<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
    from: Result<Params<DifferenceParams>, QueryRejection>,
) -> Response {
    respond_immutable(state, move |state| {
        let from: RecipeId = parse_id(check_length(&from.map_err(Problem::invalid_query)?.0.from)?)?;
        let id: RecipeId = parse_id(check_length(&id)?)?;
        let query = state.service.query();
        let (before, after): (Recipe, Recipe) =
            (query.read_object(from.cid())?, query.read_object(id.cid())?);
        let unread = |_| Problem::new(StatusCode::CONFLICT, "script", "one of the scripts cannot be parsed");
        let found =
            service::compare_scripts(before.script.as_str(), after.script.as_str()).map_err(unread)?;
        let steps = found.steps.into_iter().map(|step| {
            let kind = match (&step.before, &step.after) {
                (Some(_), Some(_)) => "changed",
                (Some(_), None) => "removed",
                (None, _) => "added",
            };
            let parts = step.parts.iter().map(|(from, to)| format!("`{from}` became `{to}`"));
            // Backticks mark code for the dashboard.
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

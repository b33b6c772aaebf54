//! A recipe with its publisher and the flows that use it.

use schemas::cid::{PublisherId, RecipeId};
use schemas::object::Recipe;
use serde::Serialize;
use service::Storage;

use super::Flow;
use crate::Problem;
use crate::routes::{check_length, parse_id};
use crate::state::State;

/// A recipe with its publisher and the flows that use it.
#[derive(Debug, Serialize)]
struct RecipeResponse {
    id: RecipeId,
    publisher: Option<PublisherId>,
    publisher_name: Option<String>,
    #[serde(flatten)]
    recipe: Recipe,
    used_by: Vec<Flow>,
}

/// Returns a recipe.
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

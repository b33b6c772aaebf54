//! Search over areas, flows, recipes, publishers and data sets.

use axum::extract::{Query as Params, State as Shared};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use service::Storage;
use service::query::ResolvedReference;
use service::standing::Standing;

use super::{check_length, respond_json};
use crate::Problem;
use crate::state::State;
use crate::views::Flow;
use crate::views::areas::all_areas;

/// Hits per response: default.
const HITS_DEFAULT: usize = 20;
const HITS_MAX: usize = 100;

/// Search parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchParams {
    q: String,
    limit: Option<usize>,
}

/// A search hit.
#[derive(Debug, Serialize)]
struct SearchHit {
    kind: &'static str,
    title: String,
    detail: String,
    /// Path of the dashboard page.
    path: String,
    #[serde(skip)]
    rank: u8,
}

pub(crate) async fn search_index<K: Storage>(
    Shared(state): Shared<State<K>>,
    params: Result<Params<SearchParams>, axum::extract::rejection::QueryRejection>,
) -> Response {
    respond_json(state, move |state| {
        let params = params.map_err(Problem::invalid_query)?.0;
        let words: Vec<String> =
            check_length(&params.q)?.split_whitespace().map(|word| word.to_lowercase()).collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut hit = all_hits(state)?;
        hit.retain_mut(|one| {
            let text = format!("{} {}", one.title, one.detail).to_lowercase();
            let title = one.title.to_lowercase();
            let begins = words.first().is_some_and(|word| title.starts_with(word.as_str()));
            // Exact titles come first, then titles that start with the first word.
            one.rank = if title == words.join(" ") {
                0
            } else if begins {
                1
            } else {
                2
            };
            words.iter().all(|word| text.contains(word.as_str()))
        });
        hit.sort_by(|a, b| (a.rank, a.title.len(), &a.title).cmp(&(b.rank, b.title.len(), &b.title)));
        hit.truncate(params.limit.unwrap_or(HITS_DEFAULT).clamp(1, HITS_MAX));
        // An address or id is resolved as well, since it matches no words.
        hit.extend(resolve_hit(state, &params.q));
        Ok(hit)
    })
    .await
}

/// Returns everything that can be found by words.
fn all_hits<K: Storage>(state: &State<K>) -> Result<Vec<SearchHit>, Problem> {
    let hit =
        |kind, title: String, detail: String, path: String| SearchHit { kind, title, detail, path, rank: 0 };
    let mut all = Vec::new();
    for area in all_areas(state)? {
        let path = format!("/country/{}", area.code());
        all.push(hit("country", area.name().to_owned(), area.code().to_owned(), path));
    }
    let catalogue = state.views.catalogue()?;
    for flow in &catalogue.flows {
        let doubt = Some(flow.standing.word)
            .filter(|word| matches!(word, Standing::DoesNotHold | Standing::Contested));
        let doubt = doubt.map(|word| format!(", {}", word.title())).unwrap_or_default();
        let detail = format!("{} by {}, {}{doubt}", flow.indicator, flow.publisher_name, flow.dataflow);
        all.push(hit("flow", flow_title(flow), detail, flow_page_path(flow)));
    }
    for info in state.views.recipes()? {
        let detail = format!("{} by {}", info.recipe.indicator, info.position.name);
        all.push(hit("recipe", info.recipe.title.to_string(), detail, format!("/recipe/{}", info.id)));
    }
    for log in catalogue.logs.values() {
        let id = log.publisher.to_string();
        all.push(hit("publisher", log.name.clone(), id.clone(), format!("/publisher/{id}")));
    }
    for info in state.views.datasets()? {
        let detail = format!("{} by {}", info.dataset.dataflow, info.position.name);
        let path = format!("/publisher/{}", info.position.publisher);
        all.push(hit("dataset", info.dataset.title.to_string(), detail, path));
    }
    Ok(all)
}

/// Object that an address or id resolves to.
fn resolve_hit<K: Storage>(state: &State<K>, text: &str) -> Option<SearchHit> {
    let text = text.trim();
    let hit = |kind, title, path| SearchHit { kind, title, detail: text.to_owned(), path, rank: 0 };
    match state.service.query().resolve(text).ok()? {
        ResolvedReference::Address(address, _) => {
            let key = address.key()?.to_string();
            let path =
                format!("/figure/{}/{}/{key}/{}", address.publisher(), address.dataflow(), address.period()?);
            Some(hit("figure", address.dataflow().to_string(), path))
        }
        ResolvedReference::Id(id) => {
            let catalogue = state.views.catalogue().ok()?;
            let flow = catalogue.flows.iter().find(|flow| flow.release.cid() == id)?;
            Some(hit("release", flow.title.clone(), flow_page_path(flow)))
        }
    }
}

/// Returns the page path of a flow.
fn flow_page_path(flow: &Flow) -> String {
    let output = if flow.outputs > 1 { format!("&output={}", flow.output) } else { String::new() };
    format!("/world/{}?method={}/{}{output}", flow.indicator, flow.publisher, flow.dataflow)
}

/// Returns the title of a flow, prefixed with the output title if the dataflow has several outputs.
fn flow_title(flow: &Flow) -> String {
    let output = Some(&flow.output_title).filter(|title| flow.outputs > 1 && !title.is_empty());
    output.map_or_else(|| flow.title.clone(), |output| format!("{output} ({})", flow.title))
}

//! Logs and signed objects: releases, data sets and recipes, in pages.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::cid::{Cid, ReleaseId};
use serde::{Deserialize, Serialize};
use service::query::{LogInfo, ReleaseInfo};
use service::{Error, Storage};

use super::{JsonResult, parse_id, run_blocking};
use crate::Problem;
use crate::state::State;

pub(crate) async fn list_logs<K: Storage>(Shared(state): Shared<State<K>>) -> JsonResult<Vec<LogInfo>> {
    Ok(Json(state.service.query().list_logs()?))
}

/// Objects per page: maximum and default.
const PAGE_MAX: usize = 1000;

/// Page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    /// Starts after the object with this id.
    cursor: Option<Cid>,
    limit: Option<usize>,
}

/// Returns a page of a list in log order, with a `Link` to the next page (RFC 8288).
async fn list_page<K: Storage, T: Serialize + Send + 'static>(
    state: State<K>,
    path: &str,
    page: Result<Params<PageParams>, QueryRejection>,
    read: impl FnOnce(&State<K>) -> Result<Vec<T>, Error> + Send + 'static,
    id: impl Fn(&T) -> Cid + Send + 'static,
) -> Result<Response, Problem> {
    let Params(page) = page.map_err(Problem::invalid_query)?;
    let limit = page.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let result = run_blocking(state, move |state| {
        let mut items = read(state)?;
        // The cursor is an id, because offsets would shift when objects are added.
        if let Some(cursor) = page.cursor {
            let position = items.iter().position(|one| id(one) == cursor);
            let position = position.ok_or_else(|| {
                Problem::new(StatusCode::BAD_REQUEST, "cursor", format!("`{cursor}` is not in this list"))
            })?;
            items.drain(..=position);
        }
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(&id);
        Ok((items, next))
    });
    let (items, next) = result.await?;
    let mut response = Json(items).into_response();
    let next = next.map(|id| format!("</api/v1/{path}?cursor={id}&limit={limit}>; rel=\"next\""));
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

pub(crate) async fn list_releases<K: Storage>(
    Shared(state): Shared<State<K>>,
    page: Result<Params<PageParams>, QueryRejection>,
) -> Result<Response, Problem> {
    list_page(state, "releases", page, |state| state.service.query().list_releases(), |one| one.id.cid())
        .await
}

pub(crate) async fn show_release<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> JsonResult<ReleaseInfo> {
    let id: ReleaseId = parse_id(&id)?;
    Ok(Json(state.service.query().find_release(id)?))
}

pub(crate) async fn list_datasets<K: Storage>(
    Shared(state): Shared<State<K>>,
    page: Result<Params<PageParams>, QueryRejection>,
) -> Result<Response, Problem> {
    list_page(state, "datasets", page, |state| state.service.query().list_datasets(), |one| one.id.cid())
        .await
}

pub(crate) async fn list_recipes<K: Storage>(
    Shared(state): Shared<State<K>>,
    page: Result<Params<PageParams>, QueryRejection>,
) -> Result<Response, Problem> {
    list_page(state, "recipes", page, |state| state.service.query().list_recipes(), |one| one.id.cid()).await
}

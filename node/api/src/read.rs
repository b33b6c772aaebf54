//! The routes that read.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::cid::{Cid, ReleaseId};
use serde::{Deserialize, Serialize};
use service::query::{LogInfo, ReleaseInfo, ResolvedReference};
use service::{Error, Storage};

use crate::routes::run_blocking;
use crate::{Problem, State};

type JsonResult<T> = Result<Json<T>, Problem>;

/// Content by id never changes.
pub(crate) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What a node says of itself.
#[derive(Debug, Serialize)]
pub(crate) struct NodeStatus {
    version: &'static str,
    own: Option<String>,
    listening: Vec<String>,
    peers: usize,
    logs: usize,
}

pub(crate) async fn show_status<K: Storage>(Shared(state): Shared<State<K>>) -> JsonResult<NodeStatus> {
    let query = state.service.query();
    Ok(Json(NodeStatus {
        version: env!("CARGO_PKG_VERSION"),
        own: query.own_publisher()?.map(|own| own.to_string()),
        listening: (state.listening)().into_iter().map(|(_, address)| address).collect(),
        peers: (state.peers)().len(),
        logs: query.list_logs()?.len(),
    }))
}

pub(crate) async fn list_logs<K: Storage>(Shared(state): Shared<State<K>>) -> JsonResult<Vec<LogInfo>> {
    Ok(Json(state.service.query().list_logs()?))
}

/// Objects of one answer: the most, and as many as there are where nothing is said.
const PAGE_MAX: usize = 1000;

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    /// What comes after the object of this id.
    cursor: Option<Cid>,
    limit: Option<usize>,
}

/// A part of a list in the order of the logs; `Link` leads to the next one.
async fn list_page<K: Storage, T: Serialize + Send + 'static>(
    state: State<K>,
    path: &str,
    page: Result<Params<PageParams>, QueryRejection>,
    read: impl FnOnce(&State<K>) -> Result<Vec<T>, Error> + Send + 'static,
    id: impl Fn(&T) -> Cid + Send + 'static,
) -> Result<Response, Problem> {
    let Params(page) = page.map_err(Problem::invalid_query)?;
    let limit = page.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let made = run_blocking(state, move |state| {
        let mut found = read(state)?;
        if let Some(cursor) = page.cursor {
            let place = found.iter().position(|one| id(one) == cursor);
            let place = place.ok_or_else(|| {
                Problem::new(StatusCode::BAD_REQUEST, "cursor", format!("{cursor} is not in this list"))
            })?;
            found.drain(..=place);
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(&id);
        Ok((found, next))
    });
    let (found, next) = made.await?;
    let mut response = Json(found).into_response();
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

/// Raw bytes, as a download that no browser will run.
pub(crate) async fn download_block<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: Cid = parse_id(&id)?;
    let bytes = state.service.storage().get(id).map_err(Error::from)?;
    let bytes = bytes.ok_or_else(|| Error::NotFound(format!("block {id}")))?;
    Ok(download_response("application/octet-stream", IMMUTABLE, bytes))
}

pub(crate) async fn download_bundle<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let bytes = state.service.query().export_bundle(parse_id(&id)?)?;
    Ok(download_response("application/vnd.ipld.car", "no-cache", bytes))
}

fn download_response(kind: &'static str, cache: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveParams {
    q: String,
}

/// What an address or id leads to.
#[derive(Debug, Serialize)]
pub(crate) struct ResolveResponse {
    id: Cid,
    address: Option<String>,
}

pub(crate) async fn resolve_identifier<K: Storage>(
    Shared(state): Shared<State<K>>,
    wanted: Result<Params<ResolveParams>, QueryRejection>,
) -> JsonResult<ResolveResponse> {
    let Params(wanted) = wanted.map_err(Problem::invalid_query)?;
    Ok(Json(match state.service.query().resolve(&wanted.q)? {
        ResolvedReference::Id(id) => ResolveResponse { id, address: None },
        ResolvedReference::Address(address, release) => {
            ResolveResponse { id: release.cid(), address: Some(address.to_string()) }
        }
    }))
}

/// A peer: where it is, whether it is connected.
#[derive(Debug, Serialize)]
pub(crate) struct PeerInfo {
    peer: Option<String>,
    address: String,
    connected: bool,
}

pub(crate) async fn list_peers<K: Storage>(Shared(state): Shared<State<K>>) -> JsonResult<Vec<PeerInfo>> {
    let connected = (state.peers)();
    let known = state.service.query().list_peers()?.into_iter();
    let idle = known.filter(|address| !connected.iter().any(|(_, live)| live == address));
    let idle = idle.map(|address| PeerInfo { peer: None, address, connected: false }).collect::<Vec<_>>();
    let live =
        connected.into_iter().map(|(peer, address)| PeerInfo { peer: Some(peer), address, connected: true });
    Ok(Json(live.chain(idle).collect()))
}

/// Reads an id of any kind from a path.
pub(crate) fn parse_id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|fault: T::Err| Problem::new(StatusCode::BAD_REQUEST, "id", fault.to_string()))
}

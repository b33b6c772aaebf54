//! The routes that read.

use axum::Json;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::cid::{Cid, ReleaseId};
use serde::{Deserialize, Serialize};
use service::query::{DatasetInfo, LogInfo, RecipeInfo, ReleaseInfo, Target};
use service::{Error, Keep};

use crate::{Problem, State};

type Answer<T> = Result<Json<T>, Problem>;

/// Content by id never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// What a node says of itself.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    version: &'static str,
    own: Option<String>,
    listening: Vec<String>,
    peers: usize,
    logs: usize,
}

/// Whether the node can read what it keeps.
pub(crate) async fn healthy<K: Keep>(Shared(state): Shared<State<K>>) -> Result<&'static str, Problem> {
    state.service.query().own()?;
    Ok("ok\n")
}

pub(crate) async fn status<K: Keep>(Shared(state): Shared<State<K>>) -> Answer<Status> {
    let query = state.service.query();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        own: query.own()?.map(|own| own.to_string()),
        listening: (state.listening)().into_iter().map(|(_, address)| address).collect(),
        peers: (state.peers)().len(),
        logs: query.logs()?.len(),
    }))
}

pub(crate) async fn logs<K: Keep>(Shared(state): Shared<State<K>>) -> Answer<Vec<LogInfo>> {
    Ok(Json(state.service.query().logs()?))
}

pub(crate) async fn releases<K: Keep>(Shared(state): Shared<State<K>>) -> Answer<Vec<ReleaseInfo>> {
    Ok(Json(state.service.query().releases()?))
}

pub(crate) async fn release<K: Keep>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Answer<ReleaseInfo> {
    let id: ReleaseId = parse(&id)?;
    Ok(Json(state.service.query().release(id)?))
}

pub(crate) async fn datasets<K: Keep>(Shared(state): Shared<State<K>>) -> Answer<Vec<DatasetInfo>> {
    Ok(Json(state.service.query().datasets()?))
}

pub(crate) async fn recipes<K: Keep>(Shared(state): Shared<State<K>>) -> Answer<Vec<RecipeInfo>> {
    Ok(Json(state.service.query().recipes()?))
}

/// Raw bytes, as a download that no browser will run.
pub(crate) async fn block<K: Keep>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: Cid = parse(&id)?;
    let bytes = state.service.keep().get(id).map_err(Error::from)?;
    let bytes = bytes.ok_or_else(|| Error::Unknown(format!("block {id}")))?;
    Ok(download("application/octet-stream", FOREVER, bytes))
}

pub(crate) async fn bundle<K: Keep>(
    Shared(state): Shared<State<K>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let bytes = state.service.query().bundle(parse(&id)?)?;
    Ok(download("application/vnd.ipld.car", "no-cache", bytes))
}

fn download(kind: &'static str, cache: &'static str, bytes: Vec<u8>) -> Response {
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
pub(crate) struct Wanted {
    q: String,
}

/// What an address or id leads to.
#[derive(Debug, Serialize)]
pub(crate) struct Resolved {
    id: Cid,
    address: Option<String>,
}

pub(crate) async fn resolve<K: Keep>(
    Shared(state): Shared<State<K>>,
    wanted: Result<Params<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Answer<Resolved> {
    let Params(wanted) =
        wanted.map_err(|fault| Problem::new(StatusCode::BAD_REQUEST, "query", fault.to_string()))?;
    Ok(Json(match state.service.query().resolve(&wanted.q)? {
        Target::Id(id) => Resolved { id, address: None },
        Target::Address(address, release) => {
            Resolved { id: release.cid(), address: Some(address.to_string()) }
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

pub(crate) async fn peers<K: Keep>(Shared(state): Shared<State<K>>) -> Answer<Vec<PeerInfo>> {
    let connected = (state.peers)();
    let known = state.service.query().peers()?.into_iter();
    let idle = known.filter(|address| !connected.iter().any(|(_, live)| live == address));
    let idle = idle.map(|address| PeerInfo { peer: None, address, connected: false }).collect::<Vec<_>>();
    let live =
        connected.into_iter().map(|(peer, address)| PeerInfo { peer: Some(peer), address, connected: true });
    Ok(Json(live.chain(idle).collect()))
}

/// Reads an id of any kind from a path.
pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|fault: T::Err| Problem::new(StatusCode::BAD_REQUEST, "id", fault.to_string()))
}

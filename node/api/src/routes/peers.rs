//! Peers: the list, and dialling a new one.

use axum::Json;
use axum::extract::State as Shared;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{ServiceCommand, Storage};

use super::JsonResult;
use crate::Problem;
use crate::state::State;

/// A peer with its address and connection state.
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerAddress {
    address: String,
}

pub(crate) async fn add_peer<K: Storage>(
    Shared(state): Shared<State<K>>,
    peer: Result<Json<PeerAddress>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(peer) =
        peer.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "json", error.to_string()))?;
    (state.dial)(peer.address.clone())
        .await
        .map_err(|reason| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "address", reason))?;
    state.service.request(|reply| ServiceCommand::AddPeer(peer.address, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Node status.

use axum::Json;
use axum::extract::State as Shared;
use serde::Serialize;
use service::Storage;

use super::JsonResult;
use crate::state::State;

/// Status of the node.
#[derive(Debug, Serialize)]
pub(crate) struct NodeStatus {
    version: &'static str,
    publisher: Option<String>,
    listening: Vec<String>,
    peers: usize,
    logs: usize,
}

pub(crate) async fn show_status<K: Storage>(Shared(state): Shared<State<K>>) -> JsonResult<NodeStatus> {
    let query = state.service.query();
    Ok(Json(NodeStatus {
        version: env!("CARGO_PKG_VERSION"),
        publisher: query.own_publisher()?.map(|own| own.to_string()),
        listening: (state.listening)().into_iter().map(|(_, address)| address).collect(),
        peers: (state.peers)().len(),
        logs: query.list_logs()?.len(),
    }))
}

//! Raw blocks and bundles, as downloads.

use axum::extract::{Path, State as Shared};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemas::cid::Cid;
use service::{Error, Storage};

use super::{IMMUTABLE, parse_id};
use crate::Problem;
use crate::state::State;

/// Returns raw bytes as a download. Blocks are untrusted, so the headers keep browsers from interpreting
/// them.
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
        // Even if a browser displays the block, it runs nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

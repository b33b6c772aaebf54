//! Resolution of addresses and ids.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Params, State as Shared};
use schemas::cid::Cid;
use serde::{Deserialize, Serialize};
use service::Storage;
use service::query::ResolvedReference;

use super::JsonResult;
use crate::Problem;
use crate::state::State;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveParams {
    q: String,
}

/// Object that an address or id resolves to.
#[derive(Debug, Serialize)]
pub(crate) struct ResolveResponse {
    id: Cid,
    address: Option<String>,
}

pub(crate) async fn resolve_identifier<K: Storage>(
    Shared(state): Shared<State<K>>,
    params: Result<Params<ResolveParams>, QueryRejection>,
) -> JsonResult<ResolveResponse> {
    let Params(params) = params.map_err(Problem::invalid_query)?;
    Ok(Json(match state.service.query().resolve(&params.q)? {
        ResolvedReference::Id(id) => ResolveResponse { id, address: None },
        ResolvedReference::Address(address, release) => {
            ResolveResponse { id: release.cid(), address: Some(address.to_string()) }
        }
    }))
}

//! The routes that change the node; all behind the token.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use schemas::car;
use schemas::cid::{PublisherId, ReleaseId};
use schemas::verdict::Verdict;
use serde::{Deserialize, Serialize};
use service::{PublishReceipt, ServiceCommand, Storage};

use crate::read::parse_id;
use crate::{Problem, State, live, problem};

/// Signs the object that is the one root of a CAR file; the other blocks are what it needs.
pub(crate) async fn publish_object<K: Storage>(
    Shared(state): Shared<State<K>>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<PublishReceipt>, Problem> {
    // A body that broke off has nobody left to answer.
    let body = body.map_err(|_| problem::body_too_large())?;
    let bad = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "car", detail);
    let (roots, blocks) = car::open_archive(&body).map_err(|fault| bad(fault.to_string()))?;
    let [root] = roots.as_slice() else { return Err(bad("the file has one root".into())) };
    let mut object = None;
    let mut needs = Vec::new();
    for block in blocks {
        let (id, bytes) = block.map_err(|fault| bad(fault.to_string()))?;
        if id == *root {
            object = Some(bytes.to_vec());
        } else {
            needs.push((id, bytes.to_vec()));
        }
    }
    let object = object.ok_or_else(|| bad("the root is not in the file".into()))?;
    let time = (state.clock)();
    Ok(Json(state.service.request(|reply| ServiceCommand::Publish(object, needs, time, reply)).await?))
}

/// What came of a run, and whether it was signed into the own log.
#[derive(Debug, Serialize)]
pub(crate) struct VerificationResponse {
    verdict: Verdict,
    steps: u64,
    attested: bool,
}

/// Runs a release again, keeps what came of it, and attests it where the node has an identity.
pub(crate) async fn verify_release<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(release): Path<String>,
) -> Result<Json<VerificationResponse>, Problem> {
    let release: ReleaseId = parse_id(&release)?;
    state.service.query().find_release(release)?;
    let found = live::rerun_in_turn(&state, release).await?;
    let (verdict, steps) = (found.verdict.clone(), found.steps);
    let attested =
        state.service.request(|reply| ServiceCommand::Verified(Box::new(found), Some(reply))).await?;
    Ok(Json(VerificationResponse { verdict, steps, attested }))
}

pub(crate) async fn follow_publisher<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(publisher): Path<String>,
) -> Result<StatusCode, Problem> {
    let publisher: PublisherId = parse_id(&publisher)?;
    state.service.request(|reply| ServiceCommand::Follow(publisher, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn unfollow_publisher<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(publisher): Path<String>,
) -> Result<StatusCode, Problem> {
    let publisher: PublisherId = parse_id(&publisher)?;
    state.service.request(|reply| ServiceCommand::Unfollow(publisher, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerAddress {
    address: String,
}

pub(crate) async fn add_peer<K: Storage>(
    Shared(state): Shared<State<K>>,
    peer: Result<Json<PeerAddress>, axum::extract::rejection::JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(peer) =
        peer.map_err(|fault| Problem::new(StatusCode::BAD_REQUEST, "json", fault.to_string()))?;
    (state.dial)(peer.address.clone())
        .await
        .map_err(|reason| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "address", reason))?;
    state.service.request(|reply| ServiceCommand::AddPeer(peer.address, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Publication of a signed object.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use schemas::car;
use service::{PublishReceipt, ServiceCommand, Storage};

use crate::state::State;
use crate::{Problem, problem};

/// Signs the object that is the single root of a CAR file; the other blocks are its dependencies.
pub(crate) async fn publish_object<K: Storage>(
    Shared(state): Shared<State<K>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<PublishReceipt>, Problem> {
    // The other cause, a body that broke off, has no client left to answer.
    let body = body.map_err(|_| problem::body_too_large())?;
    let bad = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "car", detail);
    let (roots, blocks) = car::open_archive(&body).map_err(|error| bad(error.to_string()))?;
    let [root] = roots.as_slice() else { return Err(bad("expected exactly one root".into())) };
    let mut object = None;
    let mut needs = Vec::new();
    for block in blocks {
        let (id, bytes) = block.map_err(|error| bad(error.to_string()))?;
        if id == *root {
            object = Some(bytes.to_vec());
        } else {
            needs.push((id, bytes.to_vec()));
        }
    }
    let object = object.ok_or_else(|| bad("the root block is missing".into()))?;
    let time = (state.clock)();
    Ok(Json(state.service.request(|reply| ServiceCommand::Publish(object, needs, time, reply)).await?))
}

//! Followed publishers.

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use schemas::cid::PublisherId;
use service::{ServiceCommand, Storage};

use super::parse_id;
use crate::Problem;
use crate::state::State;

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

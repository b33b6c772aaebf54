//! All series of an area.

use axum::extract::{Path, State as Shared};
use axum::response::Response;
use service::Storage;

use super::respond_json;
use crate::state::State;
use crate::views::country::country_view;

pub(crate) async fn show_country<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(code): Path<String>,
) -> Response {
    respond_json(state, move |state| country_view(state, &code)).await
}

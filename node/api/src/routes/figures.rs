//! One figure.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State as Shared};
use axum::response::Response;
use service::Storage;

use super::respond_json;
use crate::Problem;
use crate::state::State;
use crate::views::figure::{FigureParams, FigurePath, find_figure};

pub(crate) async fn show_figure<K: Storage>(
    Shared(state): Shared<State<K>>,
    Path(place): Path<FigurePath>,
    which: Result<Params<FigureParams>, QueryRejection>,
) -> Response {
    respond_json(state, move |state| {
        let which = which.map_err(Problem::invalid_query)?.0;
        find_figure(state, &place, &which)
    })
    .await
}

//! What every list of the floor starts from: where the log is, and whether the client has it all.

use std::ops::ControlFlow;

use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use domain::identity::restaurants::{self, FloorView};
use wire::RestaurantId;

use crate::errors::ApiError;
use crate::reply;
use crate::state::AppState;

/// The floor's position at `now`, or the 304 for a client that has it already: one row is read.
pub(super) async fn since_last(
    state: &AppState,
    request: &HttpRequest,
    rid: RestaurantId,
    now: DateTime<Utc>,
) -> Result<ControlFlow<HttpResponse, FloorView>, ApiError> {
    let view = state
        .read("floor.view", async move |conn| {
            restaurants::floor_view(conn, rid, now).await
        })
        .await?;
    Ok(match reply::not_modified(request, view.position) {
        Some(answer) => ControlFlow::Break(answer),
        None => ControlFlow::Continue(view),
    })
}

//! The floor in one page, with its figures.

use std::ops::ControlFlow;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use wire::floor::dashboard::Dashboard;
use wire::{Position, RestaurantId};

use super::view;
use crate::errors::ApiError;
use crate::extract::Path;
use crate::reply;
use crate::state::AppState;

/// The floor and its figures, and the position from which a client follows live.
#[utoipa::path(
    get, path = "/api/v1/dashboard/{rid}", tag = "dashboard",
    params(("rid" = RestaurantId, Path)),
    responses((status = 200, body = Dashboard))
)]
pub async fn dashboard(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    answer(&state, &request, rid).await
}

/// The same under the restaurant's path.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/dashboard-data", tag = "dashboard",
    params(("rid" = RestaurantId, Path)),
    responses((status = 200, body = Dashboard))
)]
pub async fn dashboard_data(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    answer(&state, &request, rid).await
}

async fn answer(
    state: &AppState,
    request: &HttpRequest,
    rid: RestaurantId,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    if let ControlFlow::Break(answer) = view::since_last(state, request, rid, now).await? {
        return Ok(answer);
    }
    let read = state.db.snapshot("floor.dashboard", async move |conn| {
        domain::floor::dashboard::read(conn, rid, now).await
    });
    let dashboard = read.await?;
    let position = Position {
        epoch: dashboard.epoch,
        seq: dashboard.seq,
    };
    Ok(reply::at(position, &dashboard))
}

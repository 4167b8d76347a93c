//! The whole floor at one position of the log.

use std::ops::ControlFlow;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use wire::floor::snapshot::Snapshot;
use wire::{Position, RestaurantId};

use super::view;
use crate::errors::ApiError;
use crate::extract::Path;
use crate::reply;
use crate::state::AppState;

/// Everything a tablet needs to draw the floor, and the position from which it follows live.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/sync/full", tag = "sync",
    params(("rid" = RestaurantId, Path)),
    responses((status = 200, body = Snapshot))
)]
pub async fn full(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    if let ControlFlow::Break(answer) = view::since_last(&state, &request, rid, now).await? {
        return Ok(answer);
    }
    let snapshot = read(&state, rid).await?;
    let position = Position {
        epoch: snapshot.epoch,
        seq: snapshot.seq,
    };
    Ok(reply::at(position, &snapshot))
}

/// Reads a snapshot; for sockets too.
///
/// # Errors
/// 404 when there is no such restaurant, 503 when the database is away.
pub async fn read(state: &AppState, rid: RestaurantId) -> Result<Snapshot, ApiError> {
    let now = state.db.clock().now();
    let read = state.db.snapshot("floor.snapshot", async move |conn| {
        domain::floor::snapshot::read(conn, rid, now).await
    });
    Ok(read.await?)
}

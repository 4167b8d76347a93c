//! Clients that were away: what they missed.

use actix_web::HttpResponse;
use actix_web::web::Data;
use wire::floor::sync::{Delta, DeltaQuery};
use wire::{ErrorBody, RestaurantId};

use crate::errors::ApiError;
use crate::extract::{Path, Query};
use crate::state::AppState;

/// The events after a position. 410 when not all of them can be told any more: take a snapshot.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/sync/delta", tag = "sync",
    params(("rid" = RestaurantId, Path), DeltaQuery),
    responses((status = 200, body = Delta), (status = 410, body = ErrorBody))
)]
pub async fn delta(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
    Query(query): Query<DeltaQuery>,
) -> Result<HttpResponse, ApiError> {
    let delta = state
        .read("log.delta", async |conn| {
            domain::log::delta(conn, rid, &query).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(delta))
}

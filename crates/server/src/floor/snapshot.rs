//! The whole floor at one position of the log.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use wire::RestaurantId;
use wire::floor::snapshot::Snapshot;

use super::view;
use crate::platform::errors::ApiError;
use crate::platform::extract::Path;
use crate::platform::reply;
use crate::platform::tag::LogTag;
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
    // In a storm of those who have nothing yet, not even the head is read for each.
    if request.headers().contains_key(header::IF_NONE_MATCH)
        && let Some(answer) = view::not_modified(&state, &request, rid).await?
    {
        return Ok(answer);
    }
    let snapshot = state.snapshots.of(rid).await?;
    state.reads.told(rid, snapshot.position);
    let tag = LogTag::new(snapshot.position, snapshot.day);
    Ok(reply::json_at(tag, snapshot.json.clone()))
}

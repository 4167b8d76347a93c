//! Free slots.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::floor::availability;
use wire::RestaurantId;
use wire::floor::availability::{Availability, AvailabilityQuery};

use crate::platform::errors::ApiError;
use crate::platform::extract::{Path, Query};
use crate::state::AppState;

/// The free slots of a day for a party, each with the table, or joined tables, that it would get.
///
/// Every slot keeps within the opening hours, pauses and pacing. The smallest table that fits
/// comes first, joined tables last; a table that is far too large is kept for larger parties.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/availability", tag = "availability",
    params(("rid" = RestaurantId, Path), AvailabilityQuery),
    responses((status = 200, body = Availability))
)]
pub async fn day(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
    Query(query): Query<AvailabilityQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let found = state
        .read("availability.day", async |conn| {
            availability::day(conn, rid, &query, now).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

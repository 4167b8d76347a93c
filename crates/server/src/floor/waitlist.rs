//! The waiting list: how long a party would wait.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::floor::waitlist;
use wire::RestaurantId;
use wire::floor::waitlist::{WaitQuote, WaitQuoteQuery};

use crate::platform::errors::ApiError;
use crate::platform::extract::{AtLeast, Path, Query};
use crate::state::AppState;

/// How long a party that comes now would wait, as a range in minutes, and from what that is worked
/// out: this restaurant's own turn times, who sits and waits, what is booked.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/wait-quote", tag = "waitlist",
    params(("rid" = RestaurantId, Path), WaitQuoteQuery, ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = WaitQuote))
)]
pub async fn quote(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
    Query(query): Query<WaitQuoteQuery>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let found = state
        .reads
        .read("waitlist.quote", rid, &least, async |conn| {
            waitlist::ask(conn, rid, &query, now).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

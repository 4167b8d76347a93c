//! A restaurant and its settings.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::venue::restaurants;
use wire::venue::restaurants::{Restaurant, UpdateRestaurant};
use wire::{ErrorBody, RestaurantId};

use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{IfMatch, Json, Path};
use crate::platform::reply;
use crate::state::AppState;

/// The restaurant and its settings.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}", tag = "restaurants",
    params(("rid" = RestaurantId, Path)), responses((status = 200, body = Restaurant))
)]
pub async fn get(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    let restaurant = state
        .read("restaurants.get", async move |conn| {
            restaurants::get(conn, rid).await
        })
        .await?;
    Ok(reply::found(&restaurant))
}

/// Changes the restaurant: the fields and settings that are present.
#[utoipa::path(
    put, path = "/api/v1/restaurants/{rid}", tag = "restaurants",
    params(("rid" = RestaurantId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateRestaurant,
    responses((status = 200, body = Restaurant), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateRestaurant>,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("restaurants.update", &caller.scope(rid), async |tx| {
            restaurants::update(tx, &patch, version).await
        })
        .await?;
    Ok(saved.ok())
}

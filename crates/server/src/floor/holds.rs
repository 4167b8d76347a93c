//! Slots that are kept for five minutes.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::floor::holds;
use wire::floor::availability::{CreateHold, Hold};
use wire::{ErrorBody, HoldId, RestaurantId};

use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, Path};
use crate::platform::reply;
use crate::state::AppState;

/// Keeps a slot for five minutes; `holdId` of a booking takes it.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/holds", tag = "holds",
    params(("rid" = RestaurantId, Path)), request_body = CreateHold,
    responses((status = 201, body = Hold), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateHold>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "holds.create",
            &scope,
            async |tx| holds::create(tx, &input).await,
            |saved| reply::made(&request, saved.value.id, &saved.value),
        )
        .await
}

/// Gives a slot back.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/holds/{id}", tag = "holds",
    params(("rid" = RestaurantId, Path), ("id" = HoldId, Path)),
    responses((status = 204))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, HoldId)>,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("holds.delete", &caller.scope(rid), async move |tx| {
            holds::delete(tx, id).await
        })
        .await?;
    Ok(saved.no_content())
}

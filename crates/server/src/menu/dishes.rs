//! Dishes.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::menu::dishes;
use wire::menu::dishes::{CreateDish, Dish, DishFilter, PublicDish, UpdateDish, Which};
use wire::{DishId, ErrorBody, RestaurantId};

use super::which;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{IfMatch, Json, Path, Query};
use crate::platform::reply;
use crate::platform::reply::Saved;
use crate::state::AppState;

/// All dishes by their numbers: to a member of the restaurant all of them, with everything that
/// staff may know; to everybody else those that are published.
#[utoipa::path(
    get, path = "/api/v1/dishes", tag = "dishes", params(Which),
    responses((status = 200, body = Vec<PublicDish>), (status = 304), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody))
)]
pub async fn visit(
    state: Data<AppState>,
    request: HttpRequest,
    Query(which): Query<Which>,
) -> Result<HttpResponse, ApiError> {
    let (rid, member) = which::visited(&state, &request, which.restaurant_id).await?;
    let vary = (header::VARY, "Authorization");
    if member.is_none() {
        let page = state.rooms.menus.of(rid).await?;
        let mut answer = reply::public(&request, &page.dishes, page.position);
        answer
            .headers_mut()
            .append(vary.0, header::HeaderValue::from_static(vary.1));
        return Ok(answer);
    }
    let now = state.db.clock().now();
    let all = state
        .read("dishes.all", async move |conn| {
            dishes::all(conn, rid, now).await
        })
        .await?;
    Ok(HttpResponse::Ok().append_header(vary).json(all))
}

/// Publishes a dish that is not, and withdraws one that is. Everybody who follows `/ws` hears of it.
/// Sent again because a reply was lost it would flip twice: send an `Idempotency-Key`, or the version
/// that was seen.
#[utoipa::path(
    patch, path = "/api/v1/dishes/{dishId}/toggle", tag = "dishes",
    params(("dishId" = DishId, Path), Which, ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Dish), (status = 412, body = ErrorBody))
)]
pub async fn toggle(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(id): Path<DishId>,
    Query(which): Query<Which>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let (rid, member) = which::own(&state, &request, &caller, which.restaurant_id).await?;
    state
        .post(
            "dishes.toggle",
            &member.scope(rid),
            async |tx| dishes::toggle(tx, id, version).await,
            Saved::ok,
        )
        .await
}

/// Lists dishes by their numbers.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/dishes", tag = "dishes",
    params(("rid" = RestaurantId, Path), DishFilter),
    responses((status = 200, body = Vec<Dish>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(filter): Query<DishFilter>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let page = state
        .read("dishes.list", async |conn| {
            dishes::list(conn, rid, &filter, now).await
        })
        .await?;
    Ok(reply::page(&request, &page))
}

/// Adds a dish to the menu.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/dishes", tag = "dishes",
    params(("rid" = RestaurantId, Path)), request_body = CreateDish,
    responses((status = 201, body = Dish), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateDish>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "dishes.create",
            &scope,
            async |tx| dishes::create(tx, &input).await,
            |saved| saved.created(&request, saved.value.dish_id),
        )
        .await
}

/// One dish.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/dishes/{dishId}", tag = "dishes",
    params(("rid" = RestaurantId, Path), ("dishId" = DishId, Path)),
    responses((status = 200, body = Dish))
)]
pub async fn get(
    state: Data<AppState>,
    Path((rid, id)): Path<(RestaurantId, DishId)>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let dish = state
        .read("dishes.get", async move |conn| {
            dishes::get(conn, rid, id, now).await
        })
        .await?;
    Ok(reply::found(&dish))
}

/// Changes a dish: the fields that are present. Staff may change `isPublished` and `availability`
/// only.
#[utoipa::path(
    method(put, patch), path = "/api/v1/restaurants/{rid}/dishes/{dishId}", tag = "dishes",
    params(("rid" = RestaurantId, Path), ("dishId" = DishId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateDish,
    responses((status = 200, body = Dish), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, DishId)>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateDish>,
) -> Result<HttpResponse, ApiError> {
    state
        .post(
            "dishes.update",
            &caller.scope(rid),
            async |tx| dishes::update(tx, id, &patch, version).await,
            Saved::ok,
        )
        .await
}

/// Takes a dish off the menu for good.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/dishes/{dishId}", tag = "dishes",
    params(("rid" = RestaurantId, Path), ("dishId" = DishId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 412, body = ErrorBody))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, DishId)>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("dishes.delete", &caller.scope(rid), async |tx| {
            dishes::delete(tx, id, version).await
        })
        .await?;
    Ok(saved.no_content())
}

//! Guests: parties that are here or waiting.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use domain::floor::guests;
use domain::venue::restaurants::FloorView;
use wire::floor::guests::{CreateGuest, Guest, GuestFilter, UpdateGuest};
use wire::{ErrorBody, GuestId, RestaurantId};

use super::view;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{AtLeast, IfMatch, Json, Path, Query};
use crate::platform::reply;
use crate::platform::reply::Saved;
use crate::state::AppState;

/// Lists guests: without `scope` the current floor, in the order in which they checked in.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/guests", tag = "guests",
    params(("rid" = RestaurantId, Path), GuestFilter, ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = Vec<Guest>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(filter): Query<GuestFilter>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    let list = async |conn: &mut PgConnection, view: &FloorView| {
        guests::list(conn, rid, &filter, view.service_day_start).await
    };
    view::page(&state, &request, rid, &least, "guests.list", list).await
}

/// Takes a party down; with a table, seats it at once.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/guests", tag = "guests",
    params(("rid" = RestaurantId, Path)), request_body = CreateGuest,
    responses((status = 201, body = Guest), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateGuest>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "guests.create",
            &scope,
            async |tx| guests::create(tx, &input).await,
            |saved| saved.created(&request, saved.value.id),
        )
        .await
}

/// One party.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/guests/{gid}", tag = "guests",
    params(("rid" = RestaurantId, Path), ("gid" = GuestId, Path)),
    responses((status = 200, body = Guest))
)]
pub async fn get(
    state: Data<AppState>,
    Path((rid, gid)): Path<(RestaurantId, GuestId)>,
) -> Result<HttpResponse, ApiError> {
    let guest = state
        .read("guests.get", async move |conn| {
            guests::get(conn, rid, gid).await
        })
        .await?;
    Ok(reply::found(&guest))
}

/// Changes a party: the fields that are present. Seats, moves and frees tables.
#[utoipa::path(
    method(put, patch), path = "/api/v1/restaurants/{rid}/guests/{gid}", tag = "guests",
    params(("rid" = RestaurantId, Path), ("gid" = GuestId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateGuest,
    responses((status = 200, body = Guest), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, gid)): Path<(RestaurantId, GuestId)>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateGuest>,
) -> Result<HttpResponse, ApiError> {
    state
        .post(
            "guests.update",
            &caller.scope(rid),
            async |tx| guests::update(tx, gid, &patch, version).await,
            Saved::ok,
        )
        .await
}

/// Removes a party that was taken down by mistake; frees its table.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/guests/{gid}", tag = "guests",
    params(("rid" = RestaurantId, Path), ("gid" = GuestId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 412, body = ErrorBody))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, gid)): Path<(RestaurantId, GuestId)>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("guests.delete", &caller.scope(rid), async |tx| {
            guests::delete(tx, gid, version).await
        })
        .await?;
    Ok(saved.no_content())
}

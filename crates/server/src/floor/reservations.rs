//! Reservations: parties that are expected.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use domain::floor::reservations;
use domain::venue::restaurants::FloorView;
use wire::floor::reservations::{
    CheckIn, CreateReservation, Reservation, ReservationFilter, SeatReservation, UpdateReservation,
};
use wire::{ErrorBody, ReservationId, RestaurantId};

use super::view;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{AtLeast, IfMatch, Json, OptionalJson, Path, Query};
use crate::platform::reply;
use crate::platform::reply::Saved;
use crate::state::AppState;

/// Lists bookings by their time, those that are over included.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/reservations", tag = "reservations",
    params(("rid" = RestaurantId, Path), ReservationFilter, ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = Vec<Reservation>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(filter): Query<ReservationFilter>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    let list =
        async |conn: &mut PgConnection, _: &FloorView| reservations::list(conn, rid, &filter).await;
    view::page(&state, &request, rid, &least, "reservations.list", list).await
}

/// Makes a booking: at the tables that are named, at those of a hold, or at the house's choice.
/// When a table is taken, `conflict` names the booking in the way and the nearest free slots.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/reservations", tag = "reservations",
    params(("rid" = RestaurantId, Path)), request_body = CreateReservation,
    responses((status = 201, body = Reservation), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateReservation>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "reservations.create",
            &scope,
            async |tx| reservations::create(tx, &input).await,
            |saved| saved.created(&request, saved.value.id),
        )
        .await
}

/// One booking.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/reservations/{id}", tag = "reservations",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path)),
    responses((status = 200, body = Reservation))
)]
pub async fn get(
    state: Data<AppState>,
    Path((rid, id)): Path<(RestaurantId, ReservationId)>,
) -> Result<HttpResponse, ApiError> {
    let booking = state
        .read("reservations.get", async move |conn| {
            reservations::get(conn, rid, id).await
        })
        .await?;
    Ok(reply::found(&booking))
}

/// Changes a booking: the fields that are present. Its party and tables follow its status.
#[utoipa::path(
    method(put, patch), path = "/api/v1/restaurants/{rid}/reservations/{id}", tag = "reservations",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateReservation,
    responses((status = 200, body = Reservation), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, ReservationId)>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateReservation>,
) -> Result<HttpResponse, ApiError> {
    state
        .post(
            "reservations.update",
            &caller.scope(rid),
            async |tx| reservations::update(tx, id, &patch, version).await,
            Saved::ok,
        )
        .await
}

/// Calls a booking off. It stays as history with the status `cancelled`; calling it off again
/// changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/reservations/{id}", tag = "reservations",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn cancel(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, ReservationId)>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("reservations.cancel", &caller.scope(rid), async move |tx| {
            reservations::cancel(tx, id, version).await
        })
        .await?;
    Ok(saved.no_content())
}

/// The party is at the host stand: makes it a guest, or links the guest that it is already.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/reservations/{id}/check-in", tag = "reservations",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path)),
    request_body = Option<CheckIn>,
    responses((status = 200, body = Reservation), (status = 409, body = ErrorBody))
)]
pub async fn check_in(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, ReservationId)>,
    OptionalJson(input): OptionalJson<CheckIn>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "reservations.check_in",
            &scope,
            async |tx| reservations::check_in(tx, id, &input).await,
            |saved| saved.ok(),
        )
        .await
}

/// Seats the party, at the tables that were booked or at others.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/reservations/{id}/seat", tag = "reservations",
    params(("rid" = RestaurantId, Path), ("id" = ReservationId, Path)),
    request_body = Option<SeatReservation>,
    responses((status = 200, body = Reservation), (status = 409, body = ErrorBody))
)]
pub async fn seat(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, ReservationId)>,
    OptionalJson(input): OptionalJson<SeatReservation>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "reservations.seat",
            &scope,
            async |tx| reservations::seat(tx, id, &input).await,
            |saved| saved.ok(),
        )
        .await
}

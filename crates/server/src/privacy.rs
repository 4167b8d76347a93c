//! The rights of a person.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use domain::privacy;
use wire::RestaurantId;
use wire::Role::Manager;
use wire::privacy::{Erasure, PersonExport, PersonQuery};

use crate::access::auth::Caller;
use crate::access::auth::Need::Member;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, Path};
use crate::platform::reply;
use crate::platform::routing::{Routes, route};
use crate::state::AppState;

/// The routes of this room.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Routes {
    Routes::of([
        route!(export, Member(Manager)).no_key(),
        route!(erase, Member(Manager)),
    ])
}

/// Everything that is kept about a telephone number or address, of one moment. The audit notes who
/// asked for it.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/privacy/export", tag = "privacy",
    params(("rid" = RestaurantId, Path)), request_body = PersonQuery,
    responses((status = 200, body = PersonExport))
)]
pub async fn export(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    Json(person): Json<PersonQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let export = state
        .db
        .snapshot("privacy.export", async |conn| {
            privacy::export(conn, rid, &person, now).await
        })
        .await?;
    state
        .write("privacy.note_export", &caller.scope(rid), async |tx| {
            privacy::note_export(tx, &export)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(export))
}

/// Takes everything about a telephone number or address out of all that is kept: names, numbers,
/// addresses, notes. What happened stays, with "Guest" as its name; events keep their numbers.
/// Asked again, it finds nothing and changes nothing.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/privacy/erase", tag = "privacy",
    params(("rid" = RestaurantId, Path)), request_body = PersonQuery,
    responses((status = 200, body = Erasure))
)]
pub async fn erase(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    Json(person): Json<PersonQuery>,
) -> Result<HttpResponse, ApiError> {
    state
        .post(
            "privacy.erase",
            &caller.scope(rid),
            async |tx| privacy::erase(tx, &person).await,
            |saved| reply::done(&saved.value, saved.position()),
        )
        .await
}

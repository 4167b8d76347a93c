//! Tables on the floor plan.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use domain::floor::tables;
use domain::venue::restaurants::FloorView;
use wire::floor::tables::{CreateTable, Table, TableFilter, UpdateTable};
use wire::{ErrorBody, RestaurantId, TableId};

use super::view;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{AtLeast, IfMatch, Json, Path, Query};
use crate::platform::reply;
use crate::platform::reply::Saved;
use crate::state::AppState;

/// Lists tables by number, shorter numbers first.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/tables", tag = "tables",
    params(("rid" = RestaurantId, Path), TableFilter, ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = Vec<Table>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(filter): Query<TableFilter>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    let list =
        async |conn: &mut PgConnection, _: &FloorView| tables::list(conn, rid, &filter).await;
    view::page(&state, &request, rid, &least, "tables.list", list).await
}

/// Adds a table to the floor plan.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/tables", tag = "tables",
    params(("rid" = RestaurantId, Path)), request_body = CreateTable,
    responses((status = 201, body = Table), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateTable>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "tables.create",
            &scope,
            async |tx| tables::create(tx, &input).await,
            |saved| saved.created(&request, saved.value.id),
        )
        .await
}

/// One table.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/tables/{tid}", tag = "tables",
    params(("rid" = RestaurantId, Path), ("tid" = TableId, Path)),
    responses((status = 200, body = Table))
)]
pub async fn get(
    state: Data<AppState>,
    Path((rid, tid)): Path<(RestaurantId, TableId)>,
) -> Result<HttpResponse, ApiError> {
    let table = state
        .read("tables.get", async move |conn| {
            tables::get(conn, rid, tid).await
        })
        .await?;
    Ok(reply::found(&table))
}

/// Changes a table: the fields that are present. Staff may change the status only.
#[utoipa::path(
    method(put, patch), path = "/api/v1/restaurants/{rid}/tables/{tid}", tag = "tables",
    params(("rid" = RestaurantId, Path), ("tid" = TableId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateTable,
    responses((status = 200, body = Table), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, tid)): Path<(RestaurantId, TableId)>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateTable>,
) -> Result<HttpResponse, ApiError> {
    state
        .post(
            "tables.update",
            &caller.scope(rid),
            async |tx| tables::update(tx, tid, &patch, version).await,
            Saved::ok,
        )
        .await
}

/// Takes a table off the floor plan for good.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/tables/{tid}", tag = "tables",
    params(("rid" = RestaurantId, Path), ("tid" = TableId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, tid)): Path<(RestaurantId, TableId)>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("tables.delete", &caller.scope(rid), async |tx| {
            tables::delete(tx, tid, version).await
        })
        .await?;
    Ok(saved.no_content())
}

/// The party has left: its visit is completed and its tables are free. A table that was to be
/// cleaned is clean.
#[utoipa::path(
    put, path = "/api/v1/restaurants/{rid}/tables/{tid}/clear", tag = "tables",
    params(("rid" = RestaurantId, Path), ("tid" = TableId, Path)),
    responses((status = 200, body = Table))
)]
pub async fn clear(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, tid)): Path<(RestaurantId, TableId)>,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("tables.clear", &caller.scope(rid), async move |tx| {
            tables::clear(tx, tid).await
        })
        .await?;
    Ok(saved.ok())
}

//! Categories: the parts of a menu.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::menu::categories;
use wire::menu::categories::{Category, CreateCategory, UpdateCategory};
use wire::{CategoryId, ErrorBody, RestaurantId};

use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{IfMatch, Json, Path};
use crate::platform::reply;
use crate::platform::reply::Saved;
use crate::state::AppState;

/// All categories, in their order.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/menu/categories", tag = "categories",
    params(("rid" = RestaurantId, Path)), responses((status = 200, body = Vec<Category>))
)]
pub async fn list(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    let all = state
        .read("categories.list", async move |conn| {
            categories::list(conn, rid).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(all))
}

/// Adds a category to the menu.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/menu/categories", tag = "categories",
    params(("rid" = RestaurantId, Path)), request_body = CreateCategory,
    responses((status = 201, body = Category), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateCategory>,
) -> Result<HttpResponse, ApiError> {
    let scope = caller.scope(rid);
    state
        .post(
            "categories.create",
            &scope,
            async |tx| categories::create(tx, &input).await,
            |saved| saved.created(&request, saved.value.id),
        )
        .await
}

/// One category.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/menu/categories/{cid}", tag = "categories",
    params(("rid" = RestaurantId, Path), ("cid" = CategoryId, Path)),
    responses((status = 200, body = Category))
)]
pub async fn get(
    state: Data<AppState>,
    Path((rid, id)): Path<(RestaurantId, CategoryId)>,
) -> Result<HttpResponse, ApiError> {
    let category = state
        .read("categories.get", async move |conn| {
            categories::get(conn, rid, id).await
        })
        .await?;
    Ok(reply::found(&category))
}

/// Changes a category: the fields that are present.
#[utoipa::path(
    method(put, patch), path = "/api/v1/restaurants/{rid}/menu/categories/{cid}", tag = "categories",
    params(("rid" = RestaurantId, Path), ("cid" = CategoryId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateCategory,
    responses((status = 200, body = Category), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, CategoryId)>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateCategory>,
) -> Result<HttpResponse, ApiError> {
    state
        .post(
            "categories.update",
            &caller.scope(rid),
            async |tx| categories::update(tx, id, &patch, version).await,
            Saved::ok,
        )
        .await
}

/// Removes a category that has no dishes.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/menu/categories/{cid}", tag = "categories",
    params(("rid" = RestaurantId, Path), ("cid" = CategoryId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, id)): Path<(RestaurantId, CategoryId)>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("categories.delete", &caller.scope(rid), async |tx| {
            categories::delete(tx, id, version).await
        })
        .await?;
    Ok(saved.no_content())
}

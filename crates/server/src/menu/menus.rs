//! Categories and dishes where the body says of which restaurant, for clients that know no other
//! path.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::menu::{categories, dishes};
use serde_json::value::RawValue;
use wire::ErrorBody;
use wire::menu::categories::{Category, CreateCategory};
use wire::menu::dishes::{CreateDish, Dish, Which};

use super::which;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, part};
use crate::state::AppState;

/// Adds a category to the menu of the caller's restaurant, or of that in `restaurantId`.
#[utoipa::path(
    post, path = "/api/v1/menus/categories", tag = "menus", request_body = CreateCategory,
    responses((status = 201, body = Category), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn category(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Json(body): Json<Box<RawValue>>,
) -> Result<HttpResponse, ApiError> {
    // Only which restaurant is read before the caller is known to belong to it.
    let Which { restaurant_id } = part(body.get()).map_err(ApiError::invalid)?;
    let (rid, member) = which::own(&state, &request, &caller, restaurant_id).await?;
    let input: CreateCategory = part(body.get()).map_err(ApiError::invalid)?;
    let scope = member.scope(rid);
    state
        .post(
            "categories.create",
            &scope,
            async |tx| categories::create(tx, &input).await,
            |saved| {
                let id = saved.value.id;
                saved.created_at(&format!("/restaurants/{rid}/menu/categories/{id}"))
            },
        )
        .await
}

/// Adds a dish to the menu of the caller's restaurant, or of that in `restaurantId`.
#[utoipa::path(
    post, path = "/api/v1/menus/items", tag = "menus", request_body = CreateDish,
    responses((status = 201, body = Dish), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn item(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Json(body): Json<Box<RawValue>>,
) -> Result<HttpResponse, ApiError> {
    let Which { restaurant_id } = part(body.get()).map_err(ApiError::invalid)?;
    let (rid, member) = which::own(&state, &request, &caller, restaurant_id).await?;
    let input: CreateDish = part(body.get()).map_err(ApiError::invalid)?;
    let scope = member.scope(rid);
    state
        .post(
            "dishes.create",
            &scope,
            async |tx| dishes::create(tx, &input).await,
            |saved| {
                let id = saved.value.dish_id;
                saved.created_at(&format!("/restaurants/{rid}/dishes/{id}"))
            },
        )
        .await
}

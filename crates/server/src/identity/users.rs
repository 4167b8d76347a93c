//! Members of a restaurant.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::identity::{accounts, users};
use wire::identity::users::{CreateUser, UpdateUser, User};
use wire::paging::PageQuery;
use wire::{ErrorBody, RestaurantId, UserId};

use crate::auth::Caller;
use crate::errors::ApiError;
use crate::extract::{IfMatch, Json, Path, Query};
use crate::reply;
use crate::state::AppState;

/// The members, by address.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/users", tag = "users",
    params(("rid" = RestaurantId, Path), PageQuery), responses((status = 200, body = Vec<User>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let members = state
        .read("users.list", async |conn| {
            users::list(conn, rid, page.limit, page.cursor.as_deref()).await
        })
        .await?;
    Ok(reply::page(&request, &members))
}

/// Adds a member. An address that has an account already joins with it.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/users", tag = "users",
    params(("rid" = RestaurantId, Path)), request_body = CreateUser,
    responses((status = 201, body = User), (status = 409, body = ErrorBody))
)]
pub async fn create(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<CreateUser>,
) -> Result<HttpResponse, ApiError> {
    let hash = hash(&state, input.password.as_deref()).await?;
    let scope = caller.scope(rid);
    state
        .post(
            "users.create",
            &scope,
            async |tx| users::create(tx, &input, hash.as_deref()).await,
            |saved| saved.created(&request, saved.value.id),
        )
        .await
}

/// Changes a member: the fields that are present. Takes effect on open sockets and tokens within
/// 5 s on every worker.
#[utoipa::path(
    put, path = "/api/v1/restaurants/{rid}/users/{uid}", tag = "users",
    params(("rid" = RestaurantId, Path), ("uid" = UserId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateUser,
    responses((status = 200, body = User), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, uid)): Path<(RestaurantId, UserId)>,
    IfMatch(version): IfMatch,
    Json(patch): Json<UpdateUser>,
) -> Result<HttpResponse, ApiError> {
    let hash = hash(&state, patch.password.as_deref()).await?;
    let saved = state
        .write("users.update", &caller.scope(rid), async |tx| {
            users::update(tx, uid, &patch, hash.as_deref(), version).await
        })
        .await?;
    state.standings.forget_account(uid);
    Ok(saved.ok())
}

/// Lets a member go.
#[utoipa::path(
    delete, path = "/api/v1/restaurants/{rid}/users/{uid}", tag = "users",
    params(("rid" = RestaurantId, Path), ("uid" = UserId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 409, body = ErrorBody), (status = 412, body = ErrorBody))
)]
pub async fn delete(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, uid)): Path<(RestaurantId, UserId)>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, ApiError> {
    let saved = state
        .write("users.delete", &caller.scope(rid), async move |tx| {
            users::delete(tx, uid, version).await
        })
        .await?;
    state.standings.forget_account(uid);
    Ok(saved.no_content())
}

/// The hash of a password that was given, once it is known to be acceptable.
async fn hash(state: &AppState, password: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(password) = password else {
        return Ok(None);
    };
    accounts::check_new_password("password", password)?;
    Ok(Some(state.passwords.hash(password.to_owned()).await?))
}

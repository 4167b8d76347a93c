//! Members of a restaurant.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::people::users;
use wire::paging::PageQuery;
use wire::people::invitations::ResetLink;
use wire::people::users::{UpdateUser, User};
use wire::{ErrorBody, RestaurantId, UserId};

use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{IfMatch, Json, Path, Query};
use crate::platform::reply;
use crate::platform::reply::SHOWN_ONCE;
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
    let saved = state
        .write("users.update", &caller.scope(rid), async |tx| {
            users::update(tx, uid, &patch, version).await
        })
        .await?;
    state.standings.forget_account(uid);
    Ok(saved.ok())
}

/// Lets a member go. Everybody may leave, who was deactivated too, by whichever login.
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

/// Makes a link with which a member sets a new password, once and within 24 hours: for one who
/// belongs to no other restaurant. An earlier link ends.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/users/{uid}/reset-link", tag = "users",
    params(("rid" = RestaurantId, Path), ("uid" = UserId, Path)),
    responses((status = 201, body = ResetLink), (status = 409, body = ErrorBody))
)]
pub async fn reset_link(
    state: Data<AppState>,
    caller: Caller,
    Path((rid, uid)): Path<(RestaurantId, UserId)>,
) -> Result<HttpResponse, ApiError> {
    let answer = |link: &ResetLink| HttpResponse::Created().json(link);
    state
        .post_once_shown(
            "users.reset_link",
            &caller.scope(rid),
            async |tx| users::make_reset_link(tx, uid).await,
            |(secret, expires_at)| {
                answer(&ResetLink {
                    link: Some(state.config.http.public_url.to("r", secret)),
                    link_notice: None,
                    expires_at: *expires_at,
                })
            },
            |(_, expires_at)| {
                answer(&ResetLink {
                    link: None,
                    link_notice: Some(SHOWN_ONCE.to_owned()),
                    expires_at: *expires_at,
                })
            },
        )
        .await
}

//! Devices that are logged in.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::people::sessions;
use wire::SessionId;
use wire::paging::PageQuery;
use wire::people::sessions::DeviceSession;

use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Path, Query};
use crate::platform::reply;
use crate::state::AppState;

/// The caller's devices, the last used first.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", tag = "auth",
    params(PageQuery), responses((status = 200, body = Vec<DeviceSession>))
)]
pub async fn list(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let devices = state
        .read("sessions.list", async |conn| {
            let (limit, cursor) = (page.limit, page.cursor.as_deref());
            sessions::list(conn, now, caller.user_id, caller.session_id, limit, cursor).await
        })
        .await?;
    Ok(reply::page(&request, &devices))
}

/// Signs a device of the caller out.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{sid}", tag = "auth",
    params(("sid" = SessionId, Path)), responses((status = 204))
)]
pub async fn revoke(
    state: Data<AppState>,
    caller: Caller,
    Path(session): Path<SessionId>,
) -> Result<HttpResponse, ApiError> {
    state
        .db
        .transaction("sessions.revoke", async move |conn, now| {
            sessions::revoke_of_user(conn, now, caller.user_id, session).await
        })
        .await?;
    state.standings.forget_device(session);
    Ok(HttpResponse::NoContent().finish())
}

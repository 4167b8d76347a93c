//! The audit.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use wire::RestaurantId;
use wire::Role::Manager;
use wire::audit::{AuditEntry, AuditFilter};

use crate::access::auth::Need::Member;
use crate::platform::errors::ApiError;
use crate::platform::extract::{AtLeast, Path, Query};
use crate::platform::reply;
use crate::platform::routing::{Routes, route};
use crate::state::AppState;

/// The routes of this room.
#[must_use]
pub fn routes() -> Routes {
    Routes::of([route!(list, Member(Manager))])
}

/// Who changed what, when, from which device: newest first, by the time at which the transaction
/// began, and of the same moment by the events' numbers.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/audit", tag = "audit",
    params(("rid" = RestaurantId, Path), AuditFilter, ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = Vec<AuditEntry>))
)]
pub async fn list(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    Query(filter): Query<AuditFilter>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    let page = state
        .reads
        .read("audit.list", rid, &least, async |conn| {
            domain::audit::list(conn, rid, &filter).await
        })
        .await?;
    Ok(reply::page(&request, &page))
}

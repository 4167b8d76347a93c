//! The floor in one page, with its figures.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use domain::venue::restaurants;
use wire::RestaurantId;
use wire::floor::dashboard::Dashboard;

use crate::platform::errors::ApiError;
use crate::platform::extract::{AtLeast, Path};
use crate::platform::reply;
use crate::state::AppState;

/// The floor and its figures, and the position from which a client follows live.
#[utoipa::path(
    get, path = "/api/v1/dashboard/{rid}", tag = "dashboard",
    params(("rid" = RestaurantId, Path), ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = Dashboard))
)]
pub async fn dashboard(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    answer(&state, &request, rid, &least).await
}

/// The same under the restaurant's path.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/dashboard-data", tag = "dashboard",
    params(("rid" = RestaurantId, Path), ("X-Min-Seq" = Option<String>, Header)),
    responses((status = 200, body = Dashboard))
)]
pub async fn dashboard_data(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
    least: AtLeast,
) -> Result<HttpResponse, ApiError> {
    answer(&state, &request, rid, &least).await
}

async fn answer(
    state: &AppState,
    request: &HttpRequest,
    rid: RestaurantId,
    least: &AtLeast,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    if request.headers().contains_key(header::IF_NONE_MATCH) {
        let view = async |conn: &mut PgConnection| restaurants::floor_view(conn, rid, now).await;
        let view = state.reads.read("floor.view", rid, least, view).await?;
        if let Some(answer) = reply::not_modified(request, view.into()) {
            state.reads.told(rid, view.position);
            return Ok(answer);
        }
    }
    let read = async |conn: &mut PgConnection| domain::floor::dashboard::read(conn, rid, now).await;
    let reading = state.reads.snapshot("floor.dashboard", rid, least, read);
    let (view, dashboard) = reading.await?;
    state.reads.told(rid, view.position);
    Ok(reply::at(view.into(), &dashboard))
}

//! The whole menu.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use wire::RestaurantId;
use wire::menu::tree::Menu;

use crate::platform::errors::ApiError;
use crate::platform::extract::Path;
use crate::platform::reply;
use crate::state::AppState;

/// What is published, in its order, for everybody. `X-Event-Seq` is where the log stood: whoever
/// follows `/ws` from there on misses nothing.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/menu", tag = "menu",
    params(("rid" = RestaurantId, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = Menu), (status = 304))
)]
pub async fn get(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    let page = state.rooms.menus.of(rid).await?;
    Ok(reply::public(&request, &page.menu, page.position))
}

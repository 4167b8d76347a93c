//! What every list of the floor starts from: where the log stands, and whether the client has it
//! all.

use std::ops::ControlFlow;

use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use domain::page::Page;
use domain::venue::restaurants;
use domain::venue::restaurants::FloorView;
use serde::Serialize;
use wire::RestaurantId;

use crate::platform::errors::ApiError;
use crate::platform::extract::AtLeast;
use crate::platform::reply;
use crate::platform::tag::LogTag;
use crate::state::AppState;

/// Of what names its position itself: a client that has to start anew, because its position is
/// forgotten, is never answered that it has everything.
impl From<FloorView> for LogTag {
    fn from(view: FloorView) -> Self {
        Self::new(view.position, view.service_day_start)
    }
}

/// Of a list, which names no position: it is the same until something on the floor changes.
const fn of_list(view: &FloorView) -> LogTag {
    LogTag::since(view.changed, view.position, view.service_day_start)
}

/// A page of a list with the position that it contains, both from the same server, or the 304 for a
/// client that has it already: then one row is read.
pub(super) async fn page<T: Serialize>(
    state: &AppState,
    request: &HttpRequest,
    rid: RestaurantId,
    least: &AtLeast,
    operation: &'static str,
    list: impl AsyncFn(&mut PgConnection, &FloorView) -> domain::Result<Page<T>>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let (view, page) = state
        .reads
        .read(operation, rid, least, async |conn| {
            let view = restaurants::floor_view(conn, rid, now).await?;
            if let Some(answer) = reply::not_modified(request, of_list(&view)) {
                return Ok((view, ControlFlow::Break(answer)));
            }
            let page = list(conn, &view).await?;
            Ok((view, ControlFlow::Continue(page)))
        })
        .await?;
    state.reads.told(rid, view.position);
    Ok(match page {
        ControlFlow::Continue(page) => reply::page_at(request, of_list(&view), &page),
        ControlFlow::Break(answer) => answer,
    })
}

/// The 304 for a client that has the floor as it is now: one row is read.
pub(super) async fn not_modified(
    state: &AppState,
    request: &HttpRequest,
    rid: RestaurantId,
) -> Result<Option<HttpResponse>, ApiError> {
    let now = state.db.clock().now();
    let view = state
        .read("floor.view", async move |conn| {
            restaurants::floor_view(conn, rid, now).await
        })
        .await?;
    Ok(reply::not_modified(request, view.into()))
}

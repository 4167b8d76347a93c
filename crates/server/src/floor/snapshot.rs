//! The whole restaurant at one position of the log, and the floor's part of it.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::PgConnection;
use futures_util::future::BoxFuture;
use wire::RestaurantId;
use wire::floor::snapshot::Floor;
use wire::live::snapshot::{Section, Sections, Snapshot};

use super::view;
use crate::platform::errors::ApiError;
use crate::platform::extract::Path;
use crate::platform::reply;
use crate::platform::tag::LogTag;
use crate::snapshots::{Described, Moment, Part};
use crate::state::AppState;

/// Everything a tablet needs to draw the floor, and the position from which it follows live.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/sync/full", tag = "sync",
    params(("rid" = RestaurantId, Path)),
    responses((status = 200, body = Snapshot))
)]
pub async fn full(
    state: Data<AppState>,
    request: HttpRequest,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    // In a storm of those who have nothing yet, not even the head is read for each.
    if request.headers().contains_key(header::IF_NONE_MATCH)
        && let Some(answer) = view::not_modified(&state, &request, rid).await?
    {
        return Ok(answer);
    }
    let snapshot = state.snapshots.of(rid).await?;
    state.reads.told(rid, snapshot.position);
    let tag = LogTag::new(snapshot.position, snapshot.day);
    Ok(reply::json_at(tag, snapshot.json.clone()))
}

/// The floor in snapshots.
pub struct OfFloor;

impl Part for OfFloor {
    fn read<'a>(
        &self,
        conn: &'a mut PgConnection,
        of: Moment,
        to: &'a mut Sections,
    ) -> BoxFuture<'a, domain::Result<()>> {
        Box::pin(async move {
            let day = of.view.service_day_start;
            let floor = domain::floor::snapshot::read(conn, of.restaurant, day, of.now).await?;
            Ok(floor.write(to)?)
        })
    }

    fn describe(&self) -> Described {
        Described::of::<Floor>()
    }
}

//! `/ws`: who watches the menu from outside.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use realtime::{Hears, Join, Who};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::audit::AuditEntity;
use wire::live::events::EventKind;
use wire::{Epoch, RestaurantId, Seq};

use super::which;
use crate::live::{admission, realtime as sockets};
use crate::platform::errors::ApiError;
use crate::platform::extract::Query;
use crate::state::AppState;

/// Which menu to watch, and from where.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Watch {
    /// The restaurant; the caller's own, or the installation's default one when absent.
    #[serde(alias = "restaurantId")]
    #[param(value_type = Option<String>, format = Uuid)]
    pub restaurant_id: Option<RestaurantId>,
    /// The last event that was seen; what came after it is sent first.
    #[param(minimum = 0, value_type = Option<i64>)]
    pub since: Option<Seq>,
    /// The epoch of `since`.
    #[param(value_type = Option<String>, format = Uuid)]
    pub epoch: Option<Epoch>,
}

/// Opens a WebSocket on which everybody hears which dishes are published and withdrawn.
///
/// After `restaurant_connect` come frames of type `dishStatusChanged` with the number, name,
/// picture and `isPublished` of a dish, and a `heartbeat` now and then. Nothing needs to be said.
#[utoipa::path(
    get, path = "/api/v1/ws", tag = "live", params(Watch),
    responses((status = 101, description = "The stream begins."))
)]
pub async fn watch(
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    Query(watch): Query<Watch>,
) -> Result<HttpResponse, ApiError> {
    let (restaurant_id, _) = which::visited(&state, &request, watch.restaurant_id).await?;
    let kinds = EventKind::ALL.iter().copied();
    let join = Join {
        restaurant_id,
        hears: Hears::Public,
        kinds: Some(
            kinds
                .filter(|kind| kind.entity() == Some(AuditEntity::Dish))
                .collect(),
        ),
        since: admission::since(watch.since, watch.epoch)?,
        bulletins: false,
        who: Who::default(),
    };
    sockets::open(state, &request, payload, join, None).await
}

//! Several parties, tables and bookings changed by one request.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::clock::new_id;
use domain::db::Scope;
use domain::together::batch;
use domain::together::changes::Item;
use wire::together::batch::{BatchDone, BatchUpdate};
use wire::{ErrorBody, RestaurantId};

use super::items;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, Path};
use crate::platform::reply;
use crate::state::AppState;

/// Changes parties, then tables, then bookings, all or none. `items` of a refusal names each change that cannot
/// be made.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/batch-update", tag = "batch",
    params(("rid" = RestaurantId, Path)), request_body = BatchUpdate,
    responses((status = 200, body = BatchDone), (status = 409, body = ErrorBody))
)]
pub async fn update(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    Json(input): Json<BatchUpdate>,
) -> Result<HttpResponse, ApiError> {
    let lists = input.lists().flat_map(|(entity, list)| {
        let numbered = list.iter().enumerate();
        numbered.map(move |(index, value)| items::update(index, entity, value))
    });
    let items: Vec<Item> = lists.collect();
    batch::check(&items)?;
    let transaction_id = new_id();
    let scope = Scope {
        transaction_id: Some(transaction_id),
        ..caller.scope(rid)
    };
    state
        .post(
            "batch.update",
            &scope,
            async |tx| batch::update(tx, transaction_id, &items).await,
            |saved| reply::done(&saved.value, saved.position()),
        )
        .await
}

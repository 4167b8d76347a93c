//! Clients that were away: what they missed, and what they did.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::floor::sync::{self, Own, Queued};
use serde_json::Value;
use wire::floor::sync::{Delta, DeltaQuery, Outcome, SyncDone, SyncQueue, SyncResult};
use wire::{ErrorBody, ErrorCode, FieldError, RestaurantId};

use super::items;
use crate::auth::Caller;
use crate::errors::ApiError;
use crate::extract::{Json, Path, Query};
use crate::reply;
use crate::state::AppState;

/// The events after a position. 410 when not all of them can be told any more: take a snapshot.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/sync/delta", tag = "sync",
    params(("rid" = RestaurantId, Path), DeltaQuery),
    responses((status = 200, body = Delta), (status = 410, body = ErrorBody))
)]
pub async fn delta(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
    Query(query): Query<DeltaQuery>,
) -> Result<HttpResponse, ApiError> {
    let delta = state
        .read("log.delta", async |conn| {
            domain::log::delta(conn, rid, &query).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(delta))
}

/// What a client did while it was offline. Each change is made if it still fits, and only once
/// however often it is sent; the answer says of each what became of it.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/sync/batch", tag = "sync",
    params(("rid" = RestaurantId, Path)), request_body = SyncQueue,
    responses((status = 200, body = SyncDone))
)]
pub async fn batch(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    Json(queue): Json<SyncQueue>,
) -> Result<HttpResponse, ApiError> {
    sync::check(queue.operations.len())?;
    let scope = caller.scope(rid);
    let mut done = SyncDone {
        results: Vec::with_capacity(queue.operations.len()),
    };
    let (mut own, mut position) = (Own::default(), None);
    for (number, operations) in queue.operations.chunks(sync::PER_TRANSACTION).enumerate() {
        let first = number * sync::PER_TRANSACTION;
        let read = (first..)
            .zip(operations)
            .map(|(index, value)| queued(index, value));
        let read: Vec<Result<Queued, SyncResult>> = read.collect::<Result<_, ApiError>>()?;
        let part: Vec<Queued> = read
            .iter()
            .filter_map(|read| read.as_ref().ok())
            .cloned()
            .collect();
        let saved = state
            .write("sync.batch", &scope, async |tx| {
                sync::apply(tx, &part, &own).await
            })
            .await?;
        let ((results, next), written) = saved.into_parts();
        position = written.or(position);
        own = next;
        let mut results = results.into_iter();
        done.results
            .extend(read.into_iter().filter_map(|read| match read {
                Ok(_) => results.next(),
                Err(unnamed) => Some(unnamed),
            }));
    }
    Ok(reply::done(&done, position))
}

/// Reads one change of a queue. One without an id of the client's is not made: it could not be
/// told whether it was made before.
fn queued(index: usize, value: &Value) -> Result<Result<Queued, SyncResult>, ApiError> {
    let item = items::operation(index, value);
    let client_id = items::text(value, &["clientId", "client_id"]).unwrap_or_default();
    if !(1..=100).contains(&client_id.chars().count()) {
        let field = FieldError {
            field: "clientId".to_owned(),
            message: "is required, with at most 100 characters".to_owned(),
        };
        return Ok(Err(SyncResult {
            client_id,
            status: Outcome::Rejected,
            entity: item.entity,
            id: item.id,
            message: Some("The change has no clientId.".to_owned()),
            code: Some(ErrorCode::Invalid),
            fields: vec![field],
            current: None,
        }));
    }
    Ok(Ok(Queued {
        client_id,
        fingerprint: domain::floor::fingerprint(value)?,
        item,
    }))
}

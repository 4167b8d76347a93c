//! Clients that were away: what they missed, and what they did.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::db::Scope;
use domain::meaning;
use domain::together::changes::Item;
use domain::together::sync;
use domain::together::sync::{Own, Queued};
use serde_json::value::RawValue;
use wire::together::sync::{Delta, DeltaQuery, Outcome, SyncDone, SyncQueue, SyncResult};
use wire::{ErrorBody, ErrorCode, FieldError, Position, RestaurantId};

use super::items::{self, Names};
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, Path, Query};
use crate::platform::reply;
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
    let (epoch, seq) = (delta.epoch, delta.seq);
    state.reads.told(rid, Position { epoch, seq });
    Ok(HttpResponse::Ok().json(delta))
}

/// What a client did while it was offline. Each change is made if it still fits, and only once
/// however often it is sent; the answer says of each what became of it.
///
/// A long queue takes several transactions. Under an `Idempotency-Key` the answer is kept with the
/// last of them; one that broke off in between goes on where it was, by the ids of its changes.
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
    if let Some(answer) = state.answered(&scope).await? {
        return Ok(answer);
    }
    let read = queue.operations.iter().enumerate();
    let read: Vec<Read> = read.map(|(index, value)| queued(index, value)).collect();
    let parts: Vec<&[Read]> = read.chunks(sync::PER_TRANSACTION).collect();
    let (last, earlier) = match parts.split_last() {
        Some((last, earlier)) => (*last, earlier),
        None => (&[][..], &[][..]),
    };
    let (mut results, mut own, mut position) = (Vec::new(), Own::default(), None);
    let unkeyed = Scope {
        once: None,
        ..scope
    };
    for part in earlier {
        let named = named(part);
        let saved = state
            .write("sync.batch", &unkeyed, async |tx| {
                sync::apply(tx, &named, &own).await
            })
            .await?;
        let ((done, next), written) = saved.into_parts();
        results.extend(in_order(part, &done));
        (own, position) = (next, written.or(position));
    }
    let named = named(last);
    state
        .post(
            "sync.batch",
            &scope,
            async |tx| sync::apply(tx, &named, &own).await,
            |saved| {
                let mut results = results.clone();
                results.extend(in_order(last, &saved.value.0));
                reply::done(&SyncDone { results }, saved.position().or(position))
            },
        )
        .await
}

/// The longest id of a client, in characters.
const CLIENT_ID: usize = 100;

/// A change, or why it cannot be one.
type Read = Result<Queued, Box<SyncResult>>;

/// The changes that can be made.
fn named(part: &[Read]) -> Vec<Queued> {
    part.iter()
        .filter_map(|read| read.as_ref().ok())
        .cloned()
        .collect()
}

/// What became of each change, made or not.
fn in_order(part: &[Read], made: &[SyncResult]) -> Vec<SyncResult> {
    let mut made = made.iter();
    part.iter()
        .filter_map(|read| match read {
            Ok(_) => made.next().cloned(),
            Err(rejected) => Some(SyncResult::clone(rejected)),
        })
        .collect()
}

/// Reads one change of a queue. One without an id of the client's is not made: it could not be
/// told whether it was made before.
fn queued(index: usize, value: &RawValue) -> Read {
    let item = items::operation(index, value);
    let client_id = Names::of(value).client_id().unwrap_or_default();
    if !(1..=CLIENT_ID).contains(&client_id.chars().count()) {
        let message = format!("is required, with at most {CLIENT_ID} characters");
        return Err(rejected(
            &item,
            client_id.chars().take(CLIENT_ID).collect(),
            "The change has no clientId.",
            ("clientId", message),
        ));
    }
    match meaning::fingerprint(value) {
        Ok(fingerprint) => Ok(Queued {
            client_id,
            fingerprint,
            item,
        }),
        Err(fault) => Err(rejected(
            &item,
            client_id,
            "The change cannot be read.",
            ("body", fault.to_string()),
        )),
    }
}

fn rejected(
    item: &Item,
    client_id: String,
    sentence: &str,
    (field, message): (&str, String),
) -> Box<SyncResult> {
    Box::new(SyncResult {
        client_id,
        status: Outcome::Rejected,
        entity: item.entity,
        id: item.id,
        message: Some(sentence.to_owned()),
        code: Some(ErrorCode::Invalid),
        fields: vec![FieldError {
            field: field.to_owned(),
            message,
        }],
        current: None,
    })
}

//! Transactions of clients.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::db::Scope;
use domain::meaning::{self, Meaningless};
use domain::together::atomic;
use domain::together::atomic::{Answer, Transaction};
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::together::atomic::{Atomic, AtomicBatch, AtomicDone};
use wire::{ErrorBody, FieldError, RestaurantId};

use super::items;
use crate::access::auth;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, Path, part};
use crate::platform::idempotency::REPLAYED;
use crate::platform::reply::{EVENT_SEQ, Saved};
use crate::state::AppState;

/// Where a transaction works, when the path does not say it.
#[derive(Deserialize)]
struct Where {
    #[serde(alias = "restaurantId")]
    restaurant_id: RestaurantId,
}

/// Several changes together or not at all. Sent again with the same `transactionId`, it is
/// answered as the first time and not done again.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/atomic", tag = "batch",
    params(("rid" = RestaurantId, Path)), request_body = Atomic,
    responses((status = 200, body = AtomicDone), (status = 409, body = ErrorBody))
)]
pub async fn atomic(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    Json(body): Json<Box<RawValue>>,
) -> Result<HttpResponse, ApiError> {
    run(&state, caller.scope(rid), &body).await
}

/// The same, with `restaurant_id` in the body.
#[utoipa::path(
    post, path = "/api/v1/atomic/batch", tag = "batch", request_body = AtomicBatch,
    responses((status = 200, body = AtomicDone), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody))
)]
pub async fn batch(
    state: Data<AppState>,
    request: HttpRequest,
    Json(body): Json<Box<RawValue>>,
) -> Result<HttpResponse, ApiError> {
    // Only which restaurant is read before the caller is known to belong to it.
    let Where { restaurant_id } = part(body.get()).map_err(ApiError::invalid)?;
    let caller = auth::member(&state, &request, restaurant_id).await?;
    run(&state, caller.scope(restaurant_id), &body).await
}

async fn run(state: &AppState, scope: Scope, body: &RawValue) -> Result<HttpResponse, ApiError> {
    let input: Atomic = part(body.get()).map_err(ApiError::invalid)?;
    let operations = input.operations.iter().enumerate();
    let transaction = Transaction {
        id: input.transaction_id,
        fingerprint: meaning::of_list(&input.operations).map_err(meaningless)?,
        items: operations
            .map(|(index, value)| items::operation(index, value))
            .collect(),
    };
    let scope = Scope {
        transaction_id: Some(transaction.id),
        ..scope
    };
    state
        .post(
            "atomic.run",
            &scope,
            async |tx| atomic::run(tx, &transaction).await,
            done,
        )
        .await
}

fn meaningless((index, fault): (usize, Meaningless)) -> ApiError {
    ApiError::invalid(vec![FieldError {
        field: format!("operations[{index}]"),
        message: fault.to_string(),
    }])
}

fn done(saved: &Saved<Answer>) -> HttpResponse {
    let mut reply = HttpResponse::Ok();
    reply.insert_header((header::CONTENT_TYPE, "application/json"));
    if let Some(position) = saved.position() {
        reply.insert_header((EVENT_SEQ, position.to_string()));
    }
    if saved.value.is_repeated {
        reply.insert_header((REPLAYED, "true"));
    }
    reply.body(saved.value.body.clone())
}

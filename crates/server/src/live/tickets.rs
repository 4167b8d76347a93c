//! Tickets: for opening a socket where no header can be sent.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::identity::tickets;
use wire::identity::auth::Ticket;
use wire::{ErrorCode, RestaurantId};

use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::state::AppState;
use crate::tokens::Claims;

/// Buys a ticket for one socket, to be used within 30 s as `?token=`.
#[utoipa::path(
    post, path = "/api/v1/realtime/tickets", tag = "live",
    responses((status = 201, body = Ticket))
)]
pub async fn issue(state: Data<AppState>, caller: Caller) -> Result<HttpResponse, ApiError> {
    let ticket = state
        .db
        .transaction("tickets.issue", async move |conn, now| {
            tickets::issue(conn, now, caller.session_id, caller.expires_at).await
        })
        .await?;
    let expires_in = tickets::LIFETIME.num_seconds();
    Ok(HttpResponse::Created().json(Ticket { ticket, expires_in }))
}

/// Takes a ticket; the socket inherits the credential with which it was bought.
///
/// # Errors
/// 401 for a ticket that is unknown, expired or used; as [`auth::caller`] otherwise.
pub(super) async fn redeem(
    state: &AppState,
    ticket: &str,
    restaurant: Option<RestaurantId>,
) -> Result<Caller, ApiError> {
    let refused = || {
        ApiError::new(
            ErrorCode::Unauthenticated,
            "The ticket is not valid any more.",
        )
    };
    let redeemed = state
        .db
        .transaction("tickets.redeem", async |conn, now| {
            tickets::redeem(conn, now, ticket).await
        })
        .await?
        .ok_or_else(refused)?;
    let standing = state
        .standings
        .of(redeemed.session_id)
        .await
        .map_err(|error| ApiError::unavailable(anyhow::anyhow!("{error}")))?
        .filter(|now| now.is_live)
        .ok_or_else(refused)?;
    let claims = Claims {
        sub: standing.user_id,
        sid: redeemed.session_id,
        rid: standing.restaurant_id,
        ver: standing.auth_version,
        iat: state.db.clock().now().timestamp(),
        exp: redeemed.credential_expires_at.timestamp(),
    };
    auth::caller(state, &claims, &standing, restaurant).await
}

//! Tickets: for opening a socket where no header can be sent.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::people::socket_tickets;
use wire::people::auth::Ticket;
use wire::{ErrorCode, RestaurantId};

use crate::access::auth;
use crate::access::auth::Caller;
use crate::access::tokens::Claims;
use crate::platform::errors::ApiError;
use crate::state::AppState;

/// Buys a ticket, to be used as `?token=`: for one socket within 30 s, or for streams of server-sent
/// events until the access token expires.
#[utoipa::path(
    post, path = "/api/v1/realtime/tickets", tag = "live",
    responses((status = 201, body = Ticket))
)]
pub async fn issue(state: Data<AppState>, caller: Caller) -> Result<HttpResponse, ApiError> {
    let ticket = state
        .db
        .transaction("tickets.issue", async move |conn, now| {
            socket_tickets::issue(conn, now, caller.session_id, caller.expires_at).await
        })
        .await?;
    let expires_in = socket_tickets::LIFETIME.num_seconds();
    Ok(HttpResponse::Created().json(Ticket { ticket, expires_in }))
}

/// What a ticket is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A socket, which takes it away.
    Socket,
    /// A stream, which comes back with the same one whenever it was cut.
    Stream,
}

/// Accepts a ticket; what it opens inherits the credential with which it was bought.
///
/// # Errors
/// 401 for a ticket that is unknown, expired or used; as [`auth::caller`] otherwise.
pub(super) async fn accept(
    state: &AppState,
    ticket: &str,
    ticket_use: Use,
    restaurant: Option<RestaurantId>,
) -> Result<Caller, ApiError> {
    let refused = || {
        ApiError::new(
            ErrorCode::Unauthenticated,
            "The ticket is not valid any more.",
        )
    };
    let now = state.db.clock().now();
    let accepted = match ticket_use {
        Use::Socket => {
            let redeem = state.db.transaction("tickets.redeem", async |conn, now| {
                socket_tickets::redeem(conn, now, ticket).await
            });
            redeem.await?
        }
        Use::Stream => {
            let present = state.db.read("tickets.present", async |conn| {
                socket_tickets::present(conn, now, ticket).await
            });
            present.await?
        }
    };
    let accepted = accepted.ok_or_else(refused)?;
    let standing = state
        .standings
        .of(accepted.session_id)
        .await
        .map_err(|error| ApiError::shared(&error))?
        .filter(|now| now.is_live)
        .ok_or_else(refused)?;
    let claims = Claims {
        sub: standing.user_id,
        sid: accepted.session_id,
        rid: standing.restaurant_id,
        ver: standing.auth_version,
        iat: now.timestamp(),
        exp: accepted.credential_expires_at.timestamp(),
    };
    auth::caller(state, &claims, &standing, restaurant).await
}

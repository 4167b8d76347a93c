//! `GET /realtime`: following a restaurant on a WebSocket.

use actix_http::ws;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use realtime::Join;
use wire::ErrorCode;

use super::admission::{self, Follow};
use super::session::Ready;
use super::socket_tickets::Use;
use super::transport::{ActixSocket, BareSocket};
use crate::access::auth;
use crate::access::auth::Caller;
use crate::config::SocketTransport;
use crate::platform::errors::ApiError;
use crate::platform::extract::Query;
use crate::platform::http::Handover;
use crate::platform::middleware::client_ip;
use crate::state::AppState;

/// The subprotocol under which a browser passes its token: `bearer, <token>`.
const PROTOCOL: &str = "bearer";

/// Opens a WebSocket that follows a restaurant or, with the secret of one thing of it as the
/// credential, that thing alone.
///
/// Refused before the upgrade: 401 without a credential, 404 for another restaurant, 403 for one
/// that no longer lets the caller in, 429 when there are too many sockets, 503 while this worker
/// goes away. The frames are described in `/asyncapi.json`.
#[utoipa::path(
    get, path = "/api/v1/realtime", tag = "live", params(Follow),
    responses((status = 101, description = "The stream begins."))
)]
pub async fn follow(
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    Query(follow): Query<Follow>,
) -> Result<HttpResponse, ApiError> {
    let token = auth::bearer(request.headers())
        .or_else(|| admission::subprotocol_token(&request, PROTOCOL));
    let listener = admission::listener(&state, token, &follow, Use::Socket).await?;
    let join = follow.join(&request, &listener)?;
    open(state, &request, payload, join, listener.member()).await
}

/// Opens a socket on a room, for a member or, without a caller, for anybody.
///
/// # Errors
/// 400 for what is no handshake, 404 when there is no such restaurant, 429 when there are too many
/// sockets, 503 while this worker goes away or cannot read the log.
pub async fn open(
    state: Data<AppState>,
    request: &HttpRequest,
    payload: Payload,
    join: Join,
    caller: Option<Caller>,
) -> Result<HttpResponse, ApiError> {
    check_upgrade(request)?;
    let handover = Handover::of(request);
    if handover.is_none() && state.config.live.transport == SocketTransport::Bare {
        // It has a body, or asks for other protocols, too.
        return Err(not_a_handshake());
    }
    let send_timeout = state.config.live.send_timeout;
    let address = client_ip(request.head(), &state.config.http.trusted_proxies);
    let session = Ready::new(state.into_inner(), join, caller, address).await?;
    if let Some(handover) = handover {
        handover.take(move |connection| {
            session.run(BareSocket::new(connection, send_timeout));
        });
        return Ok(switching_protocols(request));
    }
    let (response, socket) = ActixSocket::upgrade(request, payload, &[PROTOCOL], send_timeout)
        .map_err(|_| not_a_handshake())?;
    session.run(socket);
    Ok(response)
}

/// The answer to a handshake that has been checked.
fn switching_protocols(request: &HttpRequest) -> HttpResponse {
    let mut response = ws::handshake_response(request.head());
    if admission::offers_protocol(request, PROTOCOL) {
        response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL));
    }
    response.finish().map_into_boxed_body().into()
}

const NOT_A_HANDSHAKE: &str = "This path opens a WebSocket (RFC 6455, version 13).";

fn not_a_handshake() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, NOT_A_HANDSHAKE).header(
        header::UPGRADE,
        header::HeaderValue::from_static("websocket"),
    )
}

/// Checks the handshake before a room is opened for it.
fn check_upgrade(request: &HttpRequest) -> Result<(), ApiError> {
    ws::verify_handshake(request.head()).map_err(|_| not_a_handshake())
}

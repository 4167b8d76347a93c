//! `GET /realtime`: who may open a socket, to what, and from where.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use realtime::{Join, JoinError, Since, Who};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::live::events::EventKind;
use wire::{Audience, Epoch, ErrorCode, Position, RestaurantId, Seq};

use super::session::Session;
use super::tickets;
use super::transport::Transport;
use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::extract::Query;
use crate::limits::Tier;
use crate::state::AppState;

/// The subprotocol under which a browser passes its token: `bearer, <token>`.
const PROTOCOL: &str = "bearer";

/// What to follow, and from where.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Follow {
    /// The restaurant.
    #[serde(alias = "restaurantId")]
    #[param(value_type = String, format = Uuid)]
    pub restaurant_id: RestaurantId,
    /// The last event that was processed; what came after it is sent first.
    #[param(minimum = 0, value_type = Option<i64>)]
    pub since: Option<Seq>,
    /// The epoch of `since`.
    #[param(value_type = Option<String>, format = Uuid)]
    pub epoch: Option<Epoch>,
    /// Only these kinds of events, separated by commas.
    #[param(example = "guest_updated,table_updated")]
    pub types: Option<String>,
    /// A ticket, where no header can be sent.
    pub token: Option<String>,
}

impl Follow {
    fn since(&self) -> Result<Since, ApiError> {
        match (self.since, self.epoch) {
            (None, _) => Ok(Since::Head),
            (Some(seq), _) if seq < 0 => Err(field("since", "must not be negative")),
            (Some(seq), None) => Ok(Since::WithoutEpoch(seq)),
            (Some(seq), Some(epoch)) => Ok(Since::Position(Position { epoch, seq })),
        }
    }

    fn kinds(&self) -> Result<Option<Vec<EventKind>>, ApiError> {
        let Some(types) = &self.types else {
            return Ok(None);
        };
        let words = types
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let kinds = words
            .map(|word| {
                word.parse()
                    .map_err(|_| field("types", "names an event that does not exist"))
            })
            .collect::<Result<Vec<EventKind>, _>>()?;
        Ok(Some(kinds))
    }
}

fn field(field: &str, message: &str) -> ApiError {
    ApiError::invalid(vec![wire::FieldError {
        field: field.into(),
        message: message.into(),
    }])
}

/// Opens a WebSocket that follows a restaurant.
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
    let caller = credential(&state, &request, &follow).await?;
    state.limits.account(Tier::Sockets, caller.user_id)?;
    let join = Join {
        restaurant_id: follow.restaurant_id,
        audience: Audience::Staff,
        kinds: follow.kinds()?,
        since: follow.since()?,
        who: Who {
            user_id: Some(caller.user_id),
            session_id: Some(caller.session_id),
        },
    };
    check_upgrade(&request)?;
    if state.is_draining() {
        return Err(away());
    }
    let open = usize::try_from(state.hub.stats().sessions.get()).unwrap_or(0);
    if open >= state.config.live.max_sessions {
        let sentence = "This worker has as many sockets as it can hold.";
        return Err(ApiError::new(ErrorCode::TooMany, sentence).retry_after(5));
    }
    let (session, opening) = state.hub.join(join).await.map_err(|error| match error {
        JoinError::NotFound => ApiError::not_found(),
        JoinError::Draining => away(),
        JoinError::Unavailable => ApiError::unavailable(error),
    })?;
    let (response, transport) = Transport::upgrade(&request, payload, &[PROTOCOL])
        .map_err(|_| ApiError::new(ErrorCode::BadRequest, NOT_A_HANDSHAKE))?;
    let session = Session::new(
        state.into_inner(),
        transport,
        session,
        caller,
        follow.restaurant_id,
    );
    actix_web::rt::spawn(session.run(opening));
    Ok(response)
}

const NOT_A_HANDSHAKE: &str = "This path opens a WebSocket (RFC 6455, version 13).";

/// Checks the handshake before a room is opened for it.
fn check_upgrade(request: &HttpRequest) -> Result<(), ApiError> {
    actix_http::ws::verify_handshake(request.head()).map_err(|_| {
        ApiError::new(ErrorCode::BadRequest, NOT_A_HANDSHAKE).header(
            header::UPGRADE,
            header::HeaderValue::from_static("websocket"),
        )
    })
}

fn away() -> ApiError {
    ApiError::unavailable(anyhow::anyhow!("going away")).retry_after(1)
}

/// The credential, in any of the three ways: `Authorization`, subprotocol, or a ticket.
async fn credential(
    state: &AppState,
    request: &HttpRequest,
    follow: &Follow,
) -> Result<Caller, ApiError> {
    let restaurant = Some(follow.restaurant_id);
    let token = auth::bearer(request.headers()).or_else(|| subprotocol_token(request));
    if let Some(token) = token {
        let claims = state.tokens.verify(token, state.db.clock().now())?;
        let standing = auth::standing(state, &claims).await?;
        return auth::caller(state, &claims, &standing, restaurant).await;
    }
    match &follow.token {
        Some(ticket) => tickets::redeem(state, ticket, restaurant).await,
        None => Err(ApiError::new(ErrorCode::Unauthenticated, "Please log in.")),
    }
}

/// The token of `Sec-WebSocket-Protocol: bearer, <token>`.
fn subprotocol_token(request: &HttpRequest) -> Option<&str> {
    let protocols = request
        .headers()
        .get(header::SEC_WEBSOCKET_PROTOCOL)?
        .to_str()
        .ok()?;
    let mut protocols = protocols.split(',').map(str::trim);
    protocols.next().filter(|first| *first == PROTOCOL)?;
    protocols.next()
}

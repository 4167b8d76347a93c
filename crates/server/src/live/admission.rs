//! Who may follow what, and from where: what sockets and streams ask alike before they begin.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;
use domain::holders::Holder;
use realtime::{Hears, Join, JoinError, Opening, Session, Since, Who};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::live::events::EventKind;
use wire::{Epoch, ErrorCode, Position, RestaurantId, Seq};

use super::places::{Place, Wanted};
use super::socket_tickets::{self, Use};
use crate::access::auth;
use crate::access::auth::Caller;
use crate::access::holders;
use crate::platform::errors::ApiError;
use crate::platform::limits::Tier;
use crate::state::AppState;

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
    /// Only these kinds of events, separated by commas; `presence` may be among them.
    #[param(example = "guest_updated,table_updated,presence")]
    pub types: Option<String>,
    /// A ticket, where no header can be sent.
    pub token: Option<String>,
}

/// What a session hears: kinds of events (`None` for all), and whether who is here.
struct Heard {
    kinds: Option<Vec<EventKind>>,
    presence: bool,
}

impl Follow {
    /// From where: a browser that comes back by itself says so in a header, and knows better than
    /// the address with which it once began.
    fn since(&self, request: &HttpRequest) -> Result<Since, ApiError> {
        let last = request.headers().get("last-event-id");
        if let Some(last) = last.filter(|last| !last.is_empty()) {
            let position = last.to_str().ok().and_then(|last| last.parse().ok());
            let refused = || field("Last-Event-ID", "must be <epoch>:<seq>");
            return position
                .filter(|position: &Position| position.seq >= 0)
                .map(Since::Position)
                .ok_or_else(refused);
        }
        since(self.since, self.epoch)
    }

    fn heard(&self) -> Result<Heard, ApiError> {
        let Some(types) = &self.types else {
            return Ok(Heard {
                kinds: None,
                presence: true,
            });
        };
        let (mut kinds, mut presence) = (Vec::new(), false);
        for word in types.split(',').map(str::trim) {
            match word {
                "" => {}
                "presence" => presence = true,
                word => {
                    let kind = word
                        .parse()
                        .map_err(|_| field("types", "names an event that does not exist"))?;
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
            }
        }
        Ok(Heard {
            kinds: Some(kinds),
            presence,
        })
    }

    /// What the hub is asked for.
    ///
    /// # Errors
    /// 422 with the parameter that is at fault.
    pub(super) fn join(&self, request: &HttpRequest, by: &Listener) -> Result<Join, ApiError> {
        let heard = self.heard()?;
        let (hears, who) = match by {
            Listener::Member(caller) => {
                let who = Who {
                    user_id: Some(caller.user_id),
                    session_id: Some(caller.session_id),
                    holds: None,
                };
                (Hears::Staff, who)
            }
            Listener::Holder(holder) => {
                let holds = Some((holder.root, holder.stamp.get()));
                let who = Who {
                    holds,
                    ..Who::default()
                };
                (Hears::Own([holder.root].into()), who)
            }
        };
        Ok(Join {
            restaurant_id: self.restaurant_id,
            hears,
            kinds: heard.kinds,
            since: self.since(request)?,
            bulletins: heard.presence,
            who,
        })
    }
}

/// From where a client wants to follow.
///
/// # Errors
/// 422 for a number that cannot be.
pub(crate) fn since(seq: Option<Seq>, epoch: Option<Epoch>) -> Result<Since, ApiError> {
    match (seq, epoch) {
        (None, _) => Ok(Since::Head),
        (Some(seq), _) if seq < 0 => Err(field("since", "must not be negative")),
        (Some(seq), None) => Ok(Since::WithoutEpoch(seq)),
        (Some(seq), Some(epoch)) => Ok(Since::Position(Position { epoch, seq })),
    }
}

fn field(field: &str, message: &str) -> ApiError {
    ApiError::invalid(vec![wire::FieldError {
        field: field.into(),
        message: message.into(),
    }])
}

/// Takes a place at this worker and in the room, if this worker takes anybody.
///
/// # Errors
/// 404 without such a restaurant, 429 when there are too many sessions, 503 while this worker goes
/// away or the log cannot be read.
pub(super) async fn admit(
    state: &AppState,
    join: Join,
    address: Option<IpAddr>,
) -> Result<(Place, Session, Opening), ApiError> {
    if state.is_draining() {
        return Err(away());
    }
    let place = state.places.take(Wanted {
        account: join.who.user_id,
        restaurant: join.restaurant_id,
        address,
    })?;
    let joined = state.hub.join(join).await;
    let (session, opening) = joined.map_err(|error| match error {
        JoinError::NotFound => ApiError::not_found(),
        JoinError::Draining => away(),
        JoinError::Unavailable => ApiError::unavailable(error),
    })?;
    Ok((place, session, opening))
}

fn away() -> ApiError {
    ApiError::unavailable(anyhow::anyhow!("going away")).retry_after(1)
}

/// Who follows something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Listener {
    /// A member, who follows the restaurant.
    Member(Caller),
    /// Who holds one thing, and follows that.
    Holder(Holder),
}

impl Listener {
    /// The member, if it is one.
    pub(super) const fn member(self) -> Option<Caller> {
        match self {
            Self::Member(caller) => Some(caller),
            Self::Holder(_) => None,
        }
    }
}

/// Who is calling: by an access token or the secret of a thing if there is one, otherwise by the
/// ticket, for this use of it.
///
/// # Errors
/// 401, 403 and 404, as for every route; 429 for who comes too often.
pub(super) async fn listener(
    state: &AppState,
    token: Option<&str>,
    follow: &Follow,
    ticket_use: Use,
) -> Result<Listener, ApiError> {
    if let Some(secret) = token.filter(|token| holders::may_be_secret(token)) {
        let holder = holders::holder(state, secret).await?;
        if holder.restaurant_id != follow.restaurant_id {
            return Err(ApiError::not_found());
        }
        state.limits.holder(Tier::Sockets, holder.root)?;
        return Ok(Listener::Holder(holder));
    }
    let caller = credential(state, token, follow, ticket_use).await?;
    state.limits.account(Tier::Sockets, caller.user_id)?;
    Ok(Listener::Member(caller))
}

async fn credential(
    state: &AppState,
    token: Option<&str>,
    follow: &Follow,
    ticket_use: Use,
) -> Result<Caller, ApiError> {
    let restaurant = Some(follow.restaurant_id);
    if let Some(token) = token {
        let claims = state.tokens.verify(token, state.db.clock().now())?;
        let standing = auth::standing(state, &claims).await?;
        return auth::caller(state, &claims, &standing, restaurant).await;
    }
    match &follow.token {
        Some(ticket) => socket_tickets::accept(state, ticket, ticket_use, restaurant).await,
        None => Err(ApiError::new(ErrorCode::Unauthenticated, "Please log in.")),
    }
}

/// The token of `Sec-WebSocket-Protocol: bearer, <token>`, where `protocol` is `bearer`.
pub(super) fn subprotocol_token<'r>(request: &'r HttpRequest, protocol: &str) -> Option<&'r str> {
    let protocols = request
        .headers()
        .get(header::SEC_WEBSOCKET_PROTOCOL)?
        .to_str()
        .ok()?;
    let mut protocols = protocols.split(',').map(str::trim);
    protocols.next().filter(|first| *first == protocol)?;
    protocols.next()
}

/// Whether the client offers this protocol in `Sec-WebSocket-Protocol`.
pub(super) fn offers_protocol(request: &HttpRequest, protocol: &str) -> bool {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offers = offers.filter_map(|offer| offer.to_str().ok());
    offers.any(|offer| offer.split(',').any(|offer| offer.trim() == protocol))
}

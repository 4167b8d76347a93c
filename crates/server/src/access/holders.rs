//! Callers without an account, who hold the secret of one thing: whoever has the link of a party or
//! a booking.
//!
//! The secret is the credential, and comes as `Authorization: Bearer`. It is looked up each time, by
//! the key of the thing that it names: nothing is remembered of it, so that it ends when it is
//! replaced. Sessions that are open are asked about every few seconds ([`CHECK_SOCKETS`]).

use std::collections::{HashMap, HashSet};
use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use domain::db::{Actor, RequestId, Scope};
use domain::holders::{self, Holder, Place, Secret, Stamp};
use futures_util::FutureExt;
use realtime::SessionInfo;
use wire::live::frames::CloseCode;
use wire::{ErrorCode, Role, RootId};

use super::auth::bearer;
use crate::platform::errors::ApiError;
use crate::platform::middleware::Context;
use crate::state::AppState;
use crate::work::Work;

/// Open sessions are checked against the database so often: with the time that a query takes, one
/// whose link was replaced is silent within 5 s.
pub const CHECK_SOCKETS: Work = Work {
    name: "check_holders",
    every: Duration::from_secs(2),
    run: |state| check_sockets(state).boxed(),
};

/// About how many things is asked at once.
const PLACES_PER_QUERY: usize = 2000;

/// Who holds a thing, for handlers of routes that need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What is held.
    pub holder: Holder,
    /// The request that is made.
    pub request_id: Option<RequestId>,
}

impl Holding {
    /// For operations: those that anybody may do, by nobody who has an account.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        let actor = Actor {
            user_id: None,
            session_id: None,
            role: Role::Staff,
        };
        Scope {
            request_id: self.request_id,
            ..Scope::new(self.holder.restaurant_id, actor)
        }
    }
}

impl FromRequest for Holding {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().copied().ok_or_else(|| {
            ApiError::internal(anyhow::anyhow!(
                "the route does not say that it needs who holds a thing"
            ))
        }))
    }
}

/// Whether this may be the secret of a thing: an access token has dots in it.
#[must_use]
pub fn may_be_secret(credential: &str) -> bool {
    !credential.contains('.')
}

/// Decides whether the caller holds the thing that the path names, or any where it names none, and
/// leaves the [`Holding`] for the handler.
///
/// # Errors
/// 401 without a secret that is good, 404 for another thing than its own.
pub(super) async fn authorize(state: &AppState, request: &ServiceRequest) -> Result<(), ApiError> {
    let secret = bearer(request.headers()).and_then(Secret::parse);
    let secret = &secret.ok_or_else(unknown)?;
    let mut holder = held_with(state, secret).await?;
    if let Some(asked) = asked(request)
        && asked != (holder.restaurant_id, holder.root)
    {
        let now = state.db.clock().now();
        let found = state
            .read("holders.of", async move |conn| {
                holders::holder_of(conn, now, secret, asked).await
            })
            .await?;
        holder = found.ok_or_else(ApiError::not_found)?;
    }
    let request_id = Context::of(request).and_then(|it| RequestId::new(it.request_id()));
    request
        .extensions_mut()
        .insert(Holding { holder, request_id });
    Ok(())
}

/// What is held with a secret.
///
/// # Errors
/// 401 for one that is not good, or not any more.
pub async fn holder(state: &AppState, secret: &str) -> Result<Holder, ApiError> {
    let secret = Secret::parse(secret).ok_or_else(unknown)?;
    held_with(state, &secret).await
}

async fn held_with(state: &AppState, secret: &Secret) -> Result<Holder, ApiError> {
    let now = state.db.clock().now();
    let found = state
        .read("holders.find", async move |conn| {
            holders::holder(conn, now, secret).await
        })
        .await?;
    found.ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::new(
        ErrorCode::Unauthenticated,
        "This link is not good any more. Please ask for another.",
    )
}

/// The thing that a path names: the first id behind the restaurant's.
fn asked(request: &ServiceRequest) -> Option<Place> {
    let restaurant = Context::of(request)?.restaurant()?;
    let mut values = request.match_info().iter();
    let (_, id) = values.find(|(name, _)| *name != "rid")?;
    let nothing = RootId(uuid::Uuid::nil());
    Some((restaurant, id.parse().unwrap_or(nothing)))
}

/// Closes the sessions of those whose link was replaced, or whose thing is gone or has been over for
/// long; for how many things.
async fn check_sockets(state: &AppState) -> domain::Result<usize> {
    let sessions = state.hub.sessions().into_iter();
    let mut held: Vec<(Place, u64)> = sessions
        .filter_map(|session| {
            let (root, stamp) = session.who.holds?;
            Some(((session.restaurant_id, root), stamp))
        })
        .collect();
    held.sort_unstable();
    held.dedup();
    let mut ended = HashSet::new();
    for some in held.chunks(PLACES_PER_QUERY) {
        let places: Vec<Place> = some.iter().map(|(place, _)| *place).collect();
        let now = state.db.clock().now();
        let stamps: HashMap<Place, Stamp> = state
            .db
            .read("holders.stamps", async move |conn| {
                holders::stamps(conn, now, &places).await
            })
            .await?;
        let is_held =
            |(place, stamp): &(Place, u64)| stamps.get(place).map(|now| now.get()) == Some(*stamp);
        ended.extend(some.iter().copied().filter(|held| !is_held(held)));
    }
    if !ended.is_empty() {
        let is_over = |session: &SessionInfo| {
            let holds = session.who.holds;
            holds.is_some_and(|(root, stamp)| {
                ended.contains(&((session.restaurant_id, root), stamp))
            })
        };
        state.hub.close_where(is_over, CloseCode::Forbidden);
    }
    Ok(ended.len())
}

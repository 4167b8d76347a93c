//! Who is calling, and whether the caller may.
//!
//! [`authorize`] runs before anything else of a request is read, so the order of refusals is
//! always: 401 without a credential, 404 for another restaurant, 403 for too low a role, and only
//! then 400 or 422 for the body.

use std::future::{Ready, ready};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use domain::db::{Actor, RequestId, Scope};
use domain::people::sessions::Standing;
use domain::remembered::Once;
use wire::Role;
use wire::{ErrorCode, RestaurantId, SessionId, UserId};

use crate::access::holders;
use crate::access::tokens::Claims;
use crate::platform::errors::ApiError;
use crate::platform::middleware::Context;
use crate::state::AppState;

/// What a route needs from its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Nothing.
    Public,
    /// An account.
    Account,
    /// Membership in the restaurant of the path (`{rid}`), with at least this role.
    Member(Role),
    /// The same, or membership in any role of the one whom the path names (`{uid}`): also of one who
    /// was deactivated, and of one whose device is logged in elsewhere. Who may not come in any more
    /// could not log in there, and may leave all the same.
    MemberOrSelf(Role),
    /// Membership in the restaurant that the request names elsewhere, else in the caller's own, with
    /// at least this role. An account is asked for before anything is read; the handler reads which
    /// restaurant it is, and asks `member` before it reads the rest.
    Named(Role),
    /// Membership in the restaurant of the query, by a token or by a ticket, or a secret: the handler
    /// asks, which alone knows where a socket may carry either.
    Follow,
    /// The secret of the thing that the path names, or of any where it names none.
    Holder,
}

/// What was found out about a caller of a route that is [`Need::Named`], until the handler knows the
/// restaurant.
#[derive(Clone, Copy)]
struct Known {
    claims: Claims,
    standing: Standing,
    least: Role,
}

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user_id: UserId,
    /// The device.
    pub session_id: SessionId,
    /// The restaurant of the token.
    pub restaurant_id: Option<RestaurantId>,
    /// What the caller may do, in the restaurant of the path if there is one; `None` where the
    /// caller is no member.
    pub role: Option<Role>,
    /// When the credential expires.
    pub expires_at: DateTime<Utc>,
    /// The request that is made.
    pub request_id: Option<RequestId>,
    /// The request, when it came with an `Idempotency-Key`.
    pub once: Option<Once>,
}

impl Caller {
    /// For operations.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor {
            user_id: Some(self.user_id),
            session_id: Some(self.session_id),
            // Who is no member has passed no check that asks for one: the least there is.
            role: match self.role {
                Some(role) => role,
                None => Role::Staff,
            },
        }
    }

    /// For operations in a restaurant.
    #[must_use]
    pub const fn scope(&self, restaurant: RestaurantId) -> Scope {
        Scope {
            request_id: self.request_id,
            once: self.once,
            ..Scope::new(restaurant, self.actor())
        }
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().copied().ok_or_else(|| {
            ApiError::internal(anyhow::anyhow!(
                "the route does not say that it needs a caller"
            ))
        }))
    }
}

/// Decides whether the caller may, before anything else of the request is read, and leaves the
/// [`Caller`] for the handler.
///
/// # Errors
/// 401 without a valid credential, 404 for another restaurant, 403 for a role that is too low,
/// 503 while the worker cannot know.
pub async fn authorize(request: &ServiceRequest, need: Need) -> Result<(), ApiError> {
    let state = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("there is no state")))?;
    if matches!(need, Need::Public | Need::Follow) {
        return Ok(());
    }
    if need == Need::Holder {
        return holders::authorize(state, request).await;
    }
    let token = bearer(request.headers())
        .ok_or_else(|| ApiError::new(ErrorCode::Unauthenticated, "Please log in."))?;
    let claims = state.tokens.verify(token, state.db.clock().now())?;
    let standing = standing(state, &claims).await?;
    let restaurant = match need {
        Need::Member(_) | Need::MemberOrSelf(_) => Some(restaurant_of(request)?),
        _ => None,
    };
    let is_own = matches!(need, Need::MemberOrSelf(_)) && names(request, claims.sub);
    let mut caller = match restaurant {
        Some(house) if is_own => oneself(state, &claims, &standing, house).await?,
        asked => caller(state, &claims, &standing, asked).await?,
    };
    let least = match need {
        Need::MemberOrSelf(_) if is_own => Some(Role::Staff),
        Need::Member(role) | Need::MemberOrSelf(role) => Some(role),
        _ => None,
    };
    check_role(caller.role, least)?;
    if let Need::Named(least) = need {
        let known = Known {
            claims,
            standing,
            least,
        };
        request.extensions_mut().insert(known);
    }
    if let Some(context) = Context::of(request) {
        context.set_user(caller.user_id);
        caller.request_id = RequestId::new(context.request_id());
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// The token of `Authorization: Bearer …`.
#[must_use]
pub fn bearer(headers: &header::HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// What the device of a token may do now.
///
/// # Errors
/// `unauthenticated` when it was signed out since, 503 when that cannot be known.
pub async fn standing(state: &AppState, claims: &Claims) -> Result<Standing, ApiError> {
    let standing = state
        .standings
        .of(claims.sid)
        .await
        .map_err(|error| ApiError::shared(&error))?;
    // Account and restaurant are the device's, too: a token of ours never says others, so one that
    // does was made with the key and not by us.
    let is_of = |now: &Standing| {
        (now.user_id, now.restaurant_id, now.auth_version) == (claims.sub, claims.rid, claims.ver)
    };
    standing
        .filter(|now| now.is_live && is_of(now))
        .ok_or_else(|| {
            ApiError::new(
                ErrorCode::Unauthenticated,
                "This device was signed out. Please log in.",
            )
        })
}

/// The caller, in the restaurant of the path if there is one.
///
/// # Errors
/// 404 for another restaurant than the token's, 403 for one that no longer lets the caller in.
pub async fn caller(
    state: &AppState,
    claims: &Claims,
    standing: &Standing,
    restaurant: Option<RestaurantId>,
) -> Result<Caller, ApiError> {
    let role = match (restaurant, standing.role) {
        (Some(asked), _) if standing.is_admin => {
            // An admin reaches every restaurant that there is.
            state
                .read("restaurants.get", async move |conn| {
                    domain::venue::restaurants::get(conn, asked).await
                })
                .await?;
            Some(Role::Admin)
        }
        (None, _) if standing.is_admin => Some(Role::Admin),
        (Some(asked), _) if claims.rid != Some(asked) => return Err(ApiError::not_found()),
        (Some(_), None) => {
            let sentence = "You are no longer a member of this restaurant.";
            return Err(ApiError::new(ErrorCode::Forbidden, sentence));
        }
        (_, role) => role,
    };
    Ok(Caller {
        user_id: claims.sub,
        session_id: claims.sid,
        restaurant_id: claims.rid,
        role,
        expires_at: claims.expires_at(),
        request_id: None,
        once: None,
    })
}

/// The caller of a route that asks for something of the caller's own, in a restaurant where the caller
/// is a member: active or not, and wherever the device is logged in.
///
/// # Errors
/// 404 where the caller is no member.
async fn oneself(
    state: &AppState,
    claims: &Claims,
    standing: &Standing,
    restaurant: RestaurantId,
) -> Result<Caller, ApiError> {
    let is_in = claims.rid == Some(restaurant) && standing.role.is_some();
    if is_in || standing.is_admin {
        return caller(state, claims, standing, Some(restaurant)).await;
    }
    let user = claims.sub;
    state
        .read("users.get", async move |conn| {
            domain::people::users::get(conn, restaurant, user).await
        })
        .await?;
    let account = caller(state, claims, standing, None).await?;
    // The least there is: what the membership says holds no more, or not here.
    let role = Some(Role::Staff);
    Ok(Caller { role, ..account })
}

fn check_role(role: Option<Role>, least: Option<Role>) -> Result<(), ApiError> {
    if role < least {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "Your role may not do this.",
        ));
    }
    Ok(())
}

/// The caller of a route that is [`Need::Named`], once the handler knows the restaurant.
///
/// # Errors
/// As [`authorize`] for a member.
pub async fn member(
    state: &AppState,
    request: &HttpRequest,
    restaurant: RestaurantId,
) -> Result<Caller, ApiError> {
    let known = request.extensions().get::<Known>().copied();
    let known = known.ok_or_else(|| {
        let fault = "the route does not say that the request names the restaurant";
        ApiError::internal(anyhow::anyhow!(fault))
    })?;
    let member = caller(state, &known.claims, &known.standing, Some(restaurant)).await?;
    check_role(member.role, Some(known.least))?;
    let account = request.extensions().get::<Caller>().copied();
    Ok(Caller {
        request_id: request_id(request),
        once: account.and_then(|account| account.once),
        ..member
    })
}

/// The caller of a route that needs none, if the request has a credential. One that is not valid is
/// refused like everywhere.
///
/// # Errors
/// As [`authorize`] for an account.
pub async fn optional(state: &AppState, request: &HttpRequest) -> Result<Option<Caller>, ApiError> {
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let token = bearer(request.headers())
        .ok_or_else(|| ApiError::new(ErrorCode::Unauthenticated, "Please log in."))?;
    let claims = state.tokens.verify(token, state.db.clock().now())?;
    let standing = standing(state, &claims).await?;
    let caller = caller(state, &claims, &standing, None).await?;
    if let Some(context) = Context::of(request) {
        context.set_user(caller.user_id);
    }
    Ok(Some(Caller {
        request_id: request_id(request),
        ..caller
    }))
}

/// The id of the request, for operations.
#[must_use]
pub fn request_id(request: &HttpRequest) -> Option<RequestId> {
    Context::of(request).and_then(|context| RequestId::new(context.request_id()))
}

/// Whether the path names the account (`{uid}`).
fn names(request: &ServiceRequest, user: UserId) -> bool {
    let named = request.match_info().get("uid");
    named.and_then(|id| id.parse().ok()) == Some(user)
}

/// The restaurant of the path.
fn restaurant_of(request: &ServiceRequest) -> Result<RestaurantId, ApiError> {
    request
        .match_info()
        .get("rid")
        .and_then(|id| id.parse().ok())
        .ok_or_else(ApiError::not_found)
}

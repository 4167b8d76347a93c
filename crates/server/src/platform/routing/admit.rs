//! What comes before a handler.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::web::Data;
use wire::RestaurantId;

use super::row::{Kind, Row};
use crate::access::auth;
use crate::access::auth::{Caller, Need};
use crate::access::holders::Holding;
use crate::platform::errors::ApiError;
use crate::platform::idempotency;
use crate::platform::limits::{FullDoor, Turn, Verdict};
use crate::platform::middleware::Context;
use crate::state::AppState;

/// A request that may be answered.
pub(super) struct Admitted {
    /// How much its caller has left, where that is counted.
    pub(super) left: Option<Verdict>,
    /// For which restaurant it is answered: what is read for it is bounded together.
    pub(super) house: Option<RestaurantId>,
    /// What the restaurant is charged for it, where accounts are kept.
    pub(super) turn: Option<Turn>,
}

/// Decides whether a request may be answered, in this order: the limit of the address, who is
/// calling, the limit of the account, the restaurant's share of the work, the key of a request that
/// may be sent again.
///
/// # Errors
/// 429 for what is too much; those of [`auth::authorize`] and [`idempotency::read`].
pub(super) async fn admit(row: &Row, request: &mut ServiceRequest) -> Result<Admitted, ApiError> {
    let mut left = None;
    let state = request.app_data::<Data<AppState>>().cloned();
    let limited = row.tier.zip(state);
    if let Some((tier, state)) = &limited {
        let address = Context::of(request).and_then(|context| context.client_ip());
        left = match state.limits.address(*tier, address).await {
            // Who comes may have an allowance of its own, which shows in the body.
            Err(refusal) if row.asks_who_comes => {
                request.extensions_mut().insert(FullDoor::new(refusal));
                None
            }
            counted => counted?,
        };
    }
    if row.need != Need::Public {
        auth::authorize(request, row.need).await?;
    }
    let caller = request.extensions().get::<Caller>().copied();
    let held = request.extensions().get::<Holding>().copied();
    let house = house(row.need, request);
    let mut turn = None;
    if let Some((tier, state)) = limited {
        if let Some(caller) = caller {
            let of_account = state.limits.account(tier, caller.user_id)?;
            left = left.into_iter().chain(of_account).reduce(Verdict::tighter);
        }
        if let Some(held) = held {
            let of_holder = state.limits.holder(tier, held.holder.root)?;
            left = left.into_iter().chain(of_holder).reduce(Verdict::tighter);
        }
        turn = match house {
            Some(house) if row.kind == Kind::Answer => {
                state.limits.turn(house, (row.canonical, tier)).await?
            }
            _ => {
                if row.kind != Kind::Open {
                    let whose = Context::of(request).and_then(|context| context.restaurant());
                    state.limits.visited(whose);
                }
                None
            }
        };
    }
    if row.takes_keys {
        idempotency::read(request, row).await?;
    } else if matches!(row.need, Need::Public | Need::Holder) && !request.method().is_safe() {
        idempotency::refuse(request.headers())?;
    }
    Ok(Admitted { left, house, turn })
}

/// For which restaurant a request is answered, once it is known that the caller may. Strangers are
/// nobody's.
fn house(need: Need, request: &ServiceRequest) -> Option<RestaurantId> {
    match need {
        Need::Public | Need::Follow => None,
        Need::Member(_) | Need::MemberOrSelf(_) => Context::of(request)?.restaurant(),
        Need::Holder => Some(request.extensions().get::<Holding>()?.holder.restaurant_id),
        Need::Account | Need::Named(_) => request.extensions().get::<Caller>()?.restaurant_id,
    }
}

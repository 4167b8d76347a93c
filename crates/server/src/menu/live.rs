//! `/ws`: who watches the menu from outside.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use parking_lot::Mutex;
use realtime::{Join, Who};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::audit::AuditEntity;
use wire::live::events::EventKind;
use wire::{Audience, Epoch, ErrorCode, RestaurantId, Seq};

use super::which;
use crate::errors::ApiError;
use crate::extract::Query;
use crate::live::{admission, realtime as sockets};
use crate::middleware::client_ip;
use crate::state::AppState;

/// Which menu to watch, and from where.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Watch {
    /// The restaurant; the caller's own, or the installation's default one when absent.
    #[serde(alias = "restaurantId")]
    #[param(value_type = Option<String>, format = Uuid)]
    pub restaurant_id: Option<RestaurantId>,
    /// The last event that was seen; what came after it is sent first.
    #[param(minimum = 0, value_type = Option<i64>)]
    pub since: Option<Seq>,
    /// The epoch of `since`.
    #[param(value_type = Option<String>, format = Uuid)]
    pub epoch: Option<Epoch>,
}

/// Opens a WebSocket on which everybody hears which dishes are published and withdrawn.
///
/// After `restaurant_connect` come frames of type `dishStatusChanged` with the number, name,
/// picture and `isPublished` of a dish, and a `heartbeat` now and then. Nothing needs to be said.
#[utoipa::path(
    get, path = "/api/v1/ws", tag = "live", params(Watch),
    responses((status = 101, description = "The stream begins."))
)]
pub async fn watch(
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
    Query(watch): Query<Watch>,
) -> Result<HttpResponse, ApiError> {
    let (restaurant_id, _) = which::visited(&state, &request, watch.restaurant_id).await?;
    let kinds = EventKind::ALL.iter().copied();
    let join = Join {
        restaurant_id,
        audience: Audience::Public,
        kinds: Some(
            kinds
                .filter(|kind| kind.entity() == Some(AuditEntity::Dish))
                .collect(),
        ),
        since: admission::since(watch.since, watch.epoch)?,
        bulletins: false,
        who: Who::default(),
    };
    let address = client_ip(request.head(), &state.config.http.trusted_proxies);
    let most = state.config.menu.sockets_per_address;
    let place = state.visitors.enter(address, most).ok_or_else(|| {
        let sentence = "There are too many sockets from your address.";
        ApiError::new(ErrorCode::TooMany, sentence).retry_after(10)
    })?;
    sockets::open(state, &request, payload, join, None, place).await
}

/// The open sockets of visitors, by where they come from.
#[derive(Clone, Debug, Default)]
pub struct Visitors(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// The place of one socket; dropping it leaves.
#[derive(Debug)]
pub struct Place {
    visitors: Visitors,
    address: IpAddr,
}

impl Visitors {
    /// Takes a place; none when `most` from this address are taken.
    #[must_use]
    pub fn enter(&self, address: Option<IpAddr>, most: usize) -> Option<Place> {
        let address = network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut open = self.0.lock();
        let count = open.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            visitors: self.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut open) = self.visitors.0.lock().entry(self.address) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}

/// A home has an IPv4 address, or a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let home = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(home))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_places() {
        let visitors = Visitors::default();
        let enter = |address: &str| visitors.enter(Some(address.parse().unwrap()), 2);
        let first = enter("192.0.2.1");
        let _second = enter("::ffff:192.0.2.1");
        assert!(first.is_some() && enter("192.0.2.1").is_none());
        let _other = enter("192.0.2.2").unwrap();
        drop(first);
        assert!(enter("192.0.2.1").is_some());
        // Addresses of one home.
        let _home = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert!(enter("2001:db8::3").is_none());
        let next_door = enter("2001:db8:0:1::1").unwrap();
        drop(next_door);
        assert_eq!(visitors.0.lock().len(), 3);
    }
}

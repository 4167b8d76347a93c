//! Places for sockets and streams, and how many of them anybody may have.
//!
//! A worker holds so many in all. One account, one restaurant, one address may have a share of them,
//! so that nobody keeps others out; and so may strangers together, who only watch. Strangers and
//! staff are counted apart, save in all: those who watch a restaurant's menu, from its own network
//! perhaps, do not take the places of its staff.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use wire::{ErrorCode, RestaurantId, UserId};

use crate::config::SharesConfig;
use crate::platform::errors::ApiError;
use crate::platform::middleware::{Network, network};

/// Who wants a place.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The account; `None` for a stranger.
    pub account: Option<UserId>,
    /// The restaurant that is followed.
    pub restaurant: RestaurantId,
    /// Where from.
    pub address: Option<IpAddr>,
}

/// The places of a worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shares: SharesConfig,
    taken: Mutex<Taken>,
}

/// By whom places are taken. Who has none is not known here.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    strangers: usize,
    by: HashMap<Who, usize>,
}

/// Whose share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Account(UserId),
    Restaurant(RestaurantId),
    Network(Network),
    /// Strangers who watch it.
    Watched(RestaurantId),
    /// Strangers from there.
    Visitors(Network),
}

/// The place of one socket or stream; dropping it leaves.
#[derive(Debug)]
pub struct Place {
    places: Places,
    wanted: Wanted,
}

impl Places {
    /// All of them free.
    #[must_use]
    pub fn new(shares: SharesConfig) -> Self {
        Self(Arc::new(Inner {
            shares,
            taken: Mutex::default(),
        }))
    }

    /// Takes a place.
    ///
    /// # Errors
    /// 429 that says whose share is used up.
    pub fn take(&self, wanted: Wanted) -> Result<Place, ApiError> {
        let shares = &self.0.shares;
        let mut taken = self.0.taken.lock();
        if taken.all >= shares.all {
            return Err(full("This worker has as many sockets as it can hold."));
        }
        if wanted.account.is_none() && taken.strangers >= shares.strangers {
            return Err(full(
                "Too many people are watching. Please come back in a moment.",
            ));
        }
        for (who, most, sentence) in of(&wanted, shares).into_iter().flatten() {
            if taken.by.get(&who).is_some_and(|count| *count >= most) {
                return Err(full(sentence));
            }
        }
        taken.all += 1;
        taken.strangers += usize::from(wanted.account.is_none());
        for (who, ..) in of(&wanted, shares).into_iter().flatten() {
            *taken.by.entry(who).or_default() += 1;
        }
        Ok(Place {
            places: self.clone(),
            wanted,
        })
    }

    /// How many are taken, and how many of those by strangers.
    #[must_use]
    pub fn taken(&self) -> (usize, usize) {
        let taken = self.0.taken.lock();
        (taken.all, taken.strangers)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let inner = &self.places.0;
        let mut taken = inner.taken.lock();
        taken.all -= 1;
        taken.strangers -= usize::from(self.wanted.account.is_none());
        for (who, ..) in of(&self.wanted, &inner.shares).into_iter().flatten() {
            if let Entry::Occupied(mut count) = taken.by.entry(who) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }
}

/// The shares that a place is counted in, and what is said when one is used up.
fn of(wanted: &Wanted, shares: &SharesConfig) -> [Option<(Who, usize, &'static str)>; 3] {
    let network = wanted.address.map(network);
    let Some(account) = wanted.account else {
        return [
            Some((
                Who::Watched(wanted.restaurant),
                shares.of_restaurant,
                "Too many people are watching this restaurant. Please come back in a moment.",
            )),
            Some((
                // All whose address is not known are one.
                Who::Visitors(network.unwrap_or_default()),
                shares.of_visitor,
                "There are too many sockets from your address.",
            )),
            None,
        ];
    };
    [
        Some((
            Who::Account(account),
            shares.of_account,
            "Your account has as many sockets as it may have at this worker.",
        )),
        Some((
            Who::Restaurant(wanted.restaurant),
            shares.of_restaurant,
            "The restaurant has as many sockets as it may have at this worker.",
        )),
        network.map(|network| {
            let sentence = "Your address has as many sockets as it may have at this worker.";
            (Who::Network(network), shares.of_address, sentence)
        }),
    ]
}

fn full(sentence: &'static str) -> ApiError {
    ApiError::new(ErrorCode::TooMany, sentence).retry_after(5)
}

#[cfg(test)]
mod tests;

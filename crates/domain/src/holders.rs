//! Who holds the secret of one thing, and may follow that thing without an account.
//!
//! A thing keeps a hash of its secret in its own row: a new secret ends the one before, and what is
//! removed is held by nobody. Each room says where its things are (`Held`, in `rooms.rs`).

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use wire::audit::AuditEntity;
use wire::live::events::Action;
use wire::rooms::RootKind;
use wire::{RestaurantId, RootId};

use crate::audit::Entry;
use crate::db::Tx;
use crate::secrets::links::LinkSecret;
use crate::{Error, Result, rooms};

/// How long a thing can be followed after it is over.
pub const AFTER_THE_END: TimeDelta = TimeDelta::hours(24);

/// A thing of a restaurant that may be held.
pub type Place = (RestaurantId, RootId);

/// A thing, and with which secret it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The thing.
    pub place: Place,
    /// Of its secret.
    pub secret_hash: Vec<u8>,
    /// Since when it has been over, or will be.
    pub over_since: Option<DateTime<Utc>>,
    /// What became of it, which its followers hear of too.
    pub leads_to: Option<(RootKind, RootId)>,
}

/// Things of a room that may be held.
#[async_trait]
pub(crate) trait Held: Sync {
    /// What they are.
    fn kind(&self) -> RootKind;

    /// Those of some that are held. One statement, by their keys.
    async fn find(&self, conn: &mut AsyncPgConnection, places: &[Place]) -> Result<Vec<Holding>>;
}

/// What tells one secret of a thing from another, and nothing else about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    fn of(hash: &[u8]) -> Self {
        let first = hash.first_chunk().copied().unwrap_or_default();
        Self(u64::from_be_bytes(first))
    }
}

/// What somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The restaurant.
    pub restaurant_id: RestaurantId,
    /// What it is.
    pub kind: RootKind,
    /// The thing.
    pub root: RootId,
    /// What became of it.
    pub leads_to: Option<(RootKind, RootId)>,
    /// Of the secret that was presented.
    pub stamp: Stamp,
}

/// What somebody presents as the secret of a thing, whether or not it is one.
pub struct Secret(LinkSecret);

impl Secret {
    /// `None` for what cannot be one: nobody has to be asked about that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        LinkSecret::parse(text).map(Self)
    }
}

/// What is held with a secret; `None` for that of a thing that has another by now, was removed, or
/// has been over for [`AFTER_THE_END`].
///
/// # Errors
/// When the database is away.
pub async fn holder(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    secret: &Secret,
) -> Result<Option<Holder>> {
    let place = (secret.0.restaurant_id, RootId(secret.0.id));
    with(conn, now, &secret.0, place).await
}

/// A thing that is held with the same secret: the party that a booking became.
///
/// # Errors
/// When the database is away.
pub async fn holder_of(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    secret: &Secret,
    place: Place,
) -> Result<Option<Holder>> {
    if secret.0.restaurant_id != place.0 {
        return Ok(None);
    }
    with(conn, now, &secret.0, place).await
}

async fn with(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    link: &LinkSecret,
    place: Place,
) -> Result<Option<Holder>> {
    for held in rooms::HELD {
        let found = held.find(conn, &[place]).await?;
        let mut good = found.into_iter().filter(|holding| holding.is_good(now));
        if let Some(holding) = good.find(|holding| link.is_same(&holding.secret_hash)) {
            return Ok(Some(Holder {
                restaurant_id: place.0,
                kind: held.kind(),
                root: place.1,
                leads_to: holding.leads_to,
                stamp: Stamp::of(&holding.secret_hash),
            }));
        }
    }
    Ok(None)
}

/// With which secrets some things are held now; none for those that are not any more.
///
/// # Errors
/// When the database is away.
pub async fn stamps(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    places: &[Place],
) -> Result<HashMap<Place, Stamp>> {
    let mut stamps = HashMap::with_capacity(places.len());
    for held in rooms::HELD {
        let found = held.find(conn, places).await?;
        let good = found.into_iter().filter(|holding| holding.is_good(now));
        stamps.extend(good.map(|holding| (holding.place, Stamp::of(&holding.secret_hash))));
    }
    Ok(stamps)
}

impl Holding {
    fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.over_since
            .is_none_or(|over| now < over + AFTER_THE_END)
    }
}

/// What changed since a holder's request looked at it is looked at again: the answer for staff, which
/// has its present state, is not for whoever only follows it.
pub(crate) fn looked_at_again(error: Error) -> Error {
    match error {
        Error::Stale(_) => Error::Contended,
        error => error,
    }
}

/// Makes a secret for a thing, of which the audit tells that there is one: what is shown once, and
/// what is to be kept of it.
pub(crate) fn make_secret(tx: &mut Tx<'_>, entity: AuditEntity, root: RootId) -> (String, Vec<u8>) {
    tx.audit(Entry {
        entity,
        entity_id: root.0,
        action: Action::LinkMade,
        before: None,
        after: None,
    });
    new_secret(tx.restaurant_id(), root)
}

fn new_secret(restaurant: RestaurantId, root: RootId) -> (String, Vec<u8>) {
    let secret = LinkSecret::new(restaurant, root.0);
    (secret.encode(), secret.hash().to_vec())
}

/// The restaurants and the ids of some places, each as a list: for `unnest`.
pub(crate) fn apart(places: &[Place]) -> (Vec<RestaurantId>, Vec<RootId>) {
    places.iter().copied().unzip()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_thing_is_held_for_a_day_after_its_end() {
        let over = DateTime::UNIX_EPOCH;
        let holding = |over_since| Holding {
            place: (RestaurantId(Uuid::nil()), RootId(Uuid::nil())),
            secret_hash: vec![1; 32],
            over_since,
            leads_to: None,
        };
        assert!(holding(None).is_good(over));
        assert!(holding(Some(over)).is_good(over + TimeDelta::hours(23)));
        assert!(!holding(Some(over)).is_good(over + TimeDelta::hours(24)));
    }

    #[test]
    fn a_holder_is_never_shown_what_staff_sees() {
        let stale = Error::Stale(Box::new(serde_json::json!({"phone": "1"})));
        assert!(matches!(looked_at_again(stale), Error::Contended));
    }

    #[test]
    fn another_secret_has_another_stamp() {
        let place = (RestaurantId(Uuid::nil()), RootId(Uuid::nil()));
        let (_, one) = new_secret(place.0, place.1);
        let (_, other) = new_secret(place.0, place.1);
        assert_ne!(Stamp::of(&one), Stamp::of(&other));
        assert_eq!(Stamp::of(&one), Stamp::of(&one));
    }
}

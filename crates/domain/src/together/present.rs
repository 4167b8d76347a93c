//! Things as they are, whatever they are: to compare them with what a change was made for.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use wire::together::atomic::Entity;

use crate::Result;
use crate::db::Tx;
use crate::floor::{guests, reservations, tables};

/// What kind of thing, and which.
pub(super) type Thing = (Entity, Uuid);

/// The things that are there, each kind by one statement.
pub(super) async fn all(tx: &mut Tx<'_>, things: &[Thing]) -> Result<HashMap<Thing, Value>> {
    let of = |kind: Entity| -> Vec<Uuid> {
        let ids = things.iter().filter(|(entity, _)| *entity == kind);
        ids.map(|(_, id)| *id).collect()
    };
    let restaurant = tx.restaurant_id();
    let mut found = Found::default();
    let ids = of(Entity::Guest);
    if !ids.is_empty() {
        let parties = guests::among(tx, &ids).await?;
        found.add(Entity::Guest, parties, |guest| guest.id.0)?;
    }
    let ids = of(Entity::Table);
    if !ids.is_empty() {
        let tables = tables::some(tx.conn, restaurant, &ids).await?;
        found.add(Entity::Table, tables, |table| table.id.0)?;
    }
    let ids = of(Entity::Reservation);
    if !ids.is_empty() {
        let bookings = reservations::some(tx.conn, restaurant, &ids).await?;
        found.add(Entity::Reservation, bookings, |booking| booking.id.0)?;
    }
    Ok(found.0)
}

/// A thing; `None` when it is not there.
pub(super) async fn one(tx: &mut Tx<'_>, thing: Thing) -> Result<Option<Value>> {
    Ok(all(tx, &[thing]).await?.remove(&thing))
}

#[derive(Default)]
struct Found(HashMap<Thing, Value>);

impl Found {
    fn add<T: Serialize>(
        &mut self,
        entity: Entity,
        things: Vec<T>,
        id: impl Fn(&T) -> Uuid,
    ) -> Result<()> {
        for thing in things {
            let value = serde_json::to_value(&thing)?;
            self.0.insert((entity, id(&thing)), value);
        }
        Ok(())
    }
}

//! Things as they are, whatever they are: to compare them with what a change was made for.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;
use wire::together::atomic::Entity;

use crate::db::Tx;
use crate::{Result, rooms};

/// What kind of thing, and which.
pub(super) type Thing = (Entity, Uuid);

/// The things that are there, each kind by one statement.
pub(super) async fn all(tx: &mut Tx<'_>, things: &[Thing]) -> Result<HashMap<Thing, Value>> {
    let mut found = HashMap::new();
    for entity in Entity::ALL.iter().copied() {
        let ids = things.iter().filter(|(of, _)| *of == entity);
        let ids: Vec<Uuid> = ids.map(|(_, id)| *id).collect();
        if !ids.is_empty() {
            let states = rooms::states(tx, entity, &ids).await?.into_iter();
            found.extend(states.map(|(id, state)| ((entity, id), state)));
        }
    }
    Ok(found)
}

/// A thing; `None` when it is not there.
pub(super) async fn one(tx: &mut Tx<'_>, thing: Thing) -> Result<Option<Value>> {
    Ok(all(tx, &[thing]).await?.remove(&thing))
}

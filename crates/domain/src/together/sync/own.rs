//! What a queue itself has done so far: its later changes were made upon its earlier ones, and
//! must not meet them as somebody else's.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;
use wire::together::atomic::Entity;
use wire::together::sync::{Outcome, SyncResult};

use super::Queued;
use super::merge::asked;
use crate::together::kinds::Fields;
use crate::together::present::Thing;
use crate::{Result, rooms};

/// What a queue did.
#[derive(Clone, Debug, Default)]
pub struct Own(HashMap<Thing, Arc<Done>>);

/// What it did to one thing.
#[derive(Clone, Debug, Default)]
struct Done {
    /// The thing before the first change, if that is known.
    before: Option<Fields>,
    /// What the changes made of its fields.
    set: Fields,
    /// The version after the last of them.
    version: i64,
}

impl Own {
    /// Notes a change that was made.
    pub(super) fn note(
        &mut self,
        entity: Entity,
        id: Uuid,
        before: Option<&Fields>,
        after: Option<&Fields>,
    ) {
        let Some(after) = after else {
            self.0.remove(&(entity, id));
            return;
        };
        // What was made here is known as it was made.
        let start = before.unwrap_or(after);
        let done = self.0.entry((entity, id)).or_insert_with(|| {
            Arc::new(Done {
                before: Some(start.clone()),
                ..Done::default()
            })
        });
        let done = Arc::make_mut(done);
        let changed = after
            .iter()
            .filter(|(field, value)| start.get(*field) != Some(value));
        done.set
            .extend(changed.map(|(field, value)| (field.clone(), value.clone())));
        done.version = version(after);
    }

    /// Notes a change that was made when the queue was sent before.
    pub(super) fn recall(&mut self, queued: &Queued, result: &SyncResult) -> Result<()> {
        let (Ok(change), Some(Value::Object(after))) = (&queued.item.change, &result.current)
        else {
            return Ok(());
        };
        let (Some(id), Outcome::Applied | Outcome::Merged) = (change.id(), result.status) else {
            return Ok(());
        };
        let profile = rooms::profile(change.entity());
        let asked = asked(profile, change.asked()?, after);
        let done = Arc::make_mut(self.0.entry((change.entity(), id)).or_default());
        for field in asked.keys() {
            if let Some(value) = after.get(field) {
                done.set.insert(field.clone(), value.clone());
            }
        }
        done.version = version(after);
        Ok(())
    }

    /// The thing as the client knew it and as the queue has made it since; `None` when the client
    /// knew another version than the one that the queue began with.
    pub(super) fn base(&self, entity: Entity, id: Uuid, version: i32) -> Option<Fields> {
        let done = self.0.get(&(entity, id))?;
        let before = done.before.as_ref()?;
        super::is_version(before, version).then(|| {
            let mut base = before.clone();
            base.extend(done.set.clone());
            base
        })
    }

    /// A state that the client knew, with what the queue has made of it since.
    pub(super) fn over(&self, entity: Entity, id: Uuid, version: i32, mut base: Fields) -> Fields {
        if let Some(done) = self.0.get(&(entity, id))
            && i64::from(version) < done.version
        {
            base.extend(done.set.clone());
        }
        base
    }
}

fn version(state: &Fields) -> i64 {
    state.get("version").and_then(Value::as_i64).unwrap_or(0)
}

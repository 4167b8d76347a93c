//! An open write transaction of one restaurant, and the changes that it will tell.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel_async::{AsyncPgConnection, TransactionManager};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wire::Role;
use wire::live::events::{Action, EventKind};
use wire::{EntityId, RestaurantId, SessionId, TransactionId, UserId};

use super::kept::Kept;
use super::pool::Manager;
use super::request::RequestId;
use crate::Result;
use crate::audit::Entry;
use crate::remembered::Once;

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account; `None` for the passing of time.
    pub user_id: Option<UserId>,
    /// The device.
    pub session_id: Option<SessionId>,
    /// What the actor may do in the restaurant.
    pub role: Role,
}

impl Actor {
    /// The passing of time: whatever the system does by itself.
    pub const SYSTEM: Self = Self {
        user_id: None,
        session_id: None,
        role: Role::Admin,
    };
}

/// Where a transaction works, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The restaurant whose rows and log are written.
    pub restaurant_id: RestaurantId,
    /// Who does it.
    pub actor: Actor,
    /// The client's transaction of which all events are part.
    pub transaction_id: Option<TransactionId>,
    /// The request that asked for it.
    pub request_id: Option<RequestId>,
    /// The client's request, when it may be sent again: see [`crate::db::Db::write_once`].
    pub once: Option<Once>,
}

impl Scope {
    /// A scope outside any transaction of the client's, and of no request.
    #[must_use]
    pub const fn new(restaurant_id: RestaurantId, actor: Actor) -> Self {
        Self {
            restaurant_id,
            actor,
            transaction_id: None,
            request_id: None,
            once: None,
        }
    }
}

/// An open write transaction. Operations work in it; [`crate::db::Db::write`] opens and commits it.
pub struct Tx<'c> {
    /// For statements.
    pub conn: &'c mut AsyncPgConnection,
    /// The time at which the transaction began; every row and event in it carries this one.
    pub now: DateTime<Utc>,
    /// What stays as it is in this transaction, whatever is done in it, or is kept up by those who
    /// change it.
    pub(crate) kept: Kept,
    /// What was read and is so until something is told of.
    pub(crate) seen: Kept,
    scope: Scope,
    told: Told,
}

/// What a transaction has to say in its end.
#[derive(Default)]
pub(crate) struct Told {
    /// Events, and the audit of what they tell, each at the place of its entity's first; `None`
    /// where together they came to nothing.
    changes: Vec<Option<Change>>,
    /// Where the event of each entity is.
    places: HashMap<Thing, usize>,
    /// What only the audit tells.
    entries: Vec<Entry>,
}

/// What has one event per transaction: an entity, by the name of its id's field and the id.
type Thing = (Option<&'static str>, EntityId);

impl Told {
    /// The events, in their order.
    fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().flatten()
    }

    /// The events and what only the audit tells, apart.
    pub(crate) fn into_parts(self) -> (Vec<Change>, Vec<Entry>) {
        (self.changes.into_iter().flatten().collect(), self.entries)
    }

    /// Adds an event, or joins it with the one of the same entity.
    fn merge(&mut self, change: Change) {
        let thing = (change.kind.id_field(), change.entity_id);
        let Some(place) = self.places.get(&thing) else {
            self.places.insert(thing, self.changes.len());
            self.changes.push(Some(change));
            return;
        };
        let Some(slot) = self.changes.get_mut(*place) else {
            return;
        };
        *slot = match slot.take() {
            Some(known) => known.merged(change),
            None => None,
        };
        if slot.is_none() {
            self.places.remove(&thing);
        }
    }
}

/// What an event will say, and what was before it.
pub(crate) struct Change {
    pub(crate) kind: EventKind,
    pub(crate) entity_id: EntityId,
    pub(crate) action: Action,
    pub(crate) data: Box<RawValue>,
    /// What the public may see.
    pub(crate) public_data: Option<Box<RawValue>>,
    /// The entity before the transaction, for the audit; `None` for a new one.
    pub(crate) before: Option<Box<RawValue>>,
    /// Whether the audit tells of it too.
    pub(crate) is_audited: bool,
}

impl Change {
    /// Of something new, told to staff and the audit.
    fn new(
        kind: EventKind,
        entity_id: impl Into<EntityId>,
        action: Action,
        data: &impl Serialize,
    ) -> Result<Self> {
        Ok(Self {
            kind,
            entity_id: entity_id.into(),
            action,
            data: to_raw_value(data)?,
            public_data: None,
            before: None,
            is_audited: true,
        })
    }

    /// This event and a later one of the same entity as one; `None` when together they are nothing.
    fn merged(self, later: Self) -> Option<Self> {
        let kind = self.kind.merged_with(later.kind)?;
        let action = if kind == later.kind && later.action == Action::Deleted {
            Action::Deleted
        } else {
            self.action.min(later.action)
        };
        Some(Self {
            kind,
            action,
            before: self.before,
            is_audited: self.is_audited && later.is_audited,
            // What everybody was to hear is not unsaid by a later change.
            public_data: later.public_data.or(self.public_data),
            ..later
        })
    }

    /// The entity as `atomic_transaction_complete` names it: `guest-<id>`.
    fn named(&self) -> Option<String> {
        let entity = self.kind.id_field()?.strip_suffix("_id")?;
        Some(format!("{entity}-{}", self.entity_id))
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut AsyncPgConnection, scope: Scope, now: DateTime<Utc>) -> Self {
        Self {
            conn,
            now,
            kept: Kept::default(),
            seen: Kept::default(),
            scope,
            told: Told::default(),
        }
    }

    /// The restaurant that is written.
    #[must_use]
    pub const fn restaurant_id(&self) -> RestaurantId {
        self.scope.restaurant_id
    }

    /// Who does it.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.scope.actor
    }

    /// Tells staff of something new, with the state that it has now. What was there before is told
    /// of by [`Tx::tell_changed`].
    ///
    /// An entity has one event per transaction: telling of it again replaces its state, and keeps
    /// the weightier kind and the first action in the order of [`Action`].
    ///
    /// # Errors
    /// When `data` cannot be written as JSON, which does not happen.
    pub fn tell(
        &mut self,
        kind: EventKind,
        entity_id: impl Into<EntityId>,
        action: Action,
        data: &impl Serialize,
    ) -> Result<()> {
        self.merge(Change::new(kind, entity_id, action, data)?);
        Ok(())
    }

    /// Like [`Tx::tell`], of an entity that was there before, in the state `before`: the audit
    /// tells what differs. Of several, the first `before` and the last `data` count.
    ///
    /// # Errors
    /// As [`Tx::tell`].
    pub fn tell_changed(
        &mut self,
        kind: EventKind,
        entity_id: impl Into<EntityId>,
        action: Action,
        before: &impl Serialize,
        data: &impl Serialize,
    ) -> Result<()> {
        self.merge(Change {
            before: Some(to_raw_value(before)?),
            ..Change::new(kind, entity_id, action, data)?
        });
        Ok(())
    }

    /// Like [`Tx::tell`], of what must not show in the audit: values that are being erased.
    ///
    /// # Errors
    /// As [`Tx::tell`].
    pub(crate) fn tell_unaudited(
        &mut self,
        kind: EventKind,
        entity_id: impl Into<EntityId>,
        action: Action,
        data: &impl Serialize,
    ) -> Result<()> {
        self.merge(Change {
            is_audited: false,
            ..Change::new(kind, entity_id, action, data)?
        });
        Ok(())
    }

    /// Tells the audit, and nobody else.
    pub(crate) fn audit(&mut self, entry: Entry) {
        self.told.entries.push(entry);
    }

    /// Like [`Tx::tell_changed`], and shows `public_data` to everybody.
    ///
    /// # Errors
    /// As [`Tx::tell`].
    pub fn tell_public(
        &mut self,
        kind: EventKind,
        entity_id: impl Into<EntityId>,
        action: Action,
        before: Option<&impl Serialize>,
        data: &impl Serialize,
        public_data: &impl Serialize,
    ) -> Result<()> {
        self.merge(Change {
            public_data: Some(to_raw_value(public_data)?),
            before: before.map(to_raw_value).transpose()?,
            ..Change::new(kind, entity_id, action, data)?
        });
        Ok(())
    }

    /// Runs a part that may fail without the rest: what it did to rows and what it told are undone
    /// when it is refused, and the transaction goes on.
    ///
    /// # Errors
    /// What is no answer to a client ([`crate::Error::is_answer`]) ends the whole transaction.
    pub async fn attempt<T>(
        &mut self,
        part: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<Result<T>> {
        <Manager as TransactionManager<_>>::begin_transaction(self.conn).await?;
        match self.undoing(part).await {
            Ok(value) => {
                <Manager as TransactionManager<_>>::commit_transaction(self.conn).await?;
                Ok(Ok(value))
            }
            Err(error) => {
                let undone =
                    <Manager as TransactionManager<_>>::rollback_transaction(self.conn).await;
                if !error.is_answer() {
                    return Err(error);
                }
                undone?;
                Ok(Err(error))
            }
        }
    }

    /// The same for a part that is refused before it writes, if at all: the database has nothing to
    /// undo, and is not asked to.
    ///
    /// # Errors
    /// As [`Tx::attempt`].
    pub(crate) async fn attempt_in_memory<T>(
        &mut self,
        part: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<Result<T>> {
        match self.undoing(part).await {
            Err(error) if !error.is_answer() => Err(error),
            result => Ok(result),
        }
    }

    /// Runs a part; what it told, and what it learned, is forgotten when it fails.
    async fn undoing<T>(&mut self, part: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::take(&mut self.told);
        let (kept, seen) = (self.kept.clone(), self.seen.clone());
        let result = part(self).await;
        let told = std::mem::replace(&mut self.told, before);
        if result.is_ok() {
            let (changes, entries) = told.into_parts();
            changes
                .into_iter()
                .for_each(|change| self.told.merge(change));
            self.told.entries.extend(entries);
        } else {
            (self.kept, self.seen) = (kept, seen);
        }
        result
    }

    /// Tells that the client's transaction is complete, after everything else that is told; if
    /// nothing is, this is not either.
    ///
    /// # Errors
    /// As [`Tx::tell`].
    pub fn tell_complete(&mut self) -> Result<()> {
        let Some(transaction) = self.scope.transaction_id else {
            return Ok(());
        };
        if self.told.changes().next().is_none() {
            return Ok(());
        }
        let affected: Vec<String> = self.told.changes().filter_map(Change::named).collect();
        let kind = EventKind::AtomicTransactionComplete;
        self.tell(kind, transaction.0, Action::InfoUpdated, &affected)
    }

    /// Notes an event. What was seen before may be otherwise now.
    fn merge(&mut self, change: Change) {
        self.seen.clear();
        self.told.merge(change);
    }

    pub(super) fn into_told(self) -> (&'c mut AsyncPgConnection, Scope, Told) {
        (self.conn, self.scope, self.told)
    }
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

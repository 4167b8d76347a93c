//! What a transaction tells: one event for each thing that it changed.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wire::live::events::{Action, EventKind};
use wire::{EntityId, RootId};

use crate::Result;
use crate::audit::Entry;

/// Something that happened to a thing, to be told by [`super::Tx::tell`].
///
/// Staff hear of the state that the thing has now. Unless more is said, it is new: nothing was
/// before it, and the public hears nothing.
#[must_use = "an event is told by `Tx::tell`"]
pub struct Event(Result<Change>);

impl Event {
    /// What happened to the thing, and how it is `after`.
    pub fn new(
        kind: EventKind,
        entity_id: impl Into<EntityId>,
        action: Action,
        after: &impl Serialize,
    ) -> Self {
        let entity_id = entity_id.into();
        let change = to_raw_value(after).map(|data| Change {
            kind,
            entity_id,
            action,
            data,
            public_data: None,
            own: None,
            before: None,
            is_audited: true,
        });
        Self(change.map_err(Into::into))
    }

    /// The thing was there `before`: the audit tells what differs.
    pub fn before(self, before: &impl Serialize) -> Self {
        self.with(|change| {
            change.before = Some(to_raw_value(before)?);
            Ok(())
        })
    }

    /// Everybody may hear this of it.
    pub fn public(self, public: &impl Serialize) -> Self {
        self.with(|change| {
            change.public_data = Some(to_raw_value(public)?);
            Ok(())
        })
    }

    /// Who follows one of `now` by itself, without the restaurant, hears this of it; who follows one
    /// that is only among `before` hears that it concerns them no more.
    pub fn own(self, before: Vec<RootId>, now: Vec<RootId>, data: &impl Serialize) -> Self {
        self.with(|change| {
            if !(before.is_empty() && now.is_empty()) {
                let data = to_raw_value(data)?;
                change.own = Some(Own { before, now, data });
            }
            Ok(())
        })
    }

    /// It must not show in the audit: values are being erased.
    pub(crate) fn unaudited(self) -> Self {
        self.with(|change| {
            change.is_audited = false;
            Ok(())
        })
    }

    fn with(self, set: impl FnOnce(&mut Change) -> Result<()>) -> Self {
        Self(self.0.and_then(|mut change| {
            set(&mut change)?;
            Ok(change)
        }))
    }

    /// What is to be written of it.
    pub(super) fn into_change(self) -> Result<Change> {
        self.0
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.0.as_ref().map(|change| change.kind);
        f.debug_tuple("Event").field(&kind).finish()
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
    /// What those hear who follow things by themselves.
    pub(crate) own: Option<Own>,
    /// The entity before the transaction, for the audit; `None` for a new one.
    pub(crate) before: Option<Box<RawValue>>,
    /// Whether the audit tells of it too.
    pub(crate) is_audited: bool,
}

/// What those hear of an event who follow things by themselves.
#[derive(Clone)]
pub(crate) struct Own {
    /// Which things it concerned before the transaction.
    pub(crate) before: Vec<RootId>,
    /// And which it concerns after it.
    pub(crate) now: Vec<RootId>,
    /// What they hear.
    pub(crate) data: Box<RawValue>,
}

impl Own {
    /// Of two events of the same thing: from before the first to after the second.
    fn merged(first: Option<Self>, later: Option<Self>) -> Option<Self> {
        match (first, later) {
            (Some(first), Some(later)) => Some(Self {
                before: first.before,
                ..later
            }),
            (Some(first), None) => Some(Self {
                now: Vec::new(),
                ..first
            }),
            (None, later) => later,
        }
    }

    /// The things that it concerned and does no more.
    pub(crate) fn left(&self) -> Vec<RootId> {
        let before = self.before.iter().copied();
        before.filter(|root| !self.now.contains(root)).collect()
    }
}

impl Change {
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
            own: Own::merged(self.own, later.own),
            ..later
        })
    }

    /// The entity as `atomic_transaction_complete` names it: `guest-<id>`.
    fn named(&self) -> Option<String> {
        let entity = self.kind.id_field()?.strip_suffix("_id")?;
        Some(format!("{entity}-{}", self.entity_id))
    }
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
    /// The entities that there are events of, in the order of these, as
    /// `atomic_transaction_complete` names them; `None` when there is no event.
    pub(super) fn affected(&self) -> Option<Vec<String>> {
        let mut changes = self.changes.iter().flatten().peekable();
        changes.peek()?;
        Some(changes.filter_map(Change::named).collect())
    }

    /// The events and what only the audit tells, apart.
    pub(crate) fn into_parts(self) -> (Vec<Change>, Vec<Entry>) {
        (self.changes.into_iter().flatten().collect(), self.entries)
    }

    /// Adds what only the audit tells.
    pub(super) fn note(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Adds an event, or joins it with the one of the same entity.
    pub(super) fn merge(&mut self, change: Change) {
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

    /// Adds all that another told.
    pub(super) fn extend(&mut self, other: Self) {
        let (changes, entries) = other.into_parts();
        changes.into_iter().for_each(|change| self.merge(change));
        self.entries.extend(entries);
    }
}

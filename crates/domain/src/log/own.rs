//! What those hear of an event who follow a thing of their own, and no restaurant.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;
use wire::live::events::{EventKind, left_frame};
use wire::{RestaurantId, RootId, Seq};

use crate::schema::events;

/// What the followers of some things hear of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnFrames {
    /// Those whom it concerns.
    pub now: Option<Told>,
    /// Those whom its thing concerned until then.
    pub left: Option<Told>,
}

/// A frame, and to whom it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who follows one of these.
    pub roots: Vec<RootId>,
    /// The bytes.
    pub frame: String,
}

impl OwnFrames {
    /// Of an event that concerns `roots` and is told to their followers by `frame`, and that
    /// concerned `left` until then; `None` where it is told to nobody.
    pub(super) fn new(
        roots: Vec<RootId>,
        frame: Option<String>,
        left: Vec<RootId>,
        left_frame: impl FnOnce() -> Option<String>,
    ) -> Option<Self> {
        let frame = frame.filter(|_| !roots.is_empty());
        let now = frame.map(|frame| Told { roots, frame });
        let left_frame = if left.is_empty() { None } else { left_frame() };
        let left = left_frame.map(|frame| Told { roots: left, frame });
        (now.is_some() || left.is_some()).then_some(Self { now, left })
    }
}

/// As it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = events)]
pub(super) struct OwnColumns {
    own_roots: Option<Vec<RootId>>,
    left_roots: Option<Vec<RootId>>,
    own_frame: Option<String>,
    entity_id: Uuid,
    created_at: DateTime<Utc>,
}

impl OwnColumns {
    pub(super) fn read(
        self,
        restaurant: RestaurantId,
        kind: EventKind,
        seq: Seq,
    ) -> Option<OwnFrames> {
        let left = || left_frame(kind, restaurant, self.entity_id, self.created_at, seq);
        OwnFrames::new(
            self.own_roots.unwrap_or_default(),
            self.own_frame,
            self.left_roots.unwrap_or_default(),
            left,
        )
    }
}

/// Some things, as one value of an array: PostgreSQL's arrays of arrays are rectangles, and each
/// event has as many things as it has.
pub(super) fn as_text(roots: &[RootId]) -> Option<String> {
    if roots.is_empty() {
        return None;
    }
    let ids: Vec<String> = roots.iter().map(ToString::to_string).collect();
    Some(format!("{{{}}}", ids.join(",")))
}

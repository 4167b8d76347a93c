//! The row of a party.

use std::borrow::{Borrow, BorrowMut};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use wire::floor::guests::{Guest, GuestStatus, OwnGuest};
use wire::live::events::{Action, EventKind};
use wire::{ErrorCode, GuestId, ReservationId, RestaurantId, RootId, TableId};

use crate::record::{Record, stored};
use crate::schema::{guests, seatings};
use crate::{Error, Result};

/// A party without its tables, which are in `seatings`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = guests, primary_key(restaurant_id, id), treat_none_as_null = true)]
pub(in crate::floor) struct GuestRow {
    pub(super) restaurant_id: RestaurantId,
    pub(super) id: GuestId,
    pub(super) guest_name: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) party_size: i32,
    pub(super) status: GuestStatus,
    pub(super) wait_position: Option<i32>,
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
    pub(super) notes: Option<String>,
    pub(super) special_requests: Option<String>,
    pub(super) dietary_restrictions: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) quoted_wait_minutes: Option<i32>,
    pub(super) reservation_id: Option<ReservationId>,
    pub(super) total_visits: i32,
    pub(super) check_in_time: DateTime<Utc>,
    pub(super) seated_time: Option<DateTime<Utc>>,
    pub(super) finished_time: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_updated: DateTime<Utc>,
    pub(super) version: i32,
    pub(super) queue_time: Option<DateTime<Utc>>,
    pub(super) quoted_low_minutes: Option<i32>,
    pub(super) quoted_high_minutes: Option<i32>,
    pub(super) over_quote: bool,
    pub(super) notified_at: Option<DateTime<Utc>>,
    pub(super) notified_until: Option<DateTime<Utc>>,
    pub(super) waited_minutes: Option<i32>,
    pub(super) quote_error_minutes: Option<i32>,
    pub(super) due_at: Option<DateTime<Utc>>,
    /// Of the secret with which the party is followed, if it is.
    pub(in crate::floor) secret_hash: Option<Vec<u8>>,
}

stored! {
    GuestRow in guests, "guest" by id: GuestId, at |restaurant, id| (restaurant, id),
    answers { "guests_pkey" => |_| taken() }
}

/// A client chose an id that there is already.
pub(super) fn taken() -> Error {
    let sentence = "There is a party with this id already.";
    Error::refused(ErrorCode::Conflict, sentence)
}

/// A party, and the tables at which it sits, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) row: GuestRow,
    pub(super) tables: Vec<TableId>,
}

impl Borrow<GuestRow> for Party {
    fn borrow(&self) -> &GuestRow {
        &self.row
    }
}

impl BorrowMut<GuestRow> for Party {
    fn borrow_mut(&mut self) -> &mut GuestRow {
        &mut self.row
    }
}

impl Record for Party {
    type Row = GuestRow;
    type Shown = Guest;

    const CREATED: EventKind = EventKind::GuestCreated;
    const UPDATED: EventKind = EventKind::GuestUpdated;
    const DELETED: EventKind = EventKind::GuestDeleted;

    fn shown(self, _now: DateTime<Utc>) -> Result<Guest> {
        Ok(self.row.with_tables(self.tables))
    }

    fn change(&self, before: &Self) -> (EventKind, Action) {
        let action = if self.row.status != before.row.status {
            Action::StatusChanged
        } else if self.tables == before.tables {
            Action::InfoUpdated
        } else if self.tables.is_empty() {
            Action::TableCleared
        } else {
            Action::TableAssigned
        };
        (Self::UPDATED, action)
    }

    fn roots(&self) -> Vec<RootId> {
        if self.row.secret_hash.is_none() {
            return Vec::new();
        }
        // Who follows a booking follows the party that it became.
        let booking = self.row.reservation_id.map(|id| RootId(id.0));
        [RootId(self.row.id.0)].into_iter().chain(booking).collect()
    }

    fn own(shown: &Guest) -> Option<impl Serialize> {
        Some(OwnGuest::from(shown))
    }
}

impl GuestRow {
    /// A party that comes `now`, and of which nothing has been said yet.
    pub(in crate::floor) fn new(
        restaurant_id: RestaurantId,
        id: GuestId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            restaurant_id,
            id,
            guest_name: String::new(),
            first_name: None,
            last_name: None,
            party_size: 0,
            status: GuestStatus::Waiting,
            wait_position: None,
            phone: None,
            email: None,
            notes: None,
            special_requests: None,
            dietary_restrictions: Vec::new(),
            tags: Vec::new(),
            quoted_wait_minutes: None,
            reservation_id: None,
            total_visits: 1,
            check_in_time: now,
            seated_time: None,
            finished_time: None,
            created_at: now,
            last_updated: now,
            version: 1,
            queue_time: None,
            quoted_low_minutes: None,
            quoted_high_minutes: None,
            over_quote: false,
            notified_at: None,
            notified_until: None,
            waited_minutes: None,
            quote_error_minutes: None,
            due_at: None,
            secret_hash: None,
        }
    }

    /// The party at its tables.
    pub(super) const fn at(self, tables: Vec<TableId>) -> Party {
        Party { row: self, tables }
    }

    /// The party, as clients see it.
    pub(in crate::floor) fn with_tables(self, table_ids: Vec<TableId>) -> Guest {
        let quoted_until = self.quoted_until();
        Guest {
            id: self.id,
            restaurant_id: self.restaurant_id,
            guest_name: self.guest_name,
            first_name: self.first_name,
            last_name: self.last_name,
            party_size: self.party_size,
            status: self.status,
            table_id: table_ids.first().copied(),
            table_ids,
            wait_position: self.wait_position,
            phone: self.phone,
            email: self.email,
            notes: self.notes,
            special_requests: self.special_requests,
            dietary_restrictions: self.dietary_restrictions,
            tags: self.tags,
            quoted_wait_minutes: self.quoted_wait_minutes,
            quoted_low_minutes: self.quoted_low_minutes,
            quoted_high_minutes: self.quoted_high_minutes,
            quoted_until,
            over_quote: self.over_quote,
            waited_minutes: self.waited_minutes,
            quote_error_minutes: self.quote_error_minutes,
            notified_at: self.notified_at,
            notified_until: self.notified_until,
            reservation_id: self.reservation_id,
            total_visits: self.total_visits,
            check_in_time: self.check_in_time,
            seated_time: self.seated_time,
            finished_time: self.finished_time,
            created_at: self.created_at,
            last_updated: self.last_updated,
            version: self.version,
        }
    }
}

/// The tables of the party that is being selected, in their order.
pub(super) fn its_tables() -> diesel::dsl::array<diesel::sql_types::Uuid, seated_at> {
    diesel::dsl::array(seated_at())
}

#[diesel::dsl::auto_type]
fn seated_at() -> _ {
    seatings::table
        .filter(seatings::restaurant_id.eq(guests::restaurant_id))
        .filter(seatings::guest_id.eq(guests::id))
        .order(seatings::ordinal)
        .select(seatings::table_id)
}

//! The row of a booking.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::Serialize;
use wire::floor::reservations::{
    OwnReservation, Reservation, ReservationSource, ReservationStatus,
};
use wire::live::events::{Action, EventKind};
use wire::{ErrorCode, GuestId, ReservationId, RestaurantId, RootId, TableId};

use crate::floor::availability::Wish;
use crate::record::{Record, stored};
use crate::schema::reservations;
use crate::{Error, Result};

/// A booking.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = reservations, primary_key(restaurant_id, id), treat_none_as_null = true)]
pub(super) struct ReservationRow {
    pub(super) restaurant_id: RestaurantId,
    pub(super) id: ReservationId,
    pub(super) guest_name: String,
    pub(super) guest_phone: Option<String>,
    pub(super) guest_email: Option<String>,
    pub(super) party_size: i32,
    pub(super) reservation_time: DateTime<Utc>,
    pub(super) duration_minutes: i32,
    pub(super) status: ReservationStatus,
    pub(super) source: ReservationSource,
    pub(super) table_ids: Vec<TableId>,
    pub(super) guest_id: Option<GuestId>,
    pub(super) notes: Option<String>,
    pub(super) special_requests: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_updated: DateTime<Utc>,
    pub(super) version: i32,
    /// Of the secret with which the booking is followed, if it is.
    pub(super) secret_hash: Option<Vec<u8>>,
}

stored! {
    ReservationRow in reservations, "reservation" by id: ReservationId,
    at |restaurant, id| (restaurant, id),
    answers {
        "reservations_pkey" => |_| Error::refused(
            ErrorCode::Conflict,
            "There is a booking with this id already.",
        ),
    }
}

impl Record for ReservationRow {
    type Row = Self;
    type Shown = Reservation;

    const CREATED: EventKind = EventKind::ReservationCreated;
    const UPDATED: EventKind = EventKind::ReservationUpdated;

    fn shown(self, _now: DateTime<Utc>) -> Result<Reservation> {
        Ok(self.into())
    }

    fn change(&self, before: &Self) -> (EventKind, Action) {
        let action = if self.status != before.status {
            if self.status == ReservationStatus::Cancelled {
                return (EventKind::ReservationCancelled, Action::Cancelled);
            }
            Action::StatusChanged
        } else if self.table_ids == before.table_ids {
            Action::InfoUpdated
        } else if self.table_ids.is_empty() {
            Action::TableCleared
        } else {
            Action::TableAssigned
        };
        (Self::UPDATED, action)
    }

    fn roots(&self) -> Vec<RootId> {
        let secret = self.secret_hash.as_ref();
        secret.map(|_| RootId(self.id.0)).into_iter().collect()
    }

    fn own(shown: &Reservation) -> Option<impl Serialize> {
        Some(OwnReservation::from(shown))
    }
}

impl ReservationRow {
    /// For whom and when tables are wanted.
    pub(super) fn wish(&self) -> Wish {
        Wish {
            party_size: self.party_size,
            time: self.reservation_time,
            duration: TimeDelta::minutes(self.duration_minutes.into()),
        }
    }
}

impl From<ReservationRow> for Reservation {
    fn from(row: ReservationRow) -> Self {
        Self {
            id: row.id,
            restaurant_id: row.restaurant_id,
            guest_name: row.guest_name,
            guest_phone: row.guest_phone,
            guest_email: row.guest_email,
            party_size: row.party_size,
            reservation_time: row.reservation_time,
            duration_minutes: row.duration_minutes,
            status: row.status,
            source: row.source,
            table_ids: row.table_ids,
            guest_id: row.guest_id,
            notes: row.notes,
            special_requests: row.special_requests,
            created_at: row.created_at,
            last_updated: row.last_updated,
            version: row.version,
        }
    }
}

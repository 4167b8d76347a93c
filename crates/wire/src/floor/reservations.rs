//! Reservations: parties that are expected.

use chrono::{DateTime, NaiveDate, Utc};
use fields::{create, patch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::patch::Clearable;
use crate::words::words;
use crate::{GuestId, HoldId, ReservationId, RestaurantId, TableId};

words! {
    /// How far a booking has come.
    ReservationStatus {
        /// Asked for, not yet confirmed. Keeps its tables all the same.
        Pending = "pending" | "Pending",
        /// Expected.
        Confirmed = "confirmed" | "Confirmed",
        /// The whole party is at the host stand.
        Arrived = "arrived" | "Arrived",
        /// Some of the party are here.
        PartiallyArrived = "partially_arrived" | "Partially Arrived" | "partiallyArrived",
        /// They said that they will be late.
        RunningLate = "running_late" | "Running Late" | "runningLate",
        /// At a table.
        Seated = "seated" | "Seated",
        /// Left after the meal.
        Completed = "completed" | "Completed" | "Finished",
        /// Called off.
        Cancelled = "cancelled" | "Cancelled",
        /// Never came.
        NoShow = "no_show" | "No Show" | "noShow",
    }
}

impl ReservationStatus {
    /// Whether the booking is over, and keeps no table.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::NoShow)
    }

    /// Whether the party is at the host stand, or part of it.
    #[must_use]
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Arrived | Self::PartiallyArrived)
    }
}

words! {
    /// Where a booking came from.
    ReservationSource {
        /// The guest made it.
        Online = "online" | "Online",
        /// Made at the door.
        WalkIn = "walk_in" | "Walk In" | "walkIn",
        /// By telephone.
        Phone = "phone" | "Phone",
        /// From another system.
        Imported = "imported" | "Imported",
    }
}

/// A booking, as whoever follows it by its link sees it: nothing that staff wrote of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnReservation {
    /// The booking's id.
    pub id: ReservationId,
    /// The restaurant that is booked.
    pub restaurant_id: RestaurantId,
    /// Covers, 1–100.
    pub party_size: i32,
    /// When the party is expected.
    #[serde(serialize_with = "crate::moment::write")]
    pub reservation_time: DateTime<Utc>,
    /// How long its tables are kept, from `reservationTime`.
    pub duration_minutes: i32,
    /// How far it has come.
    pub status: ReservationStatus,
    /// The party that it became at check-in, which its followers hear of too.
    pub guest_id: Option<GuestId>,
    /// How often it was changed.
    pub version: i32,
}

impl From<&Reservation> for OwnReservation {
    fn from(booking: &Reservation) -> Self {
        Self {
            id: booking.id,
            restaurant_id: booking.restaurant_id,
            party_size: booking.party_size,
            reservation_time: booking.reservation_time,
            duration_minutes: booking.duration_minutes,
            status: booking.status,
            guest_id: booking.guest_id,
            version: booking.version,
        }
    }
}

/// A booking, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The booking's id.
    pub id: ReservationId,
    /// The restaurant that is booked.
    pub restaurant_id: RestaurantId,
    /// In whose name.
    #[schema(example = "John Doe")]
    pub guest_name: String,
    /// Telephone number, as it was given.
    pub guest_phone: Option<String>,
    /// E-mail address.
    pub guest_email: Option<String>,
    /// Covers, 1–100.
    #[schema(example = 4)]
    pub party_size: i32,
    /// When the party is expected.
    #[serde(serialize_with = "crate::moment::write")]
    pub reservation_time: DateTime<Utc>,
    /// How long its tables are kept, from `reservationTime`.
    #[schema(example = 90)]
    pub duration_minutes: i32,
    /// How far it has come.
    pub status: ReservationStatus,
    /// Where it came from.
    pub source: ReservationSource,
    /// The table, or joined tables. They stay named when the booking is over.
    pub table_ids: Vec<TableId>,
    /// The party that it became at check-in.
    pub guest_id: Option<GuestId>,
    /// Notes of the staff.
    pub notes: Option<String>,
    /// What the party asked for.
    pub special_requests: Option<String>,
    /// When the record was made.
    #[serde(serialize_with = "crate::moment::write")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(serialize_with = "crate::moment::write")]
    pub last_updated: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A new booking. `guestName`, `partySize` and `reservationTime` are required, unless `holdId`
/// brings the last two.
///
/// Without `tableIds` the house chooses, by the rules of its availability: within its hours and
/// its pacing, the smallest table that fits, joined tables last. Staff who name tables may book
/// outside those rules; a table that is taken is refused all the same.
#[create(UpdateReservation)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(example = json!({"guestName": "John Doe", "partySize": 4, "reservationTime": "2026-12-24T18:00:00Z", "guestPhone": "+1 555 0100"}))]
pub struct CreateReservation {
    /// In whose name.
    #[schema(max_length = 200, required = true, value_type = String)]
    pub guest_name: Option<String>,
    /// Telephone number.
    #[schema(max_length = 40)]
    pub guest_phone: Option<String>,
    /// E-mail address.
    #[schema(max_length = 254)]
    pub guest_email: Option<String>,
    /// Covers.
    #[schema(minimum = 1, maximum = 100)]
    pub party_size: Option<i32>,
    /// When the party is expected; not over yet, and at most two years ahead.
    #[serde(serialize_with = "crate::moment::write")]
    pub reservation_time: Option<DateTime<Utc>>,
    /// By party size from the restaurant's turn times when absent.
    #[schema(minimum = 15, maximum = 1440)]
    pub duration_minutes: Option<i32>,
    /// `confirmed` when absent; or `pending`.
    pub status: Option<ReservationStatus>,
    /// `phone` when absent.
    pub source: Option<ReservationSource>,
    /// The tables; empty for none yet, absent for the house's choice.
    #[schema(max_items = 10)]
    #[most(100)]
    pub table_ids: Option<Vec<TableId>>,
    /// The slot that is kept; the booking gets its time, duration, party size and tables.
    #[apart]
    pub hold_id: Option<HoldId>,
    /// Notes of the staff.
    #[schema(max_length = 2000)]
    pub notes: Option<String>,
    /// What the party asked for.
    #[schema(max_length = 2000)]
    pub special_requests: Option<String>,
    /// A manager's word that the party may sit closer than the tables' capacity says.
    pub allow_over_capacity: bool,
}

/// A change of a booking: the fields that are present. `null` clears.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "running_late"}))]
pub struct UpdateReservation {
    /// In whose name.
    #[schema(max_length = 200)]
    pub guest_name: Option<String>,
    /// Telephone number.
    #[schema(max_length = 40)]
    pub guest_phone: Clearable<String>,
    /// E-mail address.
    #[schema(max_length = 254)]
    pub guest_email: Clearable<String>,
    /// Covers.
    #[schema(minimum = 1, maximum = 100)]
    pub party_size: Option<i32>,
    /// When the party is expected.
    pub reservation_time: Option<DateTime<Utc>>,
    /// How long its tables are kept.
    #[schema(minimum = 15, maximum = 1440)]
    pub duration_minutes: Option<i32>,
    /// How far it has come. `arrived` and `partially_arrived` check the party in, `seated` seats
    /// it, `completed`, `cancelled` and `no_show` end its visit too.
    pub status: Option<ReservationStatus>,
    /// Where it came from.
    pub source: Option<ReservationSource>,
    /// Other tables; empty or `null` takes them away.
    #[schema(max_items = 10)]
    #[most(100)]
    pub table_ids: Clearable<Vec<TableId>>,
    /// Notes of the staff.
    #[schema(max_length = 2000)]
    pub notes: Clearable<String>,
    /// What the party asked for.
    #[schema(max_length = 2000)]
    pub special_requests: Clearable<String>,
    /// A manager's word that the party may sit closer than the tables' capacity says.
    pub allow_over_capacity: bool,
}

/// The party is at the host stand. The body may be left out.
#[create]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CheckIn {
    /// The party, if it was taken down already; without it one is made.
    pub guest_id: Option<GuestId>,
    /// Only some of them are here.
    pub partially: bool,
}

/// Where the party sits down. The body may be left out.
#[create]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SeatReservation {
    /// The tables; those that were booked when absent.
    #[schema(max_items = 10)]
    #[most(100)]
    pub table_ids: Option<Vec<TableId>>,
    /// A manager's word that the party may sit closer than the tables' capacity says.
    pub allow_over_capacity: bool,
}

/// A change of a booking.
// Not read as this: what is flattened would keep all that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReservation {
    /// Which booking.
    pub id: ReservationId,
    /// Only if it still has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<i32>,
    /// The fields that shall change.
    #[serde(flatten)]
    pub change: UpdateReservation,
}

/// Which bookings to list. Order: by `reservationTime`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct ReservationFilter {
    /// Only this service day, in the restaurant's time zone. It begins at the setting
    /// `serviceDayStartMinute`, so that a booking after midnight belongs to the evening before.
    #[serde(deserialize_with = "crate::times::some_date")]
    #[param(example = "2026-12-24")]
    pub date: Option<NaiveDate>,
    /// Only these statuses, separated by commas.
    #[param(example = "confirmed,running_late")]
    pub status: Option<String>,
    /// Only bookings of this table.
    #[serde(alias = "table_id")]
    #[param(value_type = Option<String>, format = Uuid)]
    pub table_id: Option<TableId>,
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
    /// From the `Link` of the page before.
    pub cursor: Option<String>,
}

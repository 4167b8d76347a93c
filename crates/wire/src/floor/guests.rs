//! Guests: parties that are here or waiting.

use chrono::{DateTime, Utc};
use fields::{create, patch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::patch::{Clearable, present};
use crate::words::words;
use crate::{GuestId, ReservationId, RestaurantId, TableId};

words! {
    /// Where a party is in its visit. The other spellings are those of older clients.
    GuestStatus {
        /// On the waiting list.
        Waiting = "waiting" | "Waitlist" | "Waiting" | "Arrived" | "Running Late",
        /// Told that the table is ready.
        Notified = "notified" | "Notified",
        /// At a table.
        Seated = "seated" | "Seated",
        /// Left after the meal.
        Completed = "completed" | "Finished" | "Completed",
        /// Left, or called off, before being seated.
        Cancelled = "cancelled" | "Cancelled",
        /// Never came.
        NoShow = "no_show" | "No Show" | "noShow",
    }
}

impl GuestStatus {
    /// Whether the visit is over.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::NoShow)
    }

    /// Whether the party is on the waiting list.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Waiting | Self::Notified)
    }
}

/// A party, as whoever follows it by its link sees it: nothing that staff wrote of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnGuest {
    /// The party's id.
    pub id: GuestId,
    /// The restaurant it is at.
    pub restaurant_id: RestaurantId,
    /// Covers, 1–100.
    pub party_size: i32,
    /// Where the party is in its visit.
    pub status: GuestStatus,
    /// Place on the waiting list, from 1 without gaps; `null` for who is not on it.
    pub wait_position: Option<i32>,
    /// The wait that the party was told, in minutes from `checkInTime`.
    pub quoted_wait_minutes: Option<i32>,
    /// When the wait that was told is over.
    #[serde(serialize_with = "crate::moment::write")]
    pub quoted_until: Option<DateTime<Utc>>,
    /// Whether the party waits, or waited, longer than it was told.
    pub over_quote: bool,
    /// When the party was last told that its table is ready.
    #[serde(serialize_with = "crate::moment::write")]
    pub notified_at: Option<DateTime<Utc>>,
    /// Until when it is expected.
    #[serde(serialize_with = "crate::moment::write")]
    pub notified_until: Option<DateTime<Utc>>,
    /// The booking from which the party came.
    pub reservation_id: Option<ReservationId>,
    /// When the party came to the host stand.
    #[serde(serialize_with = "crate::moment::write")]
    pub check_in_time: DateTime<Utc>,
    /// When it was seated.
    #[serde(serialize_with = "crate::moment::write")]
    pub seated_time: Option<DateTime<Utc>>,
    /// When the visit was over.
    #[serde(serialize_with = "crate::moment::write")]
    pub finished_time: Option<DateTime<Utc>>,
    /// How often it was changed.
    pub version: i32,
}

impl From<&Guest> for OwnGuest {
    fn from(guest: &Guest) -> Self {
        Self {
            id: guest.id,
            restaurant_id: guest.restaurant_id,
            party_size: guest.party_size,
            status: guest.status,
            wait_position: guest.wait_position,
            quoted_wait_minutes: guest.quoted_wait_minutes,
            quoted_until: guest.quoted_until,
            over_quote: guest.over_quote,
            notified_at: guest.notified_at,
            notified_until: guest.notified_until,
            reservation_id: guest.reservation_id,
            check_in_time: guest.check_in_time,
            seated_time: guest.seated_time,
            finished_time: guest.finished_time,
            version: guest.version,
        }
    }
}

/// A party, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guest {
    /// The party's id.
    pub id: GuestId,
    /// The restaurant it is at.
    pub restaurant_id: RestaurantId,
    /// The name to call.
    #[schema(example = "John Doe")]
    pub guest_name: String,
    /// Given name, if it was taken down apart.
    pub first_name: Option<String>,
    /// Family name, if it was taken down apart.
    pub last_name: Option<String>,
    /// Covers, 1–100.
    #[schema(example = 4)]
    pub party_size: i32,
    /// Where the party is in its visit.
    pub status: GuestStatus,
    /// The first of `tableIds`.
    pub table_id: Option<TableId>,
    /// The table, or joined tables, at which the party sits.
    pub table_ids: Vec<TableId>,
    /// Place on the waiting list, from 1 without gaps; `null` for who is not on it.
    pub wait_position: Option<i32>,
    /// Telephone number, as it was given.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Notes of the staff.
    pub notes: Option<String>,
    /// What the party asked for.
    pub special_requests: Option<String>,
    /// For instance `vegan`, `nut allergy`.
    pub dietary_restrictions: Vec<String>,
    /// For instance `VIP`, `birthday`.
    pub tags: Vec<String>,
    /// The wait that the party was told, in minutes from `checkInTime`; when the host said nothing,
    /// `quotedHighMinutes`.
    pub quoted_wait_minutes: Option<i32>,
    /// The wait that the house quoted when the party was taken down: at least, in minutes.
    pub quoted_low_minutes: Option<i32>,
    /// The same: at most.
    pub quoted_high_minutes: Option<i32>,
    /// When the wait that was told is over: `quotedWaitMinutes` after `checkInTime`, and not less
    /// than five minutes after it.
    #[serde(serialize_with = "crate::moment::write")]
    pub quoted_until: Option<DateTime<Utc>>,
    /// Whether the party waits, or waited, longer than it was told. Set within seconds of
    /// `quotedUntil`, with an event.
    pub over_quote: bool,
    /// How long it waited for its table, in whole minutes; `null` before that, and for who never
    /// waited.
    pub waited_minutes: Option<i32>,
    /// `waitedMinutes` less the wait that it had been told: positive when it was longer.
    pub quote_error_minutes: Option<i32>,
    /// When the party was last told that its table is ready. Stays when it did not come and waits
    /// again.
    #[serde(serialize_with = "crate::moment::write")]
    pub notified_at: Option<DateTime<Utc>>,
    /// Until when it is expected; then comes `notifiedTimeoutStatus` of the restaurant's settings.
    #[serde(serialize_with = "crate::moment::write")]
    pub notified_until: Option<DateTime<Utc>>,
    /// The booking from which the party came.
    pub reservation_id: Option<ReservationId>,
    /// Visits with this telephone number, this one included; 1 without a number.
    pub total_visits: i32,
    /// When the party came to the host stand.
    #[serde(serialize_with = "crate::moment::write")]
    pub check_in_time: DateTime<Utc>,
    /// When it was seated.
    #[serde(serialize_with = "crate::moment::write")]
    pub seated_time: Option<DateTime<Utc>>,
    /// When the visit was over.
    #[serde(serialize_with = "crate::moment::write")]
    pub finished_time: Option<DateTime<Utc>>,
    /// When the record was made.
    #[serde(serialize_with = "crate::moment::write")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(serialize_with = "crate::moment::write")]
    pub last_updated: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// A new party. A name (`guestName`, or `firstName`) and `partySize` are required.
#[create(UpdateGuest)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"guestName": "John Doe", "partySize": 4, "phone": "+1 555 0100"}))]
pub struct CreateGuest {
    /// The name to call; made of first and last name when absent.
    #[schema(max_length = 200)]
    pub guest_name: Option<String>,
    /// Given name.
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    /// Family name.
    #[schema(max_length = 100)]
    pub last_name: Option<String>,
    /// Covers.
    #[serde(deserialize_with = "present")]
    #[schema(minimum = 1, maximum = 100, required = true, value_type = i32)]
    pub party_size: Option<i32>,
    /// `waiting` when absent; `seated` needs a table.
    pub status: Option<GuestStatus>,
    /// Seats the party at once.
    pub table_id: Option<TableId>,
    /// Seats the party at joined tables.
    #[schema(max_items = 10)]
    #[most(100)]
    pub table_ids: Option<Vec<TableId>>,
    /// Telephone number.
    #[schema(max_length = 40)]
    pub phone: Option<String>,
    /// E-mail address.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// Notes of the staff.
    #[schema(max_length = 2000)]
    pub notes: Option<String>,
    /// What the party asked for.
    #[schema(max_length = 2000)]
    pub special_requests: Option<String>,
    /// At most 30 entries of at most 60 characters.
    #[schema(max_items = 30)]
    #[most(30)]
    pub dietary_restrictions: Option<Vec<String>>,
    /// At most 30 entries of at most 60 characters.
    #[schema(max_items = 30)]
    #[most(30)]
    pub tags: Option<Vec<String>>,
    /// What the party is told, in minutes; the high end of the house's own quote when absent.
    #[schema(minimum = 0, maximum = 1440)]
    pub quoted_wait_minutes: Option<i32>,
    /// A manager's word that the party may sit closer than the table's capacity says.
    pub allow_over_capacity: bool,
}

/// A change of a party: the fields that are present. `null` clears.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "seated", "tableId": "f9174969-1ab8-43f0-9a2b-eb1099990b4b"}))]
pub struct UpdateGuest {
    /// The name to call.
    #[schema(max_length = 200)]
    pub guest_name: Option<String>,
    /// Given name.
    #[schema(max_length = 100)]
    pub first_name: Clearable<String>,
    /// Family name.
    #[schema(max_length = 100)]
    pub last_name: Clearable<String>,
    /// Covers.
    #[schema(minimum = 1, maximum = 100)]
    pub party_size: Option<i32>,
    /// Where the party shall be in its visit.
    pub status: Option<GuestStatus>,
    /// Seats or moves the party; `null` takes the table away.
    pub table_id: Clearable<TableId>,
    /// Seats or moves the party to joined tables; empty or `null` takes them away.
    #[schema(max_items = 10)]
    #[most(100)]
    pub table_ids: Clearable<Vec<TableId>>,
    /// Moves a waiting party to this place of the list; the others move up or down. A number
    /// beyond the end means the end.
    #[schema(minimum = 1)]
    pub wait_position: Option<i32>,
    /// Telephone number.
    #[schema(max_length = 40)]
    pub phone: Clearable<String>,
    /// E-mail address.
    #[schema(max_length = 254)]
    pub email: Clearable<String>,
    /// Notes of the staff.
    #[schema(max_length = 2000)]
    pub notes: Clearable<String>,
    /// What the party asked for.
    #[schema(max_length = 2000)]
    pub special_requests: Clearable<String>,
    /// At most 30 entries of at most 60 characters.
    #[schema(max_items = 30)]
    #[most(30)]
    pub dietary_restrictions: Clearable<Vec<String>>,
    /// At most 30 entries of at most 60 characters.
    #[schema(max_items = 30)]
    #[most(30)]
    pub tags: Clearable<Vec<String>>,
    /// What the party is told, in minutes from when it came.
    #[schema(minimum = 0, maximum = 1440)]
    pub quoted_wait_minutes: Clearable<i32>,
    /// A manager's word that the party may sit closer than the table's capacity says.
    pub allow_over_capacity: bool,
}

impl UpdateGuest {
    /// Whether it says where the party is: its status, its tables, its place on the waiting list.
    #[must_use]
    pub const fn is_place_changed(&self) -> bool {
        self.status.is_some()
            || self.table_id.is_some()
            || self.table_ids.is_some()
            || self.wait_position.is_some()
    }

    /// Whether it gives the party another place on the waiting list, and nothing else.
    #[must_use]
    pub fn is_only_moved(&self) -> bool {
        let moved = Self {
            wait_position: self.wait_position,
            ..Self::default()
        };
        self.wait_position.is_some() && *self == moved
    }
}

/// A change of a party.
// Not read as this: what is flattened would keep all that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchGuest {
    /// Which party.
    pub id: GuestId,
    /// Only if it still has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<i32>,
    /// The fields that shall change.
    #[serde(flatten)]
    pub change: UpdateGuest,
}

/// Which guests to list. Without `scope` the current floor: those waiting, notified, seated, and
/// those who finished this service day. Order: as they checked in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct GuestFilter {
    /// Only these statuses, separated by commas.
    #[param(example = "waiting,notified")]
    pub status: Option<String>,
    /// Only the party at this table.
    #[serde(alias = "table_id")]
    #[param(value_type = Option<String>, format = Uuid)]
    pub table_id: Option<TableId>,
    /// Part of a name or telephone number.
    #[param(max_length = 100)]
    pub q: Option<String>,
    /// Only those changed after this moment.
    #[serde(
        alias = "updated_since",
        serialize_with = "crate::moment::write",
        deserialize_with = "crate::times::some_moment"
    )]
    pub updated_since: Option<DateTime<Utc>>,
    /// `floor` (the default) or `all`, which includes the history.
    pub scope: Option<GuestScope>,
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
    /// From the `Link` of the page before.
    pub cursor: Option<String>,
}

words! {
    /// How far back a list of guests reaches.
    GuestScope {
        /// The current floor.
        Floor = "floor",
        /// The history too.
        All = "all",
    }
}

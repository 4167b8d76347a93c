//! A restaurant and its settings.

use chrono::{DateTime, NaiveDate, Utc};
use fields::patch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lists;
use crate::patch::Clearable;
use crate::words::words;
use crate::{RestaurantId, TableId};

/// A restaurant, as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    /// The restaurant's id.
    pub id: RestaurantId,
    /// Its name.
    #[schema(example = "QTable Demo")]
    pub name: String,
    /// Its name in addresses; unique.
    #[schema(example = "qtable-demo")]
    pub slug: String,
    /// IANA time zone, by which its days and hours are counted.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// How it works.
    pub settings: RestaurantSettings,
    /// When the record was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub last_updated: DateTime<Utc>,
    /// Counts the changes; the `ETag`.
    pub version: i32,
}

/// How a restaurant works. Fields that are absent have their default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestaurantSettings {
    /// Whether a table is to be cleaned before the next party.
    #[serde(alias = "needs_cleaning")]
    pub needs_cleaning: bool,
    /// Minutes after midnight at which a new service day begins; late parties belong to the day
    /// before.
    #[serde(alias = "service_day_start_minute")]
    #[schema(minimum = 0, maximum = 1439)]
    pub service_day_start_minute: i32,
    /// When it is open, by weekday; a day may have several. `null`: around the clock.
    #[serde(alias = "opening_hours")]
    pub opening_hours: Option<Vec<OpeningHours>>,
    /// Days that are unlike their weekday.
    #[serde(alias = "hours_exceptions")]
    pub hours_exceptions: Vec<HoursException>,
    /// Times for which no more bookings are offered.
    pub pauses: Vec<Pause>,
    /// How long parties stay, by size, smaller ones first.
    #[serde(alias = "turn_times")]
    pub turn_times: Vec<TurnTime>,
    /// How long parties stay that are larger than all of `turnTimes`, in minutes.
    #[serde(alias = "default_turn_minutes")]
    #[schema(minimum = 15, maximum = 1440)]
    pub default_turn_minutes: i32,
    /// How many may arrive in each quarter of an hour.
    pub pacing: Pacing,
    /// The parts of the room, in their order. Tables may stand in others, too.
    pub sections: Vec<Section>,
    /// Tables that may be joined for a party.
    #[serde(alias = "joinable_groups")]
    pub joinable_groups: Vec<JoinableGroup>,
    /// How long a party that was told of its table is expected, in minutes; `null`: for ever.
    #[serde(alias = "notified_timeout_minutes")]
    #[schema(minimum = 1, maximum = 240)]
    pub notified_timeout_minutes: Option<i32>,
    /// What becomes of it then.
    #[serde(alias = "notified_timeout_status")]
    pub notified_timeout_status: NotifiedTimeout,
    /// How long before a booking its free tables are shown as reserved, in minutes; `null`: never.
    #[serde(alias = "reserve_tables_minutes_before")]
    #[schema(minimum = 1, maximum = 240)]
    pub reserve_tables_minutes_before: Option<i32>,
}

words! {
    /// What becomes of a party that does not come to its table.
    NotifiedTimeout {
        /// It waits on at its place, for the host to decide.
        Waiting = "waiting",
        /// It is taken off the list.
        NoShow = "no_show" | "noShow",
    }
}

impl Default for RestaurantSettings {
    fn default() -> Self {
        Self {
            needs_cleaning: false,
            service_day_start_minute: 0,
            opening_hours: None,
            hours_exceptions: Vec::new(),
            pauses: Vec::new(),
            turn_times: Vec::new(),
            default_turn_minutes: 90,
            pacing: Pacing::default(),
            sections: Vec::new(),
            joinable_groups: Vec::new(),
            notified_timeout_minutes: Some(10),
            // On a busy evening one line too many on the list is a glance; a party that was taken
            // off it by a machine and comes back from the bar is a scene.
            notified_timeout_status: NotifiedTimeout::Waiting,
            reserve_tables_minutes_before: Some(15),
        }
    }
}

impl RestaurantSettings {
    /// How long a party of this size stays, in minutes.
    #[must_use]
    pub fn turn_minutes(&self, party_size: i32) -> i32 {
        self.turn_times
            .iter()
            .find(|turn| party_size <= turn.max_party_size)
            .map_or(self.default_turn_minutes, |turn| turn.minutes)
    }
}

words! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

/// A time of the week in which the house is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", from = "FlatHours")]
#[schema(example = json!({"weekday": "friday", "opensMinute": 1080, "closesMinute": 1560}))]
pub struct OpeningHours {
    /// The day on which it opens.
    pub weekday: Weekday,
    /// When and until when.
    #[serde(flatten)]
    pub hours: Hours,
}

/// Opening hours as they are read: what is flattened would keep all that it does not know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlatHours {
    weekday: Weekday,
    #[serde(alias = "opens_minute")]
    opens_minute: i32,
    #[serde(alias = "closes_minute")]
    closes_minute: i32,
}

impl From<FlatHours> for OpeningHours {
    fn from(flat: FlatHours) -> Self {
        Self {
            weekday: flat.weekday,
            hours: Hours {
                opens_minute: flat.opens_minute,
                closes_minute: flat.closes_minute,
            },
        }
    }
}

/// A time of a day, in minutes of the clock after midnight; more than 1440 is after the next
/// midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hours {
    /// When the first party may come.
    #[serde(alias = "opens_minute")]
    #[schema(minimum = 0, maximum = 1439)]
    pub opens_minute: i32,
    /// When the last one has to have left; later than `opensMinute` by at most a day.
    #[serde(alias = "closes_minute")]
    #[schema(minimum = 1, maximum = 2879)]
    pub closes_minute: i32,
}

/// A day that is unlike its weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"date": "2026-12-24", "hours": [], "reason": "Christmas Eve"}))]
pub struct HoursException {
    /// The day.
    pub date: NaiveDate,
    /// When it is open then; empty when it is closed.
    #[serde(default, deserialize_with = "lists::required::<10, _, _>")]
    pub hours: Vec<Hours>,
    /// For the staff.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: Option<String>,
}

/// "No more tonight": no slot between these moments is offered. What is booked stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// The first moment.
    pub from: DateTime<Utc>,
    /// The moment at which slots are offered again.
    pub until: DateTime<Utc>,
    /// For the staff.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: Option<String>,
}

/// How long parties up to a size stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"maxPartySize": 2, "minutes": 75}))]
pub struct TurnTime {
    /// The largest party of which it is said.
    #[serde(alias = "max_party_size")]
    #[schema(minimum = 1, maximum = 100)]
    pub max_party_size: i32,
    /// How long it stays.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes: i32,
}

/// How many may arrive in each quarter of an hour; absent: any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Pacing {
    /// Covers.
    #[serde(alias = "max_covers")]
    #[schema(minimum = 1, maximum = 10000)]
    pub max_covers: Option<i32>,
    /// Parties.
    #[serde(alias = "max_parties")]
    #[schema(minimum = 1, maximum = 10000)]
    pub max_parties: Option<i32>,
}

/// A part of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// As the tables name it.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Whether its tables are never offered for booking.
    #[serde(default, alias = "walk_in_only")]
    pub walk_in_only: bool,
}

/// Tables that are joined, all of them, for a party that fits at none alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinableGroup {
    /// At least two.
    #[serde(alias = "table_ids", deserialize_with = "lists::required::<100, _, _>")]
    #[schema(min_items = 2, max_items = 10)]
    pub table_ids: Vec<TableId>,
    /// The smallest party for which they are joined; one that fits at none alone when absent.
    #[serde(default, alias = "min_party_size")]
    #[schema(minimum = 1, maximum = 100)]
    pub min_party_size: Option<i32>,
    /// The largest; as many as there are seats when absent.
    #[serde(default, alias = "max_party_size")]
    #[schema(minimum = 1, maximum = 100)]
    pub max_party_size: Option<i32>,
}

/// A change of a restaurant: the fields that are present.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"timeZone": "Europe/Berlin"}))]
pub struct UpdateRestaurant {
    /// Its name.
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    /// Its name in addresses: small letters, digits and dashes.
    #[schema(min_length = 1, max_length = 80)]
    pub slug: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// The settings that shall change.
    pub settings: Option<UpdateSettings>,
}

/// A change of settings: the fields that are present.
#[patch]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateSettings {
    /// Whether a table is to be cleaned before the next party.
    pub needs_cleaning: Option<bool>,
    /// Minutes after midnight at which a new service day begins.
    #[schema(minimum = 0, maximum = 1439)]
    pub service_day_start_minute: Option<i32>,
    /// All opening hours; `null`: around the clock.
    #[most(50)]
    pub opening_hours: Clearable<Vec<OpeningHours>>,
    /// All days that are unlike their weekday.
    #[most(400)]
    pub hours_exceptions: Option<Vec<HoursException>>,
    /// All pauses.
    #[most(100)]
    pub pauses: Option<Vec<Pause>>,
    /// All turn times, smaller parties first.
    #[most(20)]
    pub turn_times: Option<Vec<TurnTime>>,
    /// How long larger parties stay, in minutes.
    #[schema(minimum = 15, maximum = 1440)]
    pub default_turn_minutes: Option<i32>,
    /// How many may arrive in each quarter of an hour.
    pub pacing: Option<Pacing>,
    /// All parts of the room.
    #[most(50)]
    pub sections: Option<Vec<Section>>,
    /// All groups of tables that may be joined.
    #[most(100)]
    pub joinable_groups: Option<Vec<JoinableGroup>>,
    /// Minutes; `null`: for ever.
    #[schema(minimum = 1, maximum = 240)]
    pub notified_timeout_minutes: Clearable<i32>,
    /// What becomes of a party that does not come to its table.
    pub notified_timeout_status: Option<NotifiedTimeout>,
    /// Minutes; `null`: never.
    #[schema(minimum = 1, maximum = 240)]
    pub reserve_tables_minutes_before: Clearable<i32>,
}

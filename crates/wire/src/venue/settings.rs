//! What the house itself has to set: its days, and when it is open.

use chrono::{DateTime, NaiveDate, Utc};
use fields::{patch, settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lists;
use crate::patch::Clearable;
use crate::words::words;

/// When the house is open, and when its days begin.
#[settings]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueSettings {
    /// Minutes after midnight at which a new service day begins; late parties belong to the day
    /// before.
    #[schema(minimum = 0, maximum = 1439)]
    pub service_day_start_minute: i32,
    /// When it is open, by weekday; a day may have several. `null`: around the clock.
    pub opening_hours: Option<Vec<OpeningHours>>,
    /// Days that are unlike their weekday.
    pub hours_exceptions: Vec<HoursException>,
    /// Times for which no more bookings are offered.
    pub pauses: Vec<Pause>,
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

/// A change of when the house is open: the fields that are present.
#[patch(VenueSettings)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateVenueSettings {
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
}

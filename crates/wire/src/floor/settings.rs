//! What the floor has to set: how long parties stay, which tables are joined, what time brings.

use fields::{patch, settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::TableId;
use crate::lists;
use crate::patch::Clearable;
use crate::words::words;

/// How parties are seated and told.
#[settings]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FloorSettings {
    /// Whether a table is to be cleaned before the next party.
    pub needs_cleaning: bool,
    /// How long parties stay, by size, smaller ones first.
    pub turn_times: Vec<TurnTime>,
    /// How long parties stay that are larger than all of `turnTimes`, in minutes.
    #[schema(minimum = 15, maximum = 1440)]
    pub default_turn_minutes: i32,
    /// How many may arrive in each quarter of an hour.
    pub pacing: Pacing,
    /// The parts of the room, in their order. Tables may stand in others, too.
    pub sections: Vec<Section>,
    /// Tables that may be joined for a party.
    pub joinable_groups: Vec<JoinableGroup>,
    /// How long a party that was told of its table is expected, in minutes; `null`: for ever.
    #[schema(minimum = 1, maximum = 240)]
    pub notified_timeout_minutes: Option<i32>,
    /// What becomes of it then.
    pub notified_timeout_status: NotifiedTimeout,
    /// How long before a booking its free tables are shown as reserved, in minutes; `null`: never.
    #[schema(minimum = 1, maximum = 240)]
    pub reserve_tables_minutes_before: Option<i32>,
}

impl Default for FloorSettings {
    fn default() -> Self {
        Self {
            needs_cleaning: false,
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

impl FloorSettings {
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
    /// What becomes of a party that does not come to its table.
    NotifiedTimeout {
        /// It waits on at its place, for the host to decide.
        Waiting = "waiting",
        /// It is taken off the list.
        NoShow = "no_show" | "noShow",
    }
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

/// A change of how parties are seated and told: the fields that are present.
#[patch(FloorSettings)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateFloorSettings {
    /// Whether a table is to be cleaned before the next party.
    pub needs_cleaning: Option<bool>,
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

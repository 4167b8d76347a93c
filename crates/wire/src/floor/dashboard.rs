//! The floor in one page: who is here, which tables, and what can be counted of both.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guests::{Guest, GuestStatus};
use super::reservations::Reservation;
use super::tables::{Table, TableStatus};
use crate::position::{Epoch, Seq};

/// The present floor and its figures, of one moment: the state after event `seq`, from which a
/// client goes on live without a hole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// The current floor, as `GET guests` lists it.
    pub guests: Vec<Guest>,
    /// The active tables.
    pub tables: Vec<Table>,
    /// The bookings of this service day.
    pub reservations: Vec<Reservation>,
    /// What can be counted.
    pub stats: Stats,
    /// How well quoted waits were kept.
    pub quotes: QuoteStats,
    /// When it was read.
    pub last_updated: DateTime<Utc>,
    /// The life of the log that `seq` counts in.
    pub epoch: Epoch,
    /// The last event that is contained.
    pub seq: Seq,
}

/// Figures of the current floor: the parties that are here or waiting, and those whose visit ended
/// this service day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Parties.
    pub total_guests: usize,
    /// Active tables.
    pub total_tables: usize,
    /// Which part of the tables that can be sat at is occupied, 0–1; 0 without such tables.
    #[schema(minimum = 0, maximum = 1, example = 0.75)]
    pub occupancy_rate: f64,
    /// Parties by status; every status is named.
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"waiting": 3, "notified": 1, "seated": 9, "completed": 14, "cancelled": 0, "no_show": 1}))]
    pub guests_by_status: BTreeMap<GuestStatus, usize>,
    /// Active tables by status; every status is named.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub tables_by_status: BTreeMap<TableStatus, usize>,
    /// Guests who have been seated this service day, those who left again included.
    pub covers: i64,
    /// From coming in to being seated, of those who have been; `null` when nobody has.
    pub average_wait_minutes: Option<f64>,
    /// From being seated to leaving, of those who left; `null` when nobody has.
    pub average_turn_minutes: Option<f64>,
}

/// How well quoted waits were kept, over the last seven days: of the parties that had been told a
/// wait and were seated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuoteStats {
    /// How many.
    pub measured: i64,
    /// Seated no later than they had been told (`quotedUntil`), in per cent; `null` of nobody.
    #[schema(minimum = 0, maximum = 100)]
    pub held_percent: Option<f64>,
    /// Seated within the range that the house had quoted, in per cent of those for whom it had;
    /// `null` of nobody.
    #[schema(minimum = 0, maximum = 100)]
    pub in_range_percent: Option<f64>,
    /// The middle one of `quoteErrorMinutes`: positive when waits are longer than told.
    pub median_error_minutes: Option<f64>,
}

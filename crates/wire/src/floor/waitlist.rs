//! The waiting list: how long a party would wait.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// For whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct WaitQuoteQuery {
    /// Covers; required.
    #[serde(alias = "party_size")]
    #[param(minimum = 1, maximum = 100, required = true)]
    pub party_size: Option<i32>,
}

/// How long a party that comes now would wait for a table.
///
/// Four in five parties should be seated before `highMinutes`, one in five before `lowMinutes`.
/// Both are multiples of five, and `null` when no table could ever take the party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"partySize": 4, "lowMinutes": 15, "highMinutes": 30, "partiesAhead": 2,
    "basis": {"seatings": 46, "since": "2026-09-26T18:00:00Z", "minPartySize": 3,
    "maxPartySize": 4, "priorWeight": 10, "turnMinutes": 82, "tablesThatFit": 7, "freeNow": 0,
    "nextFreeMinutes": 10}}))]
pub struct WaitQuote {
    /// Covers.
    pub party_size: i32,
    /// At least, in minutes.
    pub low_minutes: Option<i32>,
    /// At most, in minutes; never more than four hours.
    pub high_minutes: Option<i32>,
    /// Parties on the waiting list that could take the same tables.
    pub parties_ahead: usize,
    /// From what it was worked out.
    pub basis: QuoteBasis,
}

/// From what a wait was worked out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuoteBasis {
    /// How many of this restaurant's own finished seatings of parties of about this size told how
    /// long they stay.
    pub seatings: usize,
    /// From when on they were looked at; the latest ones count.
    pub since: DateTime<Utc>,
    /// About this size: from.
    pub min_party_size: i32,
    /// About this size: to.
    pub max_party_size: i32,
    /// How many seatings the turn time of the restaurant's settings counts for.
    pub prior_weight: usize,
    /// How long half of these parties have left after, settings and own seatings together.
    pub turn_minutes: i32,
    /// Tables, and groups of tables that may be joined, that could take the party.
    pub tables_that_fit: usize,
    /// How many of these are free, and long enough before a booking.
    pub free_now: usize,
    /// In how many minutes the first of these is probably free, not counting who waits already.
    pub next_free_minutes: Option<i32>,
    /// What makes the wait longer beside tables; absent where nothing does. Both ends of the range
    /// contain it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delays: Vec<QuoteDelay>,
}

/// Something that makes every wait longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuoteDelay {
    /// Which room says so.
    #[schema(example = "kitchen")]
    pub room: String,
    /// By how many minutes.
    #[schema(minimum = 1, maximum = 120)]
    pub minutes: i32,
    /// From what it was worked out, for staff to read.
    #[schema(example = "14 orders are open; the usual is 6.")]
    pub basis: String,
}

//! What makes waits longer beside tables: a kitchen that is behind, a bar that is short of hands.
//!
//! A room that knows of such a thing says so in `rooms.rs`; the waiting list knows none of them. Each
//! figure costs a quote one reading of the database more, and a transaction in which several parties
//! come reads it once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use wire::RestaurantId;
use wire::floor::waitlist::QuoteDelay;

use crate::Result;
use crate::rooms::DELAYS;

/// The longest delay that a room may add, in minutes.
const LONGEST: i32 = 120;

/// A figure of another room.
#[async_trait]
pub(crate) trait Delays: Sync {
    /// By how many minutes parties that come now wait longer, and because of what; `None` where
    /// they do not.
    ///
    /// # Errors
    /// When the database is away.
    async fn delay(
        &self,
        conn: &mut AsyncPgConnection,
        restaurant: RestaurantId,
        now: DateTime<Utc>,
    ) -> Result<Option<QuoteDelay>>;
}

/// What all rooms say.
///
/// # Errors
/// When the database is away.
pub(super) async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    now: DateTime<Utc>,
) -> Result<Vec<QuoteDelay>> {
    let mut delays = Vec::new();
    for room in DELAYS {
        if let Some(mut delay) = room.delay(conn, restaurant, now).await?
            && delay.minutes > 0
        {
            delay.minutes = delay.minutes.min(LONGEST);
            delays.push(delay);
        }
    }
    Ok(delays)
}

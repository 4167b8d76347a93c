//! Reading the log: heads, and what came after a position.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::live::events::EventKind;
use wire::{Epoch, Position, RestaurantId, Seq};

use super::own::{OwnColumns, OwnFrames};
use crate::schema::{events, log_heads};
use crate::{Error, Result};

diesel::define_sql_function! {
    /// The greater of two numbers.
    fn greatest(one: diesel::sql_types::BigInt, other: diesel::sql_types::BigInt)
        -> diesel::sql_types::BigInt;
}

/// Where a restaurant's log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = log_heads)]
pub struct Head {
    /// The life of the log.
    pub epoch: Epoch,
    /// The last event.
    pub last_seq: Seq,
    /// Events up to this one are gone.
    pub pruned_seq: Seq,
}

impl Head {
    /// The position after the last event.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.last_seq,
        }
    }
}

/// An event, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its number.
    pub seq: Seq,
    /// What happened.
    pub kind: EventKind,
    /// The bytes for staff.
    pub frame: String,
    /// The bytes for everybody.
    pub public_frame: Option<String>,
    /// The bytes for those who follow things by themselves.
    pub own: Option<OwnFrames>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
struct EventRow {
    seq: Seq,
    kind: EventKind,
    frame: String,
    public_frame: Option<String>,
    #[diesel(embed)]
    own: OwnColumns,
}

impl EventRow {
    fn of(self, restaurant: RestaurantId) -> LoggedEvent {
        LoggedEvent {
            own: self.own.read(restaurant, self.kind, self.seq),
            seq: self.seq,
            kind: self.kind,
            frame: self.frame,
            public_frame: self.public_frame,
        }
    }
}

/// A part of the log, and its head at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Where the log stands.
    pub head: Head,
    /// Events with consecutive numbers.
    pub events: Vec<LoggedEvent>,
}

/// The heads of several logs. Restaurants that are not there are left out.
///
/// # Errors
/// When the database is away.
pub async fn heads(
    conn: &mut AsyncPgConnection,
    restaurants: &[RestaurantId],
) -> Result<Vec<(RestaurantId, Head)>> {
    Ok(log_heads::table
        .filter(log_heads::restaurant_id.eq_any(restaurants))
        .select((log_heads::restaurant_id, Head::as_select()))
        .load(conn)
        .await?)
}

/// The head of one log.
///
/// # Errors
/// [`Error::NotFound`] when there is no such restaurant.
pub async fn head(conn: &mut AsyncPgConnection, restaurant: RestaurantId) -> Result<Head> {
    log_heads::table
        .find(restaurant)
        .select(Head::as_select())
        .first(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))
}

/// The head, locked until the end of the transaction: nobody else appends to this log before that.
/// The last lock of a transaction, like the append's own.
///
/// # Errors
/// [`Error::NotFound`] when there is no such restaurant.
pub(crate) async fn lock_head(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
) -> Result<Head> {
    log_heads::table
        .find(restaurant)
        .select(Head::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))
}

/// At most `limit` events (1 or more) after `after`, in one statement with the head. When `after`
/// lies before the head's `pruned_seq`, the first events are gone and the caller must not pretend
/// otherwise; but none is missing between those that are left and the head.
///
/// # Errors
/// [`Error::NotFound`] when there is no such restaurant; [`Error::Internal`] when the log has a
/// gap, which cannot be.
pub async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    after: Seq,
    limit: i64,
) -> Result<LogPage> {
    // Numbers have no gap, so the last one is known. Without it, everything until the end of the
    // log would be read and sorted for each page.
    let last = greatest(log_heads::pruned_seq + limit, after.saturating_add(limit));
    let rows = log_heads::table
        .left_join(
            events::table.on(events::restaurant_id
                .eq(log_heads::restaurant_id)
                .and(events::seq.gt(after))
                .and(events::seq.le(last))),
        )
        .filter(log_heads::restaurant_id.eq(restaurant))
        .order(events::seq.asc())
        .limit(limit)
        .select((Head::as_select(), Option::<EventRow>::as_select()))
        .load::<(Head, Option<EventRow>)>(conn)
        .await?;
    page(restaurant, rows, |_| after, limit)
}

/// The last `count` events.
///
/// # Errors
/// As [`read`].
pub async fn tail(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    count: i64,
) -> Result<LogPage> {
    let rows = log_heads::table
        .left_join(
            events::table.on(events::restaurant_id
                .eq(log_heads::restaurant_id)
                .and(events::seq.gt(log_heads::last_seq - count))),
        )
        .filter(log_heads::restaurant_id.eq(restaurant))
        .order(events::seq.asc())
        .select((Head::as_select(), Option::<EventRow>::as_select()))
        .load::<(Head, Option<EventRow>)>(conn)
        .await?;
    page(restaurant, rows, |head| head.last_seq - count, count)
}

/// What was read, if it is all there was to read: up to `limit` events, beginning after `after` or
/// what was pruned.
fn page(
    restaurant: RestaurantId,
    rows: Vec<(Head, Option<EventRow>)>,
    after: impl FnOnce(Head) -> Seq,
    limit: i64,
) -> Result<LogPage> {
    let head = rows
        .as_slice()
        .first()
        .map(|(head, _)| *head)
        .ok_or(Error::NotFound("restaurant"))?;
    let events = rows.into_iter().filter_map(|(_, event)| event);
    let events: Vec<LoggedEvent> = events.map(|event| event.of(restaurant)).collect();
    let after = after(head).max(head.pruned_seq);
    let end = head.last_seq.min(after.saturating_add(limit));
    // A client may say that it has seen the last number that there is.
    let first = after.saturating_add(1);
    if events.iter().map(|event| event.seq).eq(first..=end) {
        return Ok(LogPage { head, events });
    }
    Err(Error::Internal(format!(
        "the log has a gap between {first} and {end}: only {} events are there",
        events.len()
    )))
}

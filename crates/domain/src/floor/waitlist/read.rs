//! What a wait depends on, from the database.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Deserialize;
use wire::floor::waitlist::{WaitQuote, WaitQuoteQuery};
use wire::rooms::RestaurantSettings;
use wire::{GuestId, RestaurantId};

use super::delays;
use super::model::{Claim, Floor, FloorTable, LOOK_BACK, Quotes, Sitting, Turn};
use crate::checks::Checks;
use crate::db::Tx;
use crate::floor::guests;
use crate::{Error, Result};

/// How long a party would wait, as somebody asks.
///
/// # Errors
/// [`Error::Invalid`], [`Error::NotFound`].
pub async fn ask(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    query: &WaitQuoteQuery,
    now: DateTime<Utc>,
) -> Result<WaitQuote> {
    let mut checks = Checks::new();
    if query.party_size.is_none() {
        checks.fault("partySize", "is required");
    }
    checks.number("partySize", query.party_size, 1..=100);
    checks.finish()?;
    let floor = Read::new(restaurant, now).floor(conn).await?;
    let mut quotes = Quotes::new(floor.into(), now);
    quotes.add(delays::read(conn, restaurant, now).await?);
    Ok(quotes.quote(query.party_size.unwrap_or(1)))
}

/// How long parties would wait that come now, in this transaction. One statement, and one for each
/// room that has a figure of its own: all of the floor is of one moment, and a party that is taken
/// down costs one round trip more; the next costs none, unless something else was done in between.
///
/// # Errors
/// [`Error::NotFound`].
pub(in crate::floor) async fn quotes(tx: &mut Tx<'_>) -> Result<Quotes> {
    if let Some(quotes) = tx.seen.take() {
        return Ok(quotes);
    }
    let statement = Read::new(tx.restaurant_id(), tx.now);
    let mut found = statement.floor(tx.conn).await?;
    guests::sort_as_in_line(tx, &mut found.queue);
    let mut quotes = Quotes::new(found.into(), tx.now);
    quotes.add(delays::read(tx.conn, tx.restaurant_id(), tx.now).await?);
    Ok(quotes)
}

/// Keeps quotes until something else is done: the parties that joined have been told of.
pub(in crate::floor) fn keep(tx: &mut Tx<'_>, quotes: Quotes) {
    tx.seen.put(quotes);
}

/// A [`Floor`], as it is read.
#[derive(Deserialize)]
struct Found {
    settings: RestaurantSettings,
    tables: Vec<FloorTable>,
    sittings: Vec<Sitting>,
    queue: Vec<(GuestId, i32)>,
    claims: Vec<Claim>,
    turns: Vec<Turn>,
}

impl From<Found> for Floor {
    fn from(found: Found) -> Self {
        Self {
            settings: found.settings,
            tables: found.tables,
            sittings: found.sittings,
            queue: found.queue.into_iter().map(|(_, size)| size).collect(),
            claims: found.claims,
            turns: found.turns,
        }
    }
}

/// Reads a [`Floor`] as JSON. Each list is small: what stands in the room, who is there, and the
/// latest three hundred who left.
#[derive(QueryId)]
struct Read {
    restaurant: RestaurantId,
    now: DateTime<Utc>,
    soon: DateTime<Utc>,
    since: DateTime<Utc>,
}

impl Read {
    fn new(restaurant: RestaurantId, now: DateTime<Utc>) -> Self {
        Self {
            restaurant,
            now,
            soon: now + TimeDelta::hours(8),
            since: now - LOOK_BACK,
        }
    }

    async fn floor(self, conn: &mut AsyncPgConnection) -> Result<Found> {
        let floor = self
            .get_result::<String>(conn)
            .await
            .optional()?
            .ok_or(Error::NotFound("restaurant"))?;
        Ok(serde_json::from_str(&floor)?)
    }
}

impl QueryFragment<Pg> for Read {
    // Whether a party that waits has a booking is asked before its claims are: as one condition it
    // would be a join, and parties without a booking would be compared with every claim there is.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT json_build_object('settings', r.settings, \
             'tables', (SELECT coalesce(json_agg(json_build_object('id', t.id, \
             'number', t.table_number, 'capacity', t.capacity, \
             'min_party_size', t.min_party_size, 'status', t.status)), '[]') \
             FROM tables t WHERE t.restaurant_id = r.id AND t.is_active \
             AND t.status <> 'out_of_service'), \
             'sittings', (SELECT coalesce(json_agg(json_build_object('party_size', party_size, \
             'since', since, 'tables', tables) ORDER BY since, id), '[]') FROM (SELECT g.id, \
             g.party_size, coalesce(g.seated_time, ",
        );
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(
            ") AS since, array_agg(s.table_id) AS tables FROM seatings s JOIN guests g \
             ON g.restaurant_id = s.restaurant_id AND g.id = s.guest_id \
             WHERE s.restaurant_id = r.id GROUP BY g.restaurant_id, g.id) AS sitting), \
             'queue', (SELECT coalesce(json_agg(json_build_array(g.id, g.party_size) \
             ORDER BY g.wait_position, \
             g.check_in_time, g.id), '[]') FROM guests g WHERE g.restaurant_id = r.id \
             AND g.finished_time IS NULL AND g.wait_position IS NOT NULL \
             AND (g.reservation_id IS NULL OR NOT EXISTS (SELECT FROM reservation_tables c \
             WHERE c.restaurant_id = r.id AND c.reservation_id = g.reservation_id))), \
             'claims', (SELECT coalesce(json_agg(json_build_object('table', c.table_id, \
             'from', lower(c.period), 'until', upper(c.period))), '[]') \
             FROM reservation_tables c \
             LEFT JOIN reservations b ON b.restaurant_id = r.id AND b.id = c.reservation_id \
             LEFT JOIN holds h ON h.restaurant_id = r.id AND h.id = c.hold_id \
             WHERE c.restaurant_id = r.id AND c.period && tstzrange(",
        );
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(", ");
        out.push_bind_param::<Timestamptz, _>(&self.soon)?;
        out.push_sql(") AND (b.status <> 'seated' OR h.expires_at > ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(
            ")), 'turns', (SELECT coalesce(json_agg(json_build_array(party_size, minutes)), '[]') \
             FROM (SELECT party_size, \
             (extract(epoch FROM finished_time - seated_time) / 60)::int AS minutes \
             FROM guests g WHERE g.restaurant_id = r.id AND g.finished_time > ",
        );
        out.push_bind_param::<Timestamptz, _>(&self.since)?;
        out.push_sql(
            " AND g.status = 'completed' AND g.seated_time IS NOT NULL \
             ORDER BY g.finished_time DESC LIMIT 300) AS turn))::text \
             FROM restaurants r WHERE r.id = ",
        );
        out.push_bind_param::<SqlUuid, _>(&self.restaurant)?;
        Ok(())
    }
}

impl Query for Read {
    type SqlType = Text;
}

//! Who is here: each worker tells which devices follow which restaurants at it, and reads what the
//! others tell.
//!
//! A worker's rows are good for as long as it shows signs of life (`LEASE`). So nobody has to
//! clean up after one that was killed, and there is no leader and no bus: what a worker says
//! replaces what it said before, and what it reads is judged by the database's clock alone, since
//! workers' clocks differ.
//!
//! The statements run about once a second on each worker, so they are plain SQL.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::Role;
use wire::live::presence::{Presence, PresentDevice, PresentUser};
use wire::{RestaurantId, SessionId, UserId};

use crate::Result;
use crate::clock::new_id;
use crate::schema::presence_workers;

/// How long a worker is believed to live without a sign of it, as PostgreSQL writes it.
const LEASE: &str = "interval '6 seconds'";

/// A worker's place among the others: under which id it tells, and how often it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    id: Uuid,
    revision: i64,
}

/// A device at a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// What it follows.
    pub restaurant_id: RestaurantId,
    /// The device.
    pub session_id: SessionId,
}

/// What became different at a worker since it last told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Devices that came, or that have another number of connections now.
    pub here: Vec<(Place, i32)>,
    /// Devices that went.
    pub gone: Vec<Place>,
}

/// Tells that a worker lives and what changed there. Must run in a transaction. Without a tenure
/// it begins one.
///
/// `None` means that what it told before is lost: the database was rewound, or the others believed
/// it to be dead. It has to tell everything anew, without a tenure.
///
/// # Errors
/// When the database is away.
pub async fn tell(
    conn: &mut AsyncPgConnection,
    tenure: Option<Tenure>,
    change: &Change,
) -> Result<Option<Tenure>> {
    let tenure = match tenure {
        Some(tenure) => match renew(conn, tenure).await? {
            Some(renewed) => renewed,
            None => return Ok(None),
        },
        None => begin(conn).await?,
    };
    if !change.gone.is_empty() {
        let (restaurants, sessions) = columns(change.gone.iter());
        sql_query(
            "DELETE FROM presence p USING unnest($2, $3) AS gone (restaurant_id, session_id) \
             WHERE p.worker_id = $1 AND p.restaurant_id = gone.restaurant_id \
             AND p.session_id = gone.session_id",
        )
        .bind::<SqlUuid, _>(tenure.id)
        .bind::<Array<SqlUuid>, _>(restaurants)
        .bind::<Array<SqlUuid>, _>(sessions)
        .execute(conn)
        .await?;
    }
    if !change.here.is_empty() {
        let (restaurants, sessions) = columns(change.here.iter().map(|(place, _)| place));
        let connections: Vec<i32> = change.here.iter().map(|(_, count)| *count).collect();
        sql_query(
            "INSERT INTO presence (worker_id, restaurant_id, session_id, connections, since) \
             SELECT $1, here.*, now() FROM unnest($2, $3, $4) AS here \
             ON CONFLICT (restaurant_id, worker_id, session_id) \
             DO UPDATE SET connections = excluded.connections",
        )
        .bind::<SqlUuid, _>(tenure.id)
        .bind::<Array<SqlUuid>, _>(restaurants)
        .bind::<Array<SqlUuid>, _>(sessions)
        .bind::<Array<Integer>, _>(connections)
        .execute(conn)
        .await?;
    }
    Ok(Some(tenure))
}

fn columns<'p>(places: impl Iterator<Item = &'p Place>) -> (Vec<RestaurantId>, Vec<SessionId>) {
    places
        .map(|place| (place.restaurant_id, place.session_id))
        .unzip()
}

async fn begin(conn: &mut AsyncPgConnection) -> Result<Tenure> {
    let tenure = Tenure {
        id: new_id(),
        revision: 0,
    };
    diesel::insert_into(presence_workers::table)
        .values((
            presence_workers::id.eq(tenure.id),
            presence_workers::revision.eq(tenure.revision),
            presence_workers::seen_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(tenure)
}

async fn renew(conn: &mut AsyncPgConnection, tenure: Tenure) -> Result<Option<Tenure>> {
    let renewed = Tenure {
        revision: tenure.revision + 1,
        ..tenure
    };
    let mine = presence_workers::table
        .find(tenure.id)
        .filter(presence_workers::revision.eq(tenure.revision));
    let found = diesel::update(mine)
        .set((
            presence_workers::revision.eq(renewed.revision),
            presence_workers::seen_at.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok((found > 0).then_some(renewed))
}

/// Takes back everything that a worker told: it goes away. Must run in a transaction.
///
/// # Errors
/// When the database is away.
pub async fn leave(conn: &mut AsyncPgConnection, tenure: Tenure) -> Result<()> {
    diesel::delete(presence_workers::table.find(tenure.id))
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes workers that are believed to be dead, and what they told. Nobody counts them any more;
/// this is only for the space. Must run in a transaction.
///
/// # Errors
/// When the database is away.
pub async fn sweep(conn: &mut AsyncPgConnection) -> Result<usize> {
    Ok(sql_query(format!(
        "DELETE FROM presence_workers WHERE id IN (SELECT id FROM presence_workers \
         WHERE seen_at < now() - {LEASE} FOR UPDATE SKIP LOCKED)"
    ))
    .execute(conn)
    .await?)
}

#[derive(QueryableByName)]
struct DigestRow {
    #[diesel(sql_type = SqlUuid)]
    restaurant_id: RestaurantId,
    #[diesel(sql_type = BigInt)]
    digest: i64,
}

/// A number for each of these restaurants that is another one when other devices are there, or the
/// same ones at other workers; none for those where nobody is.
///
/// # Errors
/// When the database is away.
pub async fn digests(
    conn: &mut AsyncPgConnection,
    restaurants: &[RestaurantId],
) -> Result<Vec<(RestaurantId, i64)>> {
    let rows: Vec<DigestRow> = sql_query(format!(
        "SELECT p.restaurant_id, \
         bit_xor(uuid_hash_extended(p.session_id, uuid_hash_extended(p.worker_id, 0))) AS digest \
         FROM presence p JOIN presence_workers w ON w.id = p.worker_id \
         WHERE p.restaurant_id = ANY ($1) AND w.seen_at > now() - {LEASE} \
         GROUP BY p.restaurant_id"
    ))
    .bind::<Array<SqlUuid>, _>(restaurants)
    .load(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.restaurant_id, row.digest))
        .collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    session_id: SessionId,
    #[diesel(sql_type = BigInt)]
    connections: i64,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    device_name: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    role: Role,
    #[diesel(sql_type = BigInt)]
    users: i64,
    #[diesel(sql_type = BigInt)]
    devices: i64,
}

/// Who is in a restaurant, at most `limit` devices of them.
///
/// # Errors
/// When the database is away.
pub async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    limit: i64,
) -> Result<Presence> {
    let rows: Vec<Row> = sql_query(format!(
        "WITH here AS (SELECT p.session_id, sum(p.connections) AS connections, \
             min(p.since) AS since \
             FROM presence p JOIN presence_workers w ON w.id = p.worker_id \
             WHERE p.restaurant_id = $1 AND w.seen_at > now() - {LEASE} GROUP BY p.session_id), \
         people AS (SELECT here.*, d.device_name, d.user_id, \
             trim(u.first_name || ' ' || u.last_name) AS name, \
             CASE WHEN u.is_admin THEN 'admin' ELSE m.role END AS role \
             FROM here JOIN device_sessions d ON d.id = here.session_id \
             JOIN users u ON u.id = d.user_id \
             LEFT JOIN memberships m ON m.restaurant_id = $1 AND m.user_id = u.id AND m.is_active \
             WHERE d.revoked_at IS NULL AND (u.is_admin OR m.role IS NOT NULL)) \
         SELECT people.*, (SELECT count(DISTINCT user_id) FROM people) AS users, \
         (SELECT count(*) FROM people) AS devices \
         FROM people ORDER BY since, session_id LIMIT $2"
    ))
    .bind::<SqlUuid, _>(restaurant)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(present(rows))
}

fn present(rows: Vec<Row>) -> Presence {
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut presence = Presence::default();
    for row in rows {
        presence.user_count = count(row.users);
        presence.device_count = count(row.devices);
        if !presence.users.iter().any(|user| user.id == row.user_id) {
            presence.users.push(PresentUser {
                id: row.user_id,
                name: row.name,
                role: row.role,
                since: row.since,
            });
        }
        presence.devices.push(PresentDevice {
            id: row.session_id,
            user_id: row.user_id,
            device_name: row.device_name,
            since: row.since,
            connections: count(row.connections),
        });
    }
    presence
}

//! Tickets for sockets and streams, for clients that cannot send a header.
//!
//! A ticket stands for the access token with which it was bought: what it opens ends when that
//! token would have ended, and who it is for is looked up again ([`super::sessions::standings`]).
//! It travels in an address, and addresses are written into logs. So for a socket it is good once
//! and for half a minute. A browser's stream of server-sent events comes back by itself with the
//! same address whenever it is cut, and could not buy another; for a stream, therefore, a ticket
//! is good until the token's end, unless a socket has taken it away.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::SessionId;

use crate::Result;
use crate::schema::socket_tickets;
use crate::secrets;

/// How long a ticket opens a socket.
pub const LIFETIME: TimeDelta = TimeDelta::seconds(30);

/// What a ticket was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = socket_tickets)]
pub struct Redeemed {
    /// The device that bought it. Whether it is still logged in has to be asked for.
    pub session_id: SessionId,
    /// When what it opens has to end.
    pub credential_expires_at: DateTime<Utc>,
}

/// A new ticket for a device whose access token expires at `credential_expires_at`.
///
/// # Errors
/// When the database is away.
pub async fn issue(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    session_id: SessionId,
    credential_expires_at: DateTime<Utc>,
) -> Result<String> {
    let secret: [u8; 32] = secrets::random();
    diesel::insert_into(socket_tickets::table)
        .values((
            socket_tickets::hash.eq(secrets::hash(&[&secret]).as_slice()),
            socket_tickets::session_id.eq(session_id),
            socket_tickets::credential_expires_at.eq(credential_expires_at),
            socket_tickets::expires_at.eq(now + LIFETIME),
        ))
        .execute(conn)
        .await?;
    Ok(URL_SAFE_NO_PAD.encode(secret))
}

/// Opens a socket with a ticket, once. `None` for one that was used, has expired or never was.
///
/// # Errors
/// When the database is away.
pub async fn redeem(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    ticket: &str,
) -> Result<Option<Redeemed>> {
    let Some(hash) = hash_of(ticket) else {
        return Ok(None);
    };
    Ok(diesel::delete(
        socket_tickets::table
            .filter(socket_tickets::hash.eq(hash.as_slice()))
            .filter(socket_tickets::expires_at.gt(now))
            .filter(socket_tickets::credential_expires_at.gt(now)),
    )
    .returning(Redeemed::as_returning())
    .get_result(conn)
    .await
    .optional()?)
}

/// Opens a stream of server-sent events with a ticket, and leaves it for the next time. `None` for
/// one that a socket took, whose access token has expired, or that never was.
///
/// # Errors
/// When the database is away.
pub async fn present(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    ticket: &str,
) -> Result<Option<Redeemed>> {
    let Some(hash) = hash_of(ticket) else {
        return Ok(None);
    };
    Ok(socket_tickets::table
        .filter(socket_tickets::hash.eq(hash.as_slice()))
        .filter(socket_tickets::credential_expires_at.gt(now))
        .select(Redeemed::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Removes at most `batch` tickets that open nothing any more. Must run in a transaction. Returns
/// how many went.
///
/// # Errors
/// When the database is away.
pub async fn sweep_expired(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<usize> {
    let expired = socket_tickets::table
        .filter(socket_tickets::credential_expires_at.le(now))
        .order(socket_tickets::credential_expires_at)
        .select(socket_tickets::hash)
        .limit(batch)
        .for_update()
        .skip_locked()
        .load::<Vec<u8>>(conn)
        .await?;
    if expired.is_empty() {
        return Ok(0);
    }
    Ok(
        diesel::delete(socket_tickets::table.filter(socket_tickets::hash.eq_any(expired)))
            .execute(conn)
            .await?,
    )
}

fn hash_of(ticket: &str) -> Option<[u8; 32]> {
    let secret = URL_SAFE_NO_PAD.decode(ticket).ok()?;
    (secret.len() == 32).then(|| secrets::hash(&[&secret]))
}

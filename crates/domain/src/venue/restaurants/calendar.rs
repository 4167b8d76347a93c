//! How a restaurant works and by which clock, read at most once in a transaction.

use std::sync::Arc;

use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::RestaurantId;
use wire::rooms::RestaurantSettings;

use crate::db::Tx;
use crate::schema::restaurants;
use crate::{Error, Result};

/// By which zone's clock a restaurant's days are counted, and how it works.
#[derive(Clone)]
pub(crate) struct Calendar {
    pub(crate) zone: Tz,
    pub(crate) settings: RestaurantSettings,
}

/// The same as it is stored. Many take the restaurant's lock, with which it comes, and few need it.
#[derive(Clone)]
pub(super) struct Unread {
    zone: String,
    settings: serde_json::Value,
}

/// The columns of [`Unread`].
pub(super) const COLUMNS: (restaurants::time_zone, restaurants::settings) =
    (restaurants::time_zone, restaurants::settings);

impl From<(String, serde_json::Value)> for Unread {
    fn from((zone, settings): (String, serde_json::Value)) -> Self {
        Self { zone, settings }
    }
}

impl Unread {
    pub(super) fn read(self) -> Result<Calendar> {
        Ok(Calendar {
            zone: self.zone.parse().unwrap_or(Tz::UTC),
            settings: serde_json::from_value(self.settings)?,
        })
    }
}

/// The time zone by which a restaurant's days are counted, and how it works.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn calendar(conn: &mut AsyncPgConnection, id: RestaurantId) -> Result<Calendar> {
    unread(conn, id).await?.read()
}

async fn unread(conn: &mut AsyncPgConnection, id: RestaurantId) -> Result<Unread> {
    let columns: (String, serde_json::Value) = restaurants::table
        .find(id)
        .select(COLUMNS)
        .first(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("restaurant"))?;
    Ok(columns.into())
}

/// The calendar of the restaurant that is written, read once per transaction: by itself, or with
/// the restaurant's lock.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn calendar_in(tx: &mut Tx<'_>) -> Result<Arc<Calendar>> {
    if let Some(calendar) = tx.kept.get() {
        return Ok(calendar);
    }
    let unread = match tx.kept.take::<Unread>() {
        Some(unread) => unread,
        None => unread(tx.conn, tx.restaurant_id()).await?,
    };
    Ok(tx.kept.put(unread.read()?))
}

/// Keeps what was read with the lock. What was read before it may have changed until then.
pub(super) fn keep(tx: &mut Tx<'_>, unread: Unread) {
    tx.kept.forget::<Calendar>();
    tx.kept.put(unread);
}

/// To be called when the transaction changes it.
pub(super) fn forget(tx: &mut Tx<'_>) {
    tx.kept.forget::<Calendar>();
    tx.kept.forget::<Unread>();
}

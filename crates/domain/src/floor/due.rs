//! What time brings to the floor: parties that were told of their table and did not come, parties
//! that wait longer than they were told, tables that a booking will need soon.
//!
//! A restaurant is claimed by its row, which nobody else then changes the waiting list of and which
//! is the first in the order of locks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::floor::guests::GuestStatus;
use wire::floor::settings::NotifiedTimeout;
use wire::{GuestId, RestaurantId, TableId};

use super::guests as parties;
use super::locks::OnFloor;
use super::reserved;
use crate::Result;
use crate::db::Tx;
use crate::due::{BATCH, Due};
use crate::schema::{guests, reservation_tables};
use crate::together::locks::{self, Touched};
use crate::venue::restaurants;

/// Parties and claims of tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfFloor;

#[async_trait]
impl Due for OfFloor {
    fn name(&self) -> &'static str {
        "floor"
    }

    async fn find(
        &self,
        conn: &mut AsyncPgConnection,
        now: DateTime<Utc>,
        except: &[RestaurantId],
        rows: i64,
    ) -> Result<Vec<RestaurantId>> {
        let mut found = guests::table
            .filter(guests::due_at.le(now))
            .filter(guests::restaurant_id.ne_all(except))
            .order(guests::due_at)
            .select(guests::restaurant_id)
            .limit(rows)
            .load::<RestaurantId>(conn)
            .await?;
        let of_tables = reservation_tables::table
            .filter(reservation_tables::due_at.le(now))
            .filter(reservation_tables::restaurant_id.ne_all(except))
            .order(reservation_tables::due_at)
            .select(reservation_tables::restaurant_id)
            .limit(rows)
            .load::<RestaurantId>(conn)
            .await?;
        found.extend(of_tables);
        Ok(found)
    }

    async fn pass_time(&self, tx: &mut Tx<'_>) -> Result<usize> {
        if !restaurants::try_lock(tx).await? {
            return Ok(0);
        }
        let tables: Vec<TableId> = reserved::due(tx, BATCH).await?;
        let late: Vec<GuestId> = guests::table
            .filter(guests::restaurant_id.eq(tx.restaurant_id()))
            .filter(guests::due_at.le(tx.now))
            .order(guests::due_at)
            .limit(BATCH)
            .select(guests::id)
            .load(tx.conn)
            .await?;
        let mut touched = Touched::default();
        touched.note(|floor: &mut OnFloor| {
            floor.tables.clone_from(&tables);
            floor.parties.clone_from(&late);
            floor.waiting_list = true;
        });
        parties::defer(tx);
        locks::lock_all(tx, &touched).await?;
        reserved::pass_time(tx, &tables).await?;
        if !late.is_empty() {
            let calendar = restaurants::calendar_in(tx).await?;
            let status = match calendar.settings.floor.notified_timeout_status {
                NotifiedTimeout::Waiting => GuestStatus::Waiting,
                NotifiedTimeout::NoShow => GuestStatus::NoShow,
            };
            for party in &late {
                parties::pass_time(tx, *party, status).await?;
            }
        }
        parties::flush(tx).await?;
        Ok(tables.len() + late.len())
    }
}

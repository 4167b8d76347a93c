//! Free tables are shown as reserved from some time before a booking until its party sits, or its
//! time is over.
//!
//! A claim of a booking (`reservation_tables`) says when it is due; a due row then marks it as
//! `shown`. From there on, whatever frees one of its tables shows it as reserved in the same
//! transaction, and whatever ends the booking's claim shows it as free. What a host sets by hand in
//! between stays.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::RunQueryDsl;
use wire::TableId;
use wire::floor::reservations::ReservationStatus;
use wire::floor::tables::TableStatus;

use super::seating;
use super::tables::TableState;
use crate::Result;
use crate::db::Tx;
use crate::record::Record;
use crate::schema::{reservation_tables, reservations};
use crate::venue::restaurants;

/// The statuses of bookings whose tables are kept.
const EXPECTED: [ReservationStatus; 5] = [
    ReservationStatus::Pending,
    ReservationStatus::Confirmed,
    ReservationStatus::RunningLate,
    ReservationStatus::PartiallyArrived,
    ReservationStatus::Arrived,
];

/// When a new claim is due next, and whether its table is to be shown as reserved at once.
pub(super) async fn showing(
    tx: &mut Tx<'_>,
    period: &Range<DateTime<Utc>>,
) -> Result<(Option<DateTime<Utc>>, bool)> {
    let calendar = restaurants::calendar_in(tx).await?;
    let Some(minutes) = calendar.settings.floor.reserve_tables_minutes_before else {
        return Ok((None, false));
    };
    let from = period.start - TimeDelta::minutes(minutes.into());
    Ok(if period.end <= tx.now {
        (None, false)
    } else if from <= tx.now {
        (Some(period.end), true)
    } else {
        (Some(from), false)
    })
}

/// Brings the status of tables into line: those that are `free` and kept for a booking become
/// reserved, those that were `released` and are kept for no other become available.
pub(super) async fn settle(tx: &mut Tx<'_>, free: &[TableId], released: &[TableId]) -> Result<()> {
    let mut all: Vec<TableId> = free.iter().chain(released).copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return Ok(());
    }
    let kept = kept(tx, &all).await?;
    if kept.is_empty() && released.is_empty() {
        return Ok(());
    }
    let locked = seating::lock(tx, &all).await?;
    for id in &all {
        // One that is off the floor plan by now is nobody's.
        let Ok(table) = locked.table(*id) else {
            continue;
        };
        let status = match table.status {
            TableStatus::Available if kept.contains(id) => TableStatus::Reserved,
            TableStatus::Reserved if released.contains(id) && !kept.contains(id) => {
                TableStatus::Available
            }
            _ => continue,
        };
        let before = TableState {
            row: table.clone(),
            party: None,
        };
        let mut next = before.clone();
        next.row.status = status;
        next.save(tx, &before).await?;
    }
    Ok(())
}

/// Which of the tables are to be shown as reserved while they are free.
async fn kept(tx: &mut Tx<'_>, tables: &[TableId]) -> Result<Vec<TableId>> {
    Ok(reservation_tables::table
        .inner_join(
            reservations::table.on(reservations::restaurant_id
                .eq(reservation_tables::restaurant_id)
                .and(
                    reservations::id
                        .nullable()
                        .eq(reservation_tables::reservation_id),
                )),
        )
        .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
        .filter(reservation_tables::table_id.eq_any(tables))
        .filter(reservation_tables::shown)
        .filter(reservations::status.eq_any(EXPECTED))
        .select(reservation_tables::table_id)
        .load(tx.conn)
        .await?)
}

/// At most `most` of the tables whose claims are due.
pub(crate) async fn due(tx: &mut Tx<'_>, most: i64) -> Result<Vec<TableId>> {
    Ok(reservation_tables::table
        .filter(reservation_tables::restaurant_id.eq(tx.restaurant_id()))
        .filter(reservation_tables::due_at.le(tx.now))
        .order(reservation_tables::due_at)
        .limit(most)
        .select(reservation_tables::table_id)
        .load(tx.conn)
        .await?)
}

/// Lets time pass for claims of tables, which are locked.
pub(crate) async fn pass_time(tx: &mut Tx<'_>, tables: &[TableId]) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::Uuid)]
        table_id: TableId,
        #[diesel(sql_type = sql_types::Bool)]
        shown: bool,
    }
    if tables.is_empty() {
        return Ok(());
    }
    let passed: Vec<Row> = diesel::sql_query(
        "UPDATE reservation_tables SET shown = upper(period) > $3, \
         due_at = CASE WHEN upper(period) > $3 THEN upper(period) END \
         WHERE restaurant_id = $1 AND table_id = ANY ($2) AND due_at <= $3 \
         RETURNING table_id, shown",
    )
    .bind::<sql_types::Uuid, _>(tx.restaurant_id())
    .bind::<sql_types::Array<sql_types::Uuid>, _>(tables)
    .bind::<sql_types::Timestamptz, _>(tx.now)
    .get_results(tx.conn)
    .await?;
    let (free, ended): (Vec<Row>, Vec<Row>) = passed.into_iter().partition(|row| row.shown);
    let ids = |rows: Vec<Row>| rows.into_iter().map(|row| row.table_id).collect::<Vec<_>>();
    settle(tx, &ids(free), &ids(ended)).await
}

/// The restaurant changed how long before a booking its tables are shown as reserved; those that
/// are shown already stay so.
pub(crate) async fn reschedule(tx: &mut Tx<'_>, minutes: Option<i32>) -> Result<()> {
    diesel::sql_query(
        "UPDATE reservation_tables SET due_at = lower(period) - make_interval(mins => $2) \
         WHERE restaurant_id = $1 AND reservation_id IS NOT NULL AND NOT shown \
         AND upper(period) > $3",
    )
    .bind::<sql_types::Uuid, _>(tx.restaurant_id())
    .bind::<sql_types::Nullable<sql_types::Integer>, _>(minutes)
    .bind::<sql_types::Timestamptz, _>(tx.now)
    .execute(tx.conn)
    .await?;
    Ok(())
}

//! The floor and its figures at one position of the log.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use wire::RestaurantId;
use wire::floor::dashboard::{Dashboard, Stats};
use wire::floor::guests::{Guest, GuestStatus};
use wire::floor::tables::{Table, TableStatus};

use super::{guests, reservations, tables};
use crate::Result;
use crate::venue::restaurants;
use crate::venue::restaurants::FloorView;

/// Reads the floor, which is that of the view, and counts. Must run in [`crate::db::Db::snapshot`], so that every part and the
/// head of the log are of the same moment.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no such restaurant.
pub async fn read(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    now: DateTime<Utc>,
) -> Result<(FloorView, Dashboard)> {
    let view = restaurants::floor_view(conn, restaurant, now).await?;
    let quotes = guests::kept(conn, restaurant, now - TimeDelta::days(7)).await?;
    let guests = guests::floor(conn, restaurant, view.service_day_start).await?;
    let tables = tables::floor(conn, restaurant).await?;
    let from = view.service_day_start;
    let until = from + TimeDelta::days(1);
    let dashboard = Dashboard {
        stats: stats(&guests, &tables),
        quotes,
        guests,
        tables,
        reservations: reservations::window(conn, restaurant, from, until).await?,
        last_updated: now,
        epoch: view.position.epoch,
        seq: view.position.seq,
    };
    Ok((view, dashboard))
}

/// What can be counted of a floor.
fn stats(guests: &[Guest], tables: &[Table]) -> Stats {
    let of_table = |status| tables.iter().filter(|table| table.status == status).count();
    let occupied = of_table(TableStatus::Occupied);
    let usable = tables.len() - of_table(TableStatus::OutOfService);
    let was_seated =
        |guest: &&Guest| matches!(guest.status, GuestStatus::Seated | GuestStatus::Completed);
    Stats {
        total_guests: guests.len(),
        total_tables: tables.len(),
        occupancy_rate: ratio(occupied, usable),
        guests_by_status: GuestStatus::ALL
            .iter()
            .map(|status| {
                (
                    *status,
                    guests
                        .iter()
                        .filter(|guest| guest.status == *status)
                        .count(),
                )
            })
            .collect(),
        tables_by_status: TableStatus::ALL
            .iter()
            .map(|status| (*status, of_table(*status)))
            .collect(),
        covers: guests
            .iter()
            .filter(was_seated)
            .map(|guest| i64::from(guest.party_size))
            .sum(),
        average_wait_minutes: average_minutes(
            guests
                .iter()
                .filter(was_seated)
                .filter_map(|guest| Some(guest.seated_time? - guest.check_in_time)),
        ),
        average_turn_minutes: average_minutes(
            guests
                .iter()
                .filter(|guest| guest.status == GuestStatus::Completed)
                .filter_map(|guest| Some(guest.finished_time? - guest.seated_time?)),
        ),
    }
}

/// A part of a whole, with three digits after the point.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 tables")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    (part as f64 / whole as f64 * 1000.0).round() / 1000.0
}

/// The average in minutes, with one digit after the point; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "a day has 86,400 seconds")]
fn average_minutes(times: impl Iterator<Item = TimeDelta>) -> Option<f64> {
    let (count, sum) = times.fold((0_i64, 0_i64), |(count, sum), time| {
        (count + 1, sum + time.num_seconds())
    });
    (count > 0).then(|| (sum as f64 / count as f64 / 6.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wire::floor::tables::{TablePosition, TableShape};
    use wire::{GuestId, TableId};

    use super::*;
    use crate::floor::guests::GuestRow;

    const NOON: DateTime<Utc> = DateTime::UNIX_EPOCH;

    /// A party of `size` that waited, and then sat, so many minutes.
    fn party(status: GuestStatus, size: i32, wait: Option<i64>, turn: Option<i64>) -> Guest {
        let seated = wait.map(|minutes| NOON + TimeDelta::minutes(minutes));
        let (restaurant, id) = (RestaurantId(Uuid::nil()), GuestId(Uuid::nil()));
        Guest {
            party_size: size,
            status,
            seated_time: seated,
            finished_time: turn.and_then(|minutes| Some(seated? + TimeDelta::minutes(minutes))),
            ..GuestRow::new(restaurant, id, NOON).with_tables(Vec::new())
        }
    }

    fn table(status: TableStatus) -> Table {
        Table {
            id: TableId(Uuid::nil()),
            restaurant_id: RestaurantId(Uuid::nil()),
            table_number: String::new(),
            capacity: 4,
            min_party_size: 1,
            status,
            position: TablePosition { x: 0.0, y: 0.0 },
            shape: TableShape::Round,
            section: None,
            current_guest_id: None,
            is_active: true,
            created_at: NOON,
            last_updated: NOON,
            version: 1,
        }
    }

    #[test]
    fn an_empty_floor_has_figures_too() {
        let stats = stats(&[], &[]);
        assert_eq!(
            (stats.total_guests, stats.total_tables, stats.covers),
            (0, 0, 0)
        );
        assert_eq!(
            (stats.average_wait_minutes, stats.average_turn_minutes),
            (None, None)
        );
        assert!(stats.occupancy_rate.abs() < f64::EPSILON);
        assert_eq!(stats.guests_by_status.len(), GuestStatus::ALL.len());
        assert!(stats.tables_by_status.values().all(|count| *count == 0));
    }

    #[test]
    fn a_floor_is_counted() {
        use GuestStatus as S;
        use TableStatus as T;
        let guests = [
            party(S::Waiting, 2, None, None),
            party(S::Seated, 4, Some(10), None),
            party(S::Completed, 3, Some(25), Some(90)),
            party(S::Completed, 2, Some(0), Some(61)),
            // Was seated once, then called off: no cover, no turn.
            party(S::Cancelled, 8, Some(500), Some(1)),
            party(S::NoShow, 8, None, None),
        ];
        let tables = [T::Occupied, T::Available, T::NeedsCleaning, T::OutOfService].map(table);
        let stats = stats(&guests, &tables);
        assert_eq!(
            (stats.total_guests, stats.total_tables, stats.covers),
            (6, 4, 9)
        );
        // One of the three that are in use.
        assert!((stats.occupancy_rate - 0.333).abs() < 1e-9, "{stats:?}");
        assert_eq!(stats.guests_by_status[&S::Completed], 2);
        assert_eq!(stats.guests_by_status[&S::Notified], 0);
        assert_eq!(stats.tables_by_status[&T::OutOfService], 1);
        assert_eq!(stats.average_wait_minutes, Some(11.7));
        assert_eq!(stats.average_turn_minutes, Some(75.5));
    }
}

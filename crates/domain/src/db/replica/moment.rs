//! What a server shows of itself in the moment in which it is read, and what follows from that.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{Epoch, Position, RestaurantId, Seq};

use super::Standing;
use crate::Result;
use crate::schema::{database_identity, log_heads, primary_beat};

/// What a moment of a server says of itself.
#[derive(Clone, Debug, Queryable)]
pub(super) struct Moment {
    is_following: bool,
    identity: String,
    beaten_at: DateTime<Utc>,
    epoch: Option<Epoch>,
    last_seq: Option<Seq>,
}

diesel::define_sql_function! {
    /// Whether the server follows another.
    fn pg_is_in_recovery() -> sql_types::Bool;
}

/// What the moment in which `conn` reads says of itself, with the head of a restaurant's log;
/// `None` before the first heartbeat.
pub(super) async fn moment(
    conn: &mut AsyncPgConnection,
    restaurant: Option<RestaurantId>,
) -> Result<Option<Moment>> {
    let is_the_restaurants = log_heads::restaurant_id.nullable().eq(restaurant);
    let moment = database_identity::table
        .inner_join(primary_beat::table.on(primary_beat::singleton))
        .left_join(log_heads::table.on(is_the_restaurants))
        .select((
            pg_is_in_recovery(),
            database_identity::identity,
            primary_beat::beaten_at,
            log_heads::epoch.nullable(),
            log_heads::last_seq.nullable(),
        ))
        .first::<Moment>(conn)
        .await
        .optional()?;
    Ok(moment)
}

/// What is to be thought of a server that says this of itself, when the primary is `identity` and
/// its clock says `now`.
pub(super) fn judge(
    moment: Option<&Moment>,
    identity: &str,
    now: DateTime<Utc>,
    max_lag: TimeDelta,
) -> Standing {
    match moment {
        None => Standing::Away("it has no heartbeat of the primary"),
        Some(moment) if !moment.is_following => Standing::Away("it follows nobody"),
        Some(moment) if moment.identity != identity => Standing::Away("it follows another primary"),
        Some(moment) => {
            let lag = now.signed_duration_since(moment.beaten_at);
            let shown = lag.to_std().unwrap_or_default();
            // From the future: the primary's clock was set back, so this says nothing.
            if lag > max_lag || lag < -max_lag {
                Standing::Behind(shown)
            } else {
                Standing::Fresh(shown)
            }
        }
    }
}

/// Whether a moment contains everything up to each of these positions. Of another life of the log
/// nothing is known.
pub(super) fn contains(moment: Option<&Moment>, least: &[Position]) -> bool {
    let head = moment.and_then(|moment| moment.epoch.zip(moment.last_seq));
    head.is_some_and(|(epoch, last_seq)| {
        least
            .iter()
            .all(|least| least.epoch == epoch && least.seq <= last_seq)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const EPOCH: Epoch = Epoch(Uuid::from_u128(7));

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    fn moment() -> Moment {
        Moment {
            is_following: true,
            identity: "ours".to_owned(),
            beaten_at: at(0),
            epoch: Some(EPOCH),
            last_seq: Some(10),
        }
    }

    #[test]
    fn only_a_young_copy_of_our_own_is_read() {
        let judged =
            |moment: &Moment, now| judge(Some(moment), "ours", at(now), TimeDelta::seconds(10));
        let secs = Duration::from_secs;
        assert_eq!(judged(&moment(), 10), Standing::Fresh(secs(10)));
        assert_eq!(judged(&moment(), 11), Standing::Behind(secs(11)));
        // The clocks of two machines may differ a little, and one may have been set back a lot.
        assert_eq!(judged(&moment(), -1), Standing::Fresh(secs(0)));
        assert_eq!(judged(&moment(), -11), Standing::Behind(secs(0)));
        let promoted = Moment {
            is_following: false,
            ..moment()
        };
        assert!(matches!(judged(&promoted, 0), Standing::Away(_)));
        let another = Moment {
            identity: "another".to_owned(),
            ..moment()
        };
        assert!(matches!(judged(&another, 0), Standing::Away(_)));
        let nothing = judge(None, "ours", at(0), TimeDelta::seconds(10));
        assert!(matches!(nothing, Standing::Away(_)));
    }

    #[test]
    fn what_must_not_be_missed() {
        let position = |epoch, seq| Position { epoch, seq };
        let other = Epoch(Uuid::from_u128(8));
        for (least, expected) in [
            (vec![], true),
            (vec![position(EPOCH, 10)], true),
            (vec![position(EPOCH, 11)], false),
            (vec![position(EPOCH, 1), position(EPOCH, 11)], false),
            (vec![position(other, 1)], false),
        ] {
            assert_eq!(contains(Some(&moment()), &least), expected, "{least:?}");
        }
        // A restaurant that was founded a moment ago.
        let unknown = Moment {
            epoch: None,
            last_seq: None,
            ..moment()
        };
        assert!(!contains(Some(&unknown), &[]));
    }
}

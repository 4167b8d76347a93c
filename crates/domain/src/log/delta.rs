//! What happened after a position, for a client that asks instead of listening.

use diesel_async::AsyncPgConnection;
use serde_json::value::RawValue;
use wire::together::sync::{Delta, DeltaQuery};
use wire::{ErrorCode, RestaurantId};

use super::read::{self, Head};
use crate::{Error, Result, page};

/// The events after a position, at most as many as were asked for.
///
/// # Errors
/// [`Error::Invalid`]; `resync_required` when the position lies in another life of the log, before
/// what is kept, or beyond the end: then not all that was missed could be told.
pub async fn delta(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    query: &DeltaQuery,
) -> Result<Delta> {
    let limit = page::limit(query.limit)?;
    if query.since < 0 {
        return Err(Error::invalid("since", "must not be negative"));
    }
    let found = read::read(conn, restaurant, query.since, limit).await?;
    if !can_resume(&found.head, query) {
        let sentence = "The log no longer tells everything since then. Please load the floor anew.";
        return Err(Error::refused(ErrorCode::ResyncRequired, sentence));
    }
    let seq = found.events.last().map_or(query.since, |event| event.seq);
    let events: Result<Vec<_>> = found
        .events
        .into_iter()
        .map(|event| Ok(RawValue::from_string(event.frame)?))
        .collect();
    Ok(Delta {
        events: events?,
        epoch: found.head.epoch,
        seq,
        has_more: seq < found.head.last_seq,
    })
}

fn can_resume(head: &Head, query: &DeltaQuery) -> bool {
    query.epoch == head.epoch && (head.pruned_seq..=head.last_seq).contains(&query.since)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wire::Epoch;

    use super::*;

    #[test]
    fn where_a_client_can_go_on() {
        let epoch = Epoch(Uuid::from_u128(1));
        let head = Head {
            epoch,
            last_seq: 10,
            pruned_seq: 4,
        };
        for (since, in_epoch, can) in [
            (10, epoch, true),
            (7, epoch, true),
            (4, epoch, true),
            (3, epoch, false),
            (0, epoch, false),
            (11, epoch, false),
            (7, Epoch(Uuid::from_u128(2)), false),
        ] {
            let query = DeltaQuery {
                since,
                epoch: in_epoch,
                limit: None,
            };
            assert_eq!(can_resume(&head, &query), can, "since {since}");
        }
    }
}

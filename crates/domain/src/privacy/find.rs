//! What is a person's: parties and bookings, those that are gone too.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use wire::{RestaurantId, Seq};

use super::person::Person;
use super::places::{Holds, PLACES};
use crate::Result;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// The address that is there, if it was found by nothing else.
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
}

/// Adds to `ids` what is the person's: what has the number or address, or had it as far as the log
/// and the audit tell, and the party of each booking and the booking of each party. Of the log and
/// the audit only what came after `seen` is looked at.
pub(super) async fn find(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    person: &Person,
    seen: Seq,
    mut ids: BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>> {
    let mut queries = vec![ROWS.to_owned()];
    for place in PLACES {
        if let Some((columns, holds)) = place.documents() {
            queries.push(in_documents(place.table, &columns, holds));
        }
    }
    // What was found may lead to more: a booking to its party, which had another number too.
    loop {
        let before = ids.len();
        for query in &queries {
            let known: Vec<Uuid> = ids.iter().copied().collect();
            let found = diesel::sql_query(query)
                .bind::<SqlUuid, _>(restaurant)
                .bind::<Array<Text>, _>(&person.digits)
                .bind::<Array<Text>, _>(&person.spellings)
                .bind::<Array<SqlUuid>, _>(known)
                .bind::<BigInt, _>(seen)
                .load::<Found>(conn)
                .await?;
            let is_meant = |found: &Found| match &found.email {
                Some(email) => person.has_address(email),
                None => true,
            };
            ids.extend(found.into_iter().filter(is_meant).map(|found| found.id));
        }
        if ids.len() == before {
            return Ok(ids);
        }
    }
}

// The database looks among what might be the address, by the index that it has; whether it is one
// is not for its locale to say.
const ROWS: &str = "SELECT id, NULL AS email FROM guests WHERE restaurant_id = $1 \
    AND (phone_digits = ANY($2) OR reservation_id = ANY($4)) \
    UNION SELECT id, email FROM guests WHERE restaurant_id = $1 \
    AND lower(email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said)) \
    UNION SELECT id, NULL FROM reservations WHERE restaurant_id = $1 \
    AND (regexp_replace(guest_phone, '[^0-9]', '', 'g') = ANY($2) OR guest_id = ANY($4)) \
    UNION SELECT id, guest_email FROM reservations WHERE restaurant_id = $1 \
    AND lower(guest_email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said)) \
    UNION SELECT reservation_id, NULL FROM guests WHERE restaurant_id = $1 AND id = ANY($4) \
    AND reservation_id IS NOT NULL \
    UNION SELECT guest_id, NULL FROM reservations WHERE restaurant_id = $1 AND id = ANY($4) \
    AND guest_id IS NOT NULL AND $5::bigint IS NOT NULL";

/// The query for parties and bookings in a table of documents.
fn in_documents(table: &str, columns: &[&str], holds: Holds) -> String {
    let (id, which) = match (holds, table) {
        (Holds::Document, _) => ("(part.state ->> 'id')::uuid", "$5::bigint IS NOT NULL"),
        (_, "events") => (
            "entity_id",
            "seq > $5 AND (kind LIKE 'guest\\_%' OR kind LIKE 'reservation\\_%')",
        ),
        _ => (
            "entity_id",
            "seq > $5 AND entity IN ('guest', 'reservation')",
        ),
    };
    let states: Vec<String> = columns
        .iter()
        .map(|column| match holds {
            Holds::Frame => format!("SELECT {column}::jsonb -> 'data'"),
            Holds::Document => format!(
                "SELECT jsonb_path_query({column}::jsonb, 'strict $.** ? (@.type() == \"object\")')"
            ),
            _ => format!("SELECT {column}"),
        })
        .collect();
    let states = states.join(" UNION ALL ");
    // Only what looks like an id is read as one.
    let has_id = if holds == Holds::Document {
        "part.state ->> 'id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"
    } else {
        "true"
    };
    format!(
        "SELECT DISTINCT found.id, \
         CASE WHEN NOT found.is_linked THEN found.email END AS email \
         FROM (SELECT CASE WHEN {has_id} THEN {id} END AS id, \
         coalesce(part.state ->> 'email', part.state ->> 'guestEmail') AS email, \
         coalesce(regexp_replace(coalesce(part.state ->> 'phone', part.state ->> 'guestPhone'), \
         '[^0-9]', '', 'g') = ANY($2), false) \
         OR coalesce(part.state ->> 'reservationId' = ANY($4::text[]), false) \
         OR coalesce(part.state ->> 'guestId' = ANY($4::text[]), false) AS is_linked \
         FROM {table} CROSS JOIN LATERAL ({states}) AS part (state) \
         WHERE restaurant_id = $1 AND {which}) AS found \
         WHERE found.id IS NOT NULL AND (found.is_linked \
         OR lower(found.email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said)))"
    )
}

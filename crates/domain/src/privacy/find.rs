//! What is a person's: parties, bookings and invitations, those that are gone too.
//!
//! What the log, the audit and the remembered answers know is looked through once, in Rust: only
//! documents that say a number, an address or a link of anybody are read at all, which the database
//! tells by a look at their text. So it costs what the documents weigh, however often one thing
//! leads to another.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use uuid::Uuid;
use wire::live::events::split_data;
use wire::{RestaurantId, Seq};

use super::person::Person;
use super::places::{Holds, PLACES};
use crate::Result;

/// Fields that hold a telephone number, an address, or a link to a party or booking.
const PHONES: [&str; 2] = ["phone", "guestPhone"];
const EMAILS: [&str; 2] = ["email", "guestEmail"];
const LINKS: [&str; 2] = ["reservationId", "guestId"];

/// What documents know of a person, and of whom they link to whom.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What has, or had, the number or address.
    theirs: BTreeSet<Uuid>,
    /// Who named each party or booking as its own.
    named_by: HashMap<Uuid, BTreeSet<Uuid>>,
}

/// What is the person's: what has the number or address, or had it as far as the log and the audit
/// tell, and the party of each booking and the booking of each party. Of the log and the audit only
/// what came after `seen` is looked at; what was learned before is in `facts`.
pub(super) async fn find(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    person: &Person,
    seen: Seq,
    facts: &mut Facts,
) -> Result<BTreeSet<Uuid>> {
    for place in PLACES {
        if let Some((columns, holds)) = place.documents() {
            // One after the other: all of them may be more than belongs into memory.
            let mut rows = diesel::sql_query(query(place.table, &columns, holds))
                .bind::<SqlUuid, _>(restaurant)
                .bind::<BigInt, _>(seen)
                .load_stream::<Row>(conn)
                .await?;
            while let Some(row) = rows.try_next().await? {
                facts.learn(person, &row, holds)?;
            }
        }
    }
    let mut ids = facts.theirs.clone();
    // What was found may lead to more: a booking to its party, which had another number too.
    loop {
        let before = ids.len();
        let known: Vec<Uuid> = ids.iter().copied().collect();
        let linked = known.iter().filter_map(|id| facts.named_by.get(id));
        ids.extend(linked.flatten());
        let found = diesel::sql_query(ROWS)
            .bind::<SqlUuid, _>(restaurant)
            .bind::<Array<Text>, _>(&person.digits)
            .bind::<Array<Text>, _>(&person.spellings)
            .bind::<Array<SqlUuid>, _>(known)
            .load::<Found>(conn)
            .await?;
        let is_meant = |found: &Found| match &found.email {
            Some(email) => person.has_address(email),
            None => true,
        };
        ids.extend(found.into_iter().filter(is_meant).map(|found| found.id));
        if ids.len() == before {
            return Ok(ids);
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// The address that is there, if it was found by nothing else.
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
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
    UNION SELECT id, email FROM invitations WHERE restaurant_id = $1 \
    AND lower(email) = ANY(ARRAY(SELECT lower(said) FROM unnest($3) AS said)) \
    UNION SELECT reservation_id, NULL FROM guests WHERE restaurant_id = $1 AND id = ANY($4) \
    AND reservation_id IS NOT NULL \
    UNION SELECT guest_id, NULL FROM reservations WHERE restaurant_id = $1 AND id = ANY($4) \
    AND guest_id IS NOT NULL";

/// A row of documents.
#[derive(QueryableByName)]
struct Row {
    /// Whose state they are; nobody's in particular in an answer.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    texts: Vec<Option<String>>,
}

impl Facts {
    fn learn(&mut self, person: &Person, row: &Row, holds: Holds) -> Result<()> {
        for text in row.texts.iter().flatten() {
            let json = match holds {
                Holds::Frame => split_data(text).map(|(_, data)| data),
                _ => Some(text.as_str()),
            };
            if let Some(json) = json {
                self.note(person, row.id, &serde_json::from_str(json)?);
            }
        }
        Ok(())
    }

    /// Notes a state of `id`, or in an answer of all that have one.
    fn note(&mut self, person: &Person, id: Option<Uuid>, value: &Value) {
        match (id, value) {
            (Some(id), Value::Object(state)) => self.note_state(person, id, state),
            (None, Value::Object(object)) => {
                let own = object.get("id").and_then(Value::as_str);
                if let Some(id) = own.and_then(|id| id.parse().ok()) {
                    self.note_state(person, id, object);
                }
                object
                    .values()
                    .for_each(|part| self.note(person, None, part));
            }
            (None, Value::Array(list)) => {
                list.iter().for_each(|part| self.note(person, None, part));
            }
            _ => {}
        }
    }

    fn note_state(&mut self, person: &Person, id: Uuid, state: &Map<String, Value>) {
        let texts = |names: [&'static str; 2]| {
            names
                .into_iter()
                .filter_map(|name| state.get(name)?.as_str())
        };
        if texts(PHONES).any(|phone| person.has_phone(phone))
            || texts(EMAILS).any(|email| person.has_address(email))
        {
            self.theirs.insert(id);
        }
        for other in texts(LINKS).filter_map(|other| other.parse().ok()) {
            self.named_by.entry(other).or_default().insert(id);
        }
    }
}

/// The query for rows of a table of documents that may tell something.
fn query(table: &str, columns: &[&str], holds: Holds) -> String {
    let names = || PHONES.iter().chain(&EMAILS).chain(&LINKS);
    let tells: Vec<String> = columns
        .iter()
        .map(|column| match holds {
            Holds::Fields => {
                let values: Vec<String> = names()
                    .map(|name| format!("{column} ->> '{name}'"))
                    .collect();
                format!("coalesce({}) IS NOT NULL", values.join(", "))
            }
            _ => {
                let says: Vec<String> = names()
                    .map(|name| format!("position('\"{name}\":\"' IN {column}) > 0"))
                    .collect();
                says.join(" OR ")
            }
        })
        .collect();
    let texts: Vec<String> = columns.iter().map(|c| format!("{c}::text")).collect();
    let (id, which) = match (holds, table) {
        (Holds::Document, _) => ("NULL::uuid", "$2::bigint IS NOT NULL"),
        (_, "events") => (
            "entity_id",
            "seq > $2 AND (kind LIKE 'guest\\_%' OR kind LIKE 'reservation\\_%')",
        ),
        _ => (
            "entity_id",
            "seq > $2 AND entity IN ('guest', 'reservation', 'invitation')",
        ),
    };
    format!(
        "SELECT {id} AS id, ARRAY[{}] AS texts FROM {table} \
         WHERE restaurant_id = $1 AND {which} AND ({})",
        texts.join(", "),
        tells.join(" OR ")
    )
}

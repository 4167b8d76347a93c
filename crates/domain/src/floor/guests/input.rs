//! Reading what was asked: fields are checked here, rules are not.

use wire::floor::guests::{CreateGuest, GuestStatus, UpdateGuest};
use wire::{GuestId, TableId};

use super::row::GuestRow;
use crate::address;
use crate::checks::{Checks, trim, trimmed};
use crate::db::Tx;
use crate::{Error, Result};

pub(super) fn new_row(tx: &Tx<'_>, id: GuestId, input: &CreateGuest) -> GuestRow {
    let first_name = trimmed(input.first_name.as_deref());
    let last_name = trimmed(input.last_name.as_deref());
    GuestRow {
        restaurant_id: tx.restaurant_id(),
        id,
        guest_name: full_name(input),
        first_name,
        last_name,
        party_size: input.party_size.unwrap_or_default(),
        status: GuestStatus::Waiting,
        wait_position: None,
        phone: trimmed(input.phone.as_deref()),
        email: address::stored(input.email.as_deref()),
        notes: trimmed(input.notes.as_deref()),
        special_requests: trimmed(input.special_requests.as_deref()),
        dietary_restrictions: input.dietary_restrictions.clone().unwrap_or_default(),
        tags: input.tags.clone().unwrap_or_default(),
        quoted_wait_minutes: input.quoted_wait_minutes,
        reservation_id: None,
        total_visits: 1,
        check_in_time: tx.now,
        seated_time: None,
        finished_time: None,
        created_at: tx.now,
        last_updated: tx.now,
        version: 1,
        queue_time: None,
        quoted_low_minutes: None,
        quoted_high_minutes: None,
        over_quote: false,
        notified_at: None,
        notified_until: None,
        waited_minutes: None,
        quote_error_minutes: None,
        due_at: None,
    }
}

/// The name to call: as given, or made of first and last name.
fn full_name(input: &CreateGuest) -> String {
    let parts = [input.first_name.as_deref(), input.last_name.as_deref()];
    trimmed(input.guest_name.as_deref()).unwrap_or_else(|| {
        parts
            .iter()
            .filter_map(|part| trimmed(*part))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

/// The row with the fields of a patch that are plain information.
pub(super) fn patched(row: &GuestRow, patch: &UpdateGuest) -> Result<GuestRow> {
    let mut next = row.clone();
    if let Some(name) = &patch.guest_name {
        next.guest_name =
            trimmed(Some(name)).ok_or_else(|| Error::invalid("guestName", "must not be empty"))?;
    }
    if let Some(size) = patch.party_size {
        next.party_size = size;
    }
    let texts = [
        (&mut next.first_name, &patch.first_name),
        (&mut next.last_name, &patch.last_name),
        (&mut next.phone, &patch.phone),
        (&mut next.notes, &patch.notes),
        (&mut next.special_requests, &patch.special_requests),
    ];
    for (field, change) in texts {
        if let Some(text) = change {
            *field = trimmed(text.as_deref());
        }
    }
    if let Some(email) = &patch.email {
        next.email = address::stored(email.as_deref());
    }
    let lists = [
        (&mut next.dietary_restrictions, &patch.dietary_restrictions),
        (&mut next.tags, &patch.tags),
    ];
    for (field, change) in lists {
        if let Some(words) = change {
            *field = words.clone().unwrap_or_default();
        }
    }
    if let Some(minutes) = patch.quoted_wait_minutes {
        next.quoted_wait_minutes = minutes;
    }
    Ok(next)
}

/// Checks the fields of a new party; returns the tables that it shall have.
pub(super) fn check_new(input: &CreateGuest) -> Result<Vec<TableId>> {
    let mut checks = Checks::new();
    let name = full_name(input);
    if name.is_empty() {
        checks.fault("guestName", "is required (or firstName)");
    } else {
        checks.name("guestName", Some(&name), 1..=200);
    }
    if input.party_size.is_none() {
        checks.fault("partySize", "is required");
    }
    check_info(
        &mut checks,
        &Info {
            first_name: input.first_name.as_deref(),
            last_name: input.last_name.as_deref(),
            party_size: input.party_size,
            phone: input.phone.as_deref(),
            email: input.email.as_deref(),
            notes: input.notes.as_deref(),
            special_requests: input.special_requests.as_deref(),
            dietary_restrictions: input.dietary_restrictions.as_deref(),
            tags: input.tags.as_deref(),
            quoted_wait_minutes: input.quoted_wait_minutes,
        },
    );
    let tables = asked_tables(
        &mut checks,
        input.table_id.map(Some),
        input
            .table_ids
            .as_ref()
            .map(|tables| Some(tables.as_slice())),
    );
    checks.finish()?;
    Ok(tables.unwrap_or_default())
}

/// Checks the fields of a patch; returns the tables that the party shall have, if that was asked.
pub(super) fn check_patch(patch: &UpdateGuest) -> Result<Option<Vec<TableId>>> {
    let mut checks = Checks::new();
    checks.name("guestName", patch.guest_name.as_deref(), 1..=200);
    check_info(
        &mut checks,
        &Info {
            first_name: patch.first_name.as_ref().and_then(Option::as_deref),
            last_name: patch.last_name.as_ref().and_then(Option::as_deref),
            party_size: patch.party_size,
            phone: patch.phone.as_ref().and_then(Option::as_deref),
            email: patch.email.as_ref().and_then(Option::as_deref),
            notes: patch.notes.as_ref().and_then(Option::as_deref),
            special_requests: patch.special_requests.as_ref().and_then(Option::as_deref),
            dietary_restrictions: patch
                .dietary_restrictions
                .as_ref()
                .and_then(Option::as_deref),
            tags: patch.tags.as_ref().and_then(Option::as_deref),
            quoted_wait_minutes: patch.quoted_wait_minutes.flatten(),
        },
    );
    checks.number("waitPosition", patch.wait_position, 1..=i32::MAX);
    let tables = asked_tables(
        &mut checks,
        patch.table_id,
        patch.table_ids.as_ref().map(Option::as_deref),
    );
    checks.finish()?;
    Ok(tables)
}

/// What new parties and patches have in common.
struct Info<'a> {
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    party_size: Option<i32>,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    notes: Option<&'a str>,
    special_requests: Option<&'a str>,
    dietary_restrictions: Option<&'a [String]>,
    tags: Option<&'a [String]>,
    quoted_wait_minutes: Option<i32>,
}

fn check_info(checks: &mut Checks, info: &Info<'_>) {
    checks.name("firstName", info.first_name, 0..=100);
    checks.name("lastName", info.last_name, 0..=100);
    checks.number("partySize", info.party_size, 1..=100);
    checks.text("phone", info.phone, 0..=40);
    let email = info.email.map(trim);
    checks.email("email", email.filter(|email| !email.is_empty()));
    checks.text("notes", info.notes, 0..=2000);
    checks.text("specialRequests", info.special_requests, 0..=2000);
    checks.words("dietaryRestrictions", info.dietary_restrictions, 30, 60);
    checks.words("tags", info.tags, 30, 60);
    checks.number("quotedWaitMinutes", info.quoted_wait_minutes, 0..=1440);
}

/// The tables that were asked for under either of the two names; `None` when under neither.
fn asked_tables(
    checks: &mut Checks,
    one: Option<Option<TableId>>,
    several: Option<Option<&[TableId]>>,
) -> Option<Vec<TableId>> {
    let several = several.map(|tables| tables.unwrap_or_default().to_vec());
    let one = one.map(|table| table.into_iter().collect::<Vec<_>>());
    if let (Some(one), Some(several)) = (&one, &several)
        && one.as_slice().first() != several.as_slice().first()
    {
        checks.fault(
            "tableId",
            "must be the first of tableIds when both are given",
        );
    }
    let tables = several.or(one)?;
    let mut distinct = tables.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if tables.len() > 10 || distinct.len() != tables.len() {
        checks.fault("tableIds", "must be at most 10 different tables");
    }
    Some(tables)
}

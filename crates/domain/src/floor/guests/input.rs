//! Reading what was asked: fields are checked here, rules are not.

use wire::floor::guests::{CreateGuest, UpdateGuest};
use wire::patch::given;
use wire::{GuestId, TableId};

use super::row::GuestRow;
use crate::address;
use crate::checks::{Checks, trim, trimmed};
use crate::db::Tx;
use crate::{Error, Result};

/// A new party of which this is said.
pub(super) fn new_row(tx: &Tx<'_>, id: GuestId, said: &UpdateGuest) -> Result<GuestRow> {
    patched(&GuestRow::new(tx.restaurant_id(), id, tx.now), said)
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

/// Checks the fields of a new party; returns what is said of it, and the tables that it shall have.
pub(super) fn check_new(input: &CreateGuest) -> Result<(UpdateGuest, Vec<TableId>)> {
    let mut checks = Checks::new();
    let mut said = UpdateGuest::from(input.clone());
    let name = full_name(input);
    if name.is_empty() {
        checks.fault("guestName", "is required (or firstName)");
    } else {
        checks.name("guestName", Some(&name), 1..=200);
    }
    if input.party_size.is_none() {
        checks.fault("partySize", "is required");
    }
    check_info(&mut checks, &said);
    let tables = asked_tables(
        &mut checks,
        input.table_id.map(Some),
        input
            .table_ids
            .as_ref()
            .map(|tables| Some(tables.as_slice())),
    );
    checks.finish()?;
    said.guest_name = Some(name);
    Ok((said, tables.unwrap_or_default()))
}

/// Checks the fields of a patch; returns the tables that the party shall have, if that was asked.
pub(super) fn check_patch(patch: &UpdateGuest) -> Result<Option<Vec<TableId>>> {
    let mut checks = Checks::new();
    checks.name("guestName", patch.guest_name.as_deref(), 1..=200);
    check_info(&mut checks, patch);
    checks.number("waitPosition", patch.wait_position, 1..=i32::MAX);
    let tables = asked_tables(
        &mut checks,
        patch.table_id,
        patch.table_ids.as_ref().map(Option::as_deref),
    );
    checks.finish()?;
    Ok(tables)
}

/// Checks what may be said of new parties and of others alike.
fn check_info(checks: &mut Checks, said: &UpdateGuest) {
    checks.name("firstName", given(&said.first_name), 0..=100);
    checks.name("lastName", given(&said.last_name), 0..=100);
    checks.number("partySize", said.party_size, 1..=100);
    checks.text("phone", given(&said.phone), 0..=40);
    let email = given(&said.email).map(trim);
    checks.email("email", email.filter(|email| !email.is_empty()));
    checks.text("notes", given(&said.notes), 0..=2000);
    checks.text("specialRequests", given(&said.special_requests), 0..=2000);
    let restrictions = given(&said.dietary_restrictions);
    checks.words("dietaryRestrictions", restrictions, 30, 60);
    checks.words("tags", given(&said.tags), 30, 60);
    let minutes = said.quoted_wait_minutes.flatten();
    checks.number("quotedWaitMinutes", minutes, 0..=1440);
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

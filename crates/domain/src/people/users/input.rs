//! Reading what was asked.

use wire::Role;
use wire::people::users::UpdateUser;

use super::row::Member;
use crate::Result;
use crate::checks::{Checks, trim};

/// Whether the fields of a change are right.
///
/// # Errors
/// [`crate::Error::Invalid`].
pub(super) fn check_update(patch: &UpdateUser) -> Result<()> {
    let mut checks = Checks::new();
    let (first_name, last_name) = (patch.first_name.as_deref(), patch.last_name.as_deref());
    checks.name("firstName", first_name.map(trim), 0..=100);
    checks.name("lastName", last_name.map(trim), 0..=100);
    check_role(&mut checks, patch.role);
    checks.finish()
}

pub(in crate::people) fn check_role(checks: &mut Checks, role: Option<Role>) {
    if role == Some(Role::Admin) {
        checks.fault("role", "must be owner, manager or staff");
    }
}

/// The member as it is asked for.
pub(super) fn patched(member: &Member, patch: &UpdateUser) -> Member {
    let mut next = member.clone();
    if let Some(name) = &patch.first_name {
        trim(name).clone_into(&mut next.first_name);
    }
    if let Some(name) = &patch.last_name {
        trim(name).clone_into(&mut next.last_name);
    }
    next.role = patch.role.unwrap_or(member.role);
    next.is_active = patch.is_active.unwrap_or(member.is_active);
    next
}

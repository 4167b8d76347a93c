//! Work that comes again and again: sending away those who may no longer listen, and finishing what
//! a release before left undone.

use std::collections::HashMap;
use std::time::Duration;

use domain::people::accounts;
use domain::people::sessions;
use domain::people::sessions::Standing;
use futures_util::FutureExt;
use wire::SessionId;
use wire::live::frames::CloseCode;

use crate::state::AppState;
use crate::work::Work;

/// Open sockets are checked against the database so often: with the time that a query takes, a
/// revoked device is silent within 5 s, as the contract says.
pub const CHECK_SOCKETS: Work = Work {
    name: "check_sockets",
    every: Duration::from_secs(2),
    run: |state| check_sockets(state).boxed(),
};

/// Accounts are given the keys of their addresses.
pub const FILL_KEYS: Work = Work {
    name: "fill_keys",
    every: Duration::from_secs(600),
    run: |state| fill_keys(state).boxed(),
};

/// How many devices are asked about at once.
const DEVICES_PER_QUERY: usize = 2000;

/// How many accounts are given their keys at once.
const ACCOUNTS_AT_ONCE: i64 = 1000;

/// Closes the sockets of devices that were signed out and of members who were let go; for how many
/// devices.
async fn check_sockets(state: &AppState) -> domain::Result<usize> {
    let mut devices: Vec<SessionId> = state
        .hub
        .sessions()
        .iter()
        .filter_map(|session| session.who.session_id)
        .collect();
    devices.sort_unstable();
    devices.dedup();
    let mut closed = 0;
    for some in devices.chunks(DEVICES_PER_QUERY) {
        let (asked, now) = (some.to_vec(), state.db.clock().now());
        let found: Vec<Standing> = state
            .db
            .read("sessions.standings", async move |conn| {
                sessions::standings(conn, now, &asked).await
            })
            .await?;
        let found: HashMap<SessionId, Standing> = found
            .into_iter()
            .map(|standing| (standing.session_id, standing))
            .collect();
        for device in some {
            if let Some(code) = farewell(found.get(device)) {
                state
                    .hub
                    .close_where(|session| session.who.session_id == Some(*device), code);
                closed += 1;
            }
        }
    }
    Ok(closed)
}

/// Why a device's sockets have to be closed, if they have to.
fn farewell(standing: Option<&Standing>) -> Option<CloseCode> {
    match standing {
        None => Some(CloseCode::TokenExpired),
        Some(standing) if !standing.is_live => Some(CloseCode::TokenExpired),
        Some(standing) if standing.role.is_none() && !standing.is_admin => {
            Some(CloseCode::Forbidden)
        }
        Some(_) => None,
    }
}

/// Gives accounts that have none the key of their address: those that were made before there were
/// keys, and by workers of the release before while they run.
async fn fill_keys(state: &AppState) -> domain::Result<usize> {
    let (mut after, mut without) = (None, Vec::new());
    loop {
        let filled = state
            .db
            .transaction("accounts.fill_keys", async move |conn, _| {
                accounts::fill_keys(conn, after, ACCOUNTS_AT_ONCE).await
            })
            .await?;
        without.extend(filled.without);
        after = filled.last;
        if after.is_none() {
            break;
        }
    }
    if !without.is_empty() {
        let users: Vec<String> = without.iter().map(ToString::to_string).collect();
        tracing::warn!(
            count = users.len(),
            users = users.iter().take(20).cloned().collect::<Vec<_>>().join(" "),
            "accounts whose address is none, or an older account's in another spelling: they log in \
             by the address exactly as it was typed"
        );
    }
    Ok(without.len())
}

//! Work that time brings: sending away those who may no longer listen, forgetting old events and
//! dead logins, and what is due on the floor. Every worker does it; rows are claimed, so there is
//! no leader.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::db::{Actor, Scope};
use domain::due;
use domain::floor::holds;
use domain::people::accounts;
use domain::people::sessions;
use domain::people::sessions::Standing;
use domain::people::{invitations, socket_tickets, users};
use domain::remembered;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::SessionId;
use wire::live::frames::CloseCode;

use crate::live::presence;
use crate::platform::limits;
use crate::seen::scrub::scrubbed;
use crate::state::AppState;

/// How often open sockets are checked against the database. With the time that a query takes, a
/// revoked device is silent within 5 s, as the contract says.
const CHECK_SOCKETS: Duration = Duration::from_secs(2);

/// How many devices are asked about at once.
const DEVICES_PER_QUERY: usize = 2000;

/// How often rows are looked for whose time has come, and in how many restaurants at once. To find
/// none costs a page of two small indexes.
const DUE: Duration = Duration::from_secs(1);
const DUE_AT_ONCE: i64 = 500;

/// How often the replica is looked at; the primary's heart beats as often.
const REPLICA: Duration = Duration::from_secs(1);

/// How often old events are looked for, how many go at once, and how many times in a row.
const PRUNE: Duration = Duration::from_secs(60);
const PRUNE_BATCH: i64 = 500;
const PRUNE_ROUNDS: usize = 200;

/// How often dead logins, tickets and kept slots are looked for, and how many go at once.
const SWEEP: Duration = Duration::from_secs(600);
const SWEEP_BATCH: i64 = 1000;

/// Starts the work; it ends with `token`.
pub fn start(state: &Arc<AppState>, token: &CancellationToken, tasks: &TaskTracker) {
    tasks.spawn(presence::run(Arc::clone(state), token.clone()));
    every(CHECK_SOCKETS, state, token, tasks, |state| {
        check_sockets(state).boxed()
    });
    every(DUE, state, token, tasks, |state| pass_time(state).boxed());
    every(REPLICA, state, token, tasks, |state| {
        state.reads.watch().map(Ok).boxed()
    });
    every(limits::COMPARE, state, token, tasks, |state| {
        state.limits.compare().map(Ok).boxed()
    });
    every(PRUNE, state, token, tasks, |state| prune(state).boxed());
    every(SWEEP, state, token, tasks, |state| {
        prune_audit(state).boxed()
    });
    every(SWEEP, state, token, tasks, |state| sweep(state).boxed());
    every(SWEEP, state, token, tasks, |state| {
        forget_answers(state).boxed()
    });
    every(SWEEP, state, token, tasks, |state| fill_keys(state).boxed());
}

/// Runs `work` every `period`, never twice at once. A failure is logged; the next round tries
/// again.
fn every(
    period: Duration,
    state: &Arc<AppState>,
    token: &CancellationToken,
    tasks: &TaskTracker,
    work: fn(&AppState) -> BoxFuture<'_, domain::Result<()>>,
) {
    let (state, token) = (Arc::clone(state), token.clone());
    tasks.spawn(async move {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                _ = ticks.tick() => {
                    if let Err(error) = work(&state).await {
                        failed(&error);
                    }
                }
            }
        }
    });
}

/// What passes, such as a database that is away, is no fault of the program.
fn failed(error: &domain::Error) {
    match error {
        domain::Error::Database(_) | domain::Error::Internal(_) => {
            let cause = scrubbed(&error.to_string());
            tracing::error!(cause, "background work failed");
        }
        _ => tracing::warn!(%error, "background work failed and will be tried again"),
    }
}

/// Closes the sockets of devices that were signed out and of members who were let go.
async fn check_sockets(state: &AppState) -> domain::Result<()> {
    let mut devices: Vec<SessionId> = state
        .hub
        .sessions()
        .iter()
        .filter_map(|session| session.who.session_id)
        .collect();
    devices.sort_unstable();
    devices.dedup();
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
            }
        }
    }
    Ok(())
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

/// Lets time pass for parties and tables that are due. A restaurant at which something goes wrong
/// does not keep the others waiting.
async fn pass_time(state: &AppState) -> domain::Result<()> {
    let now = state.db.clock().now();
    let found = state
        .db
        .read("due.find", async move |conn| {
            due::restaurants(conn, now, DUE_AT_ONCE).await
        })
        .await?;
    let mut result = Ok(());
    for restaurant in found {
        let scope = Scope::new(restaurant, Actor::SYSTEM);
        let passed = state
            .commit("due.pass_time", &scope, async |tx| due::pass_time(tx).await)
            .await;
        if let Err(error) = passed {
            tracing::warn!(%restaurant, %error, "time could not pass");
            result = Err(error);
        }
    }
    result
}

/// Forgets events that are older than the retention, in small batches.
async fn prune(state: &AppState) -> domain::Result<()> {
    let keep = TimeDelta::from_std(state.config.live.retention).unwrap_or(TimeDelta::MAX);
    for _ in 0..PRUNE_ROUNDS {
        let gone = state
            .db
            .transaction("log.prune", async move |conn, now| {
                domain::log::prune(conn, now - keep, PRUNE_BATCH).await
            })
            .await?;
        if gone == 0 {
            break;
        }
    }
    Ok(())
}

/// Forgets what the audit has kept for long enough, in small batches.
async fn prune_audit(state: &AppState) -> domain::Result<()> {
    let keep = TimeDelta::from_std(state.config.live.audit_retention).unwrap_or(TimeDelta::MAX);
    for _ in 0..PRUNE_ROUNDS {
        let gone = state
            .db
            .transaction("audit.prune", async move |conn, now| {
                domain::audit::prune(conn, now - keep, SWEEP_BATCH).await
            })
            .await?;
        if i64::try_from(gone).is_ok_and(|gone| gone < SWEEP_BATCH) {
            break;
        }
    }
    Ok(())
}

/// Removes logins, tickets, links and kept slots that can never be used again.
async fn sweep(state: &AppState) -> domain::Result<()> {
    state
        .db
        .transaction("sessions.sweep", async move |conn, now| {
            sessions::sweep_expired(conn, now, SWEEP_BATCH).await?;
            holds::sweep_expired(conn, now, SWEEP_BATCH).await?;
            invitations::sweep_expired(conn, now, SWEEP_BATCH).await?;
            users::sweep_expired_resets(conn, now, SWEEP_BATCH).await?;
            socket_tickets::sweep_expired(conn, now, SWEEP_BATCH).await
        })
        .await?;
    Ok(())
}

/// Gives accounts that have none the key of their address: those that were made before there were
/// keys, and by workers of the release before while they run.
async fn fill_keys(state: &AppState) -> domain::Result<()> {
    let (mut after, mut without) = (None, Vec::new());
    loop {
        let filled = state
            .db
            .transaction("accounts.fill_keys", async move |conn, _| {
                accounts::fill_keys(conn, after, SWEEP_BATCH).await
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
    Ok(())
}

/// Forgets what clients were answered long ago.
async fn forget_answers(state: &AppState) -> domain::Result<()> {
    for _ in 0..PRUNE_ROUNDS {
        let gone = state
            .db
            .transaction("answers.forget", async move |conn, now| {
                remembered::forget_answers(conn, now, SWEEP_BATCH).await
            })
            .await?;
        if i64::try_from(gone).is_ok_and(|gone| gone < SWEEP_BATCH) {
            break;
        }
    }
    Ok(())
}

//! Work that comes again and again: sending away those who may no longer listen, letting time pass,
//! forgetting what nobody needs. Every worker does it; rows are claimed, so there is no leader.
//!
//! Each kind of work runs in a task of its own and fails by itself. Rooms register theirs in
//! `rooms.rs`; what is due and what is swept are lists of the domain's.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::RestaurantId;

use super::{due, sweeps};
use crate::live::presence;
use crate::platform::limits;
use crate::rooms;
use crate::seen::scrub::scrubbed;
use crate::state::AppState;

/// What work comes to: for how many things something was done.
pub type Done<'s> = BoxFuture<'s, domain::Result<usize>>;

/// Work that comes again and again.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// What it is called in logs and metrics.
    pub name: &'static str,
    /// How often.
    pub every: Duration,
    /// Does it.
    pub run: for<'s> fn(&'s AppState) -> Done<'s>,
}

/// What the ground itself has to do. The replica is looked at as often as the primary's heart beats.
const OF_THE_GROUND: [Work; 2] = [
    Work {
        name: "replica",
        every: Duration::from_secs(1),
        run: |state| state.reads.watch().map(|()| Ok(0)).boxed(),
    },
    Work {
        name: "limits",
        every: limits::COMPARE,
        run: |state| state.limits.compare().map(|()| Ok(0)).boxed(),
    },
];

/// Starts the work; it ends with `token`.
pub fn start(state: &Arc<AppState>, token: &CancellationToken, tasks: &TaskTracker) {
    tasks.spawn(presence::run(Arc::clone(state), token.clone()));
    tasks.spawn(due::run(Arc::clone(state), token.clone()));
    for work in OF_THE_GROUND.iter().chain(rooms::WORK) {
        let run = move |state: Arc<AppState>| async move { (work.run)(&state).await };
        tasks.spawn(every(work.name, work.every, state, token, run));
    }
    for sweep in domain::rooms::SWEEPS {
        let run = |state| sweeps::run(state, *sweep);
        tasks.spawn(every(sweep.name, sweeps::period(sweep), state, token, run));
    }
}

/// Does something every `period`, never twice at once, until `token` ends it. A failure is logged
/// and counted; the next round tries again.
fn every<F: Future<Output = domain::Result<usize>> + Send>(
    name: &'static str,
    period: Duration,
    state: &Arc<AppState>,
    token: &CancellationToken,
    run: impl Fn(Arc<AppState>) -> F + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let (state, token) = (Arc::clone(state), token.clone());
    async move {
        state.metrics.expect_work(name);
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                _ = ticks.tick() => {
                    let done = run(Arc::clone(&state)).await;
                    note(&state, name, None, &done);
                }
            }
        }
    }
}

/// Counts what was done, and logs what went wrong, and where, if it was for one restaurant.
pub(super) fn note(
    state: &AppState,
    work: &'static str,
    restaurant: Option<RestaurantId>,
    done: &domain::Result<usize>,
) {
    let restaurant = restaurant.map(tracing::field::display);
    state.metrics.worked(work, done.as_ref().ok().copied());
    match done {
        Ok(_) => {}
        Err(error @ (domain::Error::Database(_) | domain::Error::Internal(_))) => {
            let cause = scrubbed(&error.to_string());
            tracing::error!(work, restaurant, cause, "background work failed");
        }
        // What passes, such as a database that is away, is no fault of the program.
        Err(error) => {
            tracing::warn!(work, restaurant, %error, "background work failed and will be tried again");
        }
    }
}

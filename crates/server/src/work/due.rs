//! Lets time pass: restaurants that have something due are worked off beside each other, a few at a
//! time, each in its turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::db::{Actor, Scope};
use domain::due::{self, Due};
use domain::rooms::DUE;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use wire::RestaurantId;

use super::background::note;
use super::turns::{Turn, Turns};
use crate::state::AppState;

/// How often rows are looked for whose time has come, and in how many restaurants at once. To find
/// none costs a page of a small index for each table.
const PERIOD: Duration = Duration::from_secs(1);
const FOUND_AT_ONCE: usize = 500;

/// How many restaurants are worked at once, where there are connections for as many.
const WORKED_AT_ONCE: usize = 4;

/// A kind of rows. A closure that captures this, and no reference, can be shown to be `Send`.
#[derive(Clone, Copy)]
struct Kind(&'static dyn Due);

impl Kind {
    fn named(name: &str) -> Option<Self> {
        DUE.iter().find(|due| due.name() == name).copied().map(Self)
    }

    const fn get(self) -> &'static dyn Due {
        self.0
    }
}

/// Turns that are under way, by their tasks.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<bool>,
    turns: HashMap<Id, Turn>,
}

impl UnderWay {
    fn start(&mut self, turn: Turn, work: impl Future<Output = bool> + Send + 'static) {
        let id = self.tasks.spawn(work).id();
        self.turns.insert(id, turn);
    }

    /// The next that is over, and whether it went well; none when none is under way.
    async fn over(&mut self) -> Option<(Turn, bool)> {
        let over = self.tasks.join_next_with_id().await?;
        // One that panicked was told of by the hook for panics.
        let (id, is_ok) = over.unwrap_or_else(|panicked: JoinError| (panicked.id(), false));
        self.turns.remove(&id).map(|turn| (turn, is_ok))
    }
}

/// Lets time pass until `token` ends it; what is under way is finished.
pub(super) async fn run(state: Arc<AppState>, token: CancellationToken) {
    let at_once = state.db.most_writes().clamp(1, WORKED_AT_ONCE);
    let (mut turns, mut under_way) = (Turns::default(), UnderWay::default());
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for due in DUE {
        state.metrics.expect_work(due.name());
    }
    loop {
        while under_way.tasks.len() < at_once
            && let Some(turn) = turns.next()
        {
            under_way.start(turn, take(Arc::clone(&state), turn));
        }
        tokio::select! {
            () = token.cancelled() => break,
            Some((turn, is_ok)) = under_way.over() => turns.over(turn, is_ok, Instant::now()),
            _ = ticks.tick(), if turns.is_empty() => look(&state, &mut turns).await,
        }
    }
    while under_way.over().await.is_some() {}
}

/// Looks for what is due, of each kind by itself.
async fn look(state: &AppState, turns: &mut Turns) {
    for due in DUE {
        let except = turns.left_alone(due.name(), Instant::now());
        match find(state, Kind(*due), except).await {
            Ok(found) => turns.found(due.name(), found),
            Err(error) => note(state, due.name(), None, &Err(error)),
        }
    }
}

async fn find(
    state: &AppState,
    due: Kind,
    except: Vec<RestaurantId>,
) -> domain::Result<Vec<RestaurantId>> {
    let now = state.db.clock().now();
    state
        .db
        .read("due.find", async move |conn| {
            due::find(conn, due.get(), now, &except, FOUND_AT_ONCE).await
        })
        .await
}

/// Lets time pass for some rows of one kind in one restaurant; whether that went well.
fn take(state: Arc<AppState>, (kind, restaurant): Turn) -> BoxFuture<'static, bool> {
    async move {
        let Some(due) = Kind::named(kind) else {
            return true;
        };
        let scope = Scope::new(restaurant, Actor::SYSTEM);
        let passed = state
            .commit("due.pass_time", &scope, async move |tx| {
                due::pass_time(tx, due.get()).await
            })
            .await
            .map(|saved| saved.value);
        note(&state, kind, Some(restaurant), &passed);
        passed.is_ok()
    }
    .boxed()
}

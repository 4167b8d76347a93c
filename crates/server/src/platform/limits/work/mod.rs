//! A restaurant's share of what a worker can do.
//!
//! Limits by the minute count requests, and a request may be a look at one table or five hundred
//! moves of a waiting list. What others miss while one house floods is time: of the worker's
//! threads, which is taken while its handlers run, and of the database, which all workers share and
//! of whose work only this is known here, how long its connections are held. Both together are what
//! a request costs. A house pays with time: [`LimitsConfig::work`] in each second, and a second's
//! worth may be owed. Who owes more waits, and what would wait for longer than three seconds is
//! refused; see [`debts`].
//!
//! A house that is alone on its worker has all of it. The share counts as soon as anybody else has
//! asked for anything in the last ten seconds, and not only once the worker is busy: whether it is
//! cannot be told from inside. Where one machine carries the database and several workers, the
//! processor is taken while each worker by itself is calm; and a share that begins with the damage
//! lets others feel it again each time that it has helped.
//!
//! Each worker keeps its own account. A house that is served by several has as many shares, of as
//! many workers.

pub(super) mod debts;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::db::{Usage, serving_counted};
use parking_lot::Mutex;
use wire::{ErrorCode, RestaurantId};

use self::debts::{Debts, Kind};
use super::seconds;
use crate::platform::errors::ApiError;
use crate::seen::metrics::Sheet;

#[cfg(doc)]
use crate::config::LimitsConfig;

/// What a second of a connection costs, in seconds of a processor. For most of the time that a
/// connection is held nobody works: statements and answers are on their way, or locks are waited
/// for.
const HELD: f64 = 0.25;

/// How much more than expected is charged at once while a request is answered.
const STEP: Duration = Duration::from_millis(5);

/// The accounts of all houses; `None` when nobody keeps them.
pub(super) struct Work(Option<Arc<Accounts>>);

struct Accounts {
    debts: Mutex<Debts>,
    waited: AtomicU64,
    refused: AtomicU64,
}

/// A request that is being answered for a restaurant, and what it costs. It is paid for when this
/// is dropped, also if nobody waited for the answer.
#[must_use = "what is done in a turn is run by it"]
pub struct Turn {
    accounts: Arc<Accounts>,
    house: RestaurantId,
    kind: Kind,
    charged: Duration,
    ran: Duration,
    usage: Usage,
}

impl Work {
    /// So many milliseconds of a processor in a second for each house, or as many as it wants for 0.
    pub(super) fn new(share: u32) -> Self {
        Self((share > 0).then(|| {
            Arc::new(Accounts {
                debts: Mutex::new(Debts::new(share)),
                waited: AtomicU64::new(0),
                refused: AtomicU64::new(0),
            })
        }))
    }

    /// Somebody asked for something: of a house, or of none.
    pub(super) fn visited(&self, by: Option<RestaurantId>) {
        if let Some(accounts) = &self.0 {
            accounts.debts.lock().visited(Instant::now(), by);
        }
    }

    /// Waits until a house can afford what it asks for; `None` when there are no accounts.
    ///
    /// # Errors
    /// 429 when it would have to wait for too long.
    pub(super) async fn turn(
        &self,
        house: RestaurantId,
        kind: Kind,
    ) -> Result<Option<Turn>, ApiError> {
        let Some(accounts) = &self.0 else {
            return Ok(None);
        };
        let begun = accounts.debts.lock().begin(Instant::now(), house, kind);
        let begun = begun.map_err(|wait| {
            accounts.refused.fetch_add(1, Ordering::Relaxed);
            refusal(wait)
        })?;
        let turn = Turn {
            accounts: Arc::clone(accounts),
            house,
            kind,
            charged: begun.charged,
            ran: Duration::ZERO,
            usage: Usage::default(),
        };
        if !begun.wait.is_zero() {
            accounts.waited.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(begun.wait).await;
        }
        Ok(Some(turn))
    }

    /// Forgets houses that have paid and did not come for long.
    pub(super) fn forget(&self) {
        if let Some(accounts) = &self.0 {
            accounts.debts.lock().forget(Instant::now());
        }
    }

    pub(super) fn show(&self, sheet: &mut Sheet) {
        let Some(accounts) = &self.0 else {
            return;
        };
        let help =
            "Requests that waited because their restaurant had used up its share of the work.";
        let waited = accounts.waited.load(Ordering::Relaxed);
        sheet.counter("work_waited_total", help, waited);
        let help =
            "Requests that were refused because their restaurant would have waited too long.";
        let refused = accounts.refused.load(Ordering::Relaxed);
        sheet.counter("work_refused_total", help, refused);
    }
}

fn refusal(wait: Duration) -> ApiError {
    let sentence = "This restaurant has used up its share of the work, and others wait. \
                    Please come back in a moment.";
    ApiError::new(ErrorCode::TooMany, sentence).retry_after(seconds(wait))
}

impl Turn {
    /// Does what the turn is for. Each time that it runs on a thread is counted, and each
    /// connection that it holds.
    pub async fn run<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(serving_counted(self.house, self.usage.clone(), work));
        poll_fn(|context| {
            let began = Instant::now();
            let polled = work.as_mut().poll(context);
            self.ran += began.elapsed();
            self.charge_more();
            polled
        })
        .await
    }

    /// Charges what a long one has cost beyond what was expected, for those who come meanwhile.
    fn charge_more(&mut self) {
        let cost = self.cost();
        let more = cost.saturating_sub(self.charged);
        if more > STEP {
            self.charged = cost;
            let mut debts = self.accounts.debts.lock();
            debts.charge(Instant::now(), self.house, more);
        }
    }

    fn cost(&self) -> Duration {
        self.ran + self.usage.held().mul_f64(HELD)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let cost = self.cost();
        let mut debts = self.accounts.debts.lock();
        debts.end(Instant::now(), self.house, self.kind, self.charged, cost);
    }
}

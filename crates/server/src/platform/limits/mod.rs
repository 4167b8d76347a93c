//! How much anybody may ask for.
//!
//! Two ways of counting, both by GCRA (see [`Rate`]):
//! - **exactly**, for logins and new restaurants: one script in Redis for each request, all workers
//!   together. A login takes many times longer for its password alone.
//! - **here first**, for everything else: this worker decides by what it knows, at the price of a
//!   look into a table, and once a second the workers add up in Redis what each let through, for
//!   all whose debts are not paid by then. Nobody waits for Redis. Whoever spreads requests over N workers may get up to N bursts within that
//!   second; what was too much is a debt like any other and is paid before the next request, so in
//!   the long run the rate is exact.
//!
//! When Redis does not answer within a second, or there is none, each worker goes by what it knows
//! itself: a restaurant must not stop because of a limiter. `qtable_rate_limit_shared` says so.
//!
//! Beside what requests are counted by, a restaurant has a share of the worker's time ([`work`]), and
//! refusals in a flood take time ([`refusal`]).
//!
//! A whole restaurant stands behind one address, thirty tablets perhaps under one account, and after
//! a deploy all of them come back at once. Hence the limits are those of a restaurant in trouble,
//! not of a tablet: a period's worth may be asked for in one burst.

mod failures;
mod gcra;
mod ledger;
mod refusal;
mod shared;
mod subject;
mod work;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use tokio::runtime::Handle;
use wire::{ErrorCode, RestaurantId, RootId, UserId};

pub use self::failures::Guessed;
pub use self::gcra::{Rate, Verdict};
use self::ledger::Ledger;
use self::refusal::Refusals;
use self::shared::Shared;
use self::subject::Subject;
pub use self::subject::Tier;
pub use self::work::Turn;
use self::work::Work;
use crate::config::{Config, LimitsConfig};
use crate::platform::errors::ApiError;
use crate::seen::metrics::{Metrics, Sheet};

/// How often the workers compare.
pub const COMPARE: Duration = Duration::from_secs(1);

/// Counts, and refuses. When limits are off it counts nothing.
pub struct Limits(Option<Arc<Counting>>);

struct Counting {
    config: LimitsConfig,
    ledger: Ledger,
    shared: Option<Shared>,
    known: failures::Known,
    refused: [AtomicU64; Tier::ALL.len()],
    work: Work,
    refusals: Refusals,
}

/// The refusal of a request whose address has used up what it has, for the handler to give unless
/// it knows who comes.
pub struct FullDoor(Option<ApiError>);

impl FullDoor {
    /// To be left in the request.
    #[must_use]
    pub const fn new(refusal: ApiError) -> Self {
        Self(Some(refusal))
    }

    /// The refusal of a request, if there is one.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<ApiError> {
        request.extensions_mut().get_mut::<Self>()?.0.take()
    }
}

impl Limits {
    /// As configured; connections to Redis live on `runtime`.
    ///
    /// # Errors
    /// When the address of Redis is none.
    pub fn new(config: &Config, metrics: &Metrics, runtime: Handle) -> anyhow::Result<Self> {
        let Some(limits) = config.limits else {
            return Ok(Self(None));
        };
        let shared = config.redis.as_ref();
        let shared = shared
            .map(|redis| Shared::new(redis, runtime))
            .transpose()?;
        let counting = Arc::new(Counting {
            config: limits,
            ledger: Ledger::default(),
            shared,
            known: failures::Known::default(),
            refused: Default::default(),
            work: Work::new(limits.work),
            refusals: Refusals::default(),
        });
        let shown = Arc::clone(&counting);
        metrics.on_scrape(move |sheet| shown.show(sheet));
        Ok(Self(Some(counting)))
    }

    /// Counts a request of an address, before anything else of it is looked at.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub async fn address(
        &self,
        tier: Tier,
        address: Option<IpAddr>,
    ) -> Result<Option<Verdict>, ApiError> {
        let (Some(counting), Some(address)) = (&self.0, address) else {
            return Ok(None);
        };
        let takes = [(
            Subject::address(tier, address),
            counting.config.of_address(tier),
        )];
        let verdict = if matches!(tier, Tier::Logins | Tier::Registrations) {
            counting.take_exactly(&takes).await
        } else {
            counting.ledger.take(Instant::now(), &takes)
        };
        counting.passed(tier, verdict)
    }

    /// Counts a request of an account, once it is known.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub fn account(&self, tier: Tier, user: UserId) -> Result<Option<Verdict>, ApiError> {
        let Some(counting) = &self.0 else {
            return Ok(None);
        };
        let takes = [(
            Subject::account(tier, user),
            counting.config.of_account(tier),
        )];
        counting.passed(tier, counting.ledger.take(Instant::now(), &takes))
    }

    /// Counts a request of somebody who holds a thing without an account, as an account's.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub fn holder(&self, tier: Tier, root: RootId) -> Result<Option<Verdict>, ApiError> {
        let Some(counting) = &self.0 else {
            return Ok(None);
        };
        let takes = [(
            Subject::holder(tier, root),
            counting.config.of_account(tier),
        )];
        counting.passed(tier, counting.ledger.take(Instant::now(), &takes))
    }

    /// Waits until a restaurant can afford what is asked for it, a route and as what it is counted;
    /// `None` when there are no accounts.
    ///
    /// # Errors
    /// 429 when it would have to wait for too long.
    pub async fn turn(
        &self,
        house: RestaurantId,
        kind: (&'static str, Tier),
    ) -> Result<Option<Turn>, ApiError> {
        match &self.0 {
            Some(counting) => counting.work.turn(house, kind).await,
            None => Ok(None),
        }
    }

    /// Something was asked for that no restaurant is charged for: by whom, if that is known.
    pub fn visited(&self, by: Option<RestaurantId>) {
        if let Some(counting) = &self.0 {
            counting.work.visited(by);
        }
    }

    /// Takes the time that a refusal takes now, without holding anything.
    pub async fn linger(&self) {
        if let Some(counting) = &self.0 {
            counting.refusals.linger().await;
        }
    }

    /// Adds up with the other workers; to be called every [`COMPARE`].
    pub async fn compare(&self) {
        let Some(counting) = &self.0 else {
            return;
        };
        // Also without Redis: what is paid is forgotten here.
        let shares = counting.ledger.shares(Instant::now());
        counting.work.forget();
        let Some(shared) = &counting.shared else {
            return;
        };
        if shares.is_empty() {
            shared.look_again().await;
            return;
        }
        let debts = shared.tell(&shares).await;
        let (told, not_told) = shares.split_at(debts.len().min(shares.len()));
        counting.ledger.told(Instant::now(), told, &debts);
        counting.ledger.not_told(not_told);
    }
}

impl Counting {
    /// Takes one of each or none, together with all other workers if Redis answers.
    async fn take_exactly(&self, takes: &[(Subject, Rate)]) -> Option<Verdict> {
        let debts = match &self.shared {
            Some(shared) => shared.take(takes).await,
            None => None,
        };
        match debts {
            Some(debts) => takes
                .iter()
                .zip(debts)
                .map(|((_, rate), debt)| rate.judge(debt))
                .reduce(Verdict::tighter),
            None => self.ledger.take(Instant::now(), takes),
        }
    }

    fn passed(&self, tier: Tier, verdict: Option<Verdict>) -> Result<Option<Verdict>, ApiError> {
        let Some(verdict) = verdict else {
            return Ok(None);
        };
        let Some(wait) = verdict.wait else {
            return Ok(Some(verdict));
        };
        let tiers = Tier::ALL.iter().zip(&self.refused);
        for (_, refused) in tiers.filter(|(known, _)| **known == tier) {
            refused.fetch_add(1, Ordering::Relaxed);
        }
        let sentence = "Too many requests. Please come back in a moment.";
        let error = ApiError::new(ErrorCode::TooMany, sentence).retry_after(seconds(wait));
        let headers = headers(&verdict).into_iter();
        Err(headers.fold(error, |error, (name, value)| error.header(name, value)))
    }

    fn show(&self, sheet: &mut Sheet) {
        let refused = Tier::ALL.iter().zip(&self.refused);
        let refused = refused.map(|(tier, count)| (tier.as_str(), count.load(Ordering::Relaxed)));
        let help = "Requests that were too many, by tier.";
        sheet.counters("rate_limited_total", help, "tier", refused);
        self.work.show(sheet);
        if let Some(shared) = &self.shared {
            let help = "1 while the workers count together, 0 while each counts by itself.";
            let is_up = if shared.is_up() { 1.0 } else { 0.0 };
            sheet.gauge("rate_limit_shared", help, is_up);
            let help = "Questions about limits that Redis did not answer.";
            sheet.counter("rate_limit_fallbacks_total", help, shared.failures());
        }
    }
}

/// Says on an answer how much is left, unless it says by which limit it was refused.
pub fn say(verdict: &Verdict, into: &mut HeaderMap) {
    for (name, value) in headers(verdict) {
        if !into.contains_key(&name) {
            into.insert(name, value);
        }
    }
}

fn headers(verdict: &Verdict) -> [(HeaderName, HeaderValue); 3] {
    let header = |name, value: u64| (HeaderName::from_static(name), HeaderValue::from(value));
    [
        header("ratelimit-limit", verdict.limit.into()),
        header("ratelimit-remaining", verdict.remaining.into()),
        header("ratelimit-reset", seconds(verdict.reset)),
    ]
}

/// Whole seconds, none of them too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let config = self.0.as_ref().map(|counting| counting.config);
        f.debug_tuple("Limits").field(&config).finish()
    }
}

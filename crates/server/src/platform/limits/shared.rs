//! Debts in Redis, where those of all workers are added up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use deadpool_redis::redis::{self, AsyncConnectionConfig};
use deadpool_redis::{Connection, Manager, Pool};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::gcra::Rate;
use super::ledger::Share;
use super::subject::Subject;
use crate::config::RedisConfig;

/// How long Redis may take. A login waits no longer than this, and then goes by what this worker
/// knows.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long Redis is left alone after it did not answer: not every login shall find that out.
const PAUSE: Duration = Duration::from_secs(1);

/// Adds to debts, in microseconds, all or none: ARGV is whether to add whatever comes of it, then
/// for each key what to add and how much it may be. Answers whether it added, and the debts, with
/// what was to be added. Redis' clock counts, so that the workers' need not agree.
const ADD: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local debts, added = {}, 1
for i, key in ipairs(KEYS) do
  local debt = (tonumber(redis.call('GET', key)) or 0) - now
  if debt < 0 then debt = 0 end
  debts[i] = debt + ARGV[2 * i]
  if debts[i] < 0 then debts[i] = 0 end
  if debts[i] > tonumber(ARGV[2 * i + 1]) and ARGV[1] == '0' then added = 0 end
end
if added == 1 then
  for i, key in ipairs(KEYS) do
    if debts[i] > 0 then
      local till = string.format('%.0f', now + debts[i])
      redis.call('SET', key, till, 'PX', math.ceil(debts[i] / 1000))
    else
      redis.call('DEL', key)
    end
  end
end
return {added, unpack(debts)}
";

/// How many debts are sent at once, so that Redis does not stand still for others.
const AT_ONCE: usize = 500;

/// A small pool of connections of its own. Its tasks run on the runtime that outlives the HTTP
/// server.
pub(super) struct Shared {
    pool: Pool,
    prefix: String,
    runtime: Handle,
    /// Not asked before then.
    not_before: Mutex<Option<Instant>>,
    is_up: AtomicBool,
    failures: AtomicU64,
}

impl Shared {
    /// Counts at the first of several servers, wherever the hints of a restaurant go. A Redis
    /// Cluster may send this one away for most of the keys; then each worker counts alone.
    pub(super) fn new(config: &RedisConfig, runtime: Handle) -> anyhow::Result<Self> {
        let first = config.urls.first().context("REDIS_URL is empty")?;
        let info = realtime::redis_server(first.reveal(), config.authorities.as_deref())?;
        let options = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let manager = Manager::new_with_config(info, options)?;
        Ok(Self {
            pool: Pool::builder(manager).max_size(4).build()?,
            prefix: config.prefix.clone(),
            runtime,
            not_before: Mutex::new(None),
            is_up: AtomicBool::new(true),
            failures: AtomicU64::new(0),
        })
    }

    /// Whether Redis answered the last time.
    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// How often this worker went by what it knew itself.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Takes one of each, or none when one would be too much. Returns the debts with what was to be
    /// taken; `None` when Redis does not answer.
    pub(super) async fn take(&self, takes: &[(Subject, Rate)]) -> Option<Vec<Duration>> {
        let mut command = self.add(takes.iter().map(|(subject, _)| subject));
        command.arg(0);
        for (_, rate) in takes {
            command.arg(micros(rate.cost())).arg(micros(rate.period));
        }
        self.debts(command).await
    }

    /// Gives one of each back.
    pub(super) async fn give_back(&self, takes: &[(Subject, Rate)]) {
        let mut command = self.add(takes.iter().map(|(subject, _)| subject));
        command.arg(1);
        for (_, rate) in takes {
            command.arg(-micros(rate.cost())).arg(0);
        }
        self.debts(command).await;
    }

    /// Adds what this worker has let through, and returns what all have; as many as Redis answered.
    pub(super) async fn tell(&self, shares: &[Share]) -> Vec<Duration> {
        let mut debts = Vec::with_capacity(shares.len());
        for some in shares.chunks(AT_ONCE) {
            let mut command = self.add(some.iter().map(|share| &share.subject));
            command.arg(1);
            for share in some {
                command.arg(micros(share.cost)).arg(0);
            }
            match self.debts(command).await {
                Some(more) => debts.extend(more),
                None => break,
            }
        }
        debts
    }

    /// Finds out whether Redis is back, so that no login has to.
    pub(super) async fn look_again(&self) {
        if !self.is_up() {
            self.ask::<()>(redis::cmd("PING")).await;
        }
    }

    /// Notes something for a while.
    pub(super) async fn note(&self, subject: &Subject, lifetime: Duration) {
        let mut command = redis::cmd("SET");
        let key = format!("{}{}", self.prefix, subject.key());
        command.arg(key).arg(1).arg("EX").arg(lifetime.as_secs());
        self.ask::<()>(command).await;
    }

    /// Whether something is noted; `None` when Redis does not answer.
    pub(super) async fn is_noted(&self, subject: &Subject) -> Option<bool> {
        let mut command = redis::cmd("EXISTS");
        command.arg(format!("{}{}", self.prefix, subject.key()));
        self.ask::<bool>(command).await
    }

    fn add<'s>(&self, subjects: impl ExactSizeIterator<Item = &'s Subject>) -> redis::Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(ADD).arg(subjects.len());
        for subject in subjects {
            command.arg(format!("{}{}", self.prefix, subject.key()));
        }
        command
    }

    /// What [`ADD`] answers, without whether it added: that shows in the debts.
    async fn debts(&self, command: redis::Cmd) -> Option<Vec<Duration>> {
        let answer = self.ask::<Vec<u64>>(command).await?;
        Some(
            answer
                .into_iter()
                .skip(1)
                .map(Duration::from_micros)
                .collect(),
        )
    }

    async fn ask<T>(&self, command: redis::Cmd) -> Option<T>
    where
        T: redis::FromRedisValue + Send + 'static,
    {
        if self
            .not_before
            .lock()
            .is_some_and(|then| Instant::now() < then)
        {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let pool = self.pool.clone();
        let asked = self
            .runtime
            .spawn(async move { tokio::time::timeout(PATIENCE, asked(&pool, &command)).await });
        let problem = match asked.await {
            Ok(Ok(Ok(answer))) => {
                self.is_up.store(true, Ordering::Relaxed);
                return Some(answer);
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(_elapsed)) => "it took too long".to_owned(),
            Err(error) => error.to_string(),
        };
        if self.is_up.swap(false, Ordering::Relaxed) {
            tracing::warn!(
                problem,
                "Redis does not keep the rate limits; each worker keeps its own"
            );
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.not_before.lock() = Some(Instant::now() + PAUSE);
        None
    }
}

async fn asked<T: redis::FromRedisValue>(pool: &Pool, command: &redis::Cmd) -> anyhow::Result<T> {
    let mut connection = pool.get().await?;
    let answer = command.query_async(&mut connection).await;
    if answer.is_err() {
        // Not back into the pool: it may be dead.
        drop(Connection::take(connection));
    }
    Ok(answer?)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

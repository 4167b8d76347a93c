//! Workers that share a log and a bus through a server; each reaches it through a proxy of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use realtime::bus::{Bus, Reach};
use realtime::{Hub, HubConfig, RedisConfig, Session};
use testkit::proxy::Proxy;
use testkit::redis::random_prefix;
use testkit::wait::{self, DEADLINE};
use tokio::time::Instant;
use wire::Seq;

use super::log::FakeLog;
use super::{HERE, at, config, epoch, expect, join};

type MakeBus = dyn Fn(&str) -> Arc<dyn Bus> + Send + Sync;

pub(crate) struct House {
    pub(crate) log: Arc<FakeLog>,
    url: String,
    make_bus: Box<MakeBus>,
    workers: Vec<(Hub, Proxy)>,
}

/// A comparison comes only when the bus reaches less or more than before, or while it does not
/// reach everybody: what arrives otherwise came by the bus.
fn without_comparing() -> HubConfig {
    let mut config = config();
    config.compare_every = Some(Duration::from_secs(3600));
    config
}

impl House {
    /// Over the Redis of this URL, with a prefix of its own.
    pub(crate) async fn on_redis(url: &str, workers: usize) -> Self {
        Self::on_redis_with(url, workers, |_| {}).await.0
    }

    /// The same with changes to the configuration; also says the prefix.
    pub(crate) async fn on_redis_with(
        url: &str,
        workers: usize,
        change: impl Fn(&mut RedisConfig) + Send + Sync + 'static,
    ) -> (Self, String) {
        let prefix = random_prefix();
        let own = prefix.clone();
        let make_bus = move |url: &str| {
            let mut redis = RedisConfig::new([url], &own);
            change(&mut redis);
            redis.bus().expect("a Redis URL")
        };
        (Self::on(url, workers, make_bus).await, prefix)
    }

    /// Over the server of this URL, by buses that are given the URL of a proxy to it.
    pub(crate) async fn on(
        url: &str,
        workers: usize,
        make_bus: impl Fn(&str) -> Arc<dyn Bus> + Send + Sync + 'static,
    ) -> Self {
        let mut house = Self {
            log: Arc::new(FakeLog::default()),
            url: url.to_owned(),
            make_bus: Box::new(make_bus),
            workers: Vec::new(),
        };
        house.log.open(HERE, epoch(1));
        for _ in 0..workers {
            house.start().await;
        }
        for n in 0..workers {
            house.until_full(n).await;
            // Nobody misses whom he has never heard.
            let all = |hub: &Hub| {
                let parts = hub.bus_status();
                parts.iter().all(|part| part.heard_workers == workers - 1)
            };
            house.until("everybody to be heard", n, all).await;
        }
        house
    }

    /// One worker more. Returns its number.
    pub(crate) async fn start(&mut self) -> usize {
        let proxy = Proxy::for_url(&self.url).await;
        self.start_behind(proxy)
    }

    pub(crate) fn start_behind(&mut self, proxy: Proxy) -> usize {
        let bus = (self.make_bus)(proxy.url());
        let hub = Hub::start(without_comparing(), Arc::clone(&self.log) as _, bus);
        self.workers.push((hub, proxy));
        self.workers.len() - 1
    }

    /// The last worker ends as if it had been killed: without a word.
    pub(crate) fn kill_last(&mut self) {
        let (hub, proxy) = self.workers.pop().expect("a worker");
        proxy.refuse();
        drop((hub, proxy));
    }

    pub(crate) fn hub(&self, n: usize) -> &Hub {
        &self.workers[n].0
    }

    pub(crate) fn proxy(&self, n: usize) -> &Proxy {
        &self.workers[n].1
    }

    /// Waits, and says for how long it did.
    pub(crate) async fn until(
        &self,
        what: &str,
        n: usize,
        condition: impl Fn(&Hub) -> bool,
    ) -> Duration {
        let start = Instant::now();
        wait::until(what, DEADLINE, async || {
            condition(self.hub(n)).then_some(())
        })
        .await;
        start.elapsed()
    }

    pub(crate) async fn until_reach(&self, n: usize, reach: Reach) -> Duration {
        let what = format!("worker {n} to reach: {reach:?}");
        self.until(&what, n, |hub| hub.reach() == reach).await
    }

    pub(crate) async fn until_full(&self, n: usize) -> Duration {
        self.until_reach(n, Reach::Full).await
    }

    pub(crate) async fn until_down(&self, n: usize) -> Duration {
        self.until_reach(n, Reach::Down).await
    }

    pub(crate) fn commit(&self, n: usize, events: usize) {
        self.hub(n).committed(self.log.append(HERE, events));
    }

    pub(crate) async fn one_session_each(&self) -> Vec<Session> {
        let mut sessions = Vec::new();
        for (hub, _) in &self.workers {
            sessions.push(join(hub, at(1, 0)).await.0);
        }
        sessions
    }

    pub(crate) async fn expect_all(
        &self,
        sessions: &mut [Session],
        seqs: std::ops::RangeInclusive<Seq>,
    ) {
        let sessions = sessions.iter_mut();
        join_all(sessions.map(|session| expect(session, &self.log, seqs.clone()))).await;
    }

    /// Commits on all workers in turn, eight times, and waits each time until all sessions have
    /// it. Says how long the longest took.
    pub(crate) async fn longest_delay(&self, sessions: &mut [Session]) -> Duration {
        let mut longest = Duration::ZERO;
        for n in 0..8 {
            let start = Instant::now();
            self.commit(n % self.workers.len(), 1);
            let last = self.log.head(HERE).last_seq;
            self.expect_all(sessions, last..=last).await;
            longest = longest.max(start.elapsed());
        }
        longest
    }

    /// A change comes by the bus to worker `to` again: not only by comparison.
    pub(crate) async fn until_heard(&self, from: usize, to: usize, sessions: &mut [Session]) {
        let received = self.hub(to).stats().bus_received.get();
        wait::until("a message", DEADLINE, async || {
            self.commit(from, 1);
            let last = self.log.head(HERE).last_seq;
            self.expect_all(sessions, last..=last).await;
            (self.hub(to).stats().bus_received.get() > received).then_some(())
        })
        .await;
    }

    /// Nothing was delivered twice, and nobody had to take a snapshot.
    pub(crate) async fn end(self) {
        for (hub, proxy) in &self.workers {
            hub.shutdown().await;
            wait::until("the connections' end", DEADLINE, async || {
                (proxy.connections() == 0).then_some(())
            })
            .await;
            assert_eq!(hub.stats().renewals.get(), 0);
            assert_eq!(hub.stats().resyncs.total(), 0);
        }
    }
}

/// For the report of a run with `--nocapture`; a loaded machine is no failure.
pub(crate) fn measured(what: &str, took: Duration) {
    println!("measured: {what}: {} ms", took.as_millis());
}

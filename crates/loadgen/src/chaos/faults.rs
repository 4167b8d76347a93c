//! Doing harm, and healing it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use testkit::proxy::Proxy;
use tokio::time::{sleep, sleep_until};

use super::balancer::Balancer;
use super::schedule::{Kind, Planned};
use super::services::Services;
use super::workers::{Setup, Worker};
use super::writers::Skew;
use crate::http::Api;
use crate::judge::Truth;
use crate::log;
use crate::ports::{free_port, local};

/// How long a worker may take to become ready while other things go wrong.
const BECOMES_READY: Duration = Duration::from_secs(30);

/// A fault that was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Episode {
    pub(crate) kind: Kind,
    pub(crate) began: Instant,
    pub(crate) healed: Instant,
}

/// Everything that can be harmed.
pub(crate) struct Harm {
    pub(crate) setup: Setup,
    pub(crate) services: Services,
    pub(crate) workers: Vec<Worker>,
    pub(crate) balancer: Balancer,
    pub(crate) skew: Skew,
    /// Somebody of each restaurant.
    pub(crate) houses: Vec<Api>,
    pub(crate) database_url: String,
    /// The lives of the logs that have ended.
    pub(crate) truth: Mutex<Truth>,
    pub(crate) episodes: Mutex<Vec<Episode>>,
    /// What processes did that they should not.
    pub(crate) complaints: Mutex<Vec<String>>,
    /// The memory of the greatest worker, in bytes, once a second.
    pub(crate) memory: Mutex<Vec<u64>>,
    pub(crate) is_verbose: bool,
}

impl Harm {
    /// Where clients find a worker.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.balancer.address)
    }

    /// Does one fault after the other.
    pub(crate) async fn lane(&self, began: Instant, lane: &[Planned]) -> anyhow::Result<()> {
        for fault in lane {
            sleep_until((began + fault.at).into()).await;
            let start = Instant::now();
            if self.is_verbose {
                let at = start.duration_since(began).as_secs_f64();
                eprintln!("{at:7.2} s  {}, {:?}", fault.kind.words(), fault.lasts);
            }
            self.strike(fault)
                .await
                .with_context(|| fault.kind.words())?;
            self.note(fault.kind, start);
            if fault.kind == Kind::DatabaseRewound {
                self.keep_the_past().await.context("reading the old life")?;
                self.services.act("postgres-copy").await?;
            }
        }
        Ok(())
    }

    fn note(&self, kind: Kind, began: Instant) {
        let episode = Episode {
            kind,
            began,
            healed: Instant::now(),
        };
        self.episodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(episode);
    }

    pub(crate) fn complain(&self, what: String) {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    /// Does a fault, waits, and heals it.
    async fn strike(&self, fault: &Planned) -> anyhow::Result<()> {
        let slowness = Duration::from_millis(60);
        match fault.kind {
            Kind::WorkerKilled => self.kill_worker(fault).await,
            Kind::RollingRestart => self.roll().await,
            Kind::RedisKilled => self.kill_service("redis", fault).await,
            Kind::PostgresKilled => self.kill_service("postgres", fault).await,
            Kind::PostgresRestarted => self.services.act("postgres-restart").await,
            Kind::DatabaseRewound => self.services.act("postgres-rewind").await,
            Kind::RedisHalfOpen => {
                self.freeze(|worker| &worker.redis, fault).await;
                Ok(())
            }
            Kind::DatabaseFrozen => {
                self.freeze(|worker| &worker.database, fault).await;
                Ok(())
            }
            Kind::ClientsFrozen => {
                self.freeze(|worker| &worker.clients, fault).await;
                Ok(())
            }
            Kind::RedisCut => self.cut(|worker| &worker.redis, fault).await,
            Kind::DatabaseCut => self.cut(|worker| &worker.database, fault).await,
            Kind::ClientsCut => self.cut(|worker| &worker.clients, fault).await,
            Kind::RedisSlow => self.slow(|worker| &worker.redis, fault, slowness * 5).await,
            Kind::DatabaseSlow => self.slow(|worker| &worker.database, fault, slowness).await,
            Kind::ClientsSlow => self.slow(|worker| &worker.clients, fault, slowness).await,
            Kind::ClientsClock => {
                let hours = if fault.forgets { 7 } else { -5 };
                self.skew.store(hours * 3_600_000, Ordering::Relaxed);
                sleep(fault.lasts).await;
                self.skew.store(0, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    fn hit(&self, fault: &Planned) -> impl Iterator<Item = &Worker> {
        let chosen = fault.worker;
        let workers = self.workers.iter().enumerate();
        workers
            .filter(move |(index, _)| chosen.is_none_or(|chosen| chosen == *index))
            .map(|(_, worker)| worker)
    }

    async fn kill_worker(&self, fault: &Planned) -> anyhow::Result<()> {
        // One at a time, so that there is always another.
        let index = fault.worker.unwrap_or(0);
        let worker = self.workers.get(index).context("no such worker")?;
        worker.kill().await?;
        sleep(fault.lasts).await;
        worker.start(&self.setup).await?;
        self.wait_ready(worker).await;
        Ok(())
    }

    async fn roll(&self) -> anyhow::Result<()> {
        for worker in &self.workers {
            if let Err(complaint) = worker.stop().await? {
                self.complain(complaint);
            }
            worker.start(&self.setup).await?;
            self.wait_ready(worker).await;
        }
        Ok(())
    }

    /// Other faults may keep a worker from becoming ready; at the end all must be.
    async fn wait_ready(&self, worker: &Worker) {
        if let Err(error) = worker.ready(BECOMES_READY).await {
            self.complain(format!("{error:#}"));
        }
    }

    async fn kill_service(&self, service: &str, fault: &Planned) -> anyhow::Result<()> {
        self.services.act(&format!("{service}-kill")).await?;
        sleep(fault.lasts).await;
        self.services.act(&format!("{service}-start")).await
    }

    async fn freeze(&self, link: impl Fn(&Worker) -> &Proxy, fault: &Planned) {
        for worker in self.hit(fault) {
            link(worker).freeze();
        }
        sleep(fault.lasts).await;
        for worker in self.hit(fault) {
            if fault.forgets {
                link(worker).cut();
            }
            link(worker).heal();
        }
    }

    async fn cut(&self, link: impl Fn(&Worker) -> &Proxy, fault: &Planned) -> anyhow::Result<()> {
        for worker in self.hit(fault) {
            if fault.forgets {
                link(worker).refuse();
            } else {
                link(worker).cut();
            }
        }
        if fault.forgets {
            sleep(fault.lasts).await;
            for worker in self.hit(fault) {
                link(worker).heal();
            }
        }
        Ok(())
    }

    async fn slow(
        &self,
        link: impl Fn(&Worker) -> &Proxy,
        fault: &Planned,
        delay: Duration,
    ) -> anyhow::Result<()> {
        for worker in self.hit(fault) {
            link(worker).slow(delay);
        }
        sleep(fault.lasts).await;
        for worker in self.hit(fault) {
            link(worker).heal();
        }
        Ok(())
    }

    /// The last blow: what is written while this lasts is told to no other worker, and nothing comes
    /// after it that would show the gap.
    pub(crate) fn silence_the_bus(&self) -> Silence<'_> {
        for worker in &self.workers {
            worker.redis.freeze();
        }
        Silence {
            harm: self,
            began: Instant::now(),
        }
    }

    /// Reads the logs of before a rewind from the data that was kept aside: what devices heard of
    /// them must have been there, and what writers were told too.
    async fn keep_the_past(&self) -> anyhow::Result<()> {
        let (database, port) = (free_port()?, free_port()?);
        self.services
            .act_with("postgres-past-start", &[&database.to_string()])
            .await?;
        let url = at_port(&self.database_url, database)?;
        let log = self.setup.logs.join("past.log");
        let mut worker = self
            .setup
            .command(&log, &url)?
            .arg("serve")
            .env("PORT", port.to_string())
            .env("WORKER_ID", "past")
            .spawn()?;
        for house in &self.houses {
            let api = house.at(&format!("http://{}", local(port)))?;
            let log = patiently(async || log::read(&api).await).await?;
            self.truth
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(house.account.restaurant, log);
        }
        worker.kill().await?;
        self.services.act("postgres-past-stop").await
    }

    /// Looks at the workers' memory.
    pub(crate) async fn watch_memory(&self) {
        loop {
            let mut greatest = 0;
            for worker in &self.workers {
                greatest = greatest.max(worker.memory().await.unwrap_or(0));
            }
            self.memory
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(greatest);
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Starts workers that ended by themselves, which they should not.
    pub(crate) async fn supervise(&self) {
        loop {
            sleep(Duration::from_millis(300)).await;
            for worker in &self.workers {
                if let Some(status) = worker.ended().await {
                    self.complain(format!("{} ended by itself: {status}", worker.name));
                    if let Err(error) = worker.start(&self.setup).await {
                        self.complain(format!("{error:#}"));
                    }
                }
            }
        }
    }
}

/// A bus that says nothing.
pub(crate) struct Silence<'h> {
    harm: &'h Harm,
    began: Instant,
}

impl Silence<'_> {
    /// What was on its way is gone.
    pub(crate) fn end(self) {
        for worker in &self.harm.workers {
            worker.redis.cut();
            worker.redis.heal();
        }
        self.harm.note(Kind::RedisHalfOpen, self.began);
    }
}

/// Until it succeeds, for as long as a worker takes to become ready.
pub(crate) async fn patiently<T>(
    attempt: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if started.elapsed() > BECOMES_READY => return Err(error),
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// A database URL with another port.
fn at_port(url: &str, port: u16) -> anyhow::Result<String> {
    let at = url.rfind('@').context("a URL with a user")?;
    let (before, server) = url.split_at(at);
    let slash = server.find('/').context("a URL with a database")?;
    let (_, database) = server.split_at(slash);
    Ok(format!("{before}@127.0.0.1:{port}{database}"))
}

/// What all tasks share.
pub(crate) type Shared = Arc<Harm>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_port() {
        assert_eq!(
            at_port("postgres://u:p@127.0.0.1:1/db", 2).unwrap(),
            "postgres://u:p@127.0.0.1:2/db"
        );
    }
}

//! Everything that can die does, under load; at the end what each device heard is compared with
//! the log, and what each writer was told too.

mod balancer;
mod faults;
mod greed;
mod ledger;
mod report;
mod schedule;
mod services;
mod workers;
mod writers;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use wire::live::events::EventKind;

use self::balancer::{Backend, Balancer};
use self::faults::{Harm, Shared, patiently};
use self::ledger::Ledger;
use self::report::Report;
use self::schedule::Planned;
use self::services::Services;
use self::workers::{Setup, Worker};
use self::writers::{Skew, Writer};
use crate::follower::{Follower, Manners, Phase};
use crate::http::Api;
use crate::log;
use crate::ports::local;
use crate::progress;
use crate::transcript::Transcript;

/// Restaurants.
const HOUSES: usize = 2;

/// How long it takes at most, once everything is healed, until all is heard and answered.
const SETTLES: Duration = Duration::from_secs(90);

/// How long the writers go on while the bus is silent, before they stop.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The same seed brings the same faults in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long there are faults, each kind once a minute.
    #[arg(long, default_value_t = 2.0, conflicts_with = "short")]
    minutes: f64,
    /// Each kind of fault once, within a minute all in all.
    #[arg(long)]
    short: bool,
    /// Only the greedy house beside others, and no faults.
    #[arg(long)]
    only_greedy: bool,
    /// How long the greedy house is watched, and how long it is not, in seconds; by default 8, or
    /// 2 with `--short`.
    #[arg(long)]
    greedy_seconds: Option<u64>,
    /// Workers of the real server.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    workers: u8,
    /// Devices that follow.
    #[arg(long, default_value_t = 24)]
    devices: usize,
    /// Devices that write.
    #[arg(long, default_value_t = 6)]
    writers: usize,
    /// Changes per second and writer.
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// The name of what the server was broken with, for the report.
    #[arg(long = "break")]
    broken: Option<String>,
    /// Breaks the devices instead: each forgets one event in so many, which must be found.
    #[arg(long)]
    forget_one_in: Option<u64>,
    /// Says each fault as it comes.
    #[arg(long)]
    verbose: bool,
    /// Writes the report here too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// What kills and starts PostgreSQL and Redis; `scripts/chaos` hands it in.
    #[arg(long)]
    services: PathBuf,
    /// Where the servers' logs go.
    #[arg(long)]
    logs: PathBuf,
    /// The database, already running.
    #[arg(long)]
    database_url: String,
    /// Redis, already running.
    #[arg(long)]
    redis_url: String,
}

impl Args {
    fn length(&self) -> Duration {
        if self.short {
            Duration::from_secs(24)
        } else {
            Duration::from_secs_f64(self.minutes.clamp(0.2, 600.0) * 60.0)
        }
    }

    /// How long a greedy house is watched, and how long it is not.
    fn greed(&self) -> Duration {
        let usual = if self.short { 2 } else { 8 };
        Duration::from_secs(self.greedy_seconds.unwrap_or(usual))
    }

    /// How often each kind comes: once a minute.
    fn rounds(&self) -> u32 {
        let minutes = self.length().as_secs() / 60;
        u32::try_from(minutes).unwrap_or(1).max(1)
    }
}

/// Runs it all.
///
/// # Errors
/// When something could not be done that is not a fault of the server's.
pub(crate) async fn run(args: Args) -> anyhow::Result<bool> {
    let plan = schedule::plan(
        args.seed,
        args.length(),
        args.rounds(),
        usize::from(args.workers),
    );
    let harm: Shared = Arc::new(prepare(&args).await?);
    let greed = greed::measure(&harm, args.seed, args.greed()).await?;
    if args.only_greedy {
        println!("{}", report::of_greed(&greed));
        for finding in greed.findings() {
            println!("  {finding}");
        }
        write_json(&args, &greed)?;
        for worker in &harm.workers {
            worker.kill().await?;
        }
        return Ok(greed.is_clean());
    }
    let (phase, phases) = watch::channel(Phase::Storm);
    let devices = devices(&args, &harm, &phases)?;
    let writers = writers(&args, &harm, &phases).await?;
    let supervisor = tokio::spawn({
        let harm = Arc::clone(&harm);
        async move { harm.supervise().await }
    });
    let memory = tokio::spawn({
        let harm = Arc::clone(&harm);
        async move { harm.watch_memory().await }
    });

    storm(&args, &harm, &plan).await?;
    memory.abort();
    let (ledgers, transcripts) = settle(&harm, &phase, writers, devices).await?;
    supervisor.abort();

    let mut truth = std::mem::take(&mut *lock(&harm.truth));
    for house in &harm.houses {
        let log = patiently(async || log::read(house).await).await?;
        truth.add(house.account.restaurant, log);
    }
    let report = Report::new(&args, &harm, greed, &ledgers, &transcripts, &truth)?;
    for worker in &harm.workers {
        worker.kill().await?;
    }
    println!("{report}");
    write_json(&args, &report)?;
    Ok(report.is_clean())
}

fn write_json(args: &Args, report: &impl serde::Serialize) -> anyhow::Result<()> {
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(report)?)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the workers and the balancer, and makes the restaurants.
async fn prepare(args: &Args) -> anyhow::Result<Harm> {
    let setup = Setup {
        server: args.server.clone(),
        logs: args.logs.clone(),
        secret: format!("{:032x}", rand::random::<u128>()),
    };
    let migrated = setup
        .command(&setup.logs.join("migrate.log"), &args.database_url)?
        .arg("migrate")
        .status()
        .await?;
    anyhow::ensure!(migrated.success(), "qtable migrate: {migrated}");
    let mut workers = Vec::new();
    for number in 0..usize::from(args.workers) {
        let worker = Worker::new(number, &args.database_url, &args.redis_url).await?;
        worker.start(&setup).await?;
        workers.push(worker);
    }
    let backends = workers
        .iter()
        .map(|worker| Backend::new(worker.clients.addr(), local(worker.port)));
    let balancer = Balancer::start(backends.collect()).await?;
    for worker in &workers {
        worker.ready(Duration::from_secs(60)).await?;
    }
    let base = format!("http://{}", balancer.address);
    let houses = (0..HOUSES).map(async |number| {
        let email = format!("owner{number}@example.com");
        patiently(async || Api::register(&base, &email, "Chez Nous").await).await
    });
    let houses = try_join_all(houses).await?;
    let services = Services {
        script: args.services.clone(),
    };
    Ok(Harm {
        setup,
        services,
        workers,
        balancer,
        skew: Skew::default(),
        houses,
        database_url: args.database_url.clone(),
        truth: Mutex::default(),
        episodes: Mutex::default(),
        complaints: Mutex::default(),
        memory: Mutex::default(),
        is_verbose: args.verbose,
    })
}

/// A crowd: one device in three filters, one in four is idle.
fn devices(
    args: &Args,
    harm: &Harm,
    phases: &watch::Receiver<Phase>,
) -> anyhow::Result<Vec<JoinHandle<Transcript>>> {
    let mut random = StdRng::seed_from_u64(args.seed ^ 0xC0FFEE);
    let kinds = [
        EventKind::GuestCreated,
        EventKind::GuestUpdated,
        EventKind::TableUpdated,
        EventKind::AtomicTransactionComplete,
        EventKind::ReservationCreated,
    ];
    let mut devices = Vec::new();
    for number in 0..args.devices {
        let house = harm.houses.get(number % HOUSES).context("a restaurant")?;
        let filter = (number % 3 == 2).then(|| {
            let wanted = kinds.iter().filter(|_| random.random_bool(0.4));
            let wanted: Vec<EventKind> = wanted.copied().collect();
            if wanted.is_empty() {
                vec![EventKind::TableUpdated]
            } else {
                wanted
            }
        });
        let manners = Manners {
            filter,
            is_idle: number % 4 == 3,
            // Half of them come and go all the time, the others only when they must.
            stays: Duration::from_secs(if number % 2 == 0 { 20 } else { 600 }),
            away: Duration::from_secs(if number % 2 == 0 { 6 } else { 1 }),
            forgets: args.forget_one_in,
        };
        let follower = Follower::new(
            format!("device {number}"),
            house.another()?,
            manners,
            random.random(),
            phases.clone(),
        );
        devices.push(tokio::spawn(follower.run()));
    }
    Ok(devices)
}

async fn writers(
    args: &Args,
    harm: &Harm,
    phases: &watch::Receiver<Phase>,
) -> anyhow::Result<Vec<JoinHandle<Ledger>>> {
    let mut random = StdRng::seed_from_u64(args.seed ^ 0xFACADE);
    let mut tables = Vec::new();
    for house in &harm.houses {
        let seed = random.random();
        tables.push(writers::furnish(house, seed).await?);
    }
    // The tables are part of what is rewound to.
    harm.services.act("postgres-copy").await?;
    let mut writers = Vec::new();
    for number in 0..args.writers {
        let (house, tables) = harm
            .houses
            .iter()
            .zip(&tables)
            .nth(number % HOUSES)
            .context("a restaurant")?;
        let writer = Writer::new(
            format!("Party of host {number}"),
            house.another()?,
            random.random(),
            tables.clone(),
            Duration::from_secs_f64(1.0 / args.rate.clamp(0.1, 1000.0)),
            Arc::clone(&harm.skew),
            phases.clone(),
        )?;
        writers.push(tokio::spawn(writer.run()));
    }
    Ok(writers)
}

/// A calm beginning, all lanes of faults at once, and a calm end.
async fn storm(args: &Args, harm: &Harm, plan: &[Vec<Planned>]) -> anyhow::Result<()> {
    let calm = Duration::from_secs(if args.short { 2 } else { 5 });
    sleep(calm).await;
    let began = Instant::now();
    // A bar would be torn by what is said.
    let progress = (!args.verbose).then(|| progress::seconds(args.length()));
    let lanes = plan.iter().map(|lane| harm.lane(began, lane));
    let result = try_join_all(lanes).await;
    if let Some(progress) = progress {
        progress.abort();
    }
    sleep(calm).await;
    result.map(|_| ())
}

/// Lets everything come to rest: the writers get their last answers, the devices hear the rest.
async fn settle(
    harm: &Harm,
    phase: &watch::Sender<Phase>,
    writers: Vec<JoinHandle<Ledger>>,
    devices: Vec<JoinHandle<Transcript>>,
) -> anyhow::Result<(Vec<Ledger>, Vec<Transcript>)> {
    let silence = harm.silence_the_bus();
    sleep(LAST_WORDS).await;
    // Nobody has reached a position that is not known yet.
    phase.send_replace(Phase::Settle(HashMap::new()));
    let mut writers = join_all(writers);
    let ledgers = match timeout(SETTLES, &mut writers).await {
        Ok(ledgers) => ledgers,
        Err(_) => {
            phase.send_replace(Phase::Over);
            writers.await
        }
    };
    silence.end();
    let all_ready = async {
        while !harm.balancer.all_ready() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    if timeout(SETTLES, all_ready).await.is_err() {
        harm.complain("not all workers became ready again".to_owned());
    }
    let mut goals = HashMap::new();
    for house in &harm.houses {
        let head = patiently(async || log::head(house).await).await?;
        goals.insert(house.account.restaurant, head);
    }
    phase.send_replace(Phase::Settle(goals));
    let mut devices = join_all(devices);
    let transcripts = match timeout(SETTLES, &mut devices).await {
        Ok(transcripts) => transcripts,
        Err(_) => {
            phase.send_replace(Phase::Over);
            devices.await
        }
    };
    Ok((
        ledgers.into_iter().collect::<Result<_, _>>()?,
        transcripts.into_iter().collect::<Result<_, _>>()?,
    ))
}

//! Many sessions that are told nothing: what each costs the servers in memory, and in time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::args::{Common, cpu_seconds};
use super::arrivals::to_f64;
use super::crowd::Crowd;
use super::processes::{Processes, Readings};
use super::report::{Report, ratio};
use super::subject::Choice;
use crate::progress;

/// Sessions that are there before anything is measured: the first ones cost more.
const WARM_UP: usize = 100;

/// How long memory must have stayed as it is, and how long that is waited for at most.
const STEADY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    choice: Choice,
    /// Sessions.
    #[arg(long, default_value_t = 10_000)]
    sessions: usize,
    /// For how many seconds they are held once all are there, to see what that costs.
    #[arg(long, default_value_t = 10.0)]
    hold: f64,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    anyhow::ensure!(
        args.sessions > WARM_UP,
        "more than {WARM_UP} sessions are needed"
    );
    let common = &args.common;
    let (workers, subject) = args.choice.open(common).await?;
    let mut report = Report::new("idle");
    report.target = args.choice.target;
    report.sessions = Some(args.sessions);
    let mut meter = common.meter(&workers)?;
    let head = subject.head().await?;

    let setup = subject.setup(&workers);
    let mut crowd = Crowd::start(setup, args.sessions, args.choice.processes).await?;
    let bar = progress::count("sessions");
    crowd.open(WARM_UP, &bar).await?;
    crowd.calm().await?;
    let before = steady(&meter.servers).await;
    crowd.open(args.sessions, &bar).await?;
    crowd.calm().await?;
    let after = steady(&meter.servers).await;
    bar.finish_and_clear();

    let measured = to_f64((args.sessions - WARM_UP).try_into()?);
    let each = |before: u64, after: u64| ratio(to_f64(after) - to_f64(before), measured);
    report.bytes_per_session = each(before.rss(), after.rss());
    report.anonymous_bytes_per_session = each(before.anonymous(), after.anonymous());

    let hold = Duration::try_from_secs_f64(args.hold)?;
    let bar = progress::seconds(hold);
    meter.restart()?;
    let began = Instant::now();
    sleep(hold).await;
    report.seconds = began.elapsed().as_secs_f64();
    meter.stop(&mut report)?;
    bar.abort();

    let sessions = to_f64(args.sessions.try_into()?);
    let cpu = cpu_seconds(&report.servers);
    report.cpu_micros_per_session_second = ratio(cpu * 1e6, sessions * report.seconds);
    let heard = crowd.finish(&[head]).await?;
    report.add_heard(&heard);
    report.add_troubles(&heard.troubles);
    // The memory of interest is that before and after the sessions, not the time.
    report.servers = with_memory(&meter.servers, &before, &after, report.servers);
    report.latency = None;
    report.latency_everywhere = None;
    Ok(report)
}

/// A reading of memory that does not move any more.
async fn steady(servers: &Processes) -> Readings {
    let began = Instant::now();
    let (mut last, mut since) = (servers.read(), began);
    while since.elapsed() < STEADY && began.elapsed() < PATIENCE {
        sleep(Duration::from_millis(200)).await;
        let now = servers.read();
        if now.rss().abs_diff(last.rss()) > last.rss() / 1000 {
            (last, since) = (now, Instant::now());
        }
    }
    servers.read()
}

fn with_memory(
    servers: &Processes,
    before: &Readings,
    after: &Readings,
    times: Vec<super::processes::Cost>,
) -> Vec<super::processes::Cost> {
    let memory = servers.cost(before, after);
    let both = memory.into_iter().zip(times);
    both.map(|(memory, time)| super::processes::Cost {
        cpu_seconds: time.cpu_seconds,
        ..memory
    })
    .collect()
}

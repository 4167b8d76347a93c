//! All sessions are cut at once and come back at once, each from where it stood, while changes go
//! on: after a deploy, or when the network of a town comes back.

use std::time::Duration;

use futures_util::future::try_join;
use tokio::time::sleep;

use super::args::{Common, cpu_seconds, pace};
use super::arrivals::to_f64;
use super::clock;
use super::crowd::Crowd;
use super::report::{Report, ratio};
use super::subject::Choice;
use crate::progress;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Sessions.
    #[arg(long, default_value_t = 1000)]
    sessions: usize,
    /// Processes that hold them; by default as many as the limit of open files needs.
    #[arg(long)]
    processes: Option<usize>,
    /// Events per second, by the clock (open loop).
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// For how long there are events; longer than all cuts take.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// How often all are cut.
    #[arg(long, default_value_t = 1)]
    cuts: u32,
    /// Seconds before each cut, in which all are there.
    #[arg(long, default_value_t = 2.0)]
    calm: f64,
    /// Connections over which is written.
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let common = &args.common;
    let (workers, subject) = Choice::ours(args.processes).open(common).await?;
    let (pace, calm) = (
        pace(Some(args.rate), args.seconds)?,
        Duration::try_from_secs_f64(args.calm)?,
    );
    let mut report = Report::new("storm");
    report.sessions = Some(args.sessions);
    let mut meter = common.meter(&workers)?;
    let head = subject.head().await?;

    let setup = subject.setup(&workers);
    let mut crowd = Crowd::gather(setup, args.sessions, args.processes).await?;
    crowd.calm().await?;

    let bar = progress::seconds(pace.length);
    meter.restart()?;
    let began = clock::now();
    let changes = subject.make(&workers, args.connections, pace, head, true);
    let cuts = async {
        for _ in 0..args.cuts {
            sleep(calm).await;
            crowd.cut().await?;
        }
        Ok(clock::now())
    };
    let (made, last_return) = try_join(changes, cuts).await?;
    let last_event = crowd.settle(&[made.head]).await?;
    meter.stop(&mut report)?;
    bar.abort();

    report.add_asked(&made.asked);
    report.add_ledger(subject.audit(head, &made.told).await?);
    let heard = crowd.finish(&[made.head]).await?;
    report.add_heard(&heard);
    report.returns = Some(heard.returns.summary());
    // Who all come at once may be asked to come again: that is no loss.
    report.refused = Some(heard.troubles.refused.values().sum());
    let mut troubles = heard.troubles.clone();
    troubles.refused.clear();
    report.add_troubles(&troubles);
    report.events = Some(made.told.len().try_into()?);
    report.deliveries = Some(heard.events);
    report.requests = Some(made.asked.latency.summary());
    report.seconds = clock::between(began, last_event.max(last_return)).as_secs_f64();
    report.per_second = ratio(to_f64(heard.events), report.seconds);
    let cpu = cpu_seconds(&report.servers);
    report.deliveries_per_cpu_second = ratio(to_f64(heard.events), cpu);
    let returns = u64::try_from(args.sessions)? * u64::from(args.cuts);
    if heard.returns.summary().count != returns {
        let count = heard.returns.summary().count;
        report
            .findings
            .push(format!("{count} returns instead of {returns}"));
    }
    Ok(report)
}

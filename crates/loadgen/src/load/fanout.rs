//! Many sessions follow one restaurant, and each event goes to all of them.

use std::time::Duration;

use super::args::{Common, cpu_seconds, pace};
use super::arrivals::{Pace, to_f64};
use super::clock;
use super::crowd::Crowd;
use super::report::{Report, ratio};
use super::subject::Choice;
use crate::progress;

/// Events before anything is measured.
const WARM_UP: u64 = 20;

/// The longest that events are waited for when their number is given.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    choice: Choice,
    /// Sessions.
    #[arg(long, default_value_t = 1000)]
    sessions: usize,
    /// Events per second, by the clock (open loop).
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// For how long there are events.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// So many events instead.
    #[arg(long)]
    events: Option<u64>,
    /// As fast as they can be written, by way of so many `--connections`.
    #[arg(long, requires = "events")]
    burst: bool,
    /// Connections over which is written.
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

impl Args {
    fn pace(&self) -> anyhow::Result<Pace> {
        let rate = (!self.burst).then_some(self.rate);
        let by_time = pace(rate, self.seconds)?;
        Ok(match self.events {
            Some(most) => Pace {
                most,
                length: LONGEST,
                ..by_time
            },
            None => by_time,
        })
    }

    /// How long it takes, if that is known.
    fn length(&self) -> Duration {
        let events = self.events.map(|events| to_f64(events) / self.rate);
        let seconds = if self.burst { Some(0.0) } else { events };
        Duration::try_from_secs_f64(seconds.unwrap_or(self.seconds)).unwrap_or_default()
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let common = &args.common;
    let (workers, subject) = args.choice.open(common).await?;
    let mut report = Report::new("fanout");
    report.target = args.choice.target;
    report.sessions = Some(args.sessions);
    let mut meter = common.meter(&workers)?;
    let head = subject.head().await?;

    let setup = subject.setup(&workers);
    let mut crowd = Crowd::gather(setup, args.sessions, args.choice.processes).await?;
    let warm_up = Pace {
        rate: Some(args.rate.min(50.0)),
        length: LONGEST,
        most: WARM_UP,
    };
    let made = subject
        .make(&workers, args.connections, warm_up, head, false)
        .await?;
    report.add_asked(&made.asked);
    crowd.settle(&[made.head]).await?;
    crowd.calm().await?;

    let (before, head) = (crowd.status().await?, made.head);
    let bar = progress::seconds(args.length());
    meter.restart()?;
    let began = clock::now();
    let pace = args.pace()?;
    let made = subject
        .make(&workers, args.connections, pace, head, true)
        .await?;
    let ended = crowd.settle(&[made.head]).await?;
    meter.stop(&mut report)?;
    bar.abort();

    let after = crowd.status().await?;
    report.add_asked(&made.asked);
    report.add_ledger(subject.audit(head, &made.told).await?);
    let heard = crowd.finish(&[made.head]).await?;
    report.add_heard(&heard);
    report.add_troubles(&heard.troubles);
    let deliveries = after.events - before.events;
    report.seconds = clock::between(began, ended).as_secs_f64();
    report.events = Some(made.told.len().try_into()?);
    report.deliveries = Some(deliveries);
    report.requests = Some(made.asked.latency.summary());
    report.per_second = ratio(to_f64(deliveries), report.seconds);
    let cpu = cpu_seconds(&report.servers);
    report.deliveries_per_cpu_second = ratio(to_f64(deliveries), cpu);
    Ok(report)
}

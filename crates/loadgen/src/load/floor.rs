//! A Friday night: restaurants, in each of them devices that hold sessions, come and go, and ask
//! for what hosts ask for, by the clock.

use uuid::Uuid;
use wire::Seq;

use super::args::{Common, cpu_seconds, pace};
use super::arrivals::to_f64;
use super::clock;
use super::commands::{Setup, Target};
use super::crowd::Crowd;
use super::hosts::Hosts;
use super::report::{Report, ratio};
use super::requests;
use super::restaurant::{House, heads};
use super::subject::AT_ONCE;
use crate::progress;
use crate::table_setup::furnish;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Restaurants, each made for it with an account of its own.
    #[arg(long, default_value_t = 10)]
    restaurants: usize,
    /// Devices in each.
    #[arg(long, default_value_t = 20)]
    devices: usize,
    /// Tables in each, at most 100.
    #[arg(long, default_value_t = 30)]
    tables: usize,
    /// Requests per second and device, on average.
    #[arg(long, default_value_t = 0.5)]
    rate: f64,
    /// For how long.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// After how many seconds on average a device goes away, for a tenth of that at most.
    #[arg(long, default_value_t = 30.0)]
    stays: f64,
    /// The same seed brings the same wishes; what becomes of them, the servers have a part in.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Connections over which requests are made.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Processes that hold the sessions; by default as many as the limit of open files needs.
    #[arg(long)]
    processes: Option<usize>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let common = Common {
        register: true,
        ..args.common.clone()
    };
    let workers = common.workers().await?;
    let houses = House::open_all(&common, args.restaurants, 0).await?;
    let mut tables = Vec::new();
    for house in &houses {
        let ids: Vec<Uuid> = (0..args.tables).map(|_| Uuid::now_v7()).collect();
        furnish(&house.api, Uuid::now_v7(), &ids).await?;
        tables.push(ids);
    }
    let hosts = Hosts::new(houses, &tables, args.seed)?;
    let devices = args.restaurants.max(1) * args.devices;
    let pace = pace(Some(args.rate * to_f64(devices.try_into()?)), args.seconds)?;
    let mut meter = common.meter(&workers)?;
    let before = heads(hosts.houses()).await?;

    let setup = Setup {
        target: Target::Qtable,
        workers: workers.clone(),
        groups: hosts.houses().iter().map(House::group).collect(),
        part: 0,
        parts: 1,
        at_once: AT_ONCE,
        stays: args.stays,
    };
    let mut crowd = Crowd::gather(setup, devices, args.processes).await?;

    crowd.roam(true).await?;
    let bar = progress::seconds(pace.length);
    meter.restart()?;
    let began = clock::now();
    let asked = requests::ask(&workers, args.connections, pace, &hosts).await?;
    crowd.roam(false).await?;
    let heads = heads(hosts.houses()).await?;
    let ended = crowd.settle(&heads).await?;
    let mut report = Report::new("floor");
    meter.stop(&mut report)?;
    bar.abort();

    let heard = crowd.finish(&heads).await?;
    report.sessions = Some(devices);
    report.seconds = clock::between(began, ended).as_secs_f64();
    report.add_asked(&asked);
    let conflicts = asked.statuses.get(&409).copied().unwrap_or(0);
    report.errors -= conflicts;
    report.conflicts = Some(conflicts);
    report.add_heard(&heard);
    report.add_troubles(&heard.troubles);
    let lost = hosts.lost(&heads);
    if lost > 0 {
        report.lost += u64::try_from(lost)?;
        report.findings.push(format!(
            "{lost} changes were acknowledged and are not in the log"
        ));
    }
    report.findings.extend(hosts.fault());
    let events = heads
        .iter()
        .zip(before)
        .map(|(after, before)| after - before);
    report.events = Some(events.sum::<Seq>().try_into()?);
    report.deliveries = Some(heard.events);
    report.requests = Some(asked.latency.summary());
    report.operations = hosts.operations();
    report.per_second = ratio(to_f64(asked.answered()), asked.length.as_secs_f64());
    let cpu = cpu_seconds(&report.servers);
    report.cpu_micros_per_request = ratio(cpu * 1e6, to_f64(asked.answered()));
    Ok(report)
}

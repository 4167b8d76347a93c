//! Many requests over few connections that stay.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::args::{self, Common, cpu_seconds};
use super::arrivals::{Arrivals, Pace, Turn, to_f64};
use super::clock;
use super::link::{Answer, Link};
use super::report::{Report, ratio};
use super::worker::Worker;
use crate::http::PATIENCE;
use crate::latency::Latency;
use crate::progress;

/// How long to wait before a connection that broke is opened again.
const PAUSE: Duration = Duration::from_millis(100);

/// What is asked, and what is made of the answers.
pub(crate) trait Work {
    /// Writes a request to this worker; false when there is nothing to ask now.
    fn ask(&self, turn: Turn, worker: usize, request: &mut Vec<u8>) -> bool;

    /// Takes the answer.
    fn answer(&self, turn: Turn, answer: &Answer<'_>);

    /// Takes notice that none came.
    fn fail(&self, _turn: Turn) {}
}

/// How it went.
pub(crate) struct Asked {
    /// From when a request should have been made to its answer.
    pub(crate) latency: Latency,
    /// How often each status was answered.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests to which no whole answer came, and why.
    pub(crate) broken: BTreeMap<String, u64>,
    /// From the first request to the last answer.
    pub(crate) length: Duration,
}

impl Asked {
    /// Requests that were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Requests that were not, or not as they should be.
    pub(crate) fn errors(&self) -> u64 {
        let refused = self
            .statuses
            .iter()
            .filter(|(status, _)| !is_fine(**status));
        refused.map(|(_, count)| count).sum::<u64>() + self.broken.values().sum::<u64>()
    }
}

/// Whether a request was done.
pub(crate) const fn is_fine(status: u16) -> bool {
    matches!(status, 200..300 | 304)
}

/// Does a work for a while, which is not counted, and then measures it, for a scenario of this name.
///
/// # Errors
/// When no connection can be opened, or the processes cannot be read.
pub(crate) async fn measure(
    name: &'static str,
    common: &Common,
    args: &args::Requests,
    workers: &[Worker],
    work: &impl Work,
) -> anyhow::Result<(Report, Asked)> {
    let warm_up = ask(workers, args.connections, args.warm_up()?, work).await?;
    let mut report = Report::new(name);
    report.add_asked(&warm_up);
    report.statuses.clear();

    let pace = args.pace()?;
    let bar = progress::seconds(pace.length);
    let meter = common.meter(workers)?;
    let asked = ask(workers, args.connections, pace, work).await?;
    meter.stop(&mut report)?;
    bar.abort();

    report.seconds = asked.length.as_secs_f64();
    report.add_asked(&asked);
    report.latency = Some(asked.latency.summary());
    let answered = to_f64(asked.answered());
    report.per_second = ratio(answered, report.seconds);
    let cpu = cpu_seconds(&report.servers);
    report.cpu_micros_per_request = ratio(cpu * 1e6, answered);
    Ok((report, asked))
}

/// Makes requests at this pace over so many connections, which are spread over the workers.
///
/// # Errors
/// When no connection can be opened at the beginning.
pub(crate) async fn ask(
    workers: &[Worker],
    connections: usize,
    pace: Pace,
    work: &impl Work,
) -> anyhow::Result<Asked> {
    let mut links = Vec::new();
    for (number, worker) in (0..connections.max(1)).zip(workers.iter().enumerate().cycle()) {
        links.push((number, worker, Link::open(worker.1, number).await?));
    }
    let asked = RefCell::new(Asked {
        latency: Latency::new()?,
        statuses: BTreeMap::new(),
        broken: BTreeMap::new(),
        length: Duration::ZERO,
    });
    let start = clock::now();
    let arrivals = Arrivals::begin(pace);
    join_all(links.into_iter().map(async |(number, worker, link)| {
        let mut link = Some(link);
        let mut request = Vec::new();
        while let Some(turn) = arrivals.next().await {
            request.clear();
            if !work.ask(turn, worker.0, &mut request) {
                continue;
            }
            let done = one(&mut link, number, worker.1, &request, |answer| {
                let mut asked = asked.borrow_mut();
                asked.latency.record(clock::since(turn.at));
                *asked.statuses.entry(answer.status).or_default() += 1;
                drop(asked);
                work.answer(turn, answer);
            });
            if let Err(error) = done.await {
                *(asked.borrow_mut().broken.entry(error.to_string())).or_default() += 1;
                work.fail(turn);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }))
    .await;
    let mut asked = asked.into_inner();
    asked.length = clock::since(start);
    Ok(asked)
}

/// One request over a link, which is opened again if it broke or ended.
async fn one(
    link: &mut Option<Link>,
    number: usize,
    worker: &Worker,
    request: &[u8],
    take: impl FnOnce(&Answer<'_>),
) -> std::io::Result<()> {
    let mut open = match link.take() {
        Some(open) => open,
        None => Link::open(worker, number).await?,
    };
    let answer = timeout(PATIENCE, open.ask(request)).await??;
    take(&answer);
    if !open.is_over() {
        *link = Some(open);
    }
    Ok(())
}

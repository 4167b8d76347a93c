//! A list is read, as fast as the answers come or by the clock.

use std::cell::RefCell;

use super::args::{Common, Requests};
use super::arrivals::Turn;
use super::link::Answer;
use super::report::Report;
use super::requests::{self, Work};
use super::restaurant::House;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    requests: Requests,
    /// What is read: a path of the restaurant, or one that begins with `/api/`.
    #[arg(long, default_value = "/guests?limit=50")]
    path: String,
    /// Parties that there are at least.
    #[arg(long, default_value_t = 50)]
    guests: usize,
    /// Sends back the `ETag` of the last answer, so that nothing has to be sent again.
    #[arg(long)]
    if_none_match: bool,
}

/// The same request again and again.
struct Reads<'a> {
    house: &'a House,
    path: String,
    if_none_match: bool,
    etag: RefCell<Option<String>>,
}

impl Work for Reads<'_> {
    fn ask(&self, _turn: Turn, _worker: usize, request: &mut Vec<u8>) -> bool {
        let etag = self.etag.borrow();
        let header = etag
            .as_ref()
            .map_or(String::new(), |etag| format!("If-None-Match: {etag}\r\n"));
        self.house.request("GET", &self.path, &header, "", request);
        true
    }

    fn answer(&self, _turn: Turn, answer: &Answer<'_>) {
        let mut known = self.etag.borrow_mut();
        if self.if_none_match && known.as_deref() != answer.etag {
            *known = answer.etag.map(str::to_owned);
        }
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let common = &args.common;
    let workers = common.workers().await?;
    let house = House::open(common, args.guests).await?;
    let path = if args.path.starts_with("/api/") {
        args.path.clone()
    } else {
        house.api.path(&args.path)
    };
    let reads = Reads {
        house: &house,
        path,
        if_none_match: args.if_none_match,
        etag: RefCell::default(),
    };
    let (report, _) = requests::measure("read", common, &args.requests, &workers, &reads).await?;
    Ok(report)
}

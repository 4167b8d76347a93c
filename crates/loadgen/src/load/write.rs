//! Parties are changed, as fast as the answers come or by the clock; each acknowledged change must
//! be in the log, once.

use std::cell::RefCell;

use wire::Seq;

use super::args::{Common, Requests};
use super::arrivals::Turn;
use super::frame_text::Mark;
use super::link::Answer;
use super::report::Report;
use super::requests::{self, Work, is_fine};
use super::restaurant::{House, heads};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    requests: Requests,
    /// Restaurants that are written to; more than one are made for it.
    #[arg(long, default_value_t = 1)]
    restaurants: usize,
    /// Parties of each, changed in turn.
    #[arg(long, default_value_t = 50)]
    guests: usize,
}

/// Changes of parties' notes, which tell those who hear of it when they should have been made.
pub(crate) struct Notes<'a> {
    houses: &'a [House],
    /// Whether sessions measure their delay.
    is_marked: bool,
    /// The positions that were told, restaurant by restaurant.
    told: RefCell<Vec<Vec<Seq>>>,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(houses: &'a [House], is_marked: bool) -> Self {
        Self {
            houses,
            is_marked,
            told: RefCell::new(vec![Vec::new(); houses.len()]),
        }
    }

    /// The positions that were told.
    pub(crate) fn into_told(self) -> Vec<Vec<Seq>> {
        self.told.into_inner()
    }

    /// Each restaurant's turn comes round; and in it each party's.
    fn house(&self, turn: Turn) -> Option<(usize, u64, &House)> {
        let count = u64::try_from(self.houses.len()).ok()?.max(1);
        let index = usize::try_from(turn.number % count).ok()?;
        Some((index, turn.number / count, self.houses.get(index)?))
    }
}

impl Work for Notes<'_> {
    fn ask(&self, turn: Turn, worker: usize, request: &mut Vec<u8>) -> bool {
        let Some((_, number, house)) = self.house(turn) else {
            return false;
        };
        let at = turn.at;
        let notes = if self.is_marked {
            Mark { at, worker }.text()
        } else {
            // As long as a mark.
            format!("#{at:020}{worker}")
        };
        house.note(number, &notes, request);
        true
    }

    fn answer(&self, turn: Turn, answer: &Answer<'_>) {
        let (Some((index, _, _)), true) = (self.house(turn), is_fine(answer.status)) else {
            return;
        };
        if let Some(told) = self.told.borrow_mut().get_mut(index) {
            // A success without a position is nowhere in the log.
            told.push(answer.position.map_or(0, |position| position.seq));
        }
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Report> {
    let common = &args.common;
    let workers = common.workers().await?;
    let houses = House::open_all(common, args.restaurants, args.guests).await?;
    let heads = heads(&houses).await?;
    let notes = Notes::new(&houses, false);
    let (mut report, asked) =
        requests::measure("write", common, &args.requests, &workers, &notes).await?;
    report.events = Some(asked.answered());
    for ((house, before), told) in houses.iter().zip(heads).zip(notes.into_told()) {
        report.add_ledger(house.audit(before, &told).await?);
    }
    Ok(report)
}

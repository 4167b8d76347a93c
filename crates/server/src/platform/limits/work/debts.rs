//! What houses owe, and who has to wait for it.
//!
//! A debt is the time in which a share pays what was used, as in [`super::super::gcra`]. What a
//! request will cost is not known before it is done. So it is charged what others of its kind cost
//! the house, and the difference when it ends: those that come meanwhile wait behind it, each until
//! the debt that it found is small enough, in the order in which they came.
//!
//! What is done at a glance goes before what is heavy. Heavy requests are let in while a house owes
//! less than [`BURST`], others while it owes [`PATIENCE`] more, which is as much as those who wait
//! can add to it: a host seats a party while a program of the same house waits with its export.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use wire::RestaurantId;

use super::super::subject::Tier;

/// How much a house may owe before anything of it waits.
const BURST: Duration = Duration::from_secs(1);

/// How long anything waits at most.
const PATIENCE: Duration = Duration::from_secs(3);

/// How much a house may owe in all: one request that went wrong shall not lock its house out.
const MOST: Duration = Duration::from_secs(7);

/// What costs more is heavy.
const HEAVY: Duration = Duration::from_millis(10);

/// How long somebody who asked for something is taken to be there.
const PRESENCE: Duration = Duration::from_secs(10);

/// How long the costs of a house are remembered that owes nothing.
const MEMORY: Duration = Duration::from_secs(600);

/// What is asked for: a route, and whether to change something.
pub(in super::super) type Kind = (&'static str, Tier);

/// What all houses owe.
pub(super) struct Debts {
    /// Milliseconds of a processor in a second.
    share: u32,
    houses: HashMap<RestaurantId, House>,
    visitors: Visitors,
}

struct House {
    /// When its debt will have been paid.
    until: Instant,
    /// When it asked for something.
    seen: Instant,
    /// What it lately paid for each kind of request.
    costs: Vec<(Kind, Duration)>,
}

/// A request that is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    /// After so long.
    pub(super) wait: Duration,
    /// What it was charged, to be handed back with what it cost.
    pub(super) charged: Duration,
}

impl Debts {
    pub(super) fn new(share: u32) -> Self {
        Self {
            share: share.max(1),
            houses: HashMap::new(),
            visitors: Visitors::default(),
        }
    }

    /// Somebody asked for something.
    pub(super) fn visited(&mut self, now: Instant, by: Option<RestaurantId>) {
        self.visitors.note(now, by);
    }

    /// A house asks for something.
    ///
    /// # Errors
    /// When it would have to wait for too long: for how long.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        house: RestaurantId,
        kind: Kind,
    ) -> Result<Begun, Duration> {
        self.visitors.note(now, Some(house));
        let is_alone = self.visitors.is_alone(now, house);
        let share = self.share;
        let account = self.houses.entry(house).or_insert_with(|| House {
            until: now,
            seen: now,
            costs: Vec::new(),
        });
        account.seen = now;
        let estimate = account.usually(kind).min(MOST * share / 1000);
        let mut debt = account.until.saturating_duration_since(now);
        if is_alone {
            // What nobody missed is forgiven, and when somebody comes it begins as one that has
            // used up its burst.
            debt = debt.min(BURST);
        }
        let may_owe = if estimate > HEAVY {
            BURST
        } else {
            BURST + PATIENCE
        };
        let wait = debt.saturating_sub(may_owe);
        if wait > PATIENCE {
            return Err(wait);
        }
        account.until = now + debt + paid_in(estimate, share);
        Ok(Begun {
            wait,
            charged: estimate,
        })
    }

    /// Charges more, for what is not done yet.
    pub(super) fn charge(&mut self, now: Instant, house: RestaurantId, more: Duration) {
        let share = self.share;
        if let Some(account) = self.houses.get_mut(&house) {
            let debt = account.until.saturating_duration_since(now) + paid_in(more, share);
            account.until = now + debt.min(MOST);
        }
    }

    /// What was begun has ended: what it was charged, all in all, and what it cost.
    pub(super) fn end(
        &mut self,
        now: Instant,
        house: RestaurantId,
        kind: Kind,
        charged: Duration,
        cost: Duration,
    ) {
        let share = self.share;
        // One that was forgotten meanwhile has paid.
        let Some(account) = self.houses.get_mut(&house) else {
            return;
        };
        account.note(kind, cost);
        let debt = account.until.saturating_duration_since(now) + paid_in(cost, share);
        let debt = debt.saturating_sub(paid_in(charged, share));
        account.until = now + debt.min(MOST);
    }

    /// Forgets houses that owe nothing and did not come for long.
    pub(super) fn forget(&mut self, now: Instant) {
        self.houses.retain(|_, house| {
            house.until > now || now.saturating_duration_since(house.seen) < MEMORY
        });
    }
}

impl House {
    /// What a request of this kind usually costs; nothing is known of the first.
    fn usually(&self, kind: Kind) -> Duration {
        let known = self.costs.iter().find(|(known, _)| *known == kind);
        known.map_or(Duration::ZERO, |(_, cost)| *cost)
    }

    fn note(&mut self, kind: Kind, cost: Duration) {
        match self.costs.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, usual)) => *usual = (*usual * 3 + cost) / 4,
            None => self.costs.push((kind, cost)),
        }
    }
}

/// In how long a share pays for so much.
fn paid_in(cost: Duration, share: u32) -> Duration {
    cost * 1000 / share
}

/// Who was here: enough to know of each whether somebody else was.
#[derive(Default)]
struct Visitors {
    last: Option<(Option<RestaurantId>, Instant)>,
    /// When one came who was not the last.
    other: Option<Instant>,
}

impl Visitors {
    fn note(&mut self, now: Instant, who: Option<RestaurantId>) {
        if let Some((last, at)) = self.last
            && last != who
        {
            self.other = Some(at);
        }
        self.last = Some((who, now));
    }

    fn is_alone(&self, now: Instant, house: RestaurantId) -> bool {
        let other = match self.last {
            Some((last, at)) if last != Some(house) => Some(at),
            _ => self.other,
        };
        other.is_none_or(|at| now.saturating_duration_since(at) > PRESENCE)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const GREEDY: RestaurantId = RestaurantId(Uuid::from_u128(1));
    const OTHER: RestaurantId = RestaurantId(Uuid::from_u128(2));
    const HEAVY_READ: Kind = ("/audit", Tier::Reads);
    const GLANCE: Kind = ("/guests", Tier::Reads);

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// What a house does of a kind within so long, as fast as it is let.
    struct Flood {
        debts: Debts,
        start: Instant,
        at: Duration,
    }

    impl Flood {
        fn new() -> Self {
            Self {
                debts: Debts::new(250),
                start: Instant::now(),
                at: Duration::ZERO,
            }
        }

        fn begin(&mut self, kind: Kind) -> Result<Begun, Duration> {
            self.debts.begin(self.start + self.at, GREEDY, kind)
        }

        fn end(&mut self, kind: Kind, begun: Begun, cost: Duration) {
            let now = self.start + self.at;
            self.debts.end(now, GREEDY, kind, begun.charged, cost);
        }

        /// One after the other; returns how often it was let.
        fn run(&mut self, kind: Kind, cost: Duration, length: Duration, others: bool) -> u32 {
            let (end, mut done) = (self.at + length, 0);
            while self.at < end {
                if others {
                    self.debts.visited(self.start + self.at, Some(OTHER));
                }
                match self.begin(kind) {
                    Ok(begun) => {
                        self.at += begun.wait + cost;
                        self.end(kind, begun, cost);
                        done += 1;
                    }
                    Err(wait) => self.at += wait,
                }
            }
            done
        }
    }

    #[test]
    fn a_house_beside_others_gets_its_share_in_the_long_run() {
        for (kind, cost) in [(HEAVY_READ, ms(50)), (GLANCE, ms(2))] {
            let done = Flood::new().run(kind, cost, Duration::from_secs(600), true);
            // A quarter of ten minutes, and the bursts.
            let took = cost * done;
            assert!(took >= Duration::from_secs(149), "{took:?}");
            assert!(took <= Duration::from_secs(152), "{took:?}");
        }
    }

    #[test]
    fn alone_it_has_everything_and_owes_nothing_for_it() {
        let mut flood = Flood::new();
        let done = flood.run(HEAVY_READ, ms(50), Duration::from_secs(60), false);
        assert_eq!(done, 1200);
        // A stranger is somebody, too; for as long as he is here.
        flood.debts.visited(flood.start + flood.at, None);
        let begun = flood.begin(HEAVY_READ).unwrap();
        assert!(begun.wait <= BURST + PATIENCE, "{begun:?}");
        flood.end(HEAVY_READ, begun, ms(50));
        flood.at += PRESENCE + ms(1);
        for _ in 0..100 {
            let begun = flood.begin(HEAVY_READ).unwrap();
            assert_eq!((begun.wait, begun.charged), (Duration::ZERO, ms(50)));
        }
    }

    #[test]
    fn those_who_wait_stand_in_line_and_the_line_has_an_end() {
        let mut flood = Flood::new();
        flood.debts.visited(flood.start, Some(OTHER));
        let first = flood.begin(HEAVY_READ).unwrap();
        flood.end(HEAVY_READ, first, ms(50));
        let mut waits = Vec::new();
        let refused = loop {
            match flood.begin(HEAVY_READ) {
                Ok(begun) => waits.push(begun.wait),
                Err(wait) => break wait,
            }
        };
        // Each owes 200 ms: the first finds 200 ms, and is let in up to a second.
        assert!(waits.iter().take(5).all(Duration::is_zero), "{waits:?}");
        assert_eq!(waits.len(), 20);
        let gaps: Vec<Duration> = waits
            .windows(2)
            .skip(4)
            .map(|two| two[1] - two[0])
            .collect();
        assert!(gaps.iter().all(|gap| *gap == ms(200)), "{gaps:?}");
        assert_eq!(waits.last(), Some(&PATIENCE));
        assert_eq!(refused, PATIENCE + ms(200));
        // What is done at a glance passes by all of them.
        assert_eq!(flood.begin(GLANCE).unwrap().wait, ms(200));
        // Time pays.
        flood.at += ms(400);
        assert_eq!(flood.begin(HEAVY_READ).unwrap().wait, ms(2800));
    }

    #[test]
    fn what_is_charged_is_settled_and_one_mishap_is_forgiven() {
        let mut flood = Flood::new();
        flood.debts.visited(flood.start, Some(OTHER));
        let begun = flood.begin(GLANCE).unwrap();
        assert_eq!(begun.charged, Duration::ZERO);
        flood.end(GLANCE, begun, Duration::from_secs(3600));
        let debt = |flood: &Flood| flood.debts.houses[&GREEDY].until - (flood.start + flood.at);
        assert_eq!(debt(&flood), MOST);
        flood.at += MOST;
        // Nor is it when it is charged bit by bit.
        let now = flood.start + flood.at;
        flood.debts.charge(now, GREEDY, ms(500));
        assert_eq!(debt(&flood), ms(2000));
        flood.debts.charge(now, GREEDY, Duration::from_secs(3600));
        assert_eq!(debt(&flood), MOST);
        flood.at += MOST;
        // Expected to cost as much again, it cost nothing.
        flood.debts.visited(flood.start + flood.at, Some(OTHER));
        let begun = flood.begin(GLANCE).unwrap();
        assert_eq!(begun.wait, Duration::ZERO);
        flood.end(GLANCE, begun, Duration::ZERO);
        assert!(debt(&flood).is_zero());
    }

    #[test]
    fn the_house_of_which_nothing_is_left_to_know_is_forgotten() {
        let mut flood = Flood::new();
        let begun = flood.begin(GLANCE).unwrap();
        flood.debts.forget(flood.start + MEMORY - ms(1));
        assert_eq!(flood.debts.houses.len(), 1);
        flood.debts.forget(flood.start + MEMORY);
        assert!(flood.debts.houses.is_empty());
        flood.end(GLANCE, begun, ms(1));
        assert!(flood.debts.houses.is_empty());
    }

    #[test]
    fn who_is_alone() {
        let (mut visitors, start) = (Visitors::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        visitors.note(at(0), Some(GREEDY));
        visitors.note(at(1), Some(GREEDY));
        assert!(visitors.is_alone(at(1), GREEDY));
        assert!(!visitors.is_alone(at(1), OTHER));
        visitors.note(at(2), Some(OTHER));
        visitors.note(at(3), Some(GREEDY));
        visitors.note(at(11), Some(GREEDY));
        assert!(!visitors.is_alone(at(12), GREEDY));
        assert!(visitors.is_alone(at(13), GREEDY));
        visitors.note(at(14), None);
        assert!(!visitors.is_alone(at(14), GREEDY));
    }
}

//! Which fault comes when: the same for the same seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde::Serialize;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    WorkerKilled,
    RollingRestart,
    RedisKilled,
    RedisHalfOpen,
    RedisCut,
    RedisSlow,
    PostgresKilled,
    PostgresRestarted,
    DatabaseRewound,
    DatabaseCut,
    DatabaseFrozen,
    DatabaseSlow,
    ClientsCut,
    ClientsFrozen,
    ClientsSlow,
    ClientsClock,
}

/// Faults of one lane come one after the other; those of different lanes at the same time.
pub(crate) const LANES: [&[Kind]; 4] = [
    &[Kind::WorkerKilled, Kind::RollingRestart],
    &[
        Kind::RedisKilled,
        Kind::RedisHalfOpen,
        Kind::RedisCut,
        Kind::RedisSlow,
    ],
    &[
        Kind::PostgresKilled,
        Kind::PostgresRestarted,
        Kind::DatabaseRewound,
        Kind::DatabaseCut,
        Kind::DatabaseFrozen,
        Kind::DatabaseSlow,
    ],
    &[
        Kind::ClientsCut,
        Kind::ClientsFrozen,
        Kind::ClientsSlow,
        Kind::ClientsClock,
    ],
];

impl Kind {
    /// For the table.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::WorkerKilled => "worker killed (-9)",
            Self::RollingRestart => "rolling restart (SIGTERM)",
            Self::RedisKilled => "Redis killed (-9)",
            Self::RedisHalfOpen => "Redis link half open",
            Self::RedisCut => "Redis links cut",
            Self::RedisSlow => "Redis links slow",
            Self::PostgresKilled => "PostgreSQL killed (-9)",
            Self::PostgresRestarted => "PostgreSQL restarted",
            Self::DatabaseRewound => "database rewound",
            Self::DatabaseCut => "database links cut",
            Self::DatabaseFrozen => "database links frozen",
            Self::DatabaseSlow => "database links slow",
            Self::ClientsCut => "clients' links cut",
            Self::ClientsFrozen => "clients' links frozen",
            Self::ClientsSlow => "clients' links slow",
            Self::ClientsClock => "clients' clocks off by hours",
        }
    }
}

/// A fault to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    /// After the beginning; later when the one before it in its lane is not over yet.
    pub(crate) at: Duration,
    /// From the fault to its healing, beside what it takes by itself.
    pub(crate) lasts: Duration,
    /// Which worker it hits; `None` for all of them.
    pub(crate) worker: Option<usize>,
    /// Whether links that were frozen are cut before they are healed: then what was in flight on
    /// them is gone.
    pub(crate) forgets: bool,
}

/// The plan: each lane goes through all its kinds in a new order, once per round.
pub(crate) fn plan(seed: u64, length: Duration, rounds: u32, workers: usize) -> Vec<Vec<Planned>> {
    let lanes = LANES.iter().zip(1_u64..);
    let lanes = lanes.map(|(kinds, number)| {
        let mut random = StdRng::seed_from_u64(seed ^ (number << 56));
        let count = u32::try_from(kinds.len()).unwrap_or(1) * rounds;
        let slot = length / count.max(1);
        let mut planned = Vec::new();
        for _ in 0..rounds {
            let mut kinds = kinds.to_vec();
            kinds.shuffle(&mut random);
            for kind in kinds {
                let begins = slot * u32::try_from(planned.len()).unwrap_or(0);
                let lasts = slot.mul_f64(random.random_range(0.15..0.45));
                planned.push(Planned {
                    kind,
                    at: begins + slot.mul_f64(random.random_range(0.0..0.25)),
                    lasts: lasts.clamp(Duration::from_millis(500), Duration::from_secs(5)),
                    worker: random
                        .random_bool(0.5)
                        .then(|| random.random_range(0..workers)),
                    forgets: random.random_bool(0.5),
                });
            }
        }
        planned
    });
    lanes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_another() {
        let plan = |seed| plan(seed, Duration::from_secs(600), 10, 3);
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn every_kind_comes_once_per_round_and_within_the_time() {
        let length = Duration::from_secs(40);
        for (lane, kinds) in plan(1, length, 3, 3).iter().zip(LANES) {
            for kind in kinds {
                assert_eq!(lane.iter().filter(|fault| fault.kind == *kind).count(), 3);
            }
            assert!(lane.iter().all(|fault| fault.at < length));
            assert!(lane.iter().all(|fault| fault.worker.is_none_or(|n| n < 3)));
        }
    }
}

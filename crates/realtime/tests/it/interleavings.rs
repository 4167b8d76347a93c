//! Whatever order things happen in, each session sees the log: in order, complete, nothing twice.

use std::collections::HashMap;
use std::time::Duration;

use bytestring::ByteString;
use futures_util::FutureExt;
use proptest::collection::vec;
use proptest::prelude::*;
use realtime::bus::{Hint, Incoming, Reach};
use realtime::{Commit, HubConfig, Pull, Session, Since};
use tokio::time::timeout;
use wire::live::frames::ResyncReason;
use wire::{Epoch, Position, Seq};

use crate::support::{HERE, Worker, config, epoch};

#[derive(Clone, Debug)]
enum Step {
    /// A transaction, on this worker or on another one.
    Commit {
        events: usize,
        here: bool,
    },
    /// A message, any that was ever sent, counted from the newest.
    Deliver(usize),
    /// The same, of which the frames were too large.
    Announce(usize),
    /// A message that cannot be read.
    Garble,
    Bus(Reach),
    LogAway(bool),
    /// A session joins this many events before the head; `None`: at the head.
    Join(Option<Seq>),
    /// A session takes what there is, at most this often.
    Pull {
        session: usize,
        times: usize,
    },
    Leave(usize),
    Pass(u64),
    /// The database is rewound by this many events.
    Rewind(Seq),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (1..5_usize, any::<bool>()).prop_map(|(events, here)| Step::Commit { events, here }),
        8 => (0..6_usize).prop_map(Step::Deliver),
        2 => (0..3_usize).prop_map(Step::Announce),
        1 => Just(Step::Garble),
        1 => prop_oneof![Just(Reach::Down), Just(Reach::Partial), Just(Reach::Full)]
            .prop_map(Step::Bus),
        2 => proptest::bool::weighted(0.3).prop_map(Step::LogAway),
        3 => proptest::option::of(0..20_i64).prop_map(Step::Join),
        10 => (0..4_usize, 1..4_usize).prop_map(|(session, times)| Step::Pull { session, times }),
        1 => (0..4_usize).prop_map(Step::Leave),
        6 => (0..60_u64).prop_map(Step::Pass),
    ]
}

fn step_or_rewind() -> impl Strategy<Value = Step> {
    prop_oneof![40 => step(), 1 => (0..5_i64).prop_map(Step::Rewind)]
}

/// So small that everything overflows.
fn small() -> HubConfig {
    let mut config = config();
    config.ring_events = 6;
    config.pending_events = 3;
    config.opening_events = 3;
    config.page_events = 4;
    config.batch_frames = 3;
    config
}

struct World {
    worker: Worker,
    commits: Vec<Commit>,
    /// What was ever written under a number.
    written: HashMap<(Epoch, Seq), ByteString>,
    /// A session, and up to where it has been served.
    sessions: Vec<(Session, Position)>,
    epochs: u128,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            worker: Worker::start(small(), 0),
            commits: Vec::new(),
            written: HashMap::new(),
            sessions: Vec::new(),
            epochs: 1,
        };
        world.commit(5);
        world
    }

    fn commit(&mut self, events: usize) -> Commit {
        let commit = self.worker.log.append(HERE, events);
        for event in &commit.events {
            let number = (commit.epoch, event.seq);
            self.written.insert(number, event.frame.clone());
        }
        self.commits.push(commit.clone());
        commit
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Commit { events, here } => {
                let commit = self.commit(events);
                if here {
                    self.worker.hub.committed(commit);
                }
            }
            Step::Deliver(back) => {
                if let Some(commit) = self.commits.iter().rev().nth(back) {
                    self.worker.bus.deliver(commit);
                }
            }
            Step::Announce(back) => {
                if let Some(commit) = self.commits.iter().rev().nth(back) {
                    self.worker.bus.say(Incoming::Hint(Hint {
                        restaurant_id: HERE,
                        epoch: commit.epoch,
                        seq: commit.range().unwrap().1,
                        committed_at_ms: 0,
                    }));
                }
            }
            Step::Garble => self.worker.bus.say(Incoming::Check(HERE)),
            Step::Bus(reach) => self.worker.bus.reach(reach),
            Step::LogAway(away) => self.worker.log.set_away(away),
            Step::Join(back) => self.join(back).await,
            Step::Pull { session, times } => self.pull(session, times),
            Step::Leave(n) => {
                if n < self.sessions.len() {
                    self.sessions.swap_remove(n);
                }
            }
            Step::Pass(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::Rewind(by) => {
                let keep = (self.worker.log.head(HERE).last_seq - by).max(0);
                self.epochs += 1;
                self.worker.log.renew(HERE, epoch(self.epochs), keep);
                for seq in 1..=keep {
                    let kept = self.worker.log.frame(HERE, seq);
                    self.written.insert((epoch(self.epochs), seq), kept);
                }
            }
        }
    }

    async fn join(&mut self, back: Option<Seq>) {
        let head = self.worker.log.head(HERE);
        let since = Position {
            epoch: head.epoch,
            seq: (head.last_seq - back.unwrap_or(0)).max(0),
        };
        let asked = back.map_or(Since::Head, |_| Since::Position(since));
        let joined = self.worker.hub.join(crate::support::request(asked)).await;
        let Ok((session, opening)) = joined else {
            return; // The log is away.
        };
        let position = session.position();
        if back.is_some() && opening.resync.is_none() {
            assert!(opening.resumed);
            assert_eq!(position, since);
        } else {
            assert_eq!(position.seq, opening.head);
        }
        // Only a rewind can stand in the way of a position that the log has.
        assert!(opening.resync.is_none() || self.epochs > 1, "{opening:?}");
        self.sessions.push((session, position));
    }

    fn pull(&mut self, n: usize, times: usize) {
        for _ in 0..times {
            let Some((session, _)) = self.sessions.get_mut(n) else {
                return;
            };
            match session.next().now_or_never() {
                Some(pull) => self.check(n, pull),
                None => return,
            }
        }
    }

    fn check(&mut self, n: usize, pull: Pull) {
        let (session, at) = &mut self.sessions[n];
        match pull {
            Pull::Frames(frames) => {
                for frame in frames {
                    at.seq += 1;
                    let written = self.written.get(&(at.epoch, at.seq));
                    assert_eq!(Some(&frame), written, "after {at:?}");
                }
            }
            Pull::Resync { reason, position } => {
                assert_eq!(reason, ResyncReason::EpochChanged);
                assert!(position.epoch > at.epoch, "{position:?} after {at:?}");
                *at = position;
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(session.position(), *at);
    }

    /// When all is well again, everybody gets to the end of the log.
    async fn settle(&mut self) {
        self.worker.log.set_away(false);
        self.worker.bus.reach(Reach::Full);
        let head = self.worker.log.head(HERE);
        let end = Position {
            epoch: head.epoch,
            seq: head.last_seq,
        };
        for n in 0..self.sessions.len() {
            while self.sessions[n].1 != end {
                let next = self.sessions[n].0.next();
                let Ok(pull) = timeout(Duration::from_secs(60), next).await else {
                    panic!("stuck at {:?}, the log is at {end:?}", self.sessions[n].1);
                };
                self.check(n, pull);
            }
            let more = timeout(Duration::from_secs(10), self.sessions[n].0.next()).await;
            assert!(more.is_err(), "beyond the end: {more:?}");
        }
    }
}

fn run(steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new();
        for step in steps {
            world.take(step).await;
        }
        world.settle().await;
        let stats = world.worker.hub.stats();
        assert_eq!(stats.log_holes.get(), 0);
        world.worker.hub.shutdown().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_session_sees_the_log(steps in vec(step(), 1..80)) {
        run(&steps);
    }

    #[test]
    fn each_session_sees_each_life_of_the_log(steps in vec(step_or_rewind(), 1..80)) {
        run(&steps);
    }
}

/// The property above is worth something only if it can fail.
#[test]
fn the_world_notices_a_loss() {
    let lost = std::panic::catch_unwind(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            let mut without = small();
            without.compare_every = None;
            world.worker = Worker::start(without, 5);
            world.take(&Step::Join(None)).await;
            world.commits.clear();
            _ = world.commit(2);
            world.settle().await;
        });
    });
    assert!(lost.is_err());
}

//! What is broken on purpose is broken.

use realtime::{Fault, Pull};
use testkit::wait::DEADLINE;
use wire::Seq;

use crate::support::{HERE, Worker, config, pull};

fn broken(fault: Fault) -> Worker {
    let mut config = config();
    config.fault = Some(fault);
    Worker::start(config, 0)
}

#[tokio::test(start_paused = true)]
async fn without_comparison_the_last_message_stays_lost() {
    let worker = broken(Fault::SkipHeadComparison);
    let mut session = worker.follow().await;
    _ = worker.log.append(HERE, 1);
    let waited = tokio::time::timeout(DEADLINE, session.next()).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn one_message_in_a_hundred_is_never_seen() {
    let worker = broken(Fault::DropOneInAHundred);
    let mut session = worker.follow().await;
    let mut seen = 0;
    for _ in 0..300 {
        worker.bus.deliver(&worker.log.append(HERE, 1));
    }
    let all = worker.log.head(HERE).last_seq;
    while session.position().seq < all {
        let Pull::Frames(frames) = pull(&mut session).await else {
            panic!("not frames");
        };
        seen += Seq::try_from(frames.len()).unwrap();
        if seen == all - 3 {
            break;
        }
    }
    crate::support::expect_silence(&mut session).await;
    assert_eq!((seen, session.position().seq), (297, 300));
}

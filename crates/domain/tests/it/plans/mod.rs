//! The statements of the hot paths on large data: what each reads, and what has to be planned anew
//! each time.
//!
//! A server of the test's own writes down every statement that the operations execute, those of
//! foreign keys and triggers included, and how. So a new statement is judged without anybody
//! thinking of it, and a new operation has to be added here ([`names`]).

mod floor;
mod holders;
mod judge;
mod large;
mod menu;
mod names;
mod people;
mod platform;
mod statements;
mod together;

use judge::{Planning, judge};
use large::Large;

/// How often each operation is done with plans of each kind: once until its statements are
/// prepared, once more to see which are prepared again.
const ROUNDS: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn hot_paths_read_what_they_need_and_no_more() {
    let large = Large::fill().await;
    let mut faults = Vec::new();
    let mut seen = Vec::new();
    for (kind, planning) in (0..).zip([Planning::Custom, Planning::Generic]) {
        let mut house = large.open(planning.setting()).await;
        for round in kind * ROUNDS..(kind + 1) * ROUNDS {
            house.round = round;
            floor::read(&house).await;
            floor::change(&house).await;
            together::change(&house).await;
            people::run(&house).await;
            holders::run(&house).await;
            menu::run(&house).await;
            platform::run(&house).await;
        }
        let done = large.done(&house).await;
        faults.extend(judge(&done, planning));
        seen.extend(done.into_iter().map(|operation| operation.name));
    }
    faults.extend(names::missing(&seen));
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

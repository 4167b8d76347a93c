//! Waiting on conditions.

use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

/// How long a test waits for what should happen at once. Generous, because a loaded machine is
/// not a failure and a condition that holds ends the wait.
pub const DEADLINE: Duration = Duration::from_secs(20);

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks `condition` again and again until it answers, and returns the answer.
///
/// # Panics
/// At the deadline, naming `what` was waited for and by whom; also when `condition` itself hangs.
#[track_caller]
pub fn until<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let end = Instant::now() + deadline;
        let mut pause = FIRST_PAUSE;
        loop {
            match timeout_at(end, condition()).await {
                Ok(Some(answer)) => return answer,
                Ok(None) if Instant::now() < end => {}
                _ => panic!("waited {deadline:?} in vain for {what} (at {caller})"),
            }
            sleep_until(end.min(Instant::now() + pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_the_answer() {
        let mut asked = 0;
        let answer = until("the third answer", DEADLINE, async || {
            asked += 1;
            (asked == 3).then_some("here")
        })
        .await;
        assert_eq!(answer, "here");
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for the moon (at ")]
    async fn panics_at_the_deadline() {
        until("the moon", Duration::from_millis(30), async || None).await
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for an end")]
    async fn a_condition_that_hangs_does_not_hang_the_test() {
        until(
            "an end",
            Duration::from_millis(30),
            async || -> Option<()> { std::future::pending().await },
        )
        .await;
    }
}

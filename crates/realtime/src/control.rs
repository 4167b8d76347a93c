//! Seeing all sessions, and sending them away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::time::{Instant, sleep_until};
use wire::live::frames::CloseCode;

use crate::hub::{Hub, Inner};
use crate::seats::{Closing, Seat, SessionInfo};

/// With less than this much grace there is no time to spread.
const SHORT_GRACE: Duration = Duration::from_secs(3);
/// What is left at the end for the last ones to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

impl Hub {
    /// All sessions now.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.inner.seats().iter().map(|seat| seat.info).collect()
    }

    /// Sends away the sessions that `which` picks, and says how many.
    pub fn close_where(&self, which: impl Fn(&SessionInfo) -> bool, code: CloseCode) -> usize {
        let closing = Closing {
            code,
            reconnect_after: None,
        };
        let seats = self.inner.seats().into_iter();
        seats
            .filter(|seat| which(&seat.info) && seat.close(closing))
            .count()
    }

    /// Lets nobody in any more and sends everybody away, evenly over the time that is left. With
    /// little of it all go within the first second, and are asked to come back at different times
    /// instead. Ends when the last one has been told, not when it has gone.
    pub async fn drain(&self, grace: Duration) {
        let inner = &self.inner;
        inner.draining.store(true, Ordering::SeqCst);
        let (over, spread) = if grace < SHORT_GRACE {
            let over = GOODBYE.min(grace).mul_f64(0.8);
            (over, inner.context.config.reconnect_spread)
        } else {
            (grace - GOODBYE, GOODBYE)
        };
        let mut seats = inner.seats();
        // By room they would leave a restaurant all at once.
        seats.shuffle(&mut rand::rng());
        let step = over / u32::try_from(seats.len()).unwrap_or(u32::MAX).max(1);
        let mut due = Instant::now();
        for seat in seats {
            sleep_until(due).await;
            seat.close(Closing {
                code: CloseCode::GoingAway,
                reconnect_after: Some(spread.mul_f64(rand::random())),
            });
            due += step;
        }
    }
}

impl Inner {
    pub(crate) fn seats(&self) -> Vec<Arc<Seat>> {
        let rooms = self.all_rooms();
        rooms.iter().flat_map(|room| room.seats.collect()).collect()
    }
}

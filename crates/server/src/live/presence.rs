//! Who is here: told to the other workers, heard from them, and passed on to the sessions.
//!
//! Once a second a worker compares who is here with what it has told, tells the difference, and
//! looks where the whole differs from what its sessions were shown. Nothing is counted up and down
//! as sessions come and go, so nothing can be miscounted: a coming and a going that overtake each
//! other, a failed statement, a worker that was killed or believed dead all end in the same place
//! a second or a few later. A burst of comings is one statement and one frame.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use bytestring::ByteString;
use domain::live::presence::{self, Change, Place, Tenure};
use realtime::{Readers, SessionInfo};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use wire::RestaurantId;
use wire::live::frames::SessionFrame;
use wire::live::presence::Presence;

use crate::platform::errors::ApiError;
use crate::platform::extract::Path;
use crate::state::AppState;

/// Of its frames only the last counts.
const KEY: &str = "presence";

/// How often it is looked at who is here.
const ROUND: Duration = Duration::from_secs(1);

/// How many devices a list names, and how many a frame.
const LIST_LIMIT: i64 = 1000;
const FRAME_LIMIT: i64 = 50;

/// For each device in a restaurant so long passes before its sessions are told again, up to a
/// limit: what is told grows with the number of those whom it is told to.
const PAUSE_PER_DEVICE: Duration = Duration::from_millis(10);
const PAUSE_LIMIT: u32 = 3000;

/// How long a worker that goes away tries to say so.
const GOODBYE: Duration = Duration::from_secs(1);

/// Who follows a restaurant now, at whichever worker: users and devices, a second or two late.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/presence", tag = "live",
    params(("rid" = RestaurantId, Path)),
    responses((status = 200, body = Presence))
)]
pub async fn list(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
) -> Result<HttpResponse, ApiError> {
    let present = state
        .read("presence.read", async move |conn| {
            presence::read(conn, rid, LIST_LIMIT).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(present))
}

/// Keeps the register until `token` ends, then takes this worker off it.
pub(crate) async fn run(state: Arc<AppState>, token: CancellationToken) {
    let mut register = Register::default();
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = token.cancelled() => break,
            _ = rounds.tick() => {}
        }
        if let Err(error) = register.round(&state).await {
            tracing::warn!(%error, "presence could not be told and will be again");
            register.is_doubtful = true;
        }
    }
    // Who cannot say so is believed dead a few seconds later.
    let _said = timeout(GOODBYE, register.leave(&state)).await;
}

/// What this worker has told, and what its sessions were shown.
#[derive(Default)]
struct Register {
    tenure: Option<Tenure>,
    told: HashMap<Place, i32>,
    shown: HashMap<RestaurantId, Shown>,
    /// The database was away. Others may not have told again either, and must not seem gone.
    is_doubtful: bool,
}

struct Shown {
    digest: i64,
    devices: u32,
    at: Instant,
    frame: ByteString,
}

impl Register {
    async fn round(&mut self, state: &AppState) -> domain::Result<()> {
        let here = count(&state.hub.sessions());
        if here.is_empty() && self.told.is_empty() {
            self.shown.clear();
            return self.leave(state).await;
        }
        if self.tell(state, here).await? && !std::mem::take(&mut self.is_doubtful) {
            self.show(state).await?;
        }
        Ok(())
    }

    /// `false` when everything has to be told anew.
    async fn tell(&mut self, state: &AppState, here: HashMap<Place, i32>) -> domain::Result<bool> {
        let (tenure, change) = (self.tenure, difference(&self.told, &here));
        let told = state
            .db
            .transaction("presence.tell", async move |conn, _| {
                presence::sweep(conn).await?;
                presence::tell(conn, tenure, &change).await
            })
            .await?;
        self.tenure = told;
        self.told = if told.is_some() { here } else { HashMap::new() };
        Ok(told.is_some())
    }

    async fn show(&mut self, state: &AppState) -> domain::Result<()> {
        let mut rooms: Vec<RestaurantId> =
            self.told.keys().map(|place| place.restaurant_id).collect();
        rooms.sort_unstable();
        rooms.dedup();
        self.shown
            .retain(|room, _| rooms.binary_search(room).is_ok());
        let digests = state
            .db
            .read("presence.digests", async move |conn| {
                presence::digests(conn, &rooms).await
            })
            .await?;
        for (room, digest) in digests {
            if self
                .shown
                .get(&room)
                .is_none_or(|shown| shown.is_due(digest))
            {
                let present = state
                    .db
                    .read("presence.read", async move |conn| {
                        presence::read(conn, room, FRAME_LIMIT).await
                    })
                    .await?;
                self.shown.insert(room, Shown::new(digest, present)?);
            }
            if let Some(shown) = self.shown.get(&room) {
                // Again each time: the room may be another one than a second ago.
                state
                    .hub
                    .post(room, Readers::Staff, KEY, shown.frame.clone());
            }
        }
        Ok(())
    }

    async fn leave(&mut self, state: &AppState) -> domain::Result<()> {
        let Some(tenure) = self.tenure else {
            return Ok(());
        };
        let leave = state
            .db
            .transaction("presence.leave", async move |conn, _| {
                presence::leave(conn, tenure).await
            });
        leave.await?;
        self.tenure = None;
        Ok(())
    }
}

impl Shown {
    fn new(digest: i64, present: Presence) -> domain::Result<Self> {
        Ok(Self {
            digest,
            devices: present.device_count,
            at: Instant::now(),
            frame: serde_json::to_string(&SessionFrame::Presence(present))?.into(),
        })
    }

    fn is_due(&self, digest: i64) -> bool {
        let pause = PAUSE_PER_DEVICE * self.devices.min(PAUSE_LIMIT);
        digest != self.digest && self.at.elapsed() >= pause
    }
}

/// The connections of each device.
fn count(sessions: &[SessionInfo]) -> HashMap<Place, i32> {
    let mut here = HashMap::new();
    for session in sessions {
        if let Some(session_id) = session.who.session_id {
            let restaurant_id = session.restaurant_id;
            let place = Place {
                restaurant_id,
                session_id,
            };
            *here.entry(place).or_default() += 1;
        }
    }
    here
}

fn difference(told: &HashMap<Place, i32>, here: &HashMap<Place, i32>) -> Change {
    let news = here
        .iter()
        .filter(|(place, count)| told.get(place) != Some(count));
    let gone = told.keys().filter(|place| !here.contains_key(place));
    Change {
        here: news.map(|(place, count)| (*place, *count)).collect(),
        gone: gone.copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wire::SessionId;

    use super::*;

    fn place(n: u128) -> Place {
        Place {
            restaurant_id: RestaurantId(Uuid::nil()),
            session_id: SessionId(Uuid::from_u128(n)),
        }
    }

    #[test]
    fn only_the_difference_is_told() {
        let told = HashMap::from([(place(1), 1), (place(2), 1), (place(3), 2)]);
        let here = HashMap::from([(place(2), 1), (place(3), 1), (place(4), 1)]);
        let mut change = difference(&told, &here);
        change.here.sort_by_key(|(place, _)| place.session_id);
        assert_eq!(change.here, [(place(3), 1), (place(4), 1)]);
        assert_eq!(change.gone, [place(1)]);
        assert_eq!(difference(&here, &here), Change::default());
    }

    #[test]
    fn a_crowd_is_told_of_less_often() {
        let shown = |devices| {
            let present = Presence {
                device_count: devices,
                ..Presence::default()
            };
            Shown::new(1, present).unwrap()
        };
        assert!(shown(0).is_due(2));
        assert!(!shown(0).is_due(1), "nothing changed");
        assert!(!shown(500).is_due(2));
    }
}

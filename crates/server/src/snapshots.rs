//! Snapshots of the floor, read once for many who ask together.
//!
//! After a deploy or a restore every tablet of a restaurant asks for the whole floor within the
//! same second. One restaurant is read at most once at a time; who asks while a read is under way
//! waits for the next one, together with all others who do. So nobody gets what was read before
//! he asked, which may lack what he has been told since.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};
use domain::db::{Db, serving};
use domain::venue::restaurants;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use wire::{Position, RestaurantId};

use crate::platform::errors::ApiError;

/// From so many restaurants on, those of which nobody wants anything are forgotten.
const CROWD: usize = 256;

/// The floor at one position of the log, written as JSON.
#[derive(Debug)]
pub struct Snapshot {
    /// The last event that is contained.
    pub position: Position,
    /// When the service day began whose floor it is.
    pub day: DateTime<Utc>,
    /// A [`wire::floor::snapshot::Snapshot`].
    pub json: Bytes,
    frame: OnceLock<ByteString>,
}

impl Snapshot {
    /// The same as the frame `full_sync`.
    #[must_use]
    pub fn frame(&self) -> ByteString {
        let write = || {
            let object = String::from_utf8_lossy(&self.json);
            let fields = object.strip_prefix('{').unwrap_or_default();
            format!("{{\"type\":\"full_sync\",{fields}").into()
        };
        self.frame.get_or_init(write).clone()
    }
}

type Answer = Result<Arc<Snapshot>, Arc<domain::Error>>;
type Read = Shared<BoxFuture<'static, Answer>>;

/// One restaurant's turn.
#[derive(Default)]
struct Line {
    /// Held by the read that is under way.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The read that comes after it, which has not begun.
    next: Option<Read>,
}

/// Reads snapshots. Cheap to clone.
#[derive(Clone)]
pub struct Snapshots {
    db: Db,
    lines: Arc<Mutex<HashMap<RestaurantId, Line>>>,
}

impl Snapshots {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self {
            db,
            lines: Arc::default(),
        }
    }

    /// The floor as it is now or a little later.
    ///
    /// # Errors
    /// 404 when there is no such restaurant, 429 when it reads too much at once, 503 when the
    /// database is away.
    pub async fn of(&self, restaurant: RestaurantId) -> Result<Arc<Snapshot>, ApiError> {
        let read = self.next_read(restaurant);
        read.await.map_err(|error| ApiError::shared(&error))
    }

    fn next_read(&self, restaurant: RestaurantId) -> Read {
        let mut lines = self.lines.lock();
        if lines.len() >= CROWD {
            lines.retain(|_, line| line.next.is_some() || Arc::strong_count(&line.turn) > 1);
        }
        let line = lines.entry(restaurant).or_default();
        if let Some(read) = &line.next {
            return read.clone();
        }
        let (me, turn) = (self.clone(), Arc::clone(&line.turn));
        let read = async move {
            let _turn = turn.lock().await;
            // From here on it is too late to join.
            if let Some(line) = me.lines.lock().get_mut(&restaurant) {
                line.next = None;
            }
            me.read(restaurant).await.map(Arc::new).map_err(Arc::new)
        };
        line.next.insert(read.boxed().shared()).clone()
    }

    async fn read(&self, restaurant: RestaurantId) -> domain::Result<Snapshot> {
        let now = self.db.clock().now();
        let reading = self.db.snapshot("floor.snapshot", async move |conn| {
            domain::floor::snapshot::read(conn, restaurant, now).await
        });
        let snapshot = serving(restaurant, reading).await?;
        Ok(Snapshot {
            position: Position {
                epoch: snapshot.epoch,
                seq: snapshot.seq,
            },
            day: restaurants::service_day_start(&snapshot.restaurant, now),
            json: serde_json::to_vec(&snapshot)?.into(),
            frame: OnceLock::new(),
        })
    }
}

impl std::fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshots")
            .field("restaurants", &self.lines.lock().len())
            .finish_non_exhaustive()
    }
}

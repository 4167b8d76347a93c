//! Snapshots of restaurants, read once for many who ask together.
//!
//! After a deploy or a restore every tablet of a restaurant asks for everything within the
//! same second. One restaurant is read at most once at a time; who asks while a read is under way
//! waits for the next one, together with all others who do. So nobody gets what was read before
//! he asked, which may lack what he has been told since.
//!
//! What is in them is for the rooms to say: each has a [`Part`].

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};
use domain::db::{Db, PgConnection, serving};
use domain::venue::restaurants;
use domain::venue::restaurants::FloorView;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use wire::live::snapshot::{self, Section, Sections};
use wire::{Position, RestaurantId};

use crate::platform::errors::ApiError;

/// From so many restaurants on, those of which nobody wants anything are forgotten.
const CROWD: usize = 256;

/// What a room shows in a snapshot.
pub trait Part: Send + Sync {
    /// Reads it and adds it to the others. All parts are read in one transaction, in which nothing
    /// changes.
    fn read<'a>(
        &self,
        conn: &'a mut PgConnection,
        of: Moment,
        to: &'a mut Sections,
    ) -> BoxFuture<'a, domain::Result<()>>;

    /// How it looks, and what that refers to.
    fn describe(&self) -> Described;
}

/// A schema by its name.
type Named = (String, RefOr<Schema>);

/// How a part looks.
pub struct Described {
    /// An object with its fields.
    pub fields: RefOr<Schema>,
    /// What they refer to.
    pub referred: Vec<Named>,
}

impl Described {
    /// How a section looks.
    #[must_use]
    pub fn of<S: Section>() -> Self {
        let mut referred = Vec::new();
        S::schemas(&mut referred);
        Self {
            fields: S::schema(),
            referred,
        }
    }
}

/// Whose snapshot is read, and when.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The restaurant.
    pub restaurant: RestaurantId,
    /// The time.
    pub now: DateTime<Utc>,
    /// When its service day began, and where its log stands.
    pub view: FloorView,
}

/// What all rooms show, in this order. A type of its own, without a lifetime, because an async closure
/// that captures a reference cannot be shown to be `Send`.
#[derive(Clone, Copy)]
pub struct Parts(pub &'static [&'static dyn Part]);

impl Parts {
    fn read(
        self,
        conn: &mut PgConnection,
        restaurant: RestaurantId,
        now: DateTime<Utc>,
    ) -> BoxFuture<'_, domain::Result<(FloorView, Sections)>> {
        Box::pin(async move {
            let view = restaurants::floor_view(conn, restaurant, now).await?;
            let of = Moment {
                restaurant,
                now,
                view,
            };
            let mut sections = Sections::default();
            for part in self.0 {
                part.read(conn, of, &mut sections).await?;
            }
            Ok((view, sections))
        })
    }
}

/// A restaurant at one position of the log, written as JSON.
#[derive(Debug)]
pub struct Snapshot {
    /// The last event that is contained.
    pub position: Position,
    /// When the service day began that it shows.
    pub day: DateTime<Utc>,
    /// A [`snapshot::Snapshot`].
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
    parts: Parts,
    lines: Arc<Mutex<HashMap<RestaurantId, Line>>>,
}

impl Snapshots {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(db: Db, parts: Parts) -> Self {
        Self {
            db,
            parts,
            lines: Arc::default(),
        }
    }

    /// The restaurant as it is now or a little later.
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
        let (now, parts) = (self.db.clock().now(), self.parts);
        let reading = self.db.snapshot("floor.snapshot", async move |conn| {
            parts.read(conn, restaurant, now).await
        });
        let (view, sections) = serving(restaurant, reading).await?;
        let Position { epoch, seq } = view.position;
        let snapshot = snapshot::Snapshot {
            sections,
            last_updated: now,
            epoch,
            seq,
        };
        Ok(Snapshot {
            position: view.position,
            day: view.service_day_start,
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

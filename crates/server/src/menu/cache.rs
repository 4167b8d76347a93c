//! What everybody reads of menus, ready to be sent.
//!
//! A page is kept in memory and is good until the log says otherwise: for each menu that is kept,
//! the cache follows the restaurant's events like any other session in its room. So it hears of a
//! change when a tablet would, on every worker, and what a lost message of the bus would have said
//! it hears from the comparison with the log like a tablet. A change that this worker itself made
//! counts from its commit on. A page is thrown away with the minute, too, because what is served
//! now depends on the clock.
//!
//! Many who miss at once wait for one read. While the log cannot be followed every request reads
//! for itself, and nothing is kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::db::{Appended, Db, serving};
use domain::menu::tree;
use parking_lot::Mutex;
use realtime::{Hears, Hub, Join, JoinError, Pull, Since, Who};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use wire::entities::Topic;
use wire::live::events::EventKind;
use wire::{Position, RestaurantId, Seq};

use crate::platform::commits::OnCommit;
use crate::platform::errors::ApiError;
use crate::platform::reply::Document;

/// How many menus are kept.
const CAPACITY: usize = 1000;

/// A menu that nobody has read for so long is kept no longer.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// The menus that this worker keeps. Cheap to clone.
#[derive(Clone)]
pub struct Menus(Arc<Inner>);

struct Inner {
    db: Db,
    hub: Hub,
    /// Where the following of events runs: a request's own thread may end.
    runtime: Handle,
    slots: Mutex<HashMap<RestaurantId, Arc<Slot>>>,
}

/// A menu, as it is sent.
#[derive(Debug)]
pub struct Page {
    /// The whole menu in its order.
    pub menu: Document,
    /// All published dishes by their numbers.
    pub dishes: Document,
    /// Where the log stood when it was read.
    pub position: Position,
    good_until: DateTime<Utc>,
}

/// The place of one menu.
struct Slot {
    /// Whose turn it is to read; whether its events are followed.
    turn: tokio::sync::Mutex<bool>,
    known: Mutex<Known>,
}

/// What is known of a menu.
struct Known {
    page: Option<Arc<Page>>,
    /// Counts what makes every page that was read before worthless.
    generation: u64,
    /// The generation in which `page` was read.
    read_in: u64,
    /// The last event that was heard of.
    seq: Seq,
    used: Instant,
}

impl Slot {
    fn new() -> Self {
        Self {
            turn: tokio::sync::Mutex::new(false),
            known: Mutex::new(Known {
                page: None,
                generation: 0,
                read_in: 0,
                seq: 0,
                used: Instant::now(),
            }),
        }
    }

    /// The page, if it is what a reader of the log would find.
    fn good(&self, now: DateTime<Utc>) -> Option<Arc<Page>> {
        let mut known = self.known.lock();
        known.used = Instant::now();
        let page = known.page.as_ref()?;
        let is_good = known.read_in == known.generation
            && page.position.seq >= known.seq
            && now < page.good_until;
        is_good.then(|| Arc::clone(page))
    }

    /// Everything that was read so far is worthless.
    fn forget(&self) {
        let mut known = self.known.lock();
        known.generation += 1;
        known.seq = 0;
    }

    /// There is an event `seq`; pages that were read after it have it already.
    fn heard(&self, seq: Seq) {
        let mut known = self.known.lock();
        known.seq = known.seq.max(seq);
    }
}

impl Menus {
    /// An empty cache on the current runtime, which has to outlive it.
    #[must_use]
    pub fn new(db: Db, hub: Hub) -> Self {
        Self(Arc::new(Inner {
            db,
            hub,
            runtime: Handle::current(),
            slots: Mutex::default(),
        }))
    }

    /// The menu of a restaurant.
    ///
    /// # Errors
    /// 404 when there is no such restaurant, 503 when it has to be read and the database is away.
    pub async fn of(&self, restaurant: RestaurantId) -> Result<Arc<Page>, ApiError> {
        let now = self.0.db.clock().now();
        let Some(slot) = self.0.slot(restaurant) else {
            return self.0.read(restaurant, now).await;
        };
        if let Some(page) = slot.good(now) {
            return Ok(page);
        }
        let mut is_followed = slot.turn.lock().await;
        if let Some(page) = slot.good(now) {
            return Ok(page);
        }
        if !*is_followed {
            match self.follow(restaurant, &slot).await {
                Ok(()) => *is_followed = true,
                Err(JoinError::NotFound) => {
                    self.0.discard(restaurant, &slot);
                    return Err(ApiError::not_found());
                }
                Err(_) => {
                    drop(is_followed);
                    return self.0.read(restaurant, now).await;
                }
            }
        }
        let generation = slot.known.lock().generation;
        let page = self.0.read(restaurant, now).await?;
        let mut known = slot.known.lock();
        known.page = Some(Arc::clone(&page));
        known.read_in = generation;
        Ok(page)
    }

    async fn follow(&self, restaurant: RestaurantId, slot: &Arc<Slot>) -> Result<(), JoinError> {
        let kinds = EventKind::ALL.iter().copied();
        let join = Join {
            restaurant_id: restaurant,
            hears: Hears::Staff,
            kinds: Some(kinds.filter(|kind| shows_in_menu(*kind)).collect()),
            since: Since::Head,
            bulletins: false,
            who: Who::default(),
        };
        let (session, _) = self.0.hub.join(join).await?;
        let (inner, slot) = (Arc::clone(&self.0), Arc::clone(slot));
        self.0
            .runtime
            .spawn(async move { inner.listen(restaurant, slot, session).await });
        Ok(())
    }
}

impl OnCommit for Menus {
    fn committed(&self, appended: &Appended) {
        let mut kinds = appended.events.iter().map(|event| event.kind);
        if kinds.any(shows_in_menu)
            && let Some(slot) = self.0.slots.lock().get(&appended.restaurant_id)
        {
            slot.forget();
        }
    }
}

impl Inner {
    /// The place of a menu; none when there are too many.
    fn slot(&self, restaurant: RestaurantId) -> Option<Arc<Slot>> {
        let mut slots = self.slots.lock();
        let room = slots.len() < CAPACITY;
        match slots.entry(restaurant) {
            Entry::Occupied(slot) => Some(Arc::clone(slot.get())),
            Entry::Vacant(place) => room.then(|| Arc::clone(place.insert(Arc::new(Slot::new())))),
        }
    }

    fn discard(&self, restaurant: RestaurantId, slot: &Arc<Slot>) {
        let mut slots = self.slots.lock();
        if slots
            .get(&restaurant)
            .is_some_and(|known| Arc::ptr_eq(known, slot))
        {
            slots.remove(&restaurant);
        }
    }

    /// Hears what happens to a menu, until nobody reads it any more or the worker goes away.
    async fn listen(
        &self,
        restaurant: RestaurantId,
        slot: Arc<Slot>,
        mut session: realtime::Session,
    ) {
        loop {
            match timeout(IDLE, session.next()).await {
                Ok(Pull::Frames(_)) => slot.heard(session.position().seq),
                Ok(Pull::Resync { .. }) => slot.forget(),
                Ok(Pull::Bulletin(_)) => {}
                Ok(Pull::Close(_)) => break,
                Err(_) if slot.known.lock().used.elapsed() > IDLE => break,
                Err(_) => {}
            }
        }
        self.discard(restaurant, &slot);
        slot.forget();
    }

    async fn read(
        &self,
        restaurant: RestaurantId,
        now: DateTime<Utc>,
    ) -> Result<Arc<Page>, ApiError> {
        let read = self.db.snapshot("menu.read", async move |conn| {
            tree::read(conn, restaurant, now).await
        });
        let found = serving(restaurant, read).await?;
        Ok(Arc::new(Page {
            menu: Document::new(&found.menu)?,
            dishes: Document::new(&found.dishes)?,
            position: found.position,
            good_until: found.good_until,
        }))
    }
}

impl std::fmt::Debug for Menus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Menus")
            .field("kept", &self.0.slots.lock().len())
            .finish_non_exhaustive()
    }
}
/// Whether a menu may look different after it. The restaurant's settings say when it is on sale.
fn shows_in_menu(kind: EventKind) -> bool {
    matches!(kind.topic(), Some(Topic::Menu | Topic::Venue))
}

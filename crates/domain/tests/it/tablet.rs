//! A device of one member of the staff.

use chrono::{DateTime, Utc};
use domain::clock::new_id;
use domain::db::{Actor, Committed, Db, Scope, Tx};
use domain::floor::{guests, reservations, tables};
use domain::page::Page;
use domain::venue::restaurants;
use domain::venue::restaurants::NewRestaurant;
use domain::{Result, log};
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::Role;
use wire::floor::guests::{Guest, GuestFilter};
use wire::floor::reservations::Reservation;
use wire::floor::tables::{Table, TableFilter};
use wire::venue::restaurants::Restaurant;
use wire::{GuestId, ReservationId, RestaurantId, Seq, TableId, UserId};

/// A device of one member of the staff: the operations, each in a transaction of its own.
#[derive(Clone)]
pub(crate) struct Tablet {
    pub(crate) db: Db,
    pub(crate) scope: Scope,
}

impl Tablet {
    /// Makes a restaurant; the tablet is its manager's.
    pub(crate) async fn of_new_restaurant(db: &Db, time_zone: &str) -> Self {
        let new = NewRestaurant {
            id: new_id(),
            name: "Zum Anker".to_owned(),
            slug: None,
            time_zone: time_zone.to_owned(),
        };
        db.transaction("restaurants.create", async |conn, now| {
            restaurants::create(conn, &new, now).await
        })
        .await
        .unwrap();
        let actor = Actor {
            user_id: Some(new_id::<UserId>()),
            session_id: None,
            role: Role::Manager,
        };
        Self {
            db: db.clone(),
            scope: Scope::new(new.id, actor),
        }
    }

    pub(crate) fn id(&self) -> RestaurantId {
        self.scope.restaurant_id
    }

    /// The same tablet, working through another pool.
    pub(crate) fn through(&self, db: &Db) -> Self {
        Self {
            db: db.clone(),
            scope: self.scope,
        }
    }

    /// Several operations in one transaction.
    pub(crate) async fn write<T>(
        &self,
        body: impl AsyncFn(&mut Tx<'_>) -> Result<T>,
    ) -> Result<Committed<T>> {
        self.db.write("test", &self.scope, body).await
    }

    pub(crate) async fn try_add_guest(&self, input: Value) -> Result<Guest> {
        let input = read(input);
        let done = self
            .write(async |tx| guests::create(tx, &input).await)
            .await?;
        Ok(done.value)
    }

    pub(crate) async fn add_guest(&self, name: &str, party_size: i32) -> Guest {
        let input = serde_json::json!({"guestName": name, "partySize": party_size});
        self.try_add_guest(input).await.unwrap()
    }

    pub(crate) async fn try_change_guest(&self, id: GuestId, patch: Value) -> Result<Guest> {
        self.change_guest_at(id, None, patch).await
    }

    pub(crate) async fn change_guest_at(
        &self,
        id: GuestId,
        version: Option<i32>,
        patch: Value,
    ) -> Result<Guest> {
        let patch = read(patch);
        let done = self
            .write(async |tx| guests::update(tx, id, &patch, version).await)
            .await?;
        Ok(done.value)
    }

    pub(crate) async fn change_guest(&self, id: GuestId, patch: Value) -> Guest {
        self.try_change_guest(id, patch).await.unwrap()
    }

    /// Seats or moves a party.
    pub(crate) async fn seat(&self, guest: &Guest, tables: &[&Table]) -> Result<Guest> {
        let tables: Vec<TableId> = tables.iter().map(|table| table.id).collect();
        self.try_change_guest(guest.id, serde_json::json!({"tableIds": tables}))
            .await
    }

    pub(crate) async fn delete_guest(&self, id: GuestId, version: Option<i32>) -> Result<()> {
        self.write(async |tx| guests::delete(tx, id, version).await)
            .await?;
        Ok(())
    }

    pub(crate) async fn guest(&self, id: GuestId) -> Result<Guest> {
        let here = self.id();
        self.db
            .read("test", async |conn| guests::get(conn, here, id).await)
            .await
    }

    /// A list of parties; the service day began at `since`.
    pub(crate) async fn guests_since(
        &self,
        since: DateTime<Utc>,
        filter: Value,
    ) -> Result<Page<Guest>> {
        let (here, filter) = (self.id(), read::<GuestFilter>(filter));
        self.db
            .read("test", async |conn| {
                guests::list(conn, here, &filter, since).await
            })
            .await
    }

    /// The names in a list of all parties there ever were.
    pub(crate) async fn names(&self, mut filter: Value) -> Vec<String> {
        filter["scope"] = Value::from("all");
        let page = self
            .guests_since(DateTime::UNIX_EPOCH, filter)
            .await
            .unwrap();
        page.items
            .into_iter()
            .map(|guest| guest.guest_name)
            .collect()
    }

    pub(crate) async fn try_add_table(&self, input: Value) -> Result<Table> {
        let input = read(input);
        let done = self
            .write(async |tx| tables::create(tx, &input).await)
            .await?;
        Ok(done.value)
    }

    pub(crate) async fn add_table(&self, number: &str, capacity: i32) -> Table {
        let input = serde_json::json!({"tableNumber": number, "capacity": capacity});
        self.try_add_table(input).await.unwrap()
    }

    pub(crate) async fn change_table(&self, id: TableId, patch: Value) -> Result<Table> {
        self.change_table_at(id, None, patch).await
    }

    pub(crate) async fn change_table_at(
        &self,
        id: TableId,
        version: Option<i32>,
        patch: Value,
    ) -> Result<Table> {
        let patch = read(patch);
        let done = self
            .write(async |tx| tables::update(tx, id, &patch, version).await)
            .await?;
        Ok(done.value)
    }

    pub(crate) async fn delete_table(&self, id: TableId, version: Option<i32>) -> Result<()> {
        self.write(async |tx| tables::delete(tx, id, version).await)
            .await?;
        Ok(())
    }

    pub(crate) async fn clear(&self, id: TableId) -> Result<Table> {
        Ok(self
            .write(async |tx| tables::clear(tx, id).await)
            .await?
            .value)
    }

    pub(crate) async fn table(&self, id: TableId) -> Result<Table> {
        let here = self.id();
        self.db
            .read("test", async |conn| tables::get(conn, here, id).await)
            .await
    }

    pub(crate) async fn tables(&self, filter: Value) -> Result<Page<Table>> {
        let (here, filter) = (self.id(), read::<TableFilter>(filter));
        self.db
            .read("test", async |conn| tables::list(conn, here, &filter).await)
            .await
    }

    pub(crate) async fn try_change_restaurant(&self, patch: Value) -> Result<Restaurant> {
        let patch = read(patch);
        let done = self
            .write(async |tx| restaurants::update(tx, &patch, None).await)
            .await?;
        Ok(done.value)
    }

    pub(crate) async fn change_restaurant(&self, patch: Value) -> Restaurant {
        self.try_change_restaurant(patch).await.unwrap()
    }

    /// Makes a booking.
    pub(crate) async fn book(&self, input: Value) -> Reservation {
        let input = read(input);
        let done = self.write(async |tx| reservations::create(tx, &input).await);
        done.await.unwrap().value
    }

    pub(crate) async fn change_booking(&self, id: ReservationId, patch: Value) -> Reservation {
        let patch = read(patch);
        let done = self.write(async |tx| reservations::update(tx, id, &patch, None).await);
        done.await.unwrap().value
    }

    /// Where the log stands.
    pub(crate) async fn head(&self) -> log::Head {
        let here = self.id();
        self.db
            .read("test", async |conn| log::head(conn, here).await)
            .await
            .unwrap()
    }

    /// What the log has after an event, as clients get it.
    pub(crate) async fn events_after(&self, after: Seq) -> Vec<Value> {
        let here = self.id();
        let page = self.db.read("test", async |conn| {
            log::read(conn, here, after, 10_000).await
        });
        let events = page.await.unwrap().events;
        events
            .iter()
            .map(|event| serde_json::from_str(&event.frame).unwrap())
            .collect()
    }
}

/// Reads what a client would have sent.
pub(crate) fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

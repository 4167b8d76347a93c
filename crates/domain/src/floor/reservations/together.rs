//! Bookings among several changes; to remove one is to call it off.

use uuid::Uuid;
use wire::ReservationId;
use wire::floor::reservations::{CreateReservation, Reservation, UpdateReservation};
use wire::together::atomic::Entity;

use super::{cancel, create_as, some, update};
use crate::Result;
use crate::db::Tx;
use crate::floor::locks::OnFloor;
use crate::floor::together::{profile, text};
use crate::together::changes::Edit;
use crate::together::kinds::{Changeable, EditOf, Profile};
use crate::together::locks::Touched;

impl Changeable for Reservation {
    const ENTITY: Entity = Entity::Reservation;
    const PROFILE: Profile = profile("This booking", "the booking", |state| {
        text(state, "guestName").map(|name| format!("the booking of {name}"))
    });
    type Id = ReservationId;
    type Create = CreateReservation;
    type Update = UpdateReservation;

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn touch(edit: &EditOf<Self>, touched: &mut Touched) {
        touched.note(|floor: &mut OnFloor| match edit {
            Edit::Create(id, input) => {
                floor.bookings.extend(id);
                match (&input.table_ids, input.hold_id) {
                    (Some(tables), _) => floor.tables.extend(tables),
                    (None, Some(hold)) => floor.holds.push(hold),
                    (None, None) => floor.any_table = true,
                }
            }
            Edit::Update(id, patch) => {
                floor.waiting_list = true;
                floor.bookings.push(*id);
                let wanted = patch.table_ids.iter().flatten().flatten();
                floor.tables.extend(wanted);
            }
            Edit::Delete(id) => {
                floor.waiting_list = true;
                floor.bookings.push(*id);
            }
        });
    }

    async fn create(tx: &mut Tx<'_>, id: ReservationId, input: &CreateReservation) -> Result<Self> {
        create_as(tx, id, input).await
    }

    async fn update(
        tx: &mut Tx<'_>,
        id: ReservationId,
        patch: &UpdateReservation,
        version: Option<i32>,
    ) -> Result<Self> {
        update(tx, id, patch, version).await
    }

    async fn delete(
        tx: &mut Tx<'_>,
        id: ReservationId,
        version: Option<i32>,
    ) -> Result<Option<Self>> {
        cancel(tx, id, version).await.map(Some)
    }

    async fn among(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Self>> {
        some(tx.conn, tx.restaurant_id(), ids).await
    }
}

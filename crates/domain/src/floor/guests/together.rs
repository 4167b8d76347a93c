//! Parties among several changes.

use uuid::Uuid;
use wire::GuestId;
use wire::floor::guests::{CreateGuest, Guest, UpdateGuest};
use wire::together::atomic::Entity;

use super::create::is_to_wait;
use super::{among, create_all, create_as, defer, delete, flush, is_in_line, update};
use crate::Result;
use crate::db::Tx;
use crate::floor::locks::OnFloor;
use crate::floor::together::{profile, text};
use crate::together::changes::Edit;
use crate::together::kinds::{Changeable, EditOf, Profile};
use crate::together::locks::Touched;

impl Changeable for Guest {
    const ENTITY: Entity = Entity::Guest;
    const PROFILE: Profile = profile("This party", "the party", |state| {
        text(state, "guestName").map(str::to_owned)
    });
    type Id = GuestId;
    type Create = CreateGuest;
    type Update = UpdateGuest;

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn touch(edit: &EditOf<Self>, touched: &mut Touched) {
        touched.note(|floor: &mut OnFloor| match edit {
            // One that is made under an id may be there already, and then shows in the answer.
            Edit::Create(id, input) => {
                floor.waiting_list = true;
                floor.parties.extend(id);
                floor.tables.extend(input.table_id);
                floor.tables.extend(input.table_ids.iter().flatten());
            }
            Edit::Update(id, patch) => {
                floor.parties.push(*id);
                floor.waiting_list |= patch.is_place_changed();
                floor.tables.extend(patch.table_id.flatten());
                let wanted = patch.table_ids.iter().flatten().flatten();
                floor.tables.extend(wanted);
            }
            Edit::Delete(id) => {
                floor.waiting_list = true;
                floor.parties.push(*id);
            }
        });
    }

    async fn create(tx: &mut Tx<'_>, id: GuestId, input: &CreateGuest) -> Result<Self> {
        create_as(tx, id, input, None).await
    }

    async fn update(
        tx: &mut Tx<'_>,
        id: GuestId,
        patch: &UpdateGuest,
        version: Option<i32>,
    ) -> Result<Self> {
        update(tx, id, patch, version).await
    }

    async fn delete(tx: &mut Tx<'_>, id: GuestId, version: Option<i32>) -> Result<Option<Self>> {
        delete(tx, id, version).await?;
        Ok(None)
    }

    async fn among(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Self>> {
        among(tx, ids).await
    }

    /// Those that are to wait, and nothing else.
    fn comes_along(input: &CreateGuest) -> bool {
        is_to_wait(input)
    }

    async fn create_all(
        tx: &mut Tx<'_>,
        some: &[(GuestId, &CreateGuest)],
    ) -> Result<Vec<Result<Self>>> {
        create_all(tx, some).await
    }

    /// A move of one who waits, on a list that is in memory and locked.
    fn is_refused_first(tx: &Tx<'_>, edit: &EditOf<Self>) -> bool {
        matches!(edit, Edit::Update(id, patch)
            if patch.is_only_moved() && is_in_line(tx, *id))
    }

    fn begin(tx: &mut Tx<'_>) {
        defer(tx);
    }

    async fn finish(tx: &mut Tx<'_>) -> Result<()> {
        flush(tx).await
    }
}

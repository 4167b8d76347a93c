//! Tables among several changes.

use uuid::Uuid;
use wire::TableId;
use wire::floor::tables::{CreateTable, Table, UpdateTable};
use wire::together::atomic::Entity;

use super::{create_as, delete, some, update};
use crate::Result;
use crate::db::Tx;
use crate::floor::locks::OnFloor;
use crate::floor::together::{profile, text};
use crate::together::changes::Edit;
use crate::together::kinds::{Changeable, EditOf, Profile};
use crate::together::locks::Touched;

impl Changeable for Table {
    const ENTITY: Entity = Entity::Table;
    const PROFILE: Profile = profile("This table", "the table", |state| {
        text(state, "tableNumber").map(|number| format!("table {number}"))
    });
    type Id = TableId;
    type Create = CreateTable;
    type Update = UpdateTable;

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn touch(edit: &EditOf<Self>, touched: &mut Touched) {
        if let Edit::Update(id, _) | Edit::Delete(id) = edit {
            touched.note(|floor: &mut OnFloor| floor.tables.push(*id));
        }
    }

    async fn create(tx: &mut Tx<'_>, id: TableId, input: &CreateTable) -> Result<Self> {
        create_as(tx, id, input).await
    }

    async fn update(
        tx: &mut Tx<'_>,
        id: TableId,
        patch: &UpdateTable,
        version: Option<i32>,
    ) -> Result<Self> {
        update(tx, id, patch, version).await
    }

    async fn delete(tx: &mut Tx<'_>, id: TableId, version: Option<i32>) -> Result<Option<Self>> {
        delete(tx, id, version).await?;
        Ok(None)
    }

    async fn among(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Self>> {
        some(tx.conn, tx.restaurant_id(), ids).await
    }
}

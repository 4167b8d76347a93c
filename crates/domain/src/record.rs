//! What all things with a version have in common: how their rows are found, locked and written, how
//! each change counts, and how it is told.
//!
//! A [`Stored`] row is one that [`stored!`] was said of: where it is, by which id, and what the
//! client is answered when one of its constraints is broken. A [`Record`] is what clients see and
//! the log tells of: such a row or, where other tables say a part of it, the row with that part.

use std::borrow::BorrowMut;

use chrono::{DateTime, Utc};
use diesel::result::Error as DieselError;
use diesel_async::AsyncPgConnection;
use serde::Serialize;
use wire::live::events::{Action, EventKind, Gone};
use wire::{EntityId, RestaurantId, RootId};

use crate::db::{Event, Tx, WholeRow};
use crate::error::broken_constraint;
use crate::{Error, Result};

/// A row of which each change counts.
pub(crate) trait Versioned {
    /// How events name it.
    fn entity_id(&self) -> EntityId;

    /// How often it was written.
    fn version(&self) -> i32;

    /// Counts a change, which is made `now`.
    fn touch(&mut self, now: DateTime<Utc>);
}

/// What is answered when a row cannot be as it should be: by the constraint's name.
pub(crate) type Answers<R> = &'static [(&'static str, fn(&R) -> Error)];

/// A row of a restaurant that is found by its id and written as a whole: see [`stored!`].
pub(crate) trait Stored: Versioned + WholeRow {
    /// By what it is found.
    type Id: Copy;

    /// What is answered when it breaks a constraint that it may break.
    const ANSWERS: Answers<Self>;

    /// The row.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn find(
        conn: &mut AsyncPgConnection,
        restaurant: RestaurantId,
        id: Self::Id,
    ) -> Result<Self>;

    /// The row, locked until the end of the transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn lock(tx: &mut Tx<'_>, id: Self::Id) -> Result<Self>;

    /// Writes a new row.
    ///
    /// # Errors
    /// Its [`Stored::ANSWERS`].
    async fn insert(&self, conn: &mut AsyncPgConnection) -> Result<()>;

    /// Writes a changed row over the one that is there, and counts the change.
    ///
    /// # Errors
    /// Its [`Stored::ANSWERS`].
    async fn write(&mut self, tx: &mut Tx<'_>) -> Result<()>;

    /// Removes the row.
    ///
    /// # Errors
    /// Its [`Stored::ANSWERS`].
    async fn delete(&self, tx: &mut Tx<'_>) -> Result<()>;

    /// What is answered to a statement about this row that failed.
    fn refused(&self, error: DieselError) -> Error {
        let broken = broken_constraint(&error);
        let mut answers = Self::ANSWERS.iter();
        match answers.find(|(constraint, _)| Some(*constraint) == broken) {
            Some((_, answer)) => answer(self),
            None => error.into(),
        }
    }
}

/// Makes a row [`Stored`]:
///
/// ```text
/// stored! {
///     TableRow in tables, "table" by id: TableId, at |restaurant, id| (restaurant, id),
///     answers { "tables_number" => |row| taken(&row.table_number) }
/// }
/// ```
///
/// It needs the fields `version` and `last_updated`, and `treat_none_as_null` ([`WholeRow`]).
macro_rules! stored {
    (
        $row:ident in $table:ident, $word:literal by $id:ident: $id_type:ty,
        at |$restaurant:pat_param, $key:ident| $place:expr,
        answers { $($constraint:literal => $answer:expr),* $(,)? }
    ) => {
        impl $crate::db::WholeRow for $row {}

        impl $crate::record::Versioned for $row {
            fn entity_id(&self) -> wire::EntityId {
                self.$id.into()
            }

            fn version(&self) -> i32 {
                self.version
            }

            fn touch(&mut self, now: chrono::DateTime<chrono::Utc>) {
                self.version += 1;
                self.last_updated = now;
            }
        }

        impl $crate::record::Stored for $row {
            type Id = $id_type;

            const ANSWERS: $crate::record::Answers<Self> = &[$(($constraint, $answer)),*];

            async fn find(
                conn: &mut diesel_async::AsyncPgConnection,
                $restaurant: wire::RestaurantId,
                $key: Self::Id,
            ) -> $crate::Result<Self> {
                let row = $table::table.find($place).select(Self::as_select());
                let row = diesel_async::RunQueryDsl::first(row, conn).await.optional()?;
                row.ok_or($crate::Error::NotFound($word))
            }

            async fn lock(tx: &mut $crate::db::Tx<'_>, $key: Self::Id) -> $crate::Result<Self> {
                let $restaurant = tx.restaurant_id();
                let row = $table::table.find($place).select(Self::as_select()).for_update();
                let row = diesel_async::RunQueryDsl::first(row, tx.conn).await.optional()?;
                row.ok_or($crate::Error::NotFound($word))
            }

            async fn insert(
                &self,
                conn: &mut diesel_async::AsyncPgConnection,
            ) -> $crate::Result<()> {
                let row = diesel::insert_into($table::table).values(self);
                let done = diesel_async::RunQueryDsl::execute(row, conn).await;
                done.map_err(|error| self.refused(error))?;
                Ok(())
            }

            async fn write(&mut self, tx: &mut $crate::db::Tx<'_>) -> $crate::Result<()> {
                $crate::record::Versioned::touch(self, tx.now);
                let ($restaurant, $key) = (tx.restaurant_id(), self.$id);
                let place = $table::table.find($place);
                let done = <Self as $crate::db::WholeRow>::overwrite(self, tx.conn, place).await;
                done.map_err(|error| self.refused(error))?;
                Ok(())
            }

            async fn delete(&self, tx: &mut $crate::db::Tx<'_>) -> $crate::Result<()> {
                let ($restaurant, $key) = (tx.restaurant_id(), self.$id);
                let row = diesel::delete($table::table.find($place));
                let done = diesel_async::RunQueryDsl::execute(row, tx.conn).await;
                done.map_err(|error| self.refused(error))?;
                Ok(())
            }
        }
    };
}
pub(crate) use stored;

/// Locks the rows of a restaurant that have some ids, in the one order of locks: by id. Those that do
/// not exist are left out.
///
/// ```text
/// let rows: Vec<TableRow> = lock_by_id!(tx, tables, ids, TableRow::as_select());
/// ```
macro_rules! lock_by_id {
    ($tx:ident, $table:ident, $ids:expr, $columns:expr) => {
        $table::table
            .filter($table::restaurant_id.eq($tx.restaurant_id()))
            .filter($table::id.eq_any($ids))
            .order($table::id)
            .select($columns)
            .for_update()
            .load($tx.conn)
            .await?
    };
}
pub(crate) use lock_by_id;

/// What the log tells of: a row, or a row with what other tables say of it.
pub(crate) trait Record: Clone + PartialEq + BorrowMut<Self::Row> {
    /// The row; this itself where there is no more to it.
    type Row: Versioned;

    /// What clients see of it.
    type Shown: Serialize;

    /// What a change of it is told as.
    const UPDATED: EventKind;

    /// What is told of a new one.
    const CREATED: EventKind = Self::UPDATED;

    /// What is told of one that is gone.
    const DELETED: EventKind = Self::UPDATED;

    /// As clients see it `now`.
    ///
    /// # Errors
    /// When it is stored as nobody can read it.
    fn shown(self, now: DateTime<Utc>) -> Result<Self::Shown>;

    /// What a change from `before` is told as, and what about it changed.
    fn change(&self, _before: &Self) -> (EventKind, Action) {
        (Self::UPDATED, Action::InfoUpdated)
    }

    /// What everybody may hear of a change from nothing, or to it.
    fn public(
        _before: Option<&Self::Shown>,
        _after: Option<&Self::Shown>,
    ) -> Option<impl Serialize> {
        None::<()>
    }

    /// The things by which it may be followed by somebody who has no part in the restaurant; none
    /// while nobody does.
    fn roots(&self) -> Vec<RootId> {
        Vec::new()
    }

    /// What they hear of it.
    fn own(_shown: &Self::Shown) -> Option<impl Serialize> {
        None::<()>
    }

    /// What is told of it once it is gone.
    fn gone(&self) -> impl Serialize {
        let row: &Self::Row = self.borrow();
        Gone {
            id: row.entity_id().as_uuid(),
            version: row.version() + 1,
        }
    }

    /// Refuses a change that was made for another version than this one.
    ///
    /// # Errors
    /// [`Error::Stale`].
    fn check_version(&self, asked: Option<i32>, now: DateTime<Utc>) -> Result<()> {
        let row: &Self::Row = self.borrow();
        match asked {
            Some(asked) if asked != row.version() => {
                let current = self.clone().shown(now)?;
                Err(Error::Stale(Box::new(serde_json::to_value(current)?)))
            }
            _ => Ok(()),
        }
    }

    /// Writes a new one, and tells.
    ///
    /// # Errors
    /// The row's [`Stored::ANSWERS`].
    async fn create(self, tx: &mut Tx<'_>) -> Result<Self::Shown>
    where
        Self::Row: Stored,
    {
        let row: &Self::Row = self.borrow();
        row.insert(tx.conn).await?;
        self.tell_created(tx)
    }

    /// Writes what became of one that was `before`, and tells; does nothing where nothing changed.
    ///
    /// # Errors
    /// The row's [`Stored::ANSWERS`].
    async fn save(mut self, tx: &mut Tx<'_>, before: &Self) -> Result<Self::Shown>
    where
        Self::Row: Stored,
    {
        if self == *before {
            return self.shown(tx.now);
        }
        let row: &mut Self::Row = self.borrow_mut();
        row.write(tx).await?;
        self.tell_changed(tx, before)
    }

    /// Removes it, and tells.
    ///
    /// # Errors
    /// The row's [`Stored::ANSWERS`].
    async fn remove(self, tx: &mut Tx<'_>) -> Result<()>
    where
        Self::Row: Stored,
    {
        let row: &Self::Row = self.borrow();
        row.delete(tx).await?;
        self.tell_deleted(tx)
    }

    /// Tells of one that is gone.
    ///
    /// # Errors
    /// As [`Record::shown`].
    fn tell_deleted(self, tx: &mut Tx<'_>) -> Result<()> {
        let row: &Self::Row = self.borrow();
        let id = row.entity_id();
        let event = Event::new(Self::DELETED, id, Action::Deleted, &self.gone());
        let event = event.own(self.roots(), Vec::new(), &());
        let before = self.shown(tx.now)?;
        let public = Self::public(Some(&before), None);
        tx.tell(publicly(event.before(&before), public))
    }

    /// Tells of a new one.
    ///
    /// # Errors
    /// As [`Record::shown`].
    fn tell_created(self, tx: &mut Tx<'_>) -> Result<Self::Shown> {
        let row: &Self::Row = self.borrow();
        let id = row.entity_id();
        let roots = self.roots();
        let after = self.shown(tx.now)?;
        let event = Event::new(Self::CREATED, id, Action::Created, &after);
        let event = event.own(Vec::new(), roots, &Self::own(&after));
        tx.tell(publicly(event, Self::public(None, Some(&after))))?;
        Ok(after)
    }

    /// Tells what became of one that was `before`.
    ///
    /// # Errors
    /// As [`Record::shown`].
    fn tell_changed(self, tx: &mut Tx<'_>, before: &Self) -> Result<Self::Shown> {
        let (kind, action) = self.change(before);
        self.tell_as(tx, before, kind, action)
    }

    /// The same where the two do not say what it is told as.
    ///
    /// # Errors
    /// As [`Record::shown`].
    fn tell_as(
        self,
        tx: &mut Tx<'_>,
        before: &Self,
        kind: EventKind,
        action: Action,
    ) -> Result<Self::Shown> {
        let row: &Self::Row = self.borrow();
        let id = row.entity_id();
        let roots = (before.roots(), self.roots());
        let (before, after) = (before.clone().shown(tx.now)?, self.shown(tx.now)?);
        let event = Event::new(kind, id, action, &after).before(&before);
        let event = event.own(roots.0, roots.1, &Self::own(&after));
        tx.tell(publicly(event, Self::public(Some(&before), Some(&after))))?;
        Ok(after)
    }

    /// Tells of one out of which values were taken that nothing may show any more, the audit
    /// neither. Who followed it by itself, as it was `before`, may do so no more.
    ///
    /// # Errors
    /// As [`Record::shown`].
    fn tell_erased(self, tx: &mut Tx<'_>, before: &Self) -> Result<()> {
        let row: &Self::Row = self.borrow();
        let id = row.entity_id();
        let roots = (before.roots(), self.roots());
        let after = self.shown(tx.now)?;
        let event = Event::new(Self::UPDATED, id, Action::InfoUpdated, &after);
        let event = event.own(roots.0, roots.1, &Self::own(&after));
        tx.tell(event.unaudited())
    }
}

fn publicly(event: Event, public: Option<impl Serialize>) -> Event {
    match public {
        Some(public) => event.public(&public),
        None => event,
    }
}

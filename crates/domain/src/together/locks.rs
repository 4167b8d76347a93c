//! Locking all that several changes will touch, before the first of them: in the one order, so that
//! the operations find everything locked and two such transactions never wait for each other.
//!
//! Rooms say what their changes lead to ([`Reach`]) and how rows of their tables are locked
//! ([`Rows`]); the order of the tables is that of a list in `rooms.rs`.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::db::{Kept, Tx};
use crate::{Error, Result, rooms};

/// What changes touch, as each room notes it in a type of its own.
#[derive(Default)]
pub(crate) struct Touched(Kept);

impl Touched {
    /// Notes something.
    pub(crate) fn note<T>(&mut self, note: impl FnOnce(&mut T))
    where
        T: Any + Send + Sync + Clone + Default,
    {
        let mut of_room = self.0.take::<T>().unwrap_or_default();
        note(&mut of_room);
        self.0.put(of_room);
    }

    /// What was noted.
    pub(crate) fn get<T>(&self) -> Arc<T>
    where
        T: Any + Send + Sync + Default,
    {
        self.0.get().unwrap_or_default()
    }
}

/// The rows that are to be locked, by their tables.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached(BTreeMap<&'static str, BTreeSet<Uuid>>);

impl Reached {
    /// Adds rows of a table.
    pub(crate) fn add<I: Into<Uuid>>(
        &mut self,
        table: &'static str,
        ids: impl IntoIterator<Item = I>,
    ) {
        let ids = ids.into_iter().map(Into::into);
        self.0.entry(table).or_default().extend(ids);
    }

    /// The rows of a table, by id.
    pub(crate) fn of<I: From<Uuid>>(&self, table: &'static str) -> Vec<I> {
        let ids = self.0.get(table).into_iter().flatten();
        ids.map(|id| I::from(*id)).collect()
    }
}

/// What changes of a room lead to.
#[async_trait]
pub(crate) trait Reach: Sync {
    /// Whether the restaurant's row is locked before all others.
    fn begins_with_restaurant(&self, touched: &Touched) -> bool;

    /// Adds what the changes name and what goes with it.
    async fn reach(&self, tx: &mut Tx<'_>, touched: &Touched, reached: &mut Reached) -> Result<()>;
}

/// Rows of one table.
#[async_trait]
pub(crate) trait Rows: Sync {
    /// Locks those that were reached, by id.
    async fn lock(&self, tx: &mut Tx<'_>, touched: &Touched, reached: &Reached) -> Result<()>;
}

/// Locks what the changes name and what goes with it.
///
/// # Errors
/// [`Error::Contended`] when somebody moved one of them meanwhile.
pub(crate) async fn lock_all(tx: &mut Tx<'_>, touched: &Touched) -> Result<()> {
    let mut rooms = rooms::REACH.iter();
    if rooms.any(|room| room.begins_with_restaurant(touched)) {
        rooms::lock_restaurant(tx).await?;
    }
    let reached = reach(tx, touched).await?;
    for rows in rooms::LOCKS {
        rows.lock(tx, touched, &reached).await?;
    }
    if reach(tx, touched).await? == reached {
        Ok(())
    } else {
        Err(Error::Contended)
    }
}

async fn reach(tx: &mut Tx<'_>, touched: &Touched) -> Result<Reached> {
    let mut reached = Reached::default();
    for room in rooms::REACH {
        room.reach(tx, touched, &mut reached).await?;
    }
    Ok(reached)
}

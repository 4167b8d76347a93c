//! What a room says of things that may be a person's.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;
use wire::RestaurantId;
use wire::privacy::{Erased, PersonExport};

use crate::Result;
use crate::db::Tx;

/// Which things are to be handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Of which restaurant.
    pub(crate) restaurant: RestaurantId,
    /// Whatever they are, those with these ids.
    pub(crate) ids: &'a [Uuid],
    /// When.
    pub(crate) now: DateTime<Utc>,
}

/// A kind of thing that may be a person's.
#[async_trait]
pub(crate) trait OfPeople: Sync {
    /// Queries that find it: of the restaurant `$1`, by a telephone number, which has one of the
    /// digits `$2`, by an address, which may be spelled like `$3`, and by its links with those that
    /// were found before, `$4`. Each gives ids, and beside them the address that is there, if it was
    /// found by nothing else; whether that is the person's is not for the database's locale to say.
    fn found_by(&self) -> &'static [&'static str];

    /// Hands out those that are asked for.
    async fn export(
        &self,
        conn: &mut AsyncPgConnection,
        asked: Asked<'_>,
        into: &mut PersonExport,
    ) -> Result<()>;

    /// Locks those with some ids, in the one order.
    async fn lock(&self, tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Box<dyn Locked>>;
}

/// Things that are locked.
#[async_trait]
pub(crate) trait Locked: Send {
    /// Takes the values of people out of them, and tells, but not the audit; notes how many had any.
    async fn erase(self: Box<Self>, tx: &mut Tx<'_>, erased: &mut Erased) -> Result<()>;
}

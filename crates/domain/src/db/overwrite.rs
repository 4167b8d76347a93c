//! Writing a whole row over what it was, by a statement that is prepared once.

use std::marker::PhantomData;

use diesel::QuerySource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{
    AsChangeset, AstPass, IntoUpdateTarget, QueryFragment, QueryId, UpdateTarget,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

/// A row of which every column is written, whatever is in it, so that the statement is the same
/// each time.
///
/// To be implemented where `treat_none_as_null` is set: without it a column that is NULL would be
/// left out, and the next row would be written by the statement of the one before.
pub(crate) trait WholeRow: Sized + 'static {
    /// Writes the row to where `target` points (`table.find(key)`). Returns how many rows that was.
    ///
    /// Diesel's own UPDATE is prepared anew for every use, because it may have other columns each
    /// time. That is a round trip, and the planning, for each change of a party.
    async fn overwrite<'a, T>(
        &'a self,
        conn: &mut AsyncPgConnection,
        target: T,
    ) -> QueryResult<usize>
    where
        T: IntoUpdateTarget,
        T::Table: QuerySource + QueryId,
        <T::Table as QuerySource>::FromClause: QueryFragment<Pg> + Send,
        T::WhereClause: QueryFragment<Pg> + QueryId + Send,
        &'a Self: AsChangeset<Target = T::Table>,
        <&'a Self as AsChangeset>::Changeset: QueryFragment<Pg> + Send,
    {
        let UpdateTarget {
            table,
            where_clause,
        } = target.into_update_target();
        let statement = Overwrite::<T::Table, Self, _, _, _> {
            from: table.from_clause(),
            changes: self.as_changeset(),
            where_clause,
            of: PhantomData,
        };
        statement.execute(conn).await
    }
}

/// The statement.
struct Overwrite<T, R, F, C, W> {
    from: F,
    changes: C,
    where_clause: W,
    of: PhantomData<fn() -> (T, R)>,
}

impl<T, R, F, C, W> QueryFragment<Pg> for Overwrite<T, R, F, C, W>
where
    F: QueryFragment<Pg>,
    C: QueryFragment<Pg>,
    W: QueryFragment<Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.from.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        self.where_clause.walk_ast(out.reborrow())
    }
}

impl<T, R, F, C, W> QueryId for Overwrite<T, R, F, C, W>
where
    T: QueryId,
    R: WholeRow,
    W: QueryId,
{
    type QueryId = Overwrite<T::QueryId, R, (), (), W::QueryId>;

    const HAS_STATIC_QUERY_ID: bool = T::HAS_STATIC_QUERY_ID && W::HAS_STATIC_QUERY_ID;
}

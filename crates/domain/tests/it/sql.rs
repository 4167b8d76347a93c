//! A connection beside the pool: to look at the server from outside, and to be in the way.

use domain::db::Db;
use testkit::database::admin_url;
use testkit::wait::{self, DEADLINE};
use tokio_postgres::types::FromSqlOwned;
use tokio_postgres::{Client, NoTls};

use crate::support::TestDb;

diesel::define_sql_function! {
    fn current_database() -> diesel::sql_types::Text;
}

/// Where the database is that a pool leads to.
pub(crate) async fn url_of(db: &Db) -> String {
    use diesel_async::RunQueryDsl;
    let name: String = db
        .read("test", async |conn| {
            Ok(diesel::select(current_database()).get_result(conn).await?)
        })
        .await
        .unwrap();
    let admin = admin_url();
    let (server, parameters) = admin.split_at(admin.find('?').unwrap_or(admin.len()));
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}{parameters}")
}

/// A plain connection, closed with its value.
pub(crate) struct Sql(Client);

impl Sql {
    /// To the database of a test.
    pub(crate) async fn beside(test: &TestDb) -> Self {
        Self::connect(&url_of(&test.db).await).await
    }

    pub(crate) async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    /// Runs statements.
    pub(crate) async fn run(&self, statements: &str) {
        self.try_run(statements).await.unwrap();
    }

    pub(crate) async fn try_run(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.0.batch_execute(statements).await
    }

    /// Runs one statement; how many rows it changed.
    pub(crate) async fn change(&self, statement: &str) -> u64 {
        self.0.execute(statement, &[]).await.unwrap()
    }

    /// The first columns of all rows.
    pub(crate) async fn all<T: FromSqlOwned>(&self, query: &str) -> Vec<T> {
        let rows = self.0.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The first column of the one row.
    pub(crate) async fn one<T: FromSqlOwned>(&self, query: &str) -> T {
        self.0.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Waits until a query says yes.
    pub(crate) async fn until(&self, what: &str, query: &str) {
        wait::until(what, DEADLINE, async || {
            self.one::<bool>(query).await.then_some(())
        })
        .await;
    }

    /// Waits until so many sessions of this database stand in a queue for a lock.
    pub(crate) async fn until_waiting(&self, sessions: u32) {
        let query = format!(
            "SELECT count(*) = {sessions} FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'"
        );
        self.until("sessions that wait for a lock", &query).await;
    }

    /// Waits until no session of this database but this one is in a transaction.
    pub(crate) async fn until_nobody_is_in_a_transaction(&self) {
        self.until(
            "the end of all transactions",
            "SELECT count(*) = 0 FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND xact_start IS NOT NULL",
        )
        .await;
    }

    /// Ends all sessions of this database but this one.
    pub(crate) async fn end_all_sessions(&self) {
        self.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }
}

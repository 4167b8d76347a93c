//! A new connection: where its driver runs, what it is set to, and whether the database is still
//! the one that the log's epochs belong to.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tls::PostgresServer;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::schema::{database_identity, log_heads};

/// What every connection is set to. `synchronous_commit`, because an acknowledged change must
/// survive a crash whatever the server's default; the limits, so that a hanging statement or a
/// forgotten transaction ends by itself; the check, so that the server notices that we hung up
/// while a statement still waits for a lock.
const SETTINGS: &str = "SET synchronous_commit = on; \
    SET statement_timeout = '10s'; \
    SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '15s'; \
    SET client_connection_check_interval = '2s'";

/// Taken by whoever renews the epochs.
const IDENTITY_LOCK: i64 = 782_254;

/// The same for a replica, which is given up on sooner, since the primary can answer too.
const REPLICA_SETTINGS: &str = "SET default_transaction_read_only = on; \
    SET statement_timeout = '2s'; \
    SET idle_in_transaction_session_timeout = '5s'; \
    SET client_connection_check_interval = '1s'";

/// What the server is to us.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// What is written, and decides.
    Primary,
    /// A copy that follows. Whether it does is asked with each read (`replica.rs`), and not here:
    /// a connection outlives the promotion of its server. Nor are epochs renewed by one.
    Replica,
}

/// Opens a connection whose driver runs on `runtime`: an HTTP thread that happens to ask first may
/// end before the connection does.
pub(super) async fn open(
    runtime: &Handle,
    server: PostgresServer,
    role: Role,
) -> ConnectionResult<AsyncPgConnection> {
    runtime
        .spawn(async move {
            let mut connection = bare(&server).await?;
            match role {
                Role::Primary => prepare(&mut connection).await,
                Role::Replica => connection.batch_execute(REPLICA_SETTINGS).await,
            }
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        })
        .await
        .unwrap_or_else(|error| Err(ConnectionError::BadConnection(error.to_string())))
}

/// A connection as the server gives it, whose driver runs on the current runtime.
pub(crate) async fn bare(server: &PostgresServer) -> ConnectionResult<AsyncPgConnection> {
    let (client, driver) = server
        .connect()
        .await
        .map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
    AsyncPgConnection::try_from_client_and_connection(client, driver).await
}

async fn prepare(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute(SETTINGS).await?;
    let recorded = match recorded_identity(connection).await? {
        Recorded::NoTable => return Ok(()),
        Recorded::Nothing => None,
        Recorded::Identity(identity) => Some(identity),
    };
    let actual = actual_identity(connection).await?;
    if recorded.as_ref() == Some(&actual) {
        return Ok(());
    }
    renew_epochs(connection, &actual).await
}

enum Recorded {
    /// The schema has not been migrated yet.
    NoTable,
    Nothing,
    Identity(String),
}

async fn recorded_identity(connection: &mut AsyncPgConnection) -> QueryResult<Recorded> {
    #[derive(QueryableByName)]
    struct Exists {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        yes: bool,
    }
    let exists: Exists =
        diesel::sql_query("SELECT to_regclass('database_identity') IS NOT NULL AS yes")
            .get_result(connection)
            .await?;
    if !exists.yes {
        return Ok(Recorded::NoTable);
    }
    let identity = database_identity::table
        .select(database_identity::identity)
        .first::<String>(connection)
        .await
        .optional()?;
    Ok(identity.map_or(Recorded::Nothing, Recorded::Identity))
}

/// The cluster, its timeline (a promoted replica or a restore to a point in time begins a new one)
/// and the database in it (a dump restored beside the original has another).
async fn actual_identity(connection: &mut AsyncPgConnection) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Identity {
        #[diesel(sql_type = diesel::sql_types::Text)]
        identity: String,
    }
    let row: Identity = diesel::sql_query(
        "SELECT (SELECT system_identifier FROM pg_control_system())::text \
         || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) \
         || ':' || (SELECT oid FROM pg_database WHERE datname = current_database())::text \
         AS identity",
    )
    .get_result(connection)
    .await?;
    Ok(row.identity)
}

/// Gives every restaurant's log a new epoch, once, whoever notices first.
async fn renew_epochs(connection: &mut AsyncPgConnection, actual: &str) -> QueryResult<()> {
    connection
        .transaction::<_, diesel::result::Error, _>(async |connection| {
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<diesel::sql_types::BigInt, _>(IDENTITY_LOCK)
                .execute(connection)
                .await?;
            let recorded = database_identity::table
                .select(database_identity::identity)
                .first::<String>(connection)
                .await
                .optional()?;
            if recorded.as_deref() == Some(actual) {
                return Ok(());
            }
            let epoch = younger_epoch(connection).await?;
            let renewed = diesel::update(log_heads::table)
                .set(log_heads::epoch.eq(epoch))
                .execute(connection)
                .await?;
            diesel::insert_into(database_identity::table)
                .values((
                    database_identity::singleton.eq(true),
                    database_identity::identity.eq(actual),
                ))
                .on_conflict(database_identity::singleton)
                .do_update()
                .set(database_identity::identity.eq(actual))
                .execute(connection)
                .await?;
            tracing::warn!(
                recorded = recorded.as_deref().unwrap_or("none"),
                actual,
                %epoch,
                restaurants = renewed,
                "the database is another than before: every log has a new epoch"
            );
            Ok(())
        })
        .await
}

/// An epoch that sorts after all that were before, also when this machine's clock is behind that
/// of another worker.
async fn younger_epoch(connection: &mut AsyncPgConnection) -> QueryResult<Uuid> {
    let youngest = log_heads::table
        .select(log_heads::epoch)
        .order(log_heads::epoch.desc())
        .first::<Uuid>(connection)
        .await
        .optional()?;
    let least = youngest.map_or(0, |epoch| epoch.as_u128().saturating_add(1));
    Ok(Uuid::now_v7().max(Uuid::from_u128(least)))
}

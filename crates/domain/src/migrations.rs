//! The schema's steps, carried inside the program.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tls::PostgresServer;

use crate::db::bare;
use crate::{Error, Result};

/// Every step, in order.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// One runner at a time, whoever else starts up: "qtable" in a telephone's letters.
const LOCK: i64 = 782_253;

/// A step that waits for a table makes everybody who comes after it wait, too. So it gives up and
/// lets them through before anybody notices; [`run`] can be called again.
const PATIENT: &str = "SET lock_timeout = '2s'; SET statement_timeout = 0";

/// A step outside a transaction (`CREATE INDEX CONCURRENTLY`) holds nobody up, and waits for every
/// transaction that is older than it.
const PATIENT_ALONE: &str = "SET lock_timeout = 0; SET statement_timeout = 0";

/// Applies every step that is missing. Returns the names of those that it applied.
///
/// Must be called on a multi-thread tokio runtime, outside `select!` and `join!`.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away, or a table was in use for as long as a step
/// may wait for it: try again. [`Error::Internal`] when a step fails.
pub async fn run(database_url: &str) -> Result<Vec<String>> {
    run_steps(database_url, MIGRATIONS).await
}

/// Applies the steps of `source` that are missing, as [`run`] does. For tests of the running.
///
/// # Errors
/// As [`run`].
pub async fn run_steps(
    database_url: &str,
    source: impl MigrationSource<Pg>,
) -> Result<Vec<String>> {
    let mut harness = harness(database_url).await?;
    let mut applied = Vec::new();
    for step in harness.pending_migrations(source).map_err(failed)? {
        let settings = if step.metadata().run_in_transaction() {
            PATIENT
        } else {
            PATIENT_ALONE
        };
        let mut connection = harness.into_inner();
        connection.batch_execute(settings).await?;
        harness = AsyncMigrationHarness::new(connection);
        harness.run_migration(&step).map_err(failed)?;
        applied.push(step.name().to_string());
    }
    Ok(applied)
}

/// Reverts every step, newest first. For tests of the way back.
///
/// # Errors
/// As [`run`].
pub async fn revert_all(database_url: &str) -> Result<()> {
    let mut harness = harness(database_url).await?;
    harness.revert_all_migrations(MIGRATIONS).map_err(failed)?;
    Ok(())
}

/// Whether any step is missing.
///
/// # Errors
/// As [`run`].
pub async fn is_pending(database_url: &str) -> Result<bool> {
    let mut harness = connect(database_url).await?;
    harness.has_pending_migration(MIGRATIONS).map_err(failed)
}

/// A name for this set of steps that is another when a letter of them changes, for caches of a
/// migrated database: sixteen hexadecimal digits.
#[must_use]
pub const fn fingerprint() -> &'static str {
    env!("MIGRATIONS_FINGERPRINT")
}

async fn connect(database_url: &str) -> Result<AsyncMigrationHarness<AsyncPgConnection>> {
    let server = PostgresServer::parse(database_url)
        .map_err(|error| Error::Internal(format!("the database's address {error}")))?;
    let connection = bare(&server)
        .await
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    Ok(AsyncMigrationHarness::new(connection))
}

/// A connection that holds the lock of runners until it is closed.
async fn harness(database_url: &str) -> Result<AsyncMigrationHarness<AsyncPgConnection>> {
    let mut connection = connect(database_url).await?.into_inner();
    connection
        .batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))
        .await?;
    Ok(AsyncMigrationHarness::new(connection))
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let reason = error.to_string();
    // PostgreSQL's code for it does not come through.
    if reason.contains("lock timeout") {
        return Error::Unavailable("a table that a step changes is in use".to_owned());
    }
    Error::Internal(format!("migration: {reason}"))
}

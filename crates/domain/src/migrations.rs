//! The schema's steps, carried inside the program.

use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Error, Result};

/// Every step, in order.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// One runner at a time, whoever else starts up: "qtable" in a telephone's letters.
const LOCK: i64 = 782_253;

/// Applies every step that is missing. Returns the names of those that it applied.
///
/// Must be called on a multi-thread tokio runtime, outside `select!` and `join!`.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away, [`Error::Internal`] when a step fails.
pub async fn run(database_url: &str) -> Result<Vec<String>> {
    let mut harness = harness(database_url).await?;
    let applied = harness.run_pending_migrations(MIGRATIONS).map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
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
    let connection = AsyncPgConnection::establish(database_url)
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
    Error::Internal(format!("migration: {error}"))
}

//! One connection, to see what comes of it.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use tls::PostgresServer;

use super::connect;
use crate::{Error, Result};

/// What a server says of a connection to it.
#[derive(Debug, QueryableByName)]
pub struct Probe {
    /// Which PostgreSQL it is: `15.18`.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// By what the connection is encrypted: `TLSv1.3`. `None` when it is not.
    #[diesel(sql_type = Nullable<Text>)]
    pub encryption: Option<String>,
    /// Whether it follows another server, and so takes no writes.
    #[diesel(sql_type = Bool)]
    pub is_following: bool,
}

/// Connects as the pool does, and asks. The driver runs on the current runtime.
///
/// # Errors
/// [`Error::Unavailable`], in words for an operator.
pub async fn probe(server: &PostgresServer) -> Result<Probe> {
    let mut connection = connect::bare(server)
        .await
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    let asked = diesel::sql_query(
        "SELECT current_setting('server_version') AS version, \
         (SELECT s.version FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl) \
         AS encryption, pg_is_in_recovery() AS is_following",
    );
    Ok(asked.get_result(&mut connection).await?)
}

//! A connection in use, and how it is given back or closed.

use std::time::Duration;

use deadpool::managed::Object;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;

use super::serving::Held;
use crate::{Error, Result};

/// A connection of a pool.
pub(super) type Connection = Object<AsyncDieselConnectionManager<AsyncPgConnection>>;

/// A connection in use. Unless its user says that he is done with it, it is closed and not
/// returned to the pool: a request that was cancelled half way must not leave its locks, its open
/// transaction or its running statement to whoever comes next.
pub(super) struct Lease {
    connection: Option<Connection>,
    is_done: bool,
    _held: Held,
}

impl Lease {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection: Some(connection),
            is_done: false,
            _held: Held::now(),
        }
    }

    /// The connection.
    pub(super) fn connection(&mut self) -> Result<&mut AsyncPgConnection> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(Error::Internal("the connection was given back".to_owned())),
        }
    }

    /// The connection may go back to the pool, unless what came of its use says that it is dead or
    /// silent. (One that is still in a transaction is refused by the pool itself.)
    pub(super) fn keep_unless_spent<T>(&mut self, result: &Result<T>) {
        self.is_done = !matches!(result, Err(error) if is_dead(error) || is_silent(error));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.is_done
        {
            drop(Object::take(connection));
        }
    }
}

/// How long a connection may be used for, all statements together. The server itself ends what
/// takes too long (`connect.rs`); this is for one that says nothing any more. A lost route or a
/// machine that hangs would otherwise keep a request, and its place in the pool, for hours.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is said of a connection that was silent for so long.
const SILENCE: &str = "no answer in time";

/// What comes of a use of a connection, if anything comes.
///
/// # Errors
/// Those of `using`; [`Error::Unavailable`] after [`PATIENCE`], when the connection must be closed.
pub(super) async fn answered<T>(using: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, using)
        .await
        .unwrap_or_else(|_| Err(Error::Unavailable(SILENCE.to_owned())))
}

/// Whether an error says that the connection has not answered for too long. Another might, but the
/// caller has waited long enough.
pub(super) fn is_silent(error: &Error) -> bool {
    matches!(error, Error::Unavailable(text) if text == SILENCE)
}

/// Whether an error says that the connection is gone. Time limits are [`Error::Unavailable`] too,
/// but another connection would not help.
pub(super) fn is_dead(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable(text) if !text.starts_with("canceling statement") && text != SILENCE
    )
}

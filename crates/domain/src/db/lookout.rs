//! Looking whether the database is there, without getting in anybody's way or being in anybody's:
//! on a connection of its own, so that whoever asks is told of the database and not of who else uses
//! it.

use std::time::{Duration, Instant};

use diesel_async::AsyncPgConnection;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::pool::ping;
use crate::{Error, Result};

/// Opens a connection.
type Open = Box<dyn Fn() -> BoxFuture<'static, Result<AsyncPgConnection>> + Send + Sync>;

/// One connection, opened when somebody looks for the first time, and again when it is gone.
pub(super) struct Lookout {
    open: Open,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    connection: Option<AsyncPgConnection>,
    /// When the last look began, and whether the database answered.
    last: Option<(Instant, bool)>,
}

impl Lookout {
    pub(super) fn new(open: Open) -> Self {
        Self {
            open,
            seen: Mutex::default(),
        }
    }

    /// Looks. Many who ask at once are answered by one look that began after they asked.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no answer, within `patience` at most.
    pub(super) async fn look(&self, patience: Duration) -> Result<()> {
        let asked = Instant::now();
        let looking = async {
            let mut seen = self.seen.lock().await;
            if let Some((began, is_there)) = seen.last
                && began >= asked
            {
                return if is_there { Ok(()) } else { Err(away()) };
            }
            let began = Instant::now();
            let result = self.ask(&mut seen, patience / 2).await;
            seen.last = Some((began, result.is_ok()));
            result
        };
        let looked = timeout(patience, looking).await;
        looked.unwrap_or_else(|_| Err(Error::Unavailable("no answer in time".to_owned())))
    }

    /// The connection is out of its place while it is asked: one whose answer nobody waited for is
    /// closed. One that is silent may have been lost on the way, which a new one tells.
    async fn ask(&self, seen: &mut Seen, patience: Duration) -> Result<()> {
        if let Some(mut known) = seen.connection.take()
            && matches!(timeout(patience, ping(&mut known)).await, Ok(Ok(())))
        {
            seen.connection = Some(known);
            return Ok(());
        }
        let mut new = (self.open)().await?;
        ping(&mut new).await?;
        seen.connection = Some(new);
        Ok(())
    }
}

fn away() -> Error {
    Error::Unavailable("no connection".to_owned())
}

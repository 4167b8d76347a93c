//! Passwords: bcrypt, away from the threads that serve requests.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::checks::Checks;
use crate::{Error, Result};

/// How many may wait for their turn. A hash takes a tenth of a second or more, so whoever comes
/// later would only learn after many seconds that nobody waits for the answer any more.
const WAITING: usize = 64;

/// bcrypt ignores what comes after.
const MOST_BYTES: usize = 72;

/// Salt and hash of no password, for accounts that do not exist.
const NOBODY: &str = "......................OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO";

/// Passwords that stand in documents and examples, ours among them: whoever tries any tries these.
pub const KNOWN_TO_ALL: [&str; 2] = ["password123", "a-long-password-of-your-own"];

/// Hashes and verifies passwords, as many at once as there are cores for it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    cost: u32,
    /// Whether [`KNOWN_TO_ALL`] are refused as new ones.
    is_strict: bool,
    /// Those who are being served and those who wait.
    places: Arc<Semaphore>,
    /// Those who are being served.
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// `cost` is bcrypt's (each step doubles the work); `parallel` how many cores may be busy with
    /// passwords at once.
    #[must_use]
    pub fn new(cost: u32, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        Self {
            cost,
            is_strict: false,
            places: Arc::new(Semaphore::new(parallel + WAITING)),
            turns: Arc::new(Semaphore::new(parallel)),
        }
    }

    /// The same, that take no new password which everybody knows: for production.
    #[must_use]
    pub fn strict(self) -> Self {
        Self {
            is_strict: true,
            ..self
        }
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what [`Checks::password`] refuses; [`Error::Unavailable`] when too
    /// many are waiting.
    pub async fn hash(&self, password: String) -> Result<String> {
        let mut checks = Checks::new();
        checks.password("password", &password);
        if self.is_strict && KNOWN_TO_ALL.contains(&password.as_str()) {
            checks.fault("password", "is one that everybody knows");
        }
        checks.finish()?;
        let cost = self.cost;
        self.in_turn(move || bcrypt::hash(password, cost)).await
    }

    /// Whether the password is the one that was hashed. For an account that does not exist,
    /// `hash` is `None`; that takes as long as a wrong password, and so does a password that no
    /// account can have.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many are waiting; [`Error::Internal`] for a hash that is
    /// none.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let can_match = hash.is_some() && password.len() <= MOST_BYTES && !password.contains('\0');
        let hash = hash.unwrap_or_else(|| format!("$2b${:02}${NOBODY}", self.cost));
        let matches = self
            .in_turn(move || bcrypt::verify(password, &hash))
            .await?;
        Ok(can_match && matches)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|error| match error {
                TryAcquireError::NoPermits => {
                    Error::Unavailable("too many passwords are waiting to be checked".to_owned())
                }
                TryAcquireError::Closed => closed(),
            })?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        // The work goes on when the caller hangs up, so it is the work that holds the turn.
        let held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, turn);
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(held);
            result
        })
        .await
        .map_err(|error| Error::Internal(format!("password: {error}")))?
        .map_err(|error| Error::Internal(format!("password: {error}")))
    }
}

fn closed() -> Error {
    Error::Internal("the line for passwords is closed".to_owned())
}

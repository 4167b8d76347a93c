//! Wrong passwords.
//!
//! Whoever guesses at an account from one address has ten guesses in a quarter of an hour. All
//! addresses together have a hundred in an hour; but those from which somebody has logged in to the
//! account in the last month are not counted there and not stopped by it. So a crowd of strangers
//! can keep an owner from logging in at a new place, but not out of the restaurant; devices that are
//! logged in notice nothing in either case.
//!
//! A guess is paid before the password is looked at, and given back when it was right: twenty
//! guesses at once at two workers are twenty.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::gcra::Rate;
use super::subject::{Subject, Tier};
use super::{Counting, Limits};
use crate::errors::ApiError;

const FROM_ONE_ADDRESS: Rate = Rate {
    count: 10,
    period: Duration::from_secs(15 * 60),
};
const FROM_STRANGERS: Rate = Rate::per_hour(100);

/// How long an address is known after a login.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Addresses that are known here, for when Redis does not answer. A worker that starts anew knows
/// none.
pub(super) struct Known(Cache<Subject, ()>);

impl Default for Known {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(100_000).time_to_live(KNOWN);
        Self(known.build())
    }
}

/// A password that is about to be looked at.
#[must_use = "a password that was right is to be said so"]
pub struct Attempt(Option<Guess>);

struct Guess {
    counting: Arc<Counting>,
    takes: Vec<(Subject, Rate)>,
    known: Subject,
}

impl Limits {
    /// Counts a guess at the password of an account, which `name` stands for.
    ///
    /// # Errors
    /// 429 when there were too many wrong ones.
    pub async fn guess(&self, name: &str, address: Option<IpAddr>) -> Result<Attempt, ApiError> {
        let (Some(counting), Some(address)) = (&self.0, address) else {
            return Ok(Attempt(None));
        };
        let here = Subject::name_at(Tier::Failures, name, address);
        let known = Subject::name_at(Tier::Logins, name, address);
        let mut takes = vec![(here, FROM_ONE_ADDRESS)];
        if !counting.is_known(&known).await {
            takes.push((Subject::name(Tier::Failures, name), FROM_STRANGERS));
        }
        let verdict = counting.take_exactly(&takes).await;
        counting.passed(Tier::Failures, verdict)?;
        Ok(Attempt(Some(Guess {
            counting: Arc::clone(counting),
            takes,
            known,
        })))
    }
}

impl Attempt {
    /// The password was right.
    pub async fn was_right(self) {
        let Some(guess) = self.0 else {
            return;
        };
        guess.counting.ledger.give_back(&guess.takes);
        guess.counting.known.0.insert(guess.known, ()).await;
        if let Some(shared) = &guess.counting.shared {
            shared.give_back(&guess.takes).await;
            shared.note(&guess.known, KNOWN).await;
        }
    }
}

impl Counting {
    async fn is_known(&self, subject: &Subject) -> bool {
        let noted = match &self.shared {
            Some(shared) => shared.is_noted(subject).await,
            None => None,
        };
        noted.unwrap_or_else(|| self.known.0.contains_key(subject))
    }
}

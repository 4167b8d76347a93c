//! Wrong passwords.
//!
//! A guess is paid before the password is looked at, and given back when it was right: twenty
//! guesses at once at two workers are twenty. How many guesses at one account there are depends on
//! where they come from:
//!
//! | from | at once | then in an hour |
//! |---|---|---|
//! | an address from which nobody has logged in to the account in the last month | 10 | 40 |
//! | all those addresses together | 100 | 100 |
//! | an address from which somebody has: the house's own network | 50 | 200 |
//! | a device on which somebody has, wherever it is | 10 | 40 |
//! | a device that is logged in, at the present password when it is to be changed | 10 | 40 |
//!
//! Each is counted by itself, so what one uses up the others have still. A crowd of strangers keeps
//! an owner from logging in on a new device at a new place, but neither out of the restaurant nor
//! on devices that are known; somebody in the restaurant's own network, a guest perhaps, keeps
//! nobody out of a device that is known, and has to go far to lock that network for others. Devices
//! that are logged in notice nothing in any case.
//!
//! An address is known after a login, a registration or a new password there. A device is known by
//! a secret that it was given with its tokens ([`crate::access::device`]); it opens nothing but
//! this allowance.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::address;
use moka::future::Cache;
use wire::{SessionId, UserId};

use super::gcra::Rate;
use super::subject::{Subject, Tier};
use super::{Counting, Limits};
use crate::access::device::Device;
use crate::platform::errors::ApiError;

const QUARTER: Duration = Duration::from_secs(15 * 60);

const FROM_ONE_ADDRESS: Rate = Rate {
    count: 10,
    period: QUARTER,
};
const FROM_STRANGERS: Rate = Rate::per_hour(100);
const FROM_A_KNOWN_ADDRESS: Rate = Rate {
    count: 50,
    period: QUARTER,
};
const ON_A_KNOWN_DEVICE: Rate = Rate {
    count: 10,
    period: QUARTER,
};

/// What a device may do at the door when strangers have used up what its address has: several
/// times what one that works needs.
const AT_A_FULL_DOOR: Rate = Rate::per_minute(20);

/// How long an address or a device is known after a login.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Addresses and devices that are known here, for when Redis does not answer. A worker that starts
/// anew knows none.
pub(super) struct Known(Cache<Subject, ()>);

impl Default for Known {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(100_000).time_to_live(KNOWN);
        Self(known.build())
    }
}

/// Whose password is guessed: an account's, in whatever spelling of its address, or nobody's.
#[derive(Clone, Debug)]
pub struct Guessed(String);

impl Guessed {
    /// The account's.
    #[must_use]
    pub fn account(user: UserId) -> Self {
        Self(user.to_string())
    }

    /// That of the account that was found for an address, if one was.
    #[must_use]
    pub fn of(account: Option<UserId>, typed: &str) -> Self {
        match account {
            Some(user) => Self::account(user),
            None => Self(address::key(typed).unwrap_or_else(|| typed.trim().to_owned())),
        }
    }
}

/// A password that is about to be looked at.
#[must_use = "a password that was right is to be said so"]
pub struct Attempt(Option<Guess>);

struct Guess {
    counting: Arc<Counting>,
    takes: Vec<(Subject, Rate)>,
}

impl Limits {
    /// Counts a guess at a password.
    ///
    /// # Errors
    /// 429 when there were too many wrong ones.
    pub async fn guess(
        &self,
        whose: &Guessed,
        address: Option<IpAddr>,
        device: Option<&Device>,
    ) -> Result<Attempt, ApiError> {
        let (Some(counting), Some(address)) = (&self.0, address) else {
            return Ok(Attempt(None));
        };
        let here = Subject::name_at(Tier::Failures, &whose.0, address);
        let takes = if let Some(device) = device
            && counting.is_known(&logged_in_on(whose, device)).await
        {
            let on = Subject::name_on(Tier::Failures, &whose.0, device.secret());
            vec![(on, ON_A_KNOWN_DEVICE)]
        } else if counting.is_known(&logged_in_at(whose, address)).await {
            vec![(here, FROM_A_KNOWN_ADDRESS)]
        } else {
            let all = Subject::name(Tier::Failures, &whose.0);
            vec![(here, FROM_ONE_ADDRESS), (all, FROM_STRANGERS)]
        };
        self.attempt(takes).await
    }

    /// Counts a guess at the present password, by somebody who is logged in: no others can use up
    /// what this device has.
    ///
    /// # Errors
    /// 429 when there were too many wrong ones.
    pub async fn guess_on(&self, user: UserId, session: SessionId) -> Result<Attempt, ApiError> {
        let whose = Guessed::account(user);
        let on = Subject::name_on(Tier::Failures, &whose.0, session.0.as_bytes());
        self.attempt(vec![(on, ON_A_KNOWN_DEVICE)]).await
    }

    async fn attempt(&self, takes: Vec<(Subject, Rate)>) -> Result<Attempt, ApiError> {
        let Some(counting) = &self.0 else {
            return Ok(Attempt(None));
        };
        let verdict = counting.take_exactly(&takes).await;
        counting.passed(Tier::Failures, verdict)?;
        Ok(Attempt(Some(Guess {
            counting: Arc::clone(counting),
            takes,
        })))
    }

    /// Somebody has proved to be the holder of an account: where and on what is known from now on.
    pub async fn met(&self, who: UserId, address: Option<IpAddr>, device: Option<&Device>) {
        let Some(counting) = &self.0 else {
            return;
        };
        let who = Guessed::account(who);
        let known = [
            address.map(|address| logged_in_at(&who, address)),
            device.map(|device| logged_in_on(&who, device)),
            device.map(|device| passes(Tier::Logins, device.secret())),
        ];
        for subject in known.into_iter().flatten() {
            counting.known.0.insert(subject, ()).await;
            counting.note(&subject).await;
        }
    }

    /// Lets a device to the door where others behind its address have knocked too often: one on
    /// which somebody has logged in before.
    ///
    /// # Errors
    /// `refusal` for every other, and when it knocks too often itself.
    pub async fn let_to_the_door(
        &self,
        refusal: ApiError,
        device: Option<&Device>,
    ) -> Result<(), ApiError> {
        let secret = device.map(Device::secret);
        self.let_through(Tier::Logins, refusal, secret).await
    }

    /// Lets a device trade its token where others behind its address have tried too often.
    ///
    /// # Errors
    /// `refusal` for one that has never traded a token that was good, and when it does so too often.
    pub async fn let_refresh(
        &self,
        refusal: ApiError,
        session: Option<SessionId>,
    ) -> Result<(), ApiError> {
        let secret = session.as_ref().map(|session| &session.0.as_bytes()[..]);
        self.let_through(Tier::Refreshes, refusal, secret).await
    }

    /// A device has been given a token for which it will want another.
    pub async fn will_refresh(&self, session: SessionId) {
        if let Some(counting) = &self.0 {
            let subject = passes(Tier::Refreshes, session.0.as_bytes());
            counting.known.0.insert(subject, ()).await;
            let counting = Arc::clone(counting);
            // Nobody waits for Redis with a token in hand.
            tokio::spawn(async move { counting.note(&subject).await });
        }
    }

    async fn let_through(
        &self,
        tier: Tier,
        refusal: ApiError,
        secret: Option<&[u8]>,
    ) -> Result<(), ApiError> {
        let (Some(counting), Some(secret)) = (&self.0, secret) else {
            return Err(refusal);
        };
        if !counting.is_known(&passes(tier, secret)).await {
            return Err(refusal);
        }
        let own = Subject::name_on(Tier::Failures, tier.as_str(), secret);
        let takes = [(own, AT_A_FULL_DOOR)];
        let verdict = counting.ledger.take(Instant::now(), &takes);
        match verdict.and_then(|verdict| verdict.wait) {
            Some(_) => Err(refusal),
            None => Ok(()),
        }
    }
}

fn logged_in_at(who: &Guessed, address: IpAddr) -> Subject {
    Subject::name_at(Tier::Logins, &who.0, address)
}

fn logged_in_on(who: &Guessed, device: &Device) -> Subject {
    Subject::name_on(Tier::Logins, &who.0, device.secret())
}

/// What is let through where the address has used up what it has.
fn passes(tier: Tier, secret: &[u8]) -> Subject {
    Subject::name_on(tier, "passes", secret)
}

impl Attempt {
    /// The password was right.
    pub async fn was_right(self) {
        let Some(guess) = self.0 else {
            return;
        };
        guess.counting.ledger.give_back(&guess.takes);
        if let Some(shared) = &guess.counting.shared {
            shared.give_back(&guess.takes).await;
        }
    }
}

impl Counting {
    async fn note(&self, subject: &Subject) {
        if let Some(shared) = &self.shared {
            shared.note(subject, KNOWN).await;
        }
    }

    async fn is_known(&self, subject: &Subject) -> bool {
        if self.known.0.contains_key(subject) {
            return true;
        }
        match &self.shared {
            Some(shared) => shared.is_noted(subject).await.unwrap_or(false),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Ledger;
    use super::*;

    /// How many guesses are let through at once, and in each hour after the first.
    fn guesses(rate: Rate) -> (usize, usize) {
        let (ledger, start) = (Ledger::default(), Instant::now());
        let takes = [(Subject::name(Tier::Failures, "ann"), rate)];
        let is_let = |second: u64| {
            let verdict = ledger.take(start + Duration::from_secs(second), &takes);
            verdict.unwrap().wait.is_none()
        };
        let at_once = (0..1000).filter(|_| is_let(0)).count();
        let later = (1..=10 * 3600).filter(|second| is_let(*second)).count();
        (at_once, later / 10)
    }

    #[test]
    fn as_many_as_the_table_says() {
        for (rate, said) in [
            (FROM_ONE_ADDRESS, (10, 40)),
            (FROM_STRANGERS, (100, 100)),
            (FROM_A_KNOWN_ADDRESS, (50, 200)),
            (ON_A_KNOWN_DEVICE, (10, 40)),
        ] {
            assert_eq!(guesses(rate), said, "{rate:?}");
        }
    }

    #[test]
    fn an_address_in_any_spelling_is_one() {
        let name = |typed| Guessed::of(None, typed).0;
        assert_eq!(name("Ann@Example.com "), name("ann@example.com"));
        assert_eq!(name("ann@BÜCHER.de"), name("ann@xn--bcher-kva.de"));
        assert_ne!(name("İİİ@example.com"), name("iii@example.com"));
        let user = UserId(uuid::Uuid::from_u128(7));
        let of_account = |typed| Guessed::of(Some(user), typed).0;
        assert_eq!(of_account("ann@example.com"), of_account("anything"));
    }
}

//! How much anybody may ask for.

use super::vars::Vars;
use crate::platform::limits::{Rate, Tier};

/// Requests at most. What is of an account counts for all its devices, what is of an address for
/// all that stand behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Of an account in a minute, without changing anything.
    pub reads: u32,
    /// Of an account in a minute, to change something.
    pub writes: u32,
    /// Sockets that an account opens in a minute.
    pub sockets: u32,
    /// Logins from an address in a minute.
    pub logins: u32,
    /// New restaurants from an address in an hour.
    pub registrations: u32,
    /// Access tokens renewed from an address in a minute.
    pub refreshes: u32,
    /// Milliseconds of a processor in a second that a restaurant may take of a worker while others
    /// want something of it, too; 0 when it may take all.
    pub work: u32,
}

/// How many accounts at their limit an address may have behind it.
const ACCOUNTS_PER_ADDRESS: u32 = 5;

impl LimitsConfig {
    /// What an account may.
    #[must_use]
    pub const fn of_account(&self, tier: Tier) -> Rate {
        match tier {
            Tier::Reads => Rate::per_minute(self.reads),
            Tier::Writes => Rate::per_minute(self.writes),
            Tier::Sockets => Rate::per_minute(self.sockets),
            Tier::Logins | Tier::Failures => Rate::per_minute(self.logins),
            Tier::Registrations => Rate::per_hour(self.registrations),
            Tier::Refreshes => Rate::per_minute(self.refreshes),
        }
    }

    /// What all clients of an address may.
    #[must_use]
    pub const fn of_address(&self, tier: Tier) -> Rate {
        let rate = self.of_account(tier);
        match tier {
            Tier::Reads | Tier::Writes | Tier::Sockets => Rate {
                count: rate.count * ACCOUNTS_PER_ADDRESS,
                period: rate.period,
            },
            Tier::Logins | Tier::Failures | Tier::Registrations | Tier::Refreshes => rate,
        }
    }
}

/// `None` when nobody counts.
pub(super) fn read(vars: &Vars<'_>) -> Option<LimitsConfig> {
    let number =
        |variable, example, default| vars.number(variable, example, 1..=1_000_000, default);
    let config = LimitsConfig {
        reads: number("RATE_LIMIT_READS", "6000", 6000),
        writes: number("RATE_LIMIT_WRITES", "3000", 3000),
        sockets: number("RATE_LIMIT_SOCKETS", "600", 600),
        logins: number("RATE_LIMIT_LOGINS", "100", 100),
        registrations: number("RATE_LIMIT_REGISTRATIONS", "30", 30),
        refreshes: number("RATE_LIMIT_REFRESHES", "1200", 1200),
        work: vars.number("RATE_LIMIT_WORK", "250", 0..=1_000_000, 250),
    };
    let is_on = vars.word("RATE_LIMITS", &[("on", true), ("off", false)], true);
    is_on.then_some(config)
}

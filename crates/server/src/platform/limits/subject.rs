//! Who is counted, and for what.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use wire::{RootId, UserId};

use crate::platform::middleware::network;

/// For what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Address and password for tokens.
    Logins,
    /// New restaurants.
    Registrations,
    /// New tokens for old ones.
    Refreshes,
    /// What changes something.
    Writes,
    /// What does not.
    Reads,
    /// Sockets that are opened.
    Sockets,
    /// Passwords that were wrong.
    Failures,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Logins,
        Self::Registrations,
        Self::Refreshes,
        Self::Writes,
        Self::Reads,
        Self::Sockets,
        Self::Failures,
    ];

    /// The word for it, in metrics and in Redis.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logins => "logins",
            Self::Registrations => "registrations",
            Self::Refreshes => "refreshes",
            Self::Writes => "writes",
            Self::Reads => "reads",
            Self::Sockets => "sockets",
            Self::Failures => "failures",
        }
    }
}

/// Who, and for what: 16 bytes of a hash, so that neither the memory nor Redis holds addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    tier: Tier,
    who: [u8; 16],
}

impl Subject {
    pub(super) const fn digest(tier: Tier, who: [u8; 16]) -> Self {
        Self { tier, who }
    }

    /// An account.
    pub(super) fn account(tier: Tier, user: UserId) -> Self {
        Self::of(tier, &[b"account", user.0.as_bytes()])
    }

    /// Who holds a thing without an account: all who have its link.
    pub(super) fn holder(tier: Tier, root: RootId) -> Self {
        Self::of(tier, &[b"holder", root.0.as_bytes()])
    }

    /// A client's address. Of IPv6 the network counts: whoever has one address has all of its /64.
    pub(super) fn address(tier: Tier, address: IpAddr) -> Self {
        Self::of(tier, &[b"address", &network(address)])
    }

    /// A name that somebody wants to log in by.
    pub(super) fn name(tier: Tier, name: &str) -> Self {
        Self::of(tier, &[b"name", name.as_bytes()])
    }

    /// The same, from an address.
    pub(super) fn name_at(tier: Tier, name: &str, address: IpAddr) -> Self {
        Self::of(tier, &[b"name-at", &network(address), name.as_bytes()])
    }

    /// The same, on something that only its holder knows.
    pub(super) fn name_on(tier: Tier, name: &str, secret: &[u8]) -> Self {
        let length = [u8::try_from(secret.len()).unwrap_or(u8::MAX)];
        Self::of(tier, &[b"name-on", &length, secret, name.as_bytes()])
    }

    fn of(tier: Tier, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
            hash.update([0]);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let (who, _) = hash.split_first_chunk().unwrap_or((&[0; 16], &[]));
        Self::digest(tier, *who)
    }

    /// Its key in Redis, without the prefix.
    pub(super) fn key(&self) -> String {
        let who = u128::from_be_bytes(self.who);
        format!("limit:{}:{who:032x}", self.tier.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_whom() {
        let address = |text: &str| Subject::address(Tier::Reads, text.parse().unwrap());
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        let name = |text| Subject::name(Tier::Failures, text);
        assert_ne!(name("ann@example.com"), name("bob@example.com"));
        let on = |secret: &[u8]| Subject::name_on(Tier::Failures, "ann@example.com", secret);
        assert_ne!(on(b"one"), on(b"two"));
        let writes = Subject::address(Tier::Writes, "192.0.2.1".parse().unwrap());
        assert_ne!(writes, address("192.0.2.1"));
        assert!(writes.key().starts_with("limit:writes:"));
        assert_eq!(writes.key().len(), "limit:writes:".len() + 32);
    }
}

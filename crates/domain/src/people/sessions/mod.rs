//! Devices that are logged in, and their refresh tokens.
//!
//! A device is a row, and the row is a *family* of refresh tokens, of which one is current. To
//! refresh is to trade the current token for its successor. A token that comes back after that is
//! a sign that two hold the family, one of them a thief; nobody can tell which, so the family ends
//! and the device has to log in again.
//!
//! # The minute of grace
//! A reply that got lost must not log a tablet out, so for a minute the token before the current
//! one is still good, as long as the current one was not used. It is answered with **the same
//! successor again**, not with another one in its place: that is why the successor is made of the
//! token before it and a seed in the row, and needs no one to remember it. Another successor would
//! leave its first receiver with a token that looks stolen. Here
//! - two requests of one device that race get the same token, and it does not matter which of the
//!   replies is kept;
//! - two windows that keep their tokens for themselves go on together, as long as they refresh
//!   within a minute of each other;
//! - a thief who refreshes within that minute shares the successor with the device, and whichever
//!   of them comes second, more than a minute after the other, ends the family.
//!
//! The database alone makes no token: it has hashes, and seeds that are nothing without a token.

mod devices;
mod refresh;
mod sign_out;
mod standing;
mod token;

pub use devices::{NewSession, Opened, list, open, sweep_expired};
pub use refresh::{GRACE, Refreshed, Rotated, refresh, session_of};
pub(super) use sign_out::{Devices, revoke_devices};
pub use sign_out::{revoke, revoke_of_user};
pub use standing::{Standing, standing, standings};

use chrono::{DateTime, TimeDelta, Utc};

/// When a device that is used now and never again is forgotten.
fn expiry(now: DateTime<Utc>, ttl: TimeDelta) -> DateTime<Utc> {
    now.checked_add_signed(ttl)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

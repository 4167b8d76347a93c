//! Sockets, the event log and the audit.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::vars::Vars;

/// Everything about sockets, the event log and the audit.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// How long events can be replayed.
    pub retention: Duration,
    /// How long the audit is kept.
    pub audit_retention: Duration,
    /// After how much silence a session hears a heartbeat.
    pub heartbeat: Duration,
    /// How long a peer that does not read may hold up its session.
    pub send_timeout: Duration,
    /// What carries sockets.
    pub transport: SocketTransport,
    /// How many sockets this worker holds at most, and how many of them anybody may have.
    pub shares: SharesConfig,
}

/// How many sockets and streams this worker holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharesConfig {
    /// All of them.
    pub all: usize,
    /// Those of strangers, who watch menus.
    pub strangers: usize,
    /// Those of an account.
    pub of_account: usize,
    /// Those of a restaurant's staff; as many strangers may watch it.
    pub of_restaurant: usize,
    /// Those of staff that come from one address.
    pub of_address: usize,
    /// Those of strangers that come from one address.
    pub of_visitor: usize,
}

/// What carries sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketTransport {
    /// The bare connection, taken out of the HTTP server.
    Bare,
    /// actix-ws, inside of it.
    ActixWs,
}

const TRANSPORTS: [(&str, SocketTransport); 2] = [
    ("bare", SocketTransport::Bare),
    ("actix-ws", SocketTransport::ActixWs),
];

pub(super) fn read(vars: &Vars<'_>) -> LiveConfig {
    let days = vars.number("EVENT_RETENTION_DAYS", "7", 1..=3650, 7);
    let audit_days = vars.number("AUDIT_RETENTION_DAYS", "400", 1..=36_500, 400);
    LiveConfig {
        retention: Duration::from_secs(24 * 60 * 60 * days),
        audit_retention: Duration::from_secs(24 * 60 * 60 * audit_days),
        heartbeat: Duration::from_secs(vars.number("WS_HEARTBEAT_INTERVAL", "25", 1..=300, 25)),
        send_timeout: Duration::from_secs(vars.number("WS_SEND_TIMEOUT", "15", 1..=300, 15)),
        transport: vars.word("SOCKET_TRANSPORT", &TRANSPORTS, SocketTransport::Bare),
        shares: shares(vars),
    }
}

/// By default nobody has more than half of them, since two houses are to find room at the smallest
/// worker, nor more than a large house has devices, all of one account perhaps. Only an address may
/// have half of very many: without `TRUSTED_PROXIES` all clients seem to have the balancer's.
fn shares(vars: &Vars<'_>) -> SharesConfig {
    let all = vars.number("MAX_SESSIONS", "18000", SHARE, 18_000);
    let half = (all / 2).max(1);
    let share = |variable, example, most| vars.number(variable, example, SHARE, half.min(most));
    SharesConfig {
        all,
        strangers: share("PUBLIC_SOCKETS", "9000", half),
        of_account: share("SOCKETS_PER_ACCOUNT", "1000", 1000),
        of_restaurant: share("SOCKETS_PER_RESTAURANT", "2000", 2000),
        of_address: share("SOCKETS_PER_ADDRESS", "9000", half),
        of_visitor: share("PUBLIC_SOCKETS_PER_ADDRESS", "200", 200),
    }
}

const SHARE: RangeInclusive<usize> = 1..=1_000_000;

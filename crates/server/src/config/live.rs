//! Sockets, the event log and the audit.

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
    /// How many sockets this worker holds at most.
    pub max_sessions: usize,
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
        max_sessions: vars.number("MAX_SESSIONS", "18000", 1..=1_000_000, 18_000),
    }
}

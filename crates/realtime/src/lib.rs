//! Changes of a restaurant on every screen: hub, rooms, sessions, and the bus between workers.
//!
//! No database and no sockets: the [`Log`] is a trait that the server implements with PostgreSQL
//! and the tests in memory; a [`Session`] is pulled by whoever holds the socket.
//!
//! # The life of a frame
//!
//! 1. A write appends its events to the restaurant's log in its own transaction, where they get
//!    their numbers. After COMMIT the server calls [`Hub::committed`].
//! 2. The restaurant's room on this worker takes the events that follow on its cursor into its
//!    ring of recent events, and wakes its sessions. The bus takes the transaction into its queue
//!    and publishes it as one message. Neither makes the request wait.
//! 3. On the other workers the bus hands the message to the same room's twin. A number at or below
//!    the cursor is dropped, the next one is delivered, a higher one is put aside: if the missing
//!    ones do not come within 20 ms the room reads them from the log, which has them, because
//!    sequence order is commit order.
//! 4. A session pulls from the ring what comes after its own place, as far as it may and wants to
//!    hear it. The bytes are those that the log stores; they are never written again or copied.
//!
//! # What always holds
//!
//! - **The log is the truth.** What comes by the bus is only faster. Losing, doubling or
//!   reordering every message of it changes when a session is served, not what it is served.
//! - **A cursor moves by one.** A room's moves from n to n + 1 and nowhere else, unless its
//!   *generation* changes: a new epoch, or a log that lost its end. Every session that stands in an
//!   older generation is told to take a snapshot ([`Pull::Resync`]) before anything else.
//! - **Nothing lost stays lost.** A message that got lost shows when a later one comes; the last
//!   one when all rooms' positions are compared with the log: every two seconds, at once when the
//!   bus comes or goes, and every 150 ms while it is away, or while a worker that was heard on it
//!   is silent, since who is cut off goes on committing. An answer of the log is judged by where
//!   the room stood when it was asked.
//! - **A position above the head is never "nothing missed".** The log is asked; then it is a
//!   position to wait for, or a reason to take a snapshot.
//! - **One room per restaurant.** Staff, the public and those who follow a thing of their own are
//!   filters over one cursor and one ring: completeness is proved before the filter, where numbers
//!   have no holes. A session's position moves over what it does not hear, so that it does not age,
//!   and it is not woken for it.
//! - **Slow sessions cost only themselves.** A session has no queue, only a place. One that stands
//!   before the ring reads pages of the log; those who stand in the same page share it.
//! - **Every question to the log is bounded**: in time, in number, and to one per room and purpose.
//!   A log that is away is asked again for as long as somebody waits.
//!
//! # Deliberately absent
//!
//! History in Redis, acknowledgements between workers, retries of publishing (other workers are
//! told the number instead), a queue between the bus and the rooms, and any knowledge of what is
//! in a frame.

mod backlog;
mod backoff;
mod bulletins;
pub mod bus;
mod catch_up;
mod config;
mod context;
mod control;
mod dispatch;
mod event;
#[cfg(feature = "faults")]
mod faults;
mod filter;
#[cfg(test)]
mod fixtures;
mod hub;
mod joining;
mod log;
mod reader;
mod ring;
mod room;
mod seats;
mod session;
mod stats;
mod trace;
mod trails;
mod upkeep;
mod window;

pub use bulletins::Readers;
pub use bus::local::LocalBus;
pub use bus::postgres::PostgresConfig;
pub use bus::redis::{BadRedisUrl, Cluster, RedisConfig, redis_server};
pub use config::HubConfig;
pub use event::{Commit, Event, Own, Told};
#[cfg(feature = "faults")]
pub use faults::Fault;
pub use filter::Hears;
pub use hub::Hub;
pub use joining::{Join, JoinError, Opening, Since};
pub use log::{Head, Log, LogError, Page};
pub use seats::{Closing, SessionInfo, Who};
pub use session::{Frames, Pull, Session};
pub use stats::{Counter, Durations, Gauge, Resyncs, Stats};
pub use trace::{Relay, TracePlace, Traced};

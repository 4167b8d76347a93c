//! Encrypted connections to the servers that a worker lives on: who is believed, how PostgreSQL is
//! reached, and what a failure means.
//!
//! - [`Roots`]: the authorities whose word is taken for who a server is.
//! - [`PostgresServer`]: a `postgres://` address with all that `sslmode` and `sslrootcert` say. The
//!   pool, the migrations and the bus connect by it, so that none is less careful than the others.
//! - [`explained`]: an error of a connection in the words of somebody who has to mend it.

mod postgres;
mod roots;
mod verifier;
mod words;

pub use postgres::{BadPostgresUrl, PostgresServer, PostgresStream, Security, Unreachable};
pub use roots::{BadRoots, Roots};
pub use words::explained;

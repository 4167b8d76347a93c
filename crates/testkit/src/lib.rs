//! What a test needs from outside, and nothing of ours.
//!
//! - [`database`]: a PostgreSQL database per test, cloned from a template that carries the
//!   migrations, gone when the test is.
//! - [`postgres`]: a server that a test has for itself, with TLS, with a replica that is paused,
//!   stopped and promoted, or one that writes down how each statement was executed.
//! - [`redis`]: the server to use and a key prefix per test, or a server of its own.
//! - [`authority`]: certificates for servers, and the authority that issues them.
//! - [`proxy`]: a TCP proxy that cuts, refuses, freezes or slows the connections through it.
//! - [`process`]: a child process that is killed, terminated or waited for.
//! - [`wait`]: waiting on a condition with a deadline; tests do not sleep.
//!
//! `scripts/test` starts the services and sets `TEST_DATABASE_URL` and `TEST_REDIS_URL`. Every
//! function here panics when it cannot do its job: a test has nothing better to do with an error.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed tool fails the test that uses it"
)]

pub mod authority;
pub mod database;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod wait;

/// A service's URL, as `scripts/test` hands it to the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own configuration, which no server ever reads"
)]
fn service_url(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => panic!(
            "{variable} is not set: run the tests by scripts/test, which starts PostgreSQL and \
             Redis and takes the arguments of cargo test"
        ),
    }
}

/// Twelve random hexadecimal digits, for names that must not meet.
fn random_name() -> String {
    let mut name = uuid::Uuid::new_v4().simple().to_string();
    name.truncate(12);
    name
}

//! Scenarios that measure: requests by the clock, sessions by the thousand, and what both cost the
//! servers.
//!
//! [`requests`] makes requests over few connections ([`link`]) at the times of [`arrivals`];
//! [`crowd`] has sessions ([`session`]) in processes of their own ([`holder`]), which take
//! [`commands`] and [`check`] what each session is told. A change of a party carries the time at
//! which it should have been asked for ([`frame_text`]), on the one [`clock`] of the machine. [`report`]
//! is what is printed. A scenario is a module with `Args` and `run`; [`floor`] is done by [`hosts`].

mod args;
mod arrivals;
pub(crate) mod batch;
mod check;
mod clock;
mod commands;
mod crowd;
pub(crate) mod erase;
pub(crate) mod fanout;
pub(crate) mod floor;
mod frame_text;
mod frames;
mod handshake;
mod holder;
mod host_choices;
mod hosts;
pub(crate) mod idle;
mod link;
mod mix;
mod processes;
pub(crate) mod read;
mod report;
mod requests;
mod restaurant;
mod session;
#[cfg(test)]
mod session_tests;
pub(crate) mod storm;
mod subject;
mod worker;
pub(crate) mod write;

use std::future::Future;

pub(crate) use self::crowd::HOLD;
use self::report::Report;

/// Runs a scenario on one thread, prints its report, and says whether nothing was lost.
///
/// # Errors
/// When it could not be run.
pub(crate) fn run<F>(is_json: bool, scenario: F) -> anyhow::Result<bool>
where
    F: Future<Output = anyhow::Result<Report>>,
{
    let report = block_on(scenario)?;
    if is_json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    Ok(report.is_clean())
}

/// Holds sessions, as this process is told on its standard input.
///
/// # Errors
/// When what it is told cannot be read.
pub(crate) fn hold() -> anyhow::Result<bool> {
    processes::connections_allowed();
    let orders = tokio::io::BufReader::new(tokio::io::stdin());
    block_on(holder::hold(orders, tokio::io::stdout()))?;
    Ok(true)
}

/// The client shares its processors with the servers: it takes one, if it has to.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

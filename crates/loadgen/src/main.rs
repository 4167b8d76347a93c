//! Load on QTable, measured and judged from outside: `qtable-load <scenario>`.
//!
//! It knows the servers only by what crosses the wire (`wire`). The foundation is shared by all
//! scenarios: [`http`] and [`socket`] speak; [`follower`] is a device that follows a restaurant
//! and resumes; [`transcript`] is what a device heard; [`log`] is what it should have heard;
//! [`judge`] compares the two, and [`floor_state`] a snapshot with the log; [`latency`] and
//! [`table`] tell of it. A scenario is a module with `Args` and `run`, and a line in [`Scenario`].
//! Those that measure are in [`load`], and [`mod@bench`] runs them side by side with peers. The exit
//! code is not 0 if anything was lost.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod chaos;
mod floor_state;
mod follower;
mod http;
mod judge;
mod latency;
mod load;
mod log;
mod ports;
mod program;
mod progress;
mod socket;
mod table;
mod table_setup;
mod transcript;

#[derive(Debug, Parser)]
#[command(
    name = "qtable-load",
    about = "Load, latency and loss of QTable, from outside"
)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Kills, cuts, freezes and rewinds everything under load, and proves that nothing was lost.
    Chaos(chaos::Args),
    /// Changes parties, and compares the answers with the log.
    Write(load::write::Args),
    /// Reads a list.
    Read(load::read::Args),
    /// Has many sessions follow one restaurant, and makes events for all of them.
    Fanout(load::fanout::Args),
    /// Has many sessions that are told nothing, and says what each costs.
    Idle(load::idle::Args),
    /// Cuts all sessions at once, and has all of them come back at once while changes go on.
    Storm(load::storm::Args),
    /// A Friday night: many restaurants, in each many devices that do what hosts do.
    Floor(load::floor::Args),
    /// Asks for the longest work that one request may, and says how long it takes.
    Batch(load::batch::Args),
    /// Erases people in a restaurant with a long log, and says how long that takes.
    Erase(load::erase::Args),
    /// Holds sessions for another process of this program.
    #[command(name = load::HOLD, hide = true)]
    Hold,
    /// QTable side by side with pgbench, Nchan and Redis.
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing was lost.
fn run(cli: Cli) -> anyhow::Result<bool> {
    // The HTTP client looks for a provider, also where nothing is encrypted.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        anyhow::bail!("TLS has a provider already");
    }
    match cli.scenario {
        Scenario::Chaos(args) => on_all_threads(chaos::run(args)),
        Scenario::Bench(args) => on_all_threads(bench::run(args)),
        Scenario::Write(args) => load::run(args.common.json, load::write::run(args)),
        Scenario::Read(args) => load::run(args.common.json, load::read::run(args)),
        Scenario::Fanout(args) => load::run(args.common.json, load::fanout::run(args)),
        Scenario::Idle(args) => load::run(args.common.json, load::idle::run(args)),
        Scenario::Storm(args) => load::run(args.common.json, load::storm::run(args)),
        Scenario::Floor(args) => load::run(args.common.json, load::floor::run(args)),
        Scenario::Batch(args) => load::run(args.common.json, load::batch::run(args)),
        Scenario::Erase(args) => load::run(args.common.json, load::erase::run(args)),
        Scenario::Hold => load::hold(),
    }
}

fn on_all_threads(scenario: impl Future<Output = anyhow::Result<bool>>) -> anyhow::Result<bool> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(scenario)
}

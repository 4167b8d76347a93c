//! `qtable`: everything that can be done with the server, as subcommands.

use std::process::ExitCode;

use clap::Parser;
use server::Cli;

fn main() -> ExitCode {
    Cli::parse().run(&|name| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that hands the environment to the configuration"
        )]
        std::env::var(name).ok()
    })
}

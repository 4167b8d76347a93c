//! The subcommands of the `qtable` binary.

pub mod check_config;
pub mod create_admin;
mod demo_menu;
pub mod healthcheck;
pub mod migrate;
mod probe;
pub mod seed_demo;
pub mod serve;
pub mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::check_config::CheckConfig;
use self::create_admin::CreateAdmin;
use self::healthcheck::Healthcheck;
use self::migrate::Migrate;
use self::seed_demo::SeedDemo;
use self::serve::Serve;
use self::watch::Watch;
use crate::config::{Config, ConfigFault};
use crate::seen::logs;

/// How variables are looked up.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The real-time backend of a restaurant.
///
/// Staff tablets, kitchen screens and guests' phones look at the same tables, parties and
/// reservations, and every change is on every screen within milliseconds. PostgreSQL holds the
/// truth; Redis carries changes between workers. Without it, BUS=postgres does, or there is only one.
#[derive(Parser, Debug)]
#[command(name = "qtable", version, after_long_help = HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What `--help` ends with. The variables stand in one place, which operators copy.
const HELP: &str = concat!(
    "\
A first start:
  export DATABASE_URL=postgres://qtable:password@localhost:5432/qtable
  export SECRET_KEY=$(openssl rand -base64 48)
  qtable check-config     # says what is missing or wrong, all of it at once
  qtable migrate
  qtable seed-demo        # a restaurant to play with; not in production
  qtable serve            # http://localhost:8000/docs
  qtable watch --email test@restaurant.com --password password123

Environment variables:

",
    include_str!("../../../../.env.example")
);

#[derive(Subcommand, Debug)]
enum Command {
    Serve(Serve),
    Migrate(Migrate),
    SeedDemo(SeedDemo),
    CreateAdmin(CreateAdmin),
    CheckConfig(CheckConfig),
    Healthcheck(Healthcheck),
    Watch(Watch),
}

impl Cli {
    /// Does what was asked for.
    #[must_use]
    pub fn run(self, variables: Variables<'_>) -> ExitCode {
        match self.done(variables) {
            Ok(code) => code,
            Err(error) => {
                eprintln!("qtable: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn done(self, variables: Variables<'_>) -> anyhow::Result<ExitCode> {
        // Whoever speaks TLS looks for a provider; a second one would be a fault of ours.
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            anyhow::bail!("TLS has a provider already");
        }
        // Connections to PostgreSQL and Redis live on this runtime, so it outlives the HTTP
        // server's threads.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            match self.command {
                Command::Serve(serve) => serve.run(read(variables)?).await,
                Command::Migrate(migrate) => migrate.run(&config(variables)?).await,
                Command::SeedDemo(seed) => seed.run(&config(variables)?).await,
                Command::CreateAdmin(create) => create.run(&config(variables)?).await,
                Command::Healthcheck(check) => check.run(variables).await,
                Command::Watch(watch) => watch.run(variables).await,
                Command::CheckConfig(check) => return Ok(check.run(variables).await),
            }?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn read(variables: Variables<'_>) -> anyhow::Result<Config> {
    Config::from_vars(variables).map_err(|faults| anyhow::anyhow!(list(&faults)))
}

/// The configuration of a command that is done soon, with a log as it says.
fn config(variables: Variables<'_>) -> anyhow::Result<Config> {
    let config = read(variables)?;
    logs::init(&config.log, &config.worker_id, None, None)?;
    Ok(config)
}

fn list(faults: &[ConfigFault]) -> String {
    let mut list = String::from("the configuration will not do:");
    for fault in faults {
        list.push_str("\n  ✗ ");
        list.push_str(&fault.to_string());
    }
    list
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_for_strangers() {
        let help = Cli::command().render_long_help().to_string();
        for word in [
            "serve",
            "migrate",
            "seed-demo",
            "create-admin",
            "check-config",
            "healthcheck",
            "watch",
        ] {
            assert!(help.contains(word), "{word} in {help}");
        }
        for variable in ["DATABASE_URL", "SECRET_KEY", "REDIS_URL", "METRICS_TOKEN"] {
            assert!(help.contains(variable), "{variable} in {help}");
        }
    }
}

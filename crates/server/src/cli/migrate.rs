//! `qtable migrate`: brings the schema up to date.

use std::time::{Duration, Instant};

use clap::Args;
use domain::migrations;

use crate::config::Config;

/// Brings the database's schema up to date. Several may run at once; one does it.
#[derive(Args, Debug)]
pub struct Migrate {
    /// How many seconds to wait for a database that is not there yet, or a table that is in use.
    #[arg(long, default_value_t = 60)]
    wait: u64,
}

impl Migrate {
    /// Applies the steps that are missing and says which.
    ///
    /// # Errors
    /// When the database does not come, or a step fails.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let url = config.database.url.reveal();
        let end = Instant::now() + Duration::from_secs(self.wait);
        let applied = loop {
            match migrations::run(url).await {
                Ok(applied) => break applied,
                Err(domain::Error::Unavailable(reason)) if Instant::now() < end => {
                    println!("Not yet ({reason}); trying again.");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        for step in &applied {
            println!("Applied {step}.");
        }
        println!("The schema is up to date.");
        Ok(())
    }
}

//! `qtable create-admin`: somebody who reaches every restaurant.

use clap::Args;
use domain::people::accounts;

use crate::app;
use crate::config::{Config, Secret};

/// Makes an administrator of the platform, or makes an existing account one.
#[derive(Args, Debug)]
pub struct CreateAdmin {
    /// The account's address.
    #[arg(long)]
    email: String,
    /// A password of 8–72 bytes; of an existing account only with --reset-password.
    #[arg(long, env = "QTABLE_PASSWORD", hide_env_values = true)]
    password: Secret,
    /// Gives an existing account this password, too.
    #[arg(long)]
    reset_password: bool,
}

impl CreateAdmin {
    /// Makes the administrator.
    ///
    /// # Errors
    /// When the address or password will not do, or the database is away.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        accounts::check_new_password("password", self.password.reveal()).map_err(app::told)?;
        let passwords = app::passwords(config, 1);
        let hash = passwords.hash(self.password.reveal().to_owned()).await;
        let hash = hash.map_err(app::told)?;
        let db = app::database(config)?;
        let (email, resets) = (self.email, self.reset_password);
        db.transaction("accounts.admin", async |conn, now| {
            accounts::create_admin(conn, now, &email, &hash, resets).await
        })
        .await
        .map_err(app::told)?;
        println!("{email} is an administrator.");
        Ok(())
    }
}

//! Accounts that everybody can get into: the demo's, and an administrator's whose password stands in
//! an example.
//!
//! A database that was tried out with and then taken into production keeps them. They are closed
//! when a production worker starts, which is better than not to start: the restaurants in there can
//! work, and nobody gets in by a password that is printed in the README. And as somebody may seed
//! a demo into it while workers run, those passwords open nothing at the door either.

use domain::address;
use domain::db::Db;
use domain::passwords::{self, KNOWN_TO_ALL, Passwords};
use domain::people::accounts;
use domain::people::accounts::Suspect;

use crate::cli::seed_demo;

/// Accounts with a password that everybody knows.
///
/// # Errors
/// When the database is away.
pub async fn open_accounts(db: &Db, passwords: &Passwords) -> domain::Result<Vec<Suspect>> {
    let suspects = db
        .read("accounts.suspects", async move |conn| {
            accounts::suspects(conn, seed_demo::EMAIL).await
        })
        .await?;
    let mut open = Vec::new();
    for suspect in suspects {
        for password in KNOWN_TO_ALL {
            let hash = Some(suspect.password_hash.clone());
            if passwords.verify(password.to_owned(), hash).await? {
                open.push(suspect);
                break;
            }
        }
    }
    Ok(open)
}

/// Closes them, and says so.
///
/// # Errors
/// When the database is away.
pub async fn close(db: &Db, passwords: &Passwords) -> domain::Result<()> {
    for found in open_accounts(db, passwords).await? {
        let nobodys: [u8; 32] = rand::random();
        let nobodys: String = nobodys.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = passwords.hash(nobodys).await?;
        let (user, verified) = (found.user_id, found.password_hash.clone());
        let closed = db
            .transaction("accounts.close", async move |conn, now| {
                accounts::close(conn, now, user, &verified, &hash).await
            })
            .await;
        match closed {
            // Another worker was faster.
            Err(domain::Error::Refused { .. }) => {}
            closed => {
                closed?;
                tracing::warn!(user = %found.user_id, "{}", sentence(&found));
            }
        }
    }
    Ok(())
}

/// What is said of one that was closed.
fn sentence(found: &Suspect) -> String {
    let who = if is_demo(&found.email) {
        "the demo's account"
    } else {
        "an administrator's account"
    };
    format!(
        "{who} had a password that everybody knows: it was taken away, and its devices were signed \
         out. `qtable create-admin --reset-password` gives an administrator another"
    )
}

/// Whether a password that is right opens nothing all the same, in production.
#[must_use]
pub fn opens_nothing(email: &str, is_admin: bool, password: &str) -> bool {
    (is_admin || is_demo(email)) && passwords::KNOWN_TO_ALL.contains(&password)
}

fn is_demo(email: &str) -> bool {
    address::key(email).as_deref() == Some(seed_demo::EMAIL)
}

//! The menu: dishes, their categories, the whole as a guest reads it, and files of it.

pub mod categories;
pub mod dishes;
mod failed;
mod images;
mod money;
pub(crate) mod personal;
pub mod transfer;
pub mod tree;
mod windows;

use wire::ErrorCode;
use wire::Role;

use crate::db::Tx;
use crate::{Error, Result};

/// Staff serve the menu; writing it is for managers.
fn check_edits(tx: &Tx<'_>) -> Result<()> {
    let sentence = "Only a manager may edit the menu.";
    tx.actor().check_role(Role::Manager, sentence)
}

/// Refuses more of some things than a menu may have.
fn check_most<N: PartialOrd + std::fmt::Display>(count: N, most: N, things: &str) -> Result<()> {
    if count > most {
        let sentence = format!("A menu has at most {most} {things}.");
        return Err(Error::refused(ErrorCode::Conflict, sentence));
    }
    Ok(())
}

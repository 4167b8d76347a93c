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
    if tx.actor().role < Role::Manager {
        let sentence = "Only a manager may edit the menu.";
        return Err(Error::refused(ErrorCode::Forbidden, sentence));
    }
    Ok(())
}

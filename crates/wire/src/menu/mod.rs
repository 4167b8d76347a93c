//! The menu: dishes, their categories, the whole as a guest reads it, and files of it.

pub mod categories;
pub mod dishes;
pub mod modifiers;
pub mod transfer;
pub mod tree;

pub use modifiers::{ModifierGroup, ModifierOption};

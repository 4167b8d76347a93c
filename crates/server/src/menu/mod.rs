//! The menu: dishes, categories, the whole as a guest reads it, files of it, and who follows it.

pub mod cache;
pub mod categories;
pub mod dishes;
pub mod live;
pub mod menus;
pub mod transfer;
pub mod tree;

mod csv;
mod routes;
mod which;

pub use routes::routes;

crate::platform::reply::versioned!(wire::menu::categories::Category, wire::menu::dishes::Dish,);

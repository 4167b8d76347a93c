//! What the tests share: workers, clients, sockets, restaurants.

pub mod app;
pub mod client;
pub mod endpoint;
pub mod frames;
pub mod memory;
pub mod raw;
pub mod restaurant;
pub mod socket;
pub mod stream;

pub use app::TestApp;
pub use client::{Client, Reply};
pub use endpoint::Endpoint;
pub use memory::Memory;
pub use restaurant::{Restaurant, day, guest, table};
pub use socket::Socket;
pub use stream::Stream;

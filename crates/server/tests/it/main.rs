//! The server from outside: real workers, a real database, a real bus, real sockets.

mod bad_input;
mod floor;
mod identity;
mod live;
mod matrix;
mod operations;
mod support;

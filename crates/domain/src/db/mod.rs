//! Connections and transactions: the only way to the database.

mod connect;
mod pool;
mod tx;
mod write;

pub use pool::{Db, DbConfig, Observer, PoolState};
pub(crate) use tx::Change;
pub use tx::{Actor, Scope, Tx};
pub use write::{Appended, AppendedEvent, Committed};

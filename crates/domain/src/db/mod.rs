//! Connections and transactions: the only way to the database.

pub use diesel_async::AsyncPgConnection as PgConnection;

mod connect;
mod once;
mod pool;
mod replica;
mod request;
mod tx;
mod write;

pub use once::Answer;
pub use pool::{Db, DbConfig, Observer, PoolState, ping};
pub use replica::{NearBy, Replica, ReplicaConfig, Standing};
pub use request::RequestId;
pub(crate) use tx::Change;
pub use tx::{Actor, Scope, Tx};
pub use write::{Appended, AppendedEvent, Committed};

//! Connections and transactions: the only way to the database.

pub use diesel_async::AsyncPgConnection as PgConnection;

mod bulkhead;
mod connect;
mod event;
mod kept;
mod lease;
mod line;
mod lookout;
mod once;
mod overwrite;
mod pool;
mod pools;
mod probe;
mod replica;
mod request;
mod serving;
mod shares;
mod tx;
mod write;

pub use bulkhead::BulkheadState;
pub(crate) use connect::bare;
pub(crate) use event::Change;
pub use event::Event;
pub(crate) use kept::Kept;
pub use once::Answer;
pub(crate) use overwrite::WholeRow;
pub use pool::{Db, DbConfig, Observer, PoolState, ping};
pub use pools::Home;
pub use probe::{Probe, probe};
pub use replica::{NearBy, Replica, ReplicaConfig, Standing};
pub use request::RequestId;
pub use serving::{Usage, serving, serving_counted};
pub use tx::{Actor, Scope, Tx};
pub use write::{Appended, AppendedEvent, Committed};

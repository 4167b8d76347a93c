//! A client's transaction: several changes together or not at all, and only once however often it
//! is sent.

use wire::together::atomic::{AtomicDone, AtomicResult};
use wire::{FieldError, TransactionId};

use super::changes::{self, Item};
use crate::db::Tx;
use crate::remembered::{self, Kind, Request};
use crate::{Error, Result};

/// The most operations of one transaction.
pub const MOST: usize = 100;

/// A transaction, as it was read.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The client's id of it.
    pub id: TransactionId,
    /// What tells it from another request with the same id: [`crate::meaning`].
    pub fingerprint: [u8; 32],
    /// The changes.
    pub items: Vec<Item>,
}

/// What a transaction is answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// [`AtomicDone`], as JSON.
    pub body: String,
    /// Whether it had been done before.
    pub is_repeated: bool,
}

/// Makes the changes, unless they were made before: then the first answer is given again. A copy
/// that arrives while the first is being done waits for it.
///
/// # Errors
/// [`Error::Items`] names each change that cannot be made; then none is, and nothing is
/// remembered. [`Error::Invalid`] for too many operations, and when the id was used for another
/// request.
pub async fn run(tx: &mut Tx<'_>, transaction: &Transaction) -> Result<Answer> {
    changes::check_count("operations", transaction.items.len(), MOST)?;
    let key = transaction.id.to_string();
    let request = Request {
        key: key.clone(),
        fingerprint: transaction.fingerprint,
    };
    let mut past = remembered::claim(tx, Kind::Atomic, &[request]).await?;
    if let Some(past) = past.remove(&key) {
        if past.fingerprint != transaction.fingerprint {
            return Err(Error::Invalid(vec![FieldError {
                field: "transactionId".to_owned(),
                message: "was used for another request".to_owned(),
            }]));
        }
        return Ok(Answer {
            body: past.result,
            is_repeated: true,
        });
    }
    let done = changes::all_or_nothing(tx, &transaction.items).await?;
    let done = AtomicDone {
        transaction_id: transaction.id,
        results: done
            .into_iter()
            .map(|changed| AtomicResult {
                op: changed.op,
                entity: changed.entity,
                id: changed.id,
                data: changed.state,
            })
            .collect(),
    };
    let body = serde_json::to_string(&done)?;
    let answers = vec![(key, body.clone())];
    remembered::keep(tx.conn, tx.restaurant_id(), Kind::Atomic, answers).await?;
    tx.tell_complete()?;
    Ok(Answer {
        body,
        is_repeated: false,
    })
}

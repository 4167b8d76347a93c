//! Several things, listed by their kinds, changed by one request, all or none.

use wire::TransactionId;
use wire::together::atomic::Entity;
use wire::together::batch::BatchDone;

use super::changes::{self, Item};
use crate::Result;
use crate::db::Tx;

/// The most changes of one batch.
pub const MOST: usize = 500;

/// Refuses a batch that is too large.
///
/// # Errors
/// [`crate::Error::Invalid`].
pub fn check(items: &[Item]) -> Result<()> {
    let lists: Vec<&str> = Entity::ALL.iter().map(|entity| entity.list()).collect();
    let lists = match lists.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => lists.concat(),
    };
    changes::check_count(&lists, items.len(), MOST)
}

/// Makes the changes in their order. Their events carry the scope's transaction, which is told to
/// be complete after them.
///
/// # Errors
/// [`crate::Error::Items`] names each change that cannot be made; then none is.
pub async fn update(
    tx: &mut Tx<'_>,
    transaction_id: TransactionId,
    items: &[Item],
) -> Result<BatchDone> {
    let mut done = BatchDone::new(transaction_id);
    for changed in changes::all_or_nothing(tx, items).await? {
        done.list(changed.entity).extend(changed.state);
    }
    tx.tell_complete()?;
    Ok(done)
}

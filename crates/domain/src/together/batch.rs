//! Several parties, tables and bookings changed by one request, all or none.

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
    changes::check_count("guests, tables and reservations", items.len(), MOST)
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
    let mut done = BatchDone {
        transaction_id,
        guests: Vec::new(),
        tables: Vec::new(),
        reservations: Vec::new(),
    };
    for changed in changes::all_or_nothing(tx, items).await? {
        match changed.entity {
            Entity::Guest => done.guests.extend(changed.state),
            Entity::Table => done.tables.extend(changed.state),
            Entity::Reservation => done.reservations.extend(changed.state),
        }
    }
    tx.tell_complete()?;
    Ok(done)
}

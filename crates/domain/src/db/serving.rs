//! For which restaurant something is read.
//!
//! A write names its restaurant; a read is any statement. Whoever answers a request says once for
//! which restaurant that is, around all that comes of it, as spans do: a read that forgot to say so
//! would be one that a house can do without end.

use tokio::task_local;
use wire::RestaurantId;

task_local! {
    static HOUSE: RestaurantId;
}

/// Runs `work` for a restaurant: what it reads is that restaurant's.
pub fn serving<T>(
    restaurant: RestaurantId,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    HOUSE.scope(restaurant, work)
}

/// The restaurant for which this runs, if it is for one.
pub(super) fn served() -> Option<RestaurantId> {
    HOUSE.try_with(|house| *house).ok()
}

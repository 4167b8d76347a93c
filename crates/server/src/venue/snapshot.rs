//! The restaurant itself in snapshots.

use domain::db::PgConnection;
use domain::venue::restaurants;
use futures_util::future::BoxFuture;
use wire::live::snapshot::{Section, Sections};
use wire::venue::snapshot::Venue;

use crate::snapshots::{Described, Moment, Part};

/// The restaurant and its settings.
pub struct OfVenue;

impl Part for OfVenue {
    fn read<'a>(
        &self,
        conn: &'a mut PgConnection,
        of: Moment,
        to: &'a mut Sections,
    ) -> BoxFuture<'a, domain::Result<()>> {
        Box::pin(async move {
            let restaurant = restaurants::get(conn, of.restaurant).await?;
            Ok(Venue { restaurant }.write(to)?)
        })
    }

    fn describe(&self) -> Described {
        Described::of::<Venue>()
    }
}

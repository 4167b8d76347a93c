//! Reservations: parties that are expected.

mod erasure;
mod input;
mod list;
mod operations;
mod own;
mod row;
mod rules;
mod together;
mod with_guest;

pub(crate) use erasure::OfPerson;
use erasure::some;
pub(crate) use input::{check_tables, check_time};
pub use list::{list, window};
pub(crate) use operations::create_as;
pub use operations::{cancel, create, get, update};
pub(crate) use own::{Bookings as HeldBookings, secret};
pub use own::{cancel_own, get_own, make_link};
pub use with_guest::{check_in, seat};
pub(crate) use with_guest::{follow_guest, forget_guest};

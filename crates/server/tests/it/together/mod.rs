//! Several changes in one request.

mod atomic;
mod batch;
mod bookings_together;
mod sync;

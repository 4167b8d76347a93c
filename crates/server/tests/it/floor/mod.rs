mod availability;
mod guests;
mod lists;
mod reservations;
mod tables;

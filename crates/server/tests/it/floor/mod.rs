mod availability;
mod dashboard;
mod guests;
mod lists;
mod reservations;
mod tables;

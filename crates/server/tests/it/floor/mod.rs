mod atomic;
mod availability;
mod batch;
mod dashboard;
mod guests;
mod lists;
mod reservations;
mod tables;

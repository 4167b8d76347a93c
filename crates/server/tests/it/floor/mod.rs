mod atomic;
mod batch;
mod dashboard;
mod guests;
mod lists;
mod sync;
mod tables;

mod dashboard;
mod guests;
mod lists;
mod tables;

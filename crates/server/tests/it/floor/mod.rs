mod guests;
mod lists;
mod tables;

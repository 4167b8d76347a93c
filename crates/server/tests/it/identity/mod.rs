mod door;
mod login;
mod members;

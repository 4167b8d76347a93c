mod login;
mod members;

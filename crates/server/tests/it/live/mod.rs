mod bus;
mod credentials;
mod resume;
mod storm;
mod stream;
mod talk;

mod door;
mod invitations;
mod login;
mod members;

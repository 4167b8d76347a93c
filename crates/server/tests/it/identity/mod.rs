mod invitations;
mod login;
mod members;

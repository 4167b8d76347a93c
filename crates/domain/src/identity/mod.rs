//! Who is who: accounts, devices, members, restaurants.

pub mod restaurants;

//! What callers may do.

use crate::words::words;

words! {
    /// What a member may do in a restaurant; a later word may do all that an earlier one may.
    Role {
        /// Works the floor.
        Staff = "staff",
        /// Arranges the floor and the staff.
        Manager = "manager",
        /// Owns the restaurant.
        Owner = "owner",
        /// Runs the platform; reaches all restaurants. Never stored as a membership.
        Admin = "admin",
    }
}
